"""Examples as other trainers read them: a prompt, which Example of which graph, and no gold.

Per split a parquet file (TRL, verl, OpenRLHF, slime) and a JSONL file (NeMo-Gym, verifiers,
OpenEnv) with the same rows in the same order.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from data_engine.datasets.parquet import with_identity, write_verl
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.runtime.atomic import write
from data_engine.schema import Example
from reward_server.compat.tools import tool_schemas
from train.tasks import TASKS

CARRIED = ("example_id", "graph_digest", "kind", "candidates")


def export(
    examples: Mapping[str, Sequence[Example]],
    evidence: Evidence,
    out: Path,
    style: str,
    tools: bool = False,
) -> dict[str, int]:
    """Write out/SPLIT.parquet and out/SPLIT.jsonl; returns the rows of each split that has any.

    style: a key of TASKS. tools: the JSONL rows offer the look-ups as tools. Raises DataError for
    another style, or where no Example can be asked so.
    """
    if style not in TASKS:
        raise DataError(f"no --style {style!r}: choose from {', '.join(TASKS)}")
    task, offered = TASKS[style], tool_schemas(evidence.attributes.relations, "responses")
    counts = {}
    for split, some in examples.items():
        chosen = task.fitting(some)
        rows = [with_identity(task.row(e, evidence), e, evidence.digest) for e in chosen]
        if rows:
            write_verl(out / f"{split}.parquet", rows)
            lines = [msgspec.json.encode(_gym_row(row, offered if tools else [])) for row in rows]
            write(out / f"{split}.jsonl", b"\n".join(lines) + b"\n")
            counts[split] = len(rows)
    if not counts:
        raise DataError(f"no Example here can be asked as {style}: {task.how_to_get_more}")
    return counts


def _gym_row(row: Mapping[str, object], tools: Sequence[dict[str, Any]]) -> dict[str, object]:
    """A row as NeMo-Gym and those who read its files want it."""
    request = {"input": row["prompt"]} | ({"tools": list(tools)} if tools else {})
    return {"responses_create_params": request} | {name: row[name] for name in CARRIED}
