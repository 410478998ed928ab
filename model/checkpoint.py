"""Checkpoint folder: four files that hold all that generating text needs; saved and loaded here.

    model.safetensors   the weights, bf16 or fp32
    config.json         format number, architecture, tokenizer kind, provenance
    tokenizer.model     the SentencePiece vocabulary
    README.md           the card, for people

Written whole or not at all; loaded strictly; nothing is ever unpickled, no special file is waited
for, and nothing is read that is larger than config.json says. What resuming a training run needs
lies elsewhere, and this module knows nothing of it.
"""

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from model.atomic_write import replacing_folder
from model.available_memory import available_memory
from model.config import ModelConfig
from model.errors import (
    MAX_SHOWN_INPUT,
    CheckpointError,
    ParameterError,
    TokenizerError,
    shortened,
)
from model.network import Network
from model.regular_file import read_regular
from model.tokenizer import Tokenizer, TokenizerKind

FORMAT = 1
WEIGHTS, CONFIG, TOKENIZER, CARD = (
    "model.safetensors",
    "config.json",
    "tokenizer.model",
    "README.md",
)
FILES = (WEIGHTS, CONFIG, TOKENIZER, CARD)
MAX_CONFIG = MAX_CARD = 1 << 20  # bytes
MAX_HEADER = 1 << 20  # of the weights: their names, types, shapes and places
MAX_TOKENIZER, MAX_PIECE = 1 << 20, 256  # bytes without the vocabulary, and of each token of it
MAX_LISTED = 8  # names in a message
LOADING_FACTOR = 4  # memory that loading takes at its peak, in sizes of the weights' file

Precision = Literal["bf16", "fp32"]
_DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}
_STORED_DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32}  # as safetensors calls them


class Description(BaseModel):
    """Content of a checkpoint's config.json: architecture, tokenizer kind, provenance."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1]
    architecture: ModelConfig
    tokenizer: TokenizerKind
    provenance: dict[str, str | int | float | None] = Field(
        default_factory=dict, description="where the weights come from: corpus, steps, losses"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Checkpoint in memory: the network, its tokenizer, the description and the card."""

    network: Network
    tokenizer: Tokenizer
    description: Description
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCheckpoint(Checkpoint):
    """Checkpoint that was loaded: the network in fp32 and in evaluation mode, ready to decode."""

    digest: str  # of the bytes that were read: 12 hexadecimal digits, the same for the same files
    written_at: float  # when the newest of the files was written, in seconds since 1970


def save(checkpoint: Checkpoint, folder: Path, precision: Precision = "bf16") -> None:
    """Save a checkpoint to `folder`, in place of what was there."""
    with replacing_folder(folder) as partial:
        write_files(checkpoint, partial, precision)


def write_files(checkpoint: Checkpoint, folder: Path, precision: Precision) -> None:
    """Write a checkpoint's four files into a folder that the caller puts in its place.

    The weights on disk are those of the network rounded to `precision`.
    """
    dtype = _DTYPES[precision]
    weights = {
        name: weight.detach().to("cpu", dtype).contiguous()
        for name, weight in distinct_weights(checkpoint.network).items()
    }
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(weights))
    text = checkpoint.description.model_dump_json(indent=2)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    (folder / TOKENIZER).write_bytes(checkpoint.tokenizer.serialized)
    (folder / CARD).write_text(checkpoint.card, encoding="utf-8")


def load(folder: Path, device: torch.device | None = None) -> LoadedCheckpoint:
    """Load a checkpoint, each file read once. Raises CheckpointError, which says what is wrong."""
    try:
        return _load(folder, device)
    except (MemoryError, RuntimeError) as error:  # the latter by torch, where memory runs out
        raise CheckpointError(f"{folder}: cannot be loaded ({_reason(error)})") from error


def _load(folder: Path, device: torch.device | None) -> LoadedCheckpoint:
    read = _read_files(folder)
    description, content = read.description, read.content
    tokenizer = _tokenizer(content[TOKENIZER], folder / TOKENIZER, description)
    weights = _weights(content[WEIGHTS], folder / WEIGHTS, description.architecture)
    network = Network(description.architecture)
    for name, weight in distinct_weights(network).items():
        weight.data.copy_(weights[name])
    return LoadedCheckpoint(
        network=network.to(device).eval().requires_grad_(requires_grad=False),
        tokenizer=tokenizer,
        description=description,
        card=content[CARD].decode("utf-8", "replace"),
        digest=_digest(content),
        written_at=read.written_at,
    )


def distinct_weights(network: Network) -> dict[str, Tensor]:
    """Weights of a network by name, each once: a tied output is stored as the embedding alone."""
    return dict(network.named_parameters(remove_duplicate=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadFiles:
    """Content of the four files, and the description, which says how large the others may be."""

    content: dict[str, bytes]
    description: Description
    written_at: float


def _read_files(folder: Path) -> _ReadFiles:
    """Read the four files, all of one folder even while `folder` is being replaced."""
    while True:
        try:
            directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{folder}: not a checkpoint ({_reason(error)})") from error
        try:
            return _read_files_of(folder, directory)
        except OSError as error:
            # While `directory` is open no other folder can have its identity.
            if _is_still_at(folder, directory):
                why = f"{error.filename}: {_reason(error)}"
                raise CheckpointError(f"{folder}: not a checkpoint ({why})") from error
        finally:
            os.close(directory)


def _read_files_of(folder: Path, directory: int) -> _ReadFiles:
    config = read_regular(CONFIG, MAX_CONFIG, directory=directory)
    description = _description(config.content, folder / CONFIG)
    vocab_size = description.architecture.vocab_size
    limits = {
        WEIGHTS: _max_weights(description.architecture),
        TOKENIZER: MAX_TOKENIZER + MAX_PIECE * vocab_size,
        CARD: MAX_CARD,
    }
    num_bytes = os.stat(WEIGHTS, dir_fd=directory).st_size
    _require_memory(folder / WEIGHTS, min(num_bytes, limits[WEIGHTS]))
    files = {CONFIG: config} | {
        name: read_regular(name, most, directory=directory) for name, most in limits.items()
    }
    return _ReadFiles(
        content={name: file.content for name, file in files.items()},
        description=description,
        written_at=max(file.written_at for file in files.values()),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


def _max_weights(architecture: ModelConfig) -> int:
    """Size in bytes that the weights of a network of this architecture cannot exceed on disk."""
    return MAX_HEADER + 4 * sum(weight.numel() for weight in _shapes(architecture).values())


def _shapes(architecture: ModelConfig) -> dict[str, Tensor]:
    """Weights of a network of this architecture, without memory behind them."""
    with torch.device("meta"):  # a config that says too much must not cost memory
        return distinct_weights(Network(architecture))


def _require_memory(path: Path, num_bytes: int) -> None:
    """Check that a file of weights can be loaded. Raises CheckpointError.

    Else the system might end the process, and the next one that tries.
    """
    needed, available = LOADING_FACTOR * num_bytes, available_memory()
    if available is not None and needed > available:
        raise CheckpointError(
            f"{path}: {num_bytes:,} bytes, which take up to {needed / 1e9:.2f} GB of memory to "
            f"load; there are {available / 1e9:.2f} GB"
        )


def _digest(content: dict[str, bytes]) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for name in FILES:
        digest.update(content[name])
    return digest.hexdigest()


def _is_still_at(folder: Path, directory: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(directory))
    except OSError:
        return False


def _description(content: bytes, path: Path) -> Description:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON ({error})") from error
    number = fields.get("format") if isinstance(fields, dict) else None
    if number != FORMAT:
        found = shortened(number)
        raise CheckpointError(f"{path}: format {found}, this version reads format {FORMAT}")
    try:
        return Description.model_validate(fields)
    except ValidationError as error:
        raise CheckpointError(f"{path}: {ParameterError.from_validation(error)}") from error


def _tokenizer(content: bytes, path: Path, description: Description) -> Tokenizer:
    try:
        tokenizer = Tokenizer(content, description.tokenizer)
    except TokenizerError as error:
        raise CheckpointError(f"{path}: {error}") from error
    expected = description.architecture.vocab_size
    if tokenizer.vocab_size != expected:
        raise CheckpointError(
            f"{path}: holds {tokenizer.vocab_size} tokens, {CONFIG} says vocab_size {expected}"
        )
    return tokenizer


def _weights(content: bytes, path: Path, architecture: ModelConfig) -> dict[str, Tensor]:
    """Stored weights, checked to be those of a network of this architecture."""
    try:
        stored = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except (safetensors.SafetensorError, ValueError) as error:
        why = shortened(str(error))
        raise CheckpointError(f"{path}: cannot be read, is it truncated? ({why})") from error
    wanted = _shapes(architecture)
    if stored.keys() != wanted.keys():
        differing = _listed(stored.keys() ^ wanted.keys())
        raise CheckpointError(f"{path}: weights do not match {CONFIG}: {differing}")
    weights = {}
    for name, weight in wanted.items():
        shape, dtype = tuple(stored[name]["shape"]), stored[name]["dtype"]
        if shape != weight.shape:
            raise CheckpointError(
                f"{path}: {name} has shape {shape}, {CONFIG} wants {tuple(weight.shape)}"
            )
        if dtype not in _STORED_DTYPES:
            raise CheckpointError(f"{path}: {name} is {dtype}, not BF16 or F32")
        data: bytearray = stored[name]["data"]
        weights[name] = torch.frombuffer(data, dtype=_STORED_DTYPES[dtype]).reshape(shape)
        if not bool(torch.isfinite(weights[name]).all()):
            raise CheckpointError(f"{path}: {name} holds values that are not finite")
    return weights


def _listed(names: Collection[str]) -> str:
    """First few of some names, which may be many and long."""
    shown = ", ".join(name[:MAX_SHOWN_INPUT] for name in sorted(names)[:MAX_LISTED])
    return shown if len(names) <= MAX_LISTED else f"{shown} and {len(names) - MAX_LISTED} more"
