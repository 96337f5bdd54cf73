"""Which checkpoint a run goes on from: the last that is whole.

verl names the last one in latest_checkpointed_iteration.txt once it is written; what is then damaged on disk would only show as a crash deep in
a worker. Every file of torch's is a zip with checksums, and a safetensors file says how long it is: both are read before anything starts.
"""

import json
import shutil
import struct
import zipfile
from pathlib import Path

from data_engine.runtime.atomic import write
from train.errors import TrainError

LATEST = "latest_checkpointed_iteration.txt"
FOLDER = "global_step_"
FULL, LEAST = "No space left on device", 1 << 20  # bytes
STOP = "stop"  # a file beside them that asks the trainer to save and end after this step


def damage(folder: Path) -> str:
    """What is wrong with a checkpoint's files, "" when they are whole."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if not any(path.suffix == ".pt" for path in files):
        return "holds no weights"
    for path in files:
        try:
            if path.suffix == ".pt":
                with zipfile.ZipFile(path) as archive:
                    bad = archive.testzip()
                if bad:
                    return f"{path.name} is damaged in {bad}"
            elif path.suffix == ".safetensors" and path.stat().st_size != _told_size(path):
                return f"{path.name} is not as long as it says"
            elif path.suffix == ".json":
                json.loads(path.read_text())
        except (
            zipfile.BadZipFile,
            OSError,
            EOFError,
            ValueError,
            struct.error,
            NotImplementedError,
        ) as error:
            return f"{path.name} cannot be read ({type(error).__name__})"
    return ""


def last_whole(root: Path) -> tuple[int | None, list[str]]:
    """(the step to go on from, None where there is no checkpoint yet; what was set aside). A damaged checkpoint is renamed, and verl is pointed
    to the one before. Raises TrainError when there were some and none is whole."""
    pointer, said = root / LATEST, []
    if not pointer.is_file():
        return None, said
    folders = {
        int(path.name.removeprefix(FOLDER)): path
        for path in root.glob(f"{FOLDER}*")
        if path.name.removeprefix(FOLDER).isdecimal()
    }
    named = pointer.read_text().strip()
    for step in sorted(folders, reverse=True):
        if named.isdecimal() and step > int(named):
            continue  # begun, and never finished
        wrong = damage(folders[step])
        if not wrong:
            if named != str(step):
                write(pointer, str(step))
            return step, said
        said.append(f"the checkpoint of step {step} is set aside: {wrong}")
        aside = folders[step].with_suffix(".damaged")
        shutil.rmtree(aside, ignore_errors=True)  # of an earlier attempt at the same step
        folders[step].rename(aside)
    raise TrainError(
        f"no checkpoint in {root} is whole ({'; '.join(said) or 'none is left'}): start anew with another --run"
    )


def disk_full(folder: Path, error: Exception) -> bool:
    """Whether that went wrong because no room was left: torch says so in words that differ from place to place, so what is left decides too."""
    return FULL in str(error) or shutil.disk_usage(folder).free < LEAST


def _told_size(path: Path) -> int:
    """By its header: eight bytes of length, the header, the tensors."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            return -1
        header = json.loads(file.read(length))
    return (
        8
        + length
        + max(
            (entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"),
            default=0,
        )
    )
