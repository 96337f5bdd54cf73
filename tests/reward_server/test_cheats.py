"""No canned cheat beats an honest right answer, and each gets its status; a reward that pays for
one is found out.
"""

import json

import pytest

from reward_server.cheats import CHEATS, probe
from reward_server.scoring import PROFILES
from reward_server.snapshot import Snapshot
from reward_server.wire import Weights
from tests.test_cli import rerec


@pytest.fixture(scope="module")
def snap(film_store):
    return Snapshot.load(film_store)


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("k", [1, 10])
def test_no_cheat_pays_under_any_profile(snap, profile, k):
    weights = PROFILES[profile]
    found = {
        p.name: p
        for p in probe(
            snap,
            Weights(k, weights.qas, weights.pas, weights.penalty, weights.qas_over, weights.right),
        )
    }
    assert set(found) == {"honest", *CHEATS} and not any(p.beats for p in found.values())
    count = sum(found["honest"].statuses.values())
    assert count == 160 and found["honest"].statuses == {"ok": count}
    for name in ("close the answer twice", "two answers", "answer inside the reasoning"):
        assert found[name].statuses == {"malformed": count} and found[name].mean == 0
    assert found["name gold, answer another"].mean < found["honest"].mean / 2


@pytest.mark.journey
def test_the_command_reports_every_cheat(film_store):
    done = rerec("score", "--audit", "--store", film_store, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert (
        done.returncode == 0
        and len(rows) == len(CHEATS) + 1
        and not any(row["beats_honest"] for row in rows)
    )


def test_a_reward_that_pays_a_cheat_fails_the_audit(film_store, monkeypatch):
    """With a parser that takes the last answer of several, saying both titles would pay as much as
    knowing: the probe must see it.
    """
    from data_engine.responses import reading as responses
    from reward_server import snapshot

    def lenient(text):
        first, _, rest = text.rpartition("<answer>")
        reading = responses.read("<answer>" + rest.partition("</answer>")[0] + "</answer>")
        return responses.Reading([], reading.titles, reading.status)

    monkeypatch.setattr(snapshot, "read", lenient)
    scores = {p.name: p for p in probe(Snapshot.load(film_store), PROFILES["rerec"])}
    assert scores["two answers"].mean == pytest.approx(scores["honest"].mean)


@pytest.mark.journey
def test_two_profiles_are_compared_on_stored_responses(film_store, tmp_path):
    snap = Snapshot.load(film_store)
    titles, lines = dict(snap.graph.titles()), []
    for example, target in list(snap.targets.items())[:10]:
        for item in [*sorted(target.gold), *sorted(target.near - target.gold)[:3]]:
            lines.append(
                json.dumps({"example_id": example, "response": f"<answer>{titles[item]}</answer>"})
            )
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    facts = json.loads(
        rerec(
            "score", tmp_path / "r.jsonl", "--store", film_store, "--compare", "ndcg", "--json"
        ).stdout
    )
    assert (
        facts["responses"] == 40 and facts["ndcg"]["mean"] == 0.25 and facts["rerec"]["mean"] > 0.3
    )
    assert (
        0 < facts["pairs_ordered_otherwise"] <= 0.5
    )  # ndcg ties the wrong ones, QAS and PAS do not
