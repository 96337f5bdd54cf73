"""Rewards of segments and claims land on the tokens that hold them, with SmolLM2's tokenizer."""

import pytest

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from reward_server.snapshot import Snapshot
from tests.train.span_checks import check_responses, smollm2_tokenizer

RESPONSES = 60  # of the 2,000 that `just bench spans` takes


@pytest.fixture(scope="module")
def films(film_store):
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples()
    return examples, Evidence.load(film_store), Snapshot.load(film_store)


@pytest.mark.journey
def test_rewards_lie_on_the_tokens_of_their_segments_and_claims(films):
    found = check_responses(*films, smollm2_tokenizer(), count=RESPONSES, seed=0)
    assert found["tokens"] > 100 * RESPONSES and found["cut_in_a_character"] > 0
    assert found["segments"] > 5 * RESPONSES and found["claims"] > 5 * RESPONSES
    assert found["penalised_tokens"] > RESPONSES
