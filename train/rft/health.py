"""The health of a run: one line per step, and alarms when learning has gone wrong. Pure.

Entropy, length and the distance of a step tell.
"""

from collections.abc import Mapping, Sequence

import numpy as np

RECENT = 5  # steps that an alarm looks at
COLLAPSED, SCATTERED = 0.1, 3.0  # entropy, against that of the first steps
CUT = 0.3  # share of responses cut at the limit
GROWN = 2.0  # mean length, against that of the first steps
FAR = 0.1  # KL of the new policy from the one that sampled, nats per token (PPO: below .02)
FLAT = 0.9  # share of groups whose responses all earn the same: nothing to learn from
SHOWN = (
    ("rerec/score", "reward"),
    ("rerec/ndcg", "NDCG"),
    ("rerec/answered", "answered"),
    ("rerec/entropy", "entropy"),
    ("response_length/mean", "tokens"),
    ("actor/ppo_kl", "KL"),
    ("timing_s/step", "s"),
)


def line(step: int, steps: int, metrics: Mapping[str, float]) -> str:
    """A step for the console: "step 12/48 · reward 0.412 · entropy 0.92 · 7.1 s"."""
    shown = [f"{name} {metrics[key]:.3g}" for key, name in SHOWN if key in metrics]
    return " · ".join([f"step {step}/{steps}", *shown])


def alarms(history: Mapping[str, Sequence[float]]) -> list[str]:
    """Messages about what is wrong by the last RECENT steps of verl's metrics.

    Nothing before twice as many steps were made.
    """
    entropy, length = "rerec/entropy", "response_length/mean"
    cut = _recent(history, "response_length/clip_ratio")
    kl = _recent(history, "actor/ppo_kl")
    flat = _recent(history, "rerec/flat_groups")
    checks = (
        (
            _change(history, entropy) < COLLAPSED,
            f"entropy fell to {_recent(history, entropy):.3f}: the policy no longer explores; "
            "lower the learning rate or raise the temperature",
        ),
        (
            _change(history, entropy) > SCATTERED,
            f"entropy rose to {_recent(history, entropy):.2f}: the policy is coming apart; "
            "lower the learning rate",
        ),
        (
            cut > CUT,
            f"{cut:.0%} of the responses are cut at data.max_response_length: raise it",
        ),
        (
            _change(history, length) > GROWN,
            f"responses grew to {_recent(history, length):.0f} tokens: does length earn reward?",
        ),
        (
            kl > FAR,
            f"a step moves the policy by {kl:.2f} nats a token: lower the learning rate",
        ),
        (
            flat > FLAT,
            f"{flat:.0%} of the groups earn the same throughout: "
            "queries are too easy or too hard to learn from",
        ),
    )
    return [message for wrong, message in checks if wrong]


def _recent(history: Mapping[str, Sequence[float]], key: str) -> float:
    """The mean over the last RECENT steps; nan before twice as many."""
    values = history.get(key, ())
    return float(np.mean(values[-RECENT:])) if len(values) >= 2 * RECENT else float("nan")


def _change(history: Mapping[str, Sequence[float]], key: str) -> float:
    """`_recent` as a multiple of the mean over the first RECENT steps."""
    if key not in history:
        return float("nan")
    return _recent(history, key) / max(float(np.mean(history[key][:RECENT])), 1e-9)
