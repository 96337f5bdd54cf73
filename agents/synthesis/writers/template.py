"""The offline writer: requests in a person's words from a grammar (`phrases.toml`).

"[a|b]" is one of a and b, nested as one likes; "<pool>" is a draw from a pool; "{slot}" is filled
with facts, last of all, so that no name of the catalogue is ever read as grammar. Steps are the
terse writer's.
"""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from agents.synthesis.state import Draft, Event
from agents.synthesis.world import World
from agents.synthesis.writers import alternating
from agents.synthesis.writers.terse import TerseWriter, noun, thing
from data_engine.graphs.audience import RELATION as AUDIENCE
from data_engine.names.titles import split_year
from data_engine.schema import Condition, Turn, content_hash

PHRASES = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text())
_CHOICE, _POOL = re.compile(r"\[([^\[\]]*)\]"), re.compile(r"<(\w+)>")


@cache
def _alternatives(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def expand(text: str, rng: Random) -> str:
    """Expand grammar to words, with slots left to fill."""
    while pool := _POOL.search(text):
        text = text[: pool.start()] + rng.choice(PHRASES["pools"][pool[1]]) + text[pool.end() :]
    while choice := _CHOICE.search(text):
        text = text[: choice.start()] + rng.choice(_alternatives(choice[1])) + text[choice.end() :]
    return " ".join(text.split()).replace(" ,", ",").replace(" .", ".").replace(" ?", "?")


class TemplateWriter(TerseWriter):
    """See `Writer`. Names appear as in the catalogue, titles now and then without their year."""

    name = "template"
    prompt_hash = content_hash([PHRASES, TerseWriter.prompt_hash])

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The request, drawn from the grammar of its kind."""
        if draft.script:
            return self._script(draft, world, rng)
        graph = world.evidence.attributes
        titles = [_title(graph.titles[i], rng) for i in draft.anchors]
        if draft.about:
            word = _thing(world, rng)
            described = _join([clause(c, rng) for c in draft.about], rng)
            where = f"the {word} {described}"
        else:
            where = _join(titles, rng)
        fill = {
            "asked": _asked(draft.conditions, rng),
            "group": " and ".join(
                _group(c.name, rng) for c in draft.conditions if c.relation == AUDIENCE
            ),
            "noun": noun(draft.conditions[0].relation),
            "anchors": where,
            "all": _join(titles, rng),
            "false": graph.names[draft.premise.value] if draft.premise else "",
            "more": "".join(f", {clause(c, rng)}," for c in draft.conditions[1:]),
            "contrast": clause(draft.contrast, rng) if draft.contrast else "",
            "thing": _thing(world, rng),
        }
        group_alone = draft.kind == "demographics" and not fill["asked"]
        frames = PHRASES["frames"]["demographics_alone" if group_alone else draft.kind]
        return (Turn(role="user", text=_sentence(expand(rng.choice(frames), rng), fill)),)

    def _script(self, draft: Draft, world: World, rng: Random) -> tuple[Turn, ...]:
        texts: list[str] = []
        for event in draft.script:
            fill = self._facts(event, world, rng)
            texts += [
                _sentence(expand(rng.choice(PHRASES[role][event.act]), rng), fill)
                for role in ("assistant", "user")
            ]
        return alternating(texts[1:])

    def _facts(self, event: Event, world: World, rng: Random) -> dict[str, str]:
        item = _title(world.evidence.attributes.titles[event.item], rng) if event.item else ""
        return {
            "thing": _thing(world, rng),
            "asked": _join([clause(c, rng) for c in event.conditions], rng),
            "item": item,
        }


def clause(condition: Condition, rng: Random) -> str:
    """Draw a way to ask for a condition.

    "with Al Pacino in the cast", "though nothing by Michael Mann", "from before 1990".
    """
    clauses = PHRASES["clauses"]
    if condition.op in ("below", "above"):
        text = rng.choice(
            clauses.get(f"{condition.relation}_{condition.op}", clauses[f"generic_{condition.op}"])
        )
        return expand(text, rng).format(name=condition.name, noun=noun(condition.relation))
    text = expand(rng.choice(clauses.get(condition.relation, clauses["generic"])), rng).format(
        name="{name}", noun=noun(condition.relation)
    )
    if condition.op == "not":
        text = expand(rng.choice(clauses["negated"]), rng).format(clause=text)
    return text.replace("{name}", condition.name)


def _asked(conditions: tuple[Condition, ...], rng: Random) -> str:
    """Ask for all conditions but the group, in random order, with those ruled out at the end."""
    wanted = [clause(c, rng) for c in conditions if c.op != "not" and c.relation != AUDIENCE]
    rng.shuffle(wanted)
    return ", ".join([_join(wanted, rng), *(clause(c, rng) for c in conditions if c.op == "not")])


def _group(name: str, rng: Random) -> str:
    """Draw words for a group.

    "gender F" as "women", "age 25-34" as "people aged 25-34", "occupation writer" as "people who
    work as writer".
    """
    column, _, value = name.partition(" ")
    groups = PHRASES["groups"]
    return expand(rng.choice(groups.get(name) or groups[column]), rng).format(name=value)


def _title(title: str, rng: Random) -> str:
    """The title with its year three times in four: people leave it out where they can."""
    bare, year = split_year(title)
    return title if not year or rng.random() < 0.75 else bare


def _thing(world: World, rng: Random) -> str:
    word = thing(world)
    return rng.choice(PHRASES["things"].get(word, [word]))


def _join(parts: list[str], rng: Random) -> str:
    """ "a, b and c"."""
    *most, last = parts or [""]
    return (
        f"{', '.join(most)} {rng.choice(('and', 'and', 'as well as', 'and also'))} {last}"
        if most
        else last
    )


def _sentence(text: str, fill: dict[str, str]) -> str:
    """Fill the slots and open sentences with a capital."""
    text = re.sub(r"(^|[.?!] )([a-z])", lambda m: m[1] + m[2].upper(), text)
    return (
        re.sub(r"\{(\w+)\}", lambda slot: fill[slot[1]], text)
        .replace(",,", ",")
        .replace(",.", ".")
        .replace(" ,", ",")
    )
