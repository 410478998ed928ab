"""Sampling: the random numbers, the draw from them, and each row as if it were alone."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sampling_rows import (
    LOGITS,
    ROWS,
    V,
    ids_of,
    params,
    rows_of,
    sample,
    sampling_of,
    softmax,
)
from torch import Tensor

from model.decoding.decode_loop import Outputs
from model.decoding.sampling import inverse_cdf, uniform
from model.decoding.sampling_state import SamplingState
from model.parameters import MAX_SEED, SamplingParams

# The random numbers


@given(st.integers(0, MAX_SEED), st.integers(0, 1_000_000))
def test_a_uniform_number_is_in_range_and_a_function_of_seed_and_position(
    seed: int, position: int
) -> None:
    first, again = uniform(torch.tensor([seed, seed]), torch.tensor([position, position])).tolist()
    assert first == again
    assert 0 <= first < 1


@pytest.mark.parametrize("what", ["seeds", "positions"])
def test_uniform_numbers_look_uniform(what: str) -> None:
    counter, fixed = torch.arange(100_000), torch.full((100_000,), 3)
    numbers = uniform(counter, fixed) if what == "seeds" else uniform(fixed, counter)
    counts = torch.histc(numbers, bins=100, min=0, max=1)
    chi_square = float(((counts - 1000) ** 2 / 1000).sum())
    assert 60 < chi_square < 150  # 99 degrees of freedom: mean 99, deviation 14
    assert len(set(numbers.tolist())) == 100_000


def test_neighbouring_seeds_and_positions_are_uncorrelated() -> None:
    positions = torch.arange(100_000)
    streams = [uniform(torch.full_like(positions, seed), positions) for seed in (0, 1)]
    pairs = [(streams[0], streams[1]), (streams[0][:-1], streams[0][1:])]
    for pair in pairs:
        assert abs(float(torch.corrcoef(torch.stack(pair))[0, 1])) < 0.015


def test_the_uniform_numbers_of_a_seed_are_the_published_ones() -> None:
    """A change here changes the text of every seed that anyone has noted down."""
    mask = 2**64 - 1

    def mix(x: int) -> int:
        x = (x + 0x9E3779B97F4A7C15) & mask
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
        return x ^ (x >> 31)

    assert mix(0) == 0xE220A8397B1DCDAF  # SplitMix64's first output from seed 0
    for seed, position in [(0, 0), (7, 0), (7, 1), (MAX_SEED, 999_999)]:
        expected = mix(mix(seed) ^ (position * 0x9E3779B97F4A7C15 & mask)) >> 11
        number = float(uniform(torch.tensor([seed]), torch.tensor([position])))
        assert number == expected / 2**53


# The draw

BELOW_ONE = math.nextafter(1.0, 0.0)


def drawn(probs: list[float], u: float) -> int:
    table = torch.tensor([probs], dtype=torch.float64)
    return int(inverse_cdf(table, torch.tensor([u], dtype=torch.float64)))


@pytest.mark.parametrize(
    ("probs", "u", "expected"),
    [
        ([0.25, 0.25, 0.5], 0.0, 0),
        ([0.25, 0.25, 0.5], 0.2499999, 0),
        ([0.25, 0.25, 0.5], 0.25, 1),
        ([0.25, 0.25, 0.5], 0.5, 2),
        ([0.25, 0.25, 0.5], BELOW_ONE, 2),
        ([0.0, 0.0, 1.0, 0.0], 0.0, 2),
        ([0.0, 0.0, 1.0, 0.0], BELOW_ONE, 2),
        ([0.5, 0.0, 0.5, 0.0], 0.5, 2),
        ([0.1, 0.2, 0.0], BELOW_ONE, 1),
        ([1e-300, 0.0], BELOW_ONE, 0),
        ([5e-324, 0.0], BELOW_ONE, 0),
    ],
)
def test_the_draw_takes_the_first_id_beyond_u(probs: list[float], u: float, expected: int) -> None:
    assert drawn(probs, u) == expected


some_zero = st.lists(st.just(0.0) | st.floats(1e-12, 1), min_size=1, max_size=40).filter(any)
below_one = st.floats(0, 1, exclude_max=True) | st.just(BELOW_ONE) | st.just(0.0)


@given(some_zero, below_one)
def test_the_draw_never_takes_an_impossible_id(probs: list[float], u: float) -> None:
    assert probs[drawn(probs, u)] > 0


# Rows

NEIGHBOURS = [
    params(temperature=0),
    params(top_k=2, top_p=0.5, typical_p=0.3, min_p=0.2, frequency_penalty=2.0, seed=1),
    params(temperature=1e-9, repetition_penalty=10.0, penalty_window=1024, min_tokens=9, seed=2),
]


def first_row(sampling: SamplingState, logits: Tensor, steps: int = 12) -> list[Outputs]:
    return [sample(sampling, logits.roll(step, dims=1)) for step in range(steps)]


@pytest.mark.parametrize("mine", [params(), *NEIGHBOURS], ids=["plain", "greedy", "all", "cold"])
def test_a_row_chooses_the_same_bits_whoever_is_beside_it(mine: SamplingParams) -> None:
    alone, crowded = SamplingState(V), SamplingState(V)
    for sampling in (alone, crowded):
        sampling.join([mine], [{3: 1.0}], [[2, 6]])
    for row, neighbour in enumerate(NEIGHBOURS, start=1):
        crowded.join([neighbour], [{5: -3.0}], [[4] * row])
    mixed = rows_of(LOGITS)
    mixed[1:] = torch.tensor([[math.nan] * V, [1e30] * V, [-1e30] * V])
    pairs = zip(first_row(alone, rows_of(LOGITS)[:1]), first_row(crowded, mixed), strict=True)
    for left, right in pairs:
        assert left.ids[0, 0] == right.ids[0, 0]
        assert torch.equal(left.logprobs[0, 0], right.logprobs[0, 0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_row_that_is_not_finite_is_flagged_alone(bad: float) -> None:
    logits = rows_of(LOGITS)
    logits[2, 5] = bad
    sampled = sample(sampling_of(params()), logits)
    assert sampled.is_finite[0].tolist() == [True, True, False, True]
    whole = sample(sampling_of(params()), rows_of(LOGITS))
    assert sampled.ids[0, [0, 1, 3]].tolist() == whole.ids[0, [0, 1, 3]].tolist()
    assert 0 <= sampled.ids[0, 2] < V


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 1e-9},
        {"temperature": 5e-324},
        {"top_k": 1, "top_p": 5e-324},
        {"top_k": 1, "typical_p": 5e-324},
        {"temperature": 1e-9, "repetition_penalty": 1e-300},
        {"temperature": 0, "repetition_penalty": 5e-324},
        {"temperature": 10, "repetition_penalty": 5e-324},
    ],
    ids=str,
)
@pytest.mark.parametrize("scale", [1.0, 1e37])
def test_extreme_numbers_still_choose_the_likeliest(
    fields: dict[str, object], scale: float
) -> None:
    logits = [scale * logit for logit in (1.0, *LOGITS[1:])]
    assert ids_of(sampling_of(params(**fields), prompt=[6]), rows_of(logits)) == [6] * ROWS


def test_a_share_that_rounds_to_nothing_keeps_one_id() -> None:
    flat = rows_of([0.0] * V)
    for name in ("top_p", "typical_p"):
        sampling = sampling_of(params(**{name: 5e-324, "top_k": 2}))
        assert all(0 < token_id < V for token_id in ids_of(sampling, flat))


def test_logprobs_are_the_models_own_whatever_the_parameters() -> None:
    chosen = params(temperature=0.1, top_k=1, min_tokens=5, frequency_penalty=2.0)
    sampled = sample(sampling_of(chosen, bias={3: 9.0}, prompt=[2]), rows_of(LOGITS))
    expected = [math.log(p) for p in softmax(LOGITS)]
    top_ids = sampled.top_ids[0, 0].tolist()
    assert top_ids == sorted(range(V), key=expected.__getitem__, reverse=True)
    likeliest = [expected[i] for i in (sampled.ids[0, 0], *top_ids)]
    assert sampled.logprobs[0, 0].tolist() == pytest.approx(likeliest, abs=1e-12)
