"""What the explorer page shows: the Examples of the store, and for one of them its query, candidates, gold and a small piece of the graph."""

from base64 import b64encode
from collections import Counter
from hashlib import sha256
from pathlib import Path

from data_engine.store.database import Store
from reward_server.errors import UnknownExamples
from reward_server.server.live import Live

PAGE = (Path(__file__).parent / "explorer.html").read_text(encoding="utf-8")
SHARED = 8  # attributes drawn beside the conditions


def policy(page: str) -> str:
    """A content security policy that lets just this page's own script and style run."""
    parts = {tag: page.split(f"<{tag}>")[1].split(f"</{tag}>")[0] for tag in ("script", "style")}
    hashes = {
        tag: b64encode(sha256(text.encode()).digest()).decode() for tag, text in parts.items()
    }
    return (
        f"default-src 'none'; script-src 'sha256-{hashes['script']}'; style-src 'sha256-{hashes['style']}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def listing(live: Live, kind: str | None, search: str, limit: int) -> list[dict[str, str]]:
    """Examples in stored order, of one kind or all, whose query holds the searched words: id, kind, split and query."""
    with Store.open(live.store, read_only=True) as store:
        rows = store.rows(
            "SELECT example_id, kind, split, json_extract_string(body, '$.query') FROM examples "
            "WHERE (? IS NULL OR kind = ?) AND contains(lower(json_extract_string(body, '$.query')), lower(?)) ORDER BY position LIMIT ?",
            [kind, kind, search, limit],
        )
    return [dict(zip(("example_id", "kind", "split", "query"), row, strict=True)) for row in rows]


def describe(live: Live, example_id: str, gold: bool) -> dict[str, object]:
    """One Example for a reader; what it is scored by, its gold, chains and conditions, only with `gold`. Raises UnknownExamples."""
    with Store.open(live.store, read_only=True) as store:
        example = store.example(example_id)
    if example is None:
        raise UnknownExamples(f"no example {example_id!r} in this store")
    graph = live.snapshot.graph
    items = list(dict.fromkeys([*example.candidates, *example.anchors]))
    asked = {graph.code(c.relation, c.value) for c in example.conditions} if gold else set()
    count = Counter(code for item in items for code in graph.edges(item))
    common = [code for code, n in count.most_common() if n > 1 and code not in asked][:SHARED]
    drawn = [code for code in [*asked, *common] if code is not None]
    titles = dict(_titles(live, items))
    return {
        "example_id": example_id,
        "kind": example.kind,
        "query": example.query,
        "gold_shown": gold,
        "items": [
            {
                "id": i,
                "title": titles[i],
                "role": "gold"
                if gold and i in example.gold
                else "candidate"
                if i in example.candidates
                else "named",
            }
            for i in items
        ],
        "attributes": [
            {
                "id": str(code),
                "relation": graph.relations[code >> 32],
                "name": graph.arrays.names[code & 0xFFFFFFFF],
                "asked": code in asked,
            }
            for code in drawn
        ],
        "edges": [
            [item, str(code)] for item in items for code in drawn if code in graph.edges(item)
        ],
        "chains": [
            {"flaw": c.flaw, "answer": titles.get(c.answer, ""), "steps": [s.text for s in c.steps]}
            for c in example.chains
            if gold
        ],
    }


def _titles(live: Live, items: list[str]) -> list[tuple[str, str]]:
    """(item, title) of the given items."""
    arrays = live.snapshot.graph.arrays
    return [
        (item, arrays.titles[place])
        for item in items
        if (place := arrays.item_ids.find(item)) is not None
    ]
