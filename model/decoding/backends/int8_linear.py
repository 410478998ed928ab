"""Int8 linear layer: quantized weights times 8-bit hidden states by oneDNN, exact in every sum.
Tries at the start whether the sums are exact on this machine.

The only module that touches torch's private operators (`torch.ops.onednn`), and the place to
look when a new torch moves them. `exact_levels` compares them with integer products of our own;
where they are not exact, `model.decoding.decoder` takes another backend.

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
    """Linear layer with quantized weights: (R, K) bytes of hidden states -> (R, N) float32."""

    def __init__(self, weight: Tensor, bias: Tensor | None, levels: int) -> None:
        """`weight` (N, K) is rounded, row by row, to integers from -levels to levels."""
        super().__init__()
        self._scale = weight.abs().amax(dim=1).clamp_min(1e-30) / levels
        rounded = torch.round(weight / self._scale.unsqueeze(1)).to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)  # oneDNN's own layout
        self._unit_scale = torch.ones(len(weight))
        self._zero_point = torch.zeros(len(weight), dtype=torch.int32)  # weights are symmetric
        self._bias = bias
        self._hidden_scale = SCALE
        self._hidden_zero = ZERO

    def forward(self, hidden: Tensor) -> Tensor:
        """Product (R, N) of each row of `hidden` (R, K) uint8 with the weights, and the bias.

        oneDNN takes other code for few rows than for many (AMX), and each multiplies the scales in
        its own order, which shows in the last bit. So it gets one scale only, and the other and the
        bias follow here, each in an operation of its own: nothing is left to be contracted.
        """
        result: Tensor = torch.ops.onednn.qlinear_pointwise(
            hidden,
            self._hidden_scale,
            self._hidden_zero,
            self._packed,
            self._unit_scale,
            self._zero_point,
            None,
            1.0,  # the output's scale and zero point: it is not quantized
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        result.mul_(self._scale)
        bias = self._bias
        return result if bias is None else result.add_(bias)


@cache
def exact_levels() -> int:
    """Largest number of quantization levels with exact products on this machine; 0: none are."""
    return next((levels for levels in LEVELS if _is_exact(levels)), 0)


def _is_exact(levels: int) -> bool:
    """Whether int8 products are exact for the bytes and weights that saturate first."""
    pattern = torch.arange(33 * 64).view(33, 64)  # enough rows for AMX
    hidden = torch.where(pattern % 3 == 0, 0, 255 - pattern % 7).to(torch.uint8)
    weight = torch.where(torch.arange(16 * 64).view(16, 64) % 5 == 0, -levels, levels)
    expected = (hidden.long() - ZERO) @ weight.t()
    try:
        linear = Int8Linear(weight.float(), None, levels)
        one, all_rows = linear(hidden[:1]), linear(hidden)
    except (RuntimeError, AttributeError):  # not built in, or not for this machine
        return False
    is_row_free = torch.equal(one, all_rows[:1])
    return is_row_free and torch.equal((all_rows / SCALE).round().long(), expected)
