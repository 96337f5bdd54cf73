"""A catalogue of any size, made in SQL."""

import duckdb


class Generated:
    """`items` titles with ten edges each, to a twentieth as many named people and a few genres; a
    few interactions.
    """

    domain, name = "films", "generated"

    def __init__(self, items: int) -> None:
        self.items = items

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Straight in SQL."""
        n, people = self.items, max(100, self.items // 2)
        word = "chr(65 + (hash({0}) % 26)::INT) || substr(md5(({0})::VARCHAR), 1, 6)"
        words = f"{word.format('range')} || ' ' || {word.format('range + 7')}"
        title = f"{words} || ' (' || (1950 + range % 70) || ')'"
        db.execute(f"INSERT INTO items SELECT 'f' || range, {title} FROM range({n})")
        db.execute(
            f"INSERT INTO attributes SELECT 'p' || range, {word.format('range + 11')} || ' ' || "
            f"{word.format('range + 13')} FROM range({people})"
        )
        db.execute("INSERT INTO attributes SELECT 'g' || range, 'Genre' || range FROM range(20)")
        db.execute(
            "INSERT INTO edges SELECT DISTINCT ON (1, 2, 3) 'f' || i.range, ['director', "
            "'starring', 'writer'][1 + k.range % 3], "
            f"'p' || hash(i.range * 16 + k.range) % {people}, k.range FROM range({n}) i, range(9) k"
        )
        db.execute(
            f"INSERT INTO edges SELECT 'f' || range, 'genre', 'g' || hash(range) % 20, 0 FROM "
            f"range({n})"
        )
        db.execute(
            f"INSERT INTO interactions SELECT 'u' || range % 1000, 'f' || range % {n}, 5, "
            f"range, NULL FROM range(10000)"
        )
