"""Laws of the scheduler, without torch, threads or a clock."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.failure import SaturatedError
from service.engine.scheduler import FEEDING_ALONE_S, FEEDING_S, Scheduler


@dataclass(eq=False)
class Job:
    name: str
    num_rows: int = 1


def jobs(count: int) -> list[Job]:
    return [Job(str(index)) for index in range(count)]


def filled(*, slots: int, queue: int, count: int) -> tuple[Scheduler[Job], list[Job]]:
    scheduler: Scheduler[Job] = Scheduler(num_slots=slots, max_waiting=queue)
    crowd = jobs(count)
    for job in crowd:
        scheduler.submit(job)
    return scheduler, crowd


def feed_all(scheduler: Scheduler[Job]) -> list[Job]:
    fed = []
    while scheduler.feeding:
        fed.append(scheduler.feeding[0])
        scheduler.fed(fed[-1])
    return fed


def test_jobs_start_while_there_are_slots_and_then_wait() -> None:
    scheduler, _ = filled(slots=2, queue=5, count=4)
    assert (scheduler.load.num_running, scheduler.load.num_waiting, scheduler.num_free) == (2, 2, 0)


def test_a_full_queue_refuses_the_next_job() -> None:
    scheduler, _ = filled(slots=1, queue=2, count=3)
    with pytest.raises(SaturatedError):
        scheduler.submit(Job("late"))
    assert scheduler.load.num_waiting == 2


def test_without_a_queue_jobs_still_start_in_free_slots() -> None:
    scheduler, _ = filled(slots=2, queue=0, count=2)
    with pytest.raises(SaturatedError):
        scheduler.submit(Job("third"))


def test_nobody_overtakes_a_job_that_needs_many_rows() -> None:
    scheduler: Scheduler[Job] = Scheduler(num_slots=4, max_waiting=5)
    first, wide, narrow = Job("first", 2), Job("wide", 3), Job("narrow", 1)
    for job in (first, wide, narrow):
        scheduler.submit(job)
    assert feed_all(scheduler) == [first]
    scheduler.remove(first)
    assert set(feed_all(scheduler)) == {wide, narrow}


def test_a_row_that_ends_gives_its_slot_to_the_next_in_line() -> None:
    scheduler: Scheduler[Job] = Scheduler(num_slots=2, max_waiting=5)
    wide, next_one = Job("wide", 2), Job("next")
    scheduler.submit(wide)
    scheduler.submit(next_one)
    feed_all(scheduler)
    scheduler.release_row(wide)
    assert not scheduler.is_waiting(next_one)
    assert wide in scheduler.writing


def test_a_job_leaves_with_its_last_row() -> None:
    scheduler: Scheduler[Job] = Scheduler(num_slots=2, max_waiting=0)
    wide = Job("wide", 2)
    scheduler.submit(wide)
    feed_all(scheduler)
    assert not scheduler.release_row(wide)
    assert scheduler.release_row(wide)
    assert scheduler.jobs == ()
    assert scheduler.num_free == 2


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_removed_job_frees_its_place_wherever_it_stands(index: int) -> None:
    scheduler, crowd = filled(slots=2, queue=1, count=2)
    scheduler.fed(crowd[0])
    waiting = Job("waiting")
    scheduler.submit(waiting)
    scheduler.remove([*crowd, waiting][index])
    scheduler.submit(Job("new"))
    assert scheduler.load.num_running + scheduler.load.num_waiting == 3


def test_prompts_are_fed_in_turns() -> None:
    scheduler, crowd = filled(slots=3, queue=0, count=3)
    turns: Counter[Job] = Counter()
    for _ in range(30):
        first = scheduler.feeding[:1]
        turns.update(first)
        scheduler.took_turn(first)
    assert turns == dict.fromkeys(crowd, 10)


def test_less_is_fed_between_steps_while_texts_are_written() -> None:
    scheduler, crowd = filled(slots=2, queue=0, count=2)
    assert scheduler.feeding_budget_s == FEEDING_ALONE_S
    scheduler.fed(crowd[0])
    assert scheduler.feeding_budget_s == FEEDING_S


def test_nothing_is_fed_when_nobody_waits_to_be_fed() -> None:
    scheduler: Scheduler[Job] = Scheduler(num_slots=1, max_waiting=1)
    assert scheduler.feeding == ()


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), max_size=40))
def test_slots_are_never_overdrawn_and_starts_are_in_order(moves: list[tuple[int, int]]) -> None:
    scheduler: Scheduler[Job] = Scheduler(num_slots=5, max_waiting=100)
    submitted: list[Job] = []
    started: list[Job] = []
    for rows, ends in moves:
        submitted.append(Job(str(len(submitted)), rows))
        scheduler.submit(submitted[-1])
        for _ in range(ends):
            started += sorted(feed_all(scheduler), key=submitted.index)
            if scheduler.writing:
                scheduler.release_row(scheduler.writing[0])
        held = sum(job.num_rows for job in submitted if scheduler.is_waiting(job))
        assert 0 <= scheduler.num_free <= 5
        assert held == 0 or scheduler.num_free < 4
    assert started == submitted[: len(started)]
