"""Extra files of a checkpoint: which there can be, and how config.json knows them.

A checkpoint can generate text without them. config.json names those that it has, with size and
hash: a file that is missing, damaged or of another checkpoint is refused, and the digest of the
four files speaks for them, too. Knows nothing of folders and of the other files.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from model import word_list
from model.copies import copy_index
from model.copies.copy_index import CopyIndex
from model.errors import CheckpointError
from model.word_list import WordList

WORDS: Literal["words.xz"] = "words.xz"
COPIES: Literal["copies.bin"] = "copies.bin"
ExtraFile = Literal["words.xz", "copies.bin"]
MAX_EXTRA: dict[ExtraFile, int] = {WORDS: word_list.MAX_BYTES, COPIES: copy_index.MAX_BYTES}

Kind = TypeVar("Kind")


class FileFacts(BaseModel):
    """Size and hash of an extra file, by which it is known to be the one that was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bytes: int
    sha256: str


def facts_of(content: bytes) -> FileFacts:
    """Size and hash of an extra file's content."""
    return FileFacts(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def require_described(content: bytes, described: FileFacts, path: Path) -> None:
    """Check that a file is the one that config.json describes. Raises CheckpointError."""
    if facts_of(content) != described:
        raise CheckpointError(
            f"{path}: damaged, or of another checkpoint: its {len(content):,} bytes are not the "
            f"{described.bytes:,} that config.json describes"
        )


def read_word_list(content: Mapping[str, bytes], folder: Path) -> WordList | None:
    """Read the word list among the files of `folder`, if it is there. Raises CheckpointError."""
    return _read(WordList, content, folder / WORDS)


def read_copy_index(content: Mapping[str, bytes], folder: Path) -> CopyIndex | None:
    """Read the copy index among the files of `folder`, if it is there. Raises CheckpointError."""
    return _read(CopyIndex, content, folder / COPIES)


def _read(kind: Callable[[bytes], Kind], content: Mapping[str, bytes], path: Path) -> Kind | None:
    if path.name not in content:
        return None
    try:
        return kind(content[path.name])
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
