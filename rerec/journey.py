"""The stages of the demo: rerec commands that a user could have typed, in order."""

from collections.abc import Iterator
from pathlib import Path

from data_engine.runtime.config import Config

# policy → its model folder in the run directory, "" for a baseline without one
POLICIES = {
    "popularity": "",
    "untrained": "sft/untrained",
    "sft": "sft/model",
    "grpo": "grpo/model",
    "rerec": "rerec/model",
}
REINFORCED = ("grpo", "rerec")
MOST_TOKENS = 96  # of a response, as in the recipes
QUESTIONS = 5  # asked of the assistant at the end


class JourneySize(Config):
    """Examples per split, SFT steps on gold and on mixed prompts and their batch, RFT steps."""

    sft: int = 12000
    rl: int = 768
    validation: int = 400
    test: int = 800
    gold_steps: int = 800
    mixed_steps: int = 350
    batch: int = 32
    rft_steps: int = 48


# Every stage in a few minutes. With fewer steps still, no answer is ever right.
QUICK = JourneySize(
    sft=3000, rl=80, validation=40, test=200, gold_steps=440, mixed_steps=60, batch=16, rft_steps=3
)


class Stage(Config):
    """A rerec command; one that is `scored` is given the URL of the journey's reward server."""

    name: str
    arguments: list[str]
    scored: bool = False


def stages(run: Path, data: Path | None, size: JourneySize, seed: int) -> Iterator[Stage]:
    """The stages of a journey in `run`. data: a folder of tables, None for the invented world."""
    store = ["--store", str(run / "store.duckdb")]
    seeded = [*store, "--seed", str(seed)]
    source = ["tables", str(data), *store] if data else ["world", *seeded]
    yield Stage(name="import", arguments=["data", "import", *source])
    yield Stage(name="embed", arguments=["data", "embed", *seeded])
    counts: list[str] = []
    for split in ("sft", "rl", "validation", "test"):
        counts += [f"--{split}", str(getattr(size, split))]
    yield Stage(name="synth", arguments=["synth", *counts, "--writer", "terse", *seeded])
    yield Stage(name="verify", arguments=["verify", *store])
    yield _sft(run, seeded, size)
    for policy in REINFORCED:
        yield _rft(policy, run, seeded, size)
    for policy in POLICIES:
        yield _evaluation(policy, run, store)
    yield _questions(run, store)
    yield Stage(name="report", arguments=["report", str(run)])


def _sft(run: Path, seeded: list[str], size: JourneySize) -> Stage:
    steps = ["--gold-steps", str(size.gold_steps), "--mixed-steps", str(size.mixed_steps)]
    steps += ["--batch", str(size.batch)]
    words = ["train", "sft", *seeded, "--run", str(run / "sft"), *steps, "--resume"]
    return Stage(name="sft", arguments=words)


def _rft(policy: str, run: Path, seeded: list[str], size: JourneySize) -> Stage:
    model = ["--model", str(run / POLICIES["sft"]), "--run", str(run / policy)]
    steps = ["--set", f"trainer.total_training_steps={size.rft_steps}"]
    words = ["train", "rft", f"tiny-{policy}", *seeded, *model, *steps, "--resume"]
    return Stage(name=policy, arguments=words, scored=True)


def _evaluation(policy: str, run: Path, store: list[str]) -> Stage:
    model = POLICIES[policy]
    judged = (
        [str(run / model), "--max-tokens", str(MOST_TOKENS)] if model else ["--baseline", policy]
    )
    out = ["--split", "test", "--out", str(evaluation_file(run, policy))]
    return Stage(name=f"eval {policy}", arguments=["eval", *judged, *store, *out], scored=True)


def _questions(run: Path, store: list[str]) -> Stage:
    """Test queries, asked of the assistant with the policy that was trained last."""
    policy = ["--policy", str(run / POLICIES["rerec"]), "--policy-seconds", "60"]
    asked = ["--examples", str(QUESTIONS), "--k", "3", "--out", str(run / "asked.json")]
    return Stage(name="ask", arguments=["ask", *asked, *policy, *store])


def evaluation_file(run: Path, policy: str) -> Path:
    """Where the evaluation of a policy is written."""
    return run / f"eval/{policy}.json"
