"""Tokens per second of the rollout on CPU against a plain decode loop over the same weights: no
padding, keys and values written in place, every row to the end. Both read a prompt once for its
four responses and draw at temperature 1, by one uniform number per token.

A tiny policy's shape by default; `--folder MODEL` takes the weights of a Qwen2 or Llama model. The
loop's greedy tokens are checked against the model's own before anything is timed.
"""

import argparse
import statistics
import time
from typing import Any

import torch
from torch.nn.functional import embedding, linear, scaled_dot_product_attention, silu
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from tests.bench.load import report
from train.evaluation.sampling import SamplingRequest, generate

TARGET, ROUNDS = 0.7, 5
EACH = 4  # responses per prompt
TINY: dict[str, Any] = {
    "vocab_size": 2387,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 1024,
    "tie_word_embeddings": True,
}


def normed(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    return torch.nn.functional.rms_norm(x, weight.shape, weight, eps)


def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


class PlainLoop:
    """The decoder of Llama and Qwen2 written out, over a model's weights."""

    def __init__(self, model: Any, rows: int, room: int) -> None:
        c = self.config = model.config
        self.w = dict(model.named_parameters())
        self.size = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
        shape = (rows, c.num_key_value_heads, room, self.size)
        dtype = model.dtype
        self.cache = [
            (torch.zeros(shape, dtype=dtype), torch.zeros(shape, dtype=dtype))
            for _ in range(c.num_hidden_layers)
        ]
        places = torch.arange(room)[None]
        cos, sin = model.model.rotary_emb(torch.zeros(1, 1, 1, dtype=dtype), places)
        self.cos, self.sin = cos[:, None], sin[:, None]

    def heads(self, x: torch.Tensor, name: str, count: int) -> torch.Tensor:
        y = linear(x, self.w[f"{name}.weight"], self.w.get(f"{name}.bias"))
        return y.view(*x.shape[:2], count, self.size).transpose(1, 2)

    def attended(self, x: torch.Tensor, number: int, start: int) -> torch.Tensor:
        """What layer `number` reads at the tokens x (rows, tokens, width) from `start` on."""
        name, c, end = f"model.layers.{number}.self_attn", self.config, start + x.shape[1]
        cos, sin = self.cos[:, :, start:end], self.sin[:, :, start:end]
        q = rotated(self.heads(x, f"{name}.q_proj", c.num_attention_heads), cos, sin)
        keys, values = self.cache[number]
        keys[:, :, start:end] = rotated(
            self.heads(x, f"{name}.k_proj", c.num_key_value_heads), cos, sin
        )
        values[:, :, start:end] = self.heads(x, f"{name}.v_proj", c.num_key_value_heads)
        k, v, groups = keys[:, :, :end], values[:, :, :end], self.config.num_attention_heads
        if x.shape[1] == 1:  # the heads of a group read the same keys: one matrix product
            q = q.reshape(len(x), c.num_key_value_heads, groups // c.num_key_value_heads, self.size)
            found = scaled_dot_product_attention(q, k, v).reshape(len(x), groups, 1, self.size)
        else:
            found = scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return linear(found.transpose(1, 2).flatten(2), self.w[f"{name}.o_proj.weight"])

    def logits(self, ids: torch.Tensor, start: int) -> torch.Tensor:
        """Of the token after ids (rows, tokens), which stand at `start` and after it."""
        table, eps = self.w["model.embed_tokens.weight"], self.config.rms_norm_eps
        x = embedding(ids, table)
        for number in range(self.config.num_hidden_layers):
            name = f"model.layers.{number}"
            y = normed(x, self.w[f"{name}.input_layernorm.weight"], eps)
            x = x + self.attended(y, number, start)
            y = normed(x, self.w[f"{name}.post_attention_layernorm.weight"], eps)
            gate = silu(linear(y, self.w[f"{name}.mlp.gate_proj.weight"]))
            up = linear(y, self.w[f"{name}.mlp.up_proj.weight"])
            x = x + linear(gate * up, self.w[f"{name}.mlp.down_proj.weight"])
        x = normed(x[:, -1], self.w["model.norm.weight"], eps)
        return linear(x, self.w.get("lm_head.weight", table)).float()

    def read(self, prompts: torch.Tensor) -> torch.Tensor:
        """The logits after the prompts, a row per response."""
        whole = self.cache
        self.cache = [(k[: len(prompts)], v[: len(prompts)]) for k, v in whole]
        logits = self.logits(prompts, 0)
        for (keys, values), (read_keys, read_values) in zip(whole, self.cache, strict=True):
            end = prompts.shape[1]
            keys[:, :, :end] = read_keys[:, :, :end].repeat_interleave(EACH, 0)
            values[:, :, :end] = read_values[:, :, :end].repeat_interleave(EACH, 0)
        self.cache = whole
        return logits.repeat_interleave(EACH, 0)

    @torch.inference_mode()
    def run(self, prompts: torch.Tensor, tokens: int, *, greedy: bool = False) -> torch.Tensor:
        """(rows, tokens) of responses, EACH to every one of the prompts (rows / EACH, width)."""
        drawn: list[torch.Tensor] = []
        logits = self.read(prompts)
        for step in range(tokens):
            if step:
                logits = self.logits(drawn[-1], prompts.shape[1] + step - 1)
            drawn.append(logits.argmax(-1, keepdim=True) if greedy else one_of_each(logits))
        return torch.cat(drawn, 1)


def one_of_each(logits: torch.Tensor) -> torch.Tensor:
    """A token per row, drawn by one uniform number, as the rollout draws."""
    reached = logits.softmax(-1).cumsum(-1)
    drawn = torch.searchsorted(reached, torch.rand(len(logits), 1) * reached[:, -1:])
    return drawn.clamp(max=logits.shape[-1] - 1)


def seconds(call: Any) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder")
    parser.add_argument("--rows", type=int, default=128)
    parser.add_argument("--prompt", type=int, default=220)
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--dtype", default="float32")
    given = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)
    model: Any = (
        AutoModelForCausalLM.from_pretrained(given.folder, dtype=getattr(torch, given.dtype))
        if given.folder
        else Qwen2ForCausalLM(Qwen2Config(**TINY))
    ).eval()
    prompts = torch.randint(3, model.config.vocab_size, (given.rows // EACH, given.prompt))
    loop = PlainLoop(model, given.rows, given.prompt + given.tokens)
    requests = [
        SamplingRequest(tuple(row), 1.0, given.tokens, seed)
        for seed, row in enumerate(prompts.repeat_interleave(EACH, 0).tolist())
    ]
    check = [SamplingRequest(r.prompt, 0.0, 8, 0) for r in requests]
    ours = torch.tensor([ids for ids, _ in generate(model, check, -1, 0)])
    same = (ours == loop.run(prompts, 8, greedy=True)).float().mean().item()
    assert same > 0.98, f"the loop is not the same model: {same:.2f} of the greedy tokens agree"
    ratios = []
    for turn in range(ROUNDS):
        plain = seconds(lambda: loop.run(prompts, given.tokens))
        rollout = seconds(lambda: generate(model, requests, -1, 0))
        ratios.append(plain / rollout)
        print(f"round {turn}: loop {plain:.2f} s, rollout {rollout:.2f} s, {ratios[-1]:.2f}")
    figure = statistics.median(ratios)
    report("rollout", figure, "of the plain loop's tokens per second", TARGET, figure >= TARGET)


if __name__ == "__main__":
    main()
