"""An adapter's weights as verl saves them become a plain model.

Against the formula, written out.
"""

import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from train.errors import TrainError
from train.rft.adapter import merge_adapter

RANK, ALPHA = 2, 6
ADAPTED = [
    f"model.layers.{layer}.{part}_proj"
    for layer in (0, 1)
    for part in ("self_attn.q", "self_attn.v", "mlp.down")
]
SETTINGS = OmegaConf.create(
    {"lora_rank": RANK, "lora_alpha": ALPHA, "target_modules": ["q_proj", "v_proj", "down_proj"]}
)


@pytest.fixture
def model():
    torch.manual_seed(0)
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    }
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=40, tie_word_embeddings=True, **sizes)).eval()


def saved(folder, model, files=1):
    """As verl does.

    PEFT's names, base weights and adapters together, in one file or more; what W should become.
    """
    model.config.save_pretrained(folder)
    state, merged = {}, {}
    for name, weight in model.state_dict().items():
        layer, kind = name.rsplit(".", 1)
        merged[name] = weight.clone()
        if name == "lm_head.weight":  # tied: the embeddings again
            continue
        state[f"base_model.model.{layer}{'.base_layer' if layer in ADAPTED else ''}.{kind}"] = (
            weight.clone()
        )
        if layer in ADAPTED and kind == "weight":
            b, a = torch.randn(weight.shape[0], RANK), torch.randn(RANK, weight.shape[1])
            state |= {
                f"base_model.model.{layer}.lora_A.default.weight": a,
                f"base_model.model.{layer}.lora_B.default.weight": b,
            }
            merged[name] += ALPHA / RANK * b @ a
    names = sorted(state)
    for k in range(files):
        save_file(
            {name: state[name] for name in names[k::files]},
            folder / f"model-{k}.safetensors",
            metadata={"format": "pt"},
        )
    return merged


@pytest.mark.parametrize("files", [1, 3])
def test_a_saved_adapter_becomes_a_plain_model(tmp_path, model, files):
    expected = saved(tmp_path, model, files)
    merge_adapter(tmp_path, SETTINGS)
    found, told = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert (
        not told["missing_keys"]
        and not told["unexpected_keys"]
        and [f.name for f in tmp_path.glob("*.safetensors")] == ["model.safetensors"]
    )
    for name, weight in found.state_dict().items():
        torch.testing.assert_close(weight, expected[name])


def test_weights_of_another_adapter_are_refused(tmp_path, model):
    saved(tmp_path, model)
    for wrong in (
        {"lora_rank": 3},
        {"target_modules": ["q_proj", "v_proj", "down_proj", "up_proj"]},
        {"target_modules": ["q_proj"]},
    ):
        with pytest.raises(TrainError, match="are not of an adapter of rank"):
            merge_adapter(tmp_path, OmegaConf.merge(SETTINGS, wrong))
    assert (tmp_path / "model-0.safetensors").is_file()
