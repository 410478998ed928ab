"""Presets and fields: what is accepted, and what the refusal says."""

import pytest

from model.errors import ParameterError
from training.config import TrainConfig, checked, preset_names, resolve


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_a_whole_config(name: str) -> None:
    assert isinstance(resolve(name, {}), TrainConfig)


def test_the_presets_of_the_manual_are_there() -> None:
    assert {"tiny", "small", "base", "large"} <= set(preset_names())


def test_a_given_field_wins_over_the_preset() -> None:
    assert resolve("tiny", {"hidden_size": "96"}).hidden_size == 96


def test_a_given_budget_replaces_the_presets() -> None:
    config = resolve("tiny", {"steps": 5})
    assert (config.steps, config.minutes, config.epochs) == (5, None, None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 1, "minutes": 1}, "one of minutes, epochs and steps"),
        ({}, "how long to train"),
        ({"steps": 1, "dropout": 1.0}, "dropout"),
        ({"steps": 1, "cell": "transformer"}, "cell"),
        ({"steps": 1, "hiden_size": 5}, "hiden_size"),
        ({"steps": 1, "name": "../escape"}, "name"),
        ({"steps": 1, "name": ".hidden"}, "name"),
        ({"steps": 1, "split": "random"}, "split"),
        ({"steps": 1, "learning_rate": "fast"}, "learning_rate"),
        ({"steps": 1, "valid_fraction": 1}, "valid_fraction"),
        ({"minutes": float("nan")}, "minutes"),
        ({"steps": 1, "seed": -1}, "seed"),
    ],
)
def test_a_refusal_names_the_field(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        checked(fields)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"decay_at": (0.5,)}, "decay_at: is for schedule step, not cosine"),
        ({"decay_factor": 0.5}, "decay_factor: is for schedule step or plateau, not cosine"),
        ({"plateau_patience": 2, "schedule": "step"}, "plateau_patience"),
        ({"final_learning_rate": 0.1, "schedule": "constant"}, "final_learning_rate"),
        ({"averaging_patience": 2, "averaging": 0}, "averaging_patience"),
        ({"mogrifier_rank": 2}, "mogrifier_rank"),
    ],
)
def test_what_would_be_ignored_is_refused(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        resolve("tiny", fields)


def test_what_a_preset_says_of_another_schedule_does_not_stand_in_the_way() -> None:
    assert resolve("awd-char", {"schedule": "cosine"}).schedule == "cosine"


def test_an_unknown_preset_lists_the_known() -> None:
    with pytest.raises(ParameterError, match="tiny"):
        resolve("gigantic", {})


def test_a_config_survives_its_own_json() -> None:
    config = resolve("small", {"corpus": ["a", "b"], "name": "n", "init_from": "checkpoints/x"})
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config
