"""`rerec model check`: a model is reported on whole, whatever is wrong with it."""

import pytest

from tests.train.chat_model import make_chat_model
from train.errors import TrainError
from train.models.report import report


@pytest.fixture
def folder(tmp_path):
    return make_chat_model(tmp_path / "model", ["A film, please."])


def test_a_sound_model_is_fine_throughout(folder):
    found = report(str(folder))
    assert found.wrong == []
    expected = {"chat_template": "fine", "tokenizer_round_trip": "fine", "context": 4096}
    assert expected.items() <= found.facts.items()
    assert 0 < found.facts["lora_gb"] < found.facts["rft_gb"]
    assert found.facts["sft_least_gb"] <= found.facts["sft_gb"] < found.facts["rft_gb"]


def test_all_that_is_wrong_is_told_at_once(folder):
    (folder / "chat_template.jinja").unlink()
    (folder / "model.safetensors").unlink()
    found = report(str(folder))
    assert found.facts["chat_template"] == "WRONG"
    assert found.facts["tokenizer_round_trip"] == "fine"
    assert [("chat template" in line, "holds no weights" in line) for line in found.wrong] == [
        (True, False),
        (False, True),
    ]


def test_a_model_without_a_tokenizer_is_told_of(folder):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    found = report(str(folder))
    assert len(found.wrong) == 1 and "no tokenizer can be read" in found.wrong[0]


def test_there_is_no_report_without_a_model(tmp_path):
    with pytest.raises(TrainError, match="no model folder at"):
        report(str(tmp_path / "none"))
