"""Decoding speed of the engine beside a plain `nn.LSTM` loop: same weights and threads, in turn.

    python benchmarks/bench_engine.py [--shapes 2x256 3x512 3x1024] [--rows 1 8 64] [--device cuda]

Three sides take turns: the engine with so many requests at once; the plain loop that serves one
request after another; the plain loop with all rows in one batch. Beside them stands the floor
of this machine, measured in the same run: the time to read the weights once a step, and that of
its multiplications at the best rate that its integer products reach. Then a 100,000-character
prompt arrives beside 32 running streams. Prints tables, then everything as one line of JSON.
"""

import argparse
import gc
import statistics
import time
from dataclasses import dataclass, replace
from typing import Any

import torch
from baselines import PlainGenerator, plain_copy
from measured import in_turn, make_checkpoint, ratio, show_json, show_table, spread

from model.checkpoint import Checkpoint
from model.decoding.backends.integer_product import IntegerProduct
from model.decoding.generation import Generation, Piece
from model.device import resolve_device
from model.parameters import SamplingParams
from service.engine.engine import Engine
from service.engine.outbox import Outbox
from service.engine.request import Request
from service.engine.runner import CheckpointRunner
from service.engine.scheduler import Scheduler
from service.observability.metrics import Metrics

TURN_S = 0.4  # a side's share of a turn, about
LONG_PROMPT = 100_000
STREAMS = 32


@dataclass(frozen=True)
class Floor:
    """Lower bound of a step's time: memory bandwidth and int8 products of this machine."""

    read_bytes_s: float
    products_s: float

    def step_s(self, num_weights: int, rows: int) -> float:
        """Seconds that a step takes at least: to read its weights, or to compute its products."""
        return max(num_weights / self.read_bytes_s, num_weights * rows / self.products_s)


def fastest(run: Any, seconds: float = 0.3) -> float:
    """Seconds of the fastest of many calls."""
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def measure_floor(num_weights: int) -> Floor:
    """Measure the floor: read as many bytes as there are weights; multiply at the best shape."""
    bytes_read = torch.ones(num_weights // 8, dtype=torch.int64)
    product = IntegerProduct(torch.ones(2048, 1024, dtype=torch.int8))
    hidden = torch.full((256, 1024), 200, dtype=torch.uint8)
    with torch.inference_mode():
        return Floor(
            read_bytes_s=num_weights / fastest(bytes_read.sum),
            products_s=256 * 1024 * 2048 / fastest(lambda: product(hidden)),
        )


def make_request(
    checkpoint: Checkpoint, runner: CheckpointRunner, prompt: str, outbox: Outbox, **fields: object
) -> Request:
    """Make a request whose text has exactly `max_tokens` tokens."""
    fields = {"min_tokens": fields["max_tokens"], "temperature": 0.8, "seed": 1, **fields}
    encoded = checkpoint.tokenizer.encode_prompt(prompt)
    params = SamplingParams.checked(**fields)
    return Request(
        request_id="bench",
        model="bench",
        runner=runner,
        prompt=encoded,
        generations=[Generation(checkpoint.tokenizer, encoded, params)],
        outbox=outbox,
    )


class EngineSide:
    """Our side: an engine that decodes `rows` texts at once."""

    def __init__(self, checkpoint: Checkpoint, rows: int) -> None:
        self._checkpoint = checkpoint
        self._rows = rows
        self._runner = CheckpointRunner.of(checkpoint)
        self.backend_name = self._runner.backend_name
        scheduler: Scheduler[Request] = Scheduler(num_slots=rows, max_waiting=rows)
        self.engine = Engine(scheduler, Metrics().engine)
        self.engine.start()
        self._tokens = 64

    def speed(self) -> float:
        """Characters a second, all texts together, from submission to the last end."""
        requests = [
            make_request(
                self._checkpoint,
                self._runner,
                "",
                Outbox(max_pending=10**9),
                max_tokens=self._tokens,
                seed=seed,
            )
            for seed in range(self._rows)
        ]
        started = time.perf_counter()
        for request in requests:
            self.engine.submit(request)
        for request in requests:
            while not request.outbox.is_done:
                request.outbox.take(60)
        seconds = time.perf_counter() - started
        speed = self._rows * self._tokens / seconds
        self._tokens = max(64, int(TURN_S * speed / self._rows))
        return speed


class PlainSide:
    """Plain side: the `nn.LSTM` loop; `rows` of 1 is one request after another."""

    def __init__(self, checkpoint: Checkpoint, rows: int) -> None:
        self._generator = PlainGenerator(plain_copy(checkpoint.network), rows)
        self._rows = rows

    def speed(self) -> float:
        """Characters a second of the plain loop."""
        steps, started = 0, time.perf_counter()
        while (seconds := time.perf_counter() - started) < TURN_S:
            self._generator.step()
            steps += 1
        return steps * self._rows / seconds


def checkpoint_on(device: torch.device, shape: str) -> Checkpoint:
    """Make an untrained checkpoint of a shape such as 3x512, on a device."""
    layers, hidden = map(int, shape.split("x"))
    checkpoint = make_checkpoint(layers, hidden)
    return replace(checkpoint, network=checkpoint.network.to(device))


def compare(device: torch.device, shape: str, rows: int, turns: int) -> dict[str, Any]:
    """Compare engine and plain loop at one shape and number of rows: a line of the table."""
    checkpoint = checkpoint_on(device, shape)
    ours = EngineSide(checkpoint, rows)
    sides = [ours.speed, PlainSide(checkpoint, 1).speed, PlainSide(checkpoint, rows).speed]
    engine, single, batched = in_turn(sides, turns)
    ours.engine.stop()
    network = checkpoint.network
    num_weights = (
        sum(weight.numel() for layer in network.layers for weight in layer.parameters())
        + network.output.weight.numel()
    )
    # The first layer's input product is a table, and costs next to nothing.
    num_weights -= network.config.embedding_size * 4 * network.config.hidden_size
    step_s = rows / statistics.median(engine)
    floor = measure_floor(num_weights) if device.type == "cpu" else None
    return {
        "shape": shape,
        "rows": rows,
        "backend": ours.backend_name,
        "engine": statistics.median(engine),
        "plain": statistics.median(single),
        "plain_batched": statistics.median(batched),
        "to_plain": ratio(engine, single),
        "to_plain_batched": ratio(engine, batched),
        "step_s": step_s,
        "to_floor": None if floor is None else step_s / floor.step_s(num_weights, rows),
    }


class TimedOutbox(Outbox):
    """Outbox that remembers the longest wait between two pieces."""

    def __init__(self) -> None:
        super().__init__(max_pending=10**9)
        self._last: float | None = None
        self.longest = 0.0

    def put(self, index: int, piece: Piece) -> None:
        """Note when."""
        now = time.perf_counter()
        if self._last is not None:
            self.longest = max(self.longest, now - self._last)
        self._last = now
        super().put(index, piece)


def long_prompt(device: torch.device, shape: str, seconds: float) -> dict[str, Any]:
    """Measure the longest gap of 32 streams, without and with a prompt of 100,000 characters."""
    checkpoint = checkpoint_on(device, shape)
    runner = CheckpointRunner.of(checkpoint)
    scheduler: Scheduler[Request] = Scheduler(num_slots=STREAMS + 1, max_waiting=0)
    engine = Engine(scheduler, Metrics().engine)
    gc.freeze()  # as the service does
    engine.start()
    boxes = [TimedOutbox() for _ in range(STREAMS)]
    streams = [
        make_request(checkpoint, runner, "O", box, max_tokens=1_000_000, seed=seed)
        for seed, box in enumerate(boxes)
    ]
    for stream in streams:
        engine.submit(stream)
    time.sleep(1)

    def window(until: Any) -> tuple[float, float]:
        for box in boxes:
            box.longest = 0.0
        before, started = sum(stream.num_tokens for stream in streams), time.perf_counter()
        until()
        written = sum(stream.num_tokens for stream in streams) - before
        return max(box.longest for box in boxes), written / (time.perf_counter() - started)

    gap_before, speed_before = window(lambda: time.sleep(seconds))
    prompt = make_request(
        checkpoint, runner, "The sea, the sea! " * (LONG_PROMPT // 18), Outbox(), max_tokens=1
    )
    started = time.perf_counter()
    engine.submit(prompt)
    gap_beside, speed_beside = window(lambda: prompt.outbox.take(600))
    fed_s = time.perf_counter() - started
    engine.stop()
    return {
        "shape": shape,
        "gap_before_s": gap_before,
        "gap_beside_s": gap_beside,
        "speed_before": speed_before,
        "speed_beside": speed_beside,
        "prompt_s": fed_s,
    }


def show(lines: list[dict[str, Any]]) -> None:
    """Print the comparison as a table."""
    header = ["shape", "rows", "backend", "engine, characters/s", "plain, one after another"]
    header += ["ratio", "plain, batched", "ratio", "step", "floor reached"]
    rows = [
        [
            line["shape"],
            str(line["rows"]),
            line["backend"],
            f"{line['engine']:,.0f}",
            f"{line['plain']:,.0f}",
            spread(line["to_plain"]),
            f"{line['plain_batched']:,.0f}",
            spread(line["to_plain_batched"]),
            f"{line['step_s'] * 1e6:,.0f} us",
            "" if line["to_floor"] is None else f"{line['to_floor']:.2f}",
        ]
        for line in lines
    ]
    show_table(header, rows)


def show_long_prompt(line: dict[str, Any]) -> None:
    """Print the gaps beside a long prompt as a table."""
    header = ["streams", "largest gap", "characters/s, together"]
    rows = [
        [
            f"{STREAMS} alone",
            f"{line['gap_before_s'] * 1000:.0f} ms",
            f"{line['speed_before']:,.0f}",
        ],
        [
            f"{STREAMS} beside a prompt of {LONG_PROMPT:,}, fed in {line['prompt_s']:.1f} s",
            f"{line['gap_beside_s'] * 1000:.0f} ms",
            f"{line['speed_beside']:,.0f}",
        ],
    ]
    show_table(header, rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", default=["2x256", "3x512", "3x1024"])
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8, 64, 256])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="as the service does on two cores")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--skip-long-prompt", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = resolve_device(args.device)
    lines = [
        compare(device, shape, rows, args.turns) for shape in args.shapes for rows in args.rows
    ]
    show(lines)
    results: dict[str, Any] = {"engine": lines}
    if not args.skip_long_prompt:
        results["long_prompt"] = long_prompt(device, "3x512", 3.0)
        show_long_prompt(results["long_prompt"])
    show_json(results)


if __name__ == "__main__":
    main()
