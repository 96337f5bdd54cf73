"""The tersest writer: one phrasing per kind, and steps of a few words.

It is for a policy that is trained from scratch, which must learn every one of them.
"""

from collections.abc import Sequence
from random import Random

from agents.synthesis.state import Draft, Event
from agents.synthesis.world import World
from agents.synthesis.writers import alternating
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

    name: str = "terse"
    asks: bool = False
    prompt_hash: str = content_hash([RELATIONS, GENERIC, OPS, QUERIES, TURNS])

    async def turns(
        self, draft: Draft, world: World, rng: Random, problems: Sequence[str]
    ) -> tuple[Turn, ...]:
        """The request in the phrasing of its kind."""
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
        """The user's turns and, between them, the assistant's that lead to the next."""
        texts: list[str] = []
        for event in draft.script:
            fill = self._fill(event, world)
            user, assistant = TURNS[event.act]
            texts += [assistant.format(**fill), user.format(**fill)]
        return alternating(texts[1:])

    def _fill(self, event: Event, world: World) -> dict[str, str]:
        item = world.evidence.attributes.titles[event.item] if event.item else ""
        return {
            "thing": thing(world),
            "asked": " and ".join(map(clause, event.conditions)),
            "item": item,
        }

    def style(self, draft: Draft) -> str:
        """See `Writer`: the terse writer has one way to speak."""
        return ""

    async def phrase(
        self, draft: Draft, chains: tuple[Chain, ...], world: World
    ) -> tuple[Chain, ...]:
        """The chains as they are."""
        return chains

    async def objections(self, draft: Draft, turns: tuple[Turn, ...]) -> list[str]:
        """No objections: there is no critic."""
        return []

    def opening(self, draft: Draft, claims: tuple[Claim, ...], world: World) -> str:
        """Each claim as "item noun value".

        A premise that is seen through is set against the truth, a trusted one is repeated.
        """
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
        parts = [
            OPS[c.op].format(f"{noun(c.relation)} {c.name}", noun(c.relation), c.name)
            for c in needs
        ]
        return f"Need {' and '.join(parts)}."

    def candidate(self, item: str, needs: tuple[Condition, ...], keep: bool, world: World) -> str:
        """Per need the value one sees and whether it fits, then the decision.

        "Heat (1995) Al Pacino yes, Drama no skip Heat (1995)".
        """
        graph, title = world.evidence.attributes, world.evidence.attributes.titles[item]
        parts = []
        for c in needs:
            shown = world.shown(item, c.relation)
            if c.value in shown:
                value = c.name
            else:
                value = graph.names[shown[0]] if shown else "-"
            parts.append(f"{value} {'yes' if world.shows(item, c) else 'no'}")
        decision = "keep" if keep else "skip"
        return f"{title} {', '.join(parts)} {decision} {title}"


def thing(world: World) -> str:
    """The word for one item: "movie"."""
    return world.evidence.domain.removesuffix("s")
