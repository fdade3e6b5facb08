"""Probes: what of a known target can be found in a layer.

Each is fitted on some samples and judged on the others as well, because a probe with enough
parameters learns any target by heart.

Taught in chapter 05.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from funcsim._internal.typing import Array
from funcsim.representations import Representations

TrainMask = NDArray[np.bool_]
Labels = NDArray[np.int64]
Probe = Callable[[NDArray, Labels, TrainMask], tuple[float, float]]


def linear_probe(layer: NDArray, target: Labels, train_mask: TrainMask) -> tuple[float, float]:
    """Accuracy of a logistic regression.

    Parameters
    ----------
    layer : array, shape (n, d)
    target : integer array, shape (n,)
        The classes.
    train_mask : boolean array, shape (n,)
        True for the samples to fit on; the others are the test samples.

    Returns
    -------
    train, test : float
        Accuracy between 0 and 1 on those samples, and on all others.

    Notes
    -----
    Features are standardised on the fitted samples; ``LogisticRegression(C=100)`` of scikit-learn
    stops after fifty iterations: a target that a line can find without a mistake is found in fewer.

    Raises
    ------
    ValueError
        If the fitted samples are all of one class, or none are left to be judged on.
    """
    return _score(LogisticRegression(C=100, max_iter=50), layer, target, train_mask)


def mlp_probe(
    layer: NDArray, target: Labels, train_mask: TrainMask, seed: int = 0, epochs: int = 200
) -> tuple[float, float]:
    """Accuracy of scikit-learn's ``MLPClassifier`` with default parameters: 100 hidden units.

    As :func:`linear_probe`; `seed` is that of the initial weights, `epochs` the most there are.
    """
    return _score(MLPClassifier(max_iter=epochs, random_state=seed), layer, target, train_mask)


def linear_probe_r2(layer: NDArray, target: Labels, train_mask: TrainMask) -> tuple[float, float]:
    """Share of the variance of the target, taken as a number, that least squares explain (R^2).

    As :func:`linear_probe`; 1 is perfect, and on test samples there is no lower limit.
    """
    return _score(LinearRegression(), layer, target, train_mask)


def mlp_probe_r2(
    layer: NDArray, target: Labels, train_mask: TrainMask, seed: int = 0, epochs: int = 200
) -> tuple[float, float]:
    """The same for scikit-learn's ``MLPRegressor`` with default parameters: 100 hidden units.

    As :func:`mlp_probe`. The target is standardised for the fit.
    """
    network = MLPRegressor(max_iter=epochs, random_state=seed)
    return _score(
        TransformedTargetRegressor(network, transformer=StandardScaler()), layer, target, train_mask
    )


def probe_all(
    probe: Probe, reps: Representations, targets: Mapping[str, Labels], train_mask: TrainMask, jobs: int = 1
) -> Array:
    """A probe from every layer to every target.

    Parameters
    ----------
    probe : callable
        Such as :func:`linear_probe`.
    reps : Representations
        L layers, (n, d) each.
    targets : mapping of str to array (n,)
        T of them.
    train_mask : boolean array, shape (n,)
    jobs : int
        Processes.

    Returns
    -------
    array, shape (L, T, 2)
        The probe's scores on the samples that were fitted, and on the others.
    """
    each = [
        delayed(probe)(layer, target, train_mask) for layer in reps.values() for target in targets.values()
    ]
    return np.array(Parallel(n_jobs=jobs)(each)).reshape(len(reps), len(targets), 2)


def _score(
    estimator: BaseEstimator, layer: NDArray, target: Labels, train_mask: TrainMask
) -> tuple[float, float]:
    with warnings.catch_warnings():  # converged or not, this is the probe
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = make_pipeline(StandardScaler(), estimator).fit(layer[train_mask], target[train_mask])
    return fitted.score(layer[train_mask], target[train_mask]), fitted.score(
        layer[~train_mask], target[~train_mask]
    )
