"""`rerec assistant` as a process: by the official client, by curl and by a browser."""

import asyncio
import json
import subprocess
import warnings
from contextlib import suppress
from dataclasses import replace
from threading import Timer

import httpx
import openai
import pytest

from data_engine.http.child import served
from data_engine.store.database import Store
from data_engine.store.feedback import Feedback
from tests.agents.assistant.policies import policy_endpoint
from tests.agents.assistant.server.browser import browsing, chromium
from tests.conftest import hand_catalogue
from tests.reward_server.server.support import process_at
from tests.test_cli import ROOT, rerec
from tests.test_docs import fences

pytestmark = pytest.mark.journey
CHAT_PAGE = ROOT / "docs/how-to/use-from-a-chat-page.md"
ASK = "a comedy directed by Bo Berg"
ATTACK = "<img src=x onerror=alert`1`>"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The hand-made films, one with a title and one with a director that try to be markup."""
    catalogue = hand_catalogue()
    items = [(i, f"{ATTACK} (1986)" if i == "i6" else title) for i, title in catalogue.items]
    names = [(a, f"Bo {ATTACK}" if a == "d3" else name) for a, name in catalogue.attributes]
    path = tmp_path_factory.mktemp("served") / "films.duckdb"
    with Store.open(path, create=True) as opened:
        opened.replace_catalogue(replace(catalogue, items=items, attributes=names))
    return path


@pytest.fixture(scope="module")
def url(store):
    with served("assistant", "--store", store) as url:
        yield url


def test_the_official_client_and_curl_have_the_same_answer(url):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
        (model,) = client.models.list()
        messages = [{"role": "user", "content": ASK}]
        whole = client.chat.completions.create(model=model.id, messages=messages)
        text = whole.choices[0].message.content
        assert "Film H (1988)" in text and whole.usage.total_tokens > 10
        options = {"include_usage": True}
        chunks = list(
            client.chat.completions.create(
                model=model.id, messages=messages, stream=True, stream_options=options
            )
        )
        deltas = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(deltas) == text and chunks[-1].usage == whole.usage
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            client.chat.completions.create(model="other", messages=messages)
        with pytest.raises(openai.BadRequestError, match="at most 4000"):
            long = [{"role": "user", "content": "x" * 900_000}]
            client.chat.completions.create(model=model.id, messages=long)
    body = json.dumps({"model": model.id, "messages": messages})
    words = ["curl", "-sS", f"{url}/v1/chat/completions", "-H", "content-type: application/json"]
    curl = subprocess.run([*words, "-d", body], capture_output=True, check=True)
    assert json.loads(curl.stdout)["choices"][0]["message"]["content"] == text


def test_a_server_that_others_could_reach_does_not_start(store):
    done = rerec("assistant", "--store", store, "--host", "0.0.0.0")
    assert done.returncode and "--tokens FILE" in done.stderr and "Traceback" not in done.stderr


def test_models_that_may_take_all_the_seconds_are_refused_before_anything_starts(store):
    words = ["--policy", "http://127.0.0.1:1/v1", "--policy-model", "m", "--policy-seconds", 30]
    done = rerec("assistant", "--store", store, *words, "--understand", "m", "--seconds", 40)
    assert done.returncode and "models may take 40 s" in done.stderr
    assert done.stderr.count("\n") == 1 and "--seconds is 40" in done.stderr


def test_workers_share_conversations_which_outlast_the_server(store):
    place = f"/v1/conversations/{'d' * 32}"
    for turns in (1, 2):
        with served("assistant", "--store", store, "--workers", "2") as url:
            for _ in range(4):  # any worker knows it
                said = httpx.post(f"{url}{place}", json={"text": ASK}).json()
                found = httpx.get(f"{url}{place}").json()["turns"]
                assert found[-1] == said
            assert len(found) == 4 * turns


def test_no_feedback_that_was_acknowledged_is_lost_when_the_server_is_killed(store):
    place = f"/v1/conversations/{'e' * 32}/feedback"
    path = store.with_name(f"{store.name}.assistant") / "feedback.sqlite"
    acknowledged = []
    with served("assistant", "--store", store) as url:
        server = process_at(url)
        Timer(2.0, server.kill).start()
        with httpx.Client() as client, suppress(httpx.TransportError):
            while True:
                item, liked = f"i{len(acknowledged) % 12 + 1}", len(acknowledged) % 2 == 0
                said = client.post(f"{url}{place}", json={"item": item, "liked": liked})
                assert said.status_code == 200
                acknowledged.append((item, liked))
    feedback = Feedback(path)
    kept = [(one.item, one.liked) for one in feedback.opinions() if one.thread == "e" * 32]
    assert acknowledged and kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1  # one may have been kept and not been answered
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_how_to_page_runs(url, monkeypatch, capsys):
    monkeypatch.setenv("ASSISTANT_URL", url)
    (code,) = [text for kind, _, text in fences(CHAT_PAGE) if kind == "python"]
    exec(code, {})
    assert "films" in capsys.readouterr().out


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_the_page_by_keyboard_alone(url, tmp_path, width, scheme):
    if chromium() is None:
        warnings.warn("SKIPPED: no Chromium, the page was not opened in a browser", stacklevel=1)
        pytest.skip("no Chromium here")
    asyncio.run(by_keyboard(url, tmp_path, width, scheme))


async def idle(page, said):
    """Wait until so many messages are answered."""
    await page.until(f"document.querySelectorAll('.said').length === {said} && !busy")


async def tab_to(page, name, *, shift=False):
    """Press Tab until what has this name has the focus."""
    for _ in range(60):
        if await page.focus() == name:
            return
        await page.press("Tab", shift=shift)
    raise AssertionError(f"{name} cannot be reached, at {await page.focus()}")


async def texts(page, selector):
    """The texts of such nodes in the last answer and among the chips."""
    places = f".answer:not(.old) {selector}, #chips {selector}"
    found = f"[...document.querySelectorAll('{places}')].map(node => node.textContent)"
    return await page.value(found)


async def by_keyboard(url, folder, width, scheme):
    async with browsing(folder) as page:
        await page.show(width, 900, scheme)
        await page.open(url)
        await idle(page, 0)
        await page.type(ASK)
        await page.press("Enter")
        await idle(page, 1)
        assert sorted(await texts(page, "h3")) == [f"{ATTACK} (1986)", "Film H (1988)"]
        assert len(await texts(page, ".met")) == 4
        await tab_to(page, "Remove: comedy", shift=True)
        await page.press("Enter")
        await page.until("document.querySelectorAll('.chip').length === 1")
        assert await page.focus() == "Remove: directed by Bo Berg"
        await tab_to(page, f"Like: {ATTACK} (1986)", shift=True)
        await page.press(" ")
        await page.until("document.querySelector('.chip.liked')")
        assert f"♥ {ATTACK} (1986)" in await texts(page, ".chip span")
        await tab_to(page, "Your message")
        await page.type("was Film A directed by Bo Berg? in a film starring Sue Stone")
        await page.press("Enter")
        await idle(page, 2)
        assert "Film A was directed by Ann Arden, not Bo Berg." in await texts(page, ".note")
        await page.type(f"{ATTACK} <script>alert(2)</script> with {'x' * 300}")
        await page.press("Enter")
        await idle(page, 3)
        await check_reload(page, url)
        assert await page.value("document.documentElement.scrollWidth") <= width
        paper = await page.value("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, paper[4:-1].split(","))) > 600) == (scheme == "light")
        assert page.errors == []


def test_the_page_shows_the_reasoning_beside_the_graphs_answer(store, tmp_path):
    if chromium() is None:
        warnings.warn("SKIPPED: no Chromium, the page was not opened in a browser", stacklevel=1)
        pytest.skip("no Chromium here")
    with policy_endpoint() as endpoint:
        policy = ("--policy", endpoint.url, "--policy-model", "liar")
        with served("assistant", "--store", store, *policy) as url:
            asyncio.run(with_reasoning(url, tmp_path))


async def with_reasoning(url, folder):
    async with browsing(folder) as page:
        await page.show(390, 900, "dark")
        await page.open(url)
        await idle(page, 0)
        await page.type("a drama directed by Ann Arden")
        await page.press("Enter")
        await idle(page, 1)
        assert await texts(page, "h2") == ["The policy's reasoning", "The graph's own answer"]
        assert "Film A (1981)" in await texts(page, ".cards h3")
        marks = await texts(page, "mark")
        assert "horror" not in marks and "Heat (1995)⚠ (not in the catalogue)" in marks
        assert [line for line in await texts(page, "pre") if ATTACK in line]
        assert await page.value("document.querySelectorAll('main img').length") == 0
        assert await page.value("document.documentElement.scrollWidth") <= 390
        assert page.errors == []


async def check_reload(page, url):
    """The conversation is there again, and nothing in it has become markup."""
    chips = await texts(page, ".chip span")
    await page.open(url)
    await idle(page, 3)
    assert await texts(page, ".chip span") == chips
    assert await page.value("document.querySelectorAll('main img, main script').length") == 0
