"""State for resuming a run exactly: optimizer, weight average, carried state, random generators.

Saved whole, loaded strictly. The folder `last/` of a run is a checkpoint like any other (fp32, so
it can be generated from) with five files more:

    optimizer.safetensors   first and second moments and step of every weight
    average.safetensors     the moving average of every weight, if the run keeps one
    carried.safetensors     the hidden and cell state of every stream
    random.safetensors      torch's generators, of every process
    progress.json           counters and the place in the text

On a CPU a run resumed from here ends with bitwise the weights of one that never stopped, provided
that as many processes go on. With more or fewer the masks of dropout are others.
"""

from dataclasses import dataclass
from pathlib import Path

import safetensors
import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load_file, save
from torch import Tensor

from model.atomic_write import replacing_folder
from model.checkpoint import Checkpoint, write_files
from model.count_in_words import counted
from model.network import State
from model.regular_file import open_regular, read_regular
from training.optimization.trainer import Trainer
from training.training_errors import RunError

OPTIMIZER, CARRIED, RANDOM = "optimizer.safetensors", "carried.safetensors", "random.safetensors"
AVERAGE = "average.safetensors"
PROGRESS = "progress.json"
MAX_PROGRESS = 1 << 16  # bytes


class Progress(BaseModel):
    """Counters of a run: steps, place in the text, validations, best loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = 0
    seconds: float = 0.0
    epoch: int = 0
    window: int = 0
    evaluations: int = 0
    evaluations_without_gain: int = 0
    rate_drops: int = 0  # of the plateau schedule
    averaging_since: int | None = None  # the update that averaging began after
    best_nats: float | None = None  # per token, of the validation text


@dataclass(frozen=True, slots=True)
class Gathered:
    """Carried states and random generators of all processes."""

    carried: dict[str, Tensor]  # hidden and, if any, cell: (L, B, H) of all rows
    generators: dict[str, Tensor]


def gather_state(trainer: Trainer) -> Gathered:
    """Gather the carried states and random generators of all processes, in every one of them."""
    group, state = trainer.group, trainer.carried
    parts = {"hidden": state.hidden} | ({} if state.cell is None else {"cell": state.cell})
    carried = {name: torch.cat(group.all_gather(part), dim=1) for name, part in parts.items()}
    generators = {
        _generator_name(kind, rank): state
        for kind, own in _generators(trainer.network.device).items()
        for rank, state in enumerate(group.all_gather(own))
    }
    return Gathered(carried, generators)


def save_state(
    folder: Path, checkpoint: Checkpoint, trainer: Trainer, gathered: Gathered, progress: Progress
) -> None:
    """Save the state of a run to `folder`, in place of what was there."""
    with replacing_folder(folder) as partial:
        write_files(checkpoint, partial, "fp32")
        # Not save_file: on a full disk that raises an error of its own instead of OSError.
        (partial / OPTIMIZER).write_bytes(save(_optimizer_tensors(trainer)))
        (partial / AVERAGE).write_bytes(save(trainer.average.averages))
        (partial / CARRIED).write_bytes(save(gathered.carried))
        (partial / RANDOM).write_bytes(save(gathered.generators))
        (partial / PROGRESS).write_text(progress.model_dump_json(indent=2) + "\n", "utf-8")


def load_state(folder: Path, trainer: Trainer) -> Progress:
    """Load the state in `folder` into `trainer`, and return the counters. Raises RunError.

    Its network has those weights already: whoever builds it needs `folder`, a checkpoint, for
    its shape.
    """
    try:
        progress = Progress.model_validate_json(
            read_regular(folder / PROGRESS, MAX_PROGRESS).content
        )
        _restore_optimizer(trainer, _tensors(folder / OPTIMIZER))
        trainer.average.restore(_tensors(folder / AVERAGE))
        trainer.carried = _carried(_tensors(folder / CARRIED), trainer)
        _restore_counters(trainer, progress)
        _restore_generators(_tensors(folder / RANDOM), trainer)
    except (
        OSError,
        KeyError,
        ValueError,
        RuntimeError,
        MemoryError,
        ValidationError,
        safetensors.SafetensorError,
    ) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"{folder}: this run cannot be resumed ({reason})") from error
    return progress


def _tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a regular file, mapped into memory: what no one asks for is not read."""
    with open(path, "rb", opener=open_regular) as file:
        # By its descriptor: it is the file that was looked at.
        return load_file(f"/dev/fd/{file.fileno()}")


def _restore_counters(trainer: Trainer, progress: Progress) -> None:
    if not 0 <= progress.window < trainer.streams.windows_per_epoch:
        raise ValueError(f"window {progress.window} lies outside the training text")
    trainer.step_number = progress.step
    trainer.seconds_before = progress.seconds
    trainer.rate_drops = progress.rate_drops
    trainer.average.since = progress.averaging_since
    trainer.streams.epoch, trainer.streams.window = progress.epoch, progress.window
    trainer.update_progress()


def _carried(tensors: dict[str, Tensor], trainer: Trainer) -> State:
    wanted = trainer.carried
    batch_size, saved = trainer.config.batch_size, tensors["hidden"].shape
    if len(saved) != 3 or saved[1] != batch_size:
        raise ValueError(
            f"{CARRIED}: the carried state is {tuple(saved)}, not of {counted(batch_size, 'row')}"
        )
    rows = trainer.group.share(batch_size)
    device = trainer.network.device
    own = {name: tensor[:, rows].contiguous().to(device) for name, tensor in tensors.items()}
    found = State(own["hidden"], own.get("cell"))
    if found.hidden.shape != wanted.hidden.shape or (found.cell is None) != (wanted.cell is None):
        shapes = f"{tuple(found.hidden.shape)} instead of {tuple(wanted.hidden.shape)}"
        raise ValueError(f"{CARRIED}: the carried state has shape {shapes}")
    return found


def _optimizer_tensors(trainer: Trainer) -> dict[str, Tensor]:
    states = trainer.optimizer.state
    return {
        f"{name}.{key}": value.detach().contiguous()
        for name, weight in trainer.network.named_parameters()
        for key, value in states[weight].items()
    }


def _restore_optimizer(trainer: Trainer, tensors: dict[str, Tensor]) -> None:
    # No keys at all: the run was stopped before its first update.
    keys = {name.rpartition(".")[2] for name in tensors}
    for name, weight in trainer.network.named_parameters():
        # The fused update wants the step count, too, beside the weight.
        moments = {key: tensors[f"{name}.{key}"].to(weight.device) for key in keys}
        if any(moment.shape not in (weight.shape, ()) for moment in moments.values()):
            raise ValueError(f"{OPTIMIZER}: {name} does not have the shape of its weight")
        trainer.optimizer.state[weight] = moments


def _generators(device: torch.device) -> dict[str, Tensor]:
    generators = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        generators["cuda"] = torch.cuda.get_rng_state(device)
    return generators


def _generator_name(kind: str, rank: int) -> str:
    return kind if rank == 0 else f"{kind}.{rank}"


def _restore_generators(generators: dict[str, Tensor], trainer: Trainer) -> None:
    rank, device = trainer.group.rank, trainer.network.device
    if rank > 0 and _generator_name("cpu", rank) not in generators:
        return  # more processes than before: this one goes on with the seed that it was given
    torch.set_rng_state(generators[_generator_name("cpu", rank)])
    state = generators.get(_generator_name("cuda", rank))
    if state is not None and device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
