"""How natural texts read: their perplexity under a causal language model (Jelinek et al. 1977)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import exp, nan
from pathlib import Path
from typing import Any

from data_engine.errors import DataError

MOST_TOKENS = 1024  # of a batch, padding included: the logits of so many take about 0.2 GB
Span = tuple[int, int]  # characters of a text, from and up to


@dataclass(frozen=True)
class TextScore:
    """What a model expects of one text.

    nlls: negative log-likelihood per token, in nats. spans: the characters of each token.
    """

    nlls: tuple[float, ...]
    spans: tuple[Span, ...]

    @property
    def tokens(self) -> int:
        """The number of tokens that count."""
        return len(self.nlls)

    @property
    def nll(self) -> float:
        """The mean negative log-likelihood per token, NaN where no token counts."""
        return sum(self.nlls) / self.tokens if self.nlls else nan

    def outside(self, spans: Sequence[Span]) -> "TextScore":
        """The score of the tokens that have no character within these spans."""
        kept = [
            (nll, own)
            for nll, own in zip(self.nlls, self.spans, strict=True)
            if not any(start < own[1] and own[0] < end for start, end in spans)
        ]
        return TextScore(tuple(nll for nll, _ in kept), tuple(own for _, own in kept))


def perplexity(scores: Iterable[TextScore]) -> float:
    """exp(total nll / total tokens) of a group of texts, NaN without tokens."""
    found = list(scores)
    tokens = sum(score.tokens for score in found)
    return exp(sum(sum(score.nlls) for score in found) / tokens) if tokens else nan


class LanguageModel:
    """A causal model of a Hugging Face folder, on the CPU, with as many threads as torch has.

    Each text is scored by itself, after the token that begins a text.
    Raises DataError for a folder that holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if not (folder / "config.json").is_file():
            raise DataError(
                f"no model folder {folder}: make one with `rerec model smollm2 --out {folder}`"
            )
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
            self._model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
        except (OSError, ValueError) as error:
            raise DataError(
                f"{folder} holds no causal language model ({str(error).splitlines()[0][:200]})"
            ) from error
        if self._tokenizer.bos_token_id is None:
            raise DataError(f"the tokenizer in {folder} has no token that begins a text")

    def score(self, texts: Sequence[str], most_tokens: int = MOST_TOKENS) -> list[TextScore]:
        """A score per text, in order; batches have at most `most_tokens`, or one text."""
        if not texts:
            return []
        read = self._tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True)
        ids: list[list[int]] = read["input_ids"]
        found: dict[int, TextScore] = {}
        for batch in _batches([len(one) for one in ids], most_tokens):
            nlls = self._nlls([ids[k] for k in batch])
            for k, own in zip(batch, nlls, strict=True):
                spans = tuple((int(a), int(b)) for a, b in read["offset_mapping"][k])
                found[k] = TextScore(tuple(own), spans)
        return [found[k] for k in range(len(ids))]

    def _nlls(self, batch: list[list[int]]) -> list[list[float]]:
        """Negative log-likelihoods per text and token: padded at the right, begun alike."""
        import torch

        longest, begin = max(map(len, batch)), self._tokenizer.bos_token_id
        ids = torch.tensor([[begin, *own, *[begin] * (longest - len(own))] for own in batch])
        lengths = torch.tensor([[1 + len(own)] for own in batch])
        mask = (torch.arange(1 + longest) < lengths).long()
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
            said = logits.gather(2, ids[:, 1:, None]).squeeze(2)
            nlls = (logits.logsumexp(2) - said).tolist()
        return [row[: len(own)] for row, own in zip(nlls, batch, strict=True)]


def _batches(lengths: list[int], most_tokens: int) -> Iterator[list[int]]:
    """Numbers of the texts per batch: like lengths together, so that little is padded."""
    batch: list[int] = []
    for k in sorted(range(len(lengths)), key=lambda n: -lengths[n]):
        if batch and (len(batch) + 1) * (1 + lengths[batch[0]]) > most_tokens:
            yield batch
            batch = []
        batch.append(k)
    if batch:
        yield batch
