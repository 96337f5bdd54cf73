"""Examples ↔ parquet, as verl and other trainers read it. A row holds the prompt and the example
id; the reward server alone knows the gold.

`extra_info` has what training may know: id, kind, prior difficulty, gold position is not among it.
The `example` column is the whole record as JSON, for people and for `read_examples`; training files
are written without it.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data_engine.errors import DataError
from data_engine.runtime.atomic import draft
from data_engine.schema import Example

WHOLE = "example"  # the column that holds gold


def verl_row(example: Example, prompt: str) -> dict[str, object]:
    """One row as verl's RLHFDataset reads it."""
    return {
        "data_source": f"rerec/{example.domain}/{example.kind}",
        "prompt": [{"role": "user", "content": prompt}],
        "ability": "recommendation",
        "reward_model": {"style": "rule", "ground_truth": example.example_id},
        "extra_info": {
            "example_id": example.example_id,
            "kind": example.kind,
            "difficulty": example.difficulty,
            "split": example.split,
        },
    }


def next_row(domain: str, query_id: str, split: str, prompt: str) -> dict[str, object]:
    """A row that asks what comes next; a reward server with a RecHead knows what did."""
    return {
        "data_source": f"rerec/{domain}/next_item",
        "prompt": [{"role": "user", "content": prompt}],
        "ability": "recommendation",
        "reward_model": {"style": "rule", "ground_truth": query_id},
        "extra_info": {"example_id": query_id, "kind": "next_item", "split": split},
    }


def metadata(path: Path) -> pq.FileMetaData:
    """Of a parquet file. Raises DataError for another file."""
    try:
        return pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path} is no parquet file: write it again, or remove it") from error


def graphs_of(path: Path) -> set[str]:
    """The digests of the graphs that the rows of a parquet file are of; none where it names none.

    Raises DataError for a file that is no parquet.
    """
    if "graph_digest" not in metadata(path).schema.names:
        return set()
    return set(pq.read_table(path, columns=["graph_digest"]).column(0).to_pylist())


def write_whole(path: Path, examples: list[Example]) -> None:
    """Examples with their whole records, gold too, beside the queries. Raises DataError for none.

    For people and for `read_examples`; what a trainer needs is a column of its own.
    """
    write_verl(path, [_whole_row(example) for example in examples])


def _whole_row(example: Example) -> dict[str, object]:
    row = with_identity(verl_row(example, example.query), example, example.provenance.graph_digest)
    return row | {WHOLE: example.model_dump_json()}


def with_identity(row: dict[str, object], example: Example, digest: str) -> dict[str, object]:
    """A row with the columns that trainers hand to a reward function: which Example of which graph.

    label: both in one, for trainers that send nothing else. candidates: item ids, for look-ups.
    """
    return row | {
        "example_id": example.example_id,
        "graph_digest": digest,
        "kind": example.kind,
        "label": f"{example.example_id}@{digest}",
        "candidates": list(example.candidates),
    }


def write_verl(path: Path, rows: list[dict[str, object]]) -> None:
    """Write rows in order, all or none. Raises DataError for none."""
    if not rows:
        raise DataError(
            f"nothing to write to {path}: run `rerec synth` with a count for that split"
        )
    with draft(path) as part:
        pq.write_table(pa.Table.from_pylist(rows), part)


def read_examples(path: Path) -> list[Example]:
    """The Examples of a parquet written with `whole`. Raises DataError when the file or the column
    is missing.
    """
    try:
        column = pq.read_table(path, columns=[WHOLE])[WHOLE]
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        raise DataError(
            f"{path} holds no whole Examples: write it with `rerec synth --out`"
        ) from error
    return [Example.model_validate_json(body.as_py()) for body in column]
