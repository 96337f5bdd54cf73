"""N-Triples of other tools: blank nodes, IRI spellings, languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.importers.graph_files import normal_iri

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"


DIRECTOR = "<http://p.example/director>"


LINKS = [(f"i{n}", f"http://f/{n}") for n in range(1, 4)]


def test_fault_case_08_a_blank_node_is_itself(read):
    text = (
        f'<http://f/1> {DIRECTOR} _:b0 .\n_:b0 {LABEL} "Ann Example" .\n'
        f'<http://f/2> {DIRECTOR} _:b1.\n_:b1 {LABEL} "Bo Example" .\n<http://f/3> {DIRECTOR} '
        "_:b0 .\n"
    )
    edges, said = read("g.nt", text, LINKS)
    assert edges == [
        ("i1", "director", "_:b0", "Ann Example"),
        ("i2", "director", "_:b1", "Bo Example"),
        ("i3", "director", "_:b0", "Ann Example"),
    ]
    assert "blank nodes" not in said


def test_fault_case_08_a_blank_node_without_a_name_is_left_out_and_counted(read):
    text = (
        f"<http://f/1> {DIRECTOR} _:b0 .\n<http://f/2> {DIRECTOR} _:b0 .\n"
        f"<http://f/2> {DIRECTOR} _:b1 .\n<http://f/3> {DIRECTOR} <http://p/Ann> .\n"
    )
    edges, said = read("g.nt", text, LINKS)
    assert edges == [("i3", "director", "http://p/Ann", "Ann")]
    assert said["blank nodes"] == "2 have no label: left out, 3 edges with them"


def test_fault_case_08_an_empty_text_is_no_value(read):
    edges, said = read(
        "g.nt",
        f'<http://f/1> {DIRECTOR} "" .\n<http://f/1> {DIRECTOR} " " .\n'
        f'<http://f/2> {DIRECTOR} "Ann" .\n',
        LINKS,
    )
    assert edges == [("i2", "director", "text:Ann", "Ann")] and set(said) == {"encoding"}


def test_fault_case_09_one_person_however_the_iri_is_spelled(read):
    spelled = [
        "Pen\\u00E9lope_X",
        "Pen%C3%A9lope_X",
        "Pen%c3%a9lope_X",
        "Penélope_X",
        "Pene\u0301lope_X",
    ]
    text = "".join(
        f"<http://f/{n % 3 + 1}> <http://p.example/d{n}> <http://x.example/{who}> .\n"
        for n, who in enumerate(spelled)
    )
    edges, _ = read("g.nt", text, LINKS)
    assert {edge[2:] for edge in edges} == {("http://x.example/Penélope_X", "Penélope X")} and len(
        edges
    ) == 5


def test_fault_case_09_items_relations_and_labels_are_found_however_spelled(read):
    text = (
        "<http://f/Am%C3%A9lie> <http://p.example/r%C3%A9alisateur> <http://x/J%2FP> .\n"
        f'<http://x/J%2fP> {LABEL} "Jean-Pierre" .\n'
        "<http://f/Am\\u00E9lie> <http://p.example/réalisateur> <http://x/Bo%20Berg/> .\n"
    )
    edges, _ = read("g.nt", text, [("i1", "http://f/Amélie")])
    assert edges == [
        ("i1", "réalisateur", "http://x/Bo%20Berg/", "Bo Berg"),
        ("i1", "réalisateur", "http://x/J%2FP", "Jean-Pierre"),
    ]


@pytest.mark.parametrize(
    ("spelled", "normal"),
    [
        ("http://x/a%2Fb%3f", "http://x/a%2Fb%3F"),  # reserved: another IRI than a/b?
        ("http://x/%41%7E%5f", "http://x/A~_"),
        ("http://x/%E9", "http://x/%E9"),  # no UTF-8
        ("http://x/%C3%A9%FF%e2%80%ae", "http://x/é%FF%E2%80%AE"),
        ("http://x/100%", "http://x/100%"),
        ("http://x/%2541", "http://x/%2541"),
        ("http://x/\\U0001F600", "http://x/😀"),
        ("http://x/e%CC%81", "http://x/é"),
    ],
)
def test_fault_case_09_only_what_means_the_same_becomes_the_same(spelled, normal):
    assert normal_iri(spelled) == normal


@given(st.lists(st.sampled_from(["\\u00e9", "%C3%A9", "%", *"é2CcA9Fe\u0301/"])).map("".join))
def test_fault_case_09_a_normal_iri_stays_as_it_is(text):
    once = normal_iri(text)
    assert normal_iri(once) == once


LABELS = ['"Ä"@de', '"A in English"@en', '"A"', '"A (US)"@en-US', '"Á"@cs']


@pytest.mark.parametrize(
    ("language", "labels", "name"),
    [
        ("en", LABELS, "A in English"),
        ("EN", LABELS, "A in English"),
        ("en", ['"Ä"@de', '"A (US)"@en-US', '"A"'], "A (US)"),
        ("en-US", LABELS, "A (US)"),
        ("en-GB", LABELS, "A in English"),
        ("de", LABELS, "Ä"),
        ("fr", LABELS, "A"),
        ("fr", ['"Ä"@de', '"Á"@cs'], "Á"),
        ("fr", ['"Á"@cs', '"Ä"@de'], "Á"),
    ],
)
def test_fault_case_09_the_label_is_in_the_language_asked_for(read, language, labels, name):
    text = f"<http://f/1> {DIRECTOR} <http://x/A> .\n" + "".join(
        f"<http://x/A> {LABEL} {label} .\n" for label in labels
    )
    edges, _ = read("g.nt", text, LINKS, language=language)
    assert edges == [("i1", "director", "http://x/A", name)]


def test_fault_case_09_texts_in_several_languages_are_one_value(read):
    genre, year = "<http://p.example/genre>", '"1995"^^<http://www.w3.org/2001/XMLSchema#gYear>'
    objects = ['"Drame"@fr', '"Drama"@en', '"Crime"@en', '"Epic"', year]
    text = (
        "".join(f"<http://f/1> {genre} {value} .\n" for value in objects)
        + f'<http://f/2> {genre} "Drame"@fr .\n<http://f/2> {genre} "Krimi"@de .\n'
    )
    edges, said = read("g.nt", text, LINKS)
    assert [(item, name) for item, _, _, name in edges] == [
        ("i1", "1995"),
        ("i1", "Crime"),
        ("i1", "Drama"),
        ("i1", "Epic"),
        ("i2", "Krimi"),
    ]
    assert said["languages"] == "2 texts are there in a better one (en): left out"


def test_fault_case_07_iris_without_names_are_said_once(read):
    text = "".join(
        f"<http://f/{n}> {DIRECTOR} <http://www.wikidata.org/entity/Q{n % 2}> .\n"
        for n in (1, 2, 3)
    )
    _, said = read("g.nt", text, LINKS)
    assert (
        said["names"]
        == "2 IRIs have none: ids stand for them (first: http://www.wikidata.org/entity/Q0)"
    )
