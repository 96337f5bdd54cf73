"""The nodes of the synthesis graph, each a small step.

The graph's state holds ids only; the work that they stand for is kept in `Nodes`, and made again
from the request where it is missing, as after a kill -9.
"""

from asyncio import to_thread
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from agents.llm.errors import UnusableAnswer
from agents.synthesis.candidates import add_candidates
from agents.synthesis.chains import build_chains
from agents.synthesis.gate import NaturalnessGate
from agents.synthesis.kinds import DRAFTS, tools
from agents.synthesis.state import Draft, Reject, Request, SynthState, Work
from agents.synthesis.verify import problems
from agents.synthesis.wording import wording_problems
from agents.synthesis.world import World
from agents.synthesis.writers import Writer
from data_engine.datasets.splits import query_split
from data_engine.schema import Chain, Example, Provenance, Turn

DRAWS = 4000  # random draws before a request is given up: rare links need many


class Nodes:
    """Node functions over one world and one writer.

    candidates: items to choose from per query, gold included. gate: an offline critic.
    `pop` gives the work on a request.
    """

    def __init__(
        self, world: World, writer: Writer, candidates: int, gate: NaturalnessGate | None = None
    ) -> None:
        self.world, self.writer, self.candidates, self.gate = world, writer, candidates, gate
        self._works: dict[str, Work] = {}

    def pop(self, request: str) -> Work:
        """The work on a request, which is then forgotten."""
        return self._works.pop(request, Work())

    async def sample(self, state: SynthState) -> SynthState:
        """Draw facts that belong to the requested split, with candidates.

        There are problems when no draw fits.
        """
        work, request = self._work(state), Request.parse(state["request"])
        work.draft = self._draw(state)
        if work.draft:
            return {"problems": [], "wording": 0}
        problem = f"no {request.kind} query of split {request.split} found in {DRAWS} draws"
        return {"problems": [problem], "wording": 0}

    async def write(self, state: SynthState) -> SynthState:
        """Put the request into the user's words."""
        work = self._work(state)
        try:
            work.turns = await self._written(state)
        except UnusableAnswer as error:
            return {"problems": [str(error)]}
        return {"problems": []}

    async def label(self, state: SynthState) -> SynthState:
        """Write the gold and flawed chains; the graph labels every step."""
        await self._turns(state)
        self._work(state).chains = build_chains(self._draft(state), self.writer, self.world)
        return {}

    async def verify(self, state: SynthState) -> SynthState:
        """Assemble the Example; compare it with the graph, and its words with its facts."""
        example = await self._assemble(state)
        self._work(state).example = example
        found = problems(example, self.world)
        if not found:
            found = wording_problems(self._draft(state), self._work(state).turns, self.world)
        return {"problems": found}

    async def criticise(self, state: SynthState) -> SynthState:
        """Have the critic read what is proven, then phrase its steps."""
        work = self._work(state)
        if work.example is None:
            await self.verify(state)
        draft = self._draft(state)
        found = await self.writer.objections(draft, work.turns) or await self._gated(work)
        if not found:
            work.chains = await self.writer.phrase(draft, work.chains, self.world)
            work.example = await self._assemble(state)
        return {"problems": found}

    async def reword(self, state: SynthState) -> SynthState:
        """Reject the words; the same facts get others."""
        self.reject(self._work(state), state)
        return {"wording": state["wording"] + 1}

    async def redraw(self, state: SynthState) -> SynthState:
        """Reject the facts; the next attempt draws others."""
        self.reject(self._work(state), state)
        return {"attempt": state["attempt"] + 1, "wording": 0, "problems": []}

    def reject(self, work: Work, state: SynthState) -> None:
        """Record an attempt that failed, and clear its words and chains."""
        said = "\n".join(turn.text for turn in work.turns)
        work.rejects.append(Reject(state["attempt"], tuple(state["problems"]), said))
        work.turns, work.chains, work.example = (), (), None

    async def _gated(self, work: Work) -> list[str]:
        """The gate's objections, [] without one."""
        if self.gate is None or work.draft is None:
            return []
        draft, turns, world = work.draft, work.turns, self.world
        style = self.writer.style(draft)
        if self.writer.asks:  # others wait for their answers meanwhile
            return await to_thread(self.gate.objections, draft, style, turns, world)
        return self.gate.objections(draft, style, turns, world)

    def _draw(self, state: SynthState) -> Draft | None:
        request, rng = Request.parse(state["request"]), _random(state, "sample")
        for _ in range(DRAWS):
            draft = DRAFTS[request.kind](self.world, rng, request.level)
            if draft is None or query_split(draft.gold, draft.conditions) != request.split:
                continue
            draft = replace(draft, level=request.level)
            whole = add_candidates(draft, self.world, rng, self.candidates)
            if whole is not None:
                return tools.finish(whole, self.world) if whole.calls else whole
        return None

    async def _assemble(self, state: SynthState) -> Example:
        draft, request = self._draft(state), Request.parse(state["request"])
        turns, chains = await self._turns(state), await self._chains(state)
        provenance = Provenance(
            seed=request.seed,
            graph_digest=self.world.evidence.digest,
            writer=self.writer.name,
            prompt_hash=self.writer.prompt_hash,
            critic=self.gate.name if self.gate else "",
        )
        return Example(
            domain=self.world.evidence.domain,
            kind=request.kind,
            user=draft.user,
            query=turns[-1].text,
            conditions=draft.conditions,
            anchors=draft.anchors,
            premise=draft.premise,
            turns=turns if draft.script else (),
            calls=draft.calls,
            history=draft.history,
            candidates=draft.candidates,
            shuffle_seed=draft.shuffle_seed,
            gold=(draft.gold,),
            chains=chains,
            level=draft.level,
            difficulty=difficulty(draft),
            style=self.writer.style(draft),
            split=request.split,
            provenance=provenance,
        ).named()

    def _work(self, state: SynthState) -> Work:
        return self._works.setdefault(state["request"], Work())

    def _draft(self, state: SynthState) -> Draft:
        """The facts, drawn again where they are missing."""
        work = self._work(state)
        work.draft = work.draft or self._draw(state)
        if work.draft is None:
            raise RuntimeError(f"request {state['request']} has no draft to go on with")
        return work.draft

    async def _written(self, state: SynthState) -> tuple[Turn, ...]:
        """The writer's words."""
        rejected: Sequence[str] = state.get("problems", ())
        rng = _random(state, "write", state.get("wording", 0))
        return await self.writer.turns(self._draft(state), self.world, rng, rejected)

    async def _turns(self, state: SynthState) -> tuple[Turn, ...]:
        """The words, written again where they are missing."""
        work = self._work(state)
        work.turns = work.turns or await self._written(state)
        return work.turns

    async def _chains(self, state: SynthState) -> tuple[Chain, ...]:
        """The chains, built again where they are missing."""
        if not self._work(state).chains:
            await self.label(state)
        return self._work(state).chains


def _random(state: SynthState, node: str, wording: int | str = "") -> Random:
    """The source of a node's randomness: the same for the same request and attempt."""
    return Random(f"{state['request']}/{state['attempt']}/{node}/{wording}")


def difficulty(draft: Draft) -> float:
    """Prior difficulty in 0..1.

    More conditions, a hop, premise or turns to resolve, and more hard negatives make it larger.
    """
    hard = draft.hard / max(1, len(draft.candidates) - 1)
    resolves = bool(draft.anchors or draft.script)
    return min(1.0, round(0.2 * (len(draft.conditions) - 1) + 0.3 * resolves + 0.5 * hard, 4))
