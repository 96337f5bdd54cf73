"""GraphML and GEXF of other tools: Neo4j, yEd, types, broken and hostile files."""

import pytest

from data_engine.errors import ImportRefused
from data_engine.importers.graph_files import GraphFile
from data_engine.store.database import Store
from tests.conftest import hand_catalogue

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
