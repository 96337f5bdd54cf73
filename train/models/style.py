"""The prompts that a model of ours was trained with."""

import json
from pathlib import Path

import yaml

from train.sft.config import ENTITIES

CHAT, TERSE = "chat", "open-book"


def style_of(folder: Path) -> str:
    """The style of a model folder: as the run that made it says, open-book for another tiny
    policy, else chat.
    """
    run = folder.resolve().parent
    for said in (_of_recipe(run / "config.yaml"), _of_record(run / "provenance.json")):
        if said:
            return said
    return TERSE if (folder / ENTITIES).is_file() else CHAT


def _of_recipe(path: Path) -> str:
    """The style of a reinforcement run's recipe, "" where there is none."""
    try:
        return str(yaml.safe_load(path.read_text(encoding="utf-8"))["rerec"]["style"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""


def _of_record(path: Path) -> str:
    """The style of a supervised run, "" where it is not recorded."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["config"]["style"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
