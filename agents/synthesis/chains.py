"""Chains of thought for a draft: the gold one, and flawed ones for the shortcuts it tempts to."""

from collections.abc import Iterator
from itertools import islice

from agents.synthesis.labels import judge, label
from agents.synthesis.state import LUCKY, Draft, Flaw
from agents.synthesis.world import World
from agents.synthesis.writers import Writer
from data_engine.schema import Chain, Claim, Condition, Role, Step

FLAWED = 2


def build_chains(draft: Draft, writer: Writer, world: World) -> tuple[Chain, ...]:
    """Return the gold chain, then up to FLAWED flawed ones.

    Shortcuts that end wrong come first, then those that end at gold for a wrong reason, then
    wrong items that are kept.
    """
    builder = _Builder(draft, writer, world)
    gold = builder.chain("", draft.opening, draft.conditions, {draft.gold})
    return (gold, *islice(builder.flawed(), FLAWED))


class _Builder:
    """Builds the chains of one draft."""

    def __init__(self, draft: Draft, writer: Writer, world: World) -> None:
        self.draft, self.writer, self.world = draft, writer, world

    def flawed(self) -> Iterator[Chain]:
        """Flawed chains, the most telling ones first."""
        draft, ends_at_gold = self.draft, list[Flaw]()
        for flaw in draft.flaws:
            kept = {i for i in draft.candidates if self._shows_all(i, flaw.needs)}
            if kept - {draft.gold}:
                yield self.chain(flaw.name, flaw.opening, flaw.needs, kept)
            elif kept:
                ends_at_gold.append(flaw)
        for flaw in ends_at_gold:
            yield self.chain(LUCKY, flaw.opening, flaw.needs, {draft.gold})
        for wrong in draft.candidates:
            if wrong != draft.gold and self.world.evidence.attributes.misses(
                wrong, draft.conditions
            ):
                yield self.chain("wrong_item_kept", draft.opening, draft.conditions, {wrong})

    def chain(
        self,
        flaw: str,
        opening: tuple[Claim, ...],
        needs: tuple[Condition, ...],
        kept: set[str],
    ) -> Chain:
        """All steps, labelled by the graph; the answer is the first kept item that is not gold.

        Where only the gold is kept, that is the answer.
        """
        draft, writer, world = self.draft, self.writer, self.world
        steps: list[Step] = []
        if opening:
            steps.append(
                self._step(self._opening_role(), writer.opening(draft, opening, world), opening)
            )
        asked = tuple(
            Claim(kind="need", relation=c.relation, value=c.value, op=c.op) for c in needs
        )
        steps.append(self._step("need", writer.need(needs), asked))
        for item in draft.candidates:
            keep = item in kept
            claims = tuple(self._item_claims(item, needs, keep))
            text = writer.candidate(item, needs, keep, world)
            steps.append(self._step("candidate", text, claims))
        answer = next((i for i in draft.candidates if i in kept and i != draft.gold), draft.gold)
        return Chain(flaw=flaw, steps=tuple(steps), answer=answer)

    def _shows_all(self, item: str, needs: tuple[Condition, ...]) -> bool:
        return all(self.world.shows(item, c) for c in needs)

    def _opening_role(self) -> Role:
        if self.draft.premise:
            return "premise"
        return "call" if self.draft.calls else "hop"

    def _step(self, role: Role, text: str, claims: tuple[Claim, ...]) -> Step:
        return label(role, text, claims, self.world.evidence.attributes, self.draft.conditions)

    def _item_claims(self, item: str, needs: tuple[Condition, ...], keep: bool) -> Iterator[Claim]:
        """The claims of a candidate's step, as far as the graph can judge them.

        They are the values shown, each met or not, and the decision.
        """
        graph, conditions = self.world.evidence.attributes, self.draft.conditions
        for c in needs:
            shown = self.world.shown(item, c.relation)
            holds = c.value in shown
            if shown and not holds:
                yield Claim(kind="fact", subject=item, relation=c.relation, value=shown[0])
            if c.op in ("below", "above"):
                continue
            claim = Claim(
                kind="fact", subject=item, relation=c.relation, value=c.value, holds=holds
            )
            if judge(claim, graph, conditions) is not None:
                yield claim
        yield Claim(kind="keep", subject=item, holds=keep)
