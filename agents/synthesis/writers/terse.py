"""The tersest writer: one phrasing a kind and steps of a few words, for a policy made from scratch, which must learn every one of them."""

from collections.abc import Sequence
from random import Random

from agents.synthesis.sampling import World
from agents.synthesis.state import Draft, Event
from agents.synthesis.writers import USER_FIRST
from data_engine.schema import Chain, Claim, Condition, Turn, content_hash

# relation → (a clause that asks for it, its noun in reasoning); other relations use GENERIC
RELATIONS = {
    "director": ("directed by {0}", "director"),
    "starring": ("starring {0}", "star"),
    "composer": ("with music by {0}", "composer"),
    "genre": ("in the genre {0}", "genre"),
    "writer": ("written by {0}", "writer"),
    "author": ("written by {0}", "author"),
}
GENERIC = "with {1} {0}"
OPS = {"is": "{0}", "not": "not {0}", "below": "{1} below {2}", "above": "{1} above {2}"}
QUERIES = {
    "explicit": "Find a {thing} {asked}.",
    "implicit": "Find a {thing} with the same {noun} as in {anchors}.",
    "misinformed": "Find a {thing} like {anchors}, by the same {noun}, {false}{more}.",
    "interest": "I recently liked {all}. Recommend more.",
    "demographics": "Find a {thing} {asked}.",
    "negation": "Find a {thing} {asked}.",
    "numeric": "Find a {thing} {asked}.",
    "comparison": "Find a {thing} with the same {noun} as in {anchors}, but {contrast}.",
    "tools": "Look up a {thing} with the same {noun} as in {anchors}.",
}
TURNS = {
    "reveal": ("Find a {thing} {asked}.", "What else?"),
    "refine": ("It should also be {asked}.", "What else?"),
    "retract": ("Forget that it should be {asked}.", "As you like."),
    "correct": ("No, {item} is not {asked}. Find another.", "How about {item}?"),
}


def noun(relation: str) -> str:
    """How reasoning names a relation: "star" for starring, else the relation's own words."""
    return RELATIONS[relation][1] if relation in RELATIONS else relation.replace("_", " ")


def clause(condition: Condition) -> str:
    """ "directed by Michael Mann", "not directed by Michael Mann", "year below 1990"."""
    word = noun(condition.relation)
    return OPS[condition.op].format(
        RELATIONS.get(condition.relation, (GENERIC,))[0].format(condition.name, word),
        word,
        condition.name,
    )


class TerseWriter:
    """See `Writer`. Item and person names appear exactly as in the catalogue."""

    name, asks = "terse", False
    prompt_hash = content_hash([RELATIONS, GENERIC, OPS, QUERIES, TURNS])

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The kind's phrasing."""
        if draft.script:
            return self._conversation(draft, world)
        titles, names = world.evidence.attributes.titles, world.evidence.attributes.names
        anchors = [titles[i] for i in draft.anchors]
        where = (
            f"the {thing(world)} {clause(draft.about[0])} and {clause(draft.about[1])}"
            if draft.about
            else " and ".join(anchors)
        )
        fill = {
            "thing": thing(world),
            "asked": " and ".join(map(clause, draft.conditions)),
            "noun": noun(draft.conditions[0].relation),
            "anchors": where,
            "all": ", ".join(anchors),
            "false": names[draft.premise.value] if draft.premise else "",
            "more": "".join(f", {clause(c)}" for c in draft.conditions[1:]),
            "contrast": clause(draft.contrast) if draft.contrast else "",
        }
        return (Turn(role="user", text=QUERIES[draft.kind].format(**fill)),)

    def _conversation(self, draft: Draft, world: World) -> tuple[Turn, ...]:
        """The user's turns, and between them the assistant's, each the one that leads to the next."""
        texts: list[str] = []
        for event in draft.script:
            fill = self._fill(event, world)
            user, assistant = TURNS[event.act]
            texts += [assistant.format(**fill), user.format(**fill)]
        return tuple(Turn(role=USER_FIRST[n % 2], text=text) for n, text in enumerate(texts[1:]))

    def _fill(self, event: Event, world: World) -> dict[str, str]:
        item = world.evidence.attributes.titles[event.item] if event.item else ""
        return {
            "thing": thing(world),
            "asked": " and ".join(map(clause, event.conditions)),
            "item": item,
        }

    async def phrase(
        self, draft: Draft, chains: tuple[Chain, ...], world: World
    ) -> tuple[Chain, ...]:
        """As they are."""
        return chains

    async def objections(self, draft: Draft, turns: tuple[Turn, ...]) -> list[str]:
        """None."""
        return []

    def opening(self, draft: Draft, claims: tuple[Claim, ...], world: World) -> str:
        """Each claim as "item noun value"; a premise that is seen through is set against the truth, a trusted one repeated."""
        graph = world.evidence.attributes
        facts = ", ".join(
            f"{graph.titles[c.subject]} {noun(c.relation)} {graph.names[c.value]}"
            for c in claims
            if c.holds
        )
        if draft.premise is None:
            return f"{facts}."
        if draft.premise in claims:
            return f"Query says {facts}."
        return f"Query says {graph.names[draft.premise.value]} but facts say {facts}."

    def need(self, needs: tuple[Condition, ...]) -> str:
        """ "Need star X and genre Y."; "Need not star X."; "Need year below 1990."."""
        return (
            "Need "
            + " and ".join(
                OPS[c.op].format(f"{noun(c.relation)} {c.name}", noun(c.relation), c.name)
                for c in needs
            )
            + "."
        )

    def candidate(self, item: str, needs: tuple[Condition, ...], keep: bool, world: World) -> str:
        """ "Heat (1995) Al Pacino yes, Drama no skip Heat (1995)": the value one sees, whether it fits, the decision."""
        graph, title = world.evidence.attributes, world.evidence.attributes.titles[item]
        parts = []
        for c in needs:
            shown = world.shown(item, c.relation)
            value = c.name if c.value in shown else graph.names[shown[0]] if shown else "-"
            parts.append(f"{value} {'yes' if world.shows(item, c) else 'no'}")
        return f"{title} {', '.join(parts)} {'keep' if keep else 'skip'} {title}"


def thing(world: World) -> str:
    """What an item is called: "movie"."""
    return world.evidence.domain.removesuffix("s")
