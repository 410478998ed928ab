"""Registry: the models on offer as folders come, change, break and go."""

import gc
import hashlib
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from special_files import SPECIAL
from structlog.testing import capture_logs
from waiting import time_limit

from model import checkpoint as checkpoints
from model.errors import CheckpointError
from model.parameters import BackendName
from service.engine.runner import CheckpointRunner
from service.models.catalogue import ModelNotFoundError, NoModelError
from service.models.registry import Registry
from service.models.served_model import LoadedModel
from service.observability.metrics import Metrics

MakeCheckpoint = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return tmp_path / "shipped"


@pytest.fixture
def registry(folder: Path, shipped: Path) -> Registry:
    return make_registry(folder, shipped)


def make_registry(
    folder: Path, shipped: Path, default: str | None = None, path: BackendName = "auto"
) -> Registry:
    def load(folder: Path) -> LoadedModel:
        checkpoint = checkpoints.load(folder)
        return LoadedModel.of(CheckpointRunner.of(checkpoint, path), checkpoint)

    return Registry(
        checkpoints=[folder],
        shipped=[shipped / name for name in ("verse", "anthology")],
        load=load,
        observer=Metrics(),
        default_model=default,
    )


def names(registry: Registry) -> list[str]:
    return [served.name for served in registry.catalogue.models]


def test_without_any_checkpoint_nothing_is_on_offer(registry: Registry) -> None:
    registry.scan()
    assert names(registry) == []
    with pytest.raises(NoModelError):
        registry.catalogue.find(None)


def test_a_new_folder_is_offered_by_its_name(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    registry.scan()
    make_checkpoint(folder / "verse")
    registry.scan()
    assert registry.catalogue.find("verse").name == "verse"


def test_a_network_that_cannot_go_the_path_asked_for_is_refused_with_the_reason(
    folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(folder / "verse", skip=True)
    registry = make_registry(folder, shipped, path="int8")
    with capture_logs() as logs:
        registry.scan()
    assert names(registry) == []
    assert [line["event"] for line in logs] == ["checkpoint_refused"]
    assert "int8 cannot be had: it is for plain stacks of layers" in logs[0]["reason"]


def test_the_fingerprint_is_a_digest_of_all_four_files(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    place = make_checkpoint(folder / "verse")
    names_in_order = ("model.safetensors", "config.json", "tokenizer.model", "README.md")
    content = b"".join((place / name).read_bytes() for name in names_in_order)
    registry.scan()
    expected = hashlib.blake2b(content, digest_size=6).hexdigest()
    assert registry.catalogue.find("verse").fingerprint == f"fp_{expected}"


def test_an_unchanged_folder_is_loaded_once(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(folder / "verse")
    registry.scan()
    before = registry.catalogue.find("verse")
    registry.scan()
    assert registry.catalogue.find("verse") is before


def test_a_replaced_folder_is_loaded_anew(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(folder / "verse")
    registry.scan()
    before = registry.catalogue.find("verse")
    make_checkpoint(folder / "verse", seed=1)
    registry.scan()
    assert registry.catalogue.find("verse").runner is not before.runner


def test_the_old_network_is_dropped_after_a_swap(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(folder / "verse")
    registry.scan()
    old = weakref.ref(registry.catalogue.find("verse").runner)
    make_checkpoint(folder / "verse", seed=1)
    registry.scan()
    gc.collect()
    assert old() is None


def test_a_broken_replacement_is_refused_once_and_the_old_goes_on(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    weights = make_checkpoint(folder / "verse") / "model.safetensors"
    registry.scan()
    before = registry.catalogue.find("verse")
    weights.write_bytes(weights.read_bytes()[:100])
    with capture_logs() as logs:
        registry.scan()
        registry.scan()
    assert registry.catalogue.find("verse") is before
    assert [line["event"] for line in logs] == ["checkpoint_refused"]


def test_a_broken_folder_is_tried_again_when_it_changes(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    config = make_checkpoint(folder / "verse") / "config.json"
    whole = config.read_bytes()
    config.write_bytes(b"{")
    registry.scan()
    config.write_bytes(whole)
    registry.scan()
    assert names(registry) == ["verse"]


def test_a_removed_folder_is_no_longer_offered(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    shutil.rmtree(make_checkpoint(folder / "verse"), ignore_errors=False)
    make_checkpoint(folder / "prose")
    registry.scan()
    shutil.rmtree(folder / "prose")
    registry.scan()
    with pytest.raises(ModelNotFoundError):
        registry.catalogue.find("prose")


@pytest.mark.parametrize("name", [".tmp-verse", "two words", "é", "a\nb"])
def test_folders_whose_names_cannot_be_served_are_not_offered(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint, name: str
) -> None:
    make_checkpoint(folder / name)
    registry.scan()
    assert names(registry) == []


def test_a_checkpoint_of_the_user_wins_over_the_one_that_ships(
    registry: Registry, folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(shipped / "anthology")
    registry.scan()
    make_checkpoint(folder / "anthology", seed=1)
    registry.scan()
    assert registry.catalogue.find("anthology").source.folder.parent == folder


def test_the_one_that_ships_comes_back_when_the_other_goes(
    registry: Registry, folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(shipped / "anthology")
    own = make_checkpoint(folder / "anthology", seed=1)
    registry.scan()
    shutil.rmtree(own)
    registry.scan()
    assert registry.catalogue.find(None).source.folder.parent == shipped


def told_default(registry: Registry) -> tuple[str, str] | None:
    registry.scan()
    default = registry.catalogue.default
    return None if default is None else (default.name, default.reason)


def test_no_model_becomes_the_default_by_coming_last(
    registry: Registry, folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    assert told_default(registry) is None
    make_checkpoint(folder / "mine")
    assert told_default(registry) == ("mine", "it is the only model")
    make_checkpoint(folder / "tried-out", seed=1)
    assert told_default(registry) == ("mine", "it is the first by name")
    make_checkpoint(shipped / "anthology")
    first = "it has the name of the first model that ships"
    assert told_default(registry) == ("anthology", first)
    ships = ("verse", first)
    make_checkpoint(shipped / "verse")
    assert told_default(registry) == ships
    make_checkpoint(folder / "a-trial")
    assert told_default(registry) == ships
    make_checkpoint(folder / "verse", seed=2)  # in place of the one that ships
    assert told_default(registry) == ships
    assert registry.catalogue.find(None).source.folder.parent == folder


def test_of_what_ships_only_what_is_asked_for_is_served(
    registry: Registry, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    for name in ("verse", "others"):
        make_checkpoint(shipped / name)
    registry.scan()
    assert names(registry) == ["verse"]


def test_a_generation_is_how_often_a_checkpoint_was_loaded_under_the_name(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    def generations() -> list[tuple[str, int]]:
        registry.scan()
        return [(each.name, each.generation) for each in registry.catalogue.models]

    for name in ("prose", "verse"):
        make_checkpoint(folder / name)
    assert generations() == [("prose", 1), ("verse", 1)]
    make_checkpoint(folder / "verse", seed=1)
    assert generations() == [("prose", 1), ("verse", 2)]
    (folder / "verse" / "config.json").write_bytes(b"{")
    assert generations() == [("prose", 1), ("verse", 2)]
    shutil.rmtree(folder / "verse")
    assert generations() == [("prose", 1)]
    make_checkpoint(folder / "verse", seed=1)
    assert generations() == [("prose", 1), ("verse", 3)]


def test_a_default_that_is_set_is_never_replaced_by_another(
    folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    registry = make_registry(folder, shipped, default="wanted")
    make_checkpoint(folder / "other")
    registry.scan()
    with pytest.raises(ModelNotFoundError):
        registry.catalogue.find(None)


def test_the_watcher_finds_what_comes_later(
    folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint
) -> None:
    registry = make_registry(folder, shipped)
    registry.start()
    assert registry.wait_for_first_scan(10)
    registry.stop()
    assert names(registry) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "out of memory"),
        (KeyError("x"), "KeyError: 'x'"),
        (CheckpointError("why"), "why"),
    ],
)
def test_whatever_loading_raises_is_a_refusal_with_a_reason_and_the_others_are_served(
    folder: Path, shipped: Path, make_checkpoint: MakeCheckpoint, error: Exception, reason: str
) -> None:
    for name in ("a", "b"):
        make_checkpoint(folder / name)

    def load(place: Path) -> LoadedModel:
        if place.name == "a":
            raise error
        checkpoint = checkpoints.load(place)
        return LoadedModel.of(CheckpointRunner.of(checkpoint), checkpoint)

    registry = Registry(checkpoints=[folder], shipped=[], load=load, observer=Metrics())
    with capture_logs() as logs:
        registry.scan()
    assert names(registry) == ["b"]
    (refusal,) = [line for line in logs if line["event"] == "checkpoint_refused"]
    assert refusal["reason"] == reason


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_is_refused_at_once_with_what_it_is(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint, kind: str
) -> None:
    put, reason = SPECIAL[kind]
    (make_checkpoint(folder / "verse") / "README.md").unlink()
    put(folder / "verse" / "README.md")
    with capture_logs() as logs, time_limit():
        registry.scan()
    assert names(registry) == []
    assert f"(README.md: {reason}" in logs[0]["reason"]


def test_a_link_that_cannot_be_followed_hides_no_other_folder(
    registry: Registry, folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    make_checkpoint(folder / "verse")
    (folder / "link").symlink_to("x" * 300)
    registry.scan()
    assert names(registry) == ["verse"]
