"""Distributed training: the processes that torchrun starts to train one network (data parallelism),
and how they agree on sums, stops and errors.

Every process has the whole network and some rows of every batch; torch's DistributedDataParallel
averages their gradients, so all of them make the same updates. One of them, the writer, holds
the run folder, measures and saves. Knows nothing of networks and runs.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from model.device import resolve_device
from model.errors import ModelError, ParameterError

FRESH_STORE = "TORCH_DISABLE_SHARE_RDZV_TCP_STORE"


class ProcessGroup:
    """Process group of one process, which writes and has all rows; base of the distributed one."""

    rank = 0
    size = 1

    @property
    def is_writer(self) -> bool:
        """True for the process (rank 0) that holds the run folder."""
        return self.rank == 0

    def share(self, rows: int) -> slice:
        """Find which rows of a batch are this process's."""
        own = rows // self.size
        return slice(self.rank * own, (self.rank + 1) * own)

    def broadcast(self, value: float) -> float:
        """Return the writer's value, in every process."""
        return value

    def any(self, flag: bool) -> bool:
        """Check whether a flag is set in at least one process."""
        return flag

    def mean(self, value: Tensor) -> Tensor:
        """Average a value over all processes; each has as many rows."""
        return value

    def all_gather(self, part: Tensor) -> list[Tensor]:
        """Gather every process's `part`, by rank; all of one shape. On the CPU."""
        return [part.cpu()]

    def data_parallel(self, module: nn.Module) -> nn.Module:
        """Wrap a module so that its gradients are averaged over all processes."""
        return module

    def run_on_writer(self, work: Callable[[], None]) -> None:
        """Run `work` in the writer while the others wait. Its error ends them all."""
        work()


SINGLE_PROCESS = ProcessGroup()


class TorchProcessGroup(ProcessGroup):
    """Process group of several processes that torch.distributed has joined."""

    def __init__(self) -> None:
        self.rank = distributed.get_rank()
        self.size = distributed.get_world_size()

    def broadcast(self, value: float) -> float:
        """Return the writer's value, in every process."""
        tensor = torch.tensor(value, dtype=torch.float64)
        distributed.broadcast(tensor, src=0)
        return tensor.item()

    def any(self, flag: bool) -> bool:
        """Check whether a flag is set in at least one process."""
        tensor = torch.tensor(int(flag))
        distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
        return bool(tensor.item())

    def mean(self, value: Tensor) -> Tensor:
        """Average a value over all processes; each has as many rows."""
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total / self.size

    def all_gather(self, part: Tensor) -> list[Tensor]:
        """Gather every process's `part`, by rank; all of one shape. On the CPU."""
        own = part.cpu().contiguous()
        parts = [torch.empty_like(own) for _ in range(self.size)]
        distributed.all_gather(parts, own)
        return parts

    def data_parallel(self, module: nn.Module) -> nn.Module:
        """Wrap a module so that its gradients are averaged over all processes."""
        return DistributedDataParallel(module)

    def run_on_writer(self, work: Callable[[], None]) -> None:
        """Run `work` in the writer while the others wait. Its error ends them all."""
        failure: BaseException | None = None
        if self.is_writer:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again when the others know
                failure = error
        if self.any(failure is not None):
            # The writer has said why; once is enough.
            raise failure if failure is not None else SystemExit(1)


def is_distributed() -> bool:
    """Check whether torchrun started this process beside others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def num_local_processes() -> int:
    """Count the processes that torchrun started on this machine; 1 without it."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1")) if is_distributed() else 1


def is_under_torchrun() -> bool:
    """Check whether torchrun started this process, which gives the same command after a death.

    How often it did is of no use: each machine counts its own torchrun's restarts, and one that
    is back begins at 0.
    """
    return "TORCHELASTIC_RUN_ID" in os.environ


def _require_a_fresh_store() -> None:
    """Refuse torchrun restarts that would hang after a worker's death.

    torchrun 2.13 lets restarted workers look each other up in the store of those that died, and
    they wait for addresses that nobody answers at any more, unless it is told to open a new one.
    """
    restarts = int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0"))
    if restarts > 0 and os.environ.get(FRESH_STORE) != "1":
        raise ModelError(f"torchrun --max-restarts {restarts} needs {FRESH_STORE}=1 before it")


def own_device(name: str) -> str:
    """Choose this process's own GPU where several processes would share one; else `name`."""
    if is_distributed() and resolve_device(name) == torch.device("cuda"):
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return name


@contextmanager
def process_group(device_name: str) -> Iterator[ProcessGroup]:
    """Join the process group that torchrun made this process part of, or form one of it alone.

    Raises ParameterError for a card that the processes would share, ModelError when they do not
    find one another.
    """
    if not is_distributed():
        yield SINGLE_PROCESS
        return
    _require_a_fresh_store()
    device = resolve_device(own_device(device_name))
    if device.type == "cuda":
        if own_device(device_name) == device_name:
            raise ParameterError("device", f"is {device} for every process; give auto or cuda")
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"the processes do not find one another ({error})") from error
    try:
        yield TorchProcessGroup()
        distributed.barrier()  # nobody leaves while another may still be talking to it
    finally:
        gc.collect()  # a wrapped network in a cycle would keep the group's threads beyond its end
        distributed.destroy_process_group()
