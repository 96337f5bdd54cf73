"""verl on CPU: a platform for `PlatformRegistry`, chosen with VERL_PLATFORM=cpu.

verl calls its device module without asking whether there is a device (empty_cache, memory figures),
so this one answers: it is torch.cpu plus no-ops, and resident memory where GPU memory is asked for.
"""

import resource
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import torch
from verl.plugin.platform.platform_base import PlatformBase
from verl.plugin.platform.platform_manager import PlatformRegistry


def _resident(*_: object) -> int:
    return psutil.Process().memory_info().rss


def _peak(*_: object) -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _nothing(*_: object, **__: object) -> None:
    return None


def _free_and_total(*_: object) -> tuple[int, int]:
    memory = psutil.virtual_memory()
    return memory.available, memory.total


class _CpuModule(types.ModuleType):
    """Attributes that are not set below come from torch.cpu."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch.cpu, name)


cpu_module = _CpuModule("rerec_cpu_device")
_ANSWERS: dict[str, Callable[..., Any]] = {
    "set_device": _nothing,
    "synchronize": _nothing,
    "empty_cache": _nothing,
    "ipc_collect": _nothing,
    "reset_peak_memory_stats": _nothing,
    "is_available": lambda: False,  # no accelerator: verl's memory helpers return early
    "current_device": lambda: 0,
    "device_count": lambda: 1,
    "get_device_name": lambda *_: "CPU",
    "manual_seed": torch.manual_seed,
    "manual_seed_all": torch.manual_seed,
    "get_rng_state": torch.get_rng_state,
    "set_rng_state": torch.set_rng_state,
    "memory_allocated": _resident,
    "memory_reserved": _resident,
    "max_memory_allocated": _peak,
    "max_memory_reserved": _peak,
    "mem_get_info": _free_and_total,
}
for _name, _answer in _ANSWERS.items():
    setattr(cpu_module, _name, _answer)


@PlatformRegistry.register(platform="cpu")
class PlatformCPU(PlatformBase):
    """One CPU "device".

    Ray still counts a logical GPU (ray_init.num_gpus): verl's resource pools know no other.
    """

    device_name = property(lambda self: "cpu")
    vendor_name = property(lambda self: "cpu")
    device_module = property(lambda self: cpu_module)

    def is_available(self) -> bool:
        return True

    def is_platform_available(self, use_smi_check: bool = False) -> bool:
        return False  # never chosen by detection, only by VERL_PLATFORM=cpu

    def current_device(self) -> Any:
        return torch.device("cpu")  # an int would mean cuda:0 in x.to(device)

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None:
        _nothing()

    def synchronize(self, device_index: int | None = None) -> None:
        _nothing()

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        _nothing()

    def empty_cache(self) -> None:
        _nothing()

    def get_device_capability(self, device_index: int | None = None) -> tuple[None, None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None:
        _nothing()

    def profiler_stop(self) -> None:
        _nothing()

    def ray_resource_name(self) -> str:
        return "GPU"

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> None:
        return None
