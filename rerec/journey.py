"""The stages of the demo: rerec commands that a user could have typed, and what each waits for."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from data_engine.runtime.config import Config

POPULARITY, SFT = "popularity", "sft"  # what reinforcement is measured against
REINFORCED = ("grpo", "rerec", "rerec-graph")
ASKED = "rerec-graph"  # the policy that the assistant is asked with at the end
HASTY = 0.95  # share of flawed chains in the last steps of SFT
MOST_AT_ONCE = 3  # stages: as many as are reinforced
GIGABYTES = 7.0  # of memory for each of the stages that run side by side
MOST_TOKENS = 96  # of a response, as in the recipes
QUESTIONS = 5  # asked of the assistant at the end


class JourneySize(Config):
    """Examples per split, SFT steps on gold and on mixed prompts and their batch, RFT steps.

    arms: what the policy is reinforced by, each from the same start.
    """

    sft: int = 12000
    rl: int = 768
    validation: int = 400
    test: int = 800
    gold_steps: int = 700
    mixed_steps: int = 180
    batch: int = 32
    rft_steps: int = 36
    arms: tuple[str, ...] = REINFORCED

    @property
    def policies(self) -> tuple[str, ...]:
        """What is evaluated, in the order of the table."""
        return (POPULARITY, SFT, *self.arms)


# Every stage in a few minutes. With fewer steps still, no answer is ever right.
QUICK = JourneySize(
    sft=3000,
    rl=80,
    validation=40,
    test=200,
    gold_steps=440,
    mixed_steps=60,
    batch=16,
    rft_steps=3,
    arms=(ASKED,),
)


class Stage(Config):
    """A rerec command; one that is `scored` is given the URL of the journey's reward server.

    after: the stages it waits for. alone: it uses all cores, and nothing runs beside it. trains: it
    takes long, and all the cores that others leave it.
    """

    name: str
    arguments: list[str]
    after: tuple[str, ...] = ()
    scored: bool = False
    alone: bool = False
    trains: bool = False


def stages(run: Path, data: Path | None, size: JourneySize, seed: int) -> Iterator[Stage]:
    """The stages of a journey in `run`. data: a folder of tables, None for the invented world."""
    store = ["--store", str(run / "store.duckdb")]
    seeded = [*store, "--seed", str(seed)]
    source = ["tables", str(data), *store] if data else ["world", *seeded]
    yield Stage(name="import", arguments=["data", "import", *source])
    yield Stage(name="embed", arguments=["data", "embed", *seeded], after=("import",))
    counts: list[str] = []
    for split in ("sft", "rl", "validation", "test"):
        counts += [f"--{split}", str(getattr(size, split))]
    words = ["synth", *counts, "--writer", "terse", *seeded]
    yield Stage(name="synth", arguments=words, after=("embed",), alone=True)
    yield Stage(name="verify", arguments=["verify", *store], after=("synth",))
    yield _sft(run, seeded, size)
    for policy in size.arms:
        yield _rft(policy, run, seeded, size)
    for policy in size.policies:
        yield _evaluation(policy, run, store)
    yield _questions(run, store)
    evaluated = tuple(f"eval {policy}" for policy in size.policies)
    yield Stage(name="report", arguments=["report", str(run)], after=(*evaluated, "ask", "verify"))


def to_run(stages: Iterable[Stage], done: Collection[str]) -> list[Stage]:
    """The stages that are not done, and all that wait for one of those: the report shows them."""
    found: list[Stage] = []
    for stage in stages:
        anew = {other.name for other in found}
        if stage.name not in done or not anew.isdisjoint(stage.after):
            found.append(stage)
    return found


def startable(waiting: Iterable[Stage], running: Collection[Stage], most: int) -> Stage | None:
    """The first of the waiting stages that can run beside those that run, `most` at a time."""
    waiting = list(waiting)
    if len(running) >= most or any(stage.alone for stage in running):
        return None
    unfinished = {stage.name for stage in (*waiting, *running)}
    for stage in waiting:
        if unfinished.isdisjoint(stage.after) and not (stage.alone and running):
            return stage
    return None


def at_once(cores: int, memory: float) -> int:
    """How many stages run side by side, 1 to 3, by cores and memory in GB."""
    return max(1, min(MOST_AT_ONCE, cores, int(memory / GIGABYTES)))


def _sft(run: Path, seeded: list[str], size: JourneySize) -> Stage:
    steps = ["--gold-steps", str(size.gold_steps), "--mixed-steps", str(size.mixed_steps)]
    steps += ["--batch", str(size.batch), "--flawed", str(HASTY)]
    words = ["train", "sft", *seeded, "--run", str(run / "sft"), *steps, "--resume"]
    return Stage(name="sft", arguments=words, after=("synth",), alone=True)


def _rft(policy: str, run: Path, seeded: list[str], size: JourneySize) -> Stage:
    model = ["--model", str(model_folder(run, SFT)), "--run", str(run / policy)]
    changes = [
        f"trainer.total_training_steps={size.rft_steps}",
        f"trainer.rollout_data_dir={(run / policy / 'rollouts').resolve()}",  # for whoever watches
    ]
    steps = [word for change in changes for word in ("--set", change)]
    words = ["train", "rft", f"tiny-{policy}", *seeded, *model, *steps, "--resume"]
    return Stage(name=policy, arguments=words, after=("sft",), scored=True, trains=True)


def _evaluation(policy: str, run: Path, store: list[str]) -> Stage:
    judged = ["--baseline", policy]
    if policy != POPULARITY:
        judged = [str(model_folder(run, policy)), "--max-tokens", str(MOST_TOKENS)]
    out = ["--split", "test", "--out", str(evaluation_file(run, policy))]
    words = ["eval", *judged, *store, *out]
    after = ("synth",) if policy == POPULARITY else (policy,)
    return Stage(name=f"eval {policy}", arguments=words, after=after, scored=True)


def _questions(run: Path, store: list[str]) -> Stage:
    """Test queries, asked of the assistant with a policy that was trained."""
    policy = ["--policy", str(model_folder(run, ASKED)), "--policy-seconds", "60"]
    asked = ["--examples", str(QUESTIONS), "--k", "3", "--out", str(run / "asked.json")]
    words = ["ask", *asked, *policy, *store]
    return Stage(name="ask", arguments=words, after=(ASKED,))


def model_folder(run: Path, policy: str) -> Path:
    """Where the model of a policy that was trained lies."""
    return run / policy / "model"


def evaluation_file(run: Path, policy: str) -> Path:
    """Where the evaluation of a policy is written."""
    return run / f"eval/{policy}.json"
