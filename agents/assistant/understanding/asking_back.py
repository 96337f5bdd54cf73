"""What must be asked back: which of several people, which of several items, what was meant."""

from collections.abc import Iterator

from agents.assistant.request import Request, Wish
from agents.assistant.understanding.lexicon import vocabulary, words_of
from data_engine.graphs.attributes import AttributeGraph
from data_engine.names.spoken import dated_title

_COUNTS = ("no", "one", "two", "three", "four", "five", "six")


def questions(request: Request, graph: AttributeGraph) -> Iterator[str]:
    """One sentence for each thing that a request leaves open."""
    for wish in request.wishes:
        namesakes = [c for c in wish.alternatives if c.value != wish.condition.value]
        if namesakes:
            yield _which_bearer(wish, graph)
    for doubt in request.doubts:
        titles = [dated_title(graph.titles[item]) for item in doubt.items]
        if titles:
            yield f"Which do you mean by {doubt.text}: {_choice(titles)}?"
        else:
            yield f"I know nothing that is {doubt.text}."
    for shared in request.shared:
        names = [graph.names[value] for value in shared.values]
        noun = _noun(shared.relation)
        if names:
            yield f"Which {noun} do you mean: {_choice(names)}?"
        else:
            yield f"I know no {noun} that they share."
    for span in request.not_understood:
        yield f"I did not understand “{span.text}”."


def _which_bearer(wish: Wish, graph: AttributeGraph) -> str:
    """ "Two people are called John Williams: the composer or the actor?"."""
    known: dict[str, str] = {}
    for condition in (wish.condition, *wish.alternatives):
        known.setdefault(condition.value, condition.relation)
    said = [f"the {_noun(relation)}" for relation in known.values()]
    if len(set(said)) < len(said):  # of the same trade: told apart by an item
        said = [
            f"{n} of {_item(r, v, graph)}" for n, (v, r) in zip(said, known.items(), strict=True)
        ]
    count = _COUNTS[len(known)] if len(known) < len(_COUNTS) else str(len(known))
    return f"{count.capitalize()} are called {wish.condition.name}: {_choice(said)}?"


def _item(relation: str, value: str, graph: AttributeGraph) -> str:
    return dated_title(graph.titles[graph.holders(relation, value)[0]])


def _noun(relation: str) -> str:
    name = words_of(relation)
    return str(vocabulary("nouns")["nouns"].get(name, name))


def _choice(said: list[str]) -> str:
    """ "A, B or C"."""
    *most, last = said
    return f"{', '.join(most)} or {last}" if most else last
