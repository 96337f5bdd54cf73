"""The executor of the chat writer: many requests wait for an endpoint at once."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future, wait
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import uvloop

from agents.llm.cache import AnswerCache
from agents.llm.client import ChatClient
from agents.synthesis.config import SynthConfig
from agents.synthesis.executors.checkpoints import open_checkpoints
from agents.synthesis.executors.worker import finish, freeze_heap
from agents.synthesis.graph import build_graph
from agents.synthesis.ledger import Ledger, synthesis_folder
from agents.synthesis.nodes import Nodes
from agents.synthesis.outcome import Outcome
from agents.synthesis.state import Request, SynthState
from agents.synthesis.world import World
from agents.synthesis.writers.chat import ChatWriter
from data_engine.errors import DataError

Result = TypeVar("Result")


class EndpointExecutor:
    """An event loop of its own that takes many requests through the graph at once.

    Each request has checkpoints, which are pruned when its outcome is in the ledger.
    """

    requests_per_task = 1

    def __init__(self, store: Path, config: SynthConfig, world: World, ledger: Ledger) -> None:
        if config.chat is None:
            raise DataError(
                "the chat writer needs to know whom to ask: "
                "name at least a model (--model) and an endpoint (--base-url)"
            )
        # calls are limited: twice as many requests, so that others are drawn and proven meanwhile
        self.most_pending = 2 * config.chat.concurrency
        self._chat, self._candidates = config.chat, config.candidates
        self._registers = config.registers
        self._gate = config.make_gate()
        self._world, self._ledger = world, ledger
        self._digest = config.digest(world.evidence.digest)
        self._pruning: list[Future[None]] = []
        self._folder = synthesis_folder(store)
        self._checkpoints_url = config.checkpoints or str(self._folder / "checkpoints.sqlite")

    def __enter__(self) -> Self:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._resources = AsyncExitStack()
        self._schedule(self._start()).result()
        return self

    def __exit__(self, *_: object) -> None:
        wait(self._pruning)
        self._schedule(self._stop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, requests: Sequence[Request]) -> Future[list[Outcome]]:
        """Start work on the one request in the event loop."""
        (request,) = requests
        return self._schedule(self._run(str(request)))

    def on_recorded(self, outcomes: Sequence[Outcome]) -> None:
        """Prune the checkpoints of these outcomes."""
        for outcome in outcomes:
            thread = self._thread_id(outcome.request)
            self._pruning.append(self._schedule(self._saver.adelete_thread(thread)))

    def _schedule(self, task: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(task, self._loop)

    async def _start(self) -> None:
        resources = self._resources
        cache = resources.enter_context(AnswerCache(self._folder / "answers.sqlite"))
        client = ChatClient(self._chat, cache, self._ledger.spent(), self._ledger.add_call)
        await resources.enter_async_context(client)
        self._saver = await resources.enter_async_context(open_checkpoints(self._checkpoints_url))
        await self._prune()
        writer = ChatWriter(self._chat, client, self._registers)
        self._nodes = Nodes(self._world, writer, self._candidates, self._gate)
        self._graph = build_graph(self._nodes, self._saver)
        freeze_heap()

    def _thread_id(self, request: str) -> str:
        return f"{self._digest}/{request}"

    async def _prune(self) -> None:
        """Prune checkpoints of other runs and of outcomes that are in the ledger."""
        found = {c.config["configurable"]["thread_id"] async for c in self._saver.alist(None)}
        for thread in found:
            digest, _, request = thread.partition("/")
            if digest != self._digest or self._ledger.has(*Request.parse(request).place):
                await self._saver.adelete_thread(thread)

    async def _stop(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await self._resources.aclose()

    async def _run(self, request: str) -> list[Outcome]:
        """Take one request through the graph, from its last checkpoint where there is one."""
        thread: Any = {"configurable": {"thread_id": self._thread_id(request)}}
        begun = (await self._graph.aget_state(thread)).next
        start = None if begun else SynthState(request=request, attempt=0)
        result = await self._graph.ainvoke(start, thread, durability="exit")
        return [finish(self._nodes, request, cast(SynthState, result))]
