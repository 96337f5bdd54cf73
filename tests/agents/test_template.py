"""The template writer: English that is about the request, in four registers, for any catalogue."""

import re
import tomllib
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from agents.synthesis.config import SynthConfig
from agents.synthesis.graph import build_graph
from agents.synthesis.kinds import DRAFTS
from agents.synthesis.nodes import Nodes
from agents.synthesis.state import Request
from agents.synthesis.world import World
from agents.synthesis.writers.asking import Asking
from agents.synthesis.writers.clauses import Clauses, last_name, words_of
from agents.synthesis.writers.realiser import Names, counted, joined, realise, with_typos
from agents.synthesis.writers.registers import REGISTERS, check_registers, parse_registers
from agents.synthesis.writers.template import PHRASES, TemplateWriter
from data_engine.graphs.evidence import Evidence
from data_engine.names.spoken import spoken_title
from data_engine.schema import Condition
from data_engine.store.database import Store
from tests.agents.books import book_catalogue

WORDS = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text())
VOCABULARY = {*WORDS["nouns"].split(), *WORDS["others"].split()}
EACH, NEEDS_MORE = 4, ("demographics", "numeric")


def is_(relation, name, op="is"):
    return Condition(relation=relation, value=name, name=name, op=op)


def after_thing(*conditions, seed=0, many=False):
    """What follows "a film" for these conditions, and the thing itself."""
    names = Names()
    rng = Random(seed)
    asking = Asking(conditions, Clauses(PHRASES, names, "film", "films", rng), rng, False)
    slots = asking.slots()
    thing, posts = slots["heads" if many else "head"](), slots["posts_many" if many else "posts"]()
    return names.fill(realise(f"{thing} {posts}", names, sentences=False))


@pytest.fixture(scope="module")
def book_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("books") / "books.duckdb"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(book_catalogue())
    return path


def examples_of(store, register, kinds, **options):
    """Examples of the kinds at every level, in one register, and their world."""
    world = World(Evidence.load(store))
    nodes = Nodes(world, TemplateWriter({register: 1.0}, **options), 6)
    graph, found = build_graph(nodes), []
    for kind in kinds:
        for level in (1, 2, 3):
            for index in range(EACH):
                request = str(Request(3, "sft", kind, level, index))
                state = graph.invoke({"request": request, "attempt": 0})
                assert not state["problems"], (request, state["problems"])
                found.append(nodes.pop(request).example)
    return world, found


@pytest.fixture(scope="module", params=REGISTERS)
def said(request, film_store, book_store):
    """(store, world, Examples) of films and of books in one register."""
    kinds = [kind for kind in DRAFTS if kind != "demographics"]
    found = [
        examples_of(film_store, request.param, kinds),
        examples_of(book_store, request.param, [k for k in kinds if k not in NEEDS_MORE]),
    ]
    return request.param, found


def texts_of(found):
    """(world, Example, text of a turn) of all turns."""
    for world, examples in found:
        for example in examples:
            for text in [turn.text for turn in example.turns] or [example.query]:
                yield world, example, text


def without_names(text, world):
    """The text with every name of the catalogue replaced by X."""
    graph = world.evidence.attributes
    names = {*graph.names.values(), *world.spoken}
    names |= {last_name(name) for name in graph.names.values()}
    pattern = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)(?: \(\d{{4}}\))?", "X", text, flags=re.IGNORECASE)


def test_a_text_has_no_grammar_left_and_is_english(said):
    register, found = said
    for _, example, text in texts_of(found):
        assert not re.search(
            r"[\[\]{}<>|@]|  |\s[.,?!]|[.,?!]{2}(?<!\.\.\.)", text.replace("...", "")
        ), text
        assert not re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeiouAEIOU\W]", text), text
        assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE) or "had had" in text, text
        if register != "terse" or example.turns:
            continue
        assert text == example.query


def test_every_word_is_of_the_facts_or_of_the_requests_own_vocabulary(said):
    _, found = said
    for world, _, text in texts_of(found):
        plain = without_names(text, world).lower().replace("’", "'")
        words = set(re.findall(r"[a-z][a-z'/]*", plain)) - {"x", "x's", "xs"}
        unknown = {
            w for w in words if w not in VOCABULARY and w.removesuffix("'s") not in VOCABULARY
        }
        assert not unknown, (unknown, text)


def test_sentences_open_with_a_capital_and_formal_ones_have_no_contraction(said):
    register, found = said
    for world, example, text in texts_of(found):
        plain = without_names(text, world)
        if register == "formal" and not example.turns:
            assert not re.search(r"\b(I'm|I'd|isn't|doesn't|don't|I've)\b", plain), text
        if register != "terse":
            assert text[0] == text[0].upper() and text[-1] in ".?!", text


def test_the_register_is_recorded_and_drawn_by_weight(said, film_store):
    register, found = said
    assert {e.style for _, examples in found for e in examples} == {register}
    mixed = TemplateWriter({"plain": 3, "terse": 1})
    world = World(Evidence.load(film_store))
    drafts = [DRAFTS["explicit"](world, Random(n), 1) for n in range(600)]
    drawn = Counter(mixed.style(draft) for draft in drafts if draft)
    assert set(drawn) == {"plain", "terse"}
    assert 0.18 < drawn["terse"] / sum(drawn.values()) < 0.32


def test_typos_spare_names_and_what_denies(film_store):
    _, clean = examples_of(film_store, "plain", ("explicit", "negation", "numeric"))
    world, noisy = examples_of(film_store, "plain", ("explicit", "negation", "numeric"), noise=True)
    changed = [(a.query, b.query) for a, b in zip(clean, noisy, strict=True) if a.query != b.query]
    assert len(changed) > len(clean) / 4
    for example in noisy:
        for condition in example.conditions:
            assert world.evidence.attributes.names.get(condition.value, condition.name)
            assert (
                condition.name.casefold() in example.query.casefold()
                or condition.relation == "genre"
            )
    _, again = examples_of(film_store, "plain", ("explicit", "negation", "numeric"), noise=True)
    assert [e.query for e in again] == [e.query for e in noisy]
    names = Names()
    text = f"nothing before {names.add('Michael Mann')} without"
    assert all(with_typos(text, 1.0, Random(n)) == text for n in range(20))


def test_a_liked_item_that_is_told_of_is_the_users_and_has_what_is_asked_for(film_store):
    world, examples = examples_of(film_store, "plain", ("explicit", "negation", "numeric"))
    graph = world.evidence.attributes
    told = 0
    for example in examples:
        liked = next(c for c in example.conditions if c.op == "is")
        named = [i for i, title in graph.titles.items() if spoken_title(title) in example.query]
        if named:
            item = max(named, key=lambda i: len(graph.titles[i]))
            assert item in example.history and graph.has(item, liked.relation, liked.value)
            told += 1
    assert told > 0


def test_the_assistant_counts_what_meets_the_wishes_so_far(hand_store):
    world, examples = examples_of(hand_store, "plain", ("conversation",))
    graph = world.evidence.attributes
    numbers = dict(
        zip("one two three four five six seven eight nine".split(), range(1, 10), strict=True)
    )
    counts = 0
    for example in (e for e in examples if e.level == 1):
        first = example.conditions[0]
        pattern = rf"\b({'|'.join(numbers)})\b (?:film|movie)"
        said = re.search(pattern, example.turns[1].text, re.IGNORECASE)
        assert numbers[said[1].lower()] == len(graph.holders(first.relation, first.value))
        counts += 1
    assert counts == EACH


@pytest.mark.parametrize("seed", range(30))
def test_clauses_stack_as_english_does(seed):
    ann, sue, max_ = (
        is_("director", "Ann Arden"),
        is_("starring", "Sue Stone"),
        is_("composer", "Max Muse"),
    )
    text = after_thing(is_("genre", "War"), ann, sue, max_, is_("year", "1990", "below"), seed=seed)
    assert text.startswith("a war film from before 1990 ")
    assert text.count(" with ") <= 1 and " that " not in text
    denied = after_thing(sue, is_("genre", "Comedy", "not"), seed=seed)
    assert denied.endswith("that isn't a comedy")
    assert after_thing(sue, is_("genre", "Comedy", "not"), seed=seed, many=True).endswith(
        "that aren't comedies"
    )
    two = after_thing(sue, is_("starring", "Tim Tate"), seed=seed)
    assert " and ".join(("Sue Stone", "Tim Tate")) in two or "Tim Tate and Sue Stone" in two


def test_columns_that_cover_as_many_items_come_by_name(book_store):
    columns = Evidence.load(book_store).cards.columns
    assert [c.relation for c in columns] == ["author", "literary genre", "media type", "publisher"]


def test_relations_without_phrases_of_their_own_read_well():
    assert after_thing(is_("publisher", "Orion"), seed=1) in (
        "a film published by Orion",
        "a film with Orion as the publisher",
    )
    assert after_thing(is_("color process", "Sepia")) == "a film with Sepia as the color process"
    assert after_thing(is_("literaryGenre", "Space opera")).startswith("a space opera film")
    assert after_thing(is_("director", "Coen brothers")) == "a film directed by the Coen brothers"
    assert words_of("mediaType") == "media type" and words_of("published_by") == "published"


def test_names_by_hand():
    assert [
        last_name(n) for n in ("Paul Newman", "Robert De Niro", "Robert Downey Jr.", "Cher")
    ] == [
        "Newman",
        "De Niro",
        "Downey",
        "Cher",
    ]
    assert joined(["A", "B", "C"]) == "A, B and C" and joined(["A"]) == "A" and joined([]) == ""
    assert counted(1, "film", "films") == "one film" and counted(43, "film", "films") == "43 films"
    names = Names()
    ape, zoo = names.add("Ape"), names.add("zoo")
    text = realise(f"@ {ape} , and @ {zoo}. {zoo} it is.", names)
    assert names.fill(text) == "An Ape, and a zoo. Zoo it is."


def test_the_grammar_reads_no_name_as_grammar():
    odd = "[Sue|Tim] <who> {noun} @ x"
    for seed in range(50):
        assert odd in after_thing(is_("starring", odd), seed=seed)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("plain=x", "no register=weight"),
        ("loud=1", "no register 'loud'"),
        ("plain=0", "above zero"),
        ("plain=-1", "negative"),
    ],
)
def test_weights_of_registers_that_cannot_be_drawn_are_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        check_registers(parse_registers(text))
    with pytest.raises(ValueError, match=problem):
        SynthConfig(registers=text)
