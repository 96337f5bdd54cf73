"""Process rewards from graph-judged claims, compared within the responses to one query.

A claim is bad when the graph or the query contradicts it, or when it is true but about something
the query does not ask for; claims that the graph cannot decide are left out. What follows from a
bad claim is not judged: after one about an item nothing else about that item, after a bad or
incomplete need (which has no subject) nothing at all. A policy blamed for what follows would
learn to contradict itself.

A claim is credited, on its tokens and those that lead to it (to name a relation, or not to go on,
is to choose a claim), with −w · (its badness − the mean badness of the group's claims about the
same thing). So a candidate that no response reads rightly teaches nothing by itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from reward_server.wire import Claim, Score
from train.algorithms.spans import tokens_within

NO_SUBJECT = ""  # of needs


class JudgedClaim(NamedTuple):
    """A claim and the tokens that made it.

    key: what it is compared with: its kind, and its item, but for claims that lead to what is
    needed: there the choice of an item is part of the claim. bad: 0 or 1.
    """

    key: str
    bad: float
    tokens: list[int]


def judged_claims(score: Score, spans: Sequence[tuple[int, int]]) -> list[JudgedClaim]:
    """The judged claims of a scored response; `spans` has (start, end) characters per token."""
    last_need_end = _last_need_end(score)
    found: list[JudgedClaim] = []
    discredited_subjects: set[str] = set()
    for segment in score.segments:
        lead_start = segment.start
        for claim in segment.claims:
            followed = not discredited_subjects.isdisjoint((NO_SUBJECT, claim.subject))
            if claim.verdict != "unknown" and not followed:
                bad = _is_bad(claim)
                subject = claim.subject if claim.end > last_need_end else NO_SUBJECT
                tokens = tokens_within(spans, min(lead_start, claim.start), claim.end)
                found.append(JudgedClaim(f"{claim.kind}|{subject}", float(bad), tokens))
                if bad:
                    discredited_subjects.add(claim.subject)
            lead_start = claim.end
    return found


def claim_rewards(group: Sequence[Sequence[JudgedClaim]], weight: float) -> list[dict[int, float]]:
    """For each response of a group, token index → process reward.

    The rewards of each key sum to 0 over the group's claims, each within ±weight.
    """
    badness: dict[str, list[float]] = defaultdict(list)
    for response in group:
        for claim in response:
            badness[claim.key].append(claim.bad)
    mean = {key: sum(values) / len(values) for key, values in badness.items()}
    rewards: list[dict[int, float]] = []
    for response in group:
        by_token: dict[int, float] = defaultdict(float)
        for claim in response:
            for token in claim.tokens:
                by_token[token] += weight * (mean[claim.key] - claim.bad)
        rewards.append(by_token)
    return rewards


def _last_need_end(score: Score) -> int:
    """Where the last need ends, in characters; 0 without one."""
    end = 0
    for segment in score.segments:
        for claim in segment.claims:
            if claim.kind == "need":
                end = max(end, claim.end)
    return end


def _is_bad(claim: Claim) -> bool:
    return claim.verdict == "contradicted" or claim.relevant is False
