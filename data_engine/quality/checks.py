"""What may be wrong with a catalogue, as SQL: cases of a kind, and a repair where one is safe."""

from data_engine.runtime.config import Config

SHOWN = 5  # cases of a kind that are shown


class Finding(Config):
    """`count` cases of one kind, the first few shown, and what --fix does about them (None:
    nothing, a person must look).
    """

    kind: str
    count: int
    shown: list[str]
    fix: str | None = None


class Check(Config):
    """SELECTs one text a case; `repair`, where there is one, is SQL that is always safe."""

    kind: str
    cases: str
    fix: str | None = None
    repair: str | None = None


CHECKS = (
    Check(
        kind="interactions twice in the same words",
        cases="SELECT user_id || ' → ' || item_id FROM interactions GROUP BY user_id, item_id, "
        "rating, timestamp, liked HAVING count(*) > 1",
        fix="one of them is kept",
        repair="DELETE FROM interactions WHERE rowid NOT IN "
        "(SELECT min(rowid) FROM interactions GROUP BY user_id, item_id, rating, timestamp, liked)",
    ),
    Check(
        kind="users with several ratings of one item",
        cases="SELECT user_id || ' → ' || item_id FROM interactions GROUP BY user_id, item_id "
        "HAVING count(DISTINCT (rating, timestamp)) > 1",
    ),
    Check(
        kind="edges twice",
        cases="SELECT item_id || ' ' || relation || ' ' || attribute_id FROM edges GROUP BY "
        "item_id, relation, attribute_id HAVING count(*) > 1",
        fix="one of them is kept",
        repair="DELETE FROM edges WHERE rowid NOT IN (SELECT min(rowid) FROM edges GROUP BY "
        "item_id, relation, attribute_id)",
    ),
    Check(
        kind="edges from or to nothing",
        cases="SELECT item_id || ' ' || relation || ' ' || attribute_id FROM edges WHERE "
        "item_id NOT IN (SELECT item_id FROM items) "
        "OR attribute_id NOT IN (SELECT attribute_id FROM attributes)",
        fix="they are removed",
        repair="DELETE FROM edges WHERE item_id NOT IN (SELECT item_id FROM items) OR "
        "attribute_id NOT IN (SELECT attribute_id FROM attributes)",
    ),
    Check(
        kind="attributes of no item",
        cases="SELECT attribute_id FROM attributes WHERE attribute_id NOT IN (SELECT "
        "attribute_id FROM edges)",
        fix="they are removed",
        repair="DELETE FROM attributes WHERE attribute_id NOT IN (SELECT attribute_id FROM edges)",
    ),
    Check(
        kind="interactions with unknown items",
        cases="SELECT user_id || ' → ' || item_id FROM interactions WHERE item_id NOT IN "
        "(SELECT item_id FROM items)",
        fix="they are removed",
        repair="DELETE FROM interactions WHERE item_id NOT IN (SELECT item_id FROM items)",
    ),
    Check(
        kind="items without a single edge",
        cases="SELECT title FROM items WHERE item_id NOT IN (SELECT item_id FROM edges)",
    ),
    Check(
        kind="items nobody touched",
        cases="SELECT title FROM items WHERE item_id NOT IN (SELECT item_id FROM interactions)",
    ),
    Check(
        kind="titles of several items",
        cases="SELECT title || ': ' || string_agg(item_id, ', ' ORDER BY item_id) FROM items "
        "GROUP BY title HAVING count(*) > 1",
    ),
    Check(
        kind="names of several attributes, which no query is made of",
        cases="SELECT name || ': ' || string_agg(attribute_id, ', ' ORDER BY attribute_id) "
        "FROM attributes GROUP BY name HAVING count(*) > 1",
    ),
    Check(
        kind="suspicious links: the year of the linked work is not the title's",
        cases="SELECT any_value(title) || ' ↔ ' || string_agg(DISTINCT name, ', ') "
        "FROM edges JOIN items USING (item_id) JOIN attributes USING (attribute_id) "
        "WHERE relation = 'year' AND regexp_matches(title, '\\(\\d{4}\\)\\s*$') AND "
        "regexp_matches(name, '^\\d{4}$') "
        "GROUP BY item_id "
        "HAVING max(abs(name::INT - regexp_extract(title, '\\((\\d{4})\\)\\s*$', 1)::INT)) > 1",
    ),
    Check(
        kind="suspicious links: two sources name no director in common",
        cases="SELECT any_value(title) || ' ↔ ' || string_agg(DISTINCT relation || ' ' || "
        "name, ', ') FROM edges JOIN items USING (item_id) "
        "JOIN attributes USING (attribute_id) WHERE lower(relation) IN ('director', "
        "'directed_by', 'directed by') GROUP BY item_id "
        "HAVING count(DISTINCT relation) > 1 AND count(DISTINCT lower(name)) = count(*)",
    ),
)
