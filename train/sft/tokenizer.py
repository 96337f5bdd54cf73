"""A tokenizer that knows a catalogue: one token per name, with the space before it.

So is every word of the SFT texts; the rest falls back to bytes, so any text can be read.
transformers loads any `model_type=qwen2` folder as the byte-level-BPE `Qwen2Tokenizer`, so that
class is what is built here.
"""

import re
from collections.abc import Iterable, Iterator

from tokenizers import AddedToken
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer

from data_engine.graphs.evidence import Evidence

PAD, TURN, END = "<pad>", "<|im_start|>", "<|im_end|>"
CHAT = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' "
    "+ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
ALWAYS = {"user", "assistant", "system", "\n", "\n\n", " <answer>", " </answer>"}
_LINE = re.compile(r"[^\n]*\n*")
_WORD = re.compile(r" ?[\w'-]+| ?</?\w+>|\n+| ?[^\w\s]")


def build_tokenizer(
    evidence: Evidence, texts: Iterable[str], *others: Evidence
) -> tuple[Qwen2Tokenizer, dict[str, list[int]]]:
    """The tokenizer, and the token ids of its names in three groups.

    Names may be swapped within a group: items, category, others. Those of the `others`, further
    catalogues, are known too: swapped in, they are read as any name.
    """
    groups = names(evidence, *others)
    entities: dict[str, None] = {}
    for group in groups.values():
        entities |= group
    names_only = tokenizer_of(list(entities))
    words = set(ALWAYS)
    lines = {line for text in texts for line in _LINE.findall(text)}  # most are often repeated
    for rest in _between_names(names_only, sorted(lines), len(entities)):
        words.update(_WORD.findall(rest))
    tokenizer = tokenizer_of([*sorted(words - set(entities)), *entities])
    vocabulary = tokenizer.get_vocab()
    ids = {
        name: sorted({vocabulary[surface] for surface in group}) for name, group in groups.items()
    }
    return tokenizer, ids


def names(*catalogues: Evidence) -> dict[str, dict[str, None]]:
    """The names of items, categories and others, in order, each with the space before it."""
    groups: dict[str, dict[str, None]] = {"items": {}, "category": {}, "others": {}}
    for evidence in catalogues:
        cards, graph = evidence.cards, evidence.attributes
        for item in sorted(cards.rows):
            groups["items"][f" {graph.titles[item]}"] = None
        for relation, value in sorted(cards.holders):
            group = "category" if relation == cards.category else "others"
            groups[group][f" {graph.names[value]}"] = None
    return groups


def tokenizer_of(surfaces: list[str]) -> Qwen2Tokenizer:
    """The byte alphabet without merges, then one added token per surface; longest match first."""
    alphabet = {c: i for i, c in enumerate(sorted(ByteLevel.alphabet()))}
    tokenizer = Qwen2Tokenizer(
        vocab=alphabet,
        merges=[],
        unk_token=None,  # type: ignore[arg-type]  # bytes leave nothing unknown
        bos_token=None,
        eos_token=END,
        pad_token=PAD,
    )
    tokenizer.add_tokens([AddedToken(s, normalized=False, special=True) for s in (PAD, TURN, END)])
    tokenizer.add_tokens([AddedToken(s, normalized=False, special=False) for s in surfaces])
    tokenizer.chat_template = CHAT
    return tokenizer


def _between_names(tokenizer: Qwen2Tokenizer, texts: list[str], count: int) -> Iterator[str]:
    """The stretches of the texts between names, which are the last `count` token ids."""
    first_name = len(tokenizer) - count
    encoded = tokenizer.backend_tokenizer.encode_batch(texts, add_special_tokens=False)
    for text, found in zip(texts, encoded, strict=True):
        start = 0
        for token, (first, end) in zip(found.ids, found.offsets, strict=True):
            if token >= first_name:
                yield text[start:first]
                start = end
        yield text[start:]
