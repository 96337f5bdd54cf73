"""How responses are drawn from a model, whichever engine computes them."""

from dataclasses import dataclass
from typing import Literal

Engine = Literal["hf", "vllm"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "bf16", "fp16", "fp32"]


@dataclass(frozen=True)
class Decoding:
    """Settings of one evaluation.

    temperature: 0 is greedy. top_p: the tokens to draw from are the most probable ones that have
    this mass together; 1 is all. most_tokens: where a response is cut, if the model's context does
    not end before. seed: of the first prompt; that of prompt k is `seed` + k.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    most_tokens: int = 1024
    seed: int = 0
