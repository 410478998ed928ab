"""Timeline of a drain: its moments are in order for any grace time, and as documented."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.server.drain import DrainTimeline
from service.server.gunicorn_app import gunicorn_settings
from service.settings import Settings


@given(st.floats(1, 3600) | st.integers(1, 3600).map(float))
def test_the_moments_of_a_drain_are_in_order(grace_s: float) -> None:
    drain = DrainTimeline.of(grace_s)
    assert 0 < drain.engine_deadline_s < drain.connections_aborted_s < drain.killed_s
    assert drain.connections_aborted_s < grace_s <= drain.killed_s <= grace_s + 1


@given(st.floats(4, 3600))
def test_streams_have_a_second_for_their_last_events_and_the_process_one_to_end(
    grace_s: float,
) -> None:
    drain = DrainTimeline.of(grace_s)
    assert drain.connections_aborted_s - drain.engine_deadline_s == pytest.approx(1)
    assert drain.killed_s - drain.connections_aborted_s >= 1 - 1e-9


@pytest.mark.parametrize(
    ("grace_s", "moments"),
    [(1, (0.5, 0.75, 1)), (2.5, (1.25, 1.875, 3)), (4, (2, 3, 4)), (30, (28, 29, 30))],
)
def test_a_short_grace_time_is_shared_out(
    grace_s: float, moments: tuple[float, float, int]
) -> None:
    drain = DrainTimeline.of(grace_s)
    assert (drain.engine_deadline_s, drain.connections_aborted_s, drain.killed_s) == moments


def test_gunicorn_kills_the_worker_at_the_end_of_the_timeline() -> None:
    assert gunicorn_settings(Settings(drain=7.2))["graceful_timeout"] == 8
