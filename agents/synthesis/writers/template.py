"""The offline writer: requests as people make them, from a grammar (`phrases/*.toml`).

Every sentence is about the request: what is wanted, why its attribute matters to the asker, and
what was seen. Steps of reasoning are the terse writer's.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from agents.synthesis.state import Draft, Event
from agents.synthesis.world import World
from agents.synthesis.writers import alternating
from agents.synthesis.writers.clauses import Clauses, is_genre
from agents.synthesis.writers.realiser import (
    Names,
    expand,
    fill,
    joined,
    realise,
    with_typos,
)
from agents.synthesis.writers.registers import USUAL, draw_register
from agents.synthesis.writers.terse import TerseWriter, thing
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.spoken import spoken_title
from data_engine.names.titles import split_year
from data_engine.schema import Condition, Turn, content_hash

PHRASES: dict[str, Any] = {}
for _file in sorted(Path(__file__).with_name("phrases").glob("*.toml")):
    PHRASES |= tomllib.loads(_file.read_text())
TYPOS = 0.06  # share of the longer words that have a typo, with noise
UNKNOWN = {"verb": "try", "past": "tried"}


class TemplateWriter(TerseWriter):
    """See `Writer`.

    registers: weight per register. noise: whether some words have typos; names never have.
    """

    name = "template"
    prompt_hash = content_hash([PHRASES, TerseWriter.prompt_hash, TYPOS])

    def __init__(self, registers: Mapping[str, float] = USUAL, noise: bool = False) -> None:
        self.registers, self.noise = registers, noise

    def style(self, draft: Draft) -> str:
        """The register of a draft's words: the same whenever it is asked."""
        return draw_register(self.registers, Random(f"{draft.gold}/{draft.shuffle_seed}"))

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The request, drawn from the grammar of its kind and register."""
        speaker = _Speaker(draft, world, rng, self.style(draft), self.noise)
        if not draft.script:
            return (Turn(role="user", text=speaker.request()),)
        texts: list[str] = []
        for event in draft.script:
            texts += [speaker.says("assistant", event), speaker.says("user", event)]
        return alternating(texts[1:])


class _Speaker:
    """Puts one draft into the words of one register."""

    def __init__(self, draft: Draft, world: World, rng: Random, register: str, noise: bool) -> None:
        self.draft, self.world, self.rng = draft, world, rng
        self.register, self.noise = register, noise
        self.names = Names()
        word = thing(world)
        known = {**UNKNOWN, "one": [word], "many": [f"{word}s"]} | PHRASES["things"].get(word, {})
        at = rng.randrange(len(known["one"]))
        self.thing, self.many = known["one"][at], known["many"][at]
        self.slots: dict[str, str] = {
            "thing": self.thing,
            "many": self.many,
            "verb": known["verb"],
            "past": known["past"],
            "watching": f"{known['verb']}ing".replace("listen toing", "listening to"),
        }
        self.clauses = Clauses(PHRASES, self.names, self.thing, rng)

    def request(self) -> str:
        """The words of a request that is one message."""
        draft, slots = self.draft, self.slots
        titles = self.world.evidence.attributes.titles
        slots["anchors"] = joined([self._title(titles[i]) for i in draft.anchors])
        if draft.about:
            self._add_asked(draft.about)
            slots["anchors"] = f"the {slots['head_bare']} {slots['posts']}"
        if draft.anchors and draft.kind != "interest":
            self._add_shared(draft.conditions[0].relation)
        if draft.premise:
            self._add_premise()
        if draft.contrast:
            slots["contrast"] = self._contrast(draft.contrast)
        if draft.kind in ("explicit", "numeric", "negation", "demographics"):
            self._add_asked(draft.conditions)
        return self._realised(self.rng.choice(self._frames()))

    def says(self, role: str, event: Event) -> str:
        """A message of a conversation."""
        titles = self.world.evidence.attributes.titles
        self._add_asked(event.conditions)
        if event.item:
            self.slots["item"] = self._title(titles[event.item])
        frames = PHRASES[role][event.act]
        if role == "user" and event.act == "correct":
            lacks = joined([self.clauses.draw(c, "lacks") for c in event.conditions])
            frames = [f.replace("isn't {what}", lacks) for f in frames]
        if role == "assistant":
            return self.names.fill(realise(self._filled(self.rng.choice(frames)), self.names))
        return self._realised(self.rng.choice(frames))

    def _frames(self) -> list[str]:
        kind = self.draft.kind
        if self.register == "terse":
            asked = kind in ("numeric", "negation")
            return list(PHRASES["terse"]["explicit" if asked else kind])
        if kind in ("numeric", "negation"):
            return list(PHRASES["prose"]["bounded"])
        if kind == "explicit":
            count = "one" if len(self.draft.conditions) == 1 else "many"
            return list(PHRASES["prose"][count])
        return list(PHRASES["prose"][kind])

    def _title(self, title: str) -> str:
        spoken = spoken_title(title)
        if self.world.spoken[spoken.casefold()] > 1:  # another item is called the same
            spoken = f"{spoken} ({split_year(title)[1]})"
        return self.names.add(spoken)

    def _add_shared(self, relation: str) -> None:
        """What the anchors' shared relation is called, and what was liked about it."""
        probe = Condition(relation=relation, value="", name="")
        self.slots["noun"] = self.clauses.noun(relation)
        self.slots["of"] = "in" if relation == "starring" else "of"
        for form in ("same", "craft"):
            self.slots[form] = self.clauses.draw(probe, form)

    def _add_premise(self) -> None:
        premise = self.draft.premise
        assert premise is not None
        false = self.world.evidence.attributes.names[premise.value]
        claimed = Condition(relation=premise.relation, value=premise.value, name=false)
        self.slots["false"] = self.names.add(false)
        self.slots["work"] = self.clauses.draw(claimed, "work")
        more = [self._contrast(c) for c in self.draft.conditions[1:]]
        self.slots["more"] = f", {' and '.join(more)}" if more else ""

    def _contrast(self, condition: Condition) -> str:
        if is_genre(condition.relation) and condition.op == "is":
            kind = self.clauses.draw(condition, "also").removeprefix("be ")
            hope = self.rng.choice(("preferably", "ideally", "this time"))
            return kind if self.draft.contrast else f"{hope} {kind}"
        return self.clauses.draw(condition, "post")

    def _add_asked(self, conditions: tuple[Condition, ...]) -> None:
        """The wanted conditions in random order, bounds and what is ruled out last."""
        asked = _Asked.sort(conditions, self.rng)
        draw, slots = self.clauses.draw, self.slots
        genre = asked.genre
        rest = [c for c in asked.wanted if c is not genre]
        bare = self.clauses.head(genre.name, self.thing) if genre else self.thing
        ruled = [draw(c, "post") for c in asked.ruled_out]
        posts = [draw(c, "post") for c in rest]
        slots["head_bare"], slots["head"] = bare, f"@ {bare}"
        if genre:
            slots["many"] = self._many(genre.name)
        slots["posts"] = " ".join([_and(posts), *ruled]).strip()
        slots["shorts"] = ", ".join(draw(c, "short") for c in (*rest, *asked.ruled_out))
        slots["first"] = posts[0] if posts else ""
        later = rest[1:] if posts else []
        slots["also"] = " and ".join(draw(c, "also") for c in later) or (
            draw(rest[0], "also") if rest else f"be @ {bare}"
        )
        liked = next((c for c in conditions if c.op == "is" and c.relation != AUDIENCE), None)
        if liked:
            self._add_liking(liked, [c for c in rest if c is not liked], genre)
        groups = [_group(c.name, self.rng) for c in conditions if c.relation == AUDIENCE]
        slots["group"] = " and ".join(groups)

    def _add_liking(
        self, liked: Condition, others: list[Condition], genre: Condition | None
    ) -> None:
        """Sentences of the asker's liking for a condition."""
        draw, slots = self.clauses.draw, self.slots
        slots["fan"], slots["ref"] = draw(liked, "fan"), draw(liked, "ref")
        slots["fan_ref"] = slots["ref"]
        posts = [draw(c, "post") for c in others]
        if liked is genre:
            slots["thing_like"] = f"@ {self.thing} {draw(liked, 'back')} {_and(posts)}"
        else:
            slots["thing_like"] = f"{slots['head']} {_and([draw(liked, 'back'), *posts])}"

    def _many(self, genre: str) -> str:
        head = self.clauses.head(genre, self.many)
        return head if self.many in head else f"{head} {self.many}"

    def _filled(self, frame: str) -> str:
        pools = PHRASES["plain" if self.register == "terse" else self.register]
        return fill(expand(frame, pools, self.rng), self.slots)

    def _realised(self, frame: str) -> str:
        text = realise(
            self._filled(frame),
            self.names,
            sentences=self.register != "terse",
            full=self.register == "formal",
        )
        if self.noise:
            text = with_typos(text, TYPOS, self.rng)
        return self.names.fill(text)


@dataclass(frozen=True)
class _Asked:
    wanted: list[Condition]
    ruled_out: list[Condition]
    genre: Condition | None

    @classmethod
    def sort(cls, conditions: tuple[Condition, ...], rng: Random) -> "_Asked":
        plain = [c for c in conditions if c.op != "not" and c.relation != AUDIENCE]
        wanted = [c for c in plain if c.op == "is"]
        rng.shuffle(wanted)
        wanted += [c for c in plain if c.op != "is"]
        genre = next((c for c in wanted if c.op == "is" and is_genre(c.relation)), None)
        return cls(wanted, [c for c in conditions if c.op == "not"], genre)


def _and(posts: list[str]) -> str:
    return joined(posts) if posts else ""


def _group(name: str, rng: Random) -> str:
    column, _, value = name.partition(" ")
    groups = PHRASES["groups"]
    return str(rng.choice(groups.get(name) or groups[column])).format(name=value)
