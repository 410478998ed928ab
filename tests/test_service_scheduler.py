"""Laws of the scheduler, without torch, threads or a clock."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.failure import SaturatedError
from service.engine.scheduler import MAX_STEPS_PER_TICK, Scheduler, StepsPerTick
from service.timeouts import TICK_TARGET_S


@dataclass(eq=False)
class FakeRequest:
    name: str
    num_rows: int = 1
    is_composed: bool = False


def requests(count: int) -> list[FakeRequest]:
    return [FakeRequest(str(index)) for index in range(count)]


def filled(
    *, slots: int, queue: int, count: int
) -> tuple[Scheduler[FakeRequest], list[FakeRequest]]:
    scheduler: Scheduler[FakeRequest] = Scheduler(num_slots=slots, max_waiting=queue)
    crowd = requests(count)
    for request in crowd:
        scheduler.submit(request)
    return scheduler, crowd


def feed_all(scheduler: Scheduler[FakeRequest]) -> list[FakeRequest]:
    fed = []
    while scheduler.feeding:
        fed.append(scheduler.feeding[0])
        scheduler.fed(fed[-1])
    return fed


def test_requests_start_while_there_are_slots_and_then_wait() -> None:
    scheduler, _ = filled(slots=2, queue=5, count=4)
    assert (scheduler.load.num_running, scheduler.load.num_waiting, scheduler.num_free) == (2, 2, 0)


def test_a_full_queue_refuses_the_next_request() -> None:
    scheduler, _ = filled(slots=1, queue=2, count=3)
    with pytest.raises(SaturatedError):
        scheduler.submit(FakeRequest("late"))
    assert scheduler.load.num_waiting == 2


def test_without_a_queue_requests_still_start_in_free_slots() -> None:
    scheduler, _ = filled(slots=2, queue=0, count=2)
    with pytest.raises(SaturatedError):
        scheduler.submit(FakeRequest("third"))


def test_nobody_overtakes_a_request_that_needs_many_rows() -> None:
    scheduler: Scheduler[FakeRequest] = Scheduler(num_slots=4, max_waiting=5)
    first, wide, narrow = FakeRequest("first", 2), FakeRequest("wide", 3), FakeRequest("narrow", 1)
    for request in (first, wide, narrow):
        scheduler.submit(request)
    assert feed_all(scheduler) == [first]
    scheduler.remove(first)
    assert set(feed_all(scheduler)) == {wide, narrow}


def test_a_row_that_ends_gives_its_slot_to_the_next_in_line() -> None:
    scheduler: Scheduler[FakeRequest] = Scheduler(num_slots=2, max_waiting=5)
    wide, next_one = FakeRequest("wide", 2), FakeRequest("next")
    scheduler.submit(wide)
    scheduler.submit(next_one)
    feed_all(scheduler)
    scheduler.release_row(wide)
    assert not scheduler.is_waiting(next_one)
    assert wide in scheduler.writing


def test_a_request_leaves_with_its_last_row() -> None:
    scheduler: Scheduler[FakeRequest] = Scheduler(num_slots=2, max_waiting=0)
    wide = FakeRequest("wide", 2)
    scheduler.submit(wide)
    feed_all(scheduler)
    assert not scheduler.release_row(wide)
    assert scheduler.release_row(wide)
    assert scheduler.requests == ()
    assert scheduler.num_free == 2


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_removed_request_frees_its_place_wherever_it_stands(index: int) -> None:
    scheduler, crowd = filled(slots=2, queue=1, count=2)
    scheduler.fed(crowd[0])
    waiting = FakeRequest("waiting")
    scheduler.submit(waiting)
    scheduler.remove([*crowd, waiting][index])
    scheduler.submit(FakeRequest("new"))
    assert scheduler.load.num_running + scheduler.load.num_waiting == 3


def test_prompts_are_fed_in_turns() -> None:
    scheduler, crowd = filled(slots=3, queue=0, count=3)
    turns: Counter[FakeRequest] = Counter()
    for _ in range(30):
        first = scheduler.feeding[:1]
        turns.update(first)
        scheduler.took_turn(first)
    assert turns == dict.fromkeys(crowd, 10)


def test_nothing_is_fed_when_nobody_waits_to_be_fed() -> None:
    scheduler: Scheduler[FakeRequest] = Scheduler(num_slots=1, max_waiting=1)
    assert scheduler.feeding == ()


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), max_size=40))
def test_slots_are_never_overdrawn_and_starts_are_in_order(moves: list[tuple[int, int]]) -> None:
    scheduler: Scheduler[FakeRequest] = Scheduler(num_slots=5, max_waiting=100)
    submitted: list[FakeRequest] = []
    started: list[FakeRequest] = []
    for rows, ends in moves:
        submitted.append(FakeRequest(str(len(submitted)), rows))
        scheduler.submit(submitted[-1])
        for _ in range(ends):
            started += sorted(feed_all(scheduler), key=submitted.index)
            if scheduler.writing:
                scheduler.release_row(scheduler.writing[0])
        held = sum(request.num_rows for request in submitted if scheduler.is_waiting(request))
        assert 0 <= scheduler.num_free <= 5
        assert held == 0 or scheduler.num_free < 4
    assert started == submitted[: len(started)]


def steps_per_tick_after(step_s: float) -> int:
    per_tick = StepsPerTick()
    for _ in range(30):
        per_tick.note(per_tick.count, per_tick.count * step_s)
    return per_tick.count


def test_before_anything_is_known_a_tick_takes_one_step() -> None:
    assert StepsPerTick().count == 1


@pytest.mark.parametrize("step_s", [1e-6, 1e-4, 0.0007, 0.0011, 0.003, 0.006, 0.2])
def test_a_tick_takes_the_power_of_two_of_steps_that_fits_its_time(step_s: float) -> None:
    steps = steps_per_tick_after(step_s)
    assert steps & (steps - 1) == 0
    assert steps == 1 or steps * step_s <= TICK_TARGET_S * 1.001
    assert steps == MAX_STEPS_PER_TICK or 2 * steps * step_s > TICK_TARGET_S


def test_the_steps_per_tick_follow_a_step_that_becomes_slower() -> None:
    per_tick = StepsPerTick()
    for step_s in [0.0001] * 20 + [0.02] * 20:
        per_tick.note(1, step_s)
    assert per_tick.count == 1
