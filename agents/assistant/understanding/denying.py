"""Which names and numbers of a sentence are denied, ruled out or taken back."""

from agents.assistant.understanding.lexicon import Lexicon
from agents.assistant.understanding.tokens import Sentence

LISTED = frozenset(("and", "or", "nor", ",", "&"))
_ENDING = frozenset(("and", ",", "&"))  # "not by X and stars Y"; but "not by X or by Y"
# Kinds of tokens that conditions are made of → what a list has one of: names or years.
_SAID = {"name": "name", "number": "year", "decade": "year"}
_WANTED = frozenset(
    "want need recommend suggest show showing give me us to see watch any anything something like "
    "more film films movie movies".split()
)
_TOLD = frozenset("was is were are 's did does do has had have be been".split())
_MUST = frozenset("should must can will would may might".split())
_ASKING = _TOLD | _MUST | {"could"}
_ASKED = frozenset("you we i they there it this that he she".split())  # "isn't there X?"
_ACTING = frozenset("in in-cast appear act play star feature".split())


class Denying:
    """Reads the words before a place; `lexicon` says which of them deny."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def denied(self, sentence: Sentence, at: int) -> bool:
        """Whether a word before the place denies it: none of contrast, of another clause or of
        another condition comes between ("isn't by X and stars Y", "not by X starring Y").
        """
        return self._denial(sentence, at) >= 0 or self._denied_after(sentence, at)

    def _denied_after(self, sentence: Sentence, at: int) -> bool:
        """Of "that X didn't direct", "X is not in": whether a verb of the name is denied."""
        said = [token.text for token in sentence[at + 1 : at + 5] if token.text != "be"]
        if len(said) < 3 or said[0] not in _TOLD | _MUST or said[1] != "not":
            return False
        return said[2] in _ACTING or said[2] in self._lexicon.relation

    def told(self, sentence: Sentence, at: int) -> bool:
        """Whether what is denied at a place is told of a title before it, rather than not wanted:
        "I know Heat, but it was not by X"; "like Heat but not by X", "as Heat that isn't by X".
        """
        denial = self._denial(sentence, at)
        before = sentence[denial - 1].text if denial > 0 else ""
        likened = sentence[0].text == "like" and before not in _TOLD
        that = before in _TOLD and denial > 1 and sentence[denial - 2].text == "that"
        return not (likened or that or self._lexicon.is_(before, "contrast"))

    def ruled_out(self, sentence: Sentence, at: int) -> bool:
        """Of "not Heat", "no Heat please", "not Heat or Alien": whether the word right before the
        title, or before those that it is listed with, denies it.
        """
        place = at - 1  # "I don't want Heat", "don't show me films like Heat"
        while place > 0 and sentence[place].text in _WANTED:
            place -= 1
        before = sentence[place].text if at else ""
        if before == "stop" or self._lexicon.is_(before, "negation"):
            return not (_is_told(sentence, place) or _is_asked(sentence, place))
        first = at - 1
        while first > 0 and sentence[first].text in LISTED:
            first -= 1
        listed = 0 <= first < at - 1 and bool(sentence[first].items)
        return listed and self.ruled_out(sentence, first)

    def taken_back(self, sentence: Sentence, at: int) -> bool:
        """Whether the place is said to be wanted no more: "forget X"."""
        for place in range(at - 1, -1, -1):
            token = sentence[place]
            if token.kind == "word" and self._lexicon.is_(token.text, "retract"):
                return True
            if self._lexicon.is_(token.text, "contrast"):
                return False
            if token.text == "," and sentence[place + 1].kind != "name":
                return False  # "forget Heat, a comedy instead"
        return False

    def _denial(self, sentence: Sentence, at: int) -> int:
        """The place of the word that denies what stands at a place, -1 for none."""
        listed, last = "", at  # what lists the last name or number; and its place
        for place in range(at - 1, -1, -1):
            token, after = sentence[place], sentence[place + 1]
            if token.kind == "word" and self._lexicon.is_(token.text, "negation"):
                if not (token.text == "no" and after.text == ","):  # "no, X" is no denial of X
                    return -1 if _is_asked(sentence, place) else place
            if self._lexicon.is_(token.text, "contrast"):
                return -1
            if token.text in LISTED and listed in ("", ","):
                listed = token.text
            if token.kind in _SAID:
                if not (listed or place == last - 1) or (
                    listed == "," and _SAID[token.kind] != _SAID[sentence[last].kind]
                ):
                    return -1  # the latter of "not by X, from 1990 or later"
                listed, last = "", place
            if token.text in _ENDING and place + 1 < at and after.kind not in _SAID:
                if after.text not in LISTED:
                    return -1
        return -1


def _is_asked(sentence: Sentence, at: int) -> bool:
    """Whether a "not" only asks: "can't you find X?", "isn't there X?", "didn't X direct it?"."""
    if at not in (1, 2) or at + 1 >= len(sentence) or (at == 2 and sentence[0].kind != "mark"):
        return False
    verb, after = sentence[at - 1].text, sentence[at + 1]
    told = after.kind == "name" and verb not in ("do", "be")
    return sentence[at].text == "not" and verb in _ASKING and (told or after.text in _ASKED)


def _is_told(sentence: Sentence, at: int) -> bool:
    """Whether a "not" rules nothing out: "I didn't see X", "why not X"."""
    before = sentence[at - 1].text if at else ""
    return before == "why" or (before == "did" and sentence[at + 1].text in ("see", "watch"))
