"""A matrix of methods and seeds: names read, figures by hand, tables whole."""

import json
import runpy

import pytest
from omegaconf import OmegaConf

from data_engine.errors import ConfigChanged
from tests.structure import ROOT
from train.errors import BadRecipe, TrainError
from train.evaluation.compare import begin, write_comparison
from train.evaluation.comparison import ALL, adjusted, by_seed, compare, in_words, interval, paired
from train.evaluation.matrix import CompareConfig
from train.evaluation.methods import method
from train.rft.compose import RFTConfig, compose
from train.sequential.config import SequentialConfig
from train.sequential.results import summarise


def rows(**kinds):
    return [{"kind": kind, "ndcg": v} for kind, values in kinds.items() for v in values]


CELLS = {
    "tiny-grpo": {
        0: rows(a=[1, 0], b=[0, 0]),
        1: rows(a=[1, 1], b=[0, 0]),
        2: rows(a=[0, 0], b=[1, 1]),
    },
    "tiny-rerec": {
        0: rows(a=[1, 1], b=[0, 0]),
        1: rows(a=[1, 1], b=[1, 0]),
        2: rows(a=[1, 1], b=[1, 1]),
    },
}


def test_means_and_intervals_by_hand():
    assert by_seed(CELLS, "tiny-grpo") == {0: 0.25, 1: 0.5, 2: 0.5} and by_seed(
        CELLS, "tiny-grpo", "a"
    ) == {0: 0.5, 1: 1.0, 2: 0.0}
    found = interval([0.5, 0.7, 0.9])  # sd .2, t(2) 4.3027
    assert (
        found["mean"] == pytest.approx(0.7)
        and found["half"] == pytest.approx(4.30265 * 0.2 / 3**0.5, rel=1e-5)
        and found["n"] == 3
    )
    assert interval([0.4]) == {"mean": 0.4, "half": None, "n": 1}


def test_a_paired_difference_by_hand():
    one, other = by_seed(CELLS, "tiny-rerec"), by_seed(CELLS, "tiny-grpo")  # .25, .25, .5 more
    found = paired(one, other)
    assert found["mean"] == pytest.approx(1 / 3) and found["n"] == 3
    assert found["d"] == pytest.approx((1 / 3) / 0.1443376, rel=1e-5)
    assert found["p"] == pytest.approx(0.0572, abs=1e-4)  # t = 4 with 2 degrees of freedom
    assert found["half"] == pytest.approx(4.30265 * 0.1443376 / 3**0.5, rel=1e-5)


def test_only_seeds_that_both_have_are_paired():
    assert paired({0: 0.5, 1: 0.9}, {0: 0.25, 2: 0.1}) == {
        "mean": 0.25,
        "half": None,
        "n": 1,
        "p": None,
        "d": None,
    }
    assert paired({0: 0.5}, {1: 0.5})["n"] == 0
    assert (
        paired({0: 0.5, 1: 0.7}, {0: 0.25, 1: 0.45})["p"] is None
    )  # the same difference twice: no spread to test against


def test_fault_23_p_values_are_adjusted_for_each_other_by_hand():
    """m = 4: .01·4, .02·3, then .03·2 = .06 and .04·1, which is no less than the one before."""
    assert adjusted([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert adjusted([0.9, 0.6]) == [1.0, 1.0] and adjusted([]) == [] and adjusted([0.03]) == [0.03]
    assert adjusted([None, 0.02, None, 0.01]) == pytest.approx([None, 0.02, None, 0.02])  # of two


def test_fault_23_a_comparison_is_adjusted_over_what_is_shown_together():
    third = {0: rows(a=[1, 1], b=[1, 0]), 1: rows(a=[1, 1], b=[1, 1]), 2: rows(a=[1, 1], b=[1, 0])}
    table = compare(CELLS | {"tiny-dapo": third})
    families = [
        [table[name][kind]["against"] for name in ("tiny-rerec", "tiny-dapo") for kind in kinds]
        for kinds in ([ALL], ["a", "b"])
    ]
    for family in families:
        assert [one["p_holm"] for one in family] == pytest.approx(
            adjusted([one["p"] for one in family])
        )
    (one, other), _ = families
    assert (
        one["p_holm"] == pytest.approx(2 * min(one["p"], other["p"])) and one["p_holm"] > one["p"]
    )
    assert in_words(table["tiny-rerec"][ALL]).endswith(
        f"p {one['p_holm']:.3f}, d {one['d']:.2f} (3 seeds)"
    )
    assert compare(CELLS)["tiny-rerec"][ALL]["against"]["p_holm"] == pytest.approx(
        0.0572, abs=1e-4
    )  # alone: as it is


def test_fault_23_next_items_are_adjusted_over_methods_and_figures(tmp_path):
    made = {
        "popularity": (0.1, 0.2, 0.15),
        "sasrec": (0.2, 0.31, 0.26),
        "gru4rec": (0.11, 0.24, 0.2),
    }
    for name, values in made.items():
        for seed, value in enumerate(values):
            (tmp_path / f"{name}-{seed}.json").write_text(
                json.dumps({"H@10": value, "NDCG@10": value**2})
            )
    table = summarise(tmp_path, SequentialConfig(methods=tuple(made)))
    family = [entry["against"] for name in ("sasrec", "gru4rec") for entry in table[name].values()]
    assert len(family) == 4 and [one["p_holm"] for one in family] == pytest.approx(
        adjusted([one["p"] for one in family])
    )
    assert min(one["p_holm"] for one in family) == pytest.approx(
        4 * min(one["p"] for one in family)
    )


def test_the_table_has_every_kind_and_all():
    table = compare(CELLS)
    assert list(table) == ["tiny-grpo", "tiny-rerec"] and list(table["tiny-grpo"]) == [
        "a",
        "b",
        "all",
    ]
    assert "against" not in table["tiny-grpo"]["all"] and table["tiny-rerec"]["a"]["against"][
        "mean"
    ] == pytest.approx(0.5)
    assert table["tiny-rerec"]["all"]["seeds"] == {"0": 0.5, "1": 0.75, "2": 1.0}


def test_an_ablation_takes_away_just_what_it_names(tmp_path):
    def resolved(name):
        m = method(name)
        config = RFTConfig(
            recipe=m.recipe,
            run=tmp_path,
            model=str(tmp_path),
            server="http://127.0.0.1:1",
            overrides=m.overrides,
        )
        return OmegaConf.to_container(compose(config, "digest"), resolve=True)

    whole = resolved("tiny-rerec")
    for name, change in (
        ("qas", {"weights": whole["rerec"]["weights"] | {"qas": 0}}),
        ("pas", {"weights": whole["rerec"]["weights"] | {"pas": 0}}),
        ("curriculum", {"curriculum": None}),
    ):
        assert resolved(f"tiny-rerec-{name}") == whole | {"rerec": whole["rerec"] | change}
    without = resolved("tiny-rerec-raae")
    assert without["algorithm"]["adv_estimator"] == "grpo" and without["rerec"]["weights"] == whole[
        "rerec"
    ]["weights"] | {"penalty": 0}
    bare = resolved("tiny-rerec-raae-qas-pas-curriculum")
    grpo = resolved("tiny-grpo")
    assert bare | {"rerec": None} == grpo | {"rerec": None} and {
        k: v for k, v in bare["rerec"].items() if k != "judged"
    } == {k: v for k, v in grpo["rerec"].items() if k != "judged"}
    assert method("tiny-rerec-graph").recipe == "tiny-rerec-graph" and method(
        "tiny-rerec-graph-qas"
    ).overrides == ("rerec.weights.qas=0",)


def test_bad_methods_are_named():
    with pytest.raises(BadRecipe, match="no recipe begins 'nothing'"):
        method("nothing")
    with pytest.raises(BadRecipe, match="'speed' can be left out of tiny-rerec"):
        method("tiny-rerec-qas-speed")


def test_a_comparison_is_written_from_the_cells_that_are_there(tmp_path):
    config = CompareConfig(
        store=tmp_path / "s",
        model=tmp_path / "m",
        methods=("tiny-grpo", "tiny-rerec", "tiny-rerec-qas"),
        seeds=(0, 1, 2),
    )
    with pytest.raises(TrainError, match="no cell of .* was finished: out of luck"):
        write_comparison(tmp_path, config, {"tiny-grpo 0": "out of luck"})
    for name, by in CELLS.items():
        for seed, found in by.items():
            cell = tmp_path / name / str(seed)
            (cell / "log/rerec").mkdir(parents=True)
            (cell / "eval.json").write_text(json.dumps({"rows": found}))
            (cell / "config.yaml").write_text(
                "{data: {train_batch_size: 16}, actor_rollout_ref: {rollout: {n: 8}}}"
            )
            (cell / "log/rerec/rft.jsonl").write_text(
                "".join(
                    json.dumps({"step": n, "data": {"rerec/score": 0.5, "rerec/ndcg": 0.5}}) + "\n"
                    for n in (1, 2, 3)
                )
            )
            (cell / "seconds.json").write_text("60")
    summary = write_comparison(tmp_path, config, {"tiny-rerec-qas 0": "train failed <here>"})
    assert json.loads((tmp_path / "comparison.json").read_text())["table"] == summary["table"]
    assert summary["costs"]["tiny-grpo"] == {"rollouts": 3 * 16 * 8, "seconds": 60}
    page = (tmp_path / "comparison.html").read_text()
    assert (
        "Holm" in page
        and "+0.333" in page
        and "train failed &lt;here&gt;" in page
        and "data:image/png" in page
        and "tiny-rerec-qas" in page
    )


def test_a_directory_holds_one_matrix_that_may_grow(tmp_path):
    config = CompareConfig(
        store=tmp_path / "s", model=tmp_path / "m", methods=("tiny-grpo",), seeds=(0,)
    )
    begin(tmp_path, config)
    begin(
        tmp_path,
        config.model_copy(update={"methods": ("tiny-grpo", "tiny-rerec"), "seeds": (0, 1)}),
    )
    with pytest.raises(ConfigChanged, match="split: validation → test"):
        begin(tmp_path, config.model_copy(update={"split": "test"}))


def test_the_unit_over_starts_is_the_start(tmp_path):
    """Gains of .1 and .3 on movies and .5 on books: t at .975 is 12.706 for two starts, 4.303
    for three.
    """
    for name, gain in (("movies-0", 0.1), ("movies-1", 0.3), ("books-0", 0.5)):
        (tmp_path / name).mkdir()
        table = {"grpo": {"all": {}}, "other": {"all": {"against": {"mean": gain}}}}
        (tmp_path / name / "comparison.json").write_text(json.dumps({"table": table}))
    script = runpy.run_path(str(ROOT / "experiments/starts.py"))
    assert list(script["rows"](sorted(tmp_path.iterdir()))) == [
        ("other", "books", {"all": "+0.500 (1)"}),
        ("other", "movies", {"all": "+0.200 ±1.271 (2)"}),
        ("other", "all", {"all": "+0.300 ±0.497 (3)"}),
    ]
