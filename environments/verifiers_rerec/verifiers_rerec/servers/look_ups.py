"""The look-ups of the reward server as tools, for a policy that asks while it thinks."""

import verifiers.v1 as vf

from verifiers_rerec.client import look_up


class LookUpsConfig(vf.ToolsetConfig):
    """`server`: the reward server's URL."""

    server: str = "http://127.0.0.1:8700"


class LookUps(vf.Toolset[LookUpsConfig, vf.State]):
    """Two tools; what they find is among the candidates of the task."""

    TOOL_PREFIX = None

    async def setup_task(self, task: vf.TaskData) -> None:
        """Keep the task: which graph, which candidates."""
        self.task = task

    @vf.tool
    async def lookup(self, item: str, relation: str) -> str:
        """What an item has for a relation, such as its director.

        item: a title, in full, as the list shows it.
        """
        return await self._look(tool="lookup", item=item, relation=relation)

    @vf.tool
    async def holders(self, relation: str, value: str) -> str:
        """Which candidates have a value for a relation, such as a certain director."""
        return await self._look(tool="holders", relation=relation, value=value)

    async def _look(self, **asked: str) -> str:
        task = self.task
        return await look_up(
            self.config.server, task.graph_digest, among=list(task.candidates), **asked
        )


if __name__ == "__main__":
    LookUps.run()
