"""From the number that a measure gives to a distance that adds up along a path of layers.

Squares and similarities do not add up: the square of a GW distance, and one minus a CKA, grow
with the square of the way. What compares two layers *with two others* therefore looks at the
metric form, in which a measure, its square and one minus it all come to the same.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from funcsim._internal.typing import Array

#: What to do with a value to get a distance.
MetricForm = Literal["distance", "root", "angle", "one minus", "root of one minus", "angle of one minus"]

#: Of measures whose numbers are neither a distance as they are nor a share to subtract from one.
#: A map made before maps said it, or by hand, is read by this.
KNOWN: dict[str, MetricForm] = {
    "cosine": "angle of one minus",
    "rsa": "root of one minus",
    "rsa-pearson": "root of one minus",
    **dict.fromkeys(("cca", "svcca", "pwcca"), "angle"),
    **dict.fromkeys(("cka", "cka-debiased", "cka-rbf", "cka-rbf-debiased", "cknna"), "angle"),
}


def metric_form_of(measure: str, is_similarity: bool) -> MetricForm:
    """Of a measure by name; of an unknown one "one minus" or "distance"."""
    return KNOWN.get(measure, "one minus" if is_similarity else "distance")


def check_metric_form(form: str) -> None:
    """Raise a ValueError if there is no such form."""
    if form not in get_args(MetricForm):
        raise ValueError(f"metric_form={form!r} is unknown; there is {', '.join(get_args(MetricForm))}")


def as_distances(values: Array, form: MetricForm) -> Array:
    """Values of a measure as distances, in radians where they are angles.

    A similarity that is estimated, such as a CKA debiased batch by batch, may leave [-1, 1]; its
    angle is then 0 or pi. A root is not taken of what is negative by more than rounding.

    Raises
    ------
    ValueError
        If a root would be taken of a negative number.
    """
    if form.endswith("one minus"):
        values = 1.0 - values
    if form.startswith("angle"):
        return np.arccos(np.clip(values, -1.0, 1.0))
    if not form.startswith("root"):
        return values
    if (values < -1e-9 * max(1.0, np.abs(values).max(initial=0.0))).any():
        what = "values above 1" if form == "root of one minus" else "negative values"
        raise ValueError(f"metric_form={form!r} takes a root, and there are {what}; declare another form")
    return np.sqrt(np.maximum(values, 0.0))
