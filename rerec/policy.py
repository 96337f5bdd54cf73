"""A policy for the assistant: a model folder or an endpoint, asked as policies here are trained."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from data_engine.errors import DataError
from data_engine.runtime.config import Config
from data_engine.runtime.lean_transformers import import_transformers

if TYPE_CHECKING:
    from agents.assistant.policy import Choice, Policy
    from data_engine.graphs.evidence import Evidence
    from data_engine.schema import Example
    from train.tasks.base import Chat

MOST_TOKENS, TERSE_TOKENS = 1024, 96  # of a response, as in evaluation and in the tiny recipes
URLS = ("http://", "https://")
PolicyOption = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="MODEL",
        help="A model that reasons over the best candidates, every claim checked: a folder, or the "
        "URL of an OpenAI-compatible endpoint (http://…/v1).",
    ),
]
NameOption = Annotated[
    str | None, typer.Option("--policy-model", help="With an endpoint: the model's name there.")
]
StyleOption = Annotated[
    str | None,
    typer.Option(
        "--policy-style",
        help="Prompts: chat, instructed, open-book or closed-book; by default those that the "
        "folder was trained with, else chat.",
    ),
]
EngineOption = Annotated[
    Literal["hf", "vllm"],
    typer.Option("--policy-engine", help="What computes a folder: transformers, or vLLM."),
]
SecondsOption = Annotated[
    float,
    typer.Option("--policy-seconds", min=0.1, help="After so long the graph answers alone."),
]
KeyEnvOption = Annotated[
    str,
    typer.Option(
        "--policy-key-env",
        help="With an endpoint: the environment variable that holds the key.",
    ),
]


class PolicyConfig(Config):
    """policy: a model folder or the URL of an endpoint, `model` its name there. style: one of the
    single-turn styles of `train.tasks`. seconds: how long an endpoint may keep silent.
    """

    policy: str
    model: str | None = None
    style: str | None = None
    engine: Literal["hf", "vllm"] = "hf"
    key_env: str = "OPENAI_API_KEY"
    seconds: float = 20.0

    @property
    def is_endpoint(self) -> bool:
        """Whether the model lies behind a URL."""
        return self.policy.startswith(URLS)

    @property
    def name(self) -> str:
        """The model as people know it."""
        return self.model or self.policy

    def checked(self) -> "PolicyConfig":
        """The same with its style. Raises DataError for a policy that cannot be had, before
        anything heavy is loaded.
        """
        from train.models.style import CHAT, style_of
        from train.tasks.single_turn import SINGLE_TURNS

        folder = Path(self.policy)
        if self.is_endpoint and not self.model:
            raise DataError(
                f"--policy {self.policy} needs --policy-model NAME: GET {self.policy}/models "
                "lists the names"
            )
        if not self.is_endpoint and not (folder / "config.json").is_file():
            raise DataError(
                f"--policy {self.policy} is neither a model folder (config.json, tokenizer and "
                "weights, as `rerec train sft` writes) nor the URL of an endpoint (http://…/v1)"
            )
        style = self.style or (CHAT if self.is_endpoint else style_of(folder))
        styles = [task.style for task in SINGLE_TURNS if not task.open_catalogue]
        if style not in styles:
            raise DataError(f"--policy-style {style}: the assistant can ask as {', '.join(styles)}")
        return self.model_copy(update={"style": style})

    def open(self, store: Path) -> "Policy":
        """The policy over a store, with its weights loaded. Raises RerecError where that fails."""
        from data_engine.graphs.evidence import Evidence

        tell = self._endpoint() if self.is_endpoint else _folder(self)
        return ModelPolicy(self.name, self.style or "", Evidence.load(store), tell)

    def _endpoint(self) -> "Callable[[Chat], Iterator[str]]":
        from agents.llm.config import Connection
        from agents.llm.request import Message
        from agents.llm.streaming import stream_text

        place = Connection(base_url=self.policy, key_env=self.key_env, timeout=self.seconds)

        def tell(chat: "Chat") -> Iterator[str]:
            messages = [Message(role=one["role"], content=one["content"]) for one in chat]
            return stream_text(place, str(self.model), messages, MOST_TOKENS)

        return tell


@cache
def _folder(config: PolicyConfig) -> "Callable[[Chat], Iterator[str]]":
    """One chat at a time: the model computes with all cores.

    Its weights are loaded once in a process, whatever becomes of the store that it is asked about.
    """
    import_transformers()
    from train.evaluation.decoding import Decoding
    from train.evaluation.placement import placement
    from train.evaluation.policies import HFPolicy
    from train.evaluation.vllm_policy import VLLMPolicy
    from train.models.style import TERSE

    engine = HFPolicy if config.engine == "hf" else VLLMPolicy
    most = TERSE_TOKENS if config.style == TERSE else MOST_TOKENS
    policy = engine(Path(config.policy), Decoding(most_tokens=most), placement())
    alone = Lock()

    def tell(chat: "Chat") -> Iterator[str]:
        with alone:
            yield ""  # whoever has gone meanwhile is noticed before anything is computed
            yield from policy.stream(chat)

    return tell


def config(
    policy: str | None,
    model: str | None,
    style: str | None,
    engine: Literal["hf", "vllm"],
    seconds: float,
    key_env: str,
) -> PolicyConfig | None:
    """The policy of a command's options, None without one. Raises DataError for one that cannot be
    had, and for options that mean nothing without one.
    """
    if policy is None:
        if model or style or engine != "hf":
            raise DataError("--policy-model, --policy-style and --policy-engine need --policy")
        return None
    return PolicyConfig(
        policy=policy, model=model, style=style, engine=engine, seconds=seconds, key_env=key_env
    ).checked()


class ModelPolicy:
    """A model that is asked in a style. tell: gives its next message, piece by piece."""

    def __init__(
        self, name: str, style: str, evidence: "Evidence", tell: "Callable[[Chat], Iterator[str]]"
    ) -> None:
        self.name, self._style, self._evidence, self._tell = name, style, evidence, tell

    def reason(self, choice: "Choice") -> Iterator[str]:
        """See `Policy`."""
        yield from self._tell(self.chat(choice))

    def chat(self, choice: "Choice") -> "Chat":
        """The messages, as an Example with this choice would be asked."""
        from train.tasks.single_turn import SINGLE_TURNS

        (task,) = [task for task in SINGLE_TURNS if task.style == self._style]
        return task.chat(self._example(choice), self._evidence)

    def _example(self, choice: "Choice") -> "Example":
        """An Example without gold."""
        from data_engine.schema import Example, Provenance
        from train.models.style import TERSE

        query = terse_query(choice, self._evidence) if self._style == TERSE else choice.query
        return Example(
            domain=self._evidence.domain,
            kind="explicit",
            user="",
            query=query,
            conditions=choice.conditions,
            anchors=choice.anchors,
            candidates=choice.candidates,
            shuffle_seed=0,
            gold=(),
            chains=(),
            difficulty=0.5,
            split="test",
            provenance=Provenance(
                seed=0, graph_digest=self._evidence.digest, writer="", prompt_hash=""
            ),
        )


def terse_query(choice: "Choice", evidence: "Evidence") -> str:
    """The request as the terse writer puts it: a tiny policy knows no other words."""
    from agents.synthesis.writers.terse import QUERIES, clause

    if choice.conditions:
        asked = " and ".join(map(clause, choice.conditions))
        return QUERIES["explicit"].format(thing=evidence.domain.removesuffix("s"), asked=asked)
    liked = ", ".join(evidence.attributes.titles[item] for item in choice.anchors)
    return QUERIES["interest"].format(all=liked) if liked else choice.query
