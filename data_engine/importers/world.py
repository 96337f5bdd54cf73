"""The embedded world: an invented film catalogue with planted structure, for machines without data.

Planted, so that there is something to find: circles of people who work together (a director's films
share stars and a composer: two-hop links), power laws of popularity, fame and genre, and users who
like a few genres and follow a few people. The power laws matter to training too: where everybody is
credited equally often, a small policy hardly learns to read a card. The same seed gives the same
rows.

People have names and films have titles that read as such, those of a genre by its own patterns
(`world_names`, `world_titles`). Each is drawn by a generator of its own, so that who is called what
says nothing of the structure, and other words leave it as it is.
"""

import numpy as np
from pydantic import Field

from data_engine.importers.world_names import invent_people
from data_engine.importers.world_titles import invent_titles
from data_engine.runtime.config import Config
from data_engine.store.catalogue import Catalogue

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
LANGUAGES = ("English", "French", "Italian", "Japanese", "Korean", "Swedish")
# For each role: films per person on average, how many regulars a circle has, how many a film
# credits, and how often it credits any.
CREW = {
    "director": (3.5, 2, 1, 1.0),
    "starring": (4.5, 6, 3, 1.0),
    "composer": (6.0, 1, 1, 0.7),
    "writer": (4.0, 3, 1, 1.0),
    "producer": (5.0, 2, 1, 1.0),
    "cinematographer": (6.0, 2, 1, 1.0),
    "editor": (6.0, 2, 1, 1.0),
}
# chance that a credit goes to anyone in the trade, by fame, and not to the circle's regulars
GUEST = 0.5
SECOND_GENRE = 0.75  # chance that a film has two genres
FIRST_DAY, DAY = 946_684_800, 86_400


Edge = tuple[str, str, str, int]  # item, relation, attribute, position


class WorldConfig(Config):
    """Size and seed of the invented world."""

    items: int = Field(1400, ge=50, le=20_000)
    users: int = Field(900, ge=10, le=20_000)
    ratings_per_user: int = Field(60, ge=5, le=1000)
    seed: int = 0


def make_world(config: WorldConfig) -> Catalogue:
    """Invent a catalogue of films with ten relations (crew, genre, language, year), and the users
    who rate them.
    """
    rng = np.random.default_rng(config.seed)
    circles = max(4, config.items // 12)
    crews = _make_crews(rng, config, circles)
    loves = [
        rng.choice(len(GENRES), 3, replace=False, p=_fame(len(GENRES))) for _ in range(circles)
    ]
    items = [f"f{k:05d}" for k in range(config.items)]
    edges, years, first_genres = list[Edge](), list[int](), list[str]()
    film_genres = np.zeros((config.items, len(GENRES)), np.float32)
    film_circle = rng.integers(circles, size=config.items)
    for k, (item, circle) in enumerate(zip(items, film_circle, strict=True)):
        years.append(int(1960 + 60 * rng.beta(3, 1.5)))
        edges += _credits(rng, item, circle, crews)
        genres = _draw_genres(rng, loves[circle])
        film_genres[k, genres] = 1
        first_genres.append(GENRES[genres[0]])
        edges += [(item, "genre", f"genre/{GENRES[g]}", n) for n, g in enumerate(genres)]
        language = LANGUAGES[circle % len(LANGUAGES)]
        edges.append((item, "language", f"language/{language}", 0))
        edges.append((item, "year", f"year/{years[k]}", 0))
    attributes = [(a, a.split("/")[1]) for a in dict.fromkeys(edge[2] for edge in edges)]
    interactions = _ratings(rng, config, film_genres, film_circle, circles)
    titles = invent_titles(first_genres, config.seed, [name for _, name in attributes])
    dated = [f"{title} ({year})" for title, year in zip(titles, years, strict=True)]
    films = list(zip(items, dated, strict=True))
    return Catalogue("films", f"world seed {config.seed}", films, attributes, edges, interactions)


def _make_crews(rng: np.random.Generator, config: WorldConfig, circles: int) -> dict[str, "_Crew"]:
    """The people of each role, as many as the films need."""
    trade = {
        role: max(2, int(config.items * credits * share / per_person))
        for role, (per_person, _, credits, share) in CREW.items()
    }
    people = invent_people(sum(trade.values()), config.seed)
    crews = {}
    for role, count in trade.items():
        hired = [people.pop() for _ in range(count)]
        crews[role] = _Crew(rng, hired, circles, CREW[role][1])
    return crews


def _credits(
    rng: np.random.Generator, item: str, circle: int, crews: dict[str, "_Crew"]
) -> list[Edge]:
    """The crew of a film of a circle."""
    edges: list[Edge] = []
    for role, (_, _, credits, share) in CREW.items():
        if rng.random() < share:
            names = dict.fromkeys(crews[role].credit(rng, circle) for _ in range(credits))
            edges += [(item, role, f"person/{name}", n) for n, name in enumerate(names)]
    return edges


def _draw_genres(rng: np.random.Generator, loved: np.ndarray) -> np.ndarray:
    """One or two genres: of those that the circle loves, or of all by fame."""
    if rng.random() > GUEST:
        drawn = rng.choice(loved, 2, replace=False)
    else:
        drawn = rng.choice(len(GENRES), 2, replace=False, p=_fame(len(GENRES)))
    return drawn if rng.random() < SECOND_GENRE else drawn[:1]


def _ratings(
    rng: np.random.Generator,
    config: WorldConfig,
    film_genres: np.ndarray,
    film_circle: np.ndarray,
    circles: int,
) -> list[tuple[str, str, float, int]]:
    """Each user watches by popularity × taste (genres and two followed circles) and rates by taste
    with noise.
    """
    popularity = 1 / np.arange(1, config.items + 1) ** 0.9
    popularity = popularity[rng.permutation(config.items)]
    rows = []
    for u in range(config.users):
        taste = rng.gamma(0.4, size=len(GENRES))
        appeal = film_genres @ (taste / taste.max()) + 1.5 * np.isin(
            film_circle, rng.choice(circles, 2, replace=False)
        )
        chance = popularity * np.exp(1.5 * appeal)
        count = min(
            config.items, max(5, int(rng.lognormal(np.log(config.ratings_per_user) - 0.3, 0.8)))
        )
        seen = rng.choice(config.items, count, replace=False, p=chance / chance.sum())
        stars = np.clip(
            np.round(2 * (2.6 + 1.1 * appeal[seen] + rng.normal(0, 0.7, count))) / 2, 0.5, 5
        )
        start = FIRST_DAY + int(rng.integers(0, 5000)) * DAY
        times = start + np.sort(rng.integers(0, 700 * DAY, count))
        rows += [
            (f"u{u:04d}", f"f{k:05d}", float(s), int(t))
            for k, s, t in zip(seen, stars, times, strict=True)
        ]
    return rows


class _Crew:
    """The people of one role: all of them by fame, and the regulars of each circle."""

    def __init__(
        self, rng: np.random.Generator, people: list[str], circles: int, regulars: int
    ) -> None:
        self.people, self.fame = people, _fame(len(people))
        self.regulars = [
            rng.choice(len(people), min(regulars, len(people)), replace=False, p=self.fame)
            for _ in range(circles)
        ]

    def credit(self, rng: np.random.Generator, circle: int) -> str:
        """Somebody for a film of this circle."""
        if rng.random() < GUEST:
            return self.people[int(rng.choice(len(self.people), p=self.fame))]
        return self.people[int(rng.choice(self.regulars[circle]))]


def _fame(n: int) -> np.ndarray:
    """The share of each of n in a power law, most famous first."""
    weight = 1 / np.arange(8, n + 8) ** 0.8
    return np.asarray(weight / weight.sum())
