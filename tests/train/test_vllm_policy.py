"""vLLM as the engine of an evaluation: what transformers answers, it answers."""

import pytest

from tests.train.chat_model import make_chat_model
from train.evaluation import generate
from train.evaluation.decoding import Decoding
from train.evaluation.placement import placement
from train.evaluation.vllm_policy import VLLMPolicy

CHATS = [[{"role": "user", "content": text}] for text in ("Hi.", "A film, please.", "Why?")]

pytestmark = pytest.mark.vllm


def test_the_engines_answer_alike_and_draw_by_the_seed(tmp_path):
    wide = {"hidden_size": 128, "num_attention_heads": 4, "num_key_value_heads": 4}
    folder = make_chat_model(tmp_path / "model", ["A film, please. Why? Hi."], **wide)
    greedy, drawn = Decoding(most_tokens=24), Decoding(temperature=1.0, top_p=0.9, most_tokens=24)
    policy = VLLMPolicy(folder, greedy, placement())
    told = []
    found = policy.respond(CHATS, 0, lambda *done: told.append(done))
    assert found == generate.continue_chats(*generate.load(folder), CHATS, greedy)
    assert told == [(3, 3)]
    policy._decoding = drawn
    first = policy.respond(CHATS, 0)
    assert first == policy.respond(CHATS, 0) != policy.respond(CHATS, 1)
