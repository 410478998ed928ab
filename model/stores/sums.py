"""Sums of a folder: the file SHA256SUMS, as sha256sum writes it, made and held against the files.

A checkpoint with sums can be verified wherever it lies, whole or not. Knows nothing of checkpoints.
"""

import hashlib
import re
from pathlib import Path

from model.stores.address import StoreError

SUMS = "SHA256SUMS"
_LINE = re.compile(r"^([0-9a-f]{64}) [ *](\S+)$", re.MULTILINE)


class SumsError(StoreError):
    """Raised where a file is not what its folder's sums say; to fetch it again would not help."""


def sums_of(folder: Path) -> str:
    """SHA-256 of each file of a folder, in the format of sha256sum."""
    return "".join(f"{sha256(file)}  {file.name}\n" for file in _summed(folder))


def require_sums(folder: Path) -> None:
    """Hold a folder's files against its SHA256SUMS. Raises SumsError, which names the file."""
    content = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    wanted = {name: digest for digest, name in _LINE.findall(content)}
    for file in _summed(folder):
        if sha256(file) != wanted.get(file.name):
            raise SumsError(f"{file.name}: its SHA-256 is not the one in {SUMS}")


def sha256(file: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _summed(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.name != SUMS]
