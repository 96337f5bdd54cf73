"""Questions about the next item for verl, and the answers that a policy is taught to give."""

from collections.abc import Sequence
from typing import Any

from data_engine.datasets.parquet import next_row
from data_engine.datasets.sampling import evenly
from data_engine.datasets.sequences import TRAIN, VALIDATION, Cut, Next, Sequences
from data_engine.graphs.evidence import Evidence
from train.sequential.thoughts import READ, Thinker
from train.sft.lessons import Lesson
from train.tasks.prompts import history_prompt, thought_out

VALIDATED = 3000  # validation queries at most


def question(one: Next, sequences: Sequences, evidence: Evidence) -> str:
    """The last items with their facts, for a policy that knows nothing of the world."""
    return history_prompt([sequences.items[k] for k in one.history[-READ:]], evidence)


def next_rows(evidence: Evidence, cut: Cut, most: int) -> dict[str, list[dict[str, Any]]]:
    """Rows by split: at most `most` training moments and VALIDATED validation queries, evenly."""
    graph, found = evidence.interactions, {}
    sequences = Sequences.of(graph, cut)
    for split, part, count in (("rl", TRAIN, most), ("validation", VALIDATION, VALIDATED)):
        found[split] = [
            next_row(
                evidence.domain,
                f"{graph.users[one.user]}:{len(one.history)}",
                split,
                question(one, sequences, evidence),
            )
            for one in evenly(list(sequences.nexts(part)), count)
        ]
    return found


def next_lessons(
    moments: Sequence[Next], think: Thinker, sequences: Sequences, evidence: Evidence
) -> list[Lesson]:
    """What a policy is taught to answer before those moments; without an answer, nothing."""
    return [
        Lesson(question(one, sequences, evidence), thought_out(*thought), ())
        for one, thought in zip(moments, think(moments), strict=True)
        if thought.answer
    ]
