"""The OpenAI chat API, as it goes over the wire."""

import json

import pytest

from agents.assistant.server.side_prompts import side_answer

BERG = {"role": "user", "content": "a comedy directed by Bo Berg"}
TASK = """### Task:
{task}
### Guidelines:
- Write it in the chat's primary language.
### Output:
JSON format: {{ "{key}": {example} }}
### Chat History:
<chat_history>
USER: a comedy directed by Bo Berg, please, for tonight
ASSISTANT: Two films fit. "title" "tags"
</chat_history>"""


def complete(client, *messages, **more):
    body = {"model": "rerec", "messages": list(messages), **more}
    return client.post("/v1/chat/completions", json=body)


def test_an_answer_at_once(client):
    found = complete(client, {"role": "system", "content": "Be a pirate."}, BERG).json()
    (choice,) = found["choices"]
    assert found["object"] == "chat.completion" and choice["finish_reason"] == "stop"
    assert "Film F (1986)" in choice["message"]["content"]
    usage = found["usage"]
    assert usage["prompt_tokens"] == 6
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_a_stream_ends_with_usage_and_is_the_same_text(client):
    whole = complete(client, BERG).json()["choices"][0]["message"]["content"]
    options = {"stream": True, "stream_options": {"include_usage": True}}
    with client.stream("POST", "/v1/chat/completions", json={"messages": [BERG], **options}) as got:
        assert got.headers["content-type"].startswith("text/event-stream")
        events = [line.removeprefix("data: ") for line in got.iter_lines() if line]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    last = chunks.pop()
    assert last["choices"] == [] and last["usage"]["completion_tokens"] > 0
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content", "") for delta in deltas) == whole
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert len({chunk["id"] for chunk in (*chunks, last)}) == 1


def test_the_whole_dialogue_is_read(client):
    first = complete(client, BERG).json()["choices"][0]["message"]
    then = {"role": "user", "content": [{"type": "text", "text": "starring Sue Stone"}]}
    said = complete(client, BERG, first, then).json()["choices"][0]["message"]["content"]
    assert "Film F (1986)" in said and "Sue Stone" in said


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"model": "gpt-9"}, "model_not_found", "model"),
        ({"messages": []}, None, "messages"),
        ({"messages": [BERG] * 10_000}, "context_length_exceeded", "messages"),
        ({"messages": [{**BERG, "content": "x" * 5000}]}, "context_length_exceeded", "messages"),
        ({"messages": [{**BERG, "role": "assistant"}]}, None, "messages"),
        ({"messages": [{**BERG, "content": [{"type": "image_url"}]}]}, None, "messages"),
        ({"n": 2}, None, "n"),
        ({"response_format": {"type": "json_object"}}, None, "response_format"),
    ],
)
def test_what_cannot_be_had_is_said_as_openai_says_it(client, change, code, param):
    found = client.post("/v1/chat/completions", json={"messages": [BERG], **change})
    error = found.json()["error"]
    assert found.status_code == (404 if code == "model_not_found" else 400)
    assert (error["code"], error["param"]) == (code, param) and error["message"]


def test_the_model_is_listed(client):
    (model,) = client.get("/v1/models").json()["data"]
    assert client.get(f"/v1/models/{model['id']}").json() == model
    assert client.get("/v1/models/other").status_code == 404


@pytest.mark.parametrize(
    ("key", "example", "expected"),
    [
        ("title", '"A title"', "a comedy directed by Bo Berg,"),
        ("tags", '["tag1"]', ["Recommendations"]),
        ("follow_ups", '["Question 1?"]', ["Why?", "More, please"]),
        ("queries", '["query1"]', []),
    ],
)
def test_side_prompts_get_a_harmless_answer(client, key, example, expected):
    prompt = TASK.format(task="Generate something", key=key, example=example)
    found = complete(client, {"role": "user", "content": prompt}).json()
    assert json.loads(found["choices"][0]["message"]["content"]) == {key: expected}


@pytest.mark.parametrize("text", ["### Task: find a comedy", "a film called Output", ""])
def test_what_a_person_says_is_no_side_prompt(text):
    assert side_answer(text) is None


def test_half_of_a_surrogate_pair_is_read_as_a_mark(client):
    body = '{"messages": [{"role": "user", "content": "a comedy \\ud83d"}]}'
    answer = client.post(
        "/v1/chat/completions", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200 and "comedy" in answer.text
