"""Name the units of a checkpoint by what they follow in held-out verse, for the page's See.

    python benchmarks/name_units.py --text FILE [--checkpoint model/pretrained/verse]

The text is read in passages from the zero state. In every layer of an lstm, and for every target of
`unit_targets`, the unit whose cell state (its tanh) correlates best with the target is chosen on
every other passage, and its correlation measured on those between. Where that is at least LEAST
the unit is named. A unit that would get two names keeps that which it follows better.

Writes `service/web/static/see/units.json`: by the checkpoint's fingerprint, so that another model
gets no wrong names. Run it once for each new model that ships; a test says so. Where only what lies
around the same weights has changed, such as the card, --text is not needed: the names stay.
"""

import argparse
import hashlib
import json
import lzma
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from measured import show_table
from unit_targets import TARGETS

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import Checkpoint
from model.gate_activations import layer_activations

ROOT = Path(__file__).parent.parent
UNITS = ROOT / "service" / "web" / "static" / "see" / "units.json"
LEAST = 0.5
PASSAGE = 1500  # characters: as many as the page reads

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def passages(text: str, count: int) -> list[str]:
    """Choose passages of a text, evenly apart, each from the begin of a stanza.

    Of three in a row one has quotes in it and one has brackets, if any there have: else what is
    rare would be looked for where it is not.
    """
    step = max(PASSAGE, len(text) // count)
    found: list[str] = []
    for start in range(0, len(text) - PASSAGE, step):
        wanted = ("", '"', "(")[len(found) % 3]
        there = (each for each in stanzas(text, start, start + step) if wanted in each)
        found += islice(there, 1)
    return found


def stanzas(text: str, start: int, end: int) -> Iterator[str]:
    """Find the passages that begin with the stanzas between two places."""
    while (start := text.find("\n\n", start, end)) >= 0:
        passage = text[start : start + 2 * PASSAGE].lstrip("\n")[:PASSAGE]
        start += 2
        if len(passage) == PASSAGE:
            yield passage


class Sums:
    """Sums that the correlations of H units with each target need, over many places."""

    def __init__(self, width: int) -> None:
        self._sums = {name: [np.zeros(width) for _ in range(6)] for name in TARGETS}

    def add(self, cells: Numbers, tokens: list[str]) -> None:
        """Add a passage: cells (T, H), and its T tokens."""
        for name, series_of in TARGETS.items():
            series = series_of(tokens)
            kept = [at for at, value in enumerate(series) if value is not None]
            x = np.array([series[at] for at in kept], dtype=float)[:, None]
            y = cells[kept]
            terms = (np.ones_like(y), x + 0 * y, y, x * x + 0 * y, y * y, x * y)
            sums = zip(self._sums[name], terms, strict=True)
            self._sums[name] = [total + term.sum(axis=0) for total, term in sums]

    def correlations(self, name: str) -> Numbers:
        """Pearson's correlation of each unit with a target, (H,); 0 where either is constant."""
        n, x, y, xx, yy, xy = self._sums[name]
        spread = np.sqrt(np.maximum((n * xx - x * x) * (n * yy - y * y), 0))
        return np.where(spread > 0, (n * xy - x * y) / np.where(spread > 0, spread, 1), 0)


def layer_sums(loaded: Checkpoint, texts: list[str], layer: int) -> tuple[Sums, Sums]:
    """Sums over every other text, and over those between."""
    width = loaded.network.config.hidden_size
    halves = Sums(width), Sums(width)
    for number, text in enumerate(texts):
        ids = loaded.tokenizer.encode_prompt(text).ids
        steps, _ = layer_activations(loaded.network, ids, layer, loaded.network.zero_state(1))
        if steps.gates is None:
            raise SystemExit("the checkpoint must be of an lstm, which has cells")
        tokens = [loaded.tokenizer.token_text(token) for token in ids[1:]]
        halves[number % 2].add(steps.gates.cell[1:].tanh().double().numpy(), tokens)
    return halves


def named(loaded: Checkpoint, texts: list[str]) -> Iterator[dict[str, Any]]:
    """Units with what they follow, the best first in each layer."""
    for layer in range(loaded.network.config.num_layers):
        chosen, measured = layer_sums(loaded, texts, layer)
        best: dict[int, dict[str, Any]] = {}
        for name in TARGETS:
            unit = int(np.abs(chosen.correlations(name)).argmax())
            correlation = round(float(measured.correlations(name)[unit]), 3)
            if abs(correlation) < max(LEAST, abs(best.get(unit, {}).get("correlation", 0))):
                continue
            best[unit] = {"layer": layer, "unit": unit, "target": name, "correlation": correlation}
        yield from sorted(best.values(), key=lambda entry: -abs(entry["correlation"]))


def main() -> None:
    """Find the units, write their names beside the page and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", type=Path, help="held-out verse, .txt or .xz")
    parser.add_argument("--checkpoint", type=Path, default=pretrained.DEFAULT)
    parser.add_argument("--passages", type=int, default=90)
    parser.add_argument("--out", type=Path, default=UNITS)
    args = parser.parse_args()
    loaded = checkpoints.load(args.checkpoint)
    weights = hashlib.sha256((args.checkpoint / "model.safetensors").read_bytes()).hexdigest()
    found: dict[str, Any] = {"fingerprint": f"fp_{loaded.digest}", "weights": weights}
    if args.text is None:
        before = json.loads(args.out.read_text(encoding="utf-8"))
        if before["weights"] != weights:
            parser.error("--text is needed: the names that are there are of other weights")
        found = before | found
    else:
        raw = args.text.read_bytes()
        text = (lzma.decompress(raw) if args.text.suffix == ".xz" else raw).decode("utf-8")
        texts = passages(text, args.passages)
        found |= {"characters": sum(map(len, texts)), "units": list(named(loaded, texts))}
    args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    show_table(
        ("layer", "unit", "follows", "correlation"),
        [
            (f"{u['layer'] + 1}", f"{u['unit']}", u["target"], f"{u['correlation']}")
            for u in found["units"]
        ],
    )


if __name__ == "__main__":
    main()
