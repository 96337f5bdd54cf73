"""A run goes on from the last checkpoint that is whole.

What is damaged, cut short or unfinished is passed over and said.
"""

import json
import subprocess

import pytest
import torch
from safetensors.torch import save_file

from train.errors import TrainError
from train.rft.checkpoints import FOLDER, LATEST, damage, disk_full, last_whole


def checkpoint(root, step):
    folder = root / f"{FOLDER}{step}"
    (folder / "actor/huggingface").mkdir(parents=True)
    torch.save({"w": torch.arange(4000.0) + step}, folder / "actor/model.pt")
    save_file({"w": torch.arange(4000.0)}, folder / "actor/huggingface/model.safetensors")
    (folder / "actor/huggingface/config.json").write_text(json.dumps({"a": 1}))
    (root / LATEST).write_text(str(step))
    return folder


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


HARMS = [
    ("actor/model.pt", flip, "is damaged in"),
    ("actor/model.pt", cut, "cannot be read"),
    ("actor/huggingface/model.safetensors", cut, "not as long as it says"),
    ("actor/huggingface/config.json", lambda path: path.write_text('{"a":'), "cannot be read"),
    ("actor/model.pt", lambda path: path.unlink(), "holds no weights"),
]


def test_a_whole_checkpoint_has_no_damage(tmp_path):
    assert damage(checkpoint(tmp_path, 3)) == "" and last_whole(tmp_path) == (3, [])


@pytest.mark.parametrize(("name", "harm", "words"), HARMS)
def test_a_damaged_one_is_set_aside_for_the_one_before(tmp_path, name, harm, words):
    checkpoint(tmp_path, 15)
    last = checkpoint(tmp_path, 30)
    harm(last / name)
    step, said = last_whole(tmp_path)
    assert step == 15 and (tmp_path / LATEST).read_text() == "15" and not last.exists()
    assert len(said) == 1 and "step 30 is set aside" in said[0] and words in said[0]
    assert last_whole(tmp_path) == (15, [])


def test_one_that_was_never_finished_is_passed_over(tmp_path):
    checkpoint(tmp_path, 15)
    (tmp_path / f"{FOLDER}30/actor").mkdir(parents=True)
    assert last_whole(tmp_path) == (15, []) and (tmp_path / f"{FOLDER}30").is_dir()


def test_before_the_first_there_is_nothing_and_when_none_is_whole_it_is_said(tmp_path):
    assert last_whole(tmp_path) == (None, [])
    flip(checkpoint(tmp_path, 15) / "actor/model.pt")
    with pytest.raises(TrainError, match="no checkpoint in .* is whole .*step 15.*another --run"):
        last_whole(tmp_path)


def test_a_full_disk_is_known_by_what_is_left_where_the_error_does_not_say_so(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        with pytest.raises(RuntimeError) as caught:
            torch.save({"w": torch.zeros(1 << 20)}, small / "model.pt")
        said = RuntimeError(str(caught.value))
        del caught  # it holds the file open
        assert "No space left" not in str(said) and disk_full(small, said)
        (small / "model.pt").unlink()
        assert not disk_full(small, said) and disk_full(
            small, OSError(28, "No space left on device")
        )
    finally:
        subprocess.run(["umount", str(small)], check=True)
