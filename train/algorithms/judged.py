"""Graph-judged reasoning steps as a process reward (METHOD §1, `raae-graph`; TINY.md): which claims of a response were bad, compared with
like claims of the other rollouts of its query.

A claim is bad when the graph or the query contradicts it, or when it is true but about something the query does not ask for; what the
graph cannot say is left out. What follows from a bad claim is not judged: after one of an item nothing else of that item, after a bad or
incomplete need (which has no subject) nothing at all. A policy blamed for what follows would learn to contradict itself. A claim is
credited on its tokens and those that lead to it (to name a relation, or not to go on, is to choose a claim) with −w · (its badness − the mean
badness of the group's claims about the same thing), so that a candidate which nobody reads rightly teaches nothing by itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from reward_server.wire import Score
from train.algorithms.spans import spread


class Judged(NamedTuple):
    """A claim on tokens: `key` says what it is compared with (its kind, and its item, but where it leads to what is needed: there the choice of an
    item is part of the claim), `bad` is 0 or 1."""

    key: str
    bad: float
    tokens: list[int]


def judged(score: Score, spans: Sequence[tuple[int, int]]) -> list[Judged]:
    """The judged claims of a scored response; `spans` are its tokens' characters (see `train.algorithms.spans`)."""
    opening = max(
        (c.end for segment in score.segments for c in segment.claims if c.kind == "need"), default=0
    )
    found, astray = [], set()
    for segment in score.segments:
        led = segment.start
        for claim in segment.claims:
            if claim.verdict != "unknown" and astray.isdisjoint(("", claim.subject)):
                bad = float(claim.verdict == "contradicted" or claim.relevant is False)
                about = claim.subject if claim.end > opening else ""
                found.append(
                    Judged(
                        f"{claim.kind}|{about}",
                        bad,
                        spread(spans, min(led, claim.start), claim.end),
                    )
                )
                if bad:
                    astray.add(claim.subject)
            led = claim.end
    return found


def process_rewards(group: Sequence[Sequence[Judged]], weight: float) -> list[dict[int, float]]:
    """For each response of a group, token index → process reward; the rewards of each key sum to 0 over the group's claims."""
    badness: dict[str, list[float]] = defaultdict(list)
    for response in group:
        for claim in response:
            badness[claim.key].append(claim.bad)
    mean = {key: sum(values) / len(values) for key, values in badness.items()}
    rewards: list[dict[int, float]] = []
    for response in group:
        rewards.append(defaultdict(float))
        for claim in response:
            for token in claim.tokens:
                rewards[-1][token] += weight * (mean[claim.key] - claim.bad)
    return rewards
