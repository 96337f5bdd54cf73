"""The commands of rerec on one GPU, each limited in time; figures as JSON after every part.

LightGCN; the tiny policy and a chat model by SFT and by reinforcement, with the transformers
rollout, in bf16 where there is a GPU; NDCG@1 before and after.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_engine.graphs.evidence import Evidence
from data_engine.runtime.children import rerec_command
from data_engine.store.database import Store
from tests.train.chat_model import make_chat_model
from train.sft.lessons import lessons

MOST = 540.0  # seconds, of all parts together
Figures = dict[str, Any]
SMOLLM2 = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
}
GPU = (  # of the recipes for CPUs
    "trainer.device=cuda",
    "actor_rollout_ref.actor.fsdp_config.dtype=bfloat16",
    "actor_rollout_ref.actor.fsdp_config.mixed_precision.param_dtype=bf16",
    "actor_rollout_ref.rollout.dtype=bfloat16",
    "algorithm.rollout_correction.bypass_mode=false",  # in bf16 the two differ
)
CHAT = ("data.max_prompt_length=2048", "actor_rollout_ref.actor.ppo_max_token_len_per_gpu=8192")


class PartFailed(Exception):
    """A command ended badly, or was cut at its limit."""


@dataclass
class Journey:
    """out: where everything goes. tiny: sizes that only show that it runs."""

    out: Path
    gpu: bool
    tiny: bool
    model: Path | None
    begun: float = field(default_factory=time.monotonic)
    limit: float = MOST

    def size(self, full: int, tiny: int) -> int:
        """One of the two."""
        return tiny if self.tiny else full

    def rerec(self, *words: object) -> tuple[Figures, float]:
        """(the facts that `rerec WORDS --json` prints last, seconds)."""
        start = time.monotonic()
        try:
            done = subprocess.run(
                rerec_command(*words, "--json"),
                capture_output=True,
                text=True,
                timeout=max(1.0, min(self.limit, MOST - (start - self.begun))),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise PartFailed(f"{' '.join(map(str, words[:3]))}: cut after its limit") from error
        if done.returncode:
            raise PartFailed(done.stderr.strip()[-1500:])
        return json.loads(done.stdout.splitlines()[-1]), time.monotonic() - start

    def ndcg(self, model: object, *more: object) -> float:
        """NDCG@1 on test queries."""
        asked = ["--split", "test", "--queries", self.size(200, 4), "--store", self.store]
        answer = self.out / f"eval-{time.monotonic_ns()}.json"
        self.rerec("eval", model, *asked, "--out", answer, *more)
        return float(json.loads(answer.read_text())["summary"]["ndcg"]["mean"])

    def rft(self, recipe: str, model: object, steps: int, *more: str) -> Figures:
        """Train; seconds per step and of each of its parts, by verl's log."""
        run = self.out / recipe
        sets = [*more, f"trainer.total_training_steps={steps}", *(GPU if self.gpu else ())]
        words = [word for change in sets for word in ("--set", change)]
        _, seconds = self.rerec(
            "train", "rft", recipe, "--store", self.store, "--model", model, "--run", run, *words
        )
        points = [json.loads(x) for x in (run / "log/rerec/rft.jsonl").read_text().splitlines()]
        kept = ("timing_s/", "rerec/ndcg", "actor/ppo_kl", "actor/perf/max_memory")
        by_step = [
            {key: value for key, value in point["data"].items() if key.startswith(kept)}
            for point in points
        ]
        return {"seconds": seconds, "steps": by_step}

    @property
    def store(self) -> Path:
        return self.out / "films.duckdb"


def store(at: Journey) -> Figures:
    """A catalogue, and LightGCN on the device."""
    sizes = ["--items", at.size(1400, 400), "--users", at.size(900, 150)]
    at.rerec("data", "import", "world", "--store", at.store, *sizes)
    epochs = ["--epochs", at.size(50, 3)]
    facts, seconds = at.rerec("data", "embed", "--store", at.store, *epochs)
    counts = {"sft": (800, 40), "rl": (200, 24), "validation": (40, 8), "test": (200, 8)}
    asked = [word for name, both in counts.items() for word in (f"--{name}", at.size(*both))]
    at.rerec("synth", "--store", at.store, "--writer", "terse", *asked)
    return {"lightgcn_seconds": seconds, "lightgcn": facts}


def tiny_policy(at: Journey) -> Figures:
    """The tiny policy: SFT, GRPO."""
    run = at.out / "tiny-sft"
    steps = ["--gold-steps", at.size(100, 3), "--mixed-steps", at.size(300, 2)]
    _, seconds = at.rerec("train", "sft", "--store", at.store, "--run", run, *steps)
    before = at.ndcg(run / "model")
    found = at.rft("tiny-grpo", run / "model", at.size(10, 1))
    after = at.ndcg(at.out / "tiny-grpo/model")
    return {"sft_seconds": seconds, "ndcg_before": before, "ndcg_after": after, "rft": found}


def random_model(at: Journey) -> Path:
    """A chat model of SmolLM2's shape, or a tiny one, with a tokenizer made from the lessons."""
    with Store.open(at.store, read_only=True) as opened:
        examples = opened.examples("sft")
    taught = lessons(examples, Evidence.load(at.store), "chat")
    texts = [f"{one.prompt} {one.gold}" for one in taught]
    return make_chat_model(at.out / "chat", texts, **({} if at.tiny else SMOLLM2))


def chat_model(at: Journey) -> Figures:
    """SmolLM2, or without its weights a model of its shape: SFT, GRPO."""
    folder = at.model or random_model(at)
    run = at.out / "chat-sft"
    sizes = ["--steps", at.size(40, 2), "--batch", at.size(16, 4), "--eval-queries", 0]
    said = ["--store", at.store, "--model", folder, "--run", run, *sizes]
    _, seconds = at.rerec("train", "sft", *said)
    chat = ("--style", "chat", "--max-tokens", at.size(352, 16))
    before = at.ndcg(run / "model", *chat)
    short = (f"data.max_response_length={at.size(352, 16)}",)
    found = at.rft("smollm2-135m-grpo", run / "model", at.size(3, 1), *CHAT, *short)
    after = at.ndcg(at.out / "smollm2-135m-grpo/model", *chat)
    figures = {"sft_seconds": seconds, "ndcg_before": before, "ndcg_after": after, "rft": found}
    return figures | {"weights": "given" if at.model else "random"}


PARTS: tuple[tuple[Callable[[Journey], Figures], float], ...] = (  # seconds per command
    (store, 90),
    (tiny_policy, 110),
    (chat_model, 150),
)


def main() -> None:
    """Run every part that can be run; the exit code is 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--model", type=Path, help="a chat model's folder, as SmolLM2's")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    at = Journey(given.out.resolve(), given.device == "cuda", given.tiny, given.model)
    found: Figures = {"device": given.device, "tiny": given.tiny}
    for part, limit in PARTS:
        start, at.limit = time.monotonic(), limit
        try:
            found[part.__name__] = part(at)
        except (PartFailed, OSError, KeyError, ValueError) as error:
            found[part.__name__] = {"error": f"{type(error).__name__}: {error}"}
        found[part.__name__]["part_seconds"] = time.monotonic() - start
        (at.out / "device.json").write_text(json.dumps(found, indent=1))
        print(part.__name__, json.dumps(found[part.__name__])[:600], flush=True)
    raise SystemExit(any("error" in found[part.__name__] for part, _ in PARTS))


if __name__ == "__main__":
    main()
