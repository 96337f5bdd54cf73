"""Coverage-guided fuzzing of what strangers can send: bodies, files to import, texts with claims.

atheris is in no environment of ours. In one that has it and can import rerec:
`python -m tests.bench.fuzz TARGET SECONDS`, TARGET being wire, importers or claims. An input that
raises anything but a named error is written to the working directory, and the process fails.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris
import msgspec

with atheris.instrument_imports(include=["data_engine", "reward_server"]):
    from data_engine.errors import RerecError
    from data_engine.graphs.attributes import AttributeGraph
    from data_engine.importers.delimited import columns_of, first_line
    from data_engine.importers.graph_files import normal_iri
    from data_engine.importers.graph_xml import read_graph
    from data_engine.importers.recbole import listed
    from data_engine.store.database import Store
    from reward_server.scoring import PROFILES
    from reward_server.server.app import ENDPOINTS, make_app
    from reward_server.server.config import ServeConfig
    from reward_server.wire import Response
    from tests.conftest import example, hand_catalogue

MOST_BYTES = 4096
SEEDS = {
    "wire": [
        b'{"responses":[{"example_id":"EXAMPLE","response":"<answer>Film A</answer>"}]}',
        b'{"calls":[{"tool":"holders","relation":"genre","value":"Drama","among":["i1"]}]}',
        b'{"query":["pr"],"prompts":["p"],"labels":["EXAMPLE@d"]}',
        b'{"prompt":"p","response":"r","label":"EXAMPLE"}',
        b'{"example_id":"EXAMPLE","response":{"output":[{"type":"message","content":'
        b'[{"type":"output_text","text":"<answer>Film A</answer>"}]}]}}',
        b'{"verify_responses":[{"_ng_task_index":0,"reward":1.5}]}',
        b'{"item":"Film A","relation":"genre"}',
    ],
    "importers": [
        b"userId,movieId,rating\n1,2,3\n",
        b'<graphml><key id="k" for="node" attr.name="n"/><graph><node id="1"/></graph></graphml>',
        b"['a', \"b\"]",
        b"http://example.org/%C3%A9",
    ],
    "claims": [
        b"Film A (1981) stars Sue Stone and is a drama. It is not by Bo Berg.\n"
        b"- Film B (1982): genre Comedy, so it is out.\n<answer>Film A (1981)</answer>",
        b"<think>Neither Film C nor Film D is a comedy.</think> Need: genre Drama.",
    ],
}


def hand_store(folder: Path) -> Path:
    """A store of twelve films with one Example."""
    path = folder / "hand.duckdb"
    with Store.open(path, create=True) as store:
        store.replace_catalogue(hand_catalogue())
        store.replace_examples([example(AttributeGraph.from_store(store))])
    return path


def wire(folder: Path) -> Callable[[bytes], None]:
    """Every endpoint decodes and answers a body, or refuses it by name."""
    app = make_app(ServeConfig(store=hand_store(folder)))
    snapshot = app.state.snapshot
    (known,) = snapshot.targets

    def target(body: bytes) -> None:
        body = body.replace(b"EXAMPLE", known.encode())
        for path in ENDPOINTS:
            endpoint = app.endpoints[path]
            with suppress(RerecError):
                request = endpoint._parse(body, b"")
                endpoint.reply(snapshot, request, float("inf"))

    return target


def importers(folder: Path) -> Callable[[bytes], None]:
    """Every reader of a part of a file takes it, or refuses it by name."""
    table, graph = folder / "x.csv", folder / "x.graphml"

    def target(data: bytes) -> None:
        table.write_bytes(data)
        graph.write_bytes(data)
        with suppress(RerecError):
            first_line(table)
        with suppress(RerecError):
            columns_of(table, None)
        with suppress(RerecError):
            read_graph(graph)
        text = data.decode("utf-8", "replace")
        normal_iri(text)
        with suppress(ValueError):  # a list that is cut off, as `listed` says
            listed(text)

    return target


def claims(folder: Path) -> Callable[[bytes], None]:
    """Every text is scored, segments lie in it, and the score can be sent."""
    snapshot = make_app(ServeConfig(store=hand_store(folder))).state.snapshot
    (known,) = snapshot.targets

    def target(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        score = snapshot.score_one(Response(known, text), PROFILES["rerec"])
        assert all(0 <= s.start < s.end <= len(text) for s in score.segments), score
        msgspec.json.encode(score)

    return target


def main() -> None:
    """Fuzz one target for so many seconds."""
    name, seconds = sys.argv[1:]
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    target = {"wire": wire, "importers": importers, "claims": claims}[name](folder)
    options = [f"-max_total_time={seconds}", f"-max_len={MOST_BYTES}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
