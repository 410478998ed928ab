"""Origin of a run: the checkpoint that it begins from, found by its name or its folder.

What a run takes over beside the weights is here, too: words of verse, and a line of the card.
"""

from dataclasses import replace
from pathlib import Path

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import WEIGHTS, Checkpoint, LoadedCheckpoint
from model.errors import ParameterError
from training.data.corpus import Corpus
from training.merged_words import merged_words
from training.provenance import BEGUN_FROM
from training.train_config import TrainConfig


def with_origin_found(config: TrainConfig) -> TrainConfig:
    """Configuration whose `init_from` is a folder. Raises ParameterError where there is none."""
    if config.init_from is None:
        return config
    found = find_origin(config.init_from, config.checkpoints_dir)
    return config.model_copy(update={"init_from": found})


def find_origin(name: Path, checkpoints_dir: Path) -> Path:
    """Find the folder of a checkpoint that is named by itself, or by the name it is served under.

    A name is looked for in `checkpoints_dir`, then among the checkpoints that ship. Raises
    ParameterError, which tells the names there are.
    """
    places = [name]
    if len(name.parts) == 1:
        places += [checkpoints_dir / name, pretrained.FOLDER / name]
    for place in places:
        if (place / WEIGHTS).is_file():
            return place
    if name.is_dir():
        return name  # whoever loads it says what is wrong with it
    folders = (
        path.parent
        for place in (checkpoints_dir, pretrained.FOLDER)
        for path in place.glob(f"*/{WEIGHTS}")
    )
    known = ", ".join(sorted({folder.name for folder in folders}))
    raise ParameterError("from", f"there is no checkpoint {str(name)!r}; there are {known}")


def initial_checkpoint(config: TrainConfig) -> LoadedCheckpoint | None:
    """Load the checkpoint of `init_from`, if it is given.

    Raises ParameterError where there is none of that name, and CheckpointError.
    """
    found = with_origin_found(config).init_from
    return checkpoints.load(found) if found is not None else None


def with_words_of(initial: Checkpoint | None, corpus: Corpus, *, is_own: bool = False) -> Corpus:
    """Corpus whose word list is merged with that of the checkpoint which its run begins with.

    `is_own`: the checkpoint is the run's own last state, whose list is merged already.
    """
    if initial is None or initial.word_list is None or corpus.word_list is None:
        return corpus
    words = initial.word_list if is_own else merged_words(corpus.word_list, initial.word_list)
    return replace(corpus, word_list=words)


def begun_from_fact(
    config: TrainConfig, initial: Checkpoint | None, *, is_own: bool = False
) -> str | None:
    """Say for the card which checkpoint a run began with, with its fingerprint; None: with none."""
    if initial is None or config.init_from is None:
        return None
    if is_own:
        return str(initial.description.provenance.get(BEGUN_FROM))
    digest = f" (fp_{initial.digest})" if isinstance(initial, LoadedCheckpoint) else ""
    own = initial.description.architecture
    is_widened = config.widen_to is not None
    widened = f", widened from {own.num_layers} x {own.hidden_size}" if is_widened else ""
    return f"{config.init_from.name}{digest}{widened}"
