"""Are these layers more alike than chance makes them? Of the measure that takes input i for input i.

Shuffled inputs cost it next to nothing. Clouds of the same spectrum, the null of measures that find their own
matching, would double the time of a report; :func:`funcsim.calibrate` compares with them.

Taught in chapter 14.
"""

from __future__ import annotations

import numpy as np

import funcsim as fs
from funcsim.geometry import Normalize
from funcsim.representations import Representations
from funcsim.similarity import Measure, look_up

SHUFFLES = 9
#: Shuffles that are foretold to take longer are left out.
MOST_SECONDS = 60.0


def beside_chance(
    reps: Representations, measures: tuple[str | Measure, ...], normalize: Normalize, seed: int
) -> list[str]:
    """How many pairs of layers are no more alike than with shuffled inputs, in at most one sentence."""
    paired = next((m for m in map(look_up, measures) if m.paired), None)
    if paired is None:
        return []
    cost = fs.estimate_cost(reps, measure=paired, normalize=normalize)
    if SHUFFLES * cost.seconds > MOST_SECONDS:
        return []
    found = fs.calibrate(
        reps, measure=paired, normalize=normalize, n=SHUFFLES, seed=seed, jobs=1, progress=False
    )
    share = found.share[np.triu_indices(len(reps), k=1)]
    low = int((share > 0).sum())
    if low == 0:
        return [
            f"By {paired.title} all {len(share)} pairs of layers are more alike than in each of {SHUFFLES} "
            "shuffles of the inputs."
        ]
    return [
        f"By {paired.title} {low} of {len(share)} pairs of layers are no more alike than one of {SHUFFLES} "
        "shuffles of the inputs makes them: there a small distance is no evidence of anything shared."
    ]
