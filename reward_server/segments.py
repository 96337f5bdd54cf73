"""Verdicts and rewards of the segments of a response, from what is named and stated in them."""

from dataclasses import dataclass

from data_engine.names.mentions import Mention
from data_engine.responses.claim import Claim
from data_engine.responses.reading import Span
from reward_server import scoring
from reward_server.wire import Segment, Verdict


@dataclass(frozen=True)
class AnswerScore:
    """The score of an answer, whatever the reasoning before it.

    ranked: the items recommended, best first. duplicates: titles that name one of them again.
    unresolved: titles that name no item, or several. wrong: the ranked items that are not right.
    total: the reward. penalised: the reward of a segment that led to a wrong item.
    """

    ranked: list[str]
    duplicates: int
    unresolved: int
    wrong: frozenset[str]
    parts: scoring.Parts
    total: float
    penalised: float


def judge_segments(
    text: str, spans: list[Span], mentions: list[Mention], claims: list[Claim], answer: AnswerScore
) -> list[Segment]:
    """A Segment for each span, with the items named and the claims that start in it, both in order.

    A recommendation is a claim too: an answer that names no wrong item is ok.
    """
    found: list[Segment] = []
    next_mention, next_claim, wrong, total = 0, 0, answer.wrong, answer.total
    mention_start = mentions[0][1] if mentions else len(text)
    claim_start = claims[0].start if claims else len(text)
    for start, end in spans:
        if end <= mention_start and end <= claim_start:  # prose: nothing to judge
            found.append(Segment(start, end, [], "unknown", total, []))
            continue
        items: list[str] = []
        while mention_start < end:
            if (item := mentions[next_mention][0]) not in items:
                items.append(item)
            next_mention += 1
            mention_start = mentions[next_mention][1] if next_mention < len(mentions) else len(text)
        first = next_claim
        while claim_start < end:
            next_claim += 1
            claim_start = claims[next_claim].start if next_claim < len(claims) else len(text)
        inside = claims[first:next_claim]
        verdict: Verdict = "unknown"
        verdicts = [claim.verdict for claim in inside]
        if wrong and not wrong.isdisjoint(items):
            verdict = "wrong_item"
        elif "contradicted" in verdicts:
            verdict = "contradicted"
        elif ("supported" in verdicts and not _only_lacks(inside)) or (
            items and text.startswith("<answer>", start)
        ):
            verdict = "ok"
        reward = answer.penalised if verdict == "wrong_item" else total
        found.append(Segment(start, end, items, verdict, reward, inside))
    return found


def _only_lacks(claims: list[Claim]) -> bool:
    """Whether all that is right is what items lack, which is no reason to recommend one."""
    for claim in claims:
        if claim.verdict == "supported" and claim.kind != "lack":
            return False
    return True
