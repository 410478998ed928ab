"""Checkpoint folders with damage of any kind: loaded, or refused in one line with a reason."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from special_files import SPECIAL
from waiting import time_limit

from model import checkpoint as checkpoints
from model.checkpoint import CONFIG, FILES, WEIGHTS
from model.errors import CheckpointError
from model.extra_files import WORDS
from model.word_list import pack

Damage = Callable[[Path], object]  # done to a folder

BYTES = st.integers(0, 255)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
NAMES = st.sampled_from((*FILES, WORDS))


def rewrite(name: str, change: Callable[[bytes], bytes]) -> Damage:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def flipped(content: bytes, places: list[tuple[float, int]]) -> bytes:
    changed = bytearray(content)
    for place, byte in places:
        changed[int(place * len(changed))] = byte
    return bytes(changed)


def swapped(names: tuple[str, str]) -> Damage:
    def swap(folder: Path) -> None:
        first, second = ((folder / name).read_bytes() for name in names)
        (folder / names[0]).write_bytes(second)
        (folder / names[1]).write_bytes(first)

    return swap


def special(name: str, kind: str) -> Damage:
    def put(folder: Path) -> None:
        (folder / name).unlink()
        SPECIAL[kind][0](folder / name)

    return put


def changed_header(weight: int, key: str, value: object) -> Damage:
    """The header says another type, shape or place of one weight; the data stay."""

    def change(content: bytes) -> bytes:
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        header[sorted(header)[weight % len(header)]][key] = value
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + content[end:]

    return rewrite(WEIGHTS, change)


def changed_config(key: str, value: object, *, inside: bool) -> Damage:
    def change(content: bytes) -> bytes:
        config = json.loads(content)
        (config["architecture"] if inside else config)[key] = value
        return json.dumps(config).encode()

    return rewrite(CONFIG, change)


PLACES = st.floats(0, 1, exclude_max=True)
KEYS = st.sampled_from(
    ["format", "tokenizer", "provenance", "extra_files", "vocab_size", "hidden_size", "x\x1b"]
)
HEADER = st.sampled_from(["dtype", "shape", "data_offsets"])
HOSTILE = st.sampled_from(
    [[0, 2**63], [9, 2], [-1, 4], [0, 0], [2**62, 2**62], [], "F4", "C64", "F32", "BF16", None]
)
DAMAGES: st.SearchStrategy[Damage] = st.one_of(
    st.builds(
        lambda name, places: rewrite(name, lambda content: flipped(content, places)),
        NAMES,
        st.lists(st.tuples(PLACES, BYTES), min_size=1, max_size=40),
    ),
    st.builds(lambda name, at: rewrite(name, lambda b: b[: int(at * len(b))]), NAMES, PLACES),
    st.builds(lambda name, more: rewrite(name, lambda b: b + more), NAMES, st.binary(min_size=1)),
    st.builds(swapped, st.permutations((*FILES, WORDS)).map(lambda names: (names[0], names[1]))),
    st.builds(special, NAMES, st.sampled_from(sorted(SPECIAL))),
    st.builds(changed_header, st.integers(0, 9), HEADER, HOSTILE),
    st.builds(changed_config, KEYS, JSON_VALUES, inside=st.booleans()),
)


@pytest.fixture(scope="module")
def with_words(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint's folder with all files that there can be."""
    folder = tmp_path_factory.mktemp("words") / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    words = pack(["sea", "moon"], [[3, 2], [3, 1], [0, 1]], [[(1, 2)], [(0, 2)]])
    checkpoints.add_file(folder, WORDS, words.serialized, facts={}, card="# A test\n")
    return folder


@settings(max_examples=60, derandomize=True)
@given(damage=DAMAGES)
def test_a_damaged_folder_is_loaded_or_refused_in_one_line(
    with_words: Path, damage: Damage
) -> None:
    with tempfile.TemporaryDirectory() as parent, time_limit():
        folder = Path(shutil.copytree(with_words, Path(parent) / "tiny"))
        damage(folder)
        try:
            checkpoints.load(folder)
        except CheckpointError as error:
            reason = str(error).removeprefix(str(folder))
            assert 0 < len(reason) < 1000
            assert "\n" not in reason
