"""One training run from start or resume to its end: corpus, trainer, loop, checkpoints, signals.

runs/NAME/                 see training.run_folder; metrics and report are written there, too
checkpoints/NAME/          the best checkpoint so far: what is served
"""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from rich.console import Console

from model import checkpoint as checkpoints
from model.atomic_write import remove_leftovers
from model.checkpoint import WEIGHTS, Checkpoint
from model.config import ModelConfig, NetworkShape
from model.device import resolve_device, use_threads
from model.errors import ParameterError
from model.network import Network
from training.checkpointing import CheckpointSaver
from training.data.batches import Streams
from training.data.corpus import Corpus, load_corpus
from training.data.corpus_report import corpus_lines
from training.distributed import SINGLE_PROCESS, ProcessGroup, own_device
from training.memory_need import network_lines, required_memory
from training.optimization.precision import autocast_dtype
from training.optimization.trainer import Trainer
from training.origin import begun_from_fact, initial_checkpoint, with_origin_found, with_words_of
from training.process_settings import ignore_split_weights_warning, keep_freed_memory
from training.provenance import is_trained_on
from training.resume_state import Progress, load_state
from training.run_corpus import data_folder, prepare_corpus, require_unchanged
from training.run_failures import memory_failures, run_failures
from training.run_folder import (
    LAST,
    free_name,
    locked,
    read_config,
    require_new,
    write_config,
)
from training.run_log import Display, Log, RunLog
from training.signals import Interrupted, StopRequest, interruptible, request_stop_on_signal
from training.terminal_output import say
from training.train_config import TrainConfig
from training.training_errors import RunError
from training.training_loop import OnValidation, TrainingLoop
from training.widening import new_character_lines, widened_network
from training.wider_layers import require_wider, with_wider_layers


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """Outcome of a run. `stopped_by` is the signal that cut it short, if one did."""

    folder: Path
    checkpoint: Path
    stopped_by: int | None


def start(
    config: TrainConfig,
    console: Console,
    group: ProcessGroup = SINGLE_PROCESS,
    *,
    on_validation: OnValidation | None = None,
) -> RunOutcome:
    """Start a new run and train it to its end or to a signal. Raises RunError, CorpusError.

    What `on_validation` raises ends the run, too, and is passed on.
    """
    name = config.name if config.name is not None else free_name(config)
    config = config.model_copy(update={"name": name})
    folder, served = config.runs_dir / name, config.checkpoints_dir / name
    group.run_on_writer(lambda: require_new(folder, served))
    initial = _checked_start(config, group)
    config = with_origin_found(config)
    with ExitStack() as held:

        def claim() -> None:
            _require_writable(config.checkpoints_dir)
            held.enter_context(locked(folder))
            require_new(folder, served)  # another process may have begun it meanwhile
            with _removed_on_failure(folder):
                corpus = prepare_corpus(config, folder, initial)
                _announce(config, corpus, initial, group, console)

        group.run_on_writer(claim)
        with _removed_on_failure(folder) if group.is_writer else nullcontext():
            corpus = with_words_of(initial, load_corpus(data_folder(config, folder)))
            with memory_failures():
                trainer = _build_trainer(config, corpus, initial, group)
        group.run_on_writer(lambda: write_config(folder, config))
        begun_from = begun_from_fact(config, initial)
        saver = _saver(folder, config, corpus, trainer, begun_from)
        return _train(folder, corpus, trainer, saver, console, on_validation=on_validation)


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Remove the run's folder where the block fails: the run never began, its name stays free."""
    try:
        yield
    except BaseException:
        shutil.rmtree(folder)
        raise


def resume(folder: Path, console: Console, group: ProcessGroup = SINGLE_PROCESS) -> RunOutcome:
    """Resume an interrupted run from its last saved state. Raises RunError where it cannot be."""
    config = read_config(folder)
    _require_equal_shares(config, group)
    with ExitStack() as held:

        def claim() -> None:
            held.enter_context(locked(folder))
            corpus = load_corpus(data_folder(config, folder))
            require_unchanged(corpus, folder.name, config.checkpoints_dir)

        group.run_on_writer(claim)
        corpus = load_corpus(data_folder(config, folder))
        # Without a state it was killed before its first save, and begins again.
        has_state = bool(group.broadcast((folder / LAST).exists()))
        initial = checkpoints.load(folder / LAST) if has_state else initial_checkpoint(config)
        if has_state and initial is not None and not is_trained_on(initial, corpus):
            raise RunError(f"{data_folder(config, folder)} is not the corpus that run began with")
        group.run_on_writer(lambda: _announce(config, corpus, initial, group, console))
        corpus = with_words_of(initial, corpus, is_own=has_state)
        trainer = _build_trainer(config, corpus, initial, group)
        progress = load_state(folder / LAST, trainer) if has_state else None
        begun_from = begun_from_fact(config, initial, is_own=has_state)
        saver = _saver(folder, config, corpus, trainer, begun_from)
        return _train(folder, corpus, trainer, saver, console, progress=progress)


def _checked_start(config: TrainConfig, group: ProcessGroup) -> Checkpoint | None:
    """Load the checkpoint that a run begins with, and refuse what could only fail later.

    The writer tries everything first, so that what one field forbids ends all processes before
    they agree on the precision; else those that got so far would wait for the others.
    """
    loaded: list[Checkpoint | None] = []

    def attempt() -> None:
        resolve_device(own_device(config.device))
        _require_equal_shares(config, group)
        initial = initial_checkpoint(config)
        if initial is not None and config.widen_to is not None:
            require_wider(initial.description.architecture, config.widen_to)
        # With the smallest vocabulary: the right one is not known before the corpus is read.
        required_memory(config, architecture_of(config, initial, vocab_size=2), group)
        loaded.append(initial)

    group.run_on_writer(attempt)
    initial = loaded[0] if loaded else initial_checkpoint(config)
    require_precision(config, initial, group)
    return initial


def _require_writable(checkpoints_dir: Path) -> None:
    checkpoints_dir.mkdir(parents=True, exist_ok=True)
    if not os.access(checkpoints_dir, os.W_OK):
        raise RunError(f"checkpoints_dir: {checkpoints_dir} may not be written to")


def require_precision(
    config: TrainConfig, initial: Checkpoint | None, group: ProcessGroup = SINGLE_PROCESS
) -> None:
    """Raise ParameterError where the network that a run begins with cannot train in bf16.

    `initial` is the checkpoint that it begins with, if any.
    """
    if config.precision == "bf16":
        architecture = architecture_of(config, initial, vocab_size=2)
        autocast_dtype(config, architecture, resolve_device(own_device(config.device)), group)


def _require_equal_shares(config: TrainConfig, group: ProcessGroup) -> None:
    if config.batch_size % group.size > 0:
        problem = f"must be a multiple of {group.size}, the number of processes that share it"
        raise ParameterError("batch_size", f"{problem}, got {config.batch_size}")


def _build_trainer(
    config: TrainConfig, corpus: Corpus, initial: Checkpoint | None, group: ProcessGroup
) -> Trainer:
    use_threads(config.threads)
    device = resolve_device(own_device(config.device))
    torch.manual_seed(config.seed)
    streams = Streams(
        corpus.train,
        batch_size=config.batch_size,
        sequence_length=config.sequence_length,
        vary_lengths=config.vary_lengths,
        seed=config.seed,
        rows=group.share(config.batch_size),
    )
    architecture = architecture_of(config, initial, corpus.tokenizer.vocab_size)
    if initial is not None:
        network = Network(initial.description.architecture)
        network.load_state_dict(initial.network.state_dict())
        network = widened_network(network, initial.tokenizer, corpus.tokenizer, config.seed)
        if architecture.hidden_size != network.config.hidden_size:
            network = with_wider_layers(network, architecture.hidden_size, config.seed)
    else:
        network = interruptible(lambda: Network(architecture).initialise())
    if group.rank > 0:  # the same weights, but masks of its own
        torch.manual_seed(config.seed + group.rank)
    return Trainer(config, network.to(device), streams, group)


def architecture_of(
    config: TrainConfig, initial: Checkpoint | None, vocab_size: int
) -> ModelConfig:
    """Architecture of a run's network: `initial`'s, or the config's. Raises ParameterError.

    That of `initial` is widened to a larger vocabulary, and its layers where that is asked for.
    """
    if initial is not None:
        own = initial.description.architecture
        hidden_size = own.hidden_size if config.widen_to is None else config.widen_to
        vocab_size = max(own.vocab_size, vocab_size)
        return own.model_copy(update={"vocab_size": vocab_size, "hidden_size": hidden_size})
    fields = {name: getattr(config, name) for name in NetworkShape.model_fields}
    try:
        return ModelConfig(vocab_size=vocab_size, **fields)
    except ValidationError as error:
        raise ParameterError.from_validation(error) from error


def _announce(
    config: TrainConfig,
    corpus: Corpus,
    initial: Checkpoint | None,
    group: ProcessGroup,
    console: Console,
) -> None:
    """Say what is about to be learned and by what. Raises MemoryLimitError."""
    say(console, *corpus_lines((*config.corpus, *config.valid_corpus), corpus))
    if initial is not None and config.init_from is not None:
        lines = new_character_lines(initial.tokenizer, corpus.tokenizer, config.init_from.name)
        say(console, *lines)
    architecture = architecture_of(config, initial, corpus.tokenizer.vocab_size)
    need, demands = required_memory(config, architecture, group)
    say(console, *network_lines(architecture, need, demands))


def _saver(
    folder: Path, config: TrainConfig, corpus: Corpus, trainer: Trainer, begun_from: str | None
) -> CheckpointSaver:
    """Saver of a run's checkpoints. Raises RunError where the served one would replace others."""
    served = config.checkpoints_dir / folder.name
    if served.exists() and not (served / WEIGHTS).is_file():
        raise RunError(f"{served} is not a checkpoint and would be replaced; move it away")
    last = folder / LAST
    return CheckpointSaver(trainer, corpus, last=last, best=served, begun_from=begun_from)


def _train(
    folder: Path,
    corpus: Corpus,
    trainer: Trainer,
    saver: CheckpointSaver,
    console: Console,
    *,
    progress: Progress | None = None,
    on_validation: OnValidation | None = None,
) -> RunOutcome:
    is_writer = trainer.group.is_writer
    if is_writer:
        for target in (folder / LAST, saver.best):
            remove_leftovers(target)
    keep_freed_memory()
    if trainer.config.weight_drop > 0:
        ignore_split_weights_warning()
    request = StopRequest()
    with (
        run_failures(folder),
        RunLog(folder, from_step=trainer.step_number) if is_writer else Log() as log,
        Display(console, done=trainer.progress) as display,
    ):
        loop = TrainingLoop(trainer, corpus, log, display, saver, on_validation=on_validation)
        if progress is not None:
            loop.resume_from(progress)
        try:
            with request_stop_on_signal(request):
                is_stopped = loop.run(request)
            if is_stopped and request.signal is None:  # it came to another process
                request.signal = signal.SIGTERM
            if not is_stopped and is_writer:
                loop.finish(folder)
        except Interrupted as stop:  # a second signal, or one while finishing
            request.signal = stop.number
    return RunOutcome(folder=folder, checkpoint=saver.best, stopped_by=request.signal)
