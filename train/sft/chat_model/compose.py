"""verl's whole SFT configuration of a run, from train/recipes/sft_chat.yaml."""

from pathlib import Path

from omegaconf import DictConfig

from train.models.folder import Shape
from train.rft.compose import compose_file
from train.rft.overrides import quoted
from train.rft.recipes import RECIPES
from train.sft.chat_model.config import ChatSFTConfig

RECIPE = RECIPES / "sft_chat.yaml"
CPU_BATCH, GPU_BATCH = 8, 32
CPU_LESSONS = 600  # on CPU the default run ends after so many
CPU_TOKENS, GPU_TOKENS = 1536, 8192  # of a micro batch, where no lesson is longer
SMALL, LARGE, ADAPTER = 1e-4, 1e-5, 3e-4  # learning rates: under a billion parameters, above, LoRA
ALPHA = 2  # LoRA's α over its rank


def filled_in(config: ChatSFTConfig, shape: Shape, lessons: int, gpu: bool) -> ChatSFTConfig:
    """The config with its defaults: one pass over the lessons, on CPU over some of them."""
    batch = config.batch or min(GPU_BATCH if gpu else CPU_BATCH, lessons)
    asked = lessons if gpu else min(lessons, CPU_LESSONS)
    full_rate = SMALL if shape.parameters < 1e9 else LARGE
    return config.model_copy(
        update={
            "batch": batch,
            "steps": config.steps or max(1, asked // batch),
            "learning_rate": config.learning_rate or (ADAPTER if config.lora_rank else full_rate),
            "precision": config.precision or ("bf16" if gpu else "fp32"),
        }
    )


def micro_batch_tokens(longest: int, precision: str | None, gpu: bool) -> int:
    """Tokens of a micro batch: no lesson is cut; activations in bf16 take half the room."""
    on_cpu = 2 * CPU_TOKENS if precision == "bf16" else CPU_TOKENS
    return max(longest, GPU_TOKENS if gpu else on_cpu)


def compose(
    config: ChatSFTConfig,
    run: Path,
    model: Path,
    *,
    longest: int,
    held_out: bool,
    checkpointing: bool,
    gpu: bool,
) -> DictConfig:
    """The composed configuration of a config that is `filled_in`.

    longest: tokens of the longest lesson. held_out: whether there are lessons to validate on.
    """
    run = run.resolve()
    values: dict[str, object] = {
        "rerec_seed": config.seed,
        "data.train_files": quoted(str(run / "data/sft.parquet")),
        "data.val_files": quoted(str(run / "data/held_out.parquet")) if held_out else "null",
        "data.train_batch_size": config.batch,
        "data.max_token_len_per_gpu": micro_batch_tokens(longest, config.precision, gpu),
        "data.max_length": longest,
        "model.path": quoted(str(model.resolve())),
        "model.enable_gradient_checkpointing": checkpointing,
        "model.lora_rank": config.lora_rank,
        "model.lora_alpha": ALPHA * config.lora_rank,
        "engine.mixed_precision.param_dtype": config.precision,
        "optim.lr": config.learning_rate,
        "trainer.device": "cuda" if gpu else "cpu",
        "trainer.total_training_steps": config.steps,
        "trainer.save_freq": config.save_every,
        "trainer.test_freq": config.save_every if held_out else -1,
        "trainer.default_local_dir": quoted(str(run / "checkpoints")),
    }
    return compose_file(RECIPE, [f"{key}={value}" for key, value in values.items()])
