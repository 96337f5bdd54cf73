"""Questions about what comes next, as verl reads them; and their answers as a policy learns to give them."""

from collections.abc import Callable, Sequence

from data_engine.datasets.parquet import next_row
from data_engine.datasets.sequences import TRAIN, VALIDATION, Cut, Next, Sequences
from data_engine.graphs.evidence import Evidence
from train.sequential.thoughts import READ, Thought
from train.sft.lessons import Lesson
from train.tasks.prompts import history_prompt, thought_out

VALIDATED = 3000


def question(one: Next, sequences: Sequences, evidence: Evidence) -> str:
    """The last items with their facts, for a policy that knows nothing of the world."""
    return history_prompt([sequences.items[k] for k in one.history[-READ:]], evidence)


def next_rows(evidence: Evidence, cut: Cut, most: int) -> dict[str, list[dict]]:
    """Rows by split: `most` moments of training, evenly over all, and VALIDATED of validation."""
    graph, found = evidence.interactions, {}
    sequences = Sequences.of(graph, cut)
    for split, part, count in (("rl", TRAIN, most), ("validation", VALIDATION, VALIDATED)):
        chosen = evenly(list(sequences.nexts(part)), count)
        found[split] = [
            next_row(
                evidence.domain,
                f"{graph.users[n.user]}:{len(n.history)}",
                split,
                question(n, sequences, evidence),
            )
            for n in chosen
        ]
    return found


def next_lessons(
    moments: Sequence[Next],
    think: Callable[[Sequence[Next]], list[Thought]],
    sequences: Sequences,
    evidence: Evidence,
) -> list[Lesson]:
    """What a policy is taught to answer before those moments; one without an answer teaches nothing."""
    thoughts = zip(moments, think(moments), strict=True)
    return [
        Lesson(question(n, sequences, evidence), thought_out(*thought), ())
        for n, thought in thoughts
        if thought.answer
    ]


def evenly(rows: list[Next], most: int, between: bool = False) -> list[Next]:
    """At most so many of them, evenly over all; those `between` are others, where there are twice as many."""
    return (
        [rows[(2 * k + between) * len(rows) // (2 * most)] for k in range(most)]
        if most < len(rows)
        else rows
    )
