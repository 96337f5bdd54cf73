"""The nodes of the synthesis graph, each a small step over `SynthState`."""

from random import Random

from agents.chains import build_chains
from agents.kinds import DRAFTS
from agents.sampling import World, add_candidates
from agents.state import Draft, SynthState
from agents.verify import problems
from agents.writers import Writer
from data_engine.schema import Example, Provenance
from data_engine.splits import query_split

DRAWS = 4000  # random draws before a request is given up: rare links need many


class Nodes:
    """Node functions over one world and one writer; `size` is the number of candidates, gold included."""

    def __init__(self, world: World, writer: Writer, size: int) -> None:
        self.world, self.writer, self.size = world, writer, size

    def sample(self, state: SynthState) -> SynthState:
        """Draw facts that belong to the requested split, with candidates. `draft` is None when no draw fits."""
        request = state["request"]
        rng = self._rng(state, "sample")
        for _ in range(DRAWS):
            draft = DRAFTS[request.kind](self.world, rng)
            if draft is None or query_split(draft.gold, draft.conditions) != request.split:
                continue
            whole = add_candidates(draft, self.world, rng, self.size)
            if whole is not None:
                return {"draft": whole}
        return {"draft": None, "problems": (f"no {request.kind} query of split {request.split} found in {DRAWS} draws",)}

    def write(self, state: SynthState) -> SynthState:
        """Put the request into the user's words."""
        return {"query": self.writer.query(state["draft"], self.world, self._rng(state, "write"))}

    def label(self, state: SynthState) -> SynthState:
        """Write the gold and flawed chains; the graph labels every step."""
        return {"chains": build_chains(state["draft"], self.writer, self.world)}

    def verify(self, state: SynthState) -> SynthState:
        """Assemble the Example and hold it against the graph."""
        draft, request = state["draft"], state["request"]
        provenance = Provenance(
            seed=request.seed, graph_digest=self.world.evidence.digest, writer=self.writer.name, prompt_hash=self.writer.prompt_hash
        )
        example = Example(
            domain=self.world.evidence.domain,
            kind=request.kind,
            user=draft.user,
            query=state["query"],
            conditions=draft.conditions,
            anchors=draft.anchors,
            premise=draft.premise,
            history=draft.history,
            candidates=draft.candidates,
            shuffle_seed=draft.shuffle_seed,
            gold=(draft.gold,),
            chains=state["chains"],
            difficulty=_prior(draft),
            split=request.split,
            provenance=provenance,
        ).named()
        return {"example": example, "problems": tuple(problems(example, self.world))}

    def revise(self, state: SynthState) -> SynthState:
        """Count the attempt; the next one draws anew."""
        return {"attempt": state["attempt"] + 1, "example": None}

    def _rng(self, state: SynthState, node: str) -> Random:
        r = state["request"]
        return Random(f"{r.seed}/{r.split}/{r.kind}/{r.index}/{state['attempt']}/{node}")


def _prior(draft: Draft) -> float:
    """Static difficulty in 0..1: more conditions, a hop or premise to resolve, and more hard negatives make a query harder."""
    hard = draft.hard / max(1, len(draft.candidates) - 1)
    return round(0.2 * (len(draft.conditions) - 1) + 0.3 * bool(draft.anchors) + 0.5 * hard, 4)
