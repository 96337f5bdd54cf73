"""The texts whose words a tiny policy must know."""

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.tasks.dialogues import DIALOGUES, fits
from train.tasks.prompts import open_book, response

SAMPLE = 2000  # Examples whose words the tokenizer learns


def vocabulary_texts(
    examples: list[Example], evidence: Evidence, style: str = "open-book"
) -> list[str]:
    """Prompts and chains of some of the Examples; of a dialogue all messages, flawed ones too."""
    if style in DIALOGUES:
        return _dialogue_texts(examples, evidence, style)
    texts = []
    for example in examples[:: max(1, len(examples) // SAMPLE)]:
        texts.append(open_book(example, evidence))
        texts += [response(chain, evidence) for chain in example.chains]
    return texts


def _dialogue_texts(examples: list[Example], evidence: Evidence, style: str) -> list[str]:
    """Each text once, after the name of a role that the tokenizer would not know."""
    texts: dict[str, None] = {}
    for example in examples:
        if fits(style, example):
            for message in DIALOGUES[style](example, evidence):
                texts |= dict.fromkeys((message.content, *message.astray))
    return ["tool", *texts]
