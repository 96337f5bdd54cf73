"""Checks that tokens have the rewards of the segments and claims whose characters they hold."""

import asyncio
from collections import Counter
from random import Random

import pytest

from reward_server.scoring import PROFILES
from reward_server.wire import Response, Score
from tests.train.span_fuzz import (
    UNFINISHED,
    holders,
    mutated,
    prefix_spans,
    sampled_ids,
    told_chains,
    whole_characters,
)
from train.algorithms import ALGORITHMS
from train.algorithms.claims import judged_claims
from train.algorithms.spans import decoder, token_spans
from train.verl_plugin.reward import reward

WEIGHTS = PROFILES["rerec"]


def smollm2_tokenizer():
    """As `make_smollm2` makes it; the weights are not read."""
    from transformers import AutoTokenizer

    from agents.llm.smollm2 import source_file

    source = source_file()
    made = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    made.clean_up_tokenization_spaces = False
    made.eos_token = "<|im_end|>"
    return made


class InProcess:
    """The reward server's scorer behind the interface of its client."""

    def __init__(self, snapshot):
        self.snapshot = snapshot

    async def score(self, response):
        return self.snapshot.score([response], WEIGHTS)[0]


def check_responses(examples, evidence, snapshot, tokenizer, *, count, seed):
    """Check so many responses; returns how many of what there were."""
    rng, decode = Random(seed), decoder(tokenizer)
    chains = told_chains(examples, evidence)
    titles = sorted(evidence.attributes.titles.values())
    found: Counter[str] = Counter()
    for _ in range(count):
        example, text = rng.choice(chains)
        ids = sampled_ids(mutated(text, rng, titles), tokenizer, rng)
        if ids:
            found += check(example, ids, tokenizer, decode, snapshot)
    return found


def check(example, ids, tokenizer, decode, snapshot):
    """Check one response; returns how many of what it has."""
    text, spans = token_spans(ids, decode)
    said, expected = prefix_spans(ids, tokenizer)
    assert text == said
    whole = whole_characters(text)
    for own, other in zip(spans, expected, strict=True):
        assert own == other or max(own[1], other[1]) > whole
    (score,) = snapshot.score([Response(example.example_id, text)], WEIGHTS)
    by_token, shared = segment_rewards(score, spans)
    raae = ALGORITHMS["raae"]
    assert raae.response_rewards(score, spans) == by_token
    given = reward(InProcess(snapshot), example.example_id, ids, decode, raae)
    figures, rewards = asyncio.run(given)
    assert rewards == [*by_token[:-1], score.score] and figures["unscored"] == 0
    return Counter(
        responses=1,
        tokens=len(ids),
        segments=len(score.segments),
        claims=check_claims(score, spans),
        shared_tokens=shared,
        penalised_tokens=sum(value < 0 for value in by_token),
        cut_in_a_character=text.endswith(UNFINISHED),
    )


def segment_rewards(score: Score, spans):
    """(per token what its segment earns beside the response, how many tokens lie in two).

    A token in two segments earns what the worse one does.
    """
    earned = [[0.0] for _ in spans]
    for segment in score.segments:
        for k in holders(spans, segment.start, segment.end):
            earned[k].append(segment.reward - score.score)
    return [min(values) for values in earned], sum(len(values) > 2 for values in earned)


def check_claims(score: Score, spans):
    """Judged claims lie on the tokens that lead to them, and rewards on these; returns how many."""
    places = []
    for segment in score.segments:
        lead = segment.start
        for claim in segment.claims:
            places.append(holders(spans, min(lead, claim.start), claim.end))
            lead = claim.end
    judged, in_order = judged_claims(score, spans), iter(places)
    assert all(claim.tokens in in_order for claim in judged)
    opposite = [claim._replace(bad=1 - claim.bad) for claim in judged]
    one, other = ALGORITHMS["raae_graph"].group_rewards([judged, opposite], weight=2.0)
    by_hand = Counter()
    for claim in judged:
        by_hand.update({k: 2.0 * (0.5 - claim.bad) for k in claim.tokens})
    assert one == pytest.approx(dict(by_hand))
    assert sum(one.values()) == pytest.approx(-sum(other.values()))
    return len(judged)
