"""Representations in, a layer map out: every pair of layers, in parallel, never twice.

Taught in chapter 06.
"""

from __future__ import annotations

import sys
from typing import Literal

import numpy as np

from funcsim._cost import estimate_cost
from funcsim._internal.progress import progress_bar, someone_watches
from funcsim._pairs import Layers, Pair, compared_pairs, solve_pairs
from funcsim.geometry import Normalize, check_normalize, is_degenerate
from funcsim.gromov.effort import Effort
from funcsim.layer_map import LayerMap
from funcsim.representations import Representations
from funcsim.similarity import Measure, check_pair, effort_of, look_up, with_effort

#: Pairs times squared samples from which on time and memory are foretold: about a minute of "gw".
LONG = 50_000_000


def compare(
    reps: Representations,
    other: Representations | None = None,
    *,
    measure: str | Measure = "gw",
    normalize: Normalize = "mean",
    degenerate: Literal["raise", "nan"] = "raise",
    within: int | None = None,
    jobs: int | None = None,
    device: str | None = None,
    effort: Effort | None = None,
    progress: bool = True,
) -> LayerMap:
    """Compare every layer with every other, or with every layer of another model.

    Parameters
    ----------
    reps : Representations
        L layers, (n_samples, n_features) each; the numbers of features are free for most
        measures.
    other : Representations, optional
        M layers of a second model on the same samples. Without it, `reps` is compared with
        itself: each pair once, and the diagonal is that of a layer with itself.
    measure : str or Measure
        One of :func:`funcsim.measures` by its name, or a :class:`funcsim.Measure` of your own.
        What your functions are made of must be at hand in every process: a function of a script
        or notebook travels, and so does a lambda.
    normalize : {"mean", "max"} or None
        Divide each layer by its mean distance, by its largest, or leave it raw.
    degenerate : {"raise", "nan"}
        What to do about a layer whose samples coincide up to rounding: refuse it where nothing
        can be compared with it, or leave it out and write NaN, whatever `normalize` is.
        :meth:`LayerMap.defined` drops those layers from the map.
    within : int, optional
        Compare only layers that are at most so many apart, and of the others every (within + 1)-th
        with every (within + 1)-th. What is left out is NaN in the map; for "gw" its certified lower
        bound is given all the same. For hundreds of layers, of which most pairs are plainly far.
    jobs : int, optional
        Processes to run in; without it, one per available core where that pays, or what the
        active joblib backend offers. It changes the time, never the numbers.
    device : str, optional
        For the measure "gw": solve many pairs at once on this PyTorch device, such as "cuda".
    effort : {"quick", "usual", "thorough"}, optional
        For the measure "gw": how much a search may cost, as in :func:`funcsim.gw`; without it
        "usual". The map says it, and pairs are kept on disk for each effort by itself.
    progress : bool
        Show a bar with the time left, in a terminal or a live notebook; before a long comparison
        also what time and memory it will take.

    Returns
    -------
    LayerMap
        Values (L, L) or (L, M), and for "gw" certified lower bounds.

    Raises
    ------
    DegenerateLayerError
        Naming the layer, if its samples coincide and `normalize` is not None, unless `degenerate`
        is "nan".
    WidthError
        Naming two layers of different widths, if the measure needs equal ones.
    ValueError
        If `measure`, `normalize`, `degenerate`, `device` or `effort` is unknown, the sample counts differ, or
        a measure of your own has the name of another.

    Notes
    -----
    Each finished pair is kept on disk by content (see :mod:`funcsim._internal.cache`), so an
    interrupted comparison goes on where it stopped and a repeated one is read back. Of a measure
    of your own this holds if it has a version.
    Memory is a few (n, n) matrices per layer, up to 2 GiB of them; of more layers than that they are
    made again for each group of layers that is compared with another.

    On a cluster, three lines around the call send the pairs to its workers::

        client = distributed.Client("scheduler-address:8786")
        with joblib.parallel_config(backend="dask"):
            layer_map = fs.compare(reps)

    Examples
    --------
    >>> import numpy as np, funcsim as fs
    >>> x = np.random.default_rng(0).normal(size=(20, 3))
    >>> reps = fs.Representations({"a": x, "rotated": x[:, ::-1], "bent": np.tanh(2 * x)})
    >>> m = fs.compare(reps, measure="rsm")
    >>> m.to_frame().round(2)
                a  rotated  bent
    a        0.00     0.00  0.26
    rotated  0.00     0.00  0.26
    bent     0.26     0.26  0.00
    """
    chosen = with_effort(look_up(measure), effort)
    check_normalize(normalize)
    if degenerate not in ("raise", "nan"):
        raise ValueError(f"degenerate={degenerate!r} is unknown; use 'raise' or 'nan'")
    if other is not None and other.n_samples != reps.n_samples:
        raise ValueError(
            f"the two models were run on {reps.n_samples} and {other.n_samples} samples; "
            "capture both on the same batches"
        )
    if device is not None and chosen.name != "gw":
        raise ValueError(
            f"device={device!r}: only 'gw' is solved on a device; leave it out for {chosen.name!r}"
        )
    if within is not None and (other is not None or within < 1):
        raise ValueError(f"within={within}: it is 1 or more, and only for the layers of one model")
    first = _usable(reps, degenerate)
    second = first if other is None else _usable(other, degenerate)
    pairs = [*np.ndindex(len(first), len(second))] if other is not None else compared_pairs(len(first))
    _check_widths(chosen, first, second, pairs)
    near = pairs if within is None else compared_pairs(len(first), within)
    far = dict.fromkeys(set(pairs) - set(near), np.nan)

    columns = (reps if other is None else other).names
    places = [
        [names.index(name) for name in used] for names, used in ((reps.names, first), (columns, second))
    ]
    values, lower = (np.full((len(reps), len(columns)), np.nan) for _ in range(2))
    if other is None:
        values[places[0], places[0]], lower[places[0], places[0]] = float(chosen.is_similarity), 0.0
    if (
        other is None
        and device is None
        and len(near) * reps.n_samples**2 > LONG
        and someone_watches(progress)
    ):
        shapes = {name: layer.shape for name, layer in first.items()}
        cost = estimate_cost(shapes, measure=chosen, normalize=normalize, within=within)
        print(f"compare: {cost}; less where pairs are kept from before", file=sys.stderr, flush=True)
    finished = solve_pairs(near, first, second, chosen, normalize, jobs, device, far)
    for pair, numbers in progress_bar(finished, "compare", progress, len(near)):
        i, j = (side[k] for side, k in zip(places, pair, strict=True))
        values[i, j], lower[i, j] = numbers[0], numbers[-1]
        if other is None:
            values[j, i], lower[j, i] = numbers[0], numbers[-1]
    for (i, j), bound in far.items():
        lower[places[0][i], places[0][j]] = lower[places[0][j], places[0][i]] = bound
    return LayerMap(
        values=values,
        names=reps.names,
        columns=columns,
        measure=chosen.name,
        normalize=normalize,
        n_samples=reps.n_samples,
        lower=lower if chosen.score_with_bound else None,
        is_similarity=chosen.is_similarity,
        metric_form=chosen.metric_form,
        effort=effort_of(chosen),
    )


def _usable(reps: Representations, degenerate: str) -> Layers:
    return {
        name: layer for name, layer in reps.items() if degenerate == "raise" or not is_degenerate(layer, name)
    }


def _check_widths(measure: Measure, first: Layers, second: Layers, pairs: list[Pair]) -> None:
    rows, columns = list(first.items()), list(second.items())
    for i, j in pairs:
        (a, x), (b, y) = rows[i], columns[j]
        check_pair(measure, x.shape, y.shape, a, b)
