"""A small catalogue by hand, with two people called John Williams."""

import numpy as np

from data_engine.graphs.arrays import GraphArrays, Strings
from data_engine.graphs.inverted import InvertedGraph
from data_engine.store.catalogue import Catalogue

NAMES = {
    "mann": "Michael Mann",
    "scott": "Ridley Scott",
    "cameron": "James Cameron",
    "pacino": "Al Pacino",
    "weaver": "Sigourney Weaver",
    "ford": "Harrison Ford",
    "jw1": "John Williams",
    "jw2": "John Williams",
    "eastwood": "Clint Eastwood",
    "crime": "Crime",
    "scifi": "Sci-Fi",
    "comedy": "Comedy",
    "horror": "Horror",
    "1979": "1979",
    "1982": "1982",
    "1986": "1986",
    "1995": "1995",
}
TITLES = {
    "heat": "Heat (1995)",
    "alien": "Alien (1979)",
    "aliens": "Aliens (1986)",
    "blade": "Blade Runner (1982)",
    "thing": "Thing, The (1982)",
    "thing2": "Thing, The (1995)",
    "help": "Help! (1979)",
}


def film(director, stars, genre, year, composer=None):
    found = {"director": (director,), "starring": stars, "genre": (genre,), "year": (year,)}
    return found | ({"composer": (composer,)} if composer else {})


def inverted(titles, names, edges):
    """The graph of dicts: item → title, attribute → name, item → relation → attributes."""
    items, values = sorted(titles), sorted(names)
    relations = sorted(set().union(*edges.values()))
    rows = [
        (place, relations.index(relation), values.index(value))
        for place, item in enumerate(items)
        for relation in sorted(edges[item])
        for value in edges[item][relation]
    ]
    owner, relation, attribute = np.array(rows).T
    nobody = np.zeros(0, int)
    return InvertedGraph(
        GraphArrays(
            digest="",
            item_ids=Strings.pack(items),
            titles=Strings.pack([titles[item] for item in items]),
            attribute_ids=Strings.pack(values),
            names=Strings.pack([names[value] for value in values]),
            relations=Strings.pack(relations),
            edge_start=np.searchsorted(owner, np.arange(len(items) + 1)),
            relation=relation.astype(np.uint16),
            attribute=attribute.astype(np.int32),
            user_ids=Strings.pack([]),
            like_start=np.zeros(1, int),
            item=nobody,
            rating=nobody,
            time=nobody,
            liked=nobody.astype(bool),
        )
    )


FILMS = {
    "heat": film("mann", ("pacino",), "crime", "1995"),
    "alien": film("scott", ("weaver",), "scifi", "1979", "jw1"),
    "aliens": film("cameron", ("weaver", "jw2"), "scifi", "1986"),
    "blade": film("scott", ("ford",), "scifi", "1982", "jw1"),
    "thing": film("eastwood", ("eastwood",), "horror", "1982"),
    "thing2": film("mann", ("eastwood",), "comedy", "1995"),
    "help": {"genre": ("comedy",), "year": ("1979",)},
}
GRAPH = inverted(TITLES, NAMES, FILMS)


def small_catalogue():
    """The same with likes: Alien by ten users, Blade Runner by five, the others by one each."""
    edges = [
        (item, relation, value, n)
        for item, of in FILMS.items()
        for relation, values in of.items()
        for n, value in enumerate(values)
    ]
    likes = [(f"u{n}", "alien", 5.0, n) for n in range(10)]
    likes += [(f"u{n}", "blade", 5.0, 100 + n) for n in range(5)]
    likes += [("u9", item, 5.0, 200) for item in TITLES if item not in ("alien", "blade")]
    return Catalogue("films", "small", [*TITLES.items()], [*NAMES.items()], edges, likes)
