"""Chains of thought for a draft: the gold one and a flawed one for each shortcut that ends at a wrong item."""

from collections.abc import Iterator

from agents.labels import judge, label
from agents.sampling import World
from agents.state import Draft, Flaw
from agents.writers import Writer
from data_engine.schema import Chain, Claim, Condition, Step

MOST_FLAWED = 2


def build_chains(draft: Draft, writer: Writer, world: World) -> tuple[Chain, ...]:
    """The gold chain first, then up to MOST_FLAWED flawed ones, at least one: where no shortcut ends wrong, a wrong item is kept."""
    gold = _chain(draft, writer, world, "", draft.opening, draft.conditions, {draft.gold})
    flawed = []
    for flaw in draft.flaws:
        kept = {i for i in draft.candidates if all(c.value in world.evidence.cards.rows[i][c.relation] for c in flaw.needs)}
        if kept - {draft.gold}:
            flawed.append(_flawed(draft, writer, world, flaw, kept))
        if len(flawed) == MOST_FLAWED:
            break
    if not flawed:
        wrong = next(i for i in draft.candidates if i != draft.gold)
        flawed.append(_chain(draft, writer, world, "wrong_item_kept", draft.opening, draft.conditions, {wrong}))
    return (gold, *flawed)


def _flawed(draft: Draft, writer: Writer, world: World, flaw: Flaw, kept: set[str]) -> Chain:
    return _chain(draft, writer, world, flaw.name, flaw.opening, flaw.needs, kept)


def _chain(draft: Draft, writer: Writer, world: World, flaw: str, opening: tuple[Claim, ...], needs: tuple[Condition, ...], kept: set[str]) -> Chain:
    """All steps, labelled by the graph. The answer is the first kept candidate that is not gold, or the gold."""
    steps = []
    if opening:
        steps.append(Step(role="premise" if draft.premise else "hop", text=writer.opening(draft, opening, world), claims=opening, label="correct"))
    asked = tuple(Claim(kind="need", relation=c.relation, value=c.value) for c in needs)
    steps.append(Step(role="need", text=writer.need(needs), claims=asked, label="correct"))
    for item in draft.candidates:
        claims = tuple(_item_claims(item, needs, item in kept, world, draft.conditions))
        steps.append(Step(role="candidate", text=writer.candidate(item, needs, item in kept, world), claims=claims, label="correct"))
    graph = world.evidence.attributes
    answer = next((i for i in draft.candidates if i in kept and i != draft.gold), draft.gold)
    return Chain(flaw=flaw, steps=tuple(label(s, graph, draft.conditions) for s in steps), answer=answer)


def _item_claims(item: str, needs: tuple[Condition, ...], keep: bool, world: World, conditions: tuple[Condition, ...]) -> Iterator[Claim]:
    """What a candidate line asserts, as far as the graph can judge it: the values shown, each yes or no, and the decision."""
    card = world.evidence.cards.rows[item]
    for c in needs:
        shown = card[c.relation]
        if c.value not in shown and shown:
            yield Claim(kind="fact", subject=item, relation=c.relation, value=shown[0])
        claim = Claim(kind="fact", subject=item, relation=c.relation, value=c.value, holds=c.value in shown)
        if judge(claim, world.evidence.attributes, conditions) is not None:
            yield claim
    yield Claim(kind="keep", subject=item, holds=keep)
