"""API keys: how they are written down, and which are valid now.

Written as `KEY` or `NAME: KEY`, with `#` before a comment, in a setting and in a file. The file is
looked at with every question, so keys are changed without a restart. A change that cannot be read
is logged and the keys from before stay valid: neither everyone nor nobody gets in.
A key is kept as its digest alone, so that nothing can show it by mistake. Messages name the
position of what is wrong and never what stands there.

Knows nothing of requests and of Flask (`service.access.api_key_guard` does): the master process
checks the keys before the fork.
"""

import hashlib
import hmac
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import structlog

from model.regular_file import read_regular
from service.file_identity import FileIdentity, file_identity
from service.settings import Settings, SettingsError, variable_name

# What RFC 6750 lets a bearer token be made of; long enough not to be guessed.
KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")

MAX_FILE = 1 << 24  # bytes

NamesByDigest = dict[bytes, str]  # SHA-256 of a key: name of who has it


class ApiKeys:
    """API keys that are valid now: those of the setting, and those of the file that may change.

    Raises SettingsError, which names the variable, when the file cannot be read at first.
    """

    def __init__(self, given: NamesByDigest, file: Path | None) -> None:
        self._given = given
        self._file = file
        self._log = structlog.get_logger()
        self._lock = threading.Lock()  # of whoever reads the file again
        self._identity: FileIdentity | None = None
        self._keys = given
        if file is not None:
            self._identity = file_identity(file)
            self._keys = {**given, **keys_in(file)}

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """API keys that the settings name; None when they name none and everyone may call.

        Raises SettingsError, which names the variable.
        """
        if settings.api_keys is None and settings.api_keys_file is None:
            return None
        given: NamesByDigest = {}
        if settings.api_keys is not None:
            try:
                given = keys_of_list(settings.api_keys.get_secret_value())
            except ValueError as error:
                raise SettingsError(f"{variable_name('api_keys')}: {error}") from None
        return cls(given, settings.api_keys_file)

    def owner(self, key: str) -> str | None:
        """Name of who has this key; None when it is not valid.

        Takes as long for every key: all are compared, whichever fits.
        """
        asked, found = digest(key), None
        for known, name in self._current().items():
            if hmac.compare_digest(known, asked):
                found = name
        return found

    def _current(self) -> NamesByDigest:
        if self._file is not None:
            with self._lock:
                identity = file_identity(self._file)
                if identity != self._identity:
                    self._identity = identity
                    self._read_again(self._file)
        return self._keys

    def _read_again(self, file: Path) -> None:
        try:
            self._keys = {**self._given, **keys_in(file)}
        except SettingsError as error:
            self._log.error("keys_refused", reason=str(error))
            return
        self._log.info("keys_loaded", count=len(self._keys))


def digest(key: str) -> bytes:
    """Digest of a key: what is kept of it, and compared."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def keys_in(file: Path) -> NamesByDigest:
    """Read the keys of a file. Raises SettingsError."""
    variable = variable_name("api_keys_file")
    try:
        return keys_of_file(read_regular(file, MAX_FILE).content.decode("utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{variable}: cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{variable}: {file} is not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise SettingsError(f"{variable}: {file}: {error}") from None


def keys_of_list(text: str) -> NamesByDigest:
    """Parse keys of a list with commas. Raises ValueError."""
    return _parsed((f"key-{index}", entry) for index, entry in enumerate(text.split(","), start=1))


def keys_of_file(text: str) -> NamesByDigest:
    """Parse keys of a text with one a line. Raises ValueError."""
    return _parsed((f"line-{index}", line) for index, line in enumerate(text.split("\n"), start=1))


def _parsed(entries: Iterable[tuple[str, str]]) -> NamesByDigest:
    keys: NamesByDigest = {}
    for position, entry in entries:
        written = entry.partition("#")[0].strip()
        if written:
            name, key = _named(position, written)
            if keys.setdefault(digest(key), name) != name:
                raise ValueError(
                    f"{position} is a key that stands there before, as {keys[digest(key)]}"
                )
    if not keys:
        raise ValueError("holds no key")
    return keys


def _named(position: str, written: str) -> tuple[str, str]:
    """Name and key of one entry; a key without a name is called after its position."""
    name, colon, key = written.partition(":")
    if not colon:
        name, key = position, written
    if not NAME.fullmatch(name.strip()):
        raise ValueError(f"{position} has a name that is not 1 to 64 letters, digits and ._-")
    if not KEY.fullmatch(key.strip()):
        raise ValueError(f"{position} is not a key of 16 to 256 letters, digits and ._~+/=-")
    return name.strip(), key.strip()
