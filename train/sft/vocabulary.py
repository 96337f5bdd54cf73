"""The texts whose words a tiny policy must know."""

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.sft.lessons import teachable_task


def vocabulary_texts(
    examples: list[Example], evidence: Evidence, style: str = "open-book"
) -> list[str]:
    """Prompts and responses of some of the Examples; of a dialogue all messages.

    Raises TrainError for a style that cannot be taught.
    """
    return teachable_task(style).vocabulary(examples, evidence)
