"""Run of the cell study: three networks of equal size are trained on text and recall, and measured.

OUT/study.md    the page        OUT/*.png    its plots        OUT/study.json    what they show
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from model import checkpoint as checkpoints
from model.atomic_write import replacing_folder
from model.checkpoint import Checkpoint
from model.device import resolve_device, use_threads
from model.errors import ParameterError
from training.cell_study.cell_study_config import CellStudyConfig
from training.cell_study.cell_study_data import write_data
from training.cell_study.cell_study_page import FILES, PAGE, write_page
from training.cell_study.cell_study_plots import draw_all
from training.cell_study.experiments import (
    Say,
    measure_gates,
    measure_recall,
    measure_text_learning,
)
from training.cell_study.findings import CellStudy
from training.data.corpus import Corpus, is_prepared, load_corpus, prepare
from training.data.corpus_options import CorpusOptions
from training.data.corpus_report import corpus_lines
from training.data.sources import require_outside
from training.process_settings import keep_freed_memory
from training.training_errors import CorpusError, RunError


def run_cell_study(config: CellStudyConfig, say: Say) -> Path:
    """Run the cell study, write page and plots to `config.out`, and return the page's path.

    Raises CorpusError, ParameterError or RunError before any work where it can be known then.
    """
    began = time.monotonic()
    use_threads(config.threads)
    device = resolve_device(config.device)
    loaded = _load_lstm(config, device)
    _require_replaceable(config.out)
    require_outside(config.corpus, config.out)
    keep_freed_memory()
    with replacing_folder(config.out) as folder, _corpus(config) as corpus:
        for line in corpus_lines(config.corpus, corpus):
            say(line)
        text = measure_text_learning(config, corpus, device, say)
        recall = measure_recall(config, device, say)
        say("gates")
        gates = measure_gates(config, corpus, text.trained["lstm"].after, loaded)
        study = CellStudy(
            config=config,
            manifest=corpus.manifest,
            text=text,
            recall=recall,
            gates=gates,
            minutes=(time.monotonic() - began) / 60,
        )
        draw_all(study, folder)
        write_data(study, folder)
        write_page(study, folder)
    return config.out / PAGE


def _load_lstm(config: CellStudyConfig, device: torch.device) -> Checkpoint | None:
    """Load the checkpoint whose gates are asked for, if one is."""
    layers = 1  # of the study's own
    loaded = None
    if config.checkpoint is not None:
        loaded = checkpoints.load(config.checkpoint, device)
        layers = loaded.network.config.num_layers
        if (cell := loaded.network.config.cell) != "lstm":
            raise ParameterError(
                "checkpoint", f"must be of an lstm, which has gates, not of {cell}"
            )
        if (kind := loaded.tokenizer.kind) != "char":
            raise ParameterError("checkpoint", f"must read characters, its tokens are {kind}")
    if config.layer is not None and config.layer > layers:
        raise ParameterError("layer", f"must be 1 to {layers}, got {config.layer}")
    return loaded


def _require_replaceable(out: Path) -> None:
    if out.is_dir() and any(file.name not in FILES for file in out.iterdir()):
        raise RunError(
            f"{out}: holds something other than a study, which would be lost; name a new folder"
        )


@contextmanager
def _corpus(config: CellStudyConfig) -> Iterator[Corpus]:
    """Load a prepared corpus of characters, or prepare one that is there while the block runs."""
    names = config.corpus
    if len(names) == 1 and is_prepared(names[0]):
        corpus = load_corpus(Path(names[0]))
        if (kind := corpus.manifest.options.tokenizer) != "char":
            raise CorpusError(f"{names[0]}: prepared by {kind}; a study needs it by char")
        yield corpus
    else:
        with tempfile.TemporaryDirectory() as data:
            yield prepare(names, Path(data), CorpusOptions(word_list=False))
