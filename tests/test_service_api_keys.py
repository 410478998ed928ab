"""API keys: how they are written down, and which are valid now, also while their file changes."""

import hashlib
from pathlib import Path

import pytest
from callers import ALICE, BOB, KEYS
from special_files import SPECIAL
from structlog.testing import capture_logs
from waiting import time_limit

from service.access.api_keys import ApiKeys, digest, keys_of_file, keys_of_list
from service.settings import Settings, SettingsError

LONG_ENOUGH = "0123456789abcdef"


def valid_keys(**settings: object) -> ApiKeys:
    made = ApiKeys.of(Settings.model_validate(settings))
    assert made is not None
    return made


def test_without_keys_in_the_settings_there_are_none_to_check() -> None:
    assert ApiKeys.of(Settings()) is None


def test_keys_of_the_list_and_of_the_file_are_valid_together(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("carol: carol-has-a-third-key", encoding="utf-8")
    both = valid_keys(api_keys=KEYS, api_keys_file=file)
    names = [both.owner(key) for key in (ALICE, BOB, "carol-has-a-third-key", ALICE + "x", "")]
    assert names == ["alice", "key-2", "carol", None, None]


def test_a_changed_file_is_read_again_and_a_broken_one_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"alice: {ALICE}", encoding="utf-8")
    keys = valid_keys(api_keys_file=file)
    with capture_logs() as logs:
        file.write_text(f"bob: {BOB}", encoding="utf-8")
        assert (keys.owner(ALICE), keys.owner(BOB)) == (None, "bob")
        file.write_text("bob: short", encoding="utf-8")
        assert [keys.owner(BOB) for _ in range(3)] == ["bob"] * 3
        file.unlink()
        assert [keys.owner(BOB) for _ in range(3)] == ["bob"] * 3
        (tmp_path / "new").write_text(f"alice: {ALICE}", encoding="utf-8")
        (tmp_path / "new").replace(file)
        assert (keys.owner(ALICE), keys.owner(BOB)) == ("alice", None)
    events = [line["event"] for line in logs]
    assert events == ["keys_loaded", "keys_refused", "keys_refused", "keys_loaded"]
    assert "short" not in str(logs)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read .*: No such file or directory"),
        (b"", "holds no key"),
        (b"\xff", "is not UTF-8 at byte 0"),
        (b"secret", "line-1 is not a key"),
    ],
)
def test_a_file_without_keys_is_an_error_that_names_the_variable(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"^STROPHE_API_KEYS_FILE: .*{problem}"):
        valid_keys(api_keys_file=file)


@pytest.mark.parametrize("kind", ["fifo", "device"])
def test_a_special_file_in_place_of_the_keys_is_an_error_at_once(tmp_path: Path, kind: str) -> None:
    put, reason = SPECIAL[kind]
    put(tmp_path / "keys")
    with time_limit(), pytest.raises(SettingsError, match=f"^STROPHE_API_KEYS_FILE: .*{reason}"):
        valid_keys(api_keys_file=tmp_path / "keys")


def test_a_list_without_keys_is_an_error_too() -> None:
    with pytest.raises(SettingsError, match=r"^STROPHE_API_KEYS: holds no key$"):
        valid_keys(api_keys=", ,")


def test_a_list_has_keys_with_names_and_without() -> None:
    keys = keys_of_list(f"alice: {LONG_ENOUGH}, bob:{LONG_ENOUGH}+/=,,{LONG_ENOUGH}._~-")
    assert list(keys.values()) == ["alice", "bob", "key-4"]
    assert next(iter(keys)) == hashlib.sha256(LONG_ENOUGH.encode()).digest()


def test_a_file_has_comments_and_blank_lines() -> None:
    text = f"# who may call\r\n\r\nalice: {LONG_ENOUGH} # until May\n  {LONG_ENOUGH}2\n"
    assert keys_of_file(text) == {digest(LONG_ENOUGH): "alice", digest(LONG_ENOUGH + "2"): "line-4"}


def test_one_client_may_have_two_keys_for_a_while() -> None:
    assert set(keys_of_file(f"a: {LONG_ENOUGH}\na: {LONG_ENOUGH}2").values()) == {"a"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no key"),
        ("# nobody\n\n", "holds no key"),
        ("short", "line-1 is not a key of 16 to 256"),
        ("a" * 257, "line-1 is not a key of 16 to 256"),
        ("\ntwo words of a key", "line-2 is not a key"),
        ("schlüssel-schlüssel", "line-1 is not a key"),
        ("with,comma,and\x7fmore", "line-1 is not a key"),
        ("alice:", "line-1 is not a key"),
        (f": {LONG_ENOUGH}", "line-1 has a name that is not"),
        (f"al ice: {LONG_ENOUGH}", "line-1 has a name that is not"),
        (f"a: {LONG_ENOUGH}\nb: {LONG_ENOUGH}", "line-2 is a key that stands there before, as a"),
    ],
)
def test_what_is_no_key_is_refused_by_its_place_and_never_shown(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        keys_of_file(text)
    shown = str(caught.value)
    assert all(len(word) < 5 or word not in shown for word in text.split())
