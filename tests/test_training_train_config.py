"""Presets and fields: what is accepted, and what the refusal says."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from model.config import ModelConfig
from model.errors import ParameterError
from service.settings import Settings
from training.cell_study.cell_study_config import CellStudyConfig
from training.evaluation.comparison import ComparisonOptions
from training.evaluation.dynamic_evaluation import DynamicOptions
from training.train_config import (
    INHERITED,
    RunName,
    TrainConfig,
    checked,
    preset_names,
    resolve,
)


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
        ({"dropout_between": 0.2}, "dropout_between: is of no use with num_layers 1"),
        ({"averaging": 1, "averaging_patience": 9}, "averaging_patience: is 9, and patience 8"),
        ({"schedule": "plateau", "plateau_patience": 9}, "plateau_patience: is 9"),
    ],
)
def test_what_would_be_ignored_is_refused(fields: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        resolve("tiny", fields)


def test_what_a_preset_says_of_another_schedule_does_not_stand_in_the_way() -> None:
    assert resolve("awd-char", {"schedule": "cosine"}).schedule == "cosine"


def test_given_rounds_replace_a_presets_mogrifier() -> None:
    assert resolve("mogrifier-char", {}).mogrifier_rank > 0
    without = resolve("mogrifier-char", {"mogrifier_rounds": "0"})
    assert (without.mogrifier_rounds, without.mogrifier_rank) == (0, 0)


def test_a_given_dropout_is_for_all_places_that_are_not_given() -> None:
    assert resolve("small", {}).dropout_input == 0
    config = resolve("small", {"dropout": 0.4, "dropout_output": 0.5})
    assert (config.dropout, config.dropout_input, config.dropout_output) == (0.4, None, 0.5)


def test_an_unknown_preset_lists_the_known() -> None:
    with pytest.raises(ParameterError, match="tiny"):
        resolve("gigantic", {})


def test_a_file_is_a_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("hidden_size = 96\nsteps = 7\n", encoding="utf-8")
    config = resolve(str(path), {"steps": 5})
    assert (config.hidden_size, config.steps, config.preset) == (96, 5, str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"hidden_size = ", "cannot be read"),
        (b"steps = 1\nhiden_size = 5", "hiden_size"),
        (b"steps = 1\n[network]\nhidden_size = 5", "network"),
        (b"hidden_size = 5", "how long to train"),
    ],
)
def test_a_file_that_is_no_preset_is_refused_in_a_line(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ParameterError, match=message) as refused:
        resolve(str(path), {})
    assert "\n" not in str(refused.value)


def test_a_config_survives_its_own_json() -> None:
    config = resolve("small", {"corpus": ["a", "b"], "name": "n", "init_from": "checkpoints/x"})
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_every_field_of_a_network_is_a_field_of_a_run_and_inherited() -> None:
    fields = ModelConfig.model_fields.keys() - {"vocab_size"}
    assert fields <= TrainConfig.model_fields.keys() & set(INHERITED)
    for name in fields:
        assert repr(TrainConfig.model_fields[name]) == repr(ModelConfig.model_fields[name])


def test_a_vocabulary_is_learned_within_bounds_of_its_own() -> None:
    assert TrainConfig.model_fields["vocab_size"].default == 1024
    with pytest.raises(ParameterError, match="vocab_size"):
        checked({"steps": 1, "vocab_size": 20})


@pytest.mark.parametrize("name", ["my poems", "", "-x", "a/b", "\u00e9", "x" * 101])
def test_a_bad_name_is_told_what_a_name_may_have_in_words(name: str) -> None:
    with pytest.raises(ParameterError) as refused:
        checked({"steps": 1, "name": name})
    assert "letters a to z and A to Z, digits, dots, hyphens and underscores" in str(refused.value)
    assert not set("^$[{\\") & set(str(refused.value).partition(", got ")[0])


def test_no_field_of_a_command_or_setting_is_refused_by_a_regular_expression() -> None:
    models = (TrainConfig, CellStudyConfig, DynamicOptions, ComparisonOptions, Settings)
    assert [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if any(getattr(part, "pattern", None) is not None for part in field.metadata)
    ] == []
    assert "pattern" not in str(TypeAdapter(RunName).json_schema())
