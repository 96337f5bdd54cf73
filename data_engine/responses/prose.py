"""Reads what sentences state: of whom, in which relation, denied or not. No verdicts.

A sentence becomes a shape: "I" for an item or a pronoun for one, "V" for the name of an attribute,
words else: "I stars V , but V directed I , not V , so I is out". A value is stated of the item
before it where every word between is understood (`grammar.toml`), or of the item after it where a
verb joins them ("V directed I"). What is asked, doubted, or reported of somebody states nothing.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from data_engine.responses.lexicon import pattern, relation_words, words
from data_engine.responses.tokens import Sentence, Token, joined_shape, with_phrases

Kind = Literal["fact", "need", "decision"]


class Statement(NamedTuple):
    """What is said at start..end. items: of each of them. word: keep or skip of a decision."""

    kind: Kind
    start: int
    end: int
    items: tuple[str, ...]
    attributes: tuple[int, ...] = ()
    relation: str = ""
    denied: bool = False
    word: str = ""


class Gap(NamedTuple):
    """What the words before a value say. relation None: as before. denied None: as before."""

    understood: bool
    relation: str | None
    denied: bool | None
    listed: bool


_LIST = r"V(?:(?: ,)?(?: and| &| ,) V)*"
_NOT = r"(?: ,)?(?: and)? not "
_ACTIVE = re.compile(
    rf"(?<!\S)(?P<values>{_LIST})(?:(?: ,)? not (?P<mid>V)(?: ,)?)?(?: (?:also|indeed|again|both|really|actually))?"
    r"(?P<no> (?:does|did|do|has|is|was) not| never)?"
    r" (?P<verb>directed|directs|direct|wrote|write|composed|compose|scored|score|produced|produce"
    r"|published|publish|recorded|edited|performed|stars|star|starred|acts|act|acted|plays|play"
    r"|played|appears|appear|appeared|in|is in|are in|was in|has no part|made|make|did|do)"
    r"(?P<rest>(?: (?:the|P|its|any|music|score|soundtrack|songs|film|movie|lead|role|a|for|of|in))*)"
    rf" I(?P<others>(?: and I)*)(?:{_NOT}(?P<tail>V(?: n?or V)*))?(?!\S)"
)
_NOUN = re.compile(
    rf"(?<!\S)(?P<values>{_LIST}) (?:is|was|are|were)(?P<no> not)? (?:P|(?P<the>the)) "
    rf"(?P<noun>[a-z]+)(?: of (?P<of>I))?(?:{_NOT}(?P<tail>V(?: n?or V)*))?(?!\S)"
)
_IN = frozenset("in stars star starred acts act acted plays play played appears appear".split())
_CLAUSE_STARTS = frozenset(
    ", but while whereas and so because since though although however : ( ) – — - then thus "
    "therefore yet hence".split()
)
_FOREIGN = frozenset("unlike like than as to from with".split())


class ProseReader:
    """`read(sentence, last)`: the statements, and the items that a pronoun after it may mean."""

    def __init__(self, relations: Iterable[str]) -> None:
        self.relation_words = relation_words(relations)
        own = set(" ".join(self.relation_words).split())
        self._known = words("reading", "fillers") | words("reading", "separators") | own
        self._known |= words("reading", "negations") | words("reading", "contrasts")
        self._needed = self._known | words("needs", "fillers") | words("needs", "denials")
        self._starting = next((r for w, r in self.relation_words.items() if w == "starring"), "")

    def read(
        self, sentence: Sentence, last: tuple[str, ...]
    ) -> tuple[list[Statement], tuple[str, ...], bool]:
        """Statements, the items named (else `last`), and whether a need was not understood."""
        tokens = with_phrases(_resolved(sentence.tokens, last))
        named = _own_items(tokens)
        after = tuple(dict.fromkeys(named)) or last
        if sentence.question:
            return [], after, False
        plain = with_phrases(sentence.tokens)
        lead = pattern("needs", "lead").search(_need_shape(plain))
        if lead and not _name_before(plain, lead):
            found, lost = self._needs(plain, lead)
            return found, after, lost
        found = []
        for part, opens in _parts(tokens):
            carried = last if opens and (sentence.bullet or not sentence.first) else ()
            found += self._part(part, carried)
        return found, after, False

    def _needs(self, tokens: list[Token], lead: re.Match[str]) -> tuple[list[Statement], bool]:
        """What the query is said to ask for, up to an item."""
        begin = lead.string[: lead.end()].count(" ") + 1
        found: list[Statement] = []
        gap: list[str] = []
        relation, denied, lost = "", False, False
        for token in tokens[begin:]:
            if token.kind == "item" and token.text == "I":
                return found, True
            if token.kind != "value":
                gap.append(token.text)
                continue
            read = self._gap(gap, self._needed)
            if not read.understood or "or" in gap and not (denied and read.listed):
                return found, True
            relation = relation if read.relation is None else read.relation
            denied = denied if read.denied is None else read.denied
            found.append(_said("need", token, (), relation, denied))
            gap = []
        lost = bool({"preferably", "ideally", "or", "than"} & set(gap))
        return found, lost

    def _part(self, tokens: list[Token], carried: tuple[str, ...]) -> list[Statement]:
        """The statements of a part of a sentence that nobody doubts."""
        shape = joined_shape(tokens)
        places = [0]
        for token in tokens:
            places.append(places[-1] + len(token.text) + 1)
        index = {place: k for k, place in enumerate(places)}
        found: list[Statement] = []
        used: set[int] = set()
        for form in (_ACTIVE, _NOUN):
            for match in form.finditer(shape):
                if relation := self._verb_relation(match, tokens, index):
                    found += _joined(match, tokens, index, relation[0], used)
        found += self._forward(tokens, used, carried)
        found += _decisions(tokens, shape, index)
        return found

    def _verb_relation(
        self, match: re.Match[str], tokens: list[Token], index: dict[int, int]
    ) -> tuple[str] | None:
        """The relation of "V verb I", in a tuple; None where the words do not say one."""
        groups = match.groupdict()
        if noun := groups.get("noun"):
            return (self.relation_words[noun],) if noun in self.relation_words else None
        verb, rest = groups["verb"], set((groups["rest"] or "").split())
        if rest & {"music", "score", "soundtrack", "songs"}:
            return (self.relation_words["music"],) if "music" in self.relation_words else None
        if verb in _IN or verb.endswith(" in") or verb == "has no part":
            says = verb in ("in", "has no part") or verb.endswith(" in") or "in" in rest
            return (self._starting,) if self._starting and says else None
        for form in (verb, verb + "d", verb + "ed", verb.rstrip("s") + "ed"):
            if form in self.relation_words and verb not in ("made", "make", "did", "do"):
                return (self.relation_words[form],)
        return None

    def _forward(
        self, tokens: list[Token], used: set[int], carried: tuple[str, ...]
    ) -> list[Statement]:
        """Values after their item, or before one that a comma joins them to."""
        found: list[Statement] = []
        subject, relation, denied, alive = carried, "", False, True
        neither = False
        own = False  # whether the subject is named in this part
        gap: list[str] = []
        pending: list[Statement] = []
        for k, token in enumerate(tokens):
            if token.kind == "item":
                of = self._relation_of(gap, token)
                before = tokens[k - 1].text if k else ""
                subject, alive = _subject(tokens, k, before, subject, alive)
                own = True
                if before == "," and not found and subject:
                    found += [one._replace(items=subject) for one in pending]
                neither = "neither" in gap or (neither and gap == ["nor"])
                relation, denied, gap = of, neither, []
                pending = []
                continue
            if token.kind != "value":
                gap.append(token.text)
                continue
            if k in used:
                gap, alive = [], alive
                continue
            read = self._gap(gap, self._known)
            fresh = not read.listed
            alive = (alive or (fresh and "," in gap)) and read.understood and not _turns(tokens, k)
            alive = (
                alive and ("or" not in gap or denied) and not _or_follows(tokens, k, denied, read)
            )
            relation = relation if read.relation is None else read.relation
            denied = denied if read.denied is None else read.denied or neither
            statement = _said("fact", token, subject, relation, denied)
            if alive and subject and (own or found or _may_carry(tokens, k)):
                found.append(statement)
            elif alive and not subject or (alive and _opens(tokens)):
                pending.append(statement)
            gap = []
        return found

    def _relation_of(self, gap: list[str], token: Token) -> str:
        """The relation in "the director of I is", "" for none."""
        if gap[-1:] == ["of"] and len(gap) > 1:
            return self.relation_words.get(gap[-2], "")
        return ""

    def _gap(self, gap: list[str], known: frozenset[str]) -> Gap:
        """What the words between the last name and a value say."""
        text = " ".join(gap)
        relation: str | None = None
        for word, meant in self.relation_words.items():
            if re.search(rf"(?<!\S){re.escape(word)}(?!\S)", text):
                relation = meant if relation is None or text.rfind(word) > 0 else relation
        words_in = set(gap)
        listed = words_in <= words("reading", "separators") | {"also"} and "*" not in words_in
        negations = [
            w for w in gap if w in words("reading", "negations") | words("needs", "denials")
        ]
        understood = all(w in known or w.isdigit() for w in gap) and len(negations) < 2
        denied: bool | None = bool(negations)
        if listed and not negations:
            denied = None
        if relation is None and not listed:
            relation = None if gap in (["not"], [",", "not"]) or gap[-1:] == ["is"] else ""
        return Gap(understood, relation, denied, listed)


def _said(
    kind: Kind, token: Token, items: tuple[str, ...], relation: str, denied: bool
) -> Statement:
    attributes = tuple(one for one in token.ids if isinstance(one, int))
    return Statement(kind, token.start, token.end, items, attributes, relation, denied)


def _resolved(tokens: list[Token], last: tuple[str, ...]) -> list[Token]:
    """The tokens with pronouns as items: "it" is the item named last, "its" a possessive of it."""
    found: list[Token] = []
    named: tuple[str, ...] = last
    nouns = words("reading", "pronoun_nouns")
    k = 0
    while k < len(tokens):
        token = tokens[k]
        if token.kind == "item":
            foreign = k and tokens[k - 1].text in ("unlike", "like")
            joint = found[-1:] and found[-1].text in ("and", "nor", ",") and k > 1
            if not foreign:
                together = joint and len(found) > 1 and found[-2].kind == "item"
                named = (*named, *token.ids) if together else token.ids  # type: ignore[assignment]
            found.append(token)
        elif (size := _pronoun(tokens, k, nouns)) > 0:
            whom = _whom(tokens[k : k + size], named)
            text = "P" if token.text == "its" else "I"
            end = tokens[k + size - 1].end
            found.append(Token("item", text, token.start, end, whom))
            k += size - 1
        else:
            found.append(token)
        k += 1
    return found


def _pronoun(tokens: list[Token], k: int, nouns: frozenset[str]) -> int:
    """How many tokens from k are a pronoun, 0 for none."""
    word, *after = [t.text for t in tokens[k : k + 3]]
    if word in ("it", "its", "they"):
        return 1
    if word in ("this", "that", "the") and after and after[0] in nouns:
        if word == "the" and (after[0] == "one" or after[1:] in (["must"], ["of"], ["should"])):
            return 0
        return 2
    if word == "the" and after and after[0] in ("first", "second", "last", "former", "latter"):
        return 3 if after[1:] and after[1] in nouns else 2
    if word == "this" and after and after[0] in ("is", "was", "has", "stars", "fits"):
        return 1
    if word in ("both", "neither") and after and after[0] in ("are", "were", "star", "have", "is"):
        return 1
    return 0


def _whom(tokens: list[Token], named: tuple[str, ...]) -> tuple[str, ...]:
    """The items that a pronoun means, () where nobody can say."""
    words_in = {token.text for token in tokens}
    if words_in & {"both", "they", "neither"}:
        return named if len(named) == 2 else ()
    if len(named) == 2 and words_in & {"first", "former"}:
        return named[:1]
    if len(named) == 2 and words_in & {"second", "last", "latter"}:
        return named[1:]
    return named if len(named) == 1 else ()


def _own_items(tokens: list[Token]) -> list[str]:
    """The items named, but for those that others are compared with."""
    return [
        str(one)
        for k, token in enumerate(tokens)
        if token.kind == "item" and not (k and tokens[k - 1].text in ("unlike", "like"))
        for one in token.ids
    ]


def _need_shape(tokens: list[Token]) -> str:
    """As `joined_shape`, where "I" is who asks."""
    return " ".join({"I": "item", "i": "I"}.get(t.text, t.text) for t in tokens)


def _name_before(tokens: list[Token], lead: re.Match[str]) -> bool:
    count = lead.string[: lead.start()].count(" ")
    return any(token.kind != "word" for token in tokens[:count])


def _parts(tokens: list[Token]) -> list[tuple[list[Token], bool]]:
    """The parts between words of contrast that nobody doubts or reports, and whether each opens
    the sentence.
    """
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.text in words("reading", "contrasts") and token.kind == "word":
            pieces.append([])
        pieces[-1].append(token)
    found: list[tuple[list[Token], bool]] = []
    kept: list[Token] = []
    for n, piece in enumerate(pieces):
        if _doubted(piece):
            if kept:
                found.append((kept, not found and n > 0 and kept[0] is tokens[0]))
            kept = []
        else:
            kept = kept + piece
    return [*found, (kept, kept[0] is tokens[0])] if kept else found


def _doubted(piece: list[Token]) -> bool:
    texts = [token.text for token in piece]
    if words("reading", "hedges") & set(texts):
        return True
    for k, text in enumerate(texts):
        if text in words("reading", "reports"):
            return not words("reading", "sources") & set(texts[max(0, k - 3) : k])
    return False


def _subject(
    tokens: list[Token], k: int, before: str, subject: tuple[str, ...], alive: bool
) -> tuple[tuple[str, ...], bool]:
    """Of whom is spoken after the item at k, and whether that is sure."""
    ids = tuple(str(one) for one in tokens[k].ids)
    if before == "unlike" or (before == "like" and k == 1):
        return subject, alive and k > 1
    if before in _FOREIGN:
        return (), False
    joint: list[str] = list(ids)
    j = k
    while j >= 2 and tokens[j - 1].text in ("and", "nor", "&", ",") and tokens[j - 2].text == "I":
        j -= 2
        joint = [*map(str, tokens[j].ids), *joint]
    following = tokens[k + 1].text if k + 1 < len(tokens) else ""
    plural = following in words("reading", "plurals") or (j > 0 and tokens[j - 1].text == "neither")
    chosen = tuple(joint) if plural and j < k else ids
    return chosen, bool(chosen)


def _turns(tokens: list[Token], k: int) -> bool:
    """Whether the value at k opens a clause of its own, or is somebody's: "… and V was"."""
    after = tokens[k + 1].text if k + 1 < len(tokens) else ""
    if after in ("'s", "who", "fans", "fan", "lovers"):
        return True
    verbs = {"is", "was", "does", "did", "has", "directed", "wrote", "composed", "are", "were"}
    before = tokens[k - 1].text if k else ""
    opens = before in _CLAUSE_STARTS or before in words("reading", "contrasts")
    return after in verbs and opens


def _or_follows(tokens: list[Token], k: int, denied: bool, read: Gap) -> bool:
    """Whether the value is one of "V or V", of which nobody says which."""
    now = denied if read.denied is None else read.denied
    return not now and k + 1 < len(tokens) and tokens[k + 1].text == "or"


def _may_carry(tokens: list[Token], k: int) -> bool:
    """Whether a sentence may go on about the item of the one before: it opens with no subject."""
    opening = {"directed", "starring", "stars", "written", "scored", "with", "no", "not", "also"}
    opening |= {"has", "director", "star", "composer", "genre", "cast", "the", "music", "by", "its"}
    return tokens[0].text in opening or (k > 1 and tokens[1].text == ":")


def _opens(tokens: list[Token]) -> bool:
    return tokens[0].text in ("directed", "starring", "with", "a", "an", "written", "scored")


def _joined(
    match: re.Match[str],
    tokens: list[Token],
    index: dict[int, int],
    relation: str,
    used: set[int],
) -> list[Statement]:
    """The facts of "V directed I, not V": of each value and each item."""
    first = index[match.start()]
    last = first + match[0].count(" ")
    span = range(first, last + 1)
    items: list[str] = []
    for k in span:
        if tokens[k].kind == "item":
            items += map(str, tokens[k].ids)
    tail = match.start("tail")
    middle = index.get(match.start("mid")) if match.groupdict().get("mid") else None
    own_from = _last_value(match, index) if _is_object(tokens, first) else first
    denied = bool(match["no"]) or match.groupdict().get("verb") == "has no part"
    found = []
    for k in span:
        if tokens[k].kind == "value" and k not in used:
            if k < own_from and k > first:
                used.add(k)
            if k < own_from:
                continue
            used.add(k)
            behind = k == middle or (tail >= 0 and k >= index[tail])
            no = not denied if behind else denied
            if items:
                whom = tuple(dict.fromkeys(items))
                found.append(_said("fact", tokens[k], whom, relation, no))
    return found


def _is_object(tokens: list[Token], first: int) -> bool:
    """Whether the value at `first` belongs to the words before it: "by V, and V directed I"."""
    before = tokens[first - 1].text if first else ","
    return before not in _CLAUSE_STARTS | words("reading", "contrasts") | {"both", "that", "I"}


def _last_value(match: re.Match[str], index: dict[int, int]) -> int:
    """The place of the last value of the list before the verb."""
    return index[match.start("values") + match["values"].rindex("V")]


def _decisions(tokens: list[Token], shape: str, index: dict[int, int]) -> list[Statement]:
    """ "so I is out", "I does not fit"."""
    found = []
    plain = re.sub(r" (?:does|do|is|can) not ", lambda m: m[0], shape)
    for word, key in (("keep", "keep"), ("skip", "skip"), ("keep", "keep_object")):
        for match in pattern("decisions", key).finditer(plain):
            first = index[match.start()]
            inside = tokens[first : first + match[0].count(" ") + 1]
            following = (
                tokens[first + len(inside)].text if first + len(inside) < len(tokens) else ""
            )
            if following and following not in words("decisions", "after"):
                continue
            if first and tokens[first - 1].text in ("not", "to", "of", "unlike", "like", "than"):
                continue
            found += _decided(inside, word)
    for match in _MISFIT.finditer(shape):
        first = index[match.start()]
        found += _decided(tokens[first : first + match[0].count(" ") + 1], "skip")
    for match in _ORDER.finditer(shape):
        first = index[match.start()]
        said = tokens[first + (match[1] is not None)]
        whom = next(t for t in tokens[first : first + 2] if t.kind == "item")
        found += [s._replace(start=said.start, end=said.end) for s in _decided([whom], said.text)]
    return found


_MISFIT = re.compile(
    r"(?<!\S)I (?:does not (?:fit|qualify|match|work|meet (?:the request|all conditions|every "
    r"condition|both))|is not (?:a match|a fit|it|the one|what is (?:wanted|needed|asked for)))"
    r"(?= (?:,|and|so|because|since|as|\)|either|then|for)|$)"
)
_ORDER = re.compile(r"(?<!\S)(?:(I) (?:keep|skip)|(?:keep|skip) I)(?=$| ,| \.| because| as| since)")


def _decided(inside: list[Token], word: str) -> list[Statement]:
    items = [str(one) for token in inside if token.kind == "item" for one in token.ids]
    if not items:
        return []
    start, end = inside[0].start, inside[-1].end
    return [Statement("decision", start, end, tuple(items), word=word)]
