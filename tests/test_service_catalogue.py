"""Catalogue: what is on offer at one moment, while checkpoints come, are loaded and replaced."""

import json
import math
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from steady_runner import SteadyRunner
from waiting import wait_until

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import ModelConfig
from service.app import create_app
from service.engine.engine import Engine
from service.engine.runner import CheckpointRunner
from service.models.catalogue import ModelLoadingError, ModelNotFoundError, NoModelError
from service.models.prepared_voice import PreparedVoice
from service.models.registry import Registry
from service.models.served_model import LoadedModel
from service.observability.metrics import Metrics
from service.settings import Settings
from verse.composer.voice import Voice

pytest_plugins = ["service_fixtures"]

MakeCheckpoint = Callable[..., Path]


class NamedRunner(SteadyRunner):
    """Runner without a network, as a checkpoint has one."""

    tokenizer: Any = None
    backend_name = "fp32"
    is_exact = False

    def make_voice(self, checkpoint: Checkpoint) -> Voice:
        raise NotImplementedError


def loaded(written_at: float = 0.0) -> LoadedModel:
    return LoadedModel(
        runner=NamedRunner(),
        voice=PreparedVoice(lambda: pytest.fail("nobody asks for it")),
        architecture=ModelConfig(vocab_size=9),
        card="",
        fingerprint="fp_",
        written_at=written_at,
        feeding_speed=math.inf,
    )


def load_checkpoint(folder: Path) -> LoadedModel:
    checkpoint = checkpoints.load(folder)
    return LoadedModel.of(CheckpointRunner.of(checkpoint), checkpoint)


def registry_of(
    folder: Path, load: Callable[[Path], LoadedModel], default: str | None = None
) -> Registry:
    return Registry(
        checkpoints=[folder],
        shipped=[],
        load=load,
        observer=Metrics(),
        default_model=default,
        poll_s=3600,
    )


def client_of(registry: Registry, engine: Engine) -> FlaskClient:
    return create_app(Settings(), engine, registry, Metrics()).test_client()


class SlowLoader:
    """Loader that waits, for each folder, until it is told to go on."""

    def __init__(self) -> None:
        self.loading: list[str] = []
        self._goes_on = threading.Semaphore(0)

    def __call__(self, folder: Path) -> LoadedModel:
        self.loading.append(folder.name)
        assert self._goes_on.acquire(timeout=30)
        return loaded()

    def go_on(self, times: int = 1) -> None:
        self._goes_on.release(times)


@contextmanager
def loading(registry: Registry, loader: SlowLoader) -> Iterator[None]:
    """A started registry, whose first folder is being loaded."""
    registry.start()
    wait_until(lambda: bool(loader.loading))
    try:
        yield
    finally:
        loader.go_on(100)
        registry.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of the folders `a` and `b`."""
    for name in ("a", "b"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    return tmp_path / "checkpoints"


def asked(client: FlaskClient, **body: object) -> tuple[int, str]:
    answer = client.post("/v1/generate", data=json.dumps({"max_tokens": 1, **body}))
    return answer.status_code, answer.get_json()["error"]["code"]


def test_a_service_is_not_ready_and_says_loading_until_every_checkpoint_was_tried(
    folder: Path, make_engine: Callable[..., Engine]
) -> None:
    loader = SlowLoader()
    registry = registry_of(folder, loader)
    client = client_of(registry, make_engine())
    for name in (None, "a"):
        with pytest.raises(ModelLoadingError):
            registry.catalogue.find(name)
    with loading(registry, loader):
        not_ready = client.get("/readyz")
        assert (not_ready.status_code, not_ready.get_json()["reason"]) == (
            503,
            "models are still loading",
        )
        assert client.get("/healthz").status_code == 200
        assert asked(client) == asked(client, model="b") == (503, "loading")
        assert client.get("/v1/models/b").status_code == 503
        loader.go_on()
        wait_until(lambda: loader.loading == ["a", "b"])
        listed = client.get("/v1/models").get_json()
        assert ([each["id"] for each in listed["data"]], listed["default"]) == (["a"], None)
        assert registry.catalogue.find("a").name == "a"
        assert asked(client) == (503, "loading")
        assert client.get("/readyz").status_code == 503
        loader.go_on()
        assert registry.wait_for_first_scan(30)
        assert client.get("/readyz").status_code == 200
        assert client.get("/v1/models").get_json()["default"] in ("a", "b")
        assert asked(client, model="c") == (404, "model_not_found")


def test_a_model_that_comes_later_is_loading_until_it_is_there(tmp_path: Path) -> None:
    folder, loader = tmp_path / "checkpoints", SlowLoader()
    registry = registry_of(folder, loader)
    registry.scan()
    with pytest.raises(NoModelError):
        registry.catalogue.find(None)
    (folder / "new").mkdir(parents=True)
    scan = threading.Thread(target=registry.scan)
    scan.start()
    wait_until(lambda: loader.loading == ["new"])
    for name in (None, "new"):
        with pytest.raises(ModelLoadingError):
            registry.catalogue.find(name)
    with pytest.raises(ModelNotFoundError):
        registry.catalogue.find("other")
    assert registry.catalogue.trouble == "models are still loading"
    loader.go_on()
    scan.join()
    assert registry.catalogue.find(None).name == "new"
    assert registry.catalogue.trouble is None


def test_a_default_that_was_chosen_is_served_before_the_others_are_loaded(folder: Path) -> None:
    loader = SlowLoader()
    registry = registry_of(folder, loader, default="a")
    with loading(registry, loader):
        loader.go_on()
        wait_until(lambda: loader.loading == ["a", "b"])
        assert registry.catalogue.find(None).name == "a"


def test_what_is_told_of_a_model_is_of_what_was_loaded_also_where_its_folder_was_replaced(
    tmp_path: Path, make_checkpoint: MakeCheckpoint, make_engine: Callable[..., Engine]
) -> None:
    """The folder is another one as soon as it is read; the next look has not come yet."""
    place = make_checkpoint(tmp_path / "checkpoints" / "verse", layers=3, hidden=16)
    first = checkpoints.load(place)

    def load_and_replace(folder: Path) -> LoadedModel:
        read = load_checkpoint(folder)
        make_checkpoint(folder, layers=1, seed=1)
        (folder / "README.md").write_text("# Another")
        return read

    registry = registry_of(place.parent, load_and_replace)
    registry.scan()
    client = client_of(registry, make_engine())
    details = client.get("/v1/models/verse").get_json()
    assert (details["num_layers"], details["hidden_size"]) == (3, 16)
    assert (details["card"], details["created"]) == ("# A test\n", int(first.written_at))
    completion = client.post("/v1/completions", json={"model": "verse", "max_tokens": 1})
    assert completion.get_json()["system_fingerprint"] == f"fp_{first.digest}"
    seen = client.post("/v1/inspect", json={"text": "The sea", "layer": 2}).get_json()
    assert (seen["num_layers"], seen["hidden_size"], seen["layer"]) == (3, 16, 2)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Limericks", "Limericks"),
        ("Lime\nricks\t \x85of mine ", "Lime ricks of mine"),
        ("x" * 1000, "x" * 100),
        (" ", None),
        ("", None),
        (5, None),
        (None, None),
    ],
)
def test_the_list_tells_what_a_model_is_for(
    tmp_path: Path,
    make_checkpoint: MakeCheckpoint,
    make_engine: Callable[..., Engine],
    told: str | int | None,
    shown: str | None,
) -> None:
    place = make_checkpoint(tmp_path / "checkpoints" / "mine")
    config = json.loads((place / "config.json").read_text())
    (place / "config.json").write_text(json.dumps(config | {"provenance": {"purpose": told}}))
    registry = registry_of(place.parent, load_checkpoint)
    registry.scan()
    client = client_of(registry, make_engine())
    (listed,) = client.get("/v1/models").get_json()["data"]
    assert listed["purpose"] == client.get("/v1/models/mine").get_json()["purpose"] == shown


def test_no_model_and_no_default_disagree_while_folders_come_and_go(tmp_path: Path) -> None:
    """A reader asks while the only folder goes and comes back a thousand times."""
    place, aside = tmp_path / "checkpoints" / "only", tmp_path / "aside"
    place.mkdir(parents=True)
    registry = registry_of(place.parent, lambda _: loaded())
    registry.scan()
    ended, answers, wrong = threading.Event(), set[str | None](), list[object]()

    def ask() -> None:
        while not ended.is_set():
            try:
                answers.add(registry.catalogue.find(None).name)
            except (NoModelError, ModelLoadingError):
                answers.add(None)
            except Exception as error:  # noqa: BLE001 - whatever else it is, it is wrong
                wrong.append(error)
            catalogue = registry.catalogue
            if catalogue.default_name not in (None, *(each.name for each in catalogue.models)):
                wrong.append(catalogue)

    reader = threading.Thread(target=ask)
    reader.start()
    for _ in range(500):
        place.rename(aside)
        registry.scan()
        aside.rename(place)
        registry.scan()
    ended.set()
    reader.join()
    assert (answers, wrong) == ({None, "only"}, [])


@pytest.mark.parametrize("broken", ["README.md", "config.json"])
def test_one_folder_with_a_special_file_keeps_none_of_the_others_from_being_served(
    tmp_path: Path, make_checkpoint: MakeCheckpoint, broken: str
) -> None:
    folder = tmp_path / "checkpoints"
    for name in ("a", "b"):
        make_checkpoint(folder / name)
    shutil.copytree(folder / "a", folder / "0")
    (folder / "0" / broken).unlink()
    (folder / "0" / broken).symlink_to("/dev/zero")
    registry = registry_of(folder, load_checkpoint)
    registry.scan()
    assert [model.name for model in registry.catalogue.models] == ["a", "b"]
