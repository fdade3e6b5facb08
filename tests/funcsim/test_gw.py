import itertools

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funcsim as fs
from funcsim.errors import DegenerateLayerError, RepresentationError
from funcsim.geometry import distance_matrix, mean_distance
from funcsim.gromov.coupling import as_permutation, cost, from_permutation, marginal_error, product, uniform
from funcsim.gromov.frank_wolfe import frank_wolfe
from funcsim.gromov.solver import conditional_gradient, initial_permutation
from funcsim.gromov.space import prepare

seeds = st.integers(0, 10**6)


def cloud(seed, n=12, d=3):
    return np.random.default_rng(seed).normal(size=(n, d))


def by_hand(D1, D2, plan):
    """The fourfold sum of the definition, term by term."""
    n, m = plan.shape
    return sum(
        (D1[i, k] - D2[j, q]) ** 2 * plan[i, j] * plan[k, q]
        for i, j, k, q in itertools.product(range(n), range(m), range(n), range(m))
    )


def brute_force(D1, D2):
    """The best of all n! permutations: the optimum, because the cost is concave here."""
    return min(
        ((D1 - D2[np.ix_(s, s)]) ** 2).mean() for s in map(list, itertools.permutations(range(len(D1))))
    )


@pytest.mark.parametrize("shape", [(4, 4), (3, 5)])
def test_cost_is_the_fourfold_sum(rng, shape):
    D1, D2 = (distance_matrix(rng.normal(size=(k, 2)), None) for k in shape)
    plan = ot.emd(uniform(shape[0]), uniform(shape[1]), rng.random(shape))
    assert cost(D1, D2, plan) == pytest.approx(by_hand(D1, D2, plan), rel=1e-9)
    spread = product(*shape)
    assert cost(D1, D2, spread) == pytest.approx(by_hand(D1, D2, spread), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_isometric_copies_are_at_distance_zero(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(12, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    copies = {
        "itself": X,
        "rotated": X @ rotation,
        "reflected": X * [-1, 1, 1],
        "translated": X + 1000.0,
        "permuted": X[rng.permutation(12)],
        "all of it": (X @ rotation + 5)[rng.permutation(12)],
        "in a larger space": np.hstack([X, np.zeros((12, 4))]),
    }
    for name, Y in copies.items():
        for normalize in ("mean", None):
            assert fs.gw(X, Y, normalize=normalize).distance < 1e-6, name


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_plan_is_a_coupling_and_a_permutation(seed):
    r = fs.gw(cloud(seed), cloud(seed + 1, d=5))
    assert (r.plan >= 0).all()
    assert marginal_error(r.plan) < 1e-12
    assert as_permutation(r.plan) is not None


@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(2, 6))
def test_lower_bound_brute_force_and_result_are_in_order(seed, n):
    D1, D2 = distance_matrix(cloud(seed, n)), distance_matrix(cloud(seed + 1, n, 5))
    best = brute_force(D1, D2)
    r = fs.gw(cloud(seed, n), cloud(seed + 1, n, 5))
    assert r.lower_bound**2 <= best + 1e-12
    assert best <= r.cost + 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_brute_force_is_reached_when_every_permutation_is_a_start(seed):
    X, Y = cloud(seed, 5), cloud(seed + 100, 5, 2)
    starts = [from_permutation(np.array(s)) for s in itertools.permutations(range(5))]
    best = brute_force(distance_matrix(X), distance_matrix(Y))
    assert fs.gw(X, Y, starts=starts).cost == pytest.approx(best)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_no_coupling_beats_the_best_permutation(seed):
    """Concavity: a mixture of permutations costs at least the mixture of their costs."""
    rng = np.random.default_rng(seed)
    D1, D2 = distance_matrix(cloud(seed, 6)), distance_matrix(cloud(seed + 1, 6))
    plans = [from_permutation(rng.permutation(6)) for _ in range(4)]
    weights = rng.dirichlet(np.ones(4))
    mixed = sum(w * p for w, p in zip(weights, plans, strict=True))
    costs = [cost(D1, D2, p) for p in plans]
    assert cost(D1, D2, mixed) >= weights @ costs - 1e-12
    assert cost(D1, D2, mixed) >= brute_force(D1, D2) - 1e-12


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [20, 60])
def test_agrees_with_pot_and_is_never_above_it(seed, n):
    D1, D2 = distance_matrix(cloud(seed, n)), distance_matrix(cloud(seed + 50, n, 6))
    default = ot.gromov.gromov_wasserstein2(D1, D2, uniform(n), uniform(n), "square_loss")
    a, b = prepare(D1), prepare(D2)
    steps = frank_wolfe(a.single, b.single, initial_permutation(a, b, "product"))
    assert cost(D1, D2, from_permutation(steps)) == pytest.approx(default, rel=1e-9)
    assert cost(D1, D2, conditional_gradient(D1, D2)) == pytest.approx(default, rel=1e-9)
    found = fs.gw(cloud(seed, n), cloud(seed + 50, n, 6))
    assert found.cost <= default * (1 + 1e-9)
    assert found.cost <= cost(D1, D2, from_permutation(np.arange(n)))
    assert found.distance == pytest.approx(np.sqrt(found.cost))


def clusters(seed, n):
    rng = np.random.default_rng(seed)
    return 4 * rng.normal(size=(4, 4))[rng.integers(0, 4, n)] + 0.3 * rng.normal(size=(n, 4))


@pytest.mark.parametrize(("n", "m"), [(12, 12), (60, 60), (9, 14)])
@pytest.mark.parametrize("effort", ["quick", "usual", "thorough"])
def test_who_is_named_first_changes_not_a_bit(n, m, effort):
    for seed in range(3):
        X, Y = cloud(seed, n), clusters(seed, m)
        there, back = fs.gw(X, Y, effort=effort), fs.gw(Y, X, effort=effort)
        assert there.cost == back.cost
        assert there.lower_bound == back.lower_bound
        assert there.start == back.start
        assert (there.plan == back.plan.T).all()
        start = product(n, m) if n != m else from_permutation(np.random.default_rng(seed).permutation(n))
        there, back = fs.gw(X, Y, starts=[start]), fs.gw(Y, X, starts=[start.T])
        assert there.cost == back.cost
        assert (there.plan == back.plan.T).all()


@pytest.mark.parametrize("n", [12, 60])
def test_the_order_of_the_samples_does_not_matter(n):
    for seed in range(4):
        X, Y = cloud(seed, n), clusters(seed, n)
        whole, by = fs.gw(X, Y), np.random.default_rng(seed).permutation(n)
        shuffled = fs.gw(X[by], Y[by])
        assert shuffled.cost == pytest.approx(whole.cost, rel=1e-9)
        assert (shuffled.plan == whole.plan[np.ix_(by, by)]).all()


def test_symmetric_at_the_optimum():
    for seed in range(5):
        D1, D2 = distance_matrix(cloud(seed, 6)), distance_matrix(cloud(seed + 9, 6))
        assert brute_force(D1, D2) == pytest.approx(brute_force(D2, D1))


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_triangle_inequality_for_the_distance(seed):
    A, B, C = (distance_matrix(cloud(seed + k, 5, d=k + 1)) for k in range(3))
    ab, bc, ac = (np.sqrt(brute_force(*pair)) for pair in ((A, B), (B, C), (A, C)))
    assert ac <= ab + bc + 1e-12


def test_triangle_inequality_fails_for_the_cost():
    X = np.array([[0.0], [1.0]])
    a, b, c = X, 2 * X, 3 * X
    cost_of = lambda U, V: fs.gw(U, V, normalize=None).cost  # noqa: E731
    assert cost_of(a, c) > cost_of(a, b) + cost_of(b, c)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(2, 15), st.integers(2, 15))
def test_different_sample_counts(seed, n, m):
    r = fs.gw(cloud(seed, n), cloud(seed + 1, m))
    assert r.plan.shape == (n, m)
    assert marginal_error(r.plan) < 1e-9
    assert r.lower_bound <= r.distance


def test_same_seed_same_numbers():
    X, Y = cloud(0, 40), cloud(1, 40)
    first, second = (fs.gw(X, Y, starts=["random"], seed=3) for _ in range(2))
    assert first.cost == second.cost
    assert (first.plan == second.plan).all()
    assert len({fs.gw(X, Y, starts=["random"], seed=k).cost for k in range(5)}) > 1


def test_the_start_that_won_is_named():
    X = cloud(0)
    assert fs.gw(X, X, starts=["random", "identity"]).start in ("random", "identity")
    assert fs.gw(X, X, starts=["identity"]).start == "identity"
    assert fs.gw(X, X[::-1], starts=["product"]).start == "product"
    assert fs.gw(X, X, starts=[product(12, 12)]).start == "given"


@pytest.mark.parametrize("seed", range(5))
def test_a_permuted_grid_is_recognised(seed):
    """Many equal distances, many equally good steps: where one descent alone stops early."""
    X = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2).astype(float)
    assert fs.gw(X, X[np.random.default_rng(seed).permutation(25)]).distance == 0.0


def test_scaling_multiplies_raw_distances():
    X, Y = cloud(0), cloud(1)
    raw = fs.gw(X, Y, normalize=None).distance
    assert fs.gw(3 * X, 3 * Y, normalize=None).distance == pytest.approx(3 * raw)
    assert mean_distance(distance_matrix(3 * X)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("starts", "says"),
    [
        (["best"], "'best' is unknown"),
        ([], "starts is empty"),
        ([np.ones((12, 12))], "not a coupling"),
        ([np.ones((3, 3)) / 9], "not a coupling"),
    ],
)
def test_bad_starts(starts, says):
    with pytest.raises(ValueError, match=says):
        fs.gw(cloud(0), cloud(1), starts=starts)


def test_one_to_one_starts_need_equal_counts():
    with pytest.raises(ValueError, match=r"one to one.*12 and 9.*'product'"):
        fs.gw(cloud(0), cloud(1, 9), starts=["identity"])


def test_bad_clouds_are_named():
    with pytest.raises(RepresentationError, match="layer 'Y' holds NaN"):
        fs.gw(cloud(0), np.full((12, 2), np.nan))
    with pytest.raises(DegenerateLayerError, match="layer 'X' is degenerate"):
        fs.gw(np.zeros((12, 2)), cloud(0))
