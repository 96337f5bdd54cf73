"""`rerec train sft --model` of a chat model."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_engine.schema import Example
    from train.sft.chat_model.config import ChatSFTConfig


def teach_chat_model(
    store: Path, run: Path, given: Mapping[str, Any], *, resume: bool
) -> dict[str, object]:
    """Check, train and validate; the facts to show. `given`: fields of ChatSFTConfig.

    Raises what `prepare` and `run_chat_sft` raise, TrainError for a store without Examples.
    """
    config, examples, validation = _looked_at(store, given)

    # with torch, transformers and verl: seconds
    from data_engine.graphs.evidence import Evidence
    from train.sft.chat_model.prepared import prepare
    from train.sft.chat_model.run import command, run_chat_sft
    from train.sft.chat_model.validate import HeldOut

    evidence = Evidence.load(store)
    prepared = prepare(config, evidence, examples, validation)
    held_out = HeldOut(store, evidence, validation, config.eval_queries)
    terminal = sys.stderr  # while verl trains, what is written there goes to a log

    def tell(done: int, total: int | None = None, note: str = "") -> None:
        print(f"SFT {done}/{total} {note}", file=terminal, flush=True)

    curve = run_chat_sft(
        run,
        prepared,
        evidence.digest,
        validate=lambda model: held_out.ndcg(model, config.style, prepared.answer),
        resume=resume,
        progress=tell,
        again=command(store, run, config),
    )
    return {"model": str(run / "model"), "lessons": len(prepared.rows), **curve[-1]}


def _looked_at(
    store: Path, given: Mapping[str, Any]
) -> tuple["ChatSFTConfig", list["Example"], list["Example"]]:
    """The config, and the Examples to learn from and to validate on: what is quickly checked."""
    from data_engine.store.database import Store
    from train.errors import TrainError
    from train.models.folder import model_folder
    from train.sft.chat_model.config import ChatSFTConfig

    config = ChatSFTConfig(**given)
    model_folder(config.model)
    with Store.open(store, read_only=True) as opened:
        examples, validation = opened.examples("sft"), opened.examples("validation")
    if not examples:
        raise TrainError(f"{store} holds no SFT Examples: run `rerec synth --store {store}`")
    return config, examples, validation
