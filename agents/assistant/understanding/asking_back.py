"""What must be asked back: which of several people, which of several items, what was meant."""

from collections.abc import Iterator

from agents.assistant.answer import Option, Question
from agents.assistant.request import Doubt, Edit, Request, Shared, Span, Wish
from agents.assistant.understanding.lexicon import vocabulary, words_of
from data_engine.graphs.inverted import InvertedGraph
from data_engine.names.spoken import dated_title
from data_engine.schema import Condition

_COUNTS = ("no", "one", "two", "three", "four", "five", "six")


def questions(request: Request, graph: InvertedGraph) -> Iterator[Question]:
    """One question for each thing that a request leaves open."""
    for number, wish in enumerate(request.wishes, 1):
        namesakes = [c for c in wish.alternatives if c.value != wish.condition.value]
        if namesakes:
            yield _which_bearer(number, wish, graph)
    for doubt in request.doubts:
        yield _which_title(doubt, graph)
    for shared in request.shared:
        yield _which_value(shared, graph)
    for span in request.not_understood:
        yield Question(kind="not_understood", text=_unclear(span))


def _unclear(span: Span) -> str:
    if span.why == "length":
        return f"The catalogue does not record lengths: I left out “{span.text}”."
    if span.why == "vague_age":
        return f"What is “{span.text}” to you? Say a year, as in “after 1990”; I left it out."
    said = "I know nothing called" if span.text[:1].isupper() else "I did not understand"
    return f"{said} “{span.text}”."


def _which_title(doubt: Doubt, graph: InvertedGraph) -> Question:
    titles = [dated_title(graph.title(item)) for item in doubt.items]
    if not titles:
        return Question(kind="title", text=f"I know nothing that is {doubt.text}.")
    options = [
        Option(text=title, edit=Edit(act="like", item=item))
        for title, item in zip(titles, doubt.items, strict=True)
    ]
    text = f"Which do you mean by {doubt.text}: {_choice(titles)}?"
    return Question(kind="title", text=text, options=tuple(options))


def _which_value(shared: Shared, graph: InvertedGraph) -> Question:
    noun, names = _noun(shared.relation), [graph.name(value) for value in shared.values]
    if not names:
        return Question(kind="shared", text=f"I know no {noun} that they share.")
    options = []
    for name, value in zip(names, shared.values, strict=True):
        condition = Condition(relation=shared.relation, value=value, name=name)
        options.append(Option(text=name, edit=Edit(act="add", condition=condition)))
    text = f"Which {noun} do you mean: {_choice(names)}?"
    return Question(kind="shared", text=text, options=tuple(options))


def _which_bearer(number: int, wish: Wish, graph: InvertedGraph) -> Question:
    """ "Two people are called John Williams: the composer or the actor?"."""
    known: dict[str, Condition] = {}
    for condition in (wish.condition, *wish.alternatives):
        known.setdefault(condition.value, condition)
    said = [f"the {_noun(condition.relation)}" for condition in known.values()]
    if len(set(said)) < len(said):  # of the same trade: told apart by an item
        said = [
            f"{noun} of {_item(condition, graph)}"
            for noun, condition in zip(said, known.values(), strict=True)
        ]
    count = _COUNTS[len(known)] if len(known) < len(_COUNTS) else str(len(known))
    options = [
        Option(text=text, edit=Edit(act="choose", number=number, condition=condition))
        for text, condition in zip(said, known.values(), strict=True)
    ]
    text = f"{count.capitalize()} are called {wish.condition.name}: {_choice(said)}?"
    return Question(kind="bearer", text=text, options=tuple(options))


def _item(condition: Condition, graph: InvertedGraph) -> str:
    first = graph.holders(condition.relation, condition.value)[0]
    return dated_title(graph.title(first))


def _noun(relation: str) -> str:
    name = words_of(relation)
    return str(vocabulary("nouns")["nouns"].get(name, name))


def _choice(said: list[str]) -> str:
    """ "A, B or C"."""
    *most, last = said
    return f"{', '.join(most)} or {last}" if most else last
