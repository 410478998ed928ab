"""API keys as they are written down: `KEY` or `NAME: KEY`, with `#` before a comment.

A key is kept as its digest alone, so that nothing can show it by mistake. Messages name the
place of what is wrong and never what stands there.
"""

import hashlib
import re
from collections.abc import Iterable

# What RFC 6750 lets a bearer token be made of; long enough not to be guessed.
KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")

Keys = dict[bytes, str]  # digests, and the names of those who have the keys


def digest(key: str) -> bytes:
    """What is kept of a key, and compared."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def keys_of_list(text: str) -> Keys:
    """The keys of a list with commas. Raises ValueError."""
    return _keys((f"key-{index}", entry) for index, entry in enumerate(text.split(","), start=1))


def keys_of_file(text: str) -> Keys:
    """The keys of a file with one a line. Raises ValueError."""
    return _keys((f"line-{index}", line) for index, line in enumerate(text.split("\n"), start=1))


def _keys(entries: Iterable[tuple[str, str]]) -> Keys:
    keys: Keys = {}
    for place, entry in entries:
        written = entry.partition("#")[0].strip()
        if written:
            name, key = _named(place, written)
            if keys.setdefault(digest(key), name) != name:
                raise ValueError(
                    f"{place} is a key that stands there before, as {keys[digest(key)]}"
                )
    if not keys:
        raise ValueError("holds no key")
    return keys


def _named(place: str, written: str) -> tuple[str, str]:
    """A key without a name is called after its place."""
    name, colon, key = written.partition(":")
    if not colon:
        name, key = place, written
    if not NAME.fullmatch(name.strip()):
        raise ValueError(f"{place} has a name that is not 1 to 64 letters, digits and ._-")
    if not KEY.fullmatch(key.strip()):
        raise ValueError(f"{place} is not a key of 16 to 256 letters, digits and ._~+/=-")
    return name.strip(), key.strip()
