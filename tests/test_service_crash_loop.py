"""Crash loop: deaths of the worker in a row without readiness between them."""

from service.server.crash_loop import MAX_DEATHS, CrashLoop


def test_deaths_in_a_row_are_a_loop_and_others_are_not() -> None:
    loop = CrashLoop()
    for was_ready in (False, False, True, False, False):
        loop.note_death(was_ready=was_ready)
        assert not loop.is_detected
    loop.note_death(was_ready=False)
    assert loop.is_detected
    assert loop.num_deaths == MAX_DEATHS == 3
