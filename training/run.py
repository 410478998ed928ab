"""One training run: its folder, its corpus, its loop, its checkpoints, and how it ends.

runs/NAME/config.json      every field of the run
runs/NAME/data/            the prepared corpus
runs/NAME/last/            where --resume goes on; also a checkpoint
runs/NAME/metrics.jsonl    losses, rates, speed; tensorboard/ holds the same
runs/NAME/report/          card, samples and loss curve, written at the end
checkpoints/NAME/          the best checkpoint so far: what is served
"""

import fcntl
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import torch
from pydantic import ValidationError
from rich.console import Console

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import ModelConfig
from model.device import resolve_device
from model.durable import remove_leftovers
from model.errors import ParameterError
from model.network import Network
from training.batches import Streams
from training.config import TrainConfig
from training.corpus import Corpus, changed_sources, is_prepared, load_corpus, prepare
from training.errors import RunError
from training.loop import Loop
from training.runlog import Display, RunLog
from training.state import load_state
from training.trainer import Trainer

CONFIG, DATA, LAST, LOCK = "config.json", "data", "last", "lock"
FEW_DOCUMENTS = 20  # fewer, in documents, are worth a word
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. `stopped_by` is the signal that cut it short, if one did."""

    name: str
    checkpoint: Path
    stopped_by: int | None


def start(config: TrainConfig, console: Console) -> Outcome:
    """Begin a new run and train it to its end or to a signal. Raises RunError, CorpusError."""
    name = config.name if config.name is not None else _free_name(config)
    config = config.model_copy(update={"name": name})
    folder = config.runs_dir / name
    if (folder / CONFIG).exists():
        raise RunError(
            f"{folder} exists; go on with it (--resume --name {name}) or choose another --name"
        )
    try:
        with _locked(folder):
            corpus, initial = _prepare(config, folder, console)
            trainer = _build_trainer(config, corpus, initial)
            (folder / CONFIG).write_text(config.model_dump_json(indent=2) + "\n", "utf-8")
            return _train(config, folder, corpus, trainer, console, resume=False)
    finally:
        if folder.exists() and not (folder / CONFIG).exists():
            shutil.rmtree(folder)  # it never began: the name stays free


def resume(folder: Path, console: Console) -> Outcome:
    """Go on with a run that was interrupted. Raises RunError when that is not possible."""
    config = _read_config(folder)
    with _locked(folder):
        corpus = load_corpus(_data_folder(config, folder))
        changed = list(changed_sources(corpus.manifest))
        if changed:
            raise RunError(
                f"{', '.join(changed)} changed since run {folder.name} began; put the text back, "
                f"or begin a new run with --init-from {config.checkpoints_dir / folder.name}"
            )
        has_state = (folder / LAST).is_dir()  # else it was killed before its first save
        initial = checkpoints.load(folder / LAST) if has_state else _initial(config)
        trainer = _build_trainer(config, corpus, initial)
        return _train(config, folder, corpus, trainer, console, resume=has_state)


def _free_name(config: TrainConfig) -> str:
    """The corpus file's name, with a number behind it where that is taken."""
    stem = Path(config.corpus[0]).name.split(".")[0]
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)
    stem = stem.strip("-_") or "run"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 10_000))]
    return next(name for name in names if not (config.runs_dir / name).exists())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep a second process from working on the same run."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"{folder} is in use: another process is training it") from error
        yield


def _data_folder(config: TrainConfig, folder: Path) -> Path:
    name = config.corpus[0]
    return Path(name) if len(config.corpus) == 1 and is_prepared(name) else folder / DATA


def _prepare(
    config: TrainConfig, folder: Path, console: Console
) -> tuple[Corpus, Checkpoint | None]:
    initial = _initial(config)
    data = _data_folder(config, folder)
    if data == folder / DATA:
        prepare(
            config.corpus,
            data,
            config.corpus_options,
            valid_names=config.valid_corpus,
            tokenizer=initial.tokenizer if initial is not None else None,
        )
    corpus = load_corpus(data)
    if initial is not None and initial.tokenizer.serialized != corpus.tokenizer.serialized:
        raise RunError(f"{config.init_from} and the prepared corpus have different vocabularies")
    facts = corpus.manifest
    console.print(
        f"{facts.train.characters:,} characters to train on, {facts.valid.characters:,} to "
        f"validate, {facts.vocabulary} tokens, {facts.duplicate_documents} duplicates left out",
        highlight=False,
    )
    documents = facts.train.documents + facts.valid.documents
    if config.split == "documents" and documents < FEW_DOCUMENTS:
        console.print(
            f"only {documents} documents were found: two blank lines part them, or what "
            "--document-separator names; for one long text use --split contiguous",
            highlight=False,
        )
    return corpus, initial


def _initial(config: TrainConfig) -> Checkpoint | None:
    return checkpoints.load(config.init_from) if config.init_from is not None else None


def _build_trainer(config: TrainConfig, corpus: Corpus, initial: Checkpoint | None) -> Trainer:
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    device = resolve_device(config.device)
    torch.manual_seed(config.seed)
    if initial is not None:
        dropout = {"dropout": config.dropout}
        architecture = initial.description.architecture.model_copy(update=dropout)
        network = Network(architecture)
        network.load_state_dict(initial.network.state_dict())
    else:
        network = Network(_architecture(config, corpus)).initialise()
    streams = Streams(
        corpus.train,
        batch_size=config.batch_size,
        sequence_length=config.sequence_length,
        seed=config.seed,
    )
    return Trainer(config, network.to(device), streams)


def _architecture(config: TrainConfig, corpus: Corpus) -> ModelConfig:
    shared = ModelConfig.model_fields.keys() & TrainConfig.model_fields.keys() - {"vocab_size"}
    fields = {name: getattr(config, name) for name in shared}
    try:
        return ModelConfig(vocab_size=corpus.tokenizer.vocab_size, **fields)
    except ValidationError as error:
        raise ParameterError.from_validation(error) from error


def _read_config(folder: Path) -> TrainConfig:
    path = folder / CONFIG
    if not path.is_file():
        raise RunError(f"{folder}: there is no run of this name to resume")
    try:
        return TrainConfig.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(f"{path}: {ParameterError.from_validation(error)}") from error


def _train(
    config: TrainConfig,
    folder: Path,
    corpus: Corpus,
    trainer: Trainer,
    console: Console,
    *,
    resume: bool,
) -> Outcome:
    progress = load_state(folder / LAST, trainer) if resume else None
    checkpoint_folder = config.checkpoints_dir / folder.name
    for target in (folder / LAST, checkpoint_folder):
        remove_leftovers(target)
    log = RunLog(folder, from_step=trainer.step_number)
    display = Display(console, done=trainer.progress)
    loop = Loop(trainer, corpus, log, display, last=folder / LAST, best=checkpoint_folder)
    if progress is not None:
        loop.progress = progress
    request = _StopRequest()
    try:
        with _signals_to(request):
            loop.run(request)
        if request.signal is None:
            loop.finish(folder)
    finally:
        display.close()
        log.close()
    return Outcome(name=folder.name, checkpoint=checkpoint_folder, stopped_by=request.signal)


@dataclass(slots=True)
class _StopRequest:
    """Set by a signal, looked at between steps."""

    signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def _signals_to(request: _StopRequest) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM asks for a clean stop; the second one is not caught."""

    def handle(number: int, _frame: FrameType | None) -> None:
        request.signal = number
        for caught in STOP_SIGNALS:
            signal.signal(caught, previous[caught])

    previous = {caught: signal.signal(caught, handle) for caught in STOP_SIGNALS}
    try:
        yield
    finally:
        for caught in STOP_SIGNALS:
            signal.signal(caught, previous[caught])
