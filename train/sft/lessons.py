"""What supervised fine-tuning teaches: prompts with the right response and flawed ones."""

from data_engine.graphs.evidence import Evidence
from data_engine.schema import Example
from train.errors import TrainError
from train.tasks import TASKS, ExampleTask
from train.tasks.base import Lesson

__all__ = ["Lesson", "lessons", "teachable_task"]


def teachable_task(style: str) -> ExampleTask:
    """The task of a style. Raises TrainError for one that cannot be taught."""
    teachable = [name for name, task in TASKS.items() if task.teachable]
    if style not in teachable:
        raise TrainError(f"no style {style!r} to teach: choose from {', '.join(teachable)}")
    return TASKS[style]


def lessons(examples: list[Example], evidence: Evidence, style: str = "open-book") -> list[Lesson]:
    """The supervised samples of the Examples that can be asked in the style.

    Raises TrainError for a style that cannot be taught, or when no Example can be asked in it.
    """
    task = teachable_task(style)
    found: list[Lesson] = []
    for example in task.fitting(examples):
        found += task.lessons(example, evidence)
    if examples and not found:
        raise TrainError(
            f"no Example can be asked in the style {style}: "
            f"synthesise some (`rerec synth --kinds {style}`)"
        )
    return found
