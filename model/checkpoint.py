"""Checkpoint folder: four files that hold all that generating text needs; saved and loaded here.

    model.safetensors   the weights: int8, bf16 or fp32
    config.json         format number, architecture, tokenizer kind, provenance, extra files
    tokenizer.model     the SentencePiece vocabulary
    README.md           the card, for people

and those of these that config.json names, with size and SHA-256:

    words.xz            words of the training text, for verse in forms (`model.word_list`)
    copies.bin          an index that finds what is copied from it (`model.copies.copy_index`)

Written whole or not at all; loaded strictly; nothing is ever unpickled, no special file is waited
for, and nothing is read that is larger than config.json says. What resuming a training run needs
lies elsewhere, and this module knows nothing of it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError

from model.atomic_write import replacing_folder
from model.copies.copy_index import CopyIndex
from model.description import FLOATS, FORMATS, QUANTIZED, Description, Facts
from model.errors import CheckpointError, ParameterError, TokenizerError, shortened
from model.extra_files import (
    COPIES,
    MAX_EXTRA,
    WORDS,
    ExtraFile,
    facts_of,
    read_copy_index,
    read_word_list,
    require_described,
)
from model.network import Network
from model.regular_file import read_regular
from model.tokenizer import Tokenizer
from model.weights_file import (
    Precision,
    distinct_weights,
    max_weights,
    read_weights,
    require_memory,
    serialized_weights,
)
from model.word_list import WordList

WEIGHTS, CONFIG = "model.safetensors", "config.json"
TOKENIZER, CARD = "tokenizer.model", "README.md"
FILES = (WEIGHTS, CONFIG, TOKENIZER, CARD)
MAX_CONFIG = MAX_CARD = 1 << 20  # bytes
MAX_TOKENIZER, MAX_PIECE = 1 << 20, 256  # bytes without the vocabulary, and of each token of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Checkpoint in memory: the network, its tokenizer, the description and the card.

    Which extra files it has, the description says only once it was saved.
    """

    network: Network
    tokenizer: Tokenizer
    description: Description
    card: str
    word_list: WordList | None = None  # of the text that it was trained on
    copy_index: CopyIndex | None = None


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
    """Write a checkpoint's files into a folder that the caller puts in its place.

    The weights on disk are those of the network rounded to `precision`.
    """
    number = QUANTIZED if precision == "int8" else FLOATS
    description = checkpoint.description.model_copy(update={"format": number})
    (folder / WEIGHTS).write_bytes(serialized_weights(checkpoint.network, precision))
    (folder / TOKENIZER).write_bytes(checkpoint.tokenizer.serialized)
    extra: dict[ExtraFile, bytes] = {}
    if checkpoint.word_list is not None:
        extra[WORDS] = checkpoint.word_list.serialized
    if checkpoint.copy_index is not None:
        extra[COPIES] = checkpoint.copy_index.serialized
    _write_described(folder, description, checkpoint.card, extra)


def _write_described(
    folder: Path, description: Description, card: str, extra: Mapping[ExtraFile, bytes]
) -> None:
    """Write extra files, the description that names them and no others, and the card."""
    for name, content in extra.items():
        (folder / name).write_bytes(content)
    facts = {name: facts_of(content) for name, content in extra.items()}
    described = description.model_copy(update={"extra_files": facts})
    (folder / CONFIG).write_text(described.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card, encoding="utf-8")


def add_file(folder: Path, name: ExtraFile, content: bytes, *, facts: Facts, card: str) -> None:
    """Add an extra file to a checkpoint's folder, or replace it; what else lies there stays.

    `facts` are added to the provenance, those that are None taken out; `card` takes the old
    one's place.
    """
    read = _read_files(folder)
    kept = {name: fact for name, fact in facts.items() if fact is not None}
    others = read.description.provenance.items()
    provenance = {name: fact for name, fact in others if name not in facts} | kept
    description = read.description.model_copy(update={"provenance": provenance})
    extra = {each: read.content[each] for each in read.description.extra_files}
    with replacing_folder(folder) as partial:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
        _write_described(partial, description, card, {**extra, name: content})


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
    weights = read_weights(
        *(content[WEIGHTS], folder / WEIGHTS, description.architecture),
        is_quantized=description.is_quantized,
    )
    network = Network(description.architecture)
    for name, weight in distinct_weights(network).items():
        weight.data.copy_(weights[name])
    return LoadedCheckpoint(
        network=network.to(device).eval().requires_grad_(requires_grad=False),
        tokenizer=tokenizer,
        description=description,
        card=content[CARD].decode("utf-8", "replace"),
        word_list=read_word_list(content, folder),
        copy_index=read_copy_index(content, folder),
        digest=_digest(content),
        written_at=read.written_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReadFiles:
    """Content of the files, and the description, which says how large the others may be."""

    content: dict[str, bytes]
    description: Description
    written_at: float


def _read_files(folder: Path) -> _ReadFiles:
    """Read the files, all of one folder even while `folder` is being replaced."""
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
    limits: dict[str, int] = {
        WEIGHTS: max_weights(description.architecture),
        TOKENIZER: MAX_TOKENIZER + MAX_PIECE * vocab_size,
        CARD: MAX_CARD,
    }
    described = description.extra_files.items()
    limits |= {name: min(MAX_EXTRA[name], facts.bytes) for name, facts in described}
    num_bytes = min(os.stat(WEIGHTS, dir_fd=directory).st_size, limits[WEIGHTS])
    require_memory(folder / WEIGHTS, num_bytes, is_quantized=description.is_quantized)
    files = {CONFIG: config} | {
        name: read_regular(name, most, directory=directory) for name, most in limits.items()
    }
    content = {name: file.content for name, file in files.items()}
    for name, facts in description.extra_files.items():
        require_described(content[name], facts, folder / name)
    return _ReadFiles(
        content=content,
        description=description,
        written_at=max(file.written_at for file in files.values()),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory"
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__


def _digest(content: dict[str, bytes]) -> str:
    """Digest of the four files; of the others config.json holds the hashes."""
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
    if number not in FORMATS:
        raise CheckpointError(f"{path}: format {shortened(number)}, this version reads 1 and 2")
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
