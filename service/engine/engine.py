"""Engine: one supervised thread that admits requests, feeds prompts, composes poems, steps texts.

HTTP threads submit, cancel and read their own outbox. Everything else happens on the engine's
thread, so the runners need no locks. An error while it works on requests fails those that were fed
or stepped together, and nothing else, however often it happens. An error outside of such work, or
a runner that cannot even let go of a request, ends the engine for good: every request fails, and
`trouble` says so.

Knows nothing of tensors, Flask and HTTP.
"""

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from service.engine.failure import Failure, UnavailableError
from service.engine.lifecycle import FOR_EVER, STOPPED, Lifecycle
from service.engine.outbox import FlushInterval
from service.engine.publishing import Publisher
from service.engine.request import EngineObserver, Phase, Request, Runner
from service.engine.scheduler import Load, Scheduler, StepsPerTick
from service.engine.time_budget import composing_budget, feeding_budget
from service.timeouts import ENGINE_IDLE_WAIT_S, THREAD_STOP_TIMEOUT_S


class Engine:
    """Supervised engine: `submit` requests, read their outboxes; `start` and `stop` the thread.

    Of the lifecycle others may use only what passes through here; the rest is the thread's.
    `max_request_s` bounds a request from submission to end; `clock` gives monotonic seconds.

    `_changed` guards the scheduler and `_cancelled`. Other threads change only who waits and, by
    admission, who is fed. Who is writing changes on the engine's thread alone, and locked, because
    others count it: so that thread may read `writing` without the lock.
    """

    def __init__(
        self,
        scheduler: Scheduler[Request],
        observer: EngineObserver,
        *,
        max_request_s: float = FOR_EVER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scheduler = scheduler
        self._observer = observer
        self._clock = clock
        self._steps_per_tick = StepsPerTick()
        self._feeding_budget = feeding_budget()
        self._composing_budget = composing_budget()
        self._flush_interval = FlushInterval()
        self._log = structlog.get_logger()
        self._changed = threading.Condition()
        self._publisher = Publisher(scheduler, observer, self._changed)
        self._cancelled: list[Request] = []  # admitted ones, for the thread to drop
        self._at_risk: Sequence[Request] = ()  # who fails if the next line raises
        self._lifecycle = Lifecycle(clock, max_request_s)
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        """Start the engine's thread."""
        self._lifecycle.note_tick()
        self._thread.start()

    def stop(self, timeout_s: float = THREAD_STOP_TIMEOUT_S) -> None:
        """Fail the requests that still run, and wait `timeout_s` seconds for the thread to end."""
        self.abandon()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def abandon(self) -> None:
        """Begin to stop, without waiting. Takes no lock, so a signal handler may call it."""
        self._lifecycle.stop()

    def begin_drain(self, seconds: float) -> None:
        """Take no more requests; fail those that wait, and after `seconds` those that still run.

        Takes no lock, so a signal handler may call it.
        """
        self._lifecycle.begin_drain(seconds)

    @property
    def is_broken(self) -> bool:
        """Whether the engine has ended by an error and only a restart can help."""
        return self._lifecycle.is_broken

    @property
    def trouble(self) -> str | None:
        """Reason why the engine can serve no request now; None when all is well."""
        return self._lifecycle.trouble

    @property
    def since_tick_s(self) -> float | None:
        """Seconds since the engine's last tick began; None before the first."""
        return self._lifecycle.since_tick_s

    @property
    def load(self) -> Load:
        """Slots and requests in use at this moment."""
        with self._changed:
            return self._scheduler.load

    def submit(self, *requests: Request) -> None:
        """Begin work on all of `requests`, or none. Raises SaturatedError or UnavailableError."""
        if (trouble := self.trouble) is not None:
            raise UnavailableError(trouble)
        with self._changed:
            if self._lifecycle.is_closed:  # since the check above, which needed no lock
                raise UnavailableError(STOPPED)
            self._scheduler.submit(*(each for each in requests if each.needs_feeding))
            for request in requests:
                request.outbox.flush_interval = self._flush_interval
                if not request.needs_feeding:
                    self._publisher.end_unwritten(request)
            self._changed.notify()

    def num_ahead(self, request: Request) -> int | None:
        """Count of requests that wait before this one; None when it does not wait."""
        with self._changed:
            return self._scheduler.num_ahead(request)

    def cancel(self, request: Request) -> None:
        """Cancel a request. Nothing happens when it has ended; may be called twice."""
        with self._changed:
            if request.is_ended or request.is_cancelled:
                return
            request.is_cancelled = True
            if self._scheduler.is_waiting(request):
                self._scheduler.remove(request)
                self._publisher.end(request, "cancelled", Failure.CANCELLED)
            else:
                self._cancelled.append(request)  # the engine's thread is using its rows
            self._changed.notify()

    def _run(self) -> None:
        try:
            while self._lifecycle.goes_on:
                self._tick_or_recover()
        finally:
            self._close(Failure.STOPPING if self._lifecycle.is_stopping else Failure.ENGINE)

    def _tick_or_recover(self) -> None:
        try:
            self._tick()
        except Exception:  # noqa: BLE001 - the supervised border: no error ends the thread unseen
            self._recover()

    def _tick(self) -> None:
        """Work once through all requests: end the overdue, drop the cancelled, feed, compose, step.

        Then wait, where there is nothing to do.
        """
        self._lifecycle.note_tick()
        self._at_risk = ()
        self._end_overdue()
        self._flush_interval.num_readers = self.load.num_running
        self._drop_cancelled()
        self._feed_prompts()
        self._compose_poems()
        self._step_texts()
        self._wait_for_work()

    def _end_overdue(self) -> None:
        with self._changed:
            ending = list(self._lifecycle.overdue(self._scheduler))
        for request, failure in ending:
            self._publisher.end_and_drop(request, "error", failure)

    def _drop_cancelled(self) -> None:
        with self._changed:
            gone, self._cancelled = self._cancelled, []
        for request in gone:
            self._publisher.end_and_drop(request, "cancelled", Failure.CANCELLED)

    def _feed_prompts(self) -> None:
        self._feeding_budget.begin_tick(is_writing=bool(self._scheduler.writing))
        while self._feeding_budget.is_left and (requests := self._next_to_feed()):
            started = self._clock()
            self._feed(requests)
            self._feeding_budget.note_taken(self._clock() - started)

    def _next_to_feed(self) -> list[Request]:
        """Requests whose turn it is, as far as one runner can feed or score them together."""
        with self._changed:
            feeding = self._scheduler.feeding
        alike = [each for each in feeding if each.is_fed_like(feeding[0])]
        return alike[: alike[0].fed_together] if alike else []

    def _feed(self, requests: list[Request]) -> None:
        self._at_risk = requests
        for request in requests:
            if request.phase is Phase.WAITING:
                self._observer.admitted(request.begin_feeding())
        fed = requests[0].runner.feed(requests)
        with self._changed:
            self._scheduler.took_turn(requests)
        for request in fed:
            model, cached = request.model, request.num_cached_tokens
            self._observer.prompt_fed(model, fed=len(request.fed_ids) - 1 - cached, cached=cached)
            self._go_on_after_prompt(request)
        self._at_risk = ()

    def _go_on_after_prompt(self, request: Request) -> None:
        if not request.is_finite:
            self._publisher.end_and_drop(request, "error", Failure.NOT_FINITE)
            return
        with self._changed:
            if request.is_written:  # it was scored, and that was all
                self._scheduler.remove(request)
                self._publisher.end_unwritten(request)
            else:
                request.begin_writing()
                self._scheduler.fed(request)

    def _compose_poems(self) -> None:
        self._composing_budget.begin_tick(is_writing=bool(self._scheduler.writing))
        while self._composing_budget.is_left:
            with self._changed:
                request = self._scheduler.next_composed
            if request is None:
                return
            started = self._clock()
            self._compose(request)
            self._composing_budget.note_taken(self._clock() - started)

    def _compose(self, request: Request) -> None:
        self._at_risk = [request]
        if request.phase is Phase.WAITING:
            self._observer.admitted(request.begin_feeding())
            request.begin_writing()
        started = self._clock()
        lines = request.runner.compose(request)
        characters = sum(len(line.text) + 1 for line in lines)
        seconds = self._clock() - started
        self._observer.composed(
            request.model, lines=len(lines), characters=characters, seconds=seconds
        )
        with self._changed:
            self._scheduler.composed(request)
        self._publisher.publish_lines(request, lines)
        if not request.is_finite:
            self._publisher.end_and_drop(request, "error", Failure.NOT_FINITE)
        self._at_risk = ()

    def _step_texts(self) -> None:
        writing: dict[Runner, list[Request]] = {}
        for request in self._scheduler.writing:
            writing.setdefault(request.runner, []).append(request)
        steps, started = self._steps_per_tick.count, self._clock()
        for runner, requests in writing.items():
            self._at_risk = requests
            self._step(runner, requests[0].model, steps)
        self._at_risk = ()
        if writing:
            took = self._clock() - started
            self._steps_per_tick.note(steps, took)
            self._feeding_budget.note_stepped(took)
            self._composing_budget.note_stepped(took)

    def _step(self, runner: Runner, model: str, count: int) -> None:
        started = self._clock()
        stepped = runner.step(count)
        took = self._clock() - started
        tokens = sum(each.piece.num_tokens for each in stepped)
        self._observer.stepped(model, rows=len(stepped), steps=count, tokens=tokens, seconds=took)
        for each in stepped:
            self._publisher.publish(each.request, each.index, each.piece)
        # Only now: what the other texts of its request have got in these steps is theirs.
        for each in stepped:
            if each.failure is not None:
                self._publisher.end_and_drop(each.request, "error", each.failure)

    def _recover(self) -> None:
        """Fail the requests that the engine worked on; give up where it cannot say which."""
        self._log.exception("engine_error", requests=[r.request_id for r in self._at_risk])
        if not self._at_risk:
            self._lifecycle.fail()
        try:
            for request in self._at_risk:
                self._publisher.end_and_drop(request, "error", Failure.ENGINE)
        except Exception:  # noqa: BLE001 - what failed cannot even be taken apart
            self._log.exception("engine_error", requests=[])
            self._lifecycle.fail()

    def _close(self, failure: Failure) -> None:
        """Fail every request, since the thread ends. Calls no runner: each may be past all use."""
        with self._changed:
            self._lifecycle.close()
            for request in self._scheduler.requests:
                self._scheduler.remove(request)
                self._publisher.end(request, "error", failure)

    def _wait_for_work(self) -> None:
        with self._changed:
            if not self._scheduler.load.num_running and self._lifecycle.goes_on:
                self._changed.wait(ENGINE_IDLE_WAIT_S)
