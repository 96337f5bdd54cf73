"""Our CPU engine against verl's own.

Other layout, same log-probabilities, entropies and gradients at the response positions.
"""

import os

import pytest
import torch
from tensordict import TensorDict
from transformers import Qwen2Config, Qwen2ForCausalLM

os.environ.update(VERL_PLATFORM="cpu", VERL_USE_EXTERNAL_MODULES="train.verl_plugin.platform_cpu")
pytestmark = pytest.mark.journey  # verl alone takes ten seconds to import
PROMPTS, RESPONSES = ([5, 6, 7, 8, 9], [3, 4], [11, 12, 13]), ([21, 22], [23, 24, 25, 26], [27])


def jagged(rows):
    return torch.nested.as_nested_tensor([torch.tensor(r) for r in rows], layout=torch.jagged)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    sizes = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
    }
    return Qwen2ForCausalLM(Qwen2Config(vocab_size=40, tie_word_embeddings=True, **sizes)).eval()


def outputs(engine_class, model, temperature):
    """What an engine makes of the batch, and the gradient of the summed response
    log-probabilities.
    """
    from verl.utils import tensordict_utils
    from verl.workers.utils.padding import no_padding_2_padding

    whole = [p + r for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    fields = {
        "prompts": PROMPTS,
        "responses": RESPONSES,
        "input_ids": whole,
        "position_ids": [range(len(w)) for w in whole],
    }
    batch = TensorDict(
        {name: jagged([list(r) for r in rows]) for name, rows in fields.items()}, batch_size=3
    )
    tensordict_utils.assign_non_tensor(
        batch, temperature=temperature, use_remove_padding=False, calculate_entropy=True
    )
    engine = object.__new__(engine_class)  # the two methods need no FSDP state
    engine.pad_to_length, engine.engine_config = (
        False,
        type("Config", (), {"entropy_checkpointing": False}),
    )
    inputs, args = engine.prepare_model_inputs(batch)
    found = engine.prepare_model_outputs(model(**inputs, use_cache=False), args, batch, None)
    log_probs = no_padding_2_padding(found["log_probs"], batch)
    model.zero_grad()
    log_probs.sum().backward()
    return (
        log_probs.detach(),
        no_padding_2_padding(found["entropy"], batch).detach(),
        model.model.embed_tokens.weight.grad.clone(),
    )


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_cpu_engine_agrees_with_verls(model, temperature):
    from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead

    from train.verl_plugin.engine import ResponseEngine

    for ours, verls in zip(
        outputs(ResponseEngine, model, temperature),
        outputs(FSDPEngineWithLMHead, model, temperature),
        strict=True,
    ):
        torch.testing.assert_close(ours, verls, atol=1e-5, rtol=1e-4)


def sft_loss_of(engine_class, model, masks):
    """verl's SFT loss of the batch with an engine's log-probabilities, and its gradient."""
    from verl.utils import tensordict_utils
    from verl.workers.utils.losses import sft_loss

    rows = [p + r for p, r in zip(PROMPTS, RESPONSES, strict=True)]
    fields = {"input_ids": rows, "position_ids": [range(len(r)) for r in rows], "loss_mask": masks}
    batch = TensorDict(
        {name: jagged([list(r) for r in rows]) for name, rows in fields.items()}, batch_size=3
    )
    counted = sum(map(sum, masks))
    tensordict_utils.assign_non_tensor(
        batch, temperature=1.0, use_remove_padding=False, dp_size=1, batch_num_tokens=counted
    )
    engine = object.__new__(engine_class)
    engine.pad_to_length, engine.engine_config = False, None
    inputs, args = engine.prepare_model_inputs(batch)
    found = engine.prepare_model_outputs(model(**inputs, use_cache=False), args, batch, None)
    loss, _ = sft_loss(None, found, batch)
    model.zero_grad()
    loss.backward()
    return loss.detach(), model.model.embed_tokens.weight.grad.clone()


def test_the_sft_loss_agrees_with_verls_where_a_chat_has_several_learned_messages(model):
    from verl.workers.engine.fsdp.transformer_impl import FSDPEngineWithLMHead

    from train.verl_plugin.engine import ResponseEngine

    masks = [[0, 0, 1, 1, 0, 0, 1], [0, 0, 0, 0, 1, 1], [0, 0, 0, 1]]
    ours, verls = (
        sft_loss_of(engine, model, masks) for engine in (ResponseEngine, FSDPEngineWithLMHead)
    )
    torch.testing.assert_close(ours, verls, atol=1e-5, rtol=1e-4)
    by_hand = []
    for prompt, response, mask in zip(PROMPTS, RESPONSES, masks, strict=True):
        ids = torch.tensor([prompt + response])
        said = model(input_ids=ids).logits[0].log_softmax(-1)
        by_hand += [said[t - 1, ids[0, t]] for t, counts in enumerate(mask) if counts]
    torch.testing.assert_close(ours[0], -torch.stack(by_hand).mean())


def test_what_only_verls_engine_does_is_refused():
    from verl.utils import tensordict_utils

    from train.verl_plugin.engine import ResponseEngine

    batch = TensorDict({"input_ids": jagged([[1, 2]])}, batch_size=1)
    tensordict_utils.assign_non_tensor(batch, use_remove_padding=True)
    with pytest.raises(NotImplementedError, match="use_remove_padding"):
        object.__new__(ResponseEngine).prepare_model_inputs(batch)
