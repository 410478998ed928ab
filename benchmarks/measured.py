"""Helpers of the benchmarks: a checkpoint to measure with, measuring in turns, result tables."""

import json
import platform
import statistics
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import ModelConfig
from model.description import Description
from model.network import Network
from model.tokenizer import TokenizerKind
from model.tokenizer_training import train_tokenizer
from training.train_config import ANTHOLOGY

ROOT = Path(__file__).parent.parent


def make_checkpoint(layers: int, hidden: int, kind: TokenizerKind = "char") -> Checkpoint:
    """Make an untrained checkpoint with the anthology's vocabulary: weights do not change speed."""
    tokenizer = train_tokenizer([ANTHOLOGY.read_text(encoding="utf-8")], kind=kind)
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size,
        embedding_size=128,
        hidden_size=hidden,
        num_layers=layers,
    )
    torch.manual_seed(1)
    return Checkpoint(
        network=Network(config).initialise().eval().requires_grad_(requires_grad=False),
        tokenizer=tokenizer,
        description=Description(format=1, architecture=config, tokenizer=kind),
        card="# A network to measure with\n",
    )


def save_checkpoint(layers: int, hidden: int, folder: Path, kind: TokenizerKind = "char") -> Path:
    """Save an untrained checkpoint as a folder that a service can load."""
    checkpoints.save(make_checkpoint(layers, hidden, kind), folder)
    return folder


def in_turn(sides: Sequence[Callable[[], float]], turns: int) -> list[list[float]]:
    """Measure each side once a turn; the figures by side. The first turn warms up."""
    rows = [[side() for side in sides] for _ in range(turns + 1)]
    return [list(column) for column in zip(*rows[1:], strict=True)]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Ratio of ours to theirs, turn by turn: median, least and most."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def spread(values: dict[str, float], digits: int = 1) -> str:
    """Text of a ratio: median, least and most."""
    median, least, most = (f"{values[name]:.{digits}f}" for name in ("median", "min", "max"))
    return f"{median} ({least} to {most})"


def quantile(ordered: list[float], share: float) -> float:
    """Quantile: the smallest value that a share of the values does not exceed; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def machine() -> dict[str, Any]:
    """Machine, versions and commit that the figures were measured on."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "commit": commit,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def show_json(results: Any) -> None:
    """Print machine and results as JSON on one line, for programs."""
    print(json.dumps({"machine": machine(), "results": results}), flush=True)
