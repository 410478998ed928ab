"""Products of 8-bit hidden states and 8-bit weights, exact in every sum: oneDNN's int8 linear.

The only module that touches torch's private operators (`torch.ops.onednn`), and the place to
look when a new torch moves them. `exact_levels` tries them against integers of our own before
anyone relies on them; where they are not exact, `model.decoding.decoder` takes another way.

Hidden states lie in (-1, 1), so they need no measured scale: h is held as the byte
round(127 h) + 128. Weights have one scale a row. The sums of such bytes are integers and do not
depend on how many rows or threads there are, which is what the promise of the seed needs.

Shapes: R rows, K inputs, N outputs. Knows nothing of networks.
"""

from functools import cache

import torch
from torch import Tensor, nn

SCALE = 1 / 127  # of a hidden state's byte
ZERO = 128  # the byte of 0.0
# Of a weight, on either side of 0: 8 bits; and 7, for CPUs without VNNI, which add pairs of
# products in 16 bits that saturate: 2 x 255 x 127 is too much for them, 2 x 255 x 63 is not.
LEVELS = (127, 63)


class Int8Linear(nn.Module):
    """(R, K) bytes of hidden states -> (R, N) float32: the integer sums, scaled, and a bias."""

    def __init__(self, weight: Tensor, bias: Tensor, levels: int) -> None:
        """`weight` (N, K) is rounded, row by row, to integers from -levels to levels."""
        super().__init__()
        self._scale = weight.abs().amax(dim=1).clamp_min(1e-30) / levels
        rounded = torch.round(weight / self._scale.unsqueeze(1)).to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)  # oneDNN's own layout
        self._zero_point = torch.zeros(len(weight), dtype=torch.int32)  # weights are symmetric
        self._bias = bias
        self._hidden_scale = SCALE
        self._hidden_zero = ZERO

    def forward(self, hidden: Tensor) -> Tensor:
        """The product for each row of `hidden` (R, K) uint8."""
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            hidden,
            self._hidden_scale,
            self._hidden_zero,
            self._packed,
            self._scale,
            self._zero_point,
            self._bias,
            1.0,  # the output's scale and zero point: it is not quantized
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        return result


@cache
def exact_levels() -> int:
    """The most levels with which this machine's products are exact; 0 where none are."""
    return next((levels for levels in LEVELS if _is_exact(levels)), 0)


def _is_exact(levels: int) -> bool:
    """Whether the sums of the bytes and weights that saturate first are as they should be."""
    pattern = torch.arange(3 * 64).view(3, 64)
    hidden = torch.where(pattern % 3 == 0, 0, 255 - pattern % 7).to(torch.uint8)
    weight = torch.where(torch.arange(16 * 64).view(16, 64) % 5 == 0, -levels, levels)
    expected = (hidden.long() - ZERO) @ weight.t()
    try:
        linear = Int8Linear(weight.float(), torch.zeros(len(weight)), levels)
        sums = torch.cat([linear(hidden[:1]), linear(hidden)]) / SCALE
    except (RuntimeError, AttributeError):  # not built in, or not for this machine
        return False
    return bool(torch.equal(sums.round().long(), torch.cat([expected[:1], expected])))
