"""Examples ↔ verl parquet. A verl row holds the prompt and the example id; the reward server alone knows the gold.

`extra_info` has what training may know: id, kind, prior difficulty, gold position is not among it. The `example` column is the
whole record as JSON, for people and for `read_examples`; training files are written without it.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_engine.errors import DataError
from data_engine.schema import Example


def verl_row(example: Example, prompt: str) -> dict[str, object]:
    """One row as verl's RLHFDataset reads it."""
    return {
        "data_source": f"rerec/{example.domain}/{example.kind}",
        "prompt": [{"role": "user", "content": prompt}],
        "ability": "recommendation",
        "reward_model": {"style": "rule", "ground_truth": example.example_id},
        "extra_info": {"example_id": example.example_id, "kind": example.kind, "difficulty": example.difficulty, "split": example.split},
    }


def write_verl(path: Path, examples: list[Example], prompts: list[str], *, whole: bool = False) -> None:
    """Write rows in order, through a temporary file; `whole` adds the `example` column. Raises DataError for no Examples."""
    if not examples:
        raise DataError(f"no Examples to write to {path}: run `rerec synth` with a count for that split")
    rows = [verl_row(e, p) | ({"example": e.model_dump_json()} if whole else {}) for e, p in zip(examples, prompts, strict=True)]
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    pq.write_table(pa.Table.from_pylist(rows), draft)
    draft.replace(path)


def read_examples(path: Path) -> list[Example]:
    """The Examples of a parquet written with `whole`. Raises DataError when the file or the column is missing."""
    try:
        column = pq.read_table(path, columns=["example"])["example"]
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise DataError(f"{path} holds no whole Examples: write it with `rerec synth --out`") from error
    return [Example.model_validate_json(body.as_py()) for body in column]
