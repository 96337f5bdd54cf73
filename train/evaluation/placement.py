"""Where and how precisely a model folder is evaluated."""

from typing import NamedTuple

from train.errors import TrainError
from train.evaluation.decoding import Device, Precision

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}  # torch's names


class Placement(NamedTuple):
    """A device and a precision, neither of them "auto"."""

    device: Device
    precision: Precision

    @property
    def dtype(self) -> str:
        """torch's name of the precision."""
        return DTYPES[self.precision]


def placement(device: Device = "auto", precision: Precision = "auto") -> Placement:
    """The placement asked for; "auto" is a GPU in bf16 where there is one, else the CPU in fp32.

    Raises TrainError for a GPU that is not there.
    """
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise TrainError("--device cuda, but torch finds no GPU here: leave --device out")
    if device == "auto":
        device = "cuda" if there else "cpu"
    if precision == "auto":
        precision = "bf16" if device == "cuda" else "fp32"
    return Placement(device, precision)


def device_of_copy(number: int) -> str:
    """torch's name of the device for that copy of a model on this machine, counted from 0.

    The GPUs take turns; without one it is the CPU.
    """
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{number % torch.cuda.device_count()}"
