"""Extrapolation of the capacity model to many readers: replicas, memory, bottlenecks, costs.

A line through one measured point, drawn far beyond it: a service of many replicas behind nginx,
with limits shared in Redis, of which only one replica was measured. Prices of machines and what one
core of nginx and one Redis carry are parameters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from capacity_model import ClosedNetwork, Prediction, most_readers
from measured import show_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Machine type: each of its cores runs one replica. The price is a parameter."""

    name: str
    cores: int
    memory_gb: float
    price_an_hour: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse NAME=CORES,GB,PRICE. Raises ValueError."""
        name, _, rest = text.partition("=")
        parts = rest.split(",")
        if not name or len(parts) != 3:
            raise ValueError(f"a machine is NAME=CORES,GB,PRICE_AN_HOUR, got {text!r}")
        cores, memory_gb, price = parts
        return cls(
            name=name, cores=int(cores), memory_gb=float(memory_gb), price_an_hour=float(price)
        )

    def replicas(self, memory_bytes: float) -> int:
        """Count the replicas that fit, by cores and by memory."""
        return min(self.cores, int(self.memory_gb * 1e9 / memory_bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """Edge before the replicas: nginx, Redis and network, each by what one unit of it carries."""

    connections: int  # of one nginx process
    pieces_per_second: float  # that one core of nginx passes on
    redis_commands_per_second: float  # of one Redis, which uses one core
    redis_commands_a_request: float
    network_bits_per_second: float  # of the machine with nginx
    piece_s: float  # between two pieces of a stream, at the least
    pieces_a_replica: float  # a second, at the most


# Defaults: parameters, to be replaced by one's own machines, offers and measurements.
MACHINES = (
    Machine(name="small-2", cores=2, memory_gb=4, price_an_hour=0.08),
    Machine(name="compute-8", cores=8, memory_gb=16, price_an_hour=0.34),
    Machine(name="compute-64", cores=64, memory_gb=128, price_an_hour=2.70),
)
EDGE = Edge(
    connections=16_384,
    pieces_per_second=40_000,
    redis_commands_per_second=80_000,
    redis_commands_a_request=4,
    network_bits_per_second=10e9,
    piece_s=0.03,
    pieces_a_replica=2_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Resource by how much of it so many readers use, and how much one unit has."""

    name: str
    used: float
    unit: float

    @property
    def units(self) -> int:
        """Number of units that are needed."""
        return max(1, math.ceil(self.used / self.unit))


def resources(
    one: Prediction, readers: int, bytes_a_character: float, edge: Edge
) -> list[Resource]:
    """List what readers use before the replicas; `one` is what one replica carries."""
    scale = readers / one.readers
    requests, speed = one.requests_per_second * scale, one.characters_per_second * scale
    pieces = pieces_per_second(one, edge) * scale
    # A reader's own, which nginx keeps open longer than most are away, and nginx's to a replica.
    open_connections = readers + one.texts * scale
    return [
        Resource(name="nginx: connections open", used=open_connections, unit=edge.connections),
        Resource(name="nginx: pieces/s", used=pieces, unit=edge.pieces_per_second),
        Resource(
            name="Redis: commands/s",
            used=requests * edge.redis_commands_a_request,
            unit=edge.redis_commands_per_second,
        ),
        Resource(
            name="network: bits/s",
            used=speed * bytes_a_character * 8,
            unit=edge.network_bits_per_second,
        ),
    ]


def pieces_per_second(one: Prediction, edge: Edge) -> float:
    """Pieces a second of one replica: one a text and interval, bounded for all together."""
    return min(one.texts / edge.piece_s, edge.pieces_a_replica)


def replica_at(network: ClosedNetwork, load: float) -> Prediction:
    """Predict the replica with as many readers as give it this load, and no more."""
    return network.predict(most_readers(network, load))


def cost_a_million(one: Prediction, machine: Machine, memory_bytes: float) -> float:
    """Price of a million characters, by a machine whose replicas are all as loaded as `one`."""
    speed = one.characters_per_second * machine.replicas(memory_bytes)
    return machine.price_an_hour / (speed * 3600) * 1e6


def draw(
    network: ClosedNetwork,
    point: dict[str, Any],
    counts: Sequence[int],
    machines: Sequence[Machine],
    *,
    load: float,
) -> None:
    """Print replicas, memory, resources and costs of so many readers."""
    one = replica_at(network, load)
    print(
        f"One replica on one core at a load of {load:.0%} carries {one.readers:,} readers:", end=" "
    )
    print(f"{one.characters_per_second:,.0f} characters/s, {one.texts:.1f} texts at once.\n")
    memory = point["memory_bytes"]
    rows = []
    for readers in counts:
        replicas = math.ceil(readers / one.readers)
        speed = one.characters_per_second * readers / one.readers
        gigabytes = f"{replicas * memory / 1e9:,.1f} GB"
        rows.append([f"{readers:,}", f"{replicas:,}", f"{speed:,.0f}", gigabytes])
    show_table(["readers", "replicas", "characters/s", "memory of replicas"], rows)
    rows = []
    for readers in counts:
        for each in resources(one, readers, point["bytes_a_character"], EDGE):
            first_full = each.unit / each.used * readers
            cells = [f"{readers:,}", each.name, f"{each.used:,.0f}", f"{each.unit:,.0f}"]
            rows.append([*cells, f"{each.units:,}", f"{first_full:,.0f}"])
    show_table(["readers", "resource", "used", "one has", "needed", "one is full at"], rows)
    rows = []
    for machine in machines:
        fits = machine.replicas(memory)
        cost = cost_a_million(one, machine, memory)
        needed = [f"{math.ceil(math.ceil(n / one.readers) / fits):,}" for n in counts]
        price = f"{machine.price_an_hour:.2f}"
        rows.append([machine.name, str(machine.cores), price, f"{cost:.4f}", *needed])
    header = ["machine", "cores", "price an hour", "a million characters"]
    show_table([*header, *(f"for {count:,}" for count in counts)], rows)
