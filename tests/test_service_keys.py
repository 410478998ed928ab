"""API keys as they are written down: which are taken, and what is said of the others."""

import hashlib

import pytest

from service.access.keys import digest, keys_of_file, keys_of_list

LONG_ENOUGH = "0123456789abcdef"


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
