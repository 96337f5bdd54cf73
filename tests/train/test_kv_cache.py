"""The rollout's cache and attention against the model read anew at every token, without a cache."""

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config

from train.evaluation.sampling import SamplingRequest, generate

SIZES = {
    "vocab_size": 97,
    "hidden_size": 48,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "initializer_range": 0.5,  # so that the tokens differ
}
CONFIGS = {
    "llama": LlamaConfig(**SIZES),
    "qwen2": Qwen2Config(**SIZES),
    "eager": LlamaConfig(**SIZES, attn_implementation="eager"),
    "sliding": MistralConfig(**SIZES, sliding_window=6),
    "mixed": Qwen2Config(
        **SIZES,
        use_sliding_window=True,
        sliding_window=6,
        max_window_layers=1,
    ),
}
PROMPTS = [(5, 6, 7), (9,), (11, 12, 13, 14, 15, 16, 17, 18, 19), (5, 6, 7), (3, 4)]
LIMITS = [12, 3, 9, 1, 12]


def greedy(model, prompt, tokens):
    """Response and log-probabilities; every token reads all before it again."""
    ids, found = list(prompt), []
    for _ in range(tokens):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        ids.append(int(logits.argmax()))
        found.append(float(logits.log_softmax(-1).max()))
    return ids[len(prompt) :], found


@pytest.mark.parametrize("name", CONFIGS)
def test_responses_are_those_of_the_model_without_a_cache(name):
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_config(CONFIGS[name]).eval()
    attention = model.config._attn_implementation
    asked = [SamplingRequest(p, 0.0, n, 0) for p, n in zip(PROMPTS, LIMITS, strict=True)]
    for (ids, logprobs), request in zip(generate(model, asked, -1, 0), asked, strict=True):
        expected, at = greedy(model, request.prompt, request.max_tokens)
        assert ids == expected
        assert logprobs == pytest.approx(at, abs=1e-4)
    assert model.config._attn_implementation == attention
