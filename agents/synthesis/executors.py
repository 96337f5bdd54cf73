"""Makers turn requests into outcomes: worker processes, a Ray cluster, or an endpoint asked for many at a time. Each takes `chunk` requests a
task and `width` tasks at once."""

import asyncio
import atexit
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import uvloop
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph.state import CompiledStateGraph

from agents.llm.answers import Answers
from agents.llm.client import Chat
from agents.synthesis.graph import build_graph
from agents.synthesis.ledger import Ledger, Outcome
from agents.synthesis.likeness import shingles
from agents.synthesis.nodes import Nodes
from agents.synthesis.sampling import World
from agents.synthesis.state import Request, Work
from agents.synthesis.writers import Writer
from agents.synthesis.writers.chat import ChatWriter
from agents.synthesis.writers.template import TemplateWriter
from agents.synthesis.writers.terse import TerseWriter
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.children import RAY_ENVIRONMENT, on_end_of
from data_engine.schema import Example, content_hash

if TYPE_CHECKING:
    from agents.synthesis.run import SynthConfig

CHUNK = 64
WRITERS = {"template": TemplateWriter, "terse": TerseWriter, "chat": ChatWriter}


class Maker(Protocol):
    """What a run needs of a maker; a context manager."""

    chunk: int
    width: int

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...

    def submit(self, requests: list[Request]) -> Future[list[Outcome]]:
        """Start making them."""
        ...

    def forget(self, outcomes: Sequence[Outcome]) -> None:
        """They are in the ledger: whatever was kept to make them again can go. Nothing is, unless a maker says so."""


def make_maker(store: Path, config: "SynthConfig", world: World, ledger: Ledger) -> Maker:
    """The maker that the configuration asks for."""
    if config.writer == "chat":
        return Endpoint(store, config, world, ledger)
    if config.ray:
        return Cluster(store, config)
    return Processes(store, config) if config.workers > 1 else Here(world, config)


def outcome(request: str, problems: Sequence[str], work: Work) -> Outcome:
    """What came of a request, ready for the ledger."""
    example = None if problems else work.example
    if example is None:
        return Outcome(request, None, "", b"", tuple(work.rejects))
    return Outcome(
        request,
        example.model_dump_json(),
        _identity(example),
        shingles(example.said),
        tuple(work.rejects),
    )


def _identity(e: Example) -> str:
    """Two Examples with the same are one: what is asked and what may be answered."""
    asked = [c.model_dump() for c in e.conditions]
    return content_hash(
        [
            e.kind,
            e.gold,
            asked,
            e.anchors,
            e.premise and e.premise.model_dump(),
            sorted(e.candidates),
            len(e.turns),
        ]
    )


def settle() -> None:
    """Keep the collector away from the loaded graphs: walking them again and again would hold everything up."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries look for leaks when the process ends


class Bench:
    """One worker's graph, with an offline writer."""

    def __init__(self, world: World, writer: str, size: int) -> None:
        self.nodes = Nodes(world, WRITERS[writer](), size)
        self.graph = build_graph(self.nodes)
        settle()

    def make(self, requests: list[Request]) -> list[Outcome]:
        """Run the graph once a request."""
        found = []
        for request in map(str, requests):
            state = self.graph.invoke({"request": request, "attempt": 0})
            problems, work = state["problems"], self.nodes.take(request)
            if problems:
                self.nodes.reject(work, state)
            found.append(outcome(request, problems, work))
        return found


class Seat:
    """A bench that loads its own world: Ray is given a path to start it with, not graphs."""

    def __init__(self, store: Path, writer: str, size: int) -> None:
        self._bench = Bench(World(Evidence.load(store)), writer, size)

    def make(self, requests: list[Request]) -> list[Outcome]:
        """See `Bench.make`."""
        return self._bench.make(requests)


class Here(Maker):
    """This very process, for one worker: no start-up, and the graphs are in memory already."""

    chunk, width = CHUNK, 1

    def __init__(self, world: World, config: "SynthConfig") -> None:
        self._bench = Bench(world, config.writer, config.candidates)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()

    def submit(self, requests: list[Request]) -> Future[list[Outcome]]:
        """Made before this returns."""
        done: Future[list[Outcome]] = Future()
        done.set_result(self._bench.make(requests))
        return done


class Processes(Maker):
    """Worker processes of this machine."""

    chunk = CHUNK

    def __init__(self, store: Path, config: "SynthConfig") -> None:
        self.width = config.workers + 2
        spawn = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(
            config.workers, spawn, _start_worker, (store, config.writer, config.candidates)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, requests: list[Request]) -> Future[list[Outcome]]:
        """To the next free process."""
        return self._pool.submit(_work, requests)


def _start_worker(store: Path, writer: str, size: int) -> None:
    global _bench
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    # a parent killed with kill -9 shuts no pool down, and its workers would wait for work for ever
    on_end_of(multiprocessing.parent_process().sentinel, lambda: os._exit(1))
    _bench = Bench(World(Evidence.load(store)), writer, size)


def _work(requests: list[Request]) -> list[Outcome]:
    return _bench.make(requests)


class Cluster(Maker):
    """Tasks of a Ray cluster: the one that RAY_ADDRESS names, else one of this machine. The store must be readable on every node."""

    chunk = CHUNK

    def __init__(self, store: Path, config: "SynthConfig") -> None:
        import ray

        self._ray, self._ours = ray, not ray.is_initialized()
        if self._ours:
            ray.init(
                num_cpus=config.workers,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="error",
                runtime_env=RAY_ENVIRONMENT,
            )
        self.width = config.workers + 2
        seats = ray.remote(num_cpus=1)(Seat)
        self._seats = [
            seats.remote(store.resolve(), config.writer, config.candidates)
            for _ in range(config.workers)
        ]
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self._seats:
            self._ray.kill(seat)
        if self._ours:
            self._ray.shutdown()

    def submit(self, requests: list[Request]) -> Future[list[Outcome]]:
        """To the actors in turn."""
        self._next += 1
        return self._seats[self._next % len(self._seats)].make.remote(requests).future()


class Endpoint(Maker):
    """An event loop of its own that takes many requests through the graph at once, each with checkpoints that go when its row is written."""

    chunk = 1

    def __init__(self, store: Path, config: "SynthConfig", world: World, ledger: Ledger) -> None:
        if config.chat is None:
            raise DataError(
                "the chat writer needs to know whom to ask: name at least a model (--model) and an endpoint (--base-url)"
            )
        self.width = (
            2 * config.chat.concurrency
        )  # calls are what is limited: others of them are drawn, proven and written meanwhile
        self._config, self._world, self._ledger = config, world, ledger
        self._digest, self._pruning = config.digest(world.evidence.digest), list[Future]()
        self._folder = store.with_name(f"{store.name}.synth")
        self._url = config.checkpoints or str(self._folder / "checkpoints.sqlite")

    def __enter__(self) -> Self:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open = AsyncExitStack()
        self._run(self._start()).result()
        return self

    def __exit__(self, *_: object) -> None:
        wait(self._pruning)
        self._run(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, requests: list[Request]) -> Future[list[Outcome]]:
        """Into the loop."""
        return self._run(self._make(str(requests[0])))

    def forget(self, outcomes: Sequence[Outcome]) -> None:
        """Prune the checkpoints of written rows."""
        for one in outcomes:
            self._pruning.append(
                self._run(self._saver.adelete_thread(self._thread_of(one.request)))
            )

    def _run(self, task: Coroutine) -> Future:
        return asyncio.run_coroutine_threadsafe(task, self._loop)

    async def _start(self) -> None:
        answers = self._open.enter_context(Answers(self._folder / "answers.sqlite"))
        chat = Chat(self._config.chat, answers, self._ledger.spent(), self._ledger.note)
        self._open.push_async_callback(chat.close)
        self._saver = await self._open.enter_async_context(checkpoints(self._url))
        await self._sweep()
        writer: Writer = ChatWriter(self._config.chat, chat)
        self._nodes = Nodes(self._world, writer, self._config.candidates)
        self._graph: CompiledStateGraph = build_graph(self._nodes, self._saver)
        settle()

    def _thread_of(self, request: str) -> str:
        return f"{self._digest}/{request}"

    async def _sweep(self) -> None:
        """Prune checkpoints of other runs and of rows that are written."""
        found = {c.config["configurable"]["thread_id"] async for c in self._saver.alist(None)}
        for thread in found:
            digest, _, request = thread.partition("/")
            if digest != self._digest or self._ledger.has(*Request.parse(request).place):
                await self._saver.adelete_thread(thread)

    async def _end(self) -> None:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await self._open.aclose()

    async def _make(self, request: str) -> list[Outcome]:
        thread = {"configurable": {"thread_id": self._thread_of(request)}}
        begun = (await self._graph.aget_state(thread)).next
        state = await self._graph.ainvoke(
            None if begun else {"request": request, "attempt": 0}, thread, durability="exit"
        )
        work = self._nodes.take(request)
        if state["problems"]:
            self._nodes.reject(work, state)
        return [outcome(request, state["problems"], work)]


def checkpoints(url: str) -> AbstractAsyncContextManager[BaseCheckpointSaver]:
    """A LangGraph saver: SQLite for a path, Postgres for a postgresql:// URL. Raises DataError when its package is missing."""
    if not url.startswith(("postgres://", "postgresql://")):
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        Path(url).parent.mkdir(parents=True, exist_ok=True)
        return AsyncSqliteSaver.from_conn_string(url)
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    except ImportError as error:
        raise DataError(
            "checkpoints in Postgres need the package langgraph-checkpoint-postgres: pip install it, or leave --checkpoints out"
        ) from error
    return AsyncPostgresSaver.from_conn_string(url)
