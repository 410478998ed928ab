"""Time budget: texts that are being written keep their share of time, whatever a chunk costs."""

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st
from steady_runner import SteadyRunner
from waiting import wait_until

from service.engine.engine import Engine
from service.engine.request import Request, Stepped
from service.engine.scheduler import Scheduler
from service.engine.time_budget import FEEDING_SHARE, feeding_budget
from service.observability.metrics import Metrics
from service.timeouts import FEEDING_BUDGET_ALONE_S, FEEDING_BUDGET_S

pytest_plugins = ["service_fixtures"]

SECONDS = st.floats(0.0001, 1.0)


@given(st.lists(st.tuples(SECONDS, SECONDS), max_size=50))
def test_beside_texts_feeding_takes_its_share_of_the_time_and_a_call_more(
    ticks: list[tuple[float, float]],
) -> None:
    """In each tick a call takes so many seconds, and the steps so many."""
    budget, fed, stepped, longest = feeding_budget(), 0.0, 0.0, 0.0
    for call, steps in ticks:
        budget.begin_tick(is_writing=True)
        longest, before = max(longest, call), fed
        while budget.is_left:
            budget.note_taken(call)
            fed += call
        assert fed - before <= FEEDING_BUDGET_S + longest  # what texts wait for between two steps
        budget.note_stepped(steps)
        stepped += steps
    assert fed <= FEEDING_SHARE * (fed + stepped) + FEEDING_BUDGET_S + longest


@given(st.floats(0.0005, 0.3), st.floats(0.005, 0.3))
def test_where_there_is_always_something_to_feed_it_gets_its_share(
    call: float, steps: float
) -> None:
    budget, fed = feeding_budget(), 0.0
    for _ in range(200):
        budget.begin_tick(is_writing=True)
        while budget.is_left:
            budget.note_taken(call)
            fed += call
        budget.note_stepped(steps)
    earned = min(steps * FEEDING_SHARE / (1 - FEEDING_SHARE), FEEDING_BUDGET_S)
    assert fed >= 199 * earned - call


def test_what_is_owed_is_paid_and_no_more_is_saved_than_a_budget() -> None:
    budget = feeding_budget()
    budget.begin_tick(is_writing=True)
    budget.note_taken(0.2)
    budget.note_stepped(0.3)
    assert not budget.is_left
    budget.note_stepped(100)
    budget.note_taken(FEEDING_BUDGET_S)
    assert not budget.is_left


def test_without_texts_nothing_is_owed() -> None:
    budget = feeding_budget()
    budget.note_taken(100)
    budget.begin_tick(is_writing=False)
    assert budget.is_left
    budget.note_taken(FEEDING_BUDGET_ALONE_S)
    assert not budget.is_left


class SlowlyFed(SteadyRunner):
    """Runner whose chunks take ten times as long as its steps, and whose long prompt never ends."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.fed_s = self.stepped_s = 0.0

    def feed(self, requests: Sequence[Request]) -> list[Request]:
        if not requests[0].num_prompt_tokens:
            return super().feed(requests)
        self.now += 0.1
        self.fed_s += 0.1
        return []

    def step(self, count: int) -> list[Stepped]:
        self.now += 0.01
        self.stepped_s += 0.01
        return super().step(count)


def test_a_long_prompt_leaves_a_running_text_its_share_of_the_engines_time(
    make_request: Callable[..., Request],
) -> None:
    runner = SlowlyFed()
    scheduler: Scheduler[Request] = Scheduler(num_slots=2, max_waiting=0)
    engine = Engine(scheduler, Metrics().engine, clock=lambda: runner.now)
    engine.start()
    engine.submit(make_request(runner))
    wait_until(lambda: runner.stepped_s > 0)
    engine.submit(make_request(runner, "long"))
    wait_until(lambda: runner.fed_s > 1)
    engine.stop()
    assert runner.fed_s - 2 * 0.1 <= FEEDING_SHARE * (runner.fed_s + runner.stepped_s)
