"""Responses as a chat model could write them, and which of their characters each token holds, by
another way than `train.algorithms.spans`: from the text of every prefix.
"""

from os.path import commonprefix

from train.tasks import TASKS

EMOJI = ("🎬", "👍🏽", "👩‍👩‍👧", "🇫🇷", "❤️", "①")
ACCENTS = {"a": "á", "e": "é", "i": "ï", "o": "ö", "u": "ů", "n": "ñ", "s": "ş", "c": "ç"}
COMBINING = "\u0301"  # an accent that is a character of its own
MARKS = ("**", "_", "`", "> ", "### ", "1. ", "- [x] ", "  ", "\t", "\r\n", "\n\n\n", "…", "�")
UNFINISHED = "\ufffd"


def told_chains(examples, evidence):
    """(Example, text) of every chain, told in sentences."""
    tell = TASKS["chat"].tell
    return [(one, tell(one, chain, evidence)) for one in examples for chain in one.chains]


def mutated(text, rng, titles):
    """The text with a few of: emoji, accents, markdown, another title, a misspelling, an end."""
    for _ in range(rng.randint(0, 4)):
        at = rng.randrange(len(text) + 1)
        text = rng.choice(MUTATIONS)(text, at, rng, titles)
    return text


def _emoji(text, at, rng, _):
    return text[:at] + rng.choice(EMOJI) + text[at:]


def _accent(text, at, rng, _):
    letter = text[at : at + 1]
    return text[:at] + (ACCENTS.get(letter) or letter + COMBINING) + text[at + 1 :]


def _mark(text, at, rng, _):
    return text[:at] + rng.choice(MARKS) + text[at:]


def _title(text, at, rng, titles):
    return text[:at] + rng.choice(titles) + text[at:]


def _misspelling(text, at, rng, _):
    return text[:at] + text[at + 1 :]


def _end(text, at, rng, _):
    return text[:at] if rng.random() < 0.3 else text


MUTATIONS = (_emoji, _accent, _mark, _title, _misspelling, _end)


def sampled_ids(text, tokenizer, rng):
    """Token ids of the text as a policy may sample it.

    A policy does not always choose the tokens that the tokenizer would, and may be cut off, in the
    middle of a character too.
    """
    edges = sorted(rng.randrange(len(text) + 1) for _ in range(rng.choice((0, 0, 3))))
    parts = [text[a:b] for a, b in zip([0, *edges], [*edges, len(text)], strict=True)]
    ids = []
    for part in parts:
        ids += tokenizer(part, add_special_tokens=False)["input_ids"] if part else []
    if not ids or rng.random() < 0.75:
        return [*ids, tokenizer.eos_token_id]
    ends = range(1, len(ids) + 1)
    inside = [k for k in ends if tokenizer.decode(ids[k - 1 : k]).endswith(UNFINISHED)]
    return ids[: rng.choice(inside or ends)]


def prefix_spans(ids, tokenizer):
    """(text, spans): a token holds the characters by which it makes the decoded text longer."""
    text = tokenizer.decode(ids, skip_special_tokens=True)
    spans, end = [], 0
    for k in range(len(ids)):
        prefix = tokenizer.decode(ids[: k + 1], skip_special_tokens=True)
        begin, end = end, max(end, len(commonprefix([prefix, text])))
        spans.append((begin, end))
    return text, spans


def whole_characters(text):
    """How far the text has no character that was left unfinished."""
    return text.index(UNFINISHED) if UNFINISHED in text else len(text)


def holders(spans, start, end):
    """Indices from the first to the last token with a character in start..end.

    Those between hold the first bytes of a character that another one completes.
    """
    found = [k for k, (a, b) in enumerate(spans) if max(a, start) < min(b, end)]
    return list(range(found[0], found[-1] + 1)) if found else []
