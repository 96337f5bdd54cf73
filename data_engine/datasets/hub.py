"""A folder of parquet splits as a data set of the Hugging Face hub: how its card describes it to
`datasets`, and how it is pushed there.
"""

from collections.abc import Sequence
from pathlib import Path

from data_engine.datasets.parquet import WHOLE, metadata
from data_engine.errors import DataError

PUSHED = ("README.md", "*.parquet", "*.jsonl", "card/*.png")


def describe(files: Sequence[Path]) -> str:
    """The YAML (`dataset_info`) that says which features and how many rows the splits have.

    files: one parquet file per split, all with the columns of the first. Raises DataError for a
    file that is no parquet.
    """
    from datasets import DatasetInfo, Features
    from datasets.info import DatasetInfosDict
    from datasets.splits import SplitDict, SplitInfo
    from huggingface_hub import DatasetCardData

    splits, features = (
        SplitDict(),
        Features.from_arrow_schema(metadata(files[0]).schema.to_arrow_schema()),
    )
    for file in files:
        rows, size = metadata(file).num_rows, file.stat().st_size
        splits.add(SplitInfo(file.stem, num_bytes=size, num_examples=rows))
    info = DatasetInfo(features=features, splits=splits)
    info.dataset_size = info.download_size = sum(file.stat().st_size for file in files)
    card = DatasetCardData()
    DatasetInfosDict({"default": info}).to_dataset_card_data(card)
    return str(card.to_yaml()).strip()


def push(folder: Path, repo: str, private: bool, with_gold: bool) -> str:
    """Upload the splits and the card of a folder as one commit; returns the commit's URL.

    The token is HF_TOKEN of the environment, or that of `hf auth login`. Raises DataError for a
    folder without a card or splits, for files that hold gold unless `with_gold`, and for what the
    hub refuses.
    """
    files = sorted(folder.glob("*.parquet"))
    if not files or not (folder / "README.md").is_file():
        raise DataError(
            f"{folder} holds no data set: write splits with `rerec train export {folder}` "
            f"and the card with `rerec data card {folder}`"
        )
    for file in files:
        if not with_gold and WHOLE in metadata(file).schema.names:
            raise DataError(
                f"{file} holds gold (column {WHOLE}): write files without it with "
                "`rerec train export`, or push it with --with-gold"
            )
    return _upload(folder, repo, private)


def _upload(folder: Path, repo: str, private: bool) -> str:
    from huggingface_hub import HfApi

    hub = HfApi()
    try:
        hub.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        commit = hub.upload_folder(
            repo_id=repo,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(PUSHED),
            commit_message="Examples and their card, written by rerec",
        )
    except Exception as error:  # also of the HTTP library beneath, another one from 2.0 on
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise DataError(f"the hub at {hub.endpoint} refused {repo}: {reason}") from error
    return commit.commit_url
