"""Types that many files name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Numbers in double precision; the shape stands in the docstring.
Array = NDArray[np.float64]
