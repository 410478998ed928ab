"""Capacity of the service: measured with Locust, predicted by a model, and drawn to many readers.

    python benchmarks/capacity.py measure --readers 250 --out first.json
    python benchmarks/capacity.py predict first.json --readers 500 --out predicted.json
    python benchmarks/capacity.py measure --readers 500 --only-readers --out second.json
    python benchmarks/capacity.py compare predicted.json second.json
    python benchmarks/capacity.py draw first.json --readers 10000 1000000

`measure` keeps the service on one core and Locust (`--locust`, of a virtual environment of its own)
on another; the machine should have nothing else to do. `predict` fits capacity_model.py to one
measured point and says what another number of readers would see. `draw` extrapolates: replicas,
memory, what is exhausted first, and costs. Prices, and what one nginx and one Redis can do, are
parameters whose defaults are to be replaced by one's own.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capacity_drawing import MACHINES, Machine, draw
from capacity_measured import LoadTest, Window, measure
from capacity_model import ClosedNetwork, FirstCharacter, ReaderKind
from measured import show_table

MOST_ERROR = 0.15  # of the throughput at a second point
FIGURES = {
    "characters_per_second": "characters/s",
    "requests_per_second": "requests/s",
    "utilisation": "utilisation of the core",
    "first_p95_s": "first character, p95, s",
}


def network_of(point: dict[str, Any]) -> ClosedNetwork:
    """Fit the network to a measured point."""
    kinds = [ReaderKind(**each) for each in point["kinds"]]
    speeds = {int(texts): speed for texts, speed in point["speeds"].items()}
    return ClosedNetwork(kinds, speeds, point["slots"])


def first_of(point: dict[str, Any], network: ClosedNetwork) -> FirstCharacter:
    """Fit the time to the first character to a measured point."""
    return network.first_character(point["readers"], point["first_p50_s"], point["first_p95_s"])


def seen(point: dict[str, Any]) -> dict[str, float]:
    """Figures of a measured point, named as those of a prediction."""
    steady = Window(**point["steady"])
    return {
        "characters_per_second": steady.characters / steady.seconds,
        "requests_per_second": steady.requests / steady.seconds,
        "utilisation": steady.cpu_s / steady.seconds,
        "first_p95_s": point["first_p95_s"],
    }


def run_measure(args: argparse.Namespace) -> int:
    """Measure one point: so many readers of one replica, by Locust."""
    test = LoadTest(
        readers=args.readers,
        ramp_s=args.ramp,
        seconds=args.seconds,
        locust=args.locust,
        is_fitted=not args.only_readers,
    )
    point = measure(test)
    _write(args.out, point)
    rows = [[name, f"{seen(point)[figure]:,.3f}"] for figure, name in FIGURES.items()]
    steady = Window(**point["steady"])
    rows += [["readers' core busy", f"{steady.readers_cpu_s / steady.seconds:.2f}"]]
    rows += [["rounds", f"{point['rounds']:,}"], ["failed", str(point["failed"])]]
    show_table(["figure", f"{args.readers} readers"], rows)
    return 0


def run_predict(args: argparse.Namespace) -> int:
    """Predict what another number of readers would see."""
    point = _read(args.point)
    network = network_of(point)
    prediction = network.predict(args.readers, first_of(point, network))
    _write(args.out, asdict(prediction))
    speeds = point["speeds"].items()
    rows = [[f"characters/s with {n} never away", f"{speed:,.0f}"] for n, speed in speeds]
    rows += [[name, f"{value:,.3f}"] for name, value in asdict(prediction).items()]
    show_table(["figure", f"{args.readers} readers, predicted"], rows)
    return 0


def run_compare(args: argparse.Namespace) -> int:
    """Compare a prediction with what was measured; exit with 1 where throughput is far off."""
    predicted, point = _read(args.predicted), _read(args.point)
    if predicted["readers"] != point["readers"]:
        raise ValueError(f"{args.predicted} is of {predicted['readers']} readers, the other is not")
    found, rows, off = seen(point), [], {}
    for figure, name in FIGURES.items():
        off[figure] = predicted[figure] / found[figure] - 1
        cells = [f"{value:,.3f}" for value in (predicted[figure], found[figure])]
        rows.append([name, *cells, f"{off[figure]:+.1%}"])
    show_table([f"{point['readers']} readers", "predicted", "measured", "error"], rows)
    return 0 if abs(off["characters_per_second"]) <= MOST_ERROR else 1


def run_draw(args: argparse.Namespace) -> int:
    """Extrapolate to many readers."""
    point = _read(args.point)
    machines = [Machine.parse(text) for text in args.machine] if args.machine else MACHINES
    draw(network_of(point), point, args.readers, machines, load=args.load)
    return 0


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _command(commands: Any, name: str, run: Callable[[argparse.Namespace], int]) -> Any:
    parser = commands.add_parser(name, help=str(run.__doc__).splitlines()[0])
    parser.set_defaults(run=run)
    return parser


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the four commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    measuring = _command(commands, "measure", run_measure)
    measuring.add_argument("--readers", type=int, required=True)
    measuring.add_argument("--ramp", type=float, default=50.0, help="seconds until all have come")
    measuring.add_argument("--seconds", type=float, default=150.0, help="of the whole test")
    measuring.add_argument(
        "--only-readers", action="store_true", help="measure nothing that a model is fitted to"
    )
    measuring.add_argument("--locust", default="locust", help="its program")
    measuring.add_argument("--out", type=Path, required=True)
    predicting = _command(commands, "predict", run_predict)
    predicting.add_argument("point", type=Path)
    predicting.add_argument("--readers", type=int, required=True)
    predicting.add_argument("--out", type=Path, required=True)
    comparing = _command(commands, "compare", run_compare)
    comparing.add_argument("predicted", type=Path)
    comparing.add_argument("point", type=Path)
    drawing = _command(commands, "draw", run_draw)
    drawing.add_argument("point", type=Path)
    drawing.add_argument("--readers", type=int, nargs="+", default=[10_000, 1_000_000])
    drawing.add_argument("--load", type=float, default=0.49, help="of what a replica can write")
    drawing.add_argument("--machine", nargs="*", help="NAME=CORES,GB,PRICE_AN_HOUR")
    return parser


def main() -> int:
    """Run one command."""
    parser = build_parser()
    args = parser.parse_args()
    try:
        return int(args.run(args))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    sys.exit(main())
