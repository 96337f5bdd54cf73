"""Perplexity against a loop over one token at a time, on a tiny model with random weights."""

import math

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from agents.synthesis.naturalness import LanguageModel, TextScore, perplexity
from data_engine.errors import DataError

TEXTS = [
    "A war film with Sue Stone, please.",
    "x",
    "",
    "Something by Ann Arden that is older than 1984, and not a comedy: I have seen them all.",
    "Amélie? é 🎬",
    "A war film with Sue Stone, please.",
]


def tiny_model(path, begin="<s>"):
    """A causal model of 20,000 random weights and a byte-level tokenizer, as a folder."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=begin).save_pretrained(path)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.5,
    )
    LlamaForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("tiny"))


def by_hand(folder, text):
    """Negative log-likelihoods: the model reads the text anew up to each of its tokens."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids, found = tokenizer.encode(text, add_special_tokens=False), []
    for k, token in enumerate(ids):
        read = torch.tensor([[tokenizer.bos_token_id, *ids[:k]]])
        found.append(-model(read).logits[0, -1].log_softmax(-1)[token].item())
    return found


@pytest.mark.parametrize("most_tokens", [1, 40, 1024])
def test_scores_are_those_of_a_loop_over_tokens_whatever_the_batches(folder, most_tokens):
    model = LanguageModel(folder)
    scores = model.score(TEXTS, most_tokens)
    assert model.score([], most_tokens) == []
    for text, score in zip(TEXTS, scores, strict=True):
        assert score.nlls == pytest.approx(by_hand(folder, text), abs=1e-4)
        if text:
            starts, ends = zip(*score.spans, strict=True)
            assert (starts[0], ends[-1]) == (0, len(text)) and sorted(starts) == list(starts)
    assert max(score.nll for score in scores if score.tokens) > 2  # random weights know nothing


def test_a_group_weighs_every_token_alike():
    """(1 + 2 + 3 + 6) / 4 = 3, not the mean of the texts' 2 and 6."""
    long = TextScore((1.0, 2.0, 3.0), ((0, 1), (1, 4), (4, 6)))
    short = TextScore((6.0,), ((0, 2),))
    assert (long.nll, long.tokens, short.nll) == (2.0, 3, 6.0)
    assert perplexity([long, short]) == pytest.approx(math.exp(3))
    assert math.isnan(perplexity([])) and math.isnan(TextScore((), ()).nll)


def test_tokens_that_touch_a_span_are_read_but_not_counted():
    score = TextScore((1.0, 2.0, 3.0), ((0, 1), (1, 4), (4, 6)))
    assert score.outside([]) == score
    assert score.outside([(2, 3)]) == TextScore((1.0, 3.0), ((0, 1), (4, 6)))
    assert score.outside([(0, 1), (3, 5)]) == TextScore((), ())
    assert score.outside([(6, 9)]) == score


def test_a_folder_without_a_model_is_named_with_what_to_do(tmp_path):
    with pytest.raises(DataError, match="rerec model smollm2"):
        LanguageModel(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "resnet"}')
    with pytest.raises(DataError, match="no causal language model"):
        LanguageModel(tmp_path)
    with pytest.raises(DataError, match="begins a text"):
        LanguageModel(tiny_model(tmp_path / "silent", begin=None))
