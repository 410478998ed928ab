"""Work whose speed is measured beside busy processes: a line in, so many seconds, a figure out.

    python benchmarks/contended.py train|engine THREADS [ROWS]

A process of its own, because libgomp reads from the environment how threads wait, once. It works
only while it is asked to.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from bench_engine import EngineSide
from measured import make_checkpoint

from model.config import ModelConfig
from model.network import Network
from training.data.batches import Streams
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions
from training.optimization.trainer import Trainer
from training.process_settings import keep_freed_memory
from training.train_config import ANTHOLOGY, resolve

Speed = Callable[[float], float]  # works for so many seconds; characters a second


def training() -> Speed:
    """Build the training step of the preset `small`, over the anthology."""
    keep_freed_memory()
    config = resolve("small", {})
    with tempfile.TemporaryDirectory() as folder:
        corpus = prepare([str(ANTHOLOGY)], Path(folder) / "data", CorpusOptions())
    shape = ModelConfig(
        vocab_size=corpus.tokenizer.vocab_size,
        embedding_size=config.embedding_size,
        hidden_size=config.hidden_size,
        num_layers=config.num_layers,
    )
    sizes = (config.batch_size, config.sequence_length)
    streams = Streams(corpus.train, batch_size=sizes[0], sequence_length=sizes[1], seed=1)
    trainer = Trainer(config, Network(shape).initialise(), streams)

    def speed(seconds: float) -> float:
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            trainer.step()
            steps += 1
        return steps * sizes[0] * sizes[1] / (time.perf_counter() - began)

    return speed


def engine(rows: int) -> Speed:
    """Start the service's engine, which writes `rows` texts at once, 3 x 512."""
    side = EngineSide(make_checkpoint(3, 512), rows)

    def speed(seconds: float) -> float:
        began, characters = time.perf_counter(), 0.0
        while (past := time.perf_counter() - began) < seconds:
            figure = side.speed()
            characters += figure * (time.perf_counter() - began - past)
        return characters / past

    return speed


def main() -> None:
    """Answer every line of standard input."""
    work, threads, *rows = sys.argv[1:]
    torch.set_num_threads(int(threads))
    speed = training() if work == "train" else engine(int(rows[0]))
    for line in sys.stdin:
        print(speed(float(line)), flush=True)


if __name__ == "__main__":
    main()
