"""Which checkpoint a run goes on from: the last that is whole.

verl names the last one in latest_checkpointed_iteration.txt once it is written; damage on disk
since would only show as a crash deep in a worker. Every file of torch's is a zip with checksums,
and a safetensors file says how long it is: both are read before anything starts.
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


UNREADABLE = (
    zipfile.BadZipFile,
    OSError,
    EOFError,
    ValueError,
    struct.error,
    NotImplementedError,
)


def damage(folder: Path) -> str:
    """A message about the first damaged file of a checkpoint, "" when all are whole."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if not any(path.suffix == ".pt" for path in files):
        return "holds no weights"
    for path in files:
        try:
            wrong = _file_damage(path)
        except UNREADABLE as error:
            return f"{path.name} cannot be read ({type(error).__name__})"
        if wrong:
            return wrong
    return ""


def _file_damage(path: Path) -> str:
    """As `damage`, of one file. Raises UNREADABLE."""
    if path.suffix == ".pt":
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
        return f"{path.name} is damaged in {bad}" if bad else ""
    if path.suffix == ".safetensors" and path.stat().st_size != _expected_size(path):
        return f"{path.name} is not as long as it says"
    if path.suffix == ".json":
        json.loads(path.read_text())
    return ""


def last_whole(root: Path) -> tuple[int | None, list[str]]:
    """(the step to go on from, None where there is no checkpoint yet; what was set aside).

    A damaged checkpoint is renamed, and verl is pointed to the one before. Raises TrainError when
    there were some and none is whole.
    """
    pointer = root / LATEST
    messages: list[str] = []
    if not pointer.is_file():
        return None, messages
    named, folders = pointer.read_text().strip(), _step_folders(root)
    for step in sorted(folders, reverse=True):
        if named.isdecimal() and step > int(named):
            continue  # begun, and never finished
        wrong = damage(folders[step])
        if not wrong:
            if named != str(step):
                write(pointer, str(step))
            return step, messages
        messages.append(f"the checkpoint of step {step} is set aside: {wrong}")
        aside = folders[step].with_suffix(".damaged")
        shutil.rmtree(aside, ignore_errors=True)  # of an earlier attempt at the same step
        folders[step].rename(aside)
    raise TrainError(
        f"no checkpoint in {root} is whole ({'; '.join(messages) or 'none is left'}): "
        "start anew with another --run"
    )


def _step_folders(root: Path) -> dict[int, Path]:
    names = {path.name.removeprefix(FOLDER): path for path in root.glob(f"{FOLDER}*")}
    return {int(step): path for step, path in names.items() if step.isdecimal()}


def disk_full(folder: Path, error: Exception) -> bool:
    """Whether an error came from a full disk.

    torch's messages differ from place to place, so the room that is left decides too.
    """
    return FULL in str(error) or shutil.disk_usage(folder).free < LEAST


def _expected_size(path: Path) -> int:
    """The size of a safetensors file by its header: eight bytes of length, the header, the tensors.

    -1 where the header is longer than the file.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            return -1
        header = json.loads(file.read(length))
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
    return 8 + length + max(ends, default=0)
