"""Every measure against a formula written another way, its traps, and bad input."""

import itertools

import numpy as np
import pytest
from scipy.linalg import eig, expm, orthogonal_procrustes
from scipy.stats import pearsonr, spearmanr

import funcsim as fs
from funcsim.errors import DegenerateLayerError, FuncsimError, RepresentationError, WidthError
from funcsim.similarity import measures
from funcsim.similarity.agw import agw, search
from funcsim.similarity.cca import FullRankWarning
from funcsim.similarity.cka import unbiased_centring
from funcsim.similarity.msid import TIMES
from funcsim.similarity.mutual_knn import nearest

MEASURES = measures()
SHAPES = {"n > d": (6, 3), "n < d": (5, 9), "d = 1": (6, 1), "n = 2": (2, 3), "n = 3": (3, 2)}

quiet = pytest.mark.filterwarnings("ignore::funcsim.similarity.cca.FullRankWarning")


def pair(shape, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=shape) + 0.5
    return X, np.tanh(X @ rng.normal(size=(shape[1], shape[1]))) + 0.3 * rng.normal(size=shape)


def distances(X):
    return np.array([[np.sqrt(sum((a - b) ** 2)) for b in X] for a in X])


def every_order(n):
    return map(list, itertools.permutations(range(n)))


def upper(X):
    return distances(X)[np.triu_indices(len(X), k=1)]


def euclidean(X, Y):
    return sum(np.sqrt(sum((x - y) ** 2)) for x, y in zip(X, Y, strict=True)) / len(X)


def cosine(X, Y):
    return np.mean([1 - x @ y / np.sqrt((x @ x) * (y @ y)) for x, y in zip(X, Y, strict=True)])


def wasserstein(X, Y):
    return np.sqrt(
        min(np.mean([sum((X[i] - Y[j]) ** 2) for i, j in enumerate(s)]) for s in every_order(len(X)))
    )


def rsm(X, Y):
    return np.linalg.norm(distances(X) - distances(Y)) / len(X)


def correlations(X, Y):
    """The eigenvalue problem of canonical correlation, for more samples than features."""
    X, Y = X - X.mean(0), Y - Y.mean(0)
    Sxx, Syy, Sxy = X.T @ X, Y.T @ Y, X.T @ Y
    squared, directions = eig(Sxy @ np.linalg.solve(Syy, Sxy.T), Sxx)
    order = np.argsort(-squared.real)
    return np.sqrt(np.clip(squared.real[order], 0, 1)), X @ directions.real[:, order]


def cca(X, Y):
    return correlations(X, Y)[0].mean()


def pwcca(X, Y):
    def one_way(X, Y):
        rho, variates = correlations(X, Y)
        variates = variates / np.linalg.norm(variates, axis=0)
        weights = np.abs(variates.T @ (X - X.mean(0))).sum(axis=1)
        return weights @ rho / weights.sum()

    return (one_way(X, Y) + one_way(Y, X)) / 2


def svcca(X, Y):
    def reduced(X):
        X = X - X.mean(0)
        values, vectors = np.linalg.eigh(X.T @ X)
        values, vectors = values[::-1], vectors[:, ::-1]
        keep = next(k for k in range(1, len(values) + 1) if values[:k].sum() >= 0.99 * values.sum() - 1e-12)
        return X @ vectors[:, :keep]

    X, Y = reduced(X), reduced(Y)
    return cca(X, Y) if X.shape[1] <= Y.shape[1] else cca(Y, X)


def biased(K, L):
    n = len(K)
    H = np.eye(n) - 1 / n
    return np.trace(K @ H @ L @ H)


def unbiased(K, L):
    """HSIC as a sum over tuples of different samples."""
    n = len(K)
    pairs_, triples, quads = (list(itertools.permutations(range(n), k)) for k in (2, 3, 4))
    one = np.mean([K[i, j] * L[i, j] for i, j in pairs_])
    two = np.mean([K[i, j] * L[q, r] for i, j, q, r in quads])
    three = np.mean([K[i, j] * L[i, q] for i, j, q in triples])
    return one + two - 2 * three


def cka(X, Y, kernel, hsic):
    K, L = kernel(X), kernel(Y)
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def linear(X):
    return X @ X.T


def gaussian(X):
    return np.exp(-(distances(X) ** 2) / (2 * (0.5 * np.median(upper(X))) ** 2))


def angle(X, Y):
    """Kahan's formula, exact also where the angle is small."""
    X, Y = X / np.linalg.norm(X), Y / np.linalg.norm(Y)
    return 2 * np.arctan2(np.linalg.norm(X - Y), np.linalg.norm(X + Y))


def centred_kernel(X):
    H = np.eye(len(X)) - 1 / len(X)
    return H @ X @ X.T @ H


def procrustes(X, Y):
    X, Y = X - X.mean(0), Y - Y.mean(0)
    return angle(X @ orthogonal_procrustes(X, Y)[0], Y)


def neighbours(X):
    """For each sample its ten nearest, by the distance of directions."""
    D = distances(X / np.linalg.norm(X, axis=1, keepdims=True))
    return [sorted(set(range(len(X))) - {i}, key=lambda j: D[i, j])[:10] for i in range(len(X))]


def mutual_knn(X, Y):
    return np.mean([len({*a} & {*b}) / 10 for a, b in zip(neighbours(X), neighbours(Y), strict=True)])


def cknna(X, Y):
    """Of kernels without the mean over the other samples, pair by pair."""

    def alike(X, Y):
        return sum(
            kernel_of_directions(X)[i, j] * kernel_of_directions(Y)[i, j]
            for i, (a, b) in enumerate(zip(neighbours(X), neighbours(Y), strict=True))
            for j in {*a} & {*b}
        )

    return alike(X, Y) / np.sqrt(alike(X, X) * alike(Y, Y))


def kernel_of_directions(X):
    """Zero on the diagonal, and every row sums to zero: the least squares fit of ``a_i + a_j`` taken off."""
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    off = ~np.eye(len(X), dtype=bool)
    i, j = np.nonzero(off)
    design = np.eye(len(X))[i] + np.eye(len(X))[j]
    K = np.zeros(off.shape)
    K[off] = (X @ X.T)[off] - design @ np.linalg.lstsq(design, (X @ X.T)[off], rcond=None)[0]
    return K


def msid(X, Y):
    def heat(X):
        n, D = len(X), distances(X)
        A = np.zeros((n, n))
        for i in range(n):
            for j in sorted((j for j in range(n) if j != i), key=lambda j: D[i, j])[:5]:
                A[i, j] = A[j, i] = 1
        L = np.eye(n) - A / np.sqrt(np.outer(A.sum(0), A.sum(0)))
        return np.array([np.trace(expm(-t * L)) / n for t in TIMES])

    return (np.exp(-2 * (TIMES + 1 / TIMES)) * np.abs(heat(X) - heat(Y))).max()


def gw(X, Y):
    D1, D2 = distances(X), distances(Y)
    return np.sqrt(min(((D1 - D2[np.ix_(s, s)]) ** 2).mean() for s in every_order(len(X))))


def agw_objective(X, Y):
    m = MEASURES["agw"]
    a, b = m.prepare(X, None, "X"), m.prepare(Y, None, "Y")
    T, F = search(a, b, 0.5)
    D1, D2 = distances(X), distances(Y)
    geometry = np.einsum("ijkl,ij,kl", (D1[:, None, :, None] - D2[None, :, None, :]) ** 2, T, T)
    features = np.einsum("ijkl,ij,kl", (X[:, None, :, None] - Y[None, :, None, :]) ** 2, T, F)
    return np.sqrt((geometry + features) / 2)


FORMULAS = {
    "euclidean": euclidean,
    "cosine": cosine,
    "wasserstein": wasserstein,
    "rsm": rsm,
    "rsa": lambda X, Y: spearmanr(upper(X), upper(Y)).statistic,
    "rsa-pearson": lambda X, Y: pearsonr(upper(X), upper(Y)).statistic,
    "cca": cca,
    "svcca": svcca,
    "pwcca": pwcca,
    "cka": lambda X, Y: cka(X, Y, linear, biased),
    "cka-angular": lambda X, Y: angle(*(centred_kernel(Z) for Z in (X, Y))),
    "procrustes": procrustes,
    "mutual-knn": mutual_knn,
    "cknna": cknna,
    "cka-debiased": lambda X, Y: cka(X, Y, linear, unbiased),
    "cka-rbf": lambda X, Y: cka(X, Y, gaussian, biased),
    "cka-rbf-debiased": lambda X, Y: cka(X, Y, gaussian, unbiased),
    "msid": msid,
    "agw": agw_objective,
    "gw": gw,
}
UNDEFINED = {
    *itertools.product(("mutual-knn", "cknna"), SHAPES),
    *(("rsa", "n = 2"), ("rsa-pearson", "n = 2")),
    *((name, case) for name in ("cka-debiased", "cka-rbf-debiased") for case in ("n = 2", "n = 3")),
}


def test_every_measure_has_its_formula():
    assert set(FORMULAS) == set(MEASURES)
    assert len({name.split("-")[0] for name in MEASURES} - {"svcca", "pwcca"}) == 13


@quiet
@pytest.mark.parametrize("case", SHAPES)
@pytest.mark.parametrize("name", MEASURES)
def test_agrees_with_a_formula_written_another_way(name, case):
    n, d = SHAPES[case]
    for seed in range(3):
        X, Y = pair((n, d), seed)
        if (name, case) in UNDEFINED:
            with pytest.raises(RepresentationError, match="'X'"):
                MEASURES[name](X, Y, None)
        elif "cca" in name and d >= n - 1:  # the columns of both span all there is
            assert MEASURES[name](X, Y, None) == pytest.approx(1.0, abs=1e-6)
        else:
            assert MEASURES[name](X, Y, None) == pytest.approx(FORMULAS[name](X, Y), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca", "msid", "wasserstein", "mutual-knn", "cknna"])
def test_and_so_on_more_samples(name):
    X, Y = pair((8 if name == "wasserstein" else 25, 4), 7)
    assert MEASURES[name](X, Y, None) == pytest.approx(FORMULAS[name](X, Y), rel=1e-6)


def test_rsm_is_the_frobenius_norm_and_not_the_spectral():
    X, Y = pair((30, 4))
    gap = distances(X) - distances(Y)
    assert MEASURES["rsm"](X, Y, None) == pytest.approx(np.sqrt((gap**2).sum()) / 30)
    assert MEASURES["rsm"](X, Y, None) > 1.05 * np.linalg.norm(gap, 2) / 30


@pytest.mark.parametrize("seed", range(5))
def test_gw_is_rsm_with_a_search_and_so_never_above_it(seed):
    X, Y = pair((20, 4), seed)
    assert MEASURES["gw"](X, Y) <= MEASURES["rsm"](X, Y) + 1e-12


@pytest.mark.parametrize("name", ["cca", "svcca", "pwcca"])
def test_cca_warns_where_it_says_one_of_unrelated_layers(name):
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(2, 10, 20))
    with pytest.warns(FullRankWarning, match=r"'X' spans .* of 10 samples"):
        assert MEASURES[name](X, Y) == pytest.approx(1.0)


def test_agw_is_the_objective_and_not_its_feature_part():
    X, Y = pair((12, 3))
    only_gw, only_features = (agw(alpha)(X, Y) for alpha in (1.0, 0.0))
    assert MEASURES["gw"](X, Y) <= only_gw + 1e-9  # the same problem, a plainer search
    assert only_gw < 2 * MEASURES["gw"](X, Y)
    assert abs(only_gw - only_features) > 0.01


def test_debiased_cka_of_unrelated_wide_layers_is_near_zero_and_not_clipped():
    values = {"cka": [], "cka-debiased": []}
    for seed in range(12):
        X, Y = np.random.default_rng(seed).normal(size=(2, 20, 2000))
        for name, found in values.items():
            found.append(MEASURES[name](X, Y))
    assert min(values["cka"]) > 0.9
    assert abs(np.mean(values["cka-debiased"])) < 0.05
    assert min(values["cka-debiased"]) < 0


def test_msid_gives_the_same_number_twice():
    X, Y = pair((40, 5))
    assert MEASURES["msid"](X, Y) == MEASURES["msid"](X, Y)


@quiet
@pytest.mark.parametrize("size", [1e-20, 1e20])
@pytest.mark.parametrize("name", MEASURES)
def test_tiny_and_huge_layers_are_measured_alike(name, size):
    X, Y = pair((12, 3))
    assert MEASURES[name](size * X, size * Y) == pytest.approx(MEASURES[name](X, Y), rel=1e-6, abs=1e-12)


@quiet
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("name", MEASURES)
def test_narrow_types_are_computed_in_double(name, dtype):
    X, Y = (Z.astype(dtype) for Z in pair((12, 3)))
    wide = MEASURES[name](X.astype(np.float64), Y.astype(np.float64))
    assert MEASURES[name](X, Y) == pytest.approx(wide, rel=1e-6, abs=1e-12)


@quiet
@pytest.mark.parametrize("name", MEASURES)
def test_bad_clouds_are_named(name):
    fn, X = MEASURES[name], pair((12, 3))[0]
    for Y, says in (
        (np.full((12, 3), np.nan), "'Y' holds NaN"),
        (np.ones(12), r"'Y' has shape \(12,\)"),
        (X[:1], r"'Y' has shape \(1, 3\)"),
        (X + 1j, "'Y' holds complex128"),
    ):
        with pytest.raises(RepresentationError, match=says):
            fn(X, Y)
    with pytest.raises(DegenerateLayerError, match="'Y' is degenerate"):
        fn(X, np.ones((12, 3)))
    with pytest.raises(ValueError, match="normalize='z' is unknown"):
        fn(X, X, normalize="z")
    for coinciding in (np.ones((12, 3)), np.zeros((12, 3))):
        try:
            assert np.isfinite(fn(X, coinciding, normalize=None))
        except FuncsimError as refusal:
            assert "'Y'" in str(refusal)  # noqa: PT017


@quiet
@pytest.mark.parametrize("name", MEASURES)
def test_compare_makes_a_map_of_it(name):
    X, Y = pair((12, 3))
    reps = fs.Representations({"a": X, "b": Y, "c": X**3})
    m = fs.compare(reps, measure=name, jobs=1)
    for i, j in itertools.combinations(range(3), 2):
        wanted = MEASURES[name](reps[m.names[i]], reps[m.names[j]])
        assert m.values[i, j] == m.values[j, i] == wanted
    assert (np.diag(m.values) == (1.0 if MEASURES[name].is_similarity else 0.0)).all()
    assert m.is_similarity == MEASURES[name].is_similarity
    assert (m.lower is not None) == (name == "gw")
    if MEASURES[name].requires_equal_dim:
        uneven = fs.Representations({"a": X, "wide": np.hstack([X, Y])})
        with pytest.raises(WidthError, match=r"'a' has 3 features and 'wide' has 6"):
            fs.compare(uneven, measure=name)


def test_angular_cka_is_the_metric_form_of_cka_and_keeps_the_digits_of_what_is_near():
    X, Y = pair((30, 4))
    assert MEASURES["cka-angular"](X, Y) == pytest.approx(np.arccos(MEASURES["cka"](X, Y)))
    near, nearer = (MEASURES["cka-angular"](X, X + size * Y) for size in (1e-8, 1e-9))
    assert near == pytest.approx(10 * nearer, rel=1e-3)


def test_procrustes_takes_layers_of_any_width_and_many_features():
    X, Y = pair((12, 40))
    fn = MEASURES["procrustes"]
    assert fn(X, Y) == pytest.approx(procrustes(X, Y))
    assert fn(X[:, :5], Y) == pytest.approx(fn(Y, X[:, :5]))
    assert fn(X[:, :5], Y) == pytest.approx(procrustes(np.pad(X[:, :5], ((0, 0), (0, 35))), Y))
    assert fn(X, 1e3 * X[:, ::-1] + 5) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("name", ["mutual-knn", "cknna"])
def test_neighbours_need_more_samples_than_there_are_neighbours(name):
    X, Y = pair((12, 3))
    with pytest.raises(RepresentationError, match="'X' has 11 samples, and with fewer than 12 all others"):
        MEASURES[name](X[:11], Y[:11])
    X[4] = 0
    with pytest.raises(RepresentationError, match="'X' is zero at sample 4, and zero has no direction"):
        MEASURES[name](X, Y)


def test_unrelated_layers_share_neighbours_as_often_as_chance_says():
    rng = np.random.default_rng(0)
    shares = [MEASURES["mutual-knn"](*rng.normal(size=(2, 60, 30))) for _ in range(30)]
    assert np.mean(shares) == pytest.approx(10 / 59, abs=0.01)


def test_cknna_of_all_pairs_is_debiased_cka_of_directions(monkeypatch):
    X, Y = pair((13, 4))
    monkeypatch.setattr("funcsim.similarity.mutual_knn.NEIGHBOURS", 12)
    X, Y = (Z / np.linalg.norm(Z, axis=1, keepdims=True) for Z in (X, Y))
    kernels = [nearest(Z @ Z.T) * unbiased_centring(Z @ Z.T) for Z in (X, Y)]
    value = np.vdot(*kernels) / np.prod([np.linalg.norm(K) for K in kernels])
    assert value == pytest.approx(MEASURES["cka-debiased"](X, Y))
