"""The embedded world: an invented film catalogue with planted structure, for machines without data.

Planted, so that there is something to find: circles of people who work together (a director's films share stars and a
composer: two-hop links), power-law popularity, and users who like a few genres and follow a few people. Titles and names
are made of syllables. The same seed gives the same rows.
"""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from data_engine.store import Catalogue

GENRES = (
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Satire",
    "Thriller",
    "War",
    "Western",
)
LANGUAGES = ("Arvish", "Belic", "Corran", "Dunmari", "Eskan", "Faroic")
ONSETS = ("b", "br", "d", "dr", "f", "g", "gr", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "z")
VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io")
CODAS = ("", "", "l", "m", "n", "r", "s", "th")
SHAPES = ("The {0}", "{0}", "{0} and {1}", "{0} of {1}", "One {0} in {1}", "{0}, {1}")
WORDS = (
    "Harbour",
    "Winter",
    "Lantern",
    "Orchard",
    "Signal",
    "Mirror",
    "Garden",
    "Letter",
    "Bridge",
    "Summer",
    "River",
    "Crown",
    "Shadow",
    "Island",
    "Station",
    "Feather",
    "Thunder",
    "Widow",
    "Captain",
    "Promise",
    "Silence",
    "Empire",
    "Painter",
    "Tunnel",
    "Voyage",
    "Kingdom",
    "Stranger",
    "Comet",
)
# How many of each role a circle holds, and how many a film credits.
CREW = {"director": (2, 1), "starring": (6, 3), "composer": (2, 1), "writer": (3, 1), "producer": (2, 1), "cinematographer": (2, 1), "editor": (2, 1)}
GUEST = 0.5  # chance that a credit comes from another circle
FIRST_DAY, DAY = 946_684_800, 86_400


class WorldConfig(BaseModel):
    """Size and seed of the invented world."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    items: int = Field(1400, ge=50, le=20_000)
    users: int = Field(900, ge=10, le=20_000)
    ratings_per_user: int = Field(60, ge=5, le=1000)
    seed: int = 0


def make_world(config: WorldConfig) -> Catalogue:
    """Invent a catalogue of films with ten relations (crew, genre, language, year), and the users who rate them."""
    rng = np.random.default_rng(config.seed)
    circles = max(4, config.items // 12)
    people = _names(rng, circles * sum(n for n, _ in CREW.values()))
    pools: dict[str, list[list[str]]] = {}
    for role, (n, _) in CREW.items():
        pools[role] = [[people.pop() for _ in range(n)] for _ in range(circles)]
    loves = [rng.choice(len(GENRES), 3, replace=False) for _ in range(circles)]
    titles: set[str] = set()
    items, edges, film_genres, film_circle = [], [], np.zeros((config.items, len(GENRES)), np.float32), rng.integers(circles, size=config.items)
    for k, circle in enumerate(film_circle):
        item, year = f"f{k:05d}", int(1960 + 60 * rng.beta(3, 1.5))
        items.append((item, _title(rng, titles, year)))
        for role, (_, credits) in CREW.items():
            crew = dict.fromkeys(_credit(rng, pools[role], circle) for _ in range(credits))
            edges += [(item, role, f"person/{name}", n) for n, name in enumerate(crew)]
        genres = rng.choice(loves[circle], 2, replace=False) if rng.random() > GUEST else rng.choice(len(GENRES), 2, replace=False)
        film_genres[k, genres] = 1
        edges += [(item, "genre", f"genre/{GENRES[g]}", n) for n, g in enumerate(genres)]
        edges += [(item, "language", f"language/{LANGUAGES[circle % len(LANGUAGES)]}", 0), (item, "year", f"year/{year}", 0)]
    attributes = [(a, a.split("/")[1]) for a in dict.fromkeys(edge[2] for edge in edges)]
    return Catalogue("films", f"world seed {config.seed}", items, attributes, edges, _ratings(rng, config, film_genres, film_circle, circles))


def _ratings(
    rng: np.random.Generator, config: WorldConfig, film_genres: np.ndarray, film_circle: np.ndarray, circles: int
) -> list[tuple[str, str, float, int]]:
    """Each user watches by popularity × taste (genres and two followed circles) and rates by taste with noise."""
    popularity = 1 / np.arange(1, config.items + 1) ** 0.9
    popularity = popularity[rng.permutation(config.items)]
    rows = []
    for u in range(config.users):
        taste = rng.gamma(0.4, size=len(GENRES))
        appeal = film_genres @ (taste / taste.max()) + 1.5 * np.isin(film_circle, rng.choice(circles, 2, replace=False))
        chance = popularity * np.exp(1.5 * appeal)
        count = min(config.items, max(5, int(rng.lognormal(np.log(config.ratings_per_user) - 0.3, 0.8))))
        seen = rng.choice(config.items, count, replace=False, p=chance / chance.sum())
        stars = np.clip(np.round(2 * (2.6 + 1.1 * appeal[seen] + rng.normal(0, 0.7, count))) / 2, 0.5, 5)
        start = FIRST_DAY + int(rng.integers(0, 5000)) * DAY
        times = start + np.sort(rng.integers(0, 700 * DAY, count))
        rows += [(f"u{u:04d}", f"f{k:05d}", float(s), int(t)) for k, s, t in zip(seen, stars, times, strict=True)]
    return rows


def _credit(rng: np.random.Generator, pools: list[list[str]], circle: int) -> str:
    pool = pools[int(rng.integers(len(pools)))] if rng.random() < GUEST else pools[circle]
    return pool[int(rng.integers(len(pool)))]


def _syllable(rng: np.random.Generator) -> str:
    return "".join(part[int(rng.integers(len(part)))] for part in (ONSETS, VOWELS, CODAS))


def _names(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct invented names, first and last."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[" ".join((_syllable(rng) + _syllable(rng)).capitalize() for _ in range(2))] = None
    return list(names)


def _title(rng: np.random.Generator, taken: set[str], year: int) -> str:
    """A title nobody has yet, with its year; longer words as the short ones run out."""
    while True:
        nouns = [WORDS[int(rng.integers(len(WORDS)))], (_syllable(rng) + _syllable(rng)).capitalize()]
        name = SHAPES[int(rng.integers(len(SHAPES)))].format(*nouns if rng.random() < 0.5 else nouns[::-1])
        if name not in taken:
            taken.add(name)
            return f"{name} ({year})"
