"""Which relation a name stands in: the words beside it, and what the graph says it can be."""

from collections.abc import Sequence
from itertools import chain, product, repeat
from typing import NamedTuple

from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.names import CatalogueNames
from agents.assistant.understanding.tokens import Sentence

REACH = 5  # words after a name within which they speak of it
_SEPARATORS = frozenset(("and", "or", ",", "&", "both", "+", "nor"))
_CHOOSING = frozenset(("or", "nor"))
_SHARING = frozenset(("and", ",", *_CHOOSING))
_LINKS = frozenset("of from with by to the a an some more than in on at s who that is was".split())
_PREPOSITIONS = frozenset(("by", "with"))
_WITH = frozenset("with without feature features featured include includes".split())
# What may stand between a name and a verb of it ("X who also directed").
_BETWEEN = frozenset("who that has had have is was also did does in not".split())


class Reading(NamedTuple):
    """A relation and value, the other ones that may be meant, and whether a word said which."""

    relation: str
    value: str
    others: tuple[tuple[str, str], ...] = ()
    said: bool = False


class RelationReader:
    """Reads the relation of each name of a sentence."""

    def __init__(self, lexicon: Lexicon, names: CatalogueNames) -> None:
        self.lexicon, self._names = lexicon, names

    def read(self, sentence: Sentence, at: int, before: Sequence[str]) -> Reading:
        """What the name at a place means. before: relations that were spoken of, the last first.

        The words beside it choose, then those before it in the message, then the graph alone: the
        relation in which it has most items.
        """
        values = sentence[at].values
        spoken = (self.beside(sentence, at), *((relation,) for relation in before))
        for n, relations in enumerate(spoken):
            pairs = product(relations, values)
            fits = [(r, v) for r, v in pairs if r in self._names.counts(v)]
            if fits:
                return self._reading(fits, values, n == 0)
        return self._reading([], values, False)

    def _reading(self, fits: list[tuple[str, str]], values: tuple[str, ...], said: bool) -> Reading:
        """The first that fits, its homonyms in the same relation, then all other readings."""
        counts = self._names.counts
        every = list(chain.from_iterable(zip(counts(v), repeat(v), strict=False) for v in values))
        every.sort(key=lambda one: -counts(one[1])[one[0]] * self.lexicon.prominence.get(one[0], 1))
        first = fits[0] if fits else every[0]
        same = tuple(one for one in fits if one != first and one[0] == first[0])
        others = same if fits else tuple(one for one in every if one != first)
        return Reading(*first, others, bool(fits) and said)

    def beside(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """The relations that the words beside a name say, likeliest first; () for none."""
        left = self._left(sentence, at)
        possessive = self._possessive(sentence, at)
        return (
            possessive
            or self._noun_before(sentence, at)
            or left
            or self._after(sentence, at)
            or self._inherited(sentence, at)
            or self._preposition(sentence, at)
        )

    def also(self, sentence: Sentence, at: int) -> tuple[tuple[str, ...], bool]:
        """The other relations of a name that two words share, and whether one of all will do:
        "directed by and starring X", "written and directed by X"; "by or starring X".
        """
        said, place = self._up_to(sentence, at - 1)
        found, either = list[str](), False
        while said and place > 1 and sentence[place - 1].text in _SHARING:
            joined = sentence[place - 1].text
            said, place = self._up_to(sentence, place - 2)
            if said:
                found.append(said[0])
                either = either or joined in _CHOOSING
        return tuple(found), either

    def _up_to(self, sentence: Sentence, end: int) -> tuple[tuple[str, ...], int]:
        """The relations that words up to a place say, and where they begin: "directed by"."""
        place = self._before(sentence, end, _PREPOSITIONS)
        if meant := self._meant(sentence, place):
            return meant, place
        return self._preposition(sentence, end + 1), end

    def _before(self, sentence: Sentence, place: int, skipped: frozenset[str]) -> int:
        while place >= 0 and sentence[place].text in skipped:
            place -= 1
        return place

    def _noun_before(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """Of "the composer X", "dir. X", "genre: X"."""
        before = at - 1
        if before >= 0 and sentence[before].text == ":":
            before -= 1
        return self._meant(sentence, before)

    def _possessive(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """Of "X's acting", "X's work as a director"."""
        if not (at + 1 < len(sentence) and sentence[at + 1].text in ("'s", "'")):
            return ()
        return self._first(sentence, at + 2, REACH + 2)

    def _left(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """Of "directed by X", "with music by X", "starring X": the words back to a separator."""
        for place in range(at - 1, max(-1, at - 1 - REACH), -1):
            token = sentence[place]
            if token.kind == "name" or token.text in _SEPARATORS or token.text in ("'s", "("):
                return ()
            if meant := self._meant(sentence, place):
                return meant
            if token.text not in _LINKS:
                return ()
        return ()

    def _after(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """Of "X directed", "X in the cast", "X as the director", "X is my favourite composer"."""
        place = at + 1
        while place < len(sentence) and sentence[place].text in _BETWEEN:
            place += 1
        if place >= len(sentence) or sentence[place].kind == "name":
            return ()
        word = sentence[place].text
        if word == "in-cast" or place > at + 1 and word in ("it", "them"):
            return self.lexicon.with_
        if word in ("as", "one", "my", "a", "an", "the"):
            return self._first(sentence, place, REACH)
        follows = sentence[place + 1].text if place + 1 < len(sentence) else ""
        if follows in ("by", "with") or word == "starring":  # it speaks of the next name
            return ()
        meant = self._meant(sentence, place)
        return meant and (self._first(sentence, place + 1, 2) or meant)  # "wrote the music"

    def _inherited(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """Of the last of "directed by X, Y and Z"."""
        place = at - 1
        while place >= 0 and sentence[place].text in _SEPARATORS:
            place -= 1
        if place == at - 1 or place < 0 or sentence[place].kind != "name":
            return ()
        if not sentence[place].values:
            return ()
        return (
            self._left(sentence, place)
            or self._inherited(sentence, place)
            or (self._preposition(sentence, place))
        )

    def _preposition(self, sentence: Sentence, at: int) -> tuple[str, ...]:
        """Of a bare "by X" or "with X"."""
        word = sentence[at - 1].text if at else ""
        return self.lexicon.by if word == "by" else self.lexicon.with_ if word in _WITH else ()

    def _first(self, sentence: Sentence, start: int, reach: int) -> tuple[str, ...]:
        """The relations of the first word that has some, up to another name or a mark."""
        for place in range(start, min(len(sentence), start + reach)):
            if sentence[place].kind in ("name", "mark") or sentence[place].text == "and":
                return ()
            if meant := self._meant(sentence, place):
                return meant
        return ()

    def _meant(self, sentence: Sentence, place: int) -> tuple[str, ...]:
        if place < 0 or sentence[place].kind != "word":
            return ()
        return self.lexicon.relation.get(sentence[place].text, ())
