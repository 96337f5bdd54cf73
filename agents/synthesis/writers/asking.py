"""What is asked for, as the noun phrase of one request: the thing, and all that follows it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from random import Random

from agents.synthesis.writers.clauses import Clauses, is_genre
from agents.synthesis.writers.realiser import joined
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.schema import Condition

BOUNDS = ("below", "above")


@dataclass(frozen=True)
class Asking:
    """The conditions of one request in the order in which it says them.

    Wanted values come in random order, then bounds, then what is ruled out. Groups of users are
    said by the frames. relative: whether a clause may begin with "that" where others would do.
    """

    conditions: tuple[Condition, ...]
    clauses: Clauses
    rng: Random
    relative: bool = True

    def slots(self) -> dict[str, Callable[[], str]]:
        """The slots of the frames, each drawn when it is needed."""
        return {
            "bare": self._bare,
            "head": lambda: f"@ {self._bare()}",
            "heads": self._heads,
            "posts": lambda: self.posts(self._rest),
            "posts_many": lambda: self.posts(self._rest, many=True),
            "kept": lambda: self.posts([c for c in self._rest if c.op != "not"]),
            "nothing": self._nothing,
            "first": lambda: self.posts(self._rest[:1] if self._rest[1:] else ()),
            "also": self.also,
            "shorts": lambda: ", ".join(map(self._short, self._rest)),
            "shorts_all": lambda: ", ".join(map(self._short, self.conditions)),
            "fan": lambda: self.clauses.draw(self._liked, "fan"),
            "ref": lambda: self.clauses.draw(self._liked, "ref"),
            "one_liked": self._one_liked,
        }

    @cached_property
    def liked(self) -> Condition | None:
        """The condition whose liking the asker speaks of."""
        plain = (c for c in self.conditions if c.op == "is" and c.relation != AUDIENCE)
        return next(plain, None)

    @property
    def _liked(self) -> Condition:
        assert self.liked is not None
        return self.liked

    @cached_property
    def genre(self) -> Condition | None:
        """The condition that makes the head of the phrase: "@ war film"."""
        return next((c for c in self.conditions if c.op == "is" and is_genre(c.relation)), None)

    @cached_property
    def _rest(self) -> list[Condition]:
        rest = [c for c in self.conditions if c is not self.genre and c.relation != AUDIENCE]
        self.rng.shuffle(rest)
        return sorted(rest, key=lambda c: (c.op != "is", c.op == "not"))

    def _bare(self) -> str:
        return self.clauses.head(self.genre.name) if self.genre else self.clauses.thing

    def _heads(self) -> str:
        return self.clauses.head(self.genre.name, True) if self.genre else self.clauses.many

    def also(self) -> str:
        """What follows "it should": all but the first of what follows the thing, or that one."""
        said = self._rest[1:] or self._rest
        if not said:
            return f"be @ {self._bare()}"
        return joined([self.clauses.draw(c, "also") for c in said])

    def _short(self, condition: Condition) -> str:
        if condition.op == "not":
            return f"no {self.clauses.said(condition.relation, condition.name)}"
        return self.clauses.draw(condition, "short")

    def _nothing(self) -> str:
        """What is ruled out: "nothing starring A", "no comedies"."""
        (denied,) = [c for c in self.conditions if c.op == "not"]
        if is_genre(denied.relation):
            return f"no {self.clauses.head(denied.name, many=True)}"
        return f"nothing {self.posts([denied.model_copy(update={'op': 'is'})])}"

    def _one_liked(self) -> str:
        """What is wanted, after a sentence of liking: "one directed by them"."""
        others = [c for c in self._rest if c is not self.liked]
        if self.liked is self.genre:
            return f"one {self.posts(others)}"
        if not self.clauses.entry(self._liked.relation)["back"]:
            return f"@ {self._bare()} {self.posts(self._rest)}"
        return f"@ {self._bare()} {self.posts(others, [self.clauses.draw(self._liked, 'back')])}"

    def posts(
        self, conditions: Sequence[Condition], before: Sequence[str] = (), many: bool = False
    ) -> str:
        """The clauses after the thing: bounds, participles, "with …", "that …".

        before: participles that come first.
        """
        lead, parts, withs, thats = list[str](), list(before), list[str](), list[str]()
        alone = len(conditions) == 1 and not before and not many
        for (relation, op), same in groupby(conditions, key=lambda c: (c.relation, c.op)):
            names = [c.name for c in same]
            form = self._form(relation, op, alone, many)
            place = {"part": parts, "with": withs, "lead": lead}.get(form, thats)
            place.append(self.clauses.of(relation, op, form, names, many))
        said = [*lead, joined(parts)]
        said += [f"with {joined(withs)}"] if withs else []
        said += [f"that {joined(thats)}"] if thats else []
        return " ".join(filter(None, said))

    def _form(self, relation: str, op: str, alone: bool, many: bool) -> str:
        if op == "not":
            return "arent" if many else "isnt"
        entry = self.clauses.entry(relation, op)
        if alone and self.relative and self.rng.random() < 0.25:
            return "that"
        if op in BOUNDS:
            return "part" if entry["part"] and alone and self.rng.random() < 0.4 else "lead"
        forms = [form for form in ("lead", "part", "with") if entry.get(form)]
        return self.rng.choice(forms) if forms else ("that_many" if many else "that")
