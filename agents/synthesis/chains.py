"""Chains of thought for a draft: the gold one and a flawed one for each shortcut that ends at a wrong item."""

from collections.abc import Iterator
from itertools import islice

from agents.synthesis.labels import judge, label
from agents.synthesis.sampling import World
from agents.synthesis.state import LUCKY, Draft
from agents.synthesis.writers import Writer
from data_engine.schema import Chain, Claim, Condition, Role

FLAWED = 2


def build_chains(draft: Draft, writer: Writer, world: World) -> tuple[Chain, ...]:
    """The gold chain first, then FLAWED flawed ones: shortcuts that end wrong, else the right item for a wrong reason, else a wrong item kept."""
    gold = _chain(draft, writer, world, "", draft.opening, draft.conditions, {draft.gold})
    return (gold, *islice(_flawed(draft, writer, world), FLAWED))


def _flawed(draft: Draft, writer: Writer, world: World) -> Iterator[Chain]:
    lucky = []
    for flaw in draft.flaws:
        kept = {i for i in draft.candidates if all(world.shows(i, c) for c in flaw.needs)}
        if kept - {draft.gold}:
            yield _chain(draft, writer, world, flaw.name, flaw.opening, flaw.needs, kept)
        elif kept:
            lucky.append(flaw)
    for flaw in lucky:  # the shortcut happens to end well
        yield _chain(draft, writer, world, LUCKY, flaw.opening, flaw.needs, {draft.gold})
    for wrong in draft.candidates:
        if wrong != draft.gold and world.evidence.attributes.misses(wrong, draft.conditions):
            yield _chain(
                draft, writer, world, "wrong_item_kept", draft.opening, draft.conditions, {wrong}
            )


def _chain(
    draft: Draft,
    writer: Writer,
    world: World,
    flaw: str,
    opening: tuple[Claim, ...],
    needs: tuple[Condition, ...],
    kept: set[str],
) -> Chain:
    """All steps, labelled by the graph. The answer is the first kept candidate that is not gold, or the gold."""
    graph, steps = world.evidence.attributes, []

    def step(role: Role, text: str, claims: tuple[Claim, ...]) -> None:
        steps.append(label(role, text, claims, graph, draft.conditions))

    if opening:
        role = "premise" if draft.premise else "call" if draft.calls else "hop"
        step(role, writer.opening(draft, opening, world), opening)
    asked = tuple(Claim(kind="need", relation=c.relation, value=c.value, op=c.op) for c in needs)
    step("need", writer.need(needs), asked)
    for item in draft.candidates:
        claims = tuple(_item_claims(item, needs, item in kept, world, draft.conditions))
        step("candidate", writer.candidate(item, needs, item in kept, world), claims)
    answer = next((i for i in draft.candidates if i in kept and i != draft.gold), draft.gold)
    return Chain(flaw=flaw, steps=tuple(steps), answer=answer)


def _item_claims(
    item: str,
    needs: tuple[Condition, ...],
    keep: bool,
    world: World,
    conditions: tuple[Condition, ...],
) -> Iterator[Claim]:
    """What a candidate line asserts, as far as the graph can judge it: the values shown, each yes or no, and the decision."""
    for c in needs:
        shown = world.shown(item, c.relation)
        if c.value not in shown and shown:
            yield Claim(kind="fact", subject=item, relation=c.relation, value=shown[0])
        if c.op in ("below", "above"):
            continue
        claim = Claim(
            kind="fact", subject=item, relation=c.relation, value=c.value, holds=c.value in shown
        )
        if judge(claim, world.evidence.attributes, conditions) is not None:
            yield claim
    yield Claim(kind="keep", subject=item, holds=keep)
