"""A model endpoint with a script: the Chat Completions API on loopback, in a thread.

It answers with the first candidate of the prompt; where tools are offered it first looks up the
relation `genre` of that candidate.
"""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NO_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def first_candidate(messages):
    """The first title below "Candidates:" of the user's message, without its facts."""
    (prompt,) = [m["content"] for m in messages if m["role"] == "user"]
    if isinstance(prompt, list):
        prompt = prompt[0]["text"]
    line = prompt.split("Candidates:\n")[1].split("\n")[0]
    return line.removeprefix("- ").split(" — ")[0]


def answer(request):
    """The assistant's message to a request."""
    title, messages = first_candidate(request["messages"]), request["messages"]
    if not request.get("tools") or messages[-1]["role"] == "tool":
        found = messages[-1]["content"] if messages[-1]["role"] == "tool" else "nothing"
        return {"role": "assistant", "content": f"It has {found}.\n<answer>{title}</answer>"}
    (name,) = [
        tool["function"]["name"]
        for tool in request["tools"]
        if tool["function"]["name"].endswith("lookup")
    ]
    arguments = json.dumps({"item": title, "relation": "genre"})
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def completion(request):
    """(content type, body) of an answer, streamed where that is asked for."""
    message = answer(request)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    facts = {"id": "x", "created": 0, "model": request["model"], "usage": NO_USAGE}
    if not request.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": reason}
        body = {"object": "chat.completion", "choices": [choice], **facts}
        return "application/json", json.dumps(body)
    for number, call in enumerate(message.get("tool_calls", ())):
        call["index"] = number
    choice = {"index": 0, "delta": message, "finish_reason": reason}
    chunk = {"object": "chat.completion.chunk", "choices": [choice], **facts}
    return "text/event-stream", f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"


class Model(BaseHTTPRequestHandler):
    """POST …/chat/completions."""

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(request)
        kind, body = completion(request)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@contextmanager
def scripted_model():
    """The server, with `url` and the `requests` it got."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.url, server.requests = f"http://127.0.0.1:{server.server_port}/v1", []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
