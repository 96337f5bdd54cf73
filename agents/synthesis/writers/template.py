"""The offline writer: requests as people make them, from a grammar (`phrases/*.toml`).

Every sentence is about the request: what is wanted, why its attribute matters to the asker, and
what was seen. Steps of reasoning are the terse writer's.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from agents.synthesis.state import Draft, Event
from agents.synthesis.world import World
from agents.synthesis.writers import alternating
from agents.synthesis.writers.asking import Asking
from agents.synthesis.writers.clauses import Clauses, is_genre
from agents.synthesis.writers.realiser import (
    Names,
    Slots,
    counted,
    expand,
    fill,
    joined,
    realise,
    with_typos,
)
from agents.synthesis.writers.registers import USUAL, register_of
from agents.synthesis.writers.terse import TerseWriter, thing
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.spoken import spoken_title
from data_engine.names.titles import split_year
from data_engine.schema import Condition, Turn, content_hash

PHRASES: dict[str, Any] = {}
for _file in sorted(Path(__file__).with_name("phrases").glob("*.toml")):
    PHRASES |= tomllib.loads(_file.read_text())
TYPOS = 0.12  # share of the longer words that have a typo, with noise
YEARS = 0.6  # share of requests, terse ones aside, that say the years of titles
SEEN = 0.3  # share of requests that tell of a liked item, where one has what is asked for
UNKNOWN = {"verb": "try", "past": "tried"}
ASKED = ("explicit", "numeric", "negation", "demographics")  # kinds that name what they ask for


class TemplateWriter(TerseWriter):
    """See `Writer`.

    registers: weight per register. noise: whether some words have typos; names never have.
    """

    name = "template"
    prompt_hash = content_hash([PHRASES, TerseWriter.prompt_hash, TYPOS, SEEN, YEARS])

    def __init__(self, registers: Mapping[str, float] = USUAL, noise: bool = False) -> None:
        self.registers, self.noise = registers, noise

    def style(self, draft: Draft) -> str:
        """The register of a draft's words."""
        return register_of(draft, self.registers)

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The request, drawn from the grammar of its kind and register."""
        speaker = _Speaker(draft, world, rng, self.style(draft), self.noise)
        if not draft.script:
            return (Turn(role="user", text=speaker.request()),)
        texts: list[str] = []
        said: tuple[Condition, ...] = ()
        for event in draft.script:
            texts += [speaker.assistant(event, said), speaker.user(event)]
            if event.act == "retract":
                said = tuple(c for c in said if c not in event.conditions)
            elif event.act != "correct":
                said += event.conditions
        return alternating(texts[1:])


class _Speaker:
    """Puts one draft into the words of one register."""

    def __init__(self, draft: Draft, world: World, rng: Random, register: str, noise: bool) -> None:
        self.draft, self.world, self.rng = draft, world, rng
        self.register, self.noise = register, noise
        self.titles = world.evidence.attributes.titles
        self.years = register != "terse" and rng.random() < YEARS
        self.names = Names()
        word = thing(world)
        known = {**UNKNOWN, "one": [word], "many": [f"{word}s"]} | PHRASES["things"].get(word, {})
        at = rng.randrange(len(known["one"]))
        self.clauses = Clauses(PHRASES, self.names, known["one"][at], known["many"][at], rng)
        self.plain = {
            "thing": known["one"][at],
            "many": known["many"][at],
            "verb": known["verb"],
            "past": known["past"],
            "watching": known.get("doing", f"{known['verb']}ing"),
        }

    def request(self) -> str:
        """The words of a request that is one message."""
        draft = self.draft
        if draft.kind in ASKED:
            asking = self._asking(draft.conditions)
            slots = asking.slots() | self._groups()
            if (seen := self._seen(asking)) is not None:
                return self._said(PHRASES["prose"][seen[0]], slots | seen[1])
            return self._said(self._frames(asking), slots)
        slots = self._anchors()
        if draft.kind != "interest":
            slots |= self._shared(draft.conditions[0].relation)
        if draft.premise:
            slots |= self._premise()
        if draft.contrast:
            contrast = draft.contrast
            slots["contrast"] = lambda: self._contrast(contrast)
        return self._said(self._frames(None), slots)

    def user(self, event: Event) -> str:
        """The user's message at an event of a conversation."""
        frames = PHRASES["user_terse" if self.register == "terse" else "user"][event.act]
        slots = self._asking(event.conditions).slots() | self._suggested(event)
        isnt = (self.clauses.of(c.relation, c.op, "isnt", [c.name]) for c in event.conditions)
        return self._said(frames, slots | {"isnt": lambda: joined([*isnt])})

    def assistant(self, event: Event, said: tuple[Condition, ...]) -> str:
        """The assistant's message before an event; said: the conditions up to then."""
        frame = self.rng.choice(PHRASES["assistant"][event.act])
        slots = self._suggested(event)
        if "{count}" in frame:
            meet = [set(self.world.evidence.attributes.holders(c.relation, c.value)) for c in said]
            count = len(set.intersection(*meet))
            known = self.plain["thing"], self.plain["many"]
            slots |= {"count": lambda: counted(count, *known), "is": lambda: _is(count)}
        pools = PHRASES["assistant_pools"]
        text = fill(expand(frame, pools, self.rng), Slots(self.plain, slots))
        return self.names.fill(realise(text, self.names))

    def _asking(self, conditions: tuple[Condition, ...]) -> Asking:
        return Asking(conditions, self.clauses, self.rng, self.draft.kind != "demographics")

    def _frames(self, asking: Asking | None) -> list[str]:
        kind, terse = self.draft.kind, self.register == "terse"
        if terse:
            frames = PHRASES["terse"].get(kind, PHRASES["terse"]["explicit"])
        elif asking is None or kind == "demographics":
            frames = PHRASES["prose"][kind]
        elif kind == "explicit":
            frames = PHRASES["prose"]["one" if len(asking.conditions) == 1 else "many"]
        else:
            frames = PHRASES["prose"]["bounded"]
            frames = frames + PHRASES["prose"]["negation"] if kind == "negation" else frames
        premise = self.draft.premise
        if premise and not self.clauses.entry(premise.relation)["work"]:
            return [frame for frame in frames if "{work}" not in frame]
        return list(frames)

    def _title(self, item: str) -> str:
        title = self.titles[item]
        spoken = spoken_title(title)
        year = split_year(title)[1]
        homonym = self.world.spoken[spoken.casefold()] > 1  # another item is called the same
        return self.names.add(f"{spoken} ({year})" if year and (homonym or self.years) else spoken)

    def _suggested(self, event: Event) -> dict[str, Callable[[], str]]:
        return {"item": lambda: self._title(event.item)} if event.item else {}

    def _seen(self, asking: Asking) -> tuple[str, dict[str, Callable[[], str]]] | None:
        """Frames and slots of a request that tells of a liked item which has what is asked for."""
        liked = asking.liked
        if self.register == "terse" or liked is None or self.draft.kind == "demographics":
            return None
        graph, gold = self.world.evidence.attributes, title_words(self.titles[self.draft.gold])
        seen = [
            item
            for item in self.draft.history
            if graph.has(item, liked.relation, liked.value)
            and not gold & title_words(self.titles[item])  # a sequel would give the gold away
        ]
        genre, work = is_genre(liked.relation), self.clauses.entry(liked.relation)["work"]
        if not seen or not (genre or work) or self.rng.random() >= SEEN:
            return None
        item = self.rng.choice(seen)
        return "seen_genre" if genre else "seen", {
            "seen": lambda: self._title(item),
            "work": lambda: self.clauses.draw(liked, "work"),
        }

    def _anchors(self) -> dict[str, Callable[[], str]]:
        """How the anchors are named, or described where they must not be named."""
        count = len(self.draft.anchors)
        if self.draft.about:
            asking = self._asking(self.draft.about).slots()
            described = " ".join(f"the {asking['bare']()} {asking['posts']()}".split())
            return {
                "anchors": lambda: described,
                "both": lambda: described,
                "it": lambda: "it",
                "them": lambda: "it",
            }
        named = joined([self._title(item) for item in self.draft.anchors])
        both = f"both {named}" if count == 2 else named
        return {
            "anchors": lambda: named,
            "both": lambda: both,
            "it": lambda: "it" if count == 1 else "them",
            "them": lambda: "it" if count == 1 else "them",
            "all": lambda: "both" if count == 2 else "all",
            "all_of": lambda: "both of" if count == 2 else "all of",
        }

    def _shared(self, relation: str) -> dict[str, Callable[[], str]]:
        """What the anchors' shared relation is called, and what was liked about it."""
        forms = ("same", "craft", "who", "whom", "more")
        slots = {form: self._form(relation, form) for form in forms}
        who = slots["who"]
        return slots | {
            "noun": lambda: self.clauses.noun(relation),
            "who_it": lambda: who().replace("{both}", "{them}"),
        }

    def _form(self, relation: str, form: str) -> Callable[[], str]:
        def draw() -> str:
            phrases = self.clauses.entry(relation)[form]
            one = phrases if isinstance(phrases, str) else self.rng.choice(phrases)
            asked = one.replace("{anchors}", "{both}") if form in ("who", "whom") else one
            return self.clauses.filled(asked, relation)

        return draw

    def _premise(self) -> dict[str, Callable[[], str]]:
        premise = self.draft.premise
        assert premise is not None
        false = self.world.evidence.attributes.names[premise.value]
        claimed = Condition(relation=premise.relation, value=premise.value, name=false)
        more = [self._contrast(c) for c in self.draft.conditions[1:]]
        return {
            "false": lambda: self.clauses.said(premise.relation, false),
            "work": lambda: self.clauses.draw(claimed, "work"),
            "did": self._form(premise.relation, "did"),
            "more_asked": lambda: f", {' and '.join(more)}" if more else "",
        }

    def _contrast(self, condition: Condition) -> str:
        """What follows "but", or a further wish of a misinformed request."""
        if is_genre(condition.relation) and condition.op == "is":
            kind = self.clauses.draw(condition, "also").removeprefix("be ")
            hope = self.rng.choice(("preferably", "ideally", "this time"))
            return f"{kind} this time" if self.draft.contrast else f"{hope} {kind}"
        return self._asking((condition,)).posts([condition])

    def _groups(self) -> dict[str, Callable[[], str]]:
        groups = [c.name for c in self.draft.conditions if c.relation == AUDIENCE]
        return {"group": lambda: " and ".join(_group(name, self.rng) for name in groups)}

    def _said(self, frames: list[str], slots: Mapping[str, Callable[[], str]]) -> str:
        pools = PHRASES["plain" if self.register == "terse" else self.register]
        frame = expand(self.rng.choice(frames), pools, self.rng)
        text = realise(
            fill(frame, Slots(self.plain, slots)),
            self.names,
            sentences=self.register != "terse",
            full=self.register == "formal",
        )
        if self.noise:
            text = with_typos(text, TYPOS, self.rng)
        return self.names.fill(text)


def title_words(title: str) -> frozenset[str]:
    """The casefolded words of a title, less the year and words of up to three letters."""
    words = re.findall(r"\w+", split_year(title)[0].casefold())
    return frozenset(word for word in words if len(word) > 3 or word.isdigit()) or frozenset(words)


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _group(name: str, rng: Random) -> str:
    column, _, value = name.partition(" ")
    groups = PHRASES["groups"]
    return str(rng.choice(groups.get(name) or groups[column])).format(name=value)
