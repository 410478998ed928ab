"""Training speed beside a plain fp32 `nn.LSTM` loop: same shapes, same batches, in turn.

    python benchmarks/bench_training.py [--layers 2] [--hidden 512] [--batch 64] [--length 128]

The two take turns, a few updates each, and the ratio is taken turn by turn, so that a noisy
machine disturbs both alike. Prints one line with the median and the range of the ratios.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from baselines import PlainLanguageModel, PlainTrainer

from model.config import ModelConfig
from model.device import resolve_device
from model.network import Network
from training.batches import Streams
from training.config import ANTHOLOGY, TrainConfig
from training.corpus import CorpusOptions, prepare
from training.trainer import Trainer


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--embedding", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--updates", type=int, default=2, help="updates a turn")
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours, plain, precision = build(args, Path(folder))
        measure(args, ours, plain, precision)


def build(
    args: argparse.Namespace, folder: Path
) -> tuple[Callable[[], object], Callable[[], object], str]:
    """One update of ours, one of the plain loop, and the precision that ours runs in."""
    device = resolve_device(args.device)
    corpus = prepare([str(ANTHOLOGY)], folder / "data", CorpusOptions())
    config = TrainConfig(
        steps=10**9, batch_size=args.batch, sequence_length=args.length, dropout=0, warmup=0
    )
    shape = ModelConfig(
        vocab_size=corpus.tokenizer.vocab_size,
        embedding_size=args.embedding,
        hidden_size=args.hidden,
        num_layers=args.layers,
    )

    def streams() -> Streams:
        return Streams(corpus.train, batch_size=args.batch, sequence_length=args.length, seed=1)

    trainer = Trainer(config, Network(shape).initialise().to(device), streams())
    source = streams()
    batches = [source.next() for _ in range(8)]
    pairs = [(batch.inputs.to(device), batch.targets.to(device)) for batch in batches]
    model = PlainLanguageModel(shape.vocab_size, args.embedding, args.hidden, args.layers)
    plain = PlainTrainer(model.to(device), pairs)
    return trainer.step, plain.step, str(trainer.autocast_dtype or torch.float32)


def measure(
    args: argparse.Namespace,
    ours: Callable[[], object],
    plain: Callable[[], object],
    precision: str,
) -> None:
    """Let the two take turns and print characters a second and their ratio."""
    characters = args.batch * args.length * args.updates
    times: list[tuple[float, float]] = []
    for turn in range(args.turns + 1):
        pair = (timed(ours, args.updates), timed(plain, args.updates))
        if turn > 0:  # the first warms up
            times.append(pair)
    ratios = [slow / fast for fast, slow in times]
    speeds = [characters / statistics.median(column) for column in zip(*times, strict=True)]
    print(
        f"{args.layers}x{args.hidden}, batch {args.batch} x {args.length}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {platform.machine()}: "
        f"ours ({precision}) {speeds[0]:,.0f} characters/s, plain fp32 {speeds[1]:,.0f}; "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )


def timed(step: Callable[[], object], updates: int) -> float:
    """Seconds that `updates` calls take."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(updates):
        step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
