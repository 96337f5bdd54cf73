"""How a run is doing: one line a step, and alarms when entropy, length or the distance a step goes tell that learning has gone wrong. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

RECENT = 5  # steps that an alarm looks at
COLLAPSED, SCATTERED = 0.1, 3.0  # entropy, against that of the first steps
CUT, GROWN = (
    0.3,
    2.0,
)  # share of responses cut at the limit; mean length, against that of the first steps
FAR = 0.1  # KL of the new policy from the one that sampled, nats a token (a step of PPO stays below .02)
FLAT = 0.9  # share of groups whose responses all earn the same: nothing to learn from
SAID = (
    ("rerec/score", "reward"),
    ("rerec/ndcg", "NDCG"),
    ("rerec/answered", "answered"),
    ("rerec/entropy", "entropy"),
    ("response_length/mean", "tokens"),
    ("actor/ppo_kl", "KL"),
    ("timing_s/step", "s"),
)


def line(step: int, steps: int, metrics: Mapping[str, float]) -> str:
    """ "step 12/48 · reward 0.412 · entropy 0.92 · 7.1 s": what a person watches."""
    shown = [f"{name} {metrics[key]:.3g}" for key, name in SAID if key in metrics]
    return " · ".join([f"step {step}/{steps}", *shown])


def alarms(history: Mapping[str, Sequence[float]]) -> list[str]:
    """What is wrong by the last RECENT steps of verl's metrics; nothing before twice as many steps were made."""

    def now(key: str) -> float:
        return (
            float(np.mean(history[key][-RECENT:]))
            if len(history.get(key, ())) >= 2 * RECENT
            else float("nan")
        )

    def against(key: str) -> float:
        return (
            now(key) / max(float(np.mean(history[key][:RECENT])), 1e-9)
            if key in history
            else float("nan")
        )

    found = []
    if against("rerec/entropy") < COLLAPSED:
        found.append(
            f"entropy fell to {now('rerec/entropy'):.3f}: the policy no longer explores; lower the learning rate or raise the temperature"
        )
    if against("rerec/entropy") > SCATTERED:
        found.append(
            f"entropy rose to {now('rerec/entropy'):.2f}: the policy is coming apart; lower the learning rate"
        )
    if now("response_length/clip_ratio") > CUT:
        found.append(
            f"{now('response_length/clip_ratio'):.0%} of the responses are cut at data.max_response_length: raise it"
        )
    if against("response_length/mean") > GROWN:
        found.append(
            f"responses grew to {now('response_length/mean'):.0f} tokens: does length earn reward?"
        )
    if now("actor/ppo_kl") > FAR:
        found.append(
            f"a step moves the policy by {now('actor/ppo_kl'):.2f} nats a token: lower the learning rate"
        )
    if now("rerec/flat_groups") > FLAT:
        found.append(
            f"{now('rerec/flat_groups'):.0%} of the groups earn the same throughout: queries are too easy or too hard to learn from"
        )
    return found
