"""Quality of the int8 backend beside fp32: bits per character of one text, by backend.

    python benchmarks/bench_quality.py --checkpoint FOLDER --text FILE [--characters 2000000]

The text is cut into 64 equal parts, read side by side with their states carried. The difference to
fp32 is in percent of its bits per character.
"""

import argparse
import lzma
import math
from pathlib import Path
from typing import Any

import torch
from measured import show_json, show_table
from torch import Tensor
from torch.nn import functional

from model import checkpoint as checkpoints
from model.decoding.backends.base import Backend
from model.decoding.backends.fp32 import Fp32Backend
from model.decoding.backends.int8 import Int8Backend
from model.decoding.decoder import CHUNK
from model.tokenizer import BOS_ID

ROWS = 64


def read(path: Path) -> str:
    """Read a text, unpacked if its name ends in .xz."""
    raw = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    return raw.decode("utf-8")


@torch.inference_mode()
def bits_per_character(backend: Backend, ids: Tensor) -> float:
    """Mean surprisal of ids (ROWS, N), the first of each row given."""
    state, total = backend.zero_state(ROWS), 0.0
    for step in range(ids.shape[1] - 1):
        logits = backend.step(ids[:, step], state)
        total += float(functional.cross_entropy(logits, ids[:, step + 1], reduction="sum"))
    return total / (ids.shape[0] * (ids.shape[1] - 1)) / math.log(2)


def main() -> None:
    """Measure every backend and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--characters", type=int, default=2_000_000)
    args = parser.parse_args()
    loaded = checkpoints.load(args.checkpoint)
    text = read(args.text)[: args.characters]
    ids = torch.tensor([BOS_ID, *loaded.tokenizer.encode(text)])
    ids = ids[: len(ids) // ROWS * ROWS].view(ROWS, -1)
    backends: dict[str, Backend] = {
        "fp32": Fp32Backend(loaded.network, block_rows=ROWS, chunk=CHUNK),
        "int8": Int8Backend(loaded.network),
    }
    bits = {name: bits_per_character(backend, ids) for name, backend in backends.items()}
    rows = [
        [name, f"{value:.4f}", f"{(value / bits['fp32'] - 1) * 100:+.2f} %"]
        for name, value in bits.items()
    ]
    show_table(["backend", "bits per character", "to fp32"], rows)
    results: dict[str, Any] = {"characters": ids.numel(), "bits_per_character": bits}
    show_json(results)


if __name__ == "__main__":
    main()
