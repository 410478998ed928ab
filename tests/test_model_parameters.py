"""Every field of a request has bounds, and an error that names it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from model.avoided_words import MAX_AVOIDED
from model.errors import MAX_SHOWN_INPUT, ParameterError
from model.parameters import MAX_LOGPROBS, MAX_PENALTY_WINDOW, MAX_SEED, MAX_STOPS, SamplingParams

SMALLEST = math.nextafter(0.0, 1.0)

# field, lowest, highest: both are allowed
BOUNDS: list[tuple[str, float, float]] = [
    ("max_tokens", 0, 1_000_000),
    ("min_tokens", 0, 1_000_000),
    ("temperature", 0.0, 10.0),
    ("top_k", 0, 1_000_000),
    ("top_p", SMALLEST, 1.0),
    ("min_p", 0.0, 1.0),
    ("typical_p", SMALLEST, 1.0),
    ("repetition_penalty", SMALLEST, 10.0),
    ("frequency_penalty", -2.0, 2.0),
    ("presence_penalty", -2.0, 2.0),
    ("penalty_window", 1, MAX_PENALTY_WINDOW),
    ("seed", 0, MAX_SEED),
    ("max_lines", 1, 100_000),
    ("max_stanzas", 1, 100_000),
    ("soft_end", 0, 1_000_000),
    ("logprobs", 0, MAX_LOGPROBS),
]
FIELDS = [name for name, _, _ in BOUNDS]
INTEGERS = [name for name, low, _ in BOUNDS if isinstance(low, int)]


def below(value: float) -> float:
    return value - 1 if isinstance(value, int) else math.nextafter(value, -math.inf)


def above(value: float) -> float:
    return value + 1 if isinstance(value, int) else math.nextafter(value, math.inf)


def refused(field: str, value: object) -> ParameterError:
    with pytest.raises(ParameterError) as caught:
        SamplingParams.checked(**{field: value})
    return caught.value


def test_the_table_of_bounds_has_every_number() -> None:
    assert {*FIELDS, "stop", "avoid", "logit_bias"} == set(SamplingParams.model_fields)


@pytest.mark.parametrize(("field", "low", "high"), BOUNDS)
def test_a_value_on_a_bound_is_taken(field: str, low: float, high: float) -> None:
    for value in (low, high):
        assert getattr(SamplingParams.checked(**{field: value}), field) == value


@pytest.mark.parametrize(("field", "low", "high"), BOUNDS)
def test_a_value_beyond_a_bound_is_refused_by_name(field: str, low: float, high: float) -> None:
    for value in (below(low), above(high)):
        error = refused(field, value)
        assert error.field == field
        assert str(error).startswith(f"{field}: ")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", [True, False, "5", math.nan, math.inf, -math.inf, [1], {}, b"1"], ids=repr
)
def test_what_is_no_finite_number_is_refused_by_name(field: str, value: object) -> None:
    assert refused(field, value).field == field


@pytest.mark.parametrize("field", INTEGERS)
@pytest.mark.parametrize("value", [1.5, 1.0])
def test_an_integer_is_no_fraction(field: str, value: float) -> None:
    assert refused(field, value).field == field


def test_a_whole_number_will_do_for_a_fraction() -> None:
    assert SamplingParams.checked(temperature=1, top_p=1).temperature == 1.0


@pytest.mark.parametrize("field", [*FIELDS, "stop", "logit_bias"])
def test_only_what_has_no_default_number_may_be_none(field: str) -> None:
    if field in ("seed", "logprobs", "max_lines", "max_stanzas", "soft_end"):
        assert getattr(SamplingParams.checked(**{field: None}), field) is None
    else:
        assert refused(field, None).field == field


@pytest.mark.parametrize("stop", [[], ["a"], ["a"] * MAX_STOPS, ["a" * 200]])
def test_stops_may_be_a_list(stop: list[str]) -> None:
    assert SamplingParams.checked(stop=stop).stop == tuple(stop)


@pytest.mark.parametrize(
    ("stop", "field"),
    [
        ("abc", "stop"),
        (["a"] * (MAX_STOPS + 1), "stop"),
        ([""], "stop.0"),
        (["a", "b" * 201], "stop.1"),
        (["a", 5], "stop.1"),
    ],
)
def test_a_bad_stop_is_refused_by_place(stop: object, field: str) -> None:
    assert refused("stop", stop).field == field


@pytest.mark.parametrize("bias", [-100, 100, 0, 2.5])
def test_a_bias_within_bounds_is_taken(bias: float) -> None:
    assert SamplingParams.checked(logit_bias={"e": bias}).logit_bias == {"e": bias}


@pytest.mark.parametrize("bias", [-101, 100.1, math.nan, math.inf, True, "1", None], ids=repr)
def test_a_bad_bias_is_refused_by_character(bias: object) -> None:
    assert refused("logit_bias", {"a": 1, "e": bias}).field == "logit_bias.e"


def test_too_many_biases_are_refused() -> None:
    assert refused("logit_bias", {chr(i): 0 for i in range(301)}).field == "logit_bias"


@pytest.mark.parametrize("field", ["temprature", "logits", "model_config", ""])
def test_an_unknown_field_is_refused_by_name(field: str) -> None:
    assert refused(field, 1).field == field


def test_an_error_shows_the_value_but_not_all_of_a_long_one() -> None:
    assert "got 11" in str(refused("temperature", 11))
    assert len(str(refused("temperature", "x" * 100_000))) < 100 + MAX_SHOWN_INPUT


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SamplingParams().temperature = 2.0  # type: ignore[misc]


@given(st.integers(0, MAX_SEED))
def test_a_seed_that_was_given_is_kept(seed: int) -> None:
    assert SamplingParams(seed=seed).with_seed().seed == seed


def test_a_seed_is_drawn_where_none_was_given_and_fits_a_javascript_number() -> None:
    seeds = {SamplingParams().with_seed().seed for _ in range(50)}
    assert len(seeds) == 50
    assert all(seed is not None and 0 <= seed < 2**53 for seed in seeds)


@pytest.mark.parametrize(
    ("avoided", "told"),
    [
        ("", "avoid"),
        ("a" * 101, "avoid"),
        ("!", "must begin and end with a letter or digit"),
        ("*", "must begin and end with a letter or digit"),
        ("O!", "must begin and end with a letter or digit"),
        ("lov*e", "may have its * at the end only"),
        ("l*ve*", "may have its * at the end only"),
    ],
)
def test_what_can_be_no_word_is_refused(avoided: str, told: str) -> None:
    assert told in str(refused("avoid", [avoided]))


def test_so_many_words_may_be_avoided() -> None:
    assert len(SamplingParams.checked(avoid=["love"] * MAX_AVOIDED).avoid) == MAX_AVOIDED
    assert refused("avoid", ["love"] * (MAX_AVOIDED + 1)).field == "avoid"
