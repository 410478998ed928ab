"""Each sampling parameter against a plain reference, and each row as if it were alone."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.parameters import MAX_SEED, SamplingParams
from model.sampling import Sampled, Sampler, inverse_cdf, uniform
from model.tokenizer import BOS_ID, UNK_ID

# Other work on the machine must not fail a law.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

V = 9
ROWS = 4
LOGITS = [4.0, 1.5, 2.0, 2.0, -1.0, 0.5, 3.0, -3.0, 1.0]
NO_BIAS: Mapping[int, float] = {}


@pytest.fixture(autouse=True)
def one_thread(torch_as_before: None) -> None:
    """Products so small cost least with one thread, above all beside other work."""
    torch.set_num_threads(1)


def params(**fields: object) -> SamplingParams:
    return SamplingParams.checked(**{"temperature": 1.0, "seed": 7, **fields})


def sampler_of(
    chosen: SamplingParams, *, bias: Mapping[int, float] = NO_BIAS, prompt: Sequence[int] = ()
) -> Sampler:
    """ROWS rows with the same text but seeds of their own."""
    sampler = Sampler(ROWS, V)
    for row in range(ROWS):
        seeded = chosen.model_copy(update={"seed": (chosen.seed or 0) + row})
        sampler.assign(row, seeded, bias=bias, prompt_ids=prompt)
    return sampler


def rows_of(logits: Sequence[float]) -> Tensor:
    return torch.tensor([logits] * ROWS, dtype=torch.float32)


# The reference: python lists, one row, one step, in the order that the design fixes.


def penalised(scores: list[float], window: Sequence[int], chosen: SamplingParams) -> list[float]:
    counts = Counter(window)
    result = []
    for token_id, score in enumerate(scores):
        if counts[token_id]:
            factor = chosen.repetition_penalty
            score = score / factor if score > 0 else score * factor  # noqa: PLW2901
            score -= chosen.frequency_penalty * counts[token_id]  # noqa: PLW2901
            score -= chosen.presence_penalty  # noqa: PLW2901
        result.append(score)
    return result


def softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return [weight / math.fsum(weights) for weight in weights]


def kept(probs: list[float], order: Sequence[int], share: float) -> list[float]:
    """What is left of `probs` when ids are taken in `order` until they have `share` of it."""
    if share == 1:
        return probs
    result, total, taken = [0.0] * len(probs), math.fsum(probs), 0.0
    for token_id in order:
        result[token_id] = probs[token_id]
        taken += probs[token_id]
        if taken >= share * total:
            break
    return result


def typical(probs: list[float], share: float) -> list[float]:
    total = math.fsum(probs)
    surprisal = {i: -math.log(p / total) for i, p in enumerate(probs) if p > 0}
    entropy = math.fsum(probs[i] / total * s for i, s in surprisal.items())
    return kept(probs, sorted(surprisal, key=lambda i: abs(surprisal[i] - entropy)), share)


def filtered(scores: Sequence[float], chosen: SamplingParams) -> list[float]:
    probs = softmax([score / chosen.temperature for score in scores])
    ranked = sorted(range(len(probs)), key=lambda i: -probs[i])
    if chosen.top_k:
        probs = [p if i in ranked[: chosen.top_k] else 0.0 for i, p in enumerate(probs)]
    probs = kept(probs, ranked, chosen.top_p)
    probs = [p if p >= chosen.min_p * max(probs) else 0.0 for p in probs]
    return typical(probs, chosen.typical_p)


def reference(
    logits: Sequence[float],
    chosen: SamplingParams,
    bias: Mapping[int, float],
    prompt: Sequence[int],
) -> list[float]:
    scores = [score + bias.get(i, 0.0) for i, score in enumerate(logits)]
    scores[UNK_ID] = -math.inf
    if chosen.min_tokens:
        scores[BOS_ID] = -math.inf
    scores = penalised(scores, prompt[-chosen.penalty_window :], chosen)
    probs = filtered(scores, chosen)
    return [p / math.fsum(probs) for p in probs]


def drawn_from(probs: Sequence[float], u: float) -> int:
    """The first id whose cumulative probability exceeds u."""
    total = 0.0
    for token_id, p in enumerate(probs):
        total += p
        if u < total:
            return token_id
    raise AssertionError("the probabilities do not reach u")


CASES: list[dict[str, object]] = [
    {},
    {"temperature": 0.3},
    {"temperature": 3.0},
    {"top_k": 1},
    {"top_k": 3},
    {"top_k": 4},  # ids 2 and 3 tie: both in
    {"top_k": 2},  # ids 2 and 3 tie for the second place: the lower is in
    {"top_k": 100},
    {"top_p": 0.05},
    {"top_p": 0.6},
    {"top_p": 0.95},
    {"min_p": 0.1},
    {"min_p": 1.0},
    {"typical_p": 0.1},
    {"typical_p": 0.7},
    {"repetition_penalty": 1.8},
    {"repetition_penalty": 0.5},
    {"frequency_penalty": 1.1},
    {"frequency_penalty": -1.1},
    {"presence_penalty": 1.7},
    {"repetition_penalty": 1.3, "frequency_penalty": 0.4, "presence_penalty": 0.2},
    {"repetition_penalty": 2.0, "penalty_window": 2},
    {"min_tokens": 1},
    {"temperature": 0.7, "top_k": 5, "top_p": 0.9, "min_p": 0.05, "typical_p": 0.8},
    {"temperature": 2.0, "top_k": 4, "top_p": 0.5},  # top-p sees what top-k left
    {"top_p": 0.8, "min_p": 0.4, "repetition_penalty": 1.5},
]
BIASES: list[Mapping[int, float]] = [NO_BIAS, {6: -100.0, 4: 5.0}]


@pytest.mark.parametrize("bias", BIASES, ids=["unbiased", "biased"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_choice_is_what_the_reference_draws(
    case: dict[str, object], bias: Mapping[int, float]
) -> None:
    prompt = [6, 4, 6, 2, 5, 6]
    chosen = params(**case)
    probs = reference(LOGITS, chosen, bias, prompt)
    for seed in range(0, 400, ROWS):
        seeded = chosen.model_copy(update={"seed": seed})
        sampler = sampler_of(seeded, bias=bias, prompt=prompt)
        seeds = torch.arange(seed, seed + ROWS)
        numbers = uniform(seeds, torch.zeros_like(seeds)).tolist()
        expected = [drawn_from(probs, u) for u in numbers]
        assert sampler.sample(rows_of(LOGITS)).id_list == expected


logits_lists = st.lists(st.floats(-30, 30, width=32), min_size=V, max_size=V)
any_params = st.fixed_dictionaries(
    {
        "temperature": st.floats(0.05, 10),
        "top_k": st.integers(0, V + 1),
        "top_p": st.floats(0.01, 1),
        "min_p": st.floats(0, 1),
        "typical_p": st.floats(0.01, 1),
        "repetition_penalty": st.floats(0.1, 10),
        "frequency_penalty": st.floats(-2, 2),
        "presence_penalty": st.floats(-2, 2),
        "seed": st.integers(0, MAX_SEED - ROWS),
    }
)


@patient
@given(logits_lists, any_params, st.lists(st.integers(1, V - 1), max_size=70))
def test_only_what_the_reference_leaves_is_ever_chosen(
    logits: list[float], fields: dict[str, object], prompt: list[int]
) -> None:
    chosen = params(**fields)
    scores = [-math.inf, *logits[1:]]
    scores = penalised(scores, prompt[-chosen.penalty_window :], chosen)
    # A hair more generous than the reference: a sum may stand on a filter's very border.
    eased = {
        name: min(1.0, getattr(chosen, name) * (1 + 1e-9)) for name in ("top_p", "typical_p")
    } | {"min_p": chosen.min_p * (1 - 1e-9)}
    left = [filtered(scores, chosen), filtered(scores, chosen.model_copy(update=eased))]
    for token_id in sampler_of(chosen, prompt=prompt).sample(rows_of(logits)).id_list:
        tied = [i for i, score in enumerate(scores) if math.isclose(score, scores[token_id])]
        assert any(probs[i] > 0 for probs in left for i in tied)


@patient
@given(logits_lists)
def test_temperature_zero_takes_the_likeliest_and_the_lowest_id_of_a_tie(
    logits: list[float],
) -> None:
    sampled = sampler_of(params(temperature=0)).sample(rows_of(logits))
    allowed = [-math.inf, *logits[1:]]
    assert sampled.id_list == [allowed.index(max(allowed))] * ROWS


def test_temperature_zero_is_deaf_to_the_filters_and_hears_the_penalties() -> None:
    chosen = params(temperature=0, top_k=3, top_p=0.1, typical_p=0.1, presence_penalty=2.0)
    assert sampler_of(chosen).sample(rows_of(LOGITS)).id_list == [6] * ROWS
    assert sampler_of(chosen, prompt=[6]).sample(rows_of(LOGITS)).id_list == [2] * ROWS


@pytest.mark.parametrize("temperature", [0, 0.5, 10])
def test_unk_is_never_chosen(temperature: float) -> None:
    sampler = sampler_of(params(temperature=temperature))
    logits = rows_of([1e30, *LOGITS[1:]])
    assert not any(UNK_ID in sampler.sample(logits).id_list for _ in range(50))


@pytest.mark.parametrize("temperature", [0, 1])
def test_bos_is_banned_until_min_tokens_were_chosen(temperature: float) -> None:
    sampler = sampler_of(params(temperature=temperature, min_tokens=3))
    logits = rows_of([0.0, 1e4, *LOGITS[2:]])
    ended = [sampler.sample(logits).id_list == [BOS_ID] * ROWS for _ in range(5)]
    assert ended == [False, False, False, True, True]


def test_the_window_of_the_penalties_slides_over_prompt_and_choices() -> None:
    chosen = params(temperature=0, frequency_penalty=2.0, penalty_window=3)
    sampler, window = sampler_of(chosen, prompt=[6, 6, 2, 5]), [6, 2, 5]
    for _ in range(20):
        scores = penalised([-math.inf, *LOGITS[1:]], window[-3:], chosen)
        expected = scores.index(max(scores))
        assert sampler.sample(rows_of(LOGITS)).id_list == [expected] * ROWS
        window.append(expected)


def test_a_new_text_in_a_row_starts_afresh() -> None:
    chosen = params(frequency_penalty=2.0, min_tokens=2)
    used, fresh = sampler_of(chosen, bias={3: 50.0}, prompt=[2, 3, 6] * 40), sampler_of(chosen)
    for _ in range(5):
        used.sample(rows_of(LOGITS))
    for row in range(ROWS):
        seeded = chosen.model_copy(update={"seed": 7 + row})
        used.assign(row, seeded, bias={}, prompt_ids=[])
    for _ in range(20):
        assert used.sample(rows_of(LOGITS)).id_list == fresh.sample(rows_of(LOGITS)).id_list


def test_a_row_needs_a_seed() -> None:
    with pytest.raises(ValueError, match="seed"):
        Sampler(1, V).assign(0, SamplingParams(), bias={}, prompt_ids=[])


# The random numbers


@patient
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


@patient
@given(some_zero, below_one)
def test_the_draw_never_takes_an_impossible_id(probs: list[float], u: float) -> None:
    assert probs[drawn(probs, u)] > 0


# Rows

NEIGHBOURS = [
    params(temperature=0),
    params(top_k=2, top_p=0.5, typical_p=0.3, min_p=0.2, frequency_penalty=2.0, seed=1),
    params(temperature=1e-9, repetition_penalty=10.0, penalty_window=1024, min_tokens=9, seed=2),
]


def first_row(sampler: Sampler, logits: Tensor, steps: int = 12) -> list[Sampled]:
    return [sampler.sample(logits.roll(step, dims=1)) for step in range(steps)]


@pytest.mark.parametrize("mine", [params(), *NEIGHBOURS], ids=["plain", "greedy", "all", "cold"])
def test_a_row_chooses_the_same_bits_whoever_is_beside_it(mine: SamplingParams) -> None:
    alone, crowded = Sampler(ROWS, V), Sampler(ROWS, V)
    for sampler in (alone, crowded):
        sampler.assign(0, mine, bias={3: 1.0}, prompt_ids=[2, 6])
    for row, neighbour in enumerate(NEIGHBOURS, start=1):
        crowded.assign(row, neighbour, bias={5: -3.0}, prompt_ids=[4] * row)
    mixed = rows_of(LOGITS)
    mixed[1:] = torch.tensor([[math.nan] * V, [1e30] * V, [-1e30] * V])
    pairs = zip(first_row(alone, rows_of(LOGITS)), first_row(crowded, mixed), strict=True)
    for left, right in pairs:
        assert left.id_list[0] == right.id_list[0]
        assert torch.equal(left.logprobs[0], right.logprobs[0])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_row_that_is_not_finite_is_flagged_alone(bad: float) -> None:
    logits = rows_of(LOGITS)
    logits[2, 5] = bad
    sampled = sampler_of(params()).sample(logits)
    assert sampled.finite_list == [True, True, False, True]
    whole = sampler_of(params()).sample(rows_of(LOGITS))
    assert [sampled.id_list[row] for row in (0, 1, 3)] == [whole.id_list[row] for row in (0, 1, 3)]


def test_a_cleared_row_goes_on_without_harm() -> None:
    sampler = sampler_of(params(temperature=0))
    sampler.clear(1)
    chosen = sampler.sample(rows_of(LOGITS)).id_list
    assert [chosen[row] for row in (0, 2, 3)] == [6, 6, 6]
    assert 0 < chosen[1] < V


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
    assert sampler_of(params(**fields), prompt=[6]).sample(rows_of(logits)).id_list == [6] * ROWS


def test_a_share_that_rounds_to_nothing_keeps_one_id() -> None:
    flat = rows_of([0.0] * V)
    for name in ("top_p", "typical_p"):
        sampler = sampler_of(params(**{name: 5e-324, "top_k": 2}))
        assert all(0 < token_id < V for token_id in sampler.sample(flat).id_list)


def test_logprobs_are_the_models_own_whatever_the_parameters() -> None:
    chosen = params(temperature=0.1, top_k=1, min_tokens=5, frequency_penalty=2.0)
    sampled = sampler_of(chosen, bias={3: 9.0}, prompt=[2]).sample(rows_of(LOGITS))
    expected = [math.log(p) for p in softmax(LOGITS)]
    assert sampled.logprobs[0].tolist() == pytest.approx(expected, abs=1e-12)
