"""Chains in sentences: "Sabrina stars Greg Kinnear, but Sydney Pollack directed it, not Neil
LaBute, so it is out."

The sentences are made from the claims of the steps when a lesson is made, by a seed. They are not
stored beside the terse texts: claims and labels are what a chain is, and are the same for both
forms; a store would hold every chain twice, and each change of the wording would need a new
synthesis. What is said is what the claims say, all of it and no more, so the labels hold.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from data_engine.names.spoken import dated_title, spoken_title
from data_engine.responses.sentence_claims import COMMON
from data_engine.schema import Chain, Claim, Example, Step, content_hash


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("telling.toml").read_text())


def told(
    example: Example,
    chain: Chain,
    titles: Mapping[str, str],
    names: Mapping[str, str],
    seed: int = 0,
) -> tuple[str, ...]:
    """The steps of a chain of the Example as sentences, in order.

    titles, names: of items and attributes, by id. seed: the same seed, the same words.
    """
    key = content_hash([example.example_id, chain.model_dump(mode="json"), seed])
    bare = _bare_titles(example, titles)
    asked = {
        (c.relation, c.value): c.op == "is"
        for step in chain.steps
        for c in step.claims
        if c.kind == "need"
    }
    teller = _Teller(titles, bare, names, asked, _thing(example.domain), Random(key))
    return tuple(teller.step(step) for step in chain.steps)


def _thing(domain: str) -> str:
    """The word for one item: "film" of the domain "films"."""
    word = domain.removesuffix("s")
    return word if word.isalpha() and word.islower() else "item"


def _bare_titles(example: Example, titles: Mapping[str, str]) -> dict[str, str]:
    """Titles without their year, of items of this Example that no other of them could be."""
    near = {*example.candidates, *example.anchors, *example.history}
    bare = {item: spoken_title(titles[item]) for item in near if item in titles}
    counts: dict[str, int] = {}
    for one in bare.values():
        counts[one.casefold()] = counts.get(one.casefold(), 0) + 1
    return {
        item: one
        for item, one in bare.items()
        if " " in one and "," not in one and one[-1].isalnum() and counts[one.casefold()] == 1
    }


@dataclass(frozen=True)
class _Teller:
    titles: Mapping[str, str]
    bare: Mapping[str, str]
    names: Mapping[str, str]
    asked: Mapping[tuple[str, str], bool]  # (relation, value) → whether it is wanted or ruled out
    thing: str
    rng: Random

    def step(self, step: Step) -> str:
        """One step as one or two sentences."""
        if step.role == "need":
            return self._need(step.claims)
        if step.role == "candidate":
            return self._candidate(step.claims)
        if step.role == "premise":
            return self._premise(step.claims)
        return self._hop(step.claims)

    def _need(self, claims: Sequence[Claim]) -> str:
        """ "The user wants a drama directed by Ann Arden, but not starring Tim Tate."."""
        heads = [c for c in claims if c.relation in COMMON and c.op == "is"]
        others = [c for c in claims if c not in heads]
        self.rng.shuffle(others)
        head = self._kind_of(self._name(heads[0])) if heads else with_article(self.thing)
        parts = [f"that is also {self._kind_of(self._name(c))}" for c in heads[1:]]
        parts += [self._wanted(c) for c in others if c.op != "not"]
        text = " ".join([head, listed(parts)]).strip()
        denied = [self._wanted(c) for c in others if c.op == "not"]
        if denied:
            text += ", but not " + " and not ".join(denied)
        return f"{self.rng.choice(_phrases()['wants'])} {text}."

    def _candidate(self, claims: Sequence[Claim]) -> str:
        """What the item has and has not, and whether it stays."""
        decision = claims[-1]
        title = self._title(decision.subject)
        facts = claims[:-1]
        words = _phrases()
        if not facts:
            verdict = self.rng.choice(words["kept" if decision.holds else "skipped"])
            return f"{title} {verdict}, as far as the facts say."
        clauses = [list(group) for _, group in groupby(facts, key=lambda c: c.relation)]
        self.rng.shuffle(clauses)
        if self.rng.random() < 0.3:
            verdict = self.rng.choice(words["kept" if decision.holds else "skipped"])
            said = self._joined(clauses, "it", again="it")
            return f"{title} {verdict}, because {said}."
        ending = self.rng.choice(words["keeps" if decision.holds else "skips"])
        if len(clauses) > 1 and self.rng.random() < 0.3:
            first = self._clause(clauses[0], title)
            rest = self._joined(clauses[1:], "it", again="it")
            return f"{first}. {rest[0].upper()}{rest[1:]}, {ending}."
        return f"{self._joined(clauses, title, again='it')}, {ending}."

    def _joined(self, clauses: list[list[Claim]], subject: str, again: str) -> str:
        """Clauses in a row; "but" where one meets what is asked and the next does not, or back."""
        text = self._clause(clauses[0], subject)
        for before, group in zip(clauses, clauses[1:], strict=False):
            turns = self._meets(before) != self._meets(group)
            text += f", {'but' if turns else 'and'} {self._clause(group, again)}"
        return text

    def _meets(self, claims: Sequence[Claim]) -> bool:
        """Whether what is claimed of a relation is what the chain takes to be asked for."""
        return all(
            c.holds is self.asked[c.relation, c.value]
            for c in claims
            if (c.relation, c.value) in self.asked
        )

    def _clause(self, claims: list[Claim], subject: str) -> str:
        """What is claimed of one relation: "it was directed by A, not B"."""
        has = [self._name(c) for c in claims if c.holds]
        lacks = [self._name(c) for c in claims if not c.holds]
        relation = claims[0].relation
        if not has:
            return self._lacking(relation, lacks, subject)
        tail = (
            f"{self.rng.choice((', not', ' rather than'))} {self._said(relation, lacks[0])}"
            if lacks
            else ""
        )
        active = self._words(relation).get("active")
        if active and len(has) == 1 and self.rng.random() < 0.4:
            tail = f", not {lacks[0]}" if lacks else ""
            return active.format(has[0], it=subject) + tail
        if relation in COMMON:
            return f"{subject} is {listed([self._kind_of(h) for h in has])}{tail}"
        if says := self._words(relation).get("says"):
            return f"{subject} {says.format(listed(has))}{tail}"
        return f"{_possessive(subject)} {_noun(relation)} is {listed(has)}{tail}"

    def _lacking(self, relation: str, lacks: list[str], subject: str) -> str:
        if relation in COMMON:
            return f"{subject} is not {self._kind_of(lacks[0])}"
        says = self._words(relation).get("says", "")
        first, _, rest = says.format(lacks[0]).partition(" ")
        if first in ("was", "is"):
            return f"{subject} {first} not {rest}"
        if first == "stars":
            return f"{subject} does not star {rest}"
        if first == "has":
            return f"{subject} has no {rest}"
        return f"{_possessive(subject)} {_noun(relation)} is not {lacks[0]}"

    def _premise(self, claims: Sequence[Claim]) -> str:
        """A premise that is seen through, or trusted."""
        true = [c for c in claims if c.holds]
        title = self._title(true[0].subject)
        if len(claims) == 1:
            opening = self.rng.choice(("As the request says,", "Going by the request,"))
            return f"{opening} {self._clause(list(true), title)}."
        false = self._name(next(c for c in claims if not c.holds))
        noun = _noun(true[0].relation)
        opening = self.rng.choice(
            (
                f"The request takes {false} for the {noun}, but",
                f"The request names {false} as the {noun}, but",
                f"The request says {false}, but",
            )
        )
        return f"{opening} {self._clause(true, title)}."

    def _hop(self, claims: Sequence[Claim]) -> str:
        """What the anchors have: of one item, or of several that share it."""
        sentences = []
        for (relation, value), group in groupby(claims, key=lambda c: (c.relation, c.value)):
            same = list(group)
            if len(same) == 1:
                sentences.append(f"{self._clause(same, self._title(same[0].subject))}.")
                continue
            items = listed([self._title(c.subject) for c in same])
            said = self._plural(relation, self.names.get(value, value), len(same))
            sentences.append(f"{items} {said}.")
        return " ".join(sentences)

    def _plural(self, relation: str, name: str, count: int) -> str:
        both = "both" if count == 2 else "all"
        if relation in COMMON:
            low = name.lower()
            kind = plural(low) if low in _phrases()["nouns"] else f"{low} {plural(self.thing)}"
            return f"are {both} {kind}"
        if phrase := self._words(relation).get("plural"):
            verb, _, rest = phrase.format(name).partition(" ")
            return f"both {verb} {rest}" if verb in ("star", "have") else f"{verb} {both} {rest}"
        return f"have {name} as {_noun(relation)}"

    def _wanted(self, claim: Claim) -> str:
        """A condition after its noun: "directed by A", "whose publisher is B"."""
        words, name = self._words(claim.relation), self._name(claim)
        if claim.op in ("below", "above"):
            generic = "with {1} " + claim.op + " {0}"
            return str(words.get(claim.op, generic)).format(
                name, with_article(_noun(claim.relation))
            )
        if claim.relation in COMMON:
            return self._kind_of(name)
        if wanted := words.get("wanted"):
            return str(wanted).format(name)
        noun = _noun(claim.relation)
        return f"with {name} as {noun}" if claim.op == "not" else f"whose {noun} is {name}"

    def _said(self, relation: str, name: str) -> str:
        return self._kind_of(name) if relation in COMMON else name

    def _kind_of(self, name: str) -> str:
        """ "a comedy", "a horror film"."""
        low = name.lower()
        return with_article(low if low in _phrases()["nouns"] else f"{low} {self.thing}")

    def _words(self, relation: str) -> dict[str, str]:
        found: dict[str, str] = _phrases()["relations"].get(relation, {})
        return found

    def _name(self, claim: Claim) -> str:
        return self.names.get(claim.value, claim.value)

    def _title(self, item: str) -> str:
        dated = dated_title(self.titles[item])
        return self.bare.get(item, dated) if self.rng.random() < 0.5 else dated


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def with_article(noun: str) -> str:
    """ "a film", "an album"."""
    vowel = noun[:1].lower() in "aeiou" and not noun.lower().startswith(("uni", "eu", "one"))
    return f"{'an' if vowel else 'a'} {noun}"


def plural(noun: str) -> str:
    """ "films", "comedies"."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def _noun(relation: str) -> str:
    return relation.replace("_", " ")


def _possessive(subject: str) -> str:
    return "its" if subject == "it" else f"{subject}'s"
