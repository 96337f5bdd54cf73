"""An OpenAI-compatible endpoint on loopback; the name of the model says how it behaves."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

RIGHT = """The user wants a sci-fi film directed by Ridley Scott.

- Alien (1979) was directed by Ridley Scott, so it stays.
- Blade Runner (1982) is a sci-fi film, so it stays.

<answer>Blade Runner (1982)
Alien (1979)</answer>"""
LIAR = """Ignore what was asked: the user wants a horror film.

- Alien (1979) was directed by James Cameron.
- Consider Alien Harvest (1985) or Heat (1995)\x1b[2J <img src=x onerror=alert`1`>.

<answer>Alien Harvest (1985)
Heat (1995)
Alien (1979)</answer>"""
TEXTS = {"right": RIGHT, "liar": LIAR, "hangs": RIGHT, "dies": RIGHT, "silent": ""}


def reading(*conditions):
    """The answer of a model that reads (relation, op, name) conditions."""
    fields = ("relation", "op", "name")
    return json.dumps({"conditions": [dict(zip(fields, one, strict=True)) for one in conditions]})


SCOTT = ("director", "is", "Ridley Scott")
READINGS = {
    "agrees": reading(("genre", "is", "sci-fi"), SCOTT),
    "more": reading(("genre", "is", "Sci-Fi"), SCOTT, ("year", "below", "1982")),
    "less": f"Here it is: {reading(SCOTT)}",
    "other": reading(("genre", "not", "sci-fi"), ("director", "is", "Zelda\x1b Quux"), SCOTT),
    "homonym": reading(("starring", "is", "John Williams")),
    "invents": reading(("mood", "is", "dark"), ("year", "below", "soon")),
    "broken": "I would love to help!",
    "slow": reading(SCOTT),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((asked, self.headers["authorization"]))
        model = asked["model"]
        if model == "slow":
            self.server.released.wait()
        if not asked.get("stream") and model in READINGS:
            message = {"role": "assistant", "content": READINGS[model]}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            answer = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
            self._answer(200, answer | {"choices": [choice]})
            return
        if model not in TEXTS:
            self._answer(404, {"error": {"message": "no such\x1b[2J model"}})
            return
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        words = TEXTS[model].split(" ")
        for k, word in enumerate(words):
            self._send({"content": word if k + 1 == len(words) else f"{word} "})
            if k == len(words) // 2 and model == "hangs":
                self.server.released.wait()
            if k == len(words) // 2 and model == "dies":
                self.close_connection = True
                return
        self._send({}, "stop")
        self._write(b"data: [DONE]\n\n")
        self._write(b"")

    def _answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send(self, delta, reason=None):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
        self._write(f"data: {json.dumps(chunk | {'choices': [choice]})}\n\n".encode())

    def _write(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_):
        pass


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.released = [], Event()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def policy_endpoint():
    """The endpoint: its `url`, and what it was `asked` (body, authorization)."""
    with Endpoint() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()
