"""Graph files of other tools: blank nodes, IRI spellings, languages, Neo4j, GEXF types."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_engine.errors import ImportRefused
from data_engine.importers.graph_files import GraphFile, normal_iri
from data_engine.store.database import Store
from data_engine.store.finishing import ImportOptions
from tests.conftest import hand_catalogue

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
DIRECTOR = "<http://p.example/director>"
EDGES = """SELECT item_id, relation, attribute_id, name
    FROM edges JOIN attributes USING (attribute_id) ORDER BY ALL"""


@pytest.fixture
def read(tmp_path):
    """read(name, text, links=rows, …) → (edges, what was understood); i1 is "Film A (1981)" …"""

    def run(name, text, links=None, **options):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / "links.csv").write_text(
            "item_id,uri\n" + "".join(f"{item},{uri}\n" for item, uri in links or ())
        )
        with Store.open(tmp_path / "s.duckdb", create=True) as store:
            store.replace_catalogue(hand_catalogue())
            source = GraphFile(
                path=tmp_path / name, links=tmp_path / "links.csv" if links else None, **options
            )
            settled = store.replace_attributes(source, ImportOptions())
            return store.rows(EDGES), settled.understood

    return run


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


NEO4J_KEYS = "".join(
    f'<key id="{key}" for="{part}" attr.name="{key}" attr.type="string"/>'
    for key, part in (("title", "node"), ("name", "node"), ("labels", "node"), ("label", "edge"))
)
GRAPHML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<graphml '
    'xmlns="http://graphml.graphdrawing.org/xmlns">'
    '{keys}<graph id="G" edgedefault="directed">{body}</graph></graphml>'
)


def neo4j(number, labels, key, text):
    data = f'<data key="labels">{labels}</data><data key="{key}">{text}</data>'
    return f'<node id="n{number}" labels="{labels}">{data}</node>'


def tie(source, target, label):
    ends = f'source="n{source}" target="n{target}"'
    return f'<edge id="e" {ends} label="{label}"><data key="label">{label}</data></edge>'


@pytest.mark.parametrize("keys", [NEO4J_KEYS, ""])
def test_fault_case_10_neo4js_graphml_is_read_with_and_without_keys(read, keys):
    body = (
        neo4j(0, ":Movie", "title", "Film A (1981)")
        + neo4j(1, ":Person", "name", "Ann Example")
        + neo4j(2, ":Genre", "name", "Drama &amp;amp; Co")
    )
    edges, said = read(
        "g.graphml",
        GRAPHML.format(keys=keys, body=body + tie(1, 0, "DIRECTED") + tie(0, 2, "IN_GENRE")),
    )
    assert [(item, relation, identity) for item, relation, identity, _ in edges] == [
        ("i1", "directed", "n1"),
        ("i1", "in genre", "n2"),
    ]
    assert edges[0][3] == "Ann Example" and edges[1][3].startswith("Drama")
    assert "names" not in said


def test_fault_case_10_a_person_who_bears_a_films_title_is_no_item(read):
    body = "".join(
        neo4j(n, ":Movie", "title", title)
        for n, title in enumerate(["Film A (1981)", "Film B (1982)"])
    )
    body += neo4j(2, ":Person", "name", "Film A (1981)") + tie(2, 1, "ACTED_IN")
    edges, _ = read("g.graphml", GRAPHML.format(keys="", body=body))
    assert edges == [("i2", "acted in", "n2", "Film A (1981)")]


def test_fault_case_10_an_edge_without_a_name_is_called_by_its_end(read):
    body = (
        neo4j(0, ":Movie", "title", "Film A (1981)")
        + neo4j(1, ":Person", "name", "Ann")
        + '<node id="x"/>'
    )
    body += '<edge source="n0" target="n1"/><edge source="x" target="n0"/>'
    edges, said = read("g.graphml", GRAPHML.format(keys="", body=body))
    assert edges == [("i1", "person", "n1", "Ann"), ("i1", "related", "x", "x")]
    assert said["names"] == "1 nodes have none: their ids stand for them (first: x)"


def test_fault_case_10_edges_between_items_are_said_not_lost_in_silence(read):
    body = "".join(
        neo4j(n, ":Movie", "title", title)
        for n, title in enumerate(["Film A (1981)", "Film B (1982)"])
    )
    body += neo4j(2, ":Person", "name", "Ann") + tie(0, 1, "SEQUEL_OF") + tie(2, 1, "DIRECTED")
    edges, said = read("g.graphml", GRAPHML.format(keys="", body=body))
    assert (
        edges == [("i2", "directed", "n2", "Ann")]
        and said["edges"] == "1 join two items: they are left out"
    )


def test_fault_case_10_numbers_of_the_file_are_no_item_ids(tmp_path, read):
    """Node "i2" is a person here, as node "i1" is Film C: titles decide. Where ids and titles
    agree, an id without a title is enough.
    """
    nodes = '<node id="i1" label="Film C (1983)"/><node id="i2" label="Ann"/>'
    edges, _ = read(
        "g.graphml",
        GRAPHML.format(keys="", body=nodes + '<edge source="i1" target="i2" label="director"/>'),
    )
    assert edges == [("i3", "director", "i2", "Ann")]
    nodes = '<node id="i1" label="Film A (1981)"/><node id="i2"/><node id="a" label="Ann"/>'
    body = (
        nodes + '<edge source="i1" target="a" label="d"/><edge source="a" target="i2" label="d"/>'
    )
    assert [edge[0] for edge in read("g.graphml", GRAPHML.format(keys="", body=body))[0]] == [
        "i1",
        "i2",
    ]


def test_fault_case_10_defaults_and_yed_labels(read):
    keys = (
        '<key id="d0" for="edge" attr.name="relation"><default>director</default></key>'
        '<key id="d1" for="node" yfiles.type="nodegraphics"/>'
    )
    shape = (
        '<y:ShapeNode xmlns:y="http://www.yworks.com/xml/graphml">'
        "<y:NodeLabel>Film A (1981)</y:NodeLabel></y:ShapeNode>"
    )
    body = (
        f'<node id="0"><data key="d1">\n{shape}\n</data></node>'
        '<node id="1" label="Ann"/><edge source="0" target="1"/>'
        '<edge source="0" target="1"><data key="d0">writer</data></edge>'
    )
    edges, _ = read("g.graphml", GRAPHML.format(keys=keys, body=body))
    assert edges == [("i1", "director", "1", "Ann"), ("i1", "writer", "1", "Ann")]


TYPES_12 = "integer long double float boolean liststring string anyURI"
TYPES_13 = (
    "short byte bigdecimal biginteger char date dateTime listboolean listshort listbyte "
    "listinteger "
    "listlong listdouble listfloat listbigdecimal listbiginteger listchar listanyURI"
)
GEXF = (
    '<gexf xmlns="http://gexf.net/1.3" version="1.3"><graph defaultedgetype="directed">'
    '<attributes class="node"><attribute id="a" title="n" type="{type}"/></attributes>'
    '<nodes><node id="1" label="Film A (1981)"><attvalues><attvalue for="a" '
    'value="12"/></attvalues>'
    '</node><node id="99" label="Ann Example"/></nodes><edges>'
    '<edge id="0" source="1" target="99" type="directed" label="{label}"/></edges></graph></gexf>'
)


@pytest.mark.parametrize("kind", [*TYPES_12.split(), *TYPES_13.split(), "no such type"])
def test_fault_case_11_every_type_of_gexf(read, kind):
    edges, _ = read("g.gexf", GEXF.format(type=kind, label="director"))
    assert edges == [("i1", "director", "99", "Ann Example")]


def test_fault_case_11_the_direction_of_a_gexf_edge_is_no_relation(read):
    edges, _ = read("g.gexf", GEXF.format(type="string", label=""))
    assert edges == [("i1", "related", "99", "Ann Example")]


BOMB = (
    '<!DOCTYPE g [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    '<graphml><graph><node id="&b;"/></graph></graphml>'
)
OUTSIDE = (
    '<!DOCTYPE g [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    '<graphml><graph><node id="x">&a;</node></graph></graphml>'
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read: no element found"),
        ("<graphml><graph>", "cannot be read"),
        ("<graphml><graph><node/></graph></graphml>", "an element without its id .line 1"),
        ('<graphml><graph><edge source="a"/></graph></graphml>', "an element without its target"),
        ("<html/>", "<html> is neither GraphML nor GEXF"),
        ('<graphml><graph><hyperedge id="h"/></graph></graphml>', "more than two ends"),
        (BOMB, "it declares an entity .a.: entities are not read"),
        (OUTSIDE, "it declares an entity"),
        (
            '<graphml><node id="a"><data key="k">' + "x" * 1_000_001 + "</data></node></graphml>",
            "more than 1000000 characters",
        ),
        ('<?xml version="1.0" encoding="no-such"?><graphml/>', "cannot be read"),
        ("<graphml>\udcff", "cannot be read"),
        ("<graphml/>", "no edge of an item of the store"),
        ("<graphml>" + "<node id='a'>" * 50_000, "cannot be read"),
    ],
    ids=range(13),
)
def test_fault_case_11_a_broken_or_hostile_file_is_one_clear_line(tmp_path, text, words):
    (tmp_path / "g.graphml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with Store.open(tmp_path / "s.duckdb", create=True) as store:
        store.replace_catalogue(hand_catalogue())
        before = store.graph_digest
        with pytest.raises(ImportRefused, match=words) as refused:
            store.replace_attributes(GraphFile(path=tmp_path / "g.graphml"))
        assert "\n" not in str(refused.value) and store.graph_digest == before


def test_fault_case_11_a_doctype_without_entities_is_read(read):
    dtd = '<!DOCTYPE graphml SYSTEM "http://graphml.graphdrawing.org/dtds/graphml.dtd">'
    body = '<node id="i1"/><node id="a" label="Ann"/><edge source="i1" target="a" label="d"/>'
    edges, _ = read("g.graphml", dtd + GRAPHML.format(keys="", body=body).split("\n", 1)[1])
    assert edges == [("i1", "d", "a", "Ann")]
