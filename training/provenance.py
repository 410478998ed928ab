"""Provenance of a checkpoint: corpus, preset, steps, losses, versions; for card and config.json.

Knows nothing of when they are written.
"""

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from model.checkpoint import Checkpoint
from model.description import PURPOSE
from training.data.corpus import Corpus
from training.data.reading_report import ReadingFacts
from training.optimization.trainer import Trainer

NAMED_SOURCES = 5  # a folder may hold thousands of files

CORPUS_HASH, CORPUS_LENGTH = "corpus sha256", "training characters"
WORDS_KEPT = "words kept"
BEGUN_FROM = "begun from"


def provenance_facts(
    trainer: Trainer, corpus: Corpus, *, best_nats: float | None
) -> dict[str, str | int | float | None]:
    """Collect the facts at this moment of a run: network, corpus, updates, losses, versions."""
    config, manifest = trainer.config, corpus.manifest
    return {
        PURPOSE: config.purpose,
        "network": trainer.network.config.summary,
        "preset": config.preset,
        "corpus": _in_short([Path(source.name).name for source in manifest.sources]),
        **_rights(manifest.reading),
        CORPUS_HASH: manifest.text_sha256,
        CORPUS_LENGTH: manifest.train.characters,
        WORDS_KEPT: manifest.words,
        "weight updates": trainer.step_number,
        "epochs": round(trainer.streams.epochs_done, 2),
        "training minutes": round(trainer.seconds / 60, 2),
        "best validation nats per token": best_nats,
        "seed": config.seed,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _rights(reading: ReadingFacts | None) -> dict[str, str | None]:
    """Format what files tell of their authors, titles and rights; None where they tell nothing."""
    if reading is None:
        return {}
    told = {
        "authors": list(reading.authors),
        "titles": reading.titles,
        "rights": reading.licences,
    }
    return {name: _in_short(texts) if texts else None for name, texts in told.items()}


def is_trained_on(checkpoint: Checkpoint, corpus: Corpus) -> bool:
    """Check whether a checkpoint was trained on `corpus`: its text, split and vocabulary."""
    facts, manifest = checkpoint.description.provenance, corpus.manifest
    return (
        checkpoint.tokenizer.serialized == corpus.tokenizer.serialized
        and facts.get(CORPUS_HASH) == manifest.text_sha256
        and facts.get(CORPUS_LENGTH) == manifest.train.characters
    )


def _in_short(names: Sequence[str]) -> str:
    more = len(names) - NAMED_SOURCES
    shown = ", ".join(names[:NAMED_SOURCES])
    return f"{shown} and {more:,} more" if more > 0 else shown
