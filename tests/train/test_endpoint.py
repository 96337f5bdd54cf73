"""A model behind an endpoint over loopback HTTP: order, faults, the answer cache, the command."""

import json
import sqlite3
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from data_engine.errors import Interrupted
from tests.test_cli import rerec
from train.errors import TrainError
from train.evaluation.endpoint import EndpointConfig, ask


class Server(ThreadingHTTPServer):
    """Answers each prompt by `say`, after the statuses in `faults`; remembers what it was asked."""

    def __init__(self, say, faults=()):
        super().__init__(("127.0.0.1", 0), Handler)
        self.say, self.faults, self.asked, self.keys = say, list(faults), [], set()
        self.top_p = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.keys.add(self.headers["authorization"])
        status = self.server.faults.pop(0) if self.server.faults else 200
        if status == 200:
            prompt = asked["messages"][0]["content"]
            self.server.asked.append(prompt)
            self.server.top_p.append(asked.get("top_p"))
            message = {"role": "assistant", **self.server.say(prompt)}
            body = {"id": "c", "object": "chat.completion", "created": 1, "model": asked["model"]}
            body["choices"] = [{"index": 0, "finish_reason": "stop", "message": message}]
        else:
            body = {"error": {"message": "not now"}}
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("retry-after-ms", "1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def serving(say, faults=()):
    server = Server(say, faults)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def as_logged_by_an_earlier_version(cache):
    """The cache as the JSON lines of an earlier version, killed while the last was written."""
    with sqlite3.connect(cache) as db:
        rows = db.execute("SELECT key, answer FROM answers ORDER BY rowid").fetchall()
    db.close()
    lines = [json.dumps({"prompt": key, "response": text}) + "\n" for key, text in rows]
    cache.with_suffix(".jsonl").write_text("".join(lines)[:-9])
    cache.unlink()


def echo(prompt):
    return (
        {"content": f"said {prompt}"}
        if prompt != "never"
        else {"content": None, "refusal": "I will not"}
    )


def test_answers_come_in_order_whatever_fails_on_the_way(monkeypatch):
    monkeypatch.setenv("SECRET", "s3cret")
    with serving(echo, faults=[429, 500, 503, 429]) as server:
        prompts = [f"p{n}" for n in range(20)] + ["never"]
        found = ask(
            EndpointConfig(model="m", base_url=server.url, key_env="SECRET", concurrency=4),
            prompts,
            0.0,
            0,
            None,
        )
        assert found == [f"said p{n}" for n in range(20)] + ["I will not"]
        assert sorted(server.asked) == sorted(prompts) and server.keys == {"Bearer s3cret"}


def test_what_was_answered_is_not_asked_again_and_a_cut_line_is(tmp_path):
    kept, prompts = tmp_path / "deep/answers.sqlite", [f"p{n}" for n in range(6)]
    with serving(echo, faults=[200, 200, 200, 400]) as server:
        config = EndpointConfig(model="m", base_url=server.url, concurrency=1)
        with pytest.raises(TrainError, match="refuses model 'm'"):
            ask(config, prompts, 0.0, 0, kept)
        assert server.asked == ["p0", "p1", "p2"]
        as_logged_by_an_earlier_version(kept)
        seen = []
        assert ask(
            config, prompts, 0.0, 0, kept, lambda done, total: seen.append((done, total))
        ) == [f"said {p}" for p in prompts]
        assert server.asked[3:] == ["p2", "p3", "p4", "p5"] and seen[-1] == (6, 6)
        assert ask(config, ["p5", "p0"], 0.0, 0, kept) == [
            "said p5",
            "said p0",
        ]  # other places, other seeds: asked for
        assert ask(config, prompts, 0.0, 0, kept)[4] == "said p4" and len(server.asked) == 9
        ask(config, ["p0"], 0.5, 0, kept)
        assert len(server.asked) == 10
        for _ in range(2):
            ask(config, ["p0"], 0.5, 0, kept, top_p=0.9)
        assert len(server.asked) == 11 and server.top_p[-2:] == [None, 0.9]


def test_a_silent_endpoint_interrupts_and_says_how_to_go_on(tmp_path):
    with serving(echo, faults=[503] * 50) as server:
        with pytest.raises(
            Interrupted,
            match="does not answer .InternalServerError. after 7 tries; .*answers.sqlite holds",
        ):
            ask(
                EndpointConfig(model="m", base_url=server.url),
                ["p"],
                0.0,
                0,
                tmp_path / "answers.sqlite",
            )


@pytest.mark.journey
def test_the_command_scores_a_model_that_takes_the_first_candidate(film_store, tmp_path):
    def first(prompt):
        line = prompt.split("Candidates:\n")[1].splitlines()[0].strip()
        return {
            "content": f"I take it.\n<answer>{line[: line.index(')') + 1]}</answer>"
            + " and on" * 10_000
        }

    with serving(first) as server:
        out = tmp_path / "eval.json"
        words = [
            "eval",
            "--ask",
            "m",
            "--base-url",
            server.url,
            "--store",
            film_store,
            "--split",
            "test",
            "--queries",
            "12",
            "--out",
            out,
            "--json",
        ]
        summary = json.loads(rerec(*words).stdout.splitlines()[-1])
        assert summary["queries"] == 12 == len(server.asked) and summary["answered"] == 1.0
        rows = json.loads(out.read_text())["rows"]
        assert all(r["ndcg"] == (r["gold_position"] == 0) for r in rows)
        assert "<answer>" in server.asked[0] and "director" in server.asked[0]
        rerec(*words)
        assert len(server.asked) == 12
    both = rerec("eval", "--ask", "m", "--baseline", "random", "--store", film_store)
    assert both.returncode == 1 and "give one of a model folder, --ask MODEL" in both.stderr
