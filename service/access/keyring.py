"""The keys that are valid now: those of the settings, and those of a file that may change.

The file is looked at with every question, so keys are changed without a restart. A change that
cannot be read is logged and the keys from before stay valid: neither everyone nor nobody gets in.
"""

import hmac
import threading
from pathlib import Path
from typing import Self

import structlog

from service.access.keys import Keys, digest, keys_of_file, keys_of_list
from service.settings import Settings, SettingsError, variable_name

Facts = tuple[int, int, int]


class KeyRing:
    """Raises SettingsError, which names the variable, when the file cannot be read at first."""

    def __init__(self, given: Keys, file: Path | None) -> None:
        self._given = given
        self._file = file
        self._log = structlog.get_logger()
        self._lock = threading.Lock()
        self._facts: Facts | None = None
        self._keys = given
        if file is not None:
            self._facts = facts_of(file)
            self._keys = {**given, **keys_in(file)}

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The keys that the settings name; None when they name none and everyone may call."""
        if settings.api_keys is None and settings.api_keys_file is None:
            return None
        given: Keys = {}
        if settings.api_keys is not None:
            try:
                given = keys_of_list(settings.api_keys.get_secret_value())
            except ValueError as error:
                raise SettingsError(f"{variable_name('api_keys')}: {error}") from None
        return cls(given, settings.api_keys_file)

    def owner(self, key: str) -> str | None:
        """The name of who has this key; None when it is not valid.

        Takes as long for every key: all are compared, whichever fits.
        """
        asked, found = digest(key), None
        for known, name in self._current().items():
            if hmac.compare_digest(known, asked):
                found = name
        return found

    def _current(self) -> Keys:
        if self._file is not None:
            with self._lock:
                facts = facts_of(self._file)
                if facts != self._facts:
                    self._facts = facts
                    self._read_again(self._file)
        return self._keys

    def _read_again(self, file: Path) -> None:
        try:
            self._keys = {**self._given, **keys_in(file)}
        except SettingsError as error:
            self._log.error("keys_refused", reason=str(error))
            return
        self._log.info("keys_loaded", count=len(self._keys))


def facts_of(file: Path) -> Facts | None:
    """What changes when a file is written or replaced; None when it is not there."""
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def keys_in(file: Path) -> Keys:
    """The keys of a file. Raises SettingsError."""
    variable = variable_name("api_keys_file")
    try:
        return keys_of_file(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{variable}: cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{variable}: {file} is not UTF-8 at byte {error.start}") from None
    except ValueError as error:
        raise SettingsError(f"{variable}: {file}: {error}") from None
