import os

import pytest

from data_engine.runtime import machine

pytestmark = pytest.mark.unit
WHOLE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.mark.parametrize(
    ("second", "first", "expected"),
    [
        (None, None, WHOLE),
        ("max", None, WHOLE),  # version 2 without a limit
        (str(3 * 2**30), None, 3 * 2**30),
        (None, str(2 * 2**30), 2 * 2**30),
        (None, "9223372036854771712", WHOLE),  # version 1 without a limit
    ],
)
def test_memory_is_the_containers_where_that_is_less(
    second, first, expected, tmp_path, monkeypatch
):
    paths = [tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"]
    monkeypatch.setattr(machine, "LIMITS", tuple(map(str, paths)))
    for path, said in zip(paths, (second, first), strict=True):
        if said is not None:
            path.write_text(f"{said}\n")
    assert machine.memory() == expected / 2**30
