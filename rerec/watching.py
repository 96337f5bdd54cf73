"""What a person sees while the demo runs: the stages, curves, and a response as it is judged."""

import json
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.text import Text

from data_engine.errors import RerecError
from rerec.journey import REINFORCED

log = logging.getLogger("rerec.demo")
BARS = "▁▂▃▄▅▆▇█"
POINTS = 32  # of a curve
JUDGED_SECONDS = 1.0  # for the reward server to judge it
SAMPLE_SECONDS = 4.0  # that a response is shown at least
LINE_WIDTH = 110  # characters of a log's last line that are shown
TAIL = 2000  # bytes of a log in which its last line is looked for
TITLES = {"grpo": "GRPO", "rerec": "ReRec as published", "rerec-graph": "ReRec, judged claims"}


class Watch:
    """Over the run directory of a journey. `server` is the URL of its reward server, once it is
    there: responses are shown with their claims judged.
    """

    def __init__(self, run: Path) -> None:
        self._run, self.server = run, ""
        self._spinners: dict[str, Spinner] = {}
        self._shown: tuple[str, int] = ("", 0)  # the arm and step of the response that is shown
        self._since, self._sample = 0.0, Text("")
        self._queries: dict[str, str] = {}
        self._last: RenderableType = Text("")

    def view(self, running: Mapping[str, float]) -> RenderableType:
        """Lines for what runs. running: the monotonic time of its start, by name."""
        try:
            self._last = self._seen(running)
        except Exception:  # whatever half of a file is read: the run matters, not its picture
            log.debug("the view failed", exc_info=True)
        return self._last

    def _seen(self, running: Mapping[str, float]) -> RenderableType:
        lines = list[RenderableType]()
        for name, start in running.items():
            spinner = self._spinners.setdefault(name, Spinner("dots"))
            seconds = time.monotonic() - start
            said = f"{name:<12} {seconds:4.0f} s  {self._progress(name)}"
            spinner.update(text=Text(said, no_wrap=True, overflow="ellipsis"))
            lines.append(spinner)
        self._look_for_a_sample([name for name in running if name in REINFORCED])
        return Group(*lines, self._sample if running.keys() & set(REINFORCED) else Text(""))

    def _progress(self, name: str) -> str:
        """How far a stage is: for RFT its steps and their curve, else the last line of its log."""
        logs = sorted((self._run / name / "log/rerec").glob("rft*.jsonl"))
        if name in REINFORCED:
            if values := [value for path in logs for value in _values(path, "rerec/ndcg")]:
                curve = sparkline(values, POINTS)
                return f"step {len(values):<3} right {curve} {values[-1]:.2f}"
        return last_line(log_file(self._run, name)) or "starting"

    def _look_for_a_sample(self, arms: list[str]) -> None:
        """Take the response of the newest step of the arms, in turn, where there is a new one."""
        if time.monotonic() - self._since < SAMPLE_SECONDS:
            return
        arms.sort(key=lambda arm: arm == self._shown[0])  # another one than that shown
        for arm in arms:
            files = sorted((self._run / arm / "rollouts").glob("*.jsonl"), key=_step)
            if not files or (arm, _step(files[-1])) == self._shown:
                continue
            row = _first_row(files[-1])
            if row is not None:
                self._shown, self._since = (arm, _step(files[-1])), time.monotonic()
                self._sample = self._told(arm, row)
                return

    def _told(self, arm: str, row: Mapping[str, Any]) -> Text:
        """A response below its query, its claims coloured."""
        text, example = printable(str(row["output"])), str(row["gts"])
        said = Text(f"\n{TITLES[arm]}, step {row['step']}: ", style="bold")
        said.append(f"{printable(self._query(example))}\n", style="italic not bold")
        said.append(self._judged(text, example))
        return said

    def _query(self, example_id: str) -> str:
        """The query of an Example of the store."""
        if not self._queries:
            from data_engine.store.database import Store

            with Store.open(self._run / "store.duckdb", read_only=True) as store:
                self._queries = {e.example_id: e.query for e in store.examples("rl")}
        return self._queries.get(example_id, "")

    def _judged(self, text: str, example_id: str) -> Text:
        """The response with what the reward server says of its claims; plain where it cannot."""
        import msgspec

        from agents.assistant.answer import Mark
        from agents.assistant.printing import marked
        from reward_server.client import RewardClient
        from reward_server.wire import Response
        from train.reports.segments import claim_marks

        try:
            with RewardClient(self.server, None, retries=0, deadline=JUDGED_SECONDS) as client:
                (score,) = client.score([Response(example_id=example_id, response=text)])
        except RerecError:
            return Text(text)
        segments = msgspec.to_builtins(score.segments)
        marks = [Mark(**mark) for mark in claim_marks(segments, len(text))]
        return marked(text, marks, 0, len(text))


def sparkline(values: list[float], most: int) -> str:
    """Values in 0..1 as bars, the mean of each stretch where there are more than `most`."""
    size = max(1, -(-len(values) // most))
    means = [values[k : k + size] for k in range(0, len(values), size)]
    top = len(BARS) - 1
    return "".join(BARS[min(top, max(0, round(sum(part) / len(part) * top)))] for part in means)


def log_file(run: Path, name: str) -> Path:
    """The log of a stage."""
    return run / f"logs/{name.replace(' ', '-')}.log"


def last_line(log: Path) -> str:
    """The last line of a log, "" where there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as tail:
        tail.seek(max(0, log.stat().st_size - TAIL))
        text = tail.read().decode(errors="replace").replace("\r", "\n")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return printable(lines[-1])[:LINE_WIDTH] if lines else ""


def printable(text: str) -> str:
    """The text with a space for each character that could steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def _values(metrics: Path, key: str) -> Iterator[float]:
    """A figure of each step that was logged whole."""
    for line in metrics.read_text().splitlines():
        try:
            yield float(json.loads(line)["data"][key])
        except (ValueError, KeyError):
            continue


def _first_row(path: Path) -> dict[str, Any] | None:
    """The first row of a file that may still be written."""
    with path.open(encoding="utf-8") as lines:
        try:
            found: dict[str, Any] = json.loads(lines.readline())
        except ValueError:
            return None
    return found


def _step(path: Path) -> int:
    return int(path.stem)
