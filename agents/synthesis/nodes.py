"""The nodes of the synthesis graph, each a small step. The state holds ids; what they stand for lies on the desk and is made again if it is gone."""

from dataclasses import replace
from random import Random

from agents.errors import Unwritable
from agents.synthesis.chains import build_chains
from agents.synthesis.kinds import DRAFTS, tools
from agents.synthesis.sampling import World, add_candidates
from agents.synthesis.state import Draft, Reject, Request, SynthState, Work
from agents.synthesis.verify import problems, wording_problems
from agents.synthesis.writers import Writer
from data_engine.datasets.splits import query_split
from data_engine.schema import Example, Provenance

DRAWS = 4000  # random draws before a request is given up: rare links need many


class Nodes:
    """Node functions over one world and one writer; `size` is the number of candidates, gold included. Ask `take` for what came of a request."""

    def __init__(self, world: World, writer: Writer, size: int) -> None:
        self.world, self.writer, self.size = world, writer, size
        self.desk: dict[str, Work] = {}

    def take(self, request: str) -> Work:
        """The finished work, cleared from the desk."""
        return self.desk.pop(request, Work())

    async def sample(self, state: SynthState) -> SynthState:
        """Draw facts that belong to the requested split, with candidates. There are problems when no draw fits."""
        work, request = self._work(state), Request.parse(state["request"])
        work.draft = self._draw(state)
        return {
            "problems": []
            if work.draft
            else [f"no {request.kind} query of split {request.split} found in {DRAWS} draws"],
            "wording": 0,
        }

    async def write(self, state: SynthState) -> SynthState:
        """Put the request into the user's words."""
        work = self._drawn(state)
        try:
            work.turns = await self.writer.turns(
                work.draft, self.world, self._rng(state, "write"), state.get("problems", ())
            )
        except Unwritable as error:
            return {"problems": [str(error)]}
        return {"problems": []}

    async def label(self, state: SynthState) -> SynthState:
        """Write the gold and flawed chains; the graph labels every step, a writer may only phrase them."""
        work = await self._worded(state)
        work.chains = build_chains(work.draft, self.writer, self.world)
        return {}

    async def verify(self, state: SynthState) -> SynthState:
        """Assemble the Example and hold it against the graph, and its words against its facts."""
        work = await self._labelled(state)
        work.example = self._assemble(work, state)
        found = problems(work.example, self.world)
        found += [] if found else wording_problems(work.draft, work.turns, self.world)
        return {"problems": found}

    async def criticise(self, state: SynthState) -> SynthState:
        """What is proven is read by the critic, and then its steps are phrased."""
        work = await self._verified(state)
        found = await self.writer.objections(work.draft, work.turns)
        if not found:
            work.chains = await self.writer.phrase(work.draft, work.chains, self.world)
            work.example = self._assemble(work, state)
        return {"problems": found}

    async def reword(self, state: SynthState) -> SynthState:
        """The same facts in other words."""
        self.reject(self._work(state), state)
        return {"wording": state["wording"] + 1}

    async def redraw(self, state: SynthState) -> SynthState:
        """Count the attempt; the next one draws anew."""
        self.reject(self._work(state), state)
        return {"attempt": state["attempt"] + 1, "wording": 0, "problems": []}

    def reject(self, work: Work, state: SynthState) -> None:
        """Put what failed on record, and clear the way for another try."""
        said = "\n".join(turn.text for turn in work.turns)
        work.rejects.append(Reject(state["attempt"], tuple(state["problems"]), said))
        work.turns, work.chains, work.example = (), (), None

    def _draw(self, state: SynthState) -> Draft | None:
        request, rng = Request.parse(state["request"]), self._rng(state, "sample")
        for _ in range(DRAWS):
            draft = DRAFTS[request.kind](self.world, rng, request.level)
            if draft is None or query_split(draft.gold, draft.conditions) != request.split:
                continue
            whole = add_candidates(replace(draft, level=request.level), self.world, rng, self.size)
            if whole is not None:
                return tools.finish(whole, self.world) if whole.calls else whole
        return None

    def _assemble(self, work: Work, state: SynthState) -> Example:
        draft, request = work.draft, Request.parse(state["request"])
        provenance = Provenance(
            seed=request.seed,
            graph_digest=self.world.evidence.digest,
            writer=self.writer.name,
            prompt_hash=self.writer.prompt_hash,
        )
        return Example(
            domain=self.world.evidence.domain,
            kind=request.kind,
            user=draft.user,
            query=work.turns[-1].text,
            conditions=draft.conditions,
            anchors=draft.anchors,
            premise=draft.premise,
            turns=work.turns if draft.script else (),
            calls=draft.calls,
            history=draft.history,
            candidates=draft.candidates,
            shuffle_seed=draft.shuffle_seed,
            gold=(draft.gold,),
            chains=work.chains,
            level=draft.level,
            difficulty=_prior(draft),
            split=request.split,
            provenance=provenance,
        ).named()

    def _work(self, state: SynthState) -> Work:
        return self.desk.setdefault(state["request"], Work())

    def _drawn(self, state: SynthState) -> Work:
        work = self._work(state)
        work.draft = work.draft or self._draw(state)
        return work

    async def _worded(self, state: SynthState) -> Work:
        work = self._drawn(state)
        if not work.turns:
            work.turns = await self.writer.turns(
                work.draft, self.world, self._rng(state, "write"), state.get("problems", ())
            )
        return work

    async def _labelled(self, state: SynthState) -> Work:
        if not (await self._worded(state)).chains:
            await self.label(state)
        return self._work(state)

    async def _verified(self, state: SynthState) -> Work:
        if (await self._labelled(state)).example is None:
            await self.verify(state)
        return self._work(state)

    def _rng(self, state: SynthState, node: str) -> Random:
        return Random(
            f"{state['request']}/{state['attempt']}/{node}/{state.get('wording', 0) if node == 'write' else ''}"
        )


def _prior(draft: Draft) -> float:
    """Static difficulty in 0..1: more conditions, a hop, premise or turns to resolve, and more hard negatives make a query harder."""
    hard = draft.hard / max(1, len(draft.candidates) - 1)
    return min(
        1.0,
        round(
            0.2 * (len(draft.conditions) - 1)
            + 0.3 * bool(draft.anchors or draft.script)
            + 0.5 * hard,
            4,
        ),
    )
