"""Blind comparison of two checkpoints: pairs of texts without names, and the count of who won.

    python benchmarks/blind_pairs.py write --one FOLDER --other FOLDER --out FOLDER
    python benchmarks/blind_pairs.py count --out FOLDER --answers FILE

`write` lets both write some lines for each seed from 1 on, none left out, and puts into the folder
`pairs.md`, which shows them as A and B in an order drawn for each pair, and `key.json`, which says
who wrote A. Readers see only the first, and answer with a line a pair: its number and A, B or =.
`count` prints for each reader how often each won, and the share of the other's wins among pairs
that were decided, with its 95 % interval (Wilson 1927). Readers are not added up: they read the
same pairs, so that two of them are no larger sample.
"""

import argparse
import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from model import checkpoint as checkpoints
from model.decoding.decoder import Decoder, decoder_of
from model.decoding.reference_driver import generate
from model.parameters import SamplingParams
from model.tokenizer import Tokenizer

STEPS = 16  # tokens a piece
SIDES = ("one", "other")
Z = 1.96  # of a normal distribution, for 95 %


def main() -> None:
    """Write pairs, or count answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    writing = commands.add_parser("write", help="let both write, and hide who wrote what")
    writing.add_argument("--one", type=Path, required=True, help="folder of a checkpoint")
    writing.add_argument("--other", type=Path, required=True, help="folder of another")
    writing.add_argument("--pairs", type=int, default=40)
    writing.add_argument("--lines", type=int, default=8, help="lines of each, a title included")
    writing.add_argument("--temperature", type=float, default=0.7)
    writing.add_argument("--prompt", default="")
    writing.set_defaults(run=write)
    counting = commands.add_parser("count", help="count the answers")
    counting.add_argument("--answers", type=Path, required=True, nargs="+")
    counting.set_defaults(run=count)
    for command in (writing, counting):
        command.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.run(args)


def write(args: argparse.Namespace) -> None:
    """Write pairs.md and key.json."""
    seeds = range(1, args.pairs + 1)
    openings = {}
    for side, folder in zip(SIDES, (args.one, args.other), strict=True):
        loaded = checkpoints.load(folder)
        decoder = decoder_of(loaded.network)
        openings[side] = {seed: opening(decoder, loaded.tokenizer, seed, args) for seed in seeds}
    rng = random.Random(f"{args.one.name} {args.other.name} {args.pairs}")
    pages, key = [], {}
    for seed in seeds:
        first, second = rng.sample(SIDES, 2)
        key[seed] = first
        shown = (quoted(openings[side][seed]) for side in (first, second))
        pages.append("\n\n".join([f"## {seed}", "A", next(shown), "B", next(shown)]) + "\n")
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "pairs.md").write_text("\n".join(pages), encoding="utf-8")
    (args.out / "key.json").write_text(json.dumps(key), encoding="utf-8")


def opening(decoder: Decoder, tokenizer: Tokenizer, seed: int, args: argparse.Namespace) -> str:
    """Generate the lines of one side, with whatever stands before them."""
    params = SamplingParams.checked(
        seed=seed,
        temperature=args.temperature,
        max_tokens=1000,
        max_lines=args.lines,
    )
    prompt: str = args.prompt
    pieces = generate(decoder, tokenizer, prompt, params, STEPS)
    return prompt + "".join(piece.text for piece in pieces)


def quoted(text: str) -> str:
    """Format lines as a quotation of Markdown, line by line."""
    return "\n".join(f"> {line}  " if line else ">" for line in text.strip().split("\n"))


def count(args: argparse.Namespace) -> None:
    """Print who won how often, by reader."""
    key = {
        int(pair): first for pair, first in json.loads((args.out / "key.json").read_text()).items()
    }
    for path in args.answers:
        won = wins(key, path.read_text(encoding="utf-8").splitlines())
        print(f"{path}: {in_words(won)}")


def wins(key: Mapping[int, str], lines: Iterable[str]) -> Counter[str]:
    """Count whose text was preferred; `=` counts for `neither`."""
    won: Counter[str] = Counter()
    for line in lines:
        if not line.strip():
            continue
        number, answer, *_ = line.split()
        first = key[int(number)]
        second = SIDES[1 - SIDES.index(first)]
        won[{"A": first, "B": second, "=": "neither"}[answer]] += 1
    return won


def in_words(won: Mapping[str, int]) -> str:
    """Format wins and the share of the other's, with its interval."""
    one, other = (won.get(side, 0) for side in SIDES)
    low, high = wilson(other, one + other)
    return (
        f"one {one}, other {other}, neither {won.get('neither', 0)}; the other wins "
        f"{other / max(1, one + other):.0%} of those decided ({low:.0%} to {high:.0%})"
    )


def wilson(wins: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if total == 0:
        return 0.0, 1.0
    share = wins / total
    middle = share + Z * Z / (2 * total)
    half = Z * math.sqrt(share * (1 - share) / total + Z * Z / (4 * total * total))
    scale = 1 + Z * Z / total
    return (middle - half) / scale, (middle + half) / scale


if __name__ == "__main__":
    main()
