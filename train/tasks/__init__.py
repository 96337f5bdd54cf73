"""Tasks: what a policy is asked and how its response is read, one class per kind of task.

`TASKS` has those about Examples, by their style (`--style`, `rerec.style` of a recipe): single
turns and dialogues. `NextItem` asks what a user will want next. To add a style, write a subclass
of `ExampleTask` (or an instance of `SingleTurn`) and add it to `TASKS`: supervised fine-tuning,
recipes and evaluation find it there.
"""

from data_engine.datasets.sequences import Cut
from train.tasks.base import ExampleTask, Task
from train.tasks.conversation import Conversation
from train.tasks.dialogue import DialogueTask
from train.tasks.next_item import NextItem
from train.tasks.single_turn import SINGLE_TURNS
from train.tasks.tools import Tools

TASKS: dict[str, ExampleTask] = {
    task.style: task for task in (*SINGLE_TURNS, Conversation(), Tools())
}

__all__ = ["TASKS", "DialogueTask", "ExampleTask", "NextItem", "Task", "task_of"]


def task_of(name: str, style: str, cut: Cut | None, queries: int) -> Task:
    """The task of a recipe: `rerec.task`, with `style` for Examples, `cut` and `queries` else."""
    return NextItem(cut or "time", queries) if name == "next_item" else TASKS[style]
