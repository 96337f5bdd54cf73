"""Statements whose value stands before a verb: "V directed I, not V", "V is the director of I"."""

import re

from data_engine.responses.lexicon import words
from data_engine.responses.statements import Statement, said
from data_engine.responses.tokens import Token, joined_shape

CLAUSE_STARTS = frozenset(
    ", but while whereas and so because since though although however : ( ) – — - then thus "
    "therefore yet hence".split()
)

_LIST = r"V(?:(?: ,)?(?: and| &| ,) V)*"

_NOT = r"(?: ,)?(?: and)? not "

_ACTIVE = re.compile(
    rf"(?<!\S)(?P<values>{_LIST})(?:(?: ,)? not (?P<mid>V)(?: ,)?)?"
    r"(?: (?:also|indeed|again|both|really|actually))?"
    r"(?P<no> (?:does|did|do|has|is|was) not| never)?"
    r" (?P<verb>directed|directs|direct|wrote|write|composed|compose|scored|score|produced|produce"
    r"|published|publish|recorded|edited|performed|stars|star|starred|acts|act|acted|plays|play"
    r"|played|appears|appear|appeared|in|is in|are in|was in|has no part|made|make|did|do)"
    r"(?P<rest>(?: (?:the|P|its|any|music|score|soundtrack|songs|film|movie|lead|role|a|for|of"
    r"|in))*)"
    rf" I(?P<others>(?: and I)*)(?:{_NOT}(?P<tail>V(?: n?or V)*))?(?!\S)"
)

_NOUN = re.compile(
    rf"(?<!\S)(?P<values>{_LIST}) (?:is|was|are|were)(?P<no> not)? (?:P|(?P<the>the)) "
    rf"(?P<noun>[a-z]+)(?: of (?P<of>I))?(?:{_NOT}(?P<tail>V(?: n?or V)*))?(?!\S)"
)

_IN = frozenset("in stars star starred acts act acted plays play played appears appear".split())


def joined_statements(
    tokens: list[Token], relation_words: dict[str, str], used: set[int]
) -> list[Statement]:
    """The statements of a part of a sentence; `used` gets the places of the values they use."""
    shape = joined_shape(tokens)
    index = places(tokens)
    found: list[Statement] = []
    for form in (_ACTIVE, _NOUN):
        for match in form.finditer(shape):
            relation = _verb_relation(match, relation_words)
            if relation is not None:
                found += _joined(match, tokens, index, relation, used)
    return found


def places(tokens: list[Token]) -> dict[int, int]:
    """Where each token begins in the shape → its number."""
    at, found = 0, {}
    for k, token in enumerate(tokens):
        found[at] = k
        at += len(token.text) + 1
    return found


def _verb_relation(match: re.Match[str], relation_words: dict[str, str]) -> str | None:
    """The relation of "V verb I"; None where the words do not say one."""
    groups = match.groupdict()
    if noun := groups.get("noun"):
        return relation_words.get(noun)
    verb, rest = groups["verb"], set((groups["rest"] or "").split())
    if rest & {"music", "score", "soundtrack", "songs"}:
        return relation_words.get("music")
    if verb in _IN or verb.endswith(" in") or verb == "has no part":
        says = verb in ("in", "has no part") or verb.endswith(" in") or "in" in rest
        return relation_words.get("starring") if says else None
    for form in (verb, verb + "d", verb + "ed", verb.rstrip("s") + "ed"):
        if form in relation_words:
            return relation_words[form]
    return None


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
                found.append(said("fact", tokens[k], whom, relation, no))
    return found


def _is_object(tokens: list[Token], first: int) -> bool:
    """Whether the value at `first` belongs to the words before it: "by V, and V directed I"."""
    before = tokens[first - 1].text if first else ","
    return before not in CLAUSE_STARTS | words("reading", "contrasts") | {"both", "that", "I"}


def _last_value(match: re.Match[str], index: dict[int, int]) -> int:
    """The place of the last value of the list before the verb."""
    return index[match.start("values") + match["values"].rindex("V")]
