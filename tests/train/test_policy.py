"""Prompts, the tiny policy's tokenizer, its generation and its training, on invented films."""

import math
import random

import pytest
import torch
from safetensors.torch import load_file

from data_engine.graphs.evidence import Evidence
from data_engine.store.database import Store
from train.errors import TrainError
from train.evaluation.retention import gold_surprise
from train.evaluation.sampling import SamplingRequest, generate
from train.sft.config import SFTConfig
from train.sft.encoding import encode
from train.sft.lessons import lessons
from train.sft.loss import Sample, response_loss
from train.sft.names import NameShuffler
from train.sft.run import run_sft
from train.sft.tiny import TinyConfig, build_model, save
from train.sft.tokenizer import build_tokenizer
from train.sft.trainer import Trainer
from train.tasks.prompts import closed_book, open_book, open_catalogue, response


@pytest.fixture(scope="module")
def films(film_store):
    evidence = Evidence.load(film_store)
    with Store.open(film_store, read_only=True) as store:
        examples = store.examples()
    texts = [
        t
        for e in examples
        for t in (open_book(e, evidence), *(response(c, evidence) for c in e.chains))
    ]
    tokenizer, entities = build_tokenizer(evidence, texts)
    return evidence, examples, tokenizer, entities


def test_an_open_book_shows_every_fact_the_gold_chain_needs(films):
    evidence, examples, _, _ = films
    for e in examples:
        text = open_book(e, evidence)
        assert all(f" {evidence.attributes.titles[i]} " in text for i in e.candidates)
        assert all(c.name in text for c in e.conditions)
        assert (e.anchors == ()) == ("Facts:" not in text)


def test_a_closed_book_shows_titles_but_no_facts(films):
    evidence, examples, _, _ = films
    e = next(e for e in examples if e.kind == "implicit")
    text = closed_book(e, evidence)
    assert e.conditions[0].name not in text and all(
        evidence.attributes.titles[i] in text for i in e.candidates
    )


def test_of_an_open_catalogue_nothing_is_shown_but_the_query(films):
    evidence, examples, _, _ = films
    for e in examples:
        text = open_catalogue(e, evidence)
        assert text.startswith(e.query) and "<answer>" in text
        assert all(
            title not in text.removeprefix(e.query) for title in evidence.attributes.titles.values()
        )


def test_the_names_of_another_catalogue_are_tokens_and_are_swapped_in(films, hand_store):
    evidence, examples, tokenizer, entities = films
    other = Evidence.load(hand_store)
    texts = [open_book(e, evidence) for e in examples]
    wider, groups = build_tokenizer(evidence, texts, other)
    assert [
        len(wider(f" {name}")["input_ids"]) for name in ("Film A (1981)", "Ann Arden", "Comedy")
    ] == [1, 1, 1]
    assert len(groups["items"]) == len(entities["items"]) + 12
    sample = encode(lessons(examples[:1], evidence), wider)[0]
    shuffle, strange = (
        NameShuffler(groups, random.Random(0)),
        wider.convert_tokens_to_ids(" Film A (1981)"),
    )
    assert any(strange in shuffle(sample.prompt, sample.gold)[0] for _ in range(400))


def test_a_policy_is_taught_on_from_its_own_weights_and_with_its_own_tokens(
    films, film_store, hand_store, tmp_path
):
    evidence, examples, tokenizer, entities = films
    start, config = tmp_path / "start", SFTConfig(gold_steps=1, mixed_steps=0, batch=2)
    save(start, build_model(tokenizer, TinyConfig(dims=32, seed=5)), tokenizer, entities)
    taught = lessons(examples, evidence)
    run_sft(
        tmp_path / "on",
        evidence,
        taught,
        [],
        config,
        start=start,
        resume=False,
        progress=lambda *_: None,
    )
    before, after = (
        load_file(folder / "model.safetensors") for folder in (start, tmp_path / "on/model")
    )
    moved = {name: (after[name] - before[name]).abs().max().item() for name in before}
    assert 0 < max(moved.values()) < 0.01  # one step of warm-up, from weights that spread over .02
    assert (tmp_path / "on/model/entities.json").read_text() == (
        start / "entities.json"
    ).read_text()
    assert not (tmp_path / "on/untrained").exists()
    with pytest.raises(TrainError, match="Film A"):
        run_sft(
            tmp_path / "x",
            Evidence.load(hand_store),
            taught,
            [],
            config,
            start=start,
            resume=False,
            progress=lambda *_: None,
        )
    with pytest.raises(TrainError, match="no tiny policy"):
        run_sft(
            tmp_path / "x",
            evidence,
            taught,
            [],
            config,
            start=tmp_path,
            resume=False,
            progress=lambda *_: None,
        )
    assert not (tmp_path / "x").exists()


def test_every_word_of_the_texts_has_a_token_and_a_word_of_a_name_alone_has_none(films):
    evidence, _, _, _ = films
    title = f" {evidence.attributes.titles[min(evidence.cards.rows)]}"
    texts = [f"first{title} second\n\nlast", f"{title}\n"]
    tokenizer, _ = build_tokenizer(evidence, texts)
    spelled = 256  # the tokens of single bytes come first
    assert min(i for text in texts for i in tokenizer(text)["input_ids"]) >= spelled
    assert {"first", " second", "last"} <= set(tokenizer.get_vocab())
    assert min(tokenizer(" third")["input_ids"]) < spelled
    assert title.split()[0] not in tokenizer.get_vocab()


def test_prompts_and_chains_round_trip_with_one_token_an_entity(films):
    evidence, examples, tokenizer, entities = films
    assert len(set().union(*entities.values())) == len(set(evidence.cards.rows)) + len(
        {v for _, v in evidence.cards.holders}
    )
    for e in examples:
        for text in (open_book(e, evidence), response(e.chains[0], evidence)):
            ids = tokenizer(text)["input_ids"]
            assert tokenizer.decode(ids) == text
            assert len(ids) < len(text) / 4
        title = tokenizer(f" {evidence.attributes.titles[e.gold[0]]}")["input_ids"]
        assert len(title) == 1 and title[0] in entities["items"]


def test_name_shuffling_renames_consistently_and_only_entities(films):
    evidence, examples, tokenizer, entities = films
    sample = encode(lessons(examples[:1], evidence), tokenizer)[0]
    prompt, answer = NameShuffler(entities, random.Random(0))(sample.prompt, sample.gold)
    names = {i for ids in entities.values() for i in ids}
    swap = dict(zip(sample.prompt + sample.gold, prompt + answer, strict=True))
    assert [swap[i] for i in sample.prompt + sample.gold] == prompt + answer
    assert len(set(swap.values())) == len(swap)
    assert all(new == old for old, new in swap.items() if old not in names)
    assert (
        all(swap[i] in entities["items"] for i in swap if i in entities["items"])
        and prompt != sample.prompt
    )


def test_generation_does_not_depend_on_the_batch_and_its_log_probs_are_the_models(films):
    evidence, examples, tokenizer, _ = films
    model = build_model(tokenizer, TinyConfig(dims=32, layers=1)).eval()
    prompts = [tuple(s.prompt) for s in encode(lessons(examples[:3], evidence), tokenizer)]
    asks = [
        SamplingRequest(p, t, most, seed)
        for seed, (p, t, most) in enumerate(
            [
                (prompts[0], 1.0, 9),
                (prompts[1], 0.0, 12),
                (prompts[0], 1.0, 12),
                (prompts[2], 0.7, 5),
            ]
        )
    ]
    together = generate(model, asks, tokenizer.eos_token_id, tokenizer.pad_token_id)
    alone = [generate(model, [a], tokenizer.eos_token_id, tokenizer.pad_token_id)[0] for a in asks]
    assert [ids for ids, _ in together] == [ids for ids, _ in alone]
    assert together[0][0] != together[2][0][:9]  # another seed, another text
    for ask, (ids, logprobs) in zip(asks, together, strict=True):
        logits = model(torch.tensor([list(ask.prompt) + ids])).logits[0, len(ask.prompt) - 1 : -1]
        expected = (
            (logits / (ask.temperature or 1.0))
            .log_softmax(-1)
            .gather(1, torch.tensor(ids)[:, None])[:, 0]
        )
        assert torch.allclose(torch.tensor(logprobs), expected, atol=1e-4)
        assert len(ids) == ask.max_tokens or ids[-1] == tokenizer.eos_token_id


def test_sampling_follows_the_models_distribution(films):
    _, _, tokenizer, _ = films
    model = build_model(tokenizer, TinyConfig(dims=16, layers=1)).eval()
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(40)  # a peaked distribution
        expected = model(torch.tensor([[5, 6, 7]])).logits[0, -1].softmax(-1)
    drawn = [
        ids[0]
        for ids, _ in generate(
            model, [SamplingRequest((5, 6, 7), 1.0, 1, k) for k in range(4000)], -1, 0
        )
    ]
    counts = torch.bincount(torch.tensor(drawn), minlength=len(expected)) / 4000
    assert (counts - expected).abs().max() < 0.04


HOT, MASS = 1.5, 0.5  # at this temperature eight tokens of a peaked distribution have that mass


def test_top_p_draws_from_the_fewest_tokens_that_have_the_mass(films):
    _, _, tokenizer, _ = films
    model = build_model(tokenizer, TinyConfig(dims=16, layers=1)).eval()
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(40)
        logits = model(torch.tensor([[5, 6, 7]])).logits[0, -1]
    expected = (logits / HOT).softmax(-1)
    nucleus, mass = set(), 0.0
    for token in sorted(range(len(expected)), key=lambda t: -float(expected[t])):
        nucleus.add(token)
        mass += float(expected[token])
        if mass >= MASS:
            break
    asks = [SamplingRequest((5, 6, 7), HOT, 1, k, top_p=MASS) for k in range(2000)]
    found = generate(model, [*asks, SamplingRequest((5, 6, 7), 0.0, 1, 0)], -1, 0)
    drawn = [ids[0] for ids, _ in found]
    assert len(nucleus) == 8 and set(drawn) == nucleus
    counts = torch.bincount(torch.tensor(drawn[:-1]), minlength=len(expected)) / 2000
    for token in nucleus:
        assert float(counts[token]) == pytest.approx(float(expected[token]) / mass, abs=0.05)
    assert found[0][1][0] == pytest.approx(float(expected[drawn[0]].log()), abs=1e-4)
    greedy = SamplingRequest((5, 6, 7), HOT, 1, 0, top_p=1e-6)
    assert generate(model, [greedy], -1, 0)[0][0] == [int(logits.argmax())] == [drawn[-1]]


@pytest.mark.journey
def test_training_lowers_the_loss_and_a_resume_is_exact(films):
    evidence, examples, tokenizer, entities = films
    samples, config = (
        encode(lessons(examples[:40], evidence), tokenizer),
        SFTConfig(gold_steps=70, mixed_steps=10, batch=8, seed=1),
    )

    def fresh():
        return Trainer(
            build_model(tokenizer, TinyConfig(dims=32, layers=1)), samples, entities, config
        )

    unbroken = fresh()
    losses = [unbroken.step() for _ in range(80)]
    assert losses[-1] < losses[0] - 1 and unbroken.finished
    first, second = fresh(), fresh()
    for _ in range(37):
        first.step()
    second.restore(first.state())
    while not second.finished:
        second.step()
    for ours, theirs in zip(second.model.parameters(), unbroken.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_loss_is_the_mean_over_what_is_said(films):
    evidence, examples, tokenizer, _ = films
    model = build_model(tokenizer, TinyConfig(dims=16, layers=1))
    batch = [
        Sample(s.prompt, s.gold, own)
        for s, own in zip(
            encode(lessons(examples[:3], evidence), tokenizer), ([], [4, 9], []), strict=True
        )
    ]
    total, count = 0.0, 0
    for prompt, answer, own in batch:
        logp = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
        total -= sum(logp[len(prompt) - 1 + k, token].item() for k, token in enumerate(answer))
        total -= sum(logp[place - 1, prompt[place]].item() for place in own)
        count += len(answer) + len(own)
    assert response_loss(model, batch).item() == pytest.approx(total / count, rel=1e-4)


def test_a_decision_weighs_more_in_the_loss(films):
    evidence, examples, tokenizer, entities = films
    model, (sample, *_) = (
        build_model(tokenizer, TinyConfig(dims=16, layers=1)),
        encode(lessons(examples[:1], evidence), tokenizer),
    )
    yes, no = tokenizer.convert_tokens_to_ids([" yes", " no"])
    trainer = Trainer(model, [sample], entities, SFTConfig(decisive=5.0), [yes, no])
    logp = model(torch.tensor([sample.prompt + sample.gold])).logits[0].log_softmax(-1)
    weights = [5.0 if token in (yes, no) else 1.0 for token in sample.gold]
    total = -sum(
        w * logp[len(sample.prompt) - 1 + k, token].item()
        for k, (w, token) in enumerate(zip(weights, sample.gold, strict=True))
    )
    assert 5.0 in weights and 1.0 in weights
    assert response_loss(
        model, [Sample(sample.prompt, sample.gold, [])], trainer.weights
    ).item() == pytest.approx(total / sum(weights), rel=1e-4)


def test_matrices_go_to_muon_and_everything_is_trained_once(films):
    _, _, tokenizer, entities = films
    model = build_model(tokenizer, TinyConfig(dims=16, layers=1))
    muon, adam = Trainer(model, [], entities, SFTConfig()).optimisers
    names = {id(p): name for name, p in model.named_parameters()}
    by_muon, by_adam = (
        [names[id(p)] for group in o.param_groups for p in group["params"]] for o in (muon, adam)
    )
    assert sorted(by_muon + by_adam) == sorted(names.values())
    assert (
        all("proj.weight" in name for name in by_muon)
        and len(by_muon) == 7
        and "model.embed_tokens.weight" in by_adam
    )


def test_a_policy_without_knowledge_is_surprised_by_log_vocabulary_and_padding_changes_nothing(
    films, tmp_path
):
    evidence, examples, tokenizer, entities = films
    torch.manual_seed(0)
    model, taught = build_model(tokenizer, TinyConfig()), lessons(examples[:5], evidence)
    save(tmp_path / "some", model, tokenizer, entities)
    lengths = [len(sample.gold) for sample in encode(taught, tokenizer)]
    alone = [gold_surprise(tmp_path / "some", [lesson]) for lesson in taught]
    together = sum(s * n for s, n in zip(alone, lengths, strict=True)) / sum(lengths)
    assert gold_surprise(tmp_path / "some", taught) == pytest.approx(together, rel=1e-4)
    with torch.no_grad():
        model.get_output_embeddings().weight.zero_()
    save(tmp_path / "none", model, tokenizer, entities)
    assert gold_surprise(tmp_path / "none", taught) == pytest.approx(
        math.log(model.config.vocab_size), rel=1e-5
    )
