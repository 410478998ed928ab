"""How many steps are taken in one go."""

import pytest

from service.engine.pace import MOST_STEPS, TARGET_S, Pace


def pace_after(step_s: float) -> int:
    pace = Pace()
    for _ in range(30):
        pace.note(pace.steps, pace.steps * step_s)
    return pace.steps


def test_before_anything_is_known_it_is_one() -> None:
    assert Pace().steps == 1


@pytest.mark.parametrize("step_s", [1e-6, 1e-4, 0.0007, 0.0011, 0.003, 0.006, 0.2])
def test_it_is_the_power_of_two_that_fits_into_the_target(step_s: float) -> None:
    steps = pace_after(step_s)
    assert steps & (steps - 1) == 0
    assert steps == 1 or steps * step_s <= TARGET_S * 1.001
    assert steps == MOST_STEPS or 2 * steps * step_s > TARGET_S


def test_it_follows_a_step_that_becomes_slower() -> None:
    pace = Pace()
    for step_s in [0.0001] * 20 + [0.02] * 20:
        pace.note(1, step_s)
    assert pace.steps == 1
