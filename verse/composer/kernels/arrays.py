"""Arrays that kernels and their callers share: sets of patterns, numbers, places, flags.

Knows nothing of what they hold.
"""

import numpy as np
from numpy.typing import NDArray

NONE = -1  # no node, no word

Bits = NDArray[np.uint64]  # sets of at most 64, a number each
Places = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
