"""Options that several training commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_engine.errors import DataError

if TYPE_CHECKING:
    from train.sequential.config import TextConfig

BASE_URL = "http://127.0.0.1:8000/v1"


def _known_cut(cut: str) -> str:
    if cut not in ("time", "last"):
        raise DataError(f"no --cut {cut!r}: choose time or last")
    return cut


ServerOption = Annotated[
    str | None,
    typer.Option(
        help="URL of a running reward server; without it, one is started for this command."
    ),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on from the last checkpoint of --run.")
]
CutOption = Annotated[
    str,
    typer.Option(
        callback=_known_cut, help="time: two moments for all, 8:1:1; last: each user's last two."
    ),
]
EpochsOption = Annotated[int, typer.Option(min=1, help="At most so many; validation stops sooner.")]
AskOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="Who thinks: a model behind an OpenAI-compatible endpoint, not the template.",
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        help="Who thinks: a policy's folder, as `rerec train rporec` makes in K/rft/model."
    ),
]
BaseUrlOption = Annotated[str, typer.Option(help="With --ask: the endpoint.")]
KeyOption = Annotated[
    str, typer.Option(help="With --ask: the environment variable that holds the key.")
]
EncoderOption = Annotated[
    str,
    typer.Option(
        help="Sentence encoder of items, answers and thoughts: "
        "any sentence-transformers name or folder."
    ),
]
LessonsOption = Annotated[
    int,
    typer.Option(
        min=1, help="Most training moments that get a generated thought, evenly over all."
    ),
]


def text_config(
    ask: str | None, policy: Path | None, base_url: str, key_env: str, encoder: str, lessons: int
) -> "TextConfig":
    """Where the thoughts of a sequential command come from.

    Raises TrainError for two sources, or a policy's folder without a model.
    """
    from train.errors import TrainError
    from train.evaluation.endpoint import EndpointConfig
    from train.sequential.config import TextConfig

    if ask and policy:
        raise TrainError("both --ask and --policy: only one can think")
    if policy and not (policy / "config.json").is_file():
        raise TrainError(
            f"no model folder at {policy}: --policy should hold config.json and weights, "
            "as `rerec train rporec` writes in K/rft/model"
        )
    endpoint = EndpointConfig(model=ask, base_url=base_url, key_env=key_env) if ask else None
    return TextConfig(
        endpoint=endpoint, policy=policy and policy.resolve(), encoder=encoder, lessons=lessons
    )
