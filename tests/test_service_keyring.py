"""Which keys are valid now, also while their file changes."""

from pathlib import Path

import pytest
from callers import ALICE, BOB, KEYS
from structlog.testing import capture_logs

from service.access.keyring import KeyRing
from service.settings import Settings, SettingsError


def ring(**settings: object) -> KeyRing:
    made = KeyRing.of(Settings.model_validate(settings))
    assert made is not None
    return made


def test_without_keys_there_is_no_ring() -> None:
    assert KeyRing.of(Settings()) is None


def test_keys_of_the_list_and_of_the_file_are_valid_together(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("carol: carol-has-a-third-key", encoding="utf-8")
    both = ring(api_keys=KEYS, api_keys_file=file)
    names = [both.owner(key) for key in (ALICE, BOB, "carol-has-a-third-key", ALICE + "x", "")]
    assert names == ["alice", "key-2", "carol", None, None]


def test_a_changed_file_is_read_again_and_a_broken_one_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"alice: {ALICE}", encoding="utf-8")
    keys = ring(api_keys_file=file)
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
        ring(api_keys_file=file)


def test_a_list_without_keys_is_an_error_too() -> None:
    with pytest.raises(SettingsError, match=r"^STROPHE_API_KEYS: holds no key$"):
        ring(api_keys=", ,")
