"""Fixtures of the whole suite: small real checkpoints on disk, and a clean torch."""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
import torch
from hypothesis import HealthCheck, settings

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import Cell, ModelConfig
from model.description import Description
from model.extra_files import WORDS
from model.network import Network
from model.tokenizer import Tokenizer
from model.tokenizer_training import train_tokenizer
from model.word_list import pack

# What a machine is busy with beside the tests is no fault of theirs; and what fails, fails again.
# `--hypothesis-profile=searching` looks for new examples.
settings.register_profile("searching", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("repeating", settings.get_profile("searching"), derandomize=True)
settings.load_profile("repeating")

ANTHOLOGY = Path(__file__).parent.parent / "training" / "corpora" / "anthology.txt"

MakeCheckpoint = Callable[..., Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the modules with slow tests, and let the quick ones fill the end.

    Those of a kind stand together by name: processes side by side would all drive a browser, then
    all wait for services.
    """
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)

    def order(path: Path) -> tuple[bool, int]:
        is_quick = not any(item.get_closest_marker("slow") for item in modules[path])
        return is_quick, crc32(path.name.encode())

    items[:] = [item for path in sorted(modules, key=order) for item in modules[path]]


@pytest.fixture(scope="session")
def anthology() -> str:
    """The text of the corpus that ships."""
    return ANTHOLOGY.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def tokenizer(anthology: str) -> Tokenizer:
    """A char vocabulary of the anthology."""
    return train_tokenizer([anthology])


@pytest.fixture(scope="session")
def make_checkpoint(tokenizer: Tokenizer) -> MakeCheckpoint:
    """Write an untrained checkpoint: its text is noise, but as reproducible as any."""

    def make(
        folder: Path,
        *,
        cell: Cell = "lstm",
        hidden: int = 32,
        layers: int = 2,
        seed: int = 0,
        skip: bool = False,
    ) -> Path:
        config = ModelConfig(
            cell=cell,
            vocab_size=tokenizer.vocab_size,
            embedding_size=hidden,
            hidden_size=hidden,
            num_layers=layers,
            skip=skip,
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = Network(config).initialise().eval()
        description = Description(format=1, architecture=config, tokenizer="char")
        whole = Checkpoint(
            network=network, tokenizer=tokenizer, description=description, card="# A test\n"
        )
        checkpoints.save(whole, folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_checkpoint(
    make_checkpoint: MakeCheckpoint, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of one untrained checkpoint, named `tiny`; not to be changed."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="session")
def tiny(tiny_checkpoint: Path) -> Checkpoint:
    """The same, loaded; not to be changed."""
    return checkpoints.load(tiny_checkpoint)


@pytest.fixture(scope="session")
def worded_checkpoint(
    tiny_checkpoint: Path, anthology: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same with a word list, so that it composes poems; named `tiny` too."""
    folder = Path(
        shutil.copytree(tiny_checkpoint, tmp_path_factory.mktemp("worded") / tiny_checkpoint.name)
    )
    words = Counter(re.findall(r"[a-z]+(?:'[a-z]+)?", anthology.casefold())).most_common()
    counts = [12 * count for _, count in words]  # enough for any word to rhyme
    packed = pack([word for word, _ in words], [counts, counts, [0] * len(words)], [])
    checkpoints.add_file(folder, WORDS, packed.serialized, facts={}, card="# A test\n")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A tenth of the anthology as `poems.txt`, in a folder with room for runs."""
    from training_runs import small_corpus  # the commands of training: only where they are tested

    return small_corpus(tmp_path)


@pytest.fixture(autouse=True)
def torch_as_before() -> Iterator[None]:
    """Torch's generator and thread count do not leak from one test to the next.

    One thread unless a test says otherwise: products so small cost least with it, above all
    beside other work.
    """
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_rng_state(state)
    torch.set_num_threads(threads)
