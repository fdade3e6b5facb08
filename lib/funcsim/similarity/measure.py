"""What a measure of similarity is: one step per layer, one step per pair, and what it declares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from funcsim.errors import WidthError
from funcsim.geometry import Normalize, as_array, check_normalize, normalised_points
from funcsim.metric_form import MetricForm, check_metric_form, metric_form_of

#: Changes of ONE of the two clouds that a measure may be blind to.
INVARIANCES = (
    "translation",
    "isotropic scaling",
    "orthogonal",
    "invertible linear",
    "feature permutation",
    "sample permutation",
)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A way to compare two representations of the same samples: the library's, or one of your own.

    Attributes
    ----------
    name : str
        By which a :class:`funcsim.LayerMap` calls it. The names of :func:`funcsim.measures` are taken.
    score : callable
        ``score(a, b)``: one number from what two layers contributed.
    prepare : callable
        ``prepare(points, normalize, name)``: what a layer (n_samples, n_features) contributes
        to every pair it takes part in; computed once per layer. `name` is for error messages.
        Without it, the layer itself, brought to the common scale that `normalize` asks for.
    title : str
        What to write on an axis.
    invariances : frozenset of str
        The members of `INVARIANCES` under which the number does not change when *one* of
        the two clouds is transformed and `normalize` is None.
    requires_equal_dim : bool
        Whether both layers must have the same number of features.
    is_metric : bool
        Whether it is symmetric, zero between a cloud and itself, and obeys the triangle
        inequality.
    is_similarity : bool
        True for a similarity, False for a distance or dissimilarity.
    metric_form : str
        How the number becomes a distance that adds up along a path: one of those of
        :func:`funcsim.metric_distances`. Groups are sought in these distances, so declare "root" for a
        square and "angle" for a cosine. Without it "distance", or "one minus" for a similarity.
    source : str
        Where it was defined.
    paired : bool
        Whether sample i of one layer must be sample i of the other.
    version : str or None
        Changes whenever the same input may give other numbers, parameters included, so that no
        number kept on disk outlives it. What a function computes cannot be told from outside, so
        without a version nothing is kept on disk.
    score_with_bound : callable or None
        ``score_with_bound(a, b)``: the number, and a certified lower bound of it, where there is one.
    bound : callable or None
        ``bound(a, b)``: a certified lower bound without the number, where it is much cheaper.

    Examples
    --------
    >>> import funcsim as fs
    >>> farthest = fs.Measure(name="farthest", score=lambda x, y: float(abs(x - y).max()))
    >>> farthest([[0.0], [1.0]], [[0.0], [3.0]], normalize=None)
    2.0
    >>> reps = fs.Representations({"a": [[0.0], [1.0]], "b": [[0.0], [3.0]]})
    >>> fs.compare(reps, measure=farthest, normalize=None).values.tolist()
    [[0.0, 2.0], [2.0, 0.0]]
    """

    name: str
    score: Callable[[Any, Any], float]
    prepare: Callable[[ArrayLike, Normalize, str], Any] = normalised_points
    title: str = ""
    invariances: frozenset[str] = frozenset()
    requires_equal_dim: bool = False
    is_metric: bool = False
    is_similarity: bool = False
    metric_form: MetricForm | None = None
    source: str = ""
    paired: bool = True
    version: str | None = None
    score_with_bound: Callable[[Any, Any], tuple[float, float]] | None = None
    bound: Callable[[Any, Any], float] | None = None

    def __post_init__(self) -> None:
        if self.metric_form is None:
            object.__setattr__(self, "metric_form", metric_form_of("", self.is_similarity))
        check_metric_form(str(self.metric_form))

    def __call__(self, X: ArrayLike, Y: ArrayLike, normalize: Normalize = "mean") -> float:
        """The number for two clouds (n_samples, n_features_x) and (n_samples, n_features_y)."""
        check_normalize(normalize)
        X, Y = as_array(X, "X"), as_array(Y, "Y")
        check_pair(self, X.shape, Y.shape, "X", "Y")
        return self.score(self.prepare(X, normalize, "X"), self.prepare(Y, normalize, "Y"))


def check_pair(
    measure: Measure, shape_a: tuple[int, ...], shape_b: tuple[int, ...], name_a: str, name_b: str
) -> None:
    """Raise a WidthError, naming both layers, if the measure cannot compare these shapes."""
    if measure.requires_equal_dim and shape_a[1] != shape_b[1]:
        raise WidthError(
            f"measure {measure.name!r} needs layers of equal width, but {name_a!r} has {shape_a[1]} "
            f"features and {name_b!r} has {shape_b[1]}; compare layers of one width, or take a "
            "measure that allows different ones, such as 'gw', 'cka' or 'rsa'"
        )
    if measure.paired and shape_a[0] != shape_b[0]:
        raise WidthError(
            f"measure {measure.name!r} compares sample by sample, but {name_a!r} has {shape_a[0]} "
            f"samples and {name_b!r} has {shape_b[0]}; run both on the same samples"
        )
