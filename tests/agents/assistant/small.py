"""A small catalogue by hand, with two people called John Williams."""

from data_engine.graphs.attributes import AttributeGraph

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


GRAPH = AttributeGraph(
    TITLES,
    NAMES,
    {
        "heat": film("mann", ("pacino",), "crime", "1995"),
        "alien": film("scott", ("weaver",), "scifi", "1979", "jw1"),
        "aliens": film("cameron", ("weaver", "jw2"), "scifi", "1986"),
        "blade": film("scott", ("ford",), "scifi", "1982", "jw1"),
        "thing": film("eastwood", ("eastwood",), "horror", "1982"),
        "thing2": film("mann", ("eastwood",), "comedy", "1995"),
        "help": {"genre": ("comedy",), "year": ("1979",)},
    },
)
