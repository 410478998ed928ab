"""Training speed beside a plain fp32 `nn.LSTM` loop: same shapes, same kind of batches, in turn.

    python benchmarks/bench_training.py [--layers 1 2 3] [--hidden 512] [--batch 64] [--length 128]

The two take turns, a few updates each, and the ratio is taken turn by turn, so that a noisy
machine disturbs both alike. The plain loop runs in a process of its own, since ours tells the C
library to keep freed memory, which would speed up the other, too. Prints a row of a Markdown
table for each number of layers: characters a second of both, the ratio with its range, and the
share of the machine's best rate of products in the precision that our step takes (measured here,
on square matrices) that its arithmetic reaches: six operations a weight and character.
"""

import argparse
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from baselines import PlainLanguageModel, PlainTrainer

from model.config import ModelConfig
from model.device import resolve_device
from model.network import Network
from training.data.batches import Streams
from training.data.corpus import Corpus, prepare
from training.data.corpus_options import CorpusOptions
from training.distributed import SINGLE_PROCESS
from training.optimization.precision import autocast_dtype
from training.optimization.trainer import Trainer
from training.process_settings import keep_freed_memory
from training.train_config import ANTHOLOGY, TrainConfig

Timed = Callable[[], float]  # lets its side make some updates; the seconds that they took


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--embedding", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--updates", type=int, default=2, help="updates a turn")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto")
    args = parser.parse_args()
    device = resolve_device(args.device)
    keep_freed_memory()
    dtype = autocast_dtype(config_of(args), shape_of(args, 1, vocab_size=2), device, SINGLE_PROCESS)
    name = "fp32" if dtype is None else "bf16"
    peak = best_rate(device, dtype or torch.float32)
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {platform.machine()}, "
        f"{device}; {name} products at best {peak / 1e9:,.0f} GFLOP/s; "
        f"batch {args.batch} x {args.length}, embedding {args.embedding}\n"
    )
    print(
        f"| network | characters/s | plain fp32 loop | ratio (range) | share of the {name} peak |"
    )
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        corpus = prepare([str(ANTHOLOGY)], Path(folder) / "data", CorpusOptions())
        for layers in args.layers:
            print(row_of_table(args, layers, corpus, device, peak), flush=True)


def row_of_table(
    args: argparse.Namespace, layers: int, corpus: Corpus, device: torch.device, peak: float
) -> str:
    """Time our step and the plain loop in turns; returns a row of the table."""
    shape = shape_of(args, layers, corpus.tokenizer.vocab_size)
    trainer = our_trainer(args, shape, corpus, device)
    times: list[tuple[float, float]] = []
    with plain_side(args, shape, device) as plain:
        for turn in range(args.turns + 1):
            pair = (timed(trainer.step, args.updates), plain())
            if turn > 0:  # the first warms up
                times.append(pair)
    ratios = [slow / fast for fast, slow in times]
    characters = args.batch * args.length * args.updates
    ours, theirs = (characters / statistics.median(column) for column in zip(*times, strict=True))
    # The embedding is looked up, not multiplied.
    weights = sum(w.numel() for w in trainer.network.parameters())
    operations = 6 * (weights - trainer.network.embedding.weight.numel()) * ours
    return (
        f"| {layers} x {args.hidden} | {ours:,.0f} | {theirs:,.0f} | "
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | "
        f"{operations / peak:.0%} |"
    )


def shape_of(args: argparse.Namespace, layers: int, vocab_size: int) -> ModelConfig:
    """Shape of a network of the widths that were asked for."""
    return ModelConfig(
        vocab_size=vocab_size,
        embedding_size=args.embedding,
        hidden_size=args.hidden,
        num_layers=layers,
    )


def config_of(args: argparse.Namespace) -> TrainConfig:
    """Config of a training without an end, and without dropout, which the plain loop lacks."""
    return TrainConfig(
        steps=10**9,
        batch_size=args.batch,
        sequence_length=args.length,
        dropout=0,
        warmup=0,
        precision=args.precision,
    )


def our_trainer(
    args: argparse.Namespace, shape: ModelConfig, corpus: Corpus, device: torch.device
) -> Trainer:
    """Build the trainer whose step is measured."""
    streams = Streams(corpus.train, batch_size=args.batch, sequence_length=args.length, seed=1)
    return Trainer(config_of(args), Network(shape).initialise().to(device), streams)


@contextmanager
def plain_side(
    args: argparse.Namespace, shape: ModelConfig, device: torch.device
) -> Iterator[Timed]:
    """Run the plain loop in a process of its own that works only while it is asked to."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=serve_plain, args=(there, args, shape, str(device)))
    process.start()

    def turn() -> float:
        here.send(args.updates)
        seconds: float = here.recv()
        return seconds

    try:
        yield turn
    finally:
        here.send(0)
        process.join()


def serve_plain(
    asked: Connection, args: argparse.Namespace, shape: ModelConfig, device: str
) -> None:
    """Serve the plain loop: time as many updates as are asked for, until none are."""
    sizes = (shape.vocab_size, args.embedding, args.hidden, shape.num_layers)
    ids = torch.randint(shape.vocab_size, (8, args.batch, args.length + 1), device=device)
    batches = [(window[:, :-1], window[:, 1:]) for window in ids]
    trainer = PlainTrainer(PlainLanguageModel(*sizes).to(device), batches)
    while updates := asked.recv():
        asked.send(timed(trainer.step, updates))


def timed(step: Callable[[], object], updates: int) -> float:
    """Time `updates` calls of `step`, in seconds."""
    wait_for_the_device()
    started = time.perf_counter()
    for _ in range(updates):
        step()
    wait_for_the_device()
    return time.perf_counter() - started


def best_rate(device: torch.device, dtype: torch.dtype, tries: int = 5) -> float:
    """Measure the best rate of products of square matrices of this type, in operations a second."""
    best = 0.0
    for size in (1024, 2048, 4096) if device.type == "cpu" else (4096, 8192):
        matrix = torch.randn(size, size, device=device, dtype=dtype)
        for _ in range(tries):
            seconds = timed(lambda square=matrix: square @ square, 4)  # type: ignore[misc]
            best = max(best, 4 * 2 * size**3 / seconds)
    return best


def wait_for_the_device() -> None:
    """Wait until a GPU has done its work, which goes on while the program does."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
