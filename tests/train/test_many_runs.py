"""Many processes: a matrix of methods, and two ranks. `./justw long`."""

import json

import pytest
import torch
from safetensors.torch import load_file

from tests.test_cli import rerec
from train.reports.metrics import read_metrics
from train.rft.resume import metrics_files

pytestmark = pytest.mark.long


def test_a_matrix_of_methods_is_filled_once_and_failed_cells_are_named(
    film_store, beginner, tmp_path
):
    """Its cells train an adapter, as --set says, and end with a plain model.

    The weights have moved where the adapter was and are the same elsewhere.
    """
    words = [
        "train",
        "compare",
        "--store",
        film_store,
        "--model",
        beginner,
        "--run",
        tmp_path / "m",
        "--seeds",
        "0",
    ]
    adapter = ("lora_rank=4", "lora_alpha=8", "target_modules=[q_proj,v_proj]")
    changes = (
        "trainer.total_training_steps=2",
        *(f"actor_rollout_ref.model.{change}" for change in adapter),
    )
    words += [*(word for change in changes for word in ("--set", change)), "--methods"]
    done = rerec(*words, "tiny-grpo,tiny-rerec-curriculum", "--json", "--ray", 1)  # both at a time
    assert done.returncode == 0, done.stderr[-2000:]
    table = json.loads(done.stdout)["table"]
    assert (
        list(table) == ["tiny-grpo", "tiny-rerec-curriculum"]
        and table["tiny-rerec-curriculum"]["all"]["against"]["n"] == 1
    )
    assert (tmp_path / "m/comparison.html").is_file()
    judged = json.loads((tmp_path / "m/tiny-grpo/0/eval.json").read_text())
    assert judged["provenance"]["config"]["most_tokens"] == 96  # as the recipe trains
    begun = load_file(beginner / "model.safetensors")
    for name in table:
        ended = load_file(tmp_path / "m" / name / "0/model/model.safetensors")
        assert begun.keys() == ended.keys()
        assert {key.split(".")[-2] for key in begun if not torch.equal(begun[key], ended[key])} == {
            "q_proj",
            "v_proj",
        }
    again = rerec(*words, "tiny-grpo,tiny-rerec-curriculum")
    assert again.returncode == 0 and again.stderr.count("done before") == 2
    (tmp_path / "m/tiny-rerec/0").mkdir(parents=True)
    (tmp_path / "m/tiny-rerec/0/stray").write_text("in the way")
    failed = rerec(*words, "tiny-grpo,tiny-rerec")
    assert (
        failed.returncode != 0
        and "1 cells failed" in failed.stderr
        and "Traceback" not in failed.stderr
    )


def test_two_ranks_with_a_rollout_replica_each_learn_as_one_does(film_store, beginner, tmp_path):
    """FSDP2 over gloo, half of the weights per rank, as on two GPUs.

    The beginner earns nothing yet, so that an entropy bonus is what they learn from.
    """
    for ranks in (1, 2):
        words = [
            "--store",
            film_store,
            "--model",
            beginner,
            "--run",
            tmp_path / str(ranks),
        ]  # and a reward server of its own
        changes = (
            f"trainer.n_gpus_per_node={ranks}",
            "trainer.total_training_steps=3",
            "actor_rollout_ref.actor.entropy_coeff=0.05",
        )
        done = rerec(
            "train",
            "rft",
            "tiny-grpo",
            *words,
            *(word for change in changes for word in ("--set", change)),
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert (
        len(
            list(
                (tmp_path / "2/checkpoints/global_step_3/actor").glob(
                    "model_world_size_2_rank_*.pt"
                )
            )
        )
        == 2
    )
    one, two = (read_metrics(metrics_files(tmp_path / ranks)) for ranks in "12")
    for key, most in (
        ("actor/grad_norm", 0.3),
        ("response_length/mean", 0.1),
        ("rerec/entropy", 0.1),
    ):
        assert two[key][1] == pytest.approx(one[key][1], rel=most), key
    moves = [
        sum(found["actor/ppo_kl"][1]) for found in (one, two)
    ]  # from the policy that sampled; a single step's is mostly noise
    assert moves[1] == pytest.approx(moves[0], rel=1, abs=1e-3)
    begun, *ends = (
        load_file(folder / "model.safetensors")
        for folder in (beginner, tmp_path / "1/model", tmp_path / "2/model")
    )
    moved = [
        torch.cat([(end[name] - begun[name]).flatten() for name in sorted(begun)]) for end in ends
    ]
    assert (
        float(torch.nn.functional.cosine_similarity(*moved, dim=0)) > 0.5
    )  # the same way, by other samples
