"""Sampling kernels that change scores before the draw: penalties, and ends that become likelier.

The same rules as `model.decoding.sampling`, which says what they mean. Shapes: V vocabulary, W
penalty window.
"""

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import part
from model.decoding.kernels.numerics import F64
from model.decoding.sampling import HIGHEST, RAMP, RAMP_TOKENS, SPACE_LEAD
from model.decoding.token_marks import LINE_BREAK, SPACE
from model.decoding.verse_ends import LINE_GRACE
from model.tokenizer import BOS_ID

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


@part
def penalise(
    scores: Floats, window: Ids, repetition: float, frequency: float, presence: float
) -> None:
    """Apply repetition, frequency and presence penalties to scores (V,), in place.

    window: (W,) the last ids, or V for an empty place.
    """
    counts = np.zeros(len(scores) + 1, np.float64)
    for token in window:
        counts[token] += 1.0
    for token in range(len(scores)):
        if counts[token] > 0.0:
            score = scores[token]
            score = score / repetition if score > 0.0 else score * repetition
            scores[token] = min(score, HIGHEST) - frequency * counts[token] - presence


@part
def lift_ends(
    scores: Floats, breaks: NDArray[np.int8], latest: int, since: int, temperature: float
) -> None:
    """Lift line breaks and the document's end in scores (V,), `since` tokens past the soft end.

    See `model.decoding.sampling.with_likelier_ends`. breaks: (V,).
    """
    lift = F64(min(since, RAMP_TOKENS)) * RAMP * temperature
    line_lift = F64(min(max(since - LINE_GRACE, 0), RAMP_TOKENS)) * RAMP * temperature
    space, line = -np.inf, -np.inf
    for token in range(len(scores)):
        if breaks[token] == SPACE:
            space = max(space, scores[token])
    highest = space + (line_lift - SPACE_LEAD * temperature)
    for token in range(len(scores)):
        if breaks[token] == LINE_BREAK:
            if breaks[latest] == LINE_BREAK:
                scores[token] = scores[token] + lift
            else:
                scores[token] = max(scores[token], min(scores[token] + line_lift, highest))
            line = max(line, scores[token])
    scores[BOS_ID] = max(scores[BOS_ID], min(scores[BOS_ID] + lift, line))
