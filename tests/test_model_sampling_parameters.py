"""Each sampling parameter against a plain reference."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sampling_rows import (
    LOGITS,
    NO_BIAS,
    ROWS,
    V,
    ids_of,
    params,
    rows_of,
    sampling_of,
    softmax,
)

from model.decoding.sampling import uniform
from model.decoding.sampling_state import SamplingState
from model.parameters import MAX_SEED, SamplingParams
from model.tokenizer import BOS_ID, UNK_ID

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


def kept(probs: list[float], order: Sequence[int], share: float) -> list[float]:
    """Probabilities left when ids are taken in `order` until they have `share` of the sum."""
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
    """Plain draw: the first id whose cumulative probability exceeds u."""
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
        sampling = sampling_of(seeded, bias=bias, prompt=prompt)
        seeds = torch.arange(seed, seed + ROWS)
        numbers = uniform(seeds, torch.zeros_like(seeds)).tolist()
        expected = [drawn_from(probs, u) for u in numbers]
        assert ids_of(sampling, rows_of(LOGITS)) == expected


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
    for token_id in ids_of(sampling_of(chosen, prompt=prompt), rows_of(logits)):
        tied = [i for i, score in enumerate(scores) if math.isclose(score, scores[token_id])]
        assert any(probs[i] > 0 for probs in left for i in tied)


@given(logits_lists)
def test_temperature_zero_takes_the_likeliest_and_the_lowest_id_of_a_tie(
    logits: list[float],
) -> None:
    allowed = [-math.inf, *logits[1:]]
    assert (
        ids_of(sampling_of(params(temperature=0)), rows_of(logits))
        == [allowed.index(max(allowed))] * ROWS
    )


def test_temperature_zero_is_deaf_to_the_filters_and_hears_the_penalties() -> None:
    chosen = params(temperature=0, top_k=3, top_p=0.1, typical_p=0.1, presence_penalty=2.0)
    assert ids_of(sampling_of(chosen), rows_of(LOGITS)) == [6] * ROWS
    assert ids_of(sampling_of(chosen, prompt=[6]), rows_of(LOGITS)) == [2] * ROWS


@pytest.mark.parametrize("temperature", [0, 0.5, 10])
def test_unk_is_never_chosen(temperature: float) -> None:
    sampling = sampling_of(params(temperature=temperature))
    logits = rows_of([1e30, *LOGITS[1:]])
    assert not any(UNK_ID in ids_of(sampling, logits) for _ in range(50))


@pytest.mark.parametrize("temperature", [0, 1])
def test_bos_is_banned_until_min_tokens_were_chosen(temperature: float) -> None:
    sampling = sampling_of(params(temperature=temperature, min_tokens=3))
    logits = rows_of([0.0, 1e4, *LOGITS[2:]])
    ended = [ids_of(sampling, logits) == [BOS_ID] * ROWS for _ in range(5)]
    assert ended == [False, False, False, True, True]


def test_the_window_of_the_penalties_slides_over_prompt_and_choices() -> None:
    chosen = params(temperature=0, frequency_penalty=2.0, penalty_window=3)
    sampling, window = sampling_of(chosen, prompt=[6, 6, 2, 5]), [6, 2, 5]
    for _ in range(20):
        scores = penalised([-math.inf, *LOGITS[1:]], window[-3:], chosen)
        expected = scores.index(max(scores))
        assert ids_of(sampling, rows_of(LOGITS)) == [expected] * ROWS
        window.append(expected)


def test_a_text_that_joins_later_starts_afresh() -> None:
    chosen = params(frequency_penalty=2.0, min_tokens=2)
    used, fresh = sampling_of(chosen, bias={3: 50.0}, prompt=[2, 3, 6] * 40), sampling_of(chosen)
    for _ in range(5):
        ids_of(used, rows_of(LOGITS))
    used.keep_rows([])
    seeded = [chosen.model_copy(update={"seed": 7 + row}) for row in range(ROWS)]
    used.join(seeded, [{}] * ROWS, [[]] * ROWS)
    for _ in range(20):
        assert ids_of(used, rows_of(LOGITS)) == ids_of(fresh, rows_of(LOGITS))


def test_rows_that_are_kept_go_on_as_they_would_have() -> None:
    chosen = params(frequency_penalty=2.0, min_tokens=9, top_k=4)
    whole, part = sampling_of(chosen, prompt=[2, 3]), sampling_of(chosen, prompt=[2, 3])
    for _ in range(5):
        ids_of(whole, rows_of(LOGITS))
        ids_of(part, rows_of(LOGITS))
    part.keep_rows([3, 1])
    for _ in range(20):
        expected = ids_of(whole, rows_of(LOGITS))
        assert ids_of(part, rows_of(LOGITS)[:2]) == [expected[3], expected[1]]


def test_a_row_needs_a_seed() -> None:
    with pytest.raises(ValueError, match="seed"):
        SamplingState(V).join([SamplingParams()], [{}], [[]])
