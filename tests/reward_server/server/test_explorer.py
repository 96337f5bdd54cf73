"""The explorer page: what it gets, that it runs nothing but itself, and how a browser shows it."""

import re
import shutil
import subprocess
import warnings

import httpx
import pytest

from data_engine.store.database import Store
from reward_server.local import local_server

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def server(film_store):
    with local_server(film_store, options=["--explore"]) as url:
        yield url


def test_examples_are_listed_searched_and_described(server, film_store):
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples()
    rows = httpx.get(f"{server}/v1/examples", params={"limit": 500}).json()
    assert [row["example_id"] for row in rows] == [e.example_id for e in examples]
    some = httpx.get(
        f"{server}/v1/examples", params={"kind": "implicit", "search": "SAME DIRECTOR"}
    ).json()
    assert some and all(
        row["kind"] == "implicit" and "same director" in row["query"] for row in some
    )
    e = next(e for e in examples if e.kind == "implicit")
    shown = httpx.get(f"{server}/v1/examples/{e.example_id}").json()
    assert shown["query"] == e.query and {
        i["id"] for i in shown["items"] if i["role"] == "gold"
    } == set(e.gold)
    assert {i["id"] for i in shown["items"] if i["role"] == "named"} == set(e.anchors)
    (asked,) = [a for a in shown["attributes"] if a["asked"]]
    assert asked["name"] == e.conditions[0].name
    holders = {item for item, code in shown["edges"] if code == asked["id"]}
    assert holders == {*e.gold, *e.anchors}  # the negatives are proven to miss it
    assert httpx.get(f"{server}/v1/examples/nope").status_code == 404
    refused = httpx.get(f"{server}/v1/examples", params={"limit": 10_000})
    assert (refused.status_code, refused.json()["detail"][:6]) == (422, "limit:")


def test_the_page_may_run_only_its_own_script(server):
    page = httpx.get(server)
    rules = page.headers["content-security-policy"]
    assert (
        "default-src 'none'" in rules
        and "unsafe-inline" not in rules
        and rules.count("sha256-") == 2
    )
    assert (
        not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.text)
        and "innerHTML" not in page.text
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_reader_sees_query_graph_and_judged_segments(server, film_store, tmp_path, scheme):
    browser = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if browser is None:
        warnings.warn(
            "SKIPPED: no Chromium on this machine, the explorer page was not opened in a browser",
            stacklevel=1,
        )
        pytest.skip("no Chromium here")
    words = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path}",
        "--virtual-time-budget=5000",
        "--window-size=1200,1300",
    ]
    words += ["--blink-settings=preferredColorScheme=0"] if scheme == "dark" else []
    shot = tmp_path / "page.png"
    page = subprocess.run(
        [*words, "--dump-dom", server], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    subprocess.run(
        [*words, f"--screenshot={shot}", server], capture_output=True, check=True, timeout=120
    )
    with Store.open(film_store, read_only=True) as store:
        first = store.examples(limit=1)[0]
    assert first.query in page and "★" in page and page.count("<line") > 3
    assert (
        re.search(r"score</th><td>1\.[0-9]{3}", page)
        and page.count('class="segment ok"') >= 2
        and "supported" in page
    )
    assert page.count('class="segment ') == len(first.chains[0].steps) + 1
    assert '<p id="problem" role="alert"></p>' in page
    from matplotlib.image import imread

    corner = imread(shot)[-5, -40][:3].mean()
    assert corner > 0.8 if scheme == "light" else corner < 0.3
