"""verl's FSDP engine for a tiny policy on CPU: logits of the response tokens only.

Over a tiny policy the vocabulary is most of the work and the prompt most of the tokens, and
verl's padded path computes and copies the logits of them all. Here rows end in the same column,
so that the responses are the last columns and the model is asked for those.
"""

from typing import Any

import torch
import verl.workers.engine.fsdp.transformer_impl as fsdp
from tensordict import TensorDict
from torch.nn.utils.rnn import pad_sequence
from verl.utils import tensordict_utils
from verl.utils.torch_functional import entropy_from_logits, logprobs_from_logits

UNSUPPORTED = (
    "use_remove_padding",
    "use_fused_kernels",
    "distillation_use_topk",
    "calculate_sum_pi_squared",
)


class ResponseEngine(fsdp.FSDPEngineWithLMHead):
    """Log-probabilities (and entropies, when asked) in verl's layout.

    That is, jagged over prompt and response, 0 at prompt positions.
    """

    def prepare_model_inputs(
        self, micro_batch: TensorDict
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Left-padded model inputs. Raises NotImplementedError for verl's further features."""
        for feature in UNSUPPORTED:
            if tensordict_utils.get_non_tensor_data(data=micro_batch, key=feature, default=False):
                raise NotImplementedError(
                    f"the CPU engine does not offer {feature}: leave it out of the recipe"
                )
        batch: Any = micro_batch
        rows = batch["input_ids"].unbind()
        mask = _left([torch.ones_like(row) for row in rows])
        longest = _longest(batch)
        inputs: dict[str, Any] = {
            "input_ids": _left(rows),
            "attention_mask": mask,
            "position_ids": _left(batch["position_ids"].unbind()),
            "logits_to_keep": longest + 1,
        }
        return inputs, {"mask": mask.bool(), "labels": inputs["input_ids"][:, -longest:]}

    def prepare_model_outputs(
        self,
        output: Any,
        output_args: dict[str, Any],
        micro_batch: TensorDict,
        logits_processor_func: Any,
    ) -> dict[str, torch.Tensor]:
        """verl's interface: each position holds the figures of the token after it."""
        batch: Any = micro_batch
        logits, offsets = output.logits[:, :-1], batch["input_ids"].offsets()
        temperature = batch["temperature"]
        logits = logits / (
            temperature.view(-1, 1, 1) if isinstance(temperature, torch.Tensor) else temperature
        )

        def jagged(kept: torch.Tensor) -> torch.Tensor:
            full = torch.nn.functional.pad(
                kept, (output_args["mask"].shape[1] - 1 - kept.shape[1], 1)
            )
            return torch.nested.nested_tensor_from_jagged(full[output_args["mask"]], offsets)

        found = {"log_probs": jagged(logprobs_from_logits(logits, output_args["labels"]))}
        if tensordict_utils.get_non_tensor_data(
            data=micro_batch, key="calculate_entropy", default=False
        ):
            found["entropy"] = jagged(entropy_from_logits(logits))
        return found


def _longest(batch: Any) -> int:
    """The most last columns that any row needs: its response, or all from what is learned first."""
    if "responses" in batch.keys():
        return int(batch["responses"].offsets().diff().max())
    masks = batch["loss_mask"].unbind()
    return max(len(mask) - int(mask.nonzero()[0]) if mask.any() else 1 for mask in masks)


def _left(rows: list[torch.Tensor]) -> torch.Tensor:
    return pad_sequence(list(rows), batch_first=True, padding_side="left")
