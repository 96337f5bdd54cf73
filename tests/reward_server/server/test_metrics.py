"""What a scrape reads, by hand."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from reward_server.server.metrics import Metrics
from reward_server.wire import Score, Segment


def scraped(metrics):
    text = generate_latest(metrics.registry).decode()
    return {
        (s.name, *s.labels.values()): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_requests_scores_and_stages_are_summed():
    metrics = Metrics()
    assert (
        scraped(metrics)["rerec_scored_responses_total", "ok"] == 0
    )  # a series is there before its first count
    metrics.record_request(200, 0.003)
    metrics.record_request(200, 0.005)
    metrics.record_request(422, 20.0)
    right = Score(
        "a",
        "ok",
        1.5,
        1.0,
        None,
        0.5,
        ["i1"],
        0,
        0,
        [Segment(0, 3, [], "ok", 1.5, []), Segment(4, 9, [], "unknown", 1.5, [])],
    )
    wrong = Score("b", "no_answer", 0.0, 0.0, 0.25, None, [], 0, 0, [])
    metrics.record_scores([right, wrong])
    metrics.record_stages(0.1, 0.2, 0.3)
    metrics.record_scores([right])
    metrics.record_stages(0.1, 0.0, 0.0)
    found = scraped(metrics)
    assert (
        found["rerec_score_requests_total", "200"] == 2
        and found["rerec_score_requests_total", "422"] == 1
    )
    assert (
        found["rerec_score_seconds_bucket", "0.0025"] == 0
        and found["rerec_score_seconds_bucket", "0.005"] == 2
    )  # a bound belongs to its bucket
    assert (
        found["rerec_score_seconds_bucket", "10.0"] == 2
        and found["rerec_score_seconds_bucket", "+Inf"] == 3
    )
    assert (
        found["rerec_score_seconds_count",] == 3
        and abs(found["rerec_score_seconds_sum",] - 20.008) < 1e-9
    )
    assert (
        found["rerec_scored_responses_total", "ok"] == 2
        and found["rerec_scored_responses_total", "no_answer"] == 1
    )
    assert (
        found["rerec_segments_total", "ok"] == 2 and found["rerec_segments_total", "unknown"] == 2
    )
    assert found["rerec_part_count", "qas"] == 1 and found["rerec_part_sum", "qas"] == 0.25
    assert found["rerec_part_count", "pas"] == 2 and found["rerec_part_sum", "score"] == 3.0
    assert (
        found["rerec_stage_seconds_count", "encode"] == 2
        and abs(found["rerec_stage_seconds_sum", "receive"] - 0.2) < 1e-9
    )
