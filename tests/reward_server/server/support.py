"""Responses, heads, tokens and processes for the tests of a server."""

import httpx
import psutil

from data_engine.graphs.arrays import GraphArrays
from data_engine.http.tokens import issue_token
from data_engine.names.sentences import DEFAULT
from data_engine.store.database import Store
from reward_server.wire import Response


def wrong_answers(snapshot, count=200):
    """Responses that name a wrong item, so that every part of the score counts."""
    titles = dict(snapshot.graph.titles())
    pairs = [(e, sorted(t.near - t.gold)[0]) for e, t in snapshot.targets.items()]
    return [
        Response(e, f"Perhaps {titles[i]}.\n<answer>{titles[i]}</answer>")
        for e, i in (pairs * (count // len(pairs) + 1))[:count]
    ]


def process_at(url):
    """The server process behind a local URL; with several workers their parent."""
    port = int(url.rsplit(":", 1)[1])
    found = next(
        psutil.Process(c.pid)
        for c in psutil.net_connections("tcp")
        if c.laddr.port == port and c.status == "LISTEN" and c.pid
    )
    return found.parent() if "serve" in found.parent().cmdline() else found


def examples_at(url):
    """How many Examples the worker that answers has; None from one that is just leaving."""
    try:
        return httpx.get(f"{url}/ready").json()["examples"]
    except httpx.TransportError:
        return None


def save_untrained_head(store, folder, encoder=DEFAULT):
    """An untrained RecHead for a store's graph."""
    import torch  # not above: a server without a head is tested without torch (`just pythons`)

    from reward_server.rechead.files import save_head
    from reward_server.rechead.model import HeadConfig, RecHead

    with Store.open(store, read_only=True) as opened:
        arrays = GraphArrays.of(opened)
    config = HeadConfig(dims=4, layers=1, heads=1, length=4)
    save_head(
        folder,
        RecHead(len(arrays.item_ids), config, torch.ones(len(arrays.item_ids), 384)),
        config,
        encoder,
        arrays.digest,
    )
    return [
        {"history": [arrays.item_ids[k]], "response": "I think so. <answer>a film</answer>"}
        for k in range(40)
    ]


def write_tokens(path, *names):
    """Secrets by name; the one called admin may do all."""
    path.unlink(missing_ok=True)
    return {
        name: issue_token(path, name, ("score", "admin") if name == "admin" else ("score",), 1)
        for name in names
    }
