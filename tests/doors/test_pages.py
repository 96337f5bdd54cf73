"""The pages whose code needs nothing of other trainers: as they say, by plain HTTP and datasets."""

import httpx
import pytest

from tests.doors.conftest import code_of

pytestmark = pytest.mark.doors


def page(name):
    """The names that a page's code defines."""
    names: dict = {}
    exec(code_of(name), names)
    return names


def test_openrlhf_and_slime_by_hand(server, rows, expected, monkeypatch):
    monkeypatch.setenv("REREC_URL", server)
    names = page("train-with-openrlhf-or-slime.md")
    labels = [f"{row['example_id']}@{row['graph_digest']}" for row in rows[:3]]
    titles = [
        row["responses_create_params"]["input"][-1]["content"]
        .split("Candidates:\n")[1]
        .split(" — ")[0]
        for row in rows[:3]
    ]
    texts = [f"<answer>{title}</answer>" for title in titles]
    scores = [
        expected(row["example_id"], text).score for row, text in zip(rows, texts, strict=False)
    ]
    assert names["openrlhf"](["p1", "p2", "p3"], texts, labels) == scores
    assert [names["slime"]("p", t, label) for t, label in zip(texts, labels, strict=True)] == scores
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        names["slime"]("p", texts[0], f"{rows[0]['example_id']}@another")


def test_a_folder_is_read_as_the_page_says(dataset, rows, film_store, tmp_path, monkeypatch):
    from data_engine.datasets.dataset_card import write_card

    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    write_card(film_store, dataset, "other", ["rl"])
    names = page("publish-a-dataset.md")
    ids = [row["example_id"] for row in rows]
    assert names["read"](str(dataset))["rl"]["example_id"] == ids
    assert list(names["read_split"](str(dataset), "rl")["example_id"]) == ids
