"""What one message was found to say, before the graph has judged it."""

import re
from dataclasses import dataclass, field

from agents.assistant.request import Doubt, Span, Wish
from agents.assistant.understanding.relations import Reading

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Stated:
    """Of each of the items: that it has (`holds`) or lacks a value; wanted: which is asked for."""

    items: tuple[str, ...]
    reading: Reading
    holds: bool = True
    wanted: bool = True


@dataclass
class Found:
    """Collects what the sentences of one message say.

    sames: for each "the same …", the relations that the words after it may mean. others: those of
    each "another …". spoken: the relations that were spoken of, the last first. tastes: genres of
    what was liked. strangers: (items, relation, name) of statements with a name that the catalogue
    lacks. replaced: relations of which nothing wanted before is wanted any more. named: items
    of the last sentence that names some. forgotten: items that are liked no
    more. used: where tokens start that a reader has used. bearers: last name → the value and
    relation of a person named before. unclear: words that no condition can be made of.
    parts: the words of names. plain: words that are no last names. liked: items
    that were liked before this message.
    """

    plain: frozenset[str] = frozenset()
    liked: tuple[str, ...] = ()
    wishes: list[Wish] = field(default_factory=list)
    tastes: list[Wish] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    stated: list[Stated] = field(default_factory=list)
    strangers: list[tuple[tuple[str, ...], str, str]] = field(default_factory=list)
    sames: list[tuple[str, ...]] = field(default_factory=list)
    others: list[tuple[str, ...]] = field(default_factory=list)
    retracted: list[Reading] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    bearers: dict[str, Reading] = field(default_factory=dict)
    unclear: list[Span] = field(default_factory=list)

    def speak_of(self, relations: tuple[str, ...]) -> None:
        """Note relations that were spoken of."""
        for relation in relations:
            if relation in self.spoken:
                self.spoken.remove(relation)
        self.spoken[:0] = relations

    def liked_none_of(self, items: tuple[str, ...]) -> bool:
        """Whether none of the items was liked before this message."""
        return not set(items) & set(self.liked)

    def name(self, said: str, reading: Reading) -> None:
        """Note a person by the parts of the name, so that the last name alone is known."""
        for part in said.split()[1:]:
            last = part.strip(".,").casefold()
            for word in {last, *_WORD.findall(last)} - self.plain:
                self.bearers[word] = reading
        self.parts.update(_WORD.findall(said.casefold()))
