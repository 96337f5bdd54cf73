"""The offline writer: short templates, no key, no network. Terse on purpose: a policy made from scratch must learn them."""

from random import Random

from agents.sampling import World
from agents.state import Draft
from data_engine.schema import Claim, Condition, content_hash

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
QUERIES = {
    "explicit": ("Find a {thing} {a} and {b}.",),
    "implicit": ("Find a {thing} with the same {noun} as in {a} and {b}.",),
    "misinformed": ("Find a {thing} like {a}, by the same {noun}, {false}.",),
    "interest": ("I recently liked {all}. Recommend more.",),
}


def noun(relation: str) -> str:
    """How reasoning names a relation: "star" for starring, else the relation's own words."""
    return RELATIONS[relation][1] if relation in RELATIONS else relation.replace("_", " ")


class TemplateWriter:
    """See `Writer`. Item and person names appear exactly as in the catalogue."""

    name = "template"
    prompt_hash = content_hash([RELATIONS, GENERIC, QUERIES])

    def query(self, draft: Draft, world: World, rng: Random) -> str:
        """One of the kind's phrasings, drawn by `rng`."""
        titles = [world.evidence.attributes.titles[i] for i in draft.anchors]
        fill = {"thing": world.evidence.domain.rstrip("s")}
        if draft.kind == "explicit":
            fill["a"], fill["b"] = (RELATIONS.get(c.relation, (GENERIC,))[0].format(c.name, noun(c.relation)) for c in draft.conditions)
        elif draft.kind == "interest":
            fill["all"] = ", ".join(titles)
        else:
            fill |= dict(zip("ab", titles, strict=False)) | {"noun": noun(draft.conditions[0].relation)}
            if draft.premise:
                fill["false"] = world.evidence.attributes.names[draft.premise.value]
        return rng.choice(QUERIES[draft.kind]).format(**fill)

    def opening(self, draft: Draft, claims: tuple[Claim, ...], world: World) -> str:
        """Each claim as "item noun value"; a premise that is seen through is set against the truth, a trusted one repeated."""
        graph = world.evidence.attributes
        facts = ", ".join(f"{graph.titles[c.subject]} {noun(c.relation)} {graph.names[c.value]}" for c in claims if c.holds)
        if draft.premise is None:
            return f"{facts}."
        if draft.premise in claims:
            return f"Query says {facts}."
        return f"Query says {graph.names[draft.premise.value]} but facts say {facts}."

    def need(self, needs: tuple[Condition, ...]) -> str:
        """ "Need star X and genre Y."."""
        return "Need " + " and ".join(f"{noun(c.relation)} {c.name}" for c in needs) + "."

    def candidate(self, item: str, needs: tuple[Condition, ...], keep: bool, world: World) -> str:
        """ "Heat (1995) Al Pacino yes, Drama no skip Heat (1995)": the value the card shows, whether it is the one, the decision."""
        graph, card = world.evidence.attributes, world.evidence.cards.rows[item]
        title = graph.titles[item]
        parts = []
        for c in needs:
            shown = c.name if c.value in card[c.relation] else graph.names[card[c.relation][0]] if card[c.relation] else "-"
            parts.append(f"{shown} {'yes' if c.value in card[c.relation] else 'no'}")
        return f"{title} {', '.join(parts)} {'keep' if keep else 'skip'} {title}"
