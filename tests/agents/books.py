"""An invented book catalogue: authors, literary genres, publishers and formats, no year."""

from random import Random

from data_engine.store.catalogue import Catalogue

AUTHORS = (
    "Ada Quill",
    "Ben Okafor",
    "Clara von Moss",
    "Dmitri Hale",
    "Elif Sarman",
    "Fergus O'Dell",
    "Grace Lindqvist",
    "Hugo Marchetti",
)
GENRES = ("Fantasy", "Space opera", "Crime fiction", "Gothic fiction", "Mystery", "Satire")
PUBLISHERS = ("Orion Lane", "Harbour Press", "Second Story Books", "Tallow & Sons")
FORMATS = ("Hardback", "Paperback", "E-book", "Audiobook")
NOUNS = ("Ash", "Glass", "Salt", "Iron", "Rain", "Clay", "Smoke", "Bone", "Moss", "Chalk")
PLACES = ("Harbour", "Orchard", "Tower", "Valley", "Station", "Library", "Island", "Bridge")


def book_catalogue(books: int = 80, readers: int = 60) -> Catalogue:
    """So many books, whose authors mostly keep to a genre and a publisher, and their readers."""
    rng = Random(7)
    named = [
        ("author", AUTHORS),
        ("literary genre", GENRES),
        ("publisher", PUBLISHERS),
        ("media type", FORMATS),
    ]
    ids = {(r, name): f"{r}/{n}" for r, names in named for n, name in enumerate(names)}
    titles = [f"{noun} {place}" for noun in NOUNS for place in PLACES]
    items, edges = [], []
    for n in range(books):
        author = AUTHORS[n % len(AUTHORS)]
        genre = GENRES[n % len(AUTHORS) % len(GENRES)] if rng.random() < 0.7 else rng.choice(GENRES)
        values = (author, genre, rng.choice(PUBLISHERS), rng.choice(FORMATS))
        items.append((f"b{n}", titles[n]))
        for (relation, _), value in zip(named, values, strict=True):
            edges.append((f"b{n}", relation, ids[relation, value], 0))
    ratings = [
        (f"u{reader}", f"b{book}", float(rng.choice((3, 4, 5))), 1000 * reader + book)
        for reader in range(readers)
        for book in rng.sample(range(books), 20)
    ]
    attributes = [(identity, name) for (_, name), identity in ids.items()]
    return Catalogue("books", "books", items, attributes, edges, ratings)
