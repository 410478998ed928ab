"""Mirror of a store: what is fetched, kept, refused and removed, on a folder as the store."""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from model import checkpoint as checkpoints
from model import pretrained
from model.__main__ import main
from model.stores.address import StoreError, reason_of, require_address
from model.stores.listing import NAMES
from model.stores.mirror import PREFIX, UNUSED_S, Mirror, local_folder

MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def store(tmp_path: Path, make_checkpoint: MakeCheckpoint) -> Path:
    """Folder of two checkpoints, and of what is none of theirs."""
    for name in ("prose", "verse"):
        make_checkpoint(tmp_path / "store" / name, hidden=8, layers=1)
    (tmp_path / "store" / "verse" / "loss.png").write_bytes(b"a picture")
    (tmp_path / "store" / "notes.txt").write_text("to do")
    return tmp_path / "store"


@pytest.fixture
def mirror(store: Path, tmp_path: Path) -> Mirror:
    return Mirror(f"file://{store}", tmp_path / "cache")


def held(mirror: Mirror) -> dict[str, str]:
    """The digests of the checkpoints that a mirror holds, by name."""
    folders = [each for each in mirror.folder.iterdir() if each.is_dir()]
    return {folder.name: checkpoints.load(folder).digest for folder in folders}


def stored(store: Path) -> dict[str, str]:
    folders = [each for each in store.iterdir() if each.is_dir()]
    return {folder.name: checkpoints.load(folder).digest for folder in folders}


def files_of(mirror: Mirror, name: str) -> dict[str, int]:
    return {file.name: file.stat().st_ino for file in (mirror.folder / name).iterdir()}


def write_sums(folder: Path) -> None:
    files = [each for each in sorted(folder.iterdir()) if each.name in NAMES]
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}" for each in files]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")


def test_a_mirror_holds_the_checkpoints_of_the_store_and_nothing_else(
    mirror: Mirror, store: Path
) -> None:
    assert mirror.look() == {}
    assert held(mirror) == stored(store)
    assert "loss.png" not in files_of(mirror, "verse")
    written = (store / "verse" / "model.safetensors").stat().st_mtime
    assert checkpoints.load(mirror.folder / "verse").written_at == pytest.approx(written, abs=1)


def test_only_what_changed_is_fetched(mirror: Mirror, store: Path) -> None:
    mirror.look()
    prose, verse = files_of(mirror, "prose"), files_of(mirror, "verse")
    (store / "verse" / "README.md").write_text("# Another card")
    for _ in range(2):  # at the first look it may still be being written
        mirror.look()
    assert held(mirror) == stored(store)
    assert files_of(mirror, "prose") == prose
    changed = files_of(mirror, "verse").items() - verse.items()
    assert {name for name, _ in changed} == {"README.md"}


def test_what_is_gone_from_the_store_is_removed(mirror: Mirror, store: Path) -> None:
    mirror.look()
    shutil.rmtree(store / "prose")
    mirror.look()
    assert held(mirror).keys() == {"verse"}


def test_a_store_that_is_gone_or_empty_takes_nothing_away(mirror: Mirror, store: Path) -> None:
    mirror.look()
    before = held(mirror)
    store.rename(store.with_name("aside"))
    with pytest.raises(StoreError, match=r"file://.*/store: there is no checkpoint"):
        mirror.look()
    store.mkdir()
    with pytest.raises(StoreError, match="there is no checkpoint"):
        mirror.look()
    assert held(mirror) == before


def test_a_checkpoint_that_is_not_whole_yet_waits_and_the_others_are_fetched(
    mirror: Mirror, store: Path
) -> None:
    weights = store / "prose" / "model.safetensors"
    weights.rename(weights.with_suffix(".part"))
    assert mirror.look() == {"prose": "there is no model.safetensors yet"}
    assert held(mirror).keys() == {"verse"}
    weights.with_suffix(".part").rename(weights)
    assert [mirror.look() for _ in range(2)] == [{}, {}]
    assert held(mirror) == stored(store)


def test_a_checkpoint_with_sums_is_taken_at_once_and_only_as_they_say(
    mirror: Mirror, store: Path, make_checkpoint: MakeCheckpoint
) -> None:
    write_sums(store / "verse")
    mirror.look()
    before = held(mirror)
    other = make_checkpoint(store.parent / "other", hidden=8, layers=1, seed=1)
    shutil.copy2(other / "model.safetensors", store / "verse")  # the first file of an upload
    why = "model.safetensors: its SHA-256 is not the one in SHA256SUMS"
    assert mirror.look() == {"verse": why}
    assert held(mirror) == before
    write_sums(store / "verse")
    assert mirror.look() == {}
    assert held(mirror) == stored(store)


def test_what_its_sums_refuse_is_fetched_again_once_it_changed(mirror: Mirror, store: Path) -> None:
    write_sums(store / "verse")
    sums = store / "verse" / "SHA256SUMS"
    right, written_ns = sums.read_text(), sums.stat().st_mtime_ns
    sums.write_text("0" * 64 + right[64:])
    os.utime(sums, ns=(written_ns, written_ns))
    refused = mirror.look()
    assert refused.keys() == {"verse"}
    sums.write_text(right)
    os.utime(sums, ns=(written_ns, written_ns))  # as if nothing had changed
    assert mirror.look() == refused
    assert held(mirror).keys() == {"prose"}
    os.utime(sums)
    assert mirror.look() == {}
    assert held(mirror) == stored(store)


def test_an_address_may_be_that_of_one_checkpoint(store: Path, tmp_path: Path) -> None:
    mirror = Mirror(f"file://{store}/verse", tmp_path / "cache")
    assert mirror.only_checkpoint() == mirror.folder / "verse"
    with pytest.raises(StoreError, match="holds prose, verse: add the name of one"):
        Mirror(f"file://{store}", tmp_path / "cache").only_checkpoint()


def test_commands_take_an_address_in_place_of_a_folder(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STROPHE_CACHE", str(tmp_path / "cache"))
    assert main(["describe", "--checkpoint", f"file://{store}/verse"]) == 0
    assert capsys.readouterr().out.startswith("# A test")
    assert main(["describe", "--checkpoint", f"file://{store}/none"]) == 2
    assert capsys.readouterr().err.endswith("/store/none: there is no checkpoint\n")
    assert local_folder(str(store)) == store


def test_commands_take_the_name_of_a_model_that_ships_unless_a_checkpoint_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_folder("verse") == pretrained.DEFAULT
    assert local_folder("verses") == Path("verses")
    Path("verse").mkdir()
    assert local_folder("verse") == pretrained.DEFAULT
    Path("verse/model.safetensors").touch()
    assert local_folder("verse") == Path("verse")


def test_a_mirror_goes_on_where_another_process_of_it_ended(
    mirror: Mirror, store: Path, tmp_path: Path
) -> None:
    mirror.look()
    before = files_of(mirror, "verse")
    (mirror.folder / ".tmp-verse-killed").mkdir()
    again = Mirror(mirror.address, tmp_path / "cache")
    again.look()
    assert files_of(again, "verse") == before
    assert not list(mirror.folder.glob(".tmp-*"))
    for damaged in ("{", "[]", "{}"):  # fetched anew
        (mirror.folder / ".index.json").write_text(damaged)
        Mirror(mirror.address, tmp_path / "cache").look()
        assert held(mirror) == stored(store)


def test_mirrors_that_nobody_looks_through_are_removed(mirror: Mirror) -> None:
    mirror.look()
    cache = mirror.folder.parent
    (cache / f"{PREFIX}unused").mkdir()
    for folder in cache.iterdir():
        os.utime(folder, (0, folder.stat().st_mtime - UNUSED_S - 60))
    Mirror(mirror.address, cache)
    assert [each.name for each in cache.iterdir()] == [mirror.folder.name]


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ftp://host/folder", "'ftp://' is no store: there are s3://, gs://, hf://, file://"),
        ("s3://", "s3:// names no folder"),
        ("s3://key:c2VjcmV0@bucket/folder", "s3:// must hold no password, the environment may"),
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_a_password(
    address: str, says: str
) -> None:
    with pytest.raises(StoreError, match=says) as caught:
        require_address(address)
    assert "c2VjcmV0" not in str(caught.value)


def test_no_secret_of_the_environment_is_in_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "c2VjcmV0")
    told = reason_of(PermissionError("no access with\nkey c2VjcmV0"))
    assert told == "no access with key ..."
