"""Look-ups a second in a catalogue of a million titles, on one core: the share of real titles,
other spellings and misses a run would see.
"""

import json
import random
import time

from data_engine.names.titles import TitleResolver

SIZE, LOOKUPS, TARGET = 1_000_000, 400_000, 200_000
rng = random.Random(0)
syllables = [a + b for a in "b d f g k l m n p r s t v".split() for b in "a e i o u".split()]
vocabulary = [
    "".join(rng.choices(syllables, k=rng.randint(1, 4))).capitalize() for _ in range(20_000)
]


def title(n: int) -> str:
    name = " ".join(rng.choices(vocabulary, k=rng.randint(1, 4)))
    name += rng.choice(
        (
            "",
            "",
            "",
            ", The",
            ": The " + rng.choice(vocabulary),
            " Part II",
            f" ({rng.choice(vocabulary)})",
        )
    )
    return f"{name} ({1920 + n % 100})"


titles = {str(n): title(n) for n in range(SIZE)}
start = time.perf_counter()
resolver = TitleResolver(titles)
print(f"built in {time.perf_counter() - start:.1f} s")
asked = rng.choices(list(titles.values()), k=LOOKUPS)
asked = [
    text if k % 4 else text.lower() if k % 8 else text.replace("a", "e")
    for k, text in enumerate(asked)
]
start = time.perf_counter()
found = sum(resolver.resolve(text).status == "ok" for text in asked)
figure = LOOKUPS / (time.perf_counter() - start)
print(f"{found / LOOKUPS:.1%} resolved")
print(
    json.dumps(
        {
            "bench": "titles",
            "figure": round(figure),
            "unit": "look-ups/s",
            "target": TARGET,
            "holds": figure >= TARGET,
        }
    )
)
