"""Measures of how queries read: names masked, variety, a classifier of two samples, intervals."""

import re
from collections.abc import Callable, Iterable, Sequence
from random import Random

import numpy as np

from agents.synthesis.naturalness import Span
from agents.synthesis.report import distinct
from data_engine.names.mentions import NameFinder

NAME = "NAME"
DRAWS = 200
FILL = "\ue000"  # stands for each character of a name that is known
# a word of a name, and words that stand between two of them: "Bank of Dust", "E. G. de Vries"
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_WORD = (
    rf"(?:{_CAPITAL}\.(?=\s)"
    rf"|(?:{_CAPITAL}|{FILL})(?:[\w&{FILL}-]|(?!['’]s\b)['’.:](?=[\w{FILL}]))*)"
)
_BETWEEN = r"(?:of|the|in|to|a|an|de|la|le|von|van|with|for|on|at|from|&|\d+)"
_RUN = re.compile(rf"(?<!\w)(?<!\w['’]){_WORD}(?::?\s+(?:{_BETWEEN}\s+){{0,3}}{_WORD})*")
_SELF = re.compile(r"I(?:['’]\w+)?$")
_OPENS = re.compile(r"(?:^|[.?!:]['\"’”]?\s+|\n)['\"‘“]?$")
_ONE = rf"(?:['\"‘“]{FILL}+['\"’”](?!\w)|{FILL}+)(?:\s+\(\d{{4}}\))?"
_WRAPPED = re.compile(rf"{_ONE}(?:\s+{_ONE})*")


def lower_words(texts: Iterable[str]) -> set[str]:
    """The words that stand in lower case somewhere: they are no names where a sentence starts."""
    found: set[str] = set()
    for text in texts:
        found.update(re.findall(r"(?<![\w'’])[a-zß-öø-ÿ][\w'’]*", text))
    return found


def name_spans(text: str, names: NameFinder, words: set[str]) -> list[Span]:
    """Where the names stand, in order: those that are known, and words with capitals.

    words: what begins no name at the start of a sentence (`lower_words`); one word alone with a
    capital is no name there either. A year in brackets after a name, and quotation marks round it,
    belong to it.
    """
    plain = _filled(text, [(start, end) for start, end, _ in names.find(text)])
    plain = _filled(plain, [_own(run, words) for run in _RUN.finditer(plain)])
    return [found.span() for found in _WRAPPED.finditer(plain)]


def masked(text: str, spans: Sequence[Span]) -> str:
    """The text with each of its spans as one token."""
    for start, end in reversed(spans):
        text = f"{text[:start]}{NAME}{text[end:]}"
    return text


def _filled(text: str, spans: Iterable[Span]) -> str:
    for start, end in spans:
        text = f"{text[:start]}{FILL * (end - start)}{text[end:]}"
    return text


def _own(run: re.Match[str], words: set[str]) -> Span:
    """The part of a run of words with capitals that is a name: not what opens the sentence only,
    nor what means oneself.
    """
    start, said = run.start(), run[0]
    first, gap, rest = said.partition(" ")
    if _OPENS.search(run.string[:start]) and FILL not in first:
        if not rest or first.lower().rstrip(":") in words:
            start, said = start + len(first + gap), rest
    while said and _SELF.match(said.partition(" ")[0]):
        first, gap, said = said.partition(" ")
        start += len(first + gap)
    return (start, start if said[:1].islower() else run.end())


def interval(
    count: int, statistic: Callable[[np.ndarray], float], seed: int = 0, draws: int = 1000
) -> tuple[float, float]:
    """The middle 95 % of a statistic over `draws` samples, with replacement, of `count` numbers."""
    rng = np.random.default_rng(seed)
    found = [statistic(rng.integers(0, count, count)) for _ in range(draws)]
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def distinct_at(texts: Sequence[str], size: int, seed: int = 0) -> float:
    """distinct-2 of `size` of the texts, the mean over draws: it falls with the number of texts."""
    rng, size = Random(seed), min(size, len(texts))
    return float(np.mean([distinct(rng.sample(list(texts), size)) for _ in range(DRAWS)]))


def told_apart(
    ours: Sequence[Sequence[str]],
    real: Sequence[Sequence[str]],
    analyzer: str,
    ngrams: tuple[int, int],
) -> float:
    """Cross-validated AUC of a logistic regression on the tf-idf of n-grams.

    ours, real: texts by kind, the kinds alike. As many of ours are drawn as there are real ones
    of the kind, five times; the mean is returned. 0.5: they cannot be told apart.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline

    found = []
    for seed in range(5):
        rng, texts, labels = Random(seed), list[str](), list[int]()
        for mine, theirs in zip(ours, real, strict=True):
            size = min(len(mine), len(theirs))
            texts += [*rng.sample(list(mine), size), *rng.sample(list(theirs), size)]
            labels += [0] * size + [1] * size
        model = make_pipeline(
            TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, sublinear_tf=True),
            LogisticRegression(C=10, max_iter=1000),
        )
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        found.append(cross_val_score(model, texts, labels, cv=folds, scoring="roc_auc").mean())
    return float(np.mean(found))
