"""Capacity model's arithmetic: laws of queueing theory, and costs found again."""

import math

import pytest
from capacity_drawing import (
    EDGE,
    Machine,
    cost_a_million,
    replica_at,
    resources,
)
from capacity_model import (
    ClosedNetwork,
    ReaderKind,
    most_readers,
    quantile_of,
)

# A step of n texts takes 0.2 ms + n x 0.04 ms.
SPEEDS = {n: n / (2e-4 + n * 4e-5) for n in (1, 8, 64)}
FLAT = {1: 1_000.0, 64: 1_000.0}  # characters/s, however many texts


def kind(name: str = "human", share: float = 1.0, **changes: float) -> ReaderKind:
    fields = {"characters": 400.0, "requests": 1.0, "away_s": 20.0, **changes}
    return ReaderKind(name=name, share=share, **fields)


def test_a_replica_without_speeds_is_refused() -> None:
    with pytest.raises(ValueError, match="needs speeds"):
        ClosedNetwork([kind()], {}, slots=64)


def test_one_reader_takes_turns_with_the_service() -> None:
    """A text lasts 400 x 0.24 ms = 96 ms, and then 20 s pass."""
    alone = ClosedNetwork([kind()], SPEEDS, slots=64).predict(1)
    assert alone.utilisation == pytest.approx(0.096 / 20.096)
    assert alone.characters_per_second == pytest.approx(400 / 20.096)
    assert alone.texts == pytest.approx(alone.utilisation)


def test_the_machine_repairman_is_found_in_it() -> None:
    """Erlang's loss formula for a finite source, in closed form: one server, N customers."""
    readers, ratio = 30, (400 * 1e-3) / 20
    terms = [math.perm(readers, n) * ratio**n for n in range(readers + 1)]
    shares = ClosedNetwork([kind()], FLAT, slots=64).shares(readers)
    assert shares == pytest.approx([term / sum(terms) for term in terms])


def test_kinds_that_are_alike_are_as_one_kind() -> None:
    """However the readers are called: the product form sums over who they are."""
    halves = [kind("a", 0.5), kind("b", 0.5)]
    one, two = (ClosedNetwork(kinds, SPEEDS, slots=8) for kinds in ([kind()], halves))
    assert two.shares(41) == pytest.approx(one.shares(41))


def test_littles_law_holds_over_the_whole_round() -> None:
    found = ClosedNetwork([kind()], SPEEDS, slots=64).predict(200)
    away = found.requests_per_second * 20
    assert away + found.texts == pytest.approx(200)


def test_many_readers_saturate_a_replica_at_the_speed_of_its_slots() -> None:
    slots = 16
    found = ClosedNetwork([kind()], SPEEDS, slots).predict(5_000)
    assert found.utilisation == pytest.approx(1)
    assert found.characters_per_second == pytest.approx(slots / (2e-4 + slots * 4e-5))


def test_first_characters_come_as_measured_at_that_point_and_later_behind_a_queue() -> None:
    network = ClosedNetwork([kind()], SPEEDS, slots=4)
    first = network.first_character(300, p50_s=0.03, p95_s=0.05)
    assert first.text_s > 0
    found = quantile_of(network.shares(299), 0.95)
    assert first.alone_s + first.text_s * found == pytest.approx(0.05)
    queued, free = network.predict(2_000, first), network.predict(20, first)
    assert queued.first_p95_s is not None
    assert free.first_p95_s is not None
    assert free.first_p95_s < 0.05
    assert queued.first_p95_s > 1


def test_a_replica_is_as_full_as_asked_for_and_no_fuller() -> None:
    network = ClosedNetwork([kind()], SPEEDS, slots=64)
    one = replica_at(network, 0.7)
    assert one.load <= 0.7 < network.predict(one.readers + 1).load
    assert one.utilisation > 0.9  # it could write more by longer steps, not by more of them


@pytest.mark.parametrize("load", [0.0, 1e-9, 1.0])
def test_a_load_that_no_number_of_readers_gives_is_refused(load: float) -> None:
    """Below that of one reader there is none, and at 1 there is no end to them."""
    network = ClosedNetwork([kind()], SPEEDS, slots=64)
    with pytest.raises(ValueError, match="load"):
        most_readers(network, load)


def test_costs_and_resources_grow_with_the_readers() -> None:
    one = replica_at(ClosedNetwork([kind()], SPEEDS, slots=64), 0.7)
    machine = Machine.parse("large=8,16,0.5")
    assert machine.replicas(1e9) == 8
    assert machine.replicas(3e9) == 5  # no more fit into 16 GB
    hourly = one.characters_per_second * 8 * 3600
    assert cost_a_million(one, machine, 1e9) == pytest.approx(0.5 / hourly * 1e6)
    few, many = (resources(one, n, 1.5, EDGE) for n in (1_000, 1_000_000))
    assert [each.used * 1000 for each in few] == pytest.approx([each.used for each in many])
    assert many[0].units == math.ceil(many[0].used / EDGE.connections)


@pytest.mark.parametrize("text", ["large", "=1,2,3", "large=8,16"])
def test_a_machine_that_is_not_told_in_full_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NAME=CORES,GB,PRICE_AN_HOUR"):
        Machine.parse(text)
