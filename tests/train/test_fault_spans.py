"""Token spans for every family of tokenizers, each trained here and fuzzed.

Its own offsets are the oracle.
"""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from train.algorithms.spans import decoder, token_spans, tokens_within

CORPUS = [
    "Heat is good. I'd rather watch Heat (1995), don't you? Yes: café, naïve, über, señor!",
    "The film by Ann Arden, not by Bo Berg; it was good, and the others were not so good...",
    "<answer>\nHeat (1995)\nCopycat (1995)\n</answer>\n\n  indented    and\ttabbed",
] * 4
SPECIAL = ["<pad>", "</s>", "<unk>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level():
    made = Tokenizer(models.BPE())
    made.pre_tokenizer, made.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    return made, trainers.BpeTrainer(
        vocab_size=420, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )


def fallback(made):
    if made.pre_tokenizer is None:  # so that no token is learned across words
        made.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    return made, trainers.BpeTrainer(vocab_size=220, special_tokens=SPECIAL, show_progress=False)


def llama2():
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    steps = [
        decoders.Replace("▁", " "),
        decoders.ByteFallback(),
        decoders.Fuse(),
        decoders.Strip(" ", 1, 0),
    ]
    made.decoder = decoders.Sequence(steps)
    return fallback(made)


def gemma():
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return fallback(made)


def metaspace():
    made = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    return fallback(made)


def unigram():
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return made, trainers.UnigramTrainer(
        vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )


def wordpiece(cleanup=True):
    made = Tokenizer(models.WordPiece(unk_token="<unk>"))
    made.pre_tokenizer, made.decoder = (
        pre_tokenizers.BertPreTokenizer(),
        decoders.WordPiece(cleanup=cleanup),
    )
    return made, trainers.WordPieceTrainer(
        vocab_size=150, special_tokens=SPECIAL, show_progress=False
    )


FAMILIES = {
    "byte-level": byte_level,
    "llama-2": llama2,
    "gemma": gemma,
    "metaspace": metaspace,
    "unigram": unigram,
    "wordpiece": wordpiece,
    "wordpiece-as-it-is": lambda: wordpiece(cleanup=False),
}


def trained(name):
    made, trainer = FAMILIES[name]()
    made.train_from_iterator(CORPUS, trainer)
    if getattr(made.model, "byte_fallback", False):  # which needs the bytes in the vocabulary
        state = json.loads(made.to_str())
        vocabulary = state["model"]["vocab"]
        state["pre_tokenizer"] = None if name != "metaspace" else state["pre_tokenizer"]
        vocabulary |= {byte: len(vocabulary) + n for n, byte in enumerate(BYTES)}
        made = Tokenizer.from_str(json.dumps(state))
    cleaned = name == "wordpiece"  # " n't" and the like: over the whole text, after the decoder
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=cleaned,
    )


TOKENIZERS = {name: trained(name) for name in FAMILIES}
DECODERS = {name: decoder(made) for name, made in TOKENIZERS.items()}
WORDS = [
    "Heat",
    " is",
    " good",
    ".",
    "don't",
    " café",
    "  ",
    "\n",
    "\t",
    " ",
    "😀",
    "é",
    "中文",
    "👩‍👩‍👧",
    "(1995)",
    ",",
    "</answer>",
    "ing",
    "�",
    " I'd",
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=14).map("".join)
BOTH = pytest.mark.parametrize("name", FAMILIES)


def tiles(ids, name):
    """The spans of a sequence, after the invariants that hold of any.

    In order, without overlap or gap, the whole decoded text.
    """
    tokenizer = TOKENIZERS[name]
    text, spans = token_spans(ids, DECODERS[name])
    assert text == tokenizer.decode(ids, skip_special_tokens=True) and len(spans) == len(ids)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start <= end for start, end in spans) and all(
        one[1] == other[0] for one, other in zip(spans, spans[1:], strict=False)
    )
    return text, spans


@BOTH
def test_fault_12_heat_is_good(name):
    tokenizer = TOKENIZERS[name]
    ids = tokenizer("Heat is good", add_special_tokens=False)["input_ids"]
    text, spans = tiles(ids, name)
    assert text == "Heat is good"
    for word in ("Heat", "is", "good"):
        begin = text.index(word)
        held = tokens_within(spans, begin, begin + len(word))
        assert "".join(text[slice(*spans[k])] for k in held).strip() == word


@BOTH
@given(text=TEXTS)
@example("Heat is good")
@example("😀�00")
@example("��")
@example("😀��HeatHeat")
@example("���Heat")
@example("   Heat\n\n  café 😀 don't")
def test_fault_12_spans_are_the_tokenizer_s_own_offsets(name, text):
    """Token by token what its own offsets say it was made of, but for the spaces between.

    Of tokens that share a character the last has it.
    """
    tokenizer = TOKENIZERS[name]
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    decoded, spans = tiles(encoded["input_ids"], name)
    if tokenizer.unk_token_id in encoded["input_ids"]:
        return
    of = list(zip(encoded["offset_mapping"], spans, strict=True))
    for k, ((start, end), own) in enumerate(of):
        shared = [n for n, ((other, last), _) in enumerate(of) if other < end and start < last]
        here = decoded[own[0] : own[1]]
        if len(shared) <= 1:
            assert "".join(here.split()) == "".join(text[start:end].split()), (
                k,
                tokenizer.convert_ids_to_tokens(encoded["input_ids"]),
            )
    if decoded == text:
        for n in range(
            1, len(of)
        ):  # where no character is shared, what came before is what came before
            if (
                of[n - 1][0][1] <= of[n][0][0]
                and not decoded[of[n - 1][0][1] : of[n][1][1]][:1].isspace()
            ):
                assert of[n][1][0] <= of[n][0][0]


@BOTH
@given(data=st.data())
def test_fault_12_any_tokens_at_all_are_tiled(name, data):
    """What an untrained policy writes.

    Bytes that are no text, continuations of nothing, special tokens anywhere.
    """
    size = len(TOKENIZERS[name])
    tiles(data.draw(st.lists(st.integers(0, size - 1), max_size=40)), name)


@pytest.mark.parametrize("name", ["llama-2", "gemma", "metaspace"])
def test_fault_12_a_character_of_many_bytes_is_the_last_byte_s(name):
    tokenizer = TOKENIZERS[name]
    ids = tokenizer("Heat 😀 é", add_special_tokens=False)["input_ids"]
    text, spans = tiles(ids, name)
    place = text.index("😀")
    (held,) = tokens_within(spans, place, place + 1)
    assert tokenizer.convert_ids_to_tokens(ids[held - 3 : held + 1]) == [
        "<0xF0>",
        "<0x9F>",
        "<0x98>",
        "<0x80>",
    ]
    assert [text[slice(*spans[k])] for k in range(held - 3, held + 1)] == ["", "", "", "😀"]


def test_a_token_of_a_space_and_the_first_byte_of_a_character_holds_the_space():
    vocabulary = {char: k for k, char in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    space, first, second = "Ġ", "Ã", "¶"  # " " and the two bytes of "ö", as byte-level BPE has them
    vocabulary[space + first] = len(vocabulary)
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[(space, first)]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, clean_up_tokenization_spaces=False)
    ids = tokenizer("o öt")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["o", space + first, second, "t"]
    assert token_spans(ids, decoder(tokenizer)) == ("o öt", [(0, 1), (1, 2), (2, 3), (3, 4)])


@BOTH
def test_fault_12_a_special_token_holds_nothing(name):
    tokenizer = TOKENIZERS[name]
    words = tokenizer("Heat is", add_special_tokens=False)["input_ids"]
    ids = [
        *words,
        tokenizer.eos_token_id,
        *tokenizer(" good", add_special_tokens=False)["input_ids"],
        tokenizer.pad_token_id,
    ]
    _, spans = tiles(ids, name)
    assert spans[len(words)][0] == spans[len(words)][1] and spans[-1][0] == spans[-1][1]


@BOTH
def test_fault_12_the_work_is_linear_in_the_tokens(name):
    """Counted in tokens decoded, not in seconds: twice the response costs at most about twice."""
    tokenizer, counts = TOKENIZERS[name], []
    for times in (20, 40):
        ids = tokenizer("\n".join(CORPUS[:3] * times), add_special_tokens=False)["input_ids"]
        spent = [0]

        def decode(part, spent=spent):
            spent[0] += len(part)
            return tokenizer.decode(list(part), skip_special_tokens=True)

        token_spans(ids, decode)
        counts.append(spent[0] / len(ids))
    assert counts[1] < 1.2 * counts[0] and counts[1] < 20
