"""Corpus of a training run: prepared into the run's folder, or a prepared one that is checked.

Knows nothing of the network and the loop.
"""

from pathlib import Path

from model.atomic_write import remove_leftovers
from model.checkpoint import Checkpoint
from model.errors import ParameterError
from model.tokenizer_widening import is_widened
from training.data.corpus import (
    Corpus,
    changed_sources,
    is_prepared,
    load_corpus,
    prepare,
    require_options,
)
from training.data.corpus_options import CorpusOptions
from training.data.sources import require_outside
from training.run_folder import DATA
from training.train_config import TrainConfig
from training.training_errors import RunError


def data_folder(config: TrainConfig, folder: Path) -> Path:
    """Find a run's prepared corpus: the one that the config names, or the one in its folder."""
    name = config.corpus[0]
    return Path(name) if len(config.corpus) == 1 and is_prepared(name) else folder / DATA


def prepare_corpus(config: TrainConfig, folder: Path, initial: Checkpoint | None) -> Corpus:
    """Prepare the corpus of a run that begins in `folder`, or check the prepared one it names.

    `initial` is the checkpoint that the run begins with: its tokenizer is used, and widened by what
    the text has besides. Raises
    CorpusError, ParameterError or RunError.
    """
    data = data_folder(config, folder)
    if data == folder / DATA:
        remove_leftovers(data)
        require_outside(config.corpus, config.checkpoints_dir)
        corpus = prepare(
            config.corpus,
            data,
            config.corpus_options,
            valid_names=config.valid_corpus,
            tokenizer=initial.tokenizer if initial is not None else None,
        )
    else:
        corpus = load_prepared(config, data)
    if initial is not None and not is_widened(corpus.tokenizer, initial.tokenizer):
        raise RunError(f"{config.init_from} and the prepared corpus have different vocabularies")
    return corpus


def load_prepared(config: TrainConfig, data: Path) -> Corpus:
    """Load a prepared corpus for a run.

    Raises ParameterError for a field that asks for another one.
    """
    if config.valid_corpus:
        problem = f"{data} is prepared and brings its own; give valid_corpus to prepare"
        raise ParameterError("valid_corpus", problem)
    corpus = load_corpus(data)
    given = config.model_fields_set & CorpusOptions.model_fields.keys()
    if "word_list" in given and config.word_list and corpus.word_list is None:
        problem = f"{data} was prepared without one; leave it out, or prepare anew"
        raise ParameterError("word_list", problem)
    require_options(corpus.manifest, data, {name: getattr(config, name) for name in sorted(given)})
    return corpus


def require_unchanged(corpus: Corpus, name: str, checkpoints_dir: Path) -> None:
    """Check that a run's source files are as they were. Raises RunError, which names the others."""
    if changed := list(changed_sources(corpus.manifest)):
        raise RunError(
            f"{', '.join(changed)} changed since run {name} began, or is missing here; put the "
            f"text back, or begin a new run with --from {checkpoints_dir / name}"
        )
