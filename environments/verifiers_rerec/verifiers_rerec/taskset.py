"""Tasks from a parquet file of `rerec train export`, scored part by part by the reward server."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import verifiers.v1 as vf

from verifiers_rerec.client import call, score
from verifiers_rerec.servers.look_ups import LookUps, LookUpsConfig

COLUMNS = ("prompt", "example_id", "graph_digest", "kind", "candidates")


class RerecTaskConfig(vf.TaskConfig):
    """Where scores come from, and whether look-ups are offered.

    Weights of the parts: `rewards.qas.weight` and so on.
    """

    server: str = "http://127.0.0.1:8700"
    look_ups: bool = False


class RerecData(vf.TaskData):
    """A query: which Example of which graph, among which items."""

    example_id: str
    graph_digest: str
    kind: str
    candidates: list[str]


class RerecConfig(vf.TasksetConfig):
    """`dataset`: SPLIT.parquet of `rerec train export`."""

    dataset: Path = Path("rl.parquet")
    task: RerecTaskConfig = RerecTaskConfig()


class RerecTask(vf.Task[RerecData, vf.State, RerecTaskConfig]):
    """A query. Each part of the reward is asked for on its own: a call takes a millisecond."""

    @classmethod
    def toolsets(cls, config: RerecTaskConfig) -> list[vf.Toolset]:
        """The look-ups, where they are offered."""
        return [LookUps(LookUpsConfig(server=config.server))] if config.look_ups else []

    @vf.reward(weight=1.0)
    async def ndcg(self, trace: vf.Trace) -> dict[str, float]:
        """Whether the right item is recommended."""
        return await self._part("ndcg", trace.last_reply)

    @vf.reward(weight=0.3)
    async def qas(self, trace: vf.Trace) -> dict[str, float]:
        """How well what is recommended meets the query (query alignment)."""
        return await self._part("qas", trace.last_reply)

    @vf.reward(weight=0.2)
    async def pas(self, trace: vf.Trace) -> dict[str, float]:
        """How well what is recommended fits the user (preference alignment)."""
        return await self._part("pas", trace.last_reply)

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the gold title scores 1 and every other candidate less.

        None where the server does not show gold: it is for an admin's token, or with --explore.
        """
        path = f"/v1/examples/{self.data.example_id}"
        example = await call("GET", self.config.server, path)
        if not example["gold_shown"]:
            return None
        for item in example["items"]:
            found = await self._part("ndcg", f"<answer>{item['title']}</answer>")
            if (found["ndcg"] == 1.0) != (item["role"] == "gold"):
                return False
        return True

    async def _part(self, name: str, text: str) -> dict[str, float]:
        """A part by its name; nothing where the graphs cannot give it, which is not 0."""
        data = self.data
        found = await score(self.config.server, data.graph_digest, data.example_id, text)
        return {} if found[name] is None else {name: found[name]}


class RerecTaskset(vf.Taskset[RerecTask, RerecConfig]):
    """The queries of a file, in its order."""

    def load(self) -> Iterator[RerecTask]:
        """One task per row. Raises KeyError for a file without the columns."""
        table = pq.read_table(self.config.dataset.expanduser(), columns=list(COLUMNS))
        for row in table.to_pylist():
            *system, user = row.pop("prompt")
            data = RerecData(
                name=row["example_id"],
                prompt=user["content"],
                system_prompt=system[0]["content"] if system else None,
                **row,
            )
            yield RerecTask(data, self.config.task)
