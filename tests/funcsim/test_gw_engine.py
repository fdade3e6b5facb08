"""The parts of the solver, each against something simpler."""

import itertools

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from funcsim.geometry import distance_matrix
from funcsim.gromov import batch
from funcsim.gromov.bounds import (
    best_lower_bound,
    eigenvalue_bound,
    first_lower_bound,
    second_lower_bound,
    third_lower_bound,
)
from funcsim.gromov.coupling import uniform
from funcsim.gromov.frank_wolfe import assign, frank_wolfe, linear_cost, squared_difference
from funcsim.gromov.solver import polish, solve
from funcsim.gromov.space import RANK, prepare
from funcsim.gromov.two_opt import two_opt

BOUNDS = (first_lower_bound, second_lower_bound, third_lower_bound, eigenvalue_bound)
seeds = st.integers(0, 10**6)


def related(seed, n, widths=(3, 5)):
    """Two clouds of n points, the second a squashed noisy image of the first; sometimes with ties."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, widths[0]))
    Y = np.tanh(X @ rng.normal(size=widths)) + 0.3 * rng.normal(size=(n, widths[1]))
    if seed % 3 == 0:
        X = np.round(X)  # equal points and equal distances
        X[0] += 5  # but not all of them equal
    return distance_matrix(X), distance_matrix(Y)


def all_costs(D1, D2):
    orders = np.array(list(itertools.permutations(range(len(D1)))))
    parts = np.array_split(orders, 1 + len(orders) // 1000)
    return np.concatenate([((D1 - D2[p[:, :, None], p[:, None, :]]) ** 2).mean(axis=(1, 2)) for p in parts])


@settings(max_examples=300, deadline=None)
@given(seeds, st.integers(2, 6))
def test_every_bound_brute_force_and_the_result_are_in_order(seed, n):
    D1, D2 = related(seed, n)
    a, b = prepare(D1), prepare(D2)
    best = np.sqrt(all_costs(D1, D2).min())
    for bound in BOUNDS:
        assert bound(a, b) <= best + 1e-9, bound.__name__
    found = solve(a, b)
    assert found.lower_bound <= best + 1e-9
    assert best <= found.distance + 1e-12


@pytest.mark.parametrize("seed", range(20))
def test_and_so_they_are_at_seven_points(seed):
    D1, D2 = related(seed, 7)
    a, b = prepare(D1), prepare(D2)
    best = np.sqrt(all_costs(D1, D2).min())
    assert max(bound(a, b) for bound in BOUNDS) <= best + 1e-9
    assert best <= solve(a, b).distance + 1e-12


def test_most_small_problems_are_solved_exactly():
    exact = 0
    for seed in range(20):
        D1, D2 = related(seed, 6)
        exact += solve(D1, D2).cost <= all_costs(D1, D2).min() + 1e-12
    assert exact >= 18


@pytest.mark.parametrize("n", [40, 120])
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_holds_what_pot_finds(seed, n):
    D1, D2 = related(seed, n)
    pot = np.sqrt(ot.gromov.gromov_wasserstein2(D1, D2, uniform(n), uniform(n), "square_loss"))
    found = solve(D1, D2)
    assert 0 < found.lower_bound <= found.distance <= pot + 1e-9


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(2, 30))
def test_the_third_bound_is_never_below_the_first_two(seed, n):
    a, b = map(prepare, related(seed, n))
    assert third_lower_bound(a, b) >= max(first_lower_bound(a, b), second_lower_bound(a, b)) - 1e-9


def test_neither_of_the_two_best_bounds_always_wins():
    ahead = set()
    for seed in range(30):
        a, b = map(prepare, related(seed, 30, (1 + seed % 4, 6)))
        third, spectral = third_lower_bound(a, b), eigenvalue_bound(a, b)
        assert best_lower_bound(a, b) == max(third, spectral)
        ahead.add(third > spectral)
    assert ahead == {True, False}


@settings(max_examples=50, deadline=None)
@given(seeds)
def test_the_eigenvalue_bound_is_the_published_formula(seed):
    """Written out as in the paper: projection on the vectors that sum to zero, then traces."""
    D1, D2 = related(seed, 9)
    n = 9
    V = np.linalg.qr(np.hstack([np.ones((n, 1)), np.eye(n)[:, : n - 1]]))[0][:, 1:]
    spectra = [np.sort(np.linalg.eigvalsh(V.T @ D @ V)) for D in (D1, D2)]
    rows = [np.sort(D.sum(axis=1)) for D in (D1, D2)]
    trace = spectra[0] @ spectra[1] + 2 / n * rows[0] @ rows[1] - D1.sum() * D2.sum() / n**2
    published = ((D1**2).sum() + (D2**2).sum() - 2 * trace) / n**2
    assert eigenvalue_bound(prepare(D1), prepare(D2)) ** 2 == pytest.approx(published, abs=1e-12)


def test_first_and_second_bound_for_different_counts():
    D1, D2 = related(1, 9)
    doubled = np.kron(D2, np.ones((2, 2)))  # every point twice: the same space
    for bound in (first_lower_bound, second_lower_bound):
        same = bound(prepare(D1), prepare(D2))
        assert bound(prepare(D1), prepare(doubled)) == pytest.approx(same)
    by_hand = np.sqrt(((np.sort(D1.ravel()) - np.sort(D2.ravel())) ** 2).mean())
    assert second_lower_bound(prepare(D1), prepare(D2)) == pytest.approx(by_hand)


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(1, 25), st.sampled_from([1e-12, 1.0, 1e12]))
def test_assign_is_exact(seed, n, size):
    rng = np.random.default_rng(seed)
    C = size * rng.normal(size=(n, n)) + size * 100 * rng.normal(size=n)
    if seed % 2:
        C = np.round(C / size) * size
    rows, columns = linear_sum_assignment(C)
    match = assign(C)
    assert sorted(match) == list(range(n))
    assert C[rows, match].sum() == pytest.approx(C[rows, columns].sum(), rel=1e-9)


def test_assign_of_a_constant_cost():
    assert (assign(np.ones((4, 4))) == np.arange(4)).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_descent_ends_where_no_assignment_helps_and_never_climbs(seed):
    a, b = map(prepare, related(seed, 50))
    A, B = a.single, b.single
    start = np.random.default_rng(seed).permutation(50)
    end = frank_wolfe(A, B, start)
    assert squared_difference(A, B, end) <= squared_difference(A, B, start)
    onward = assign(linear_cost(A, B, end))
    assert squared_difference(A, B, onward) >= squared_difference(A, B, end) * (1 - 1e-5)


def swap_gains(D1, D2, match):
    """How much each exchange of two partners would lower the cost, one at a time."""
    here = ((D1 - D2[np.ix_(match, match)]) ** 2).sum()
    gains = []
    for r, s in itertools.combinations(range(len(D1)), 2):
        other = match.copy()
        other[[r, s]] = match[[s, r]]
        gains.append(here - ((D1 - D2[np.ix_(other, other)]) ** 2).sum())
    return np.array(gains) / here


@pytest.mark.parametrize("n", [8, 30, 60])
@pytest.mark.parametrize("seed", range(3))
def test_no_exchange_improves_the_end_of_the_swap_search(seed, n):
    a, b = map(prepare, related(seed, n))
    start = np.random.default_rng(seed).permutation(n)
    end = two_opt(*(torch.from_numpy(x) for x in (a.single, b.single, start))).numpy()
    assert sorted(end) == list(range(n))
    assert swap_gains(a.distances, b.distances, start).max() > 0.001  # there was something to gain
    assert swap_gains(a.distances, b.distances, end).max() < 1e-4
    assert swap_gains(a.distances, b.distances, polish(a.single, b.single, start)).max() < 1e-4


def test_searching_many_pairs_is_searching_each():
    """Those that finish early are left behind, and the others end where they end alone."""
    spaces = [tuple(map(prepare, related(seed, 80))) for seed in range(6)]
    A, B = (torch.stack([torch.from_numpy(pair[k].single) for pair in spaces]) for k in (0, 1))
    starts = torch.stack([torch.randperm(80, generator=torch.manual_seed(k)) for k in range(6)])
    starts[0] = two_opt(A[0], B[0], starts[0])  # finished before it begins
    together = two_opt(A, B, starts)
    for k in range(6):
        assert (two_opt(A[k], B[k], starts[k]).sort().values == torch.arange(80)).all()
        for end in (together[k], two_opt(A[k], B[k], starts[k])):
            gains = swap_gains(spaces[k][0].distances, spaces[k][1].distances, end.numpy())
            assert gains.max() < 1e-4


def test_scale_does_not_change_the_search():
    D1, D2 = related(1, 40)
    usual, extreme = solve(D1, D2), solve(1e30 * D1, 1e30 * D2)
    assert extreme.distance == pytest.approx(1e30 * usual.distance, rel=1e-6)
    assert solve(1e-30 * D1, 1e-30 * D2).distance == pytest.approx(1e-30 * usual.distance, rel=1e-6)


def test_points_that_coincide_are_at_the_root_mean_square_of_the_others():
    D = related(1, 12)[0]
    zero = np.zeros_like(D)
    assert solve(D, zero).distance == pytest.approx(np.sqrt((D**2).mean()))
    assert solve(zero, zero).distance == 0.0


def test_a_space_keeps_the_leading_part_of_the_centred_matrix():
    D = related(1, 60)[0]
    a = prepare(D)
    J = np.eye(60) - 1 / 60
    rebuilt = (a.factors * a.weights) @ a.factors.T * a.scale
    rest = np.sort(np.abs(np.linalg.eigvalsh(J @ D @ J)))[: 60 - RANK]
    assert np.linalg.norm(J @ D @ J - rebuilt, 2) == pytest.approx(rest.max(), rel=1e-3)
    assert a.eigenvalues.max() <= 1e-9  # conditionally negative definite
    assert len(a.eigenvalues) == 59


DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


@pytest.mark.parametrize("device", DEVICES)
def test_the_batch_solves_every_pair_within_its_interval(device, monkeypatch):
    spaces = [prepare(D) for seed in range(3) for D in related(seed, 60)]
    pairs = list(itertools.combinations(range(6), 2))
    whole = dict(batch.solve_batch(spaces, spaces, pairs, device))
    again = dict(batch.solve_batch(spaces, spaces, pairs, device))
    assert whole == again
    assert list(whole) == pairs
    for i, j in pairs:
        distance, lower = whole[i, j]
        alone = solve(spaces[i], spaces[j])
        assert lower <= alone.distance + 1e-9  # both bounds hold for both
        assert alone.lower_bound <= distance + 1e-9
        identity = np.sqrt(((spaces[i].distances - spaces[j].distances) ** 2).mean())
        assert distance <= identity + 1e-9
    ratios = [whole[i, j][0] / solve(spaces[i], spaces[j]).distance for i, j in pairs]
    assert np.mean(ratios) < 1.05
    monkeypatch.setattr(batch, "chunk_size", lambda n, device: 4)
    chunked = dict(batch.solve_batch(spaces, spaces, pairs, device))
    for pair in pairs:
        assert chunked[pair] == pytest.approx(whole[pair], rel=0.02)


def test_chunks_are_bounded_by_memory():
    cpu = torch.device("cpu")
    assert batch.chunk_size(100, cpu) > batch.chunk_size(1000, cpu) >= 1
    assert batch.chunk_size(10**6, cpu) == 1


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(1, 12), st.booleans())
def test_best_with_best_is_a_permutation_and_keeps_a_clear_one(seed, n, ties):
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    benefit = rng.integers(0, 2, size=(n, n)).astype(np.float32) if ties else rng.random((n, n), np.float32)
    assert sorted(batch.greedy_mutual_matching(torch.from_numpy(benefit)[None])[0].tolist()) == list(range(n))
    benefit[np.arange(n), order] += 2
    assert batch.greedy_mutual_matching(torch.from_numpy(benefit)[None])[0].tolist() == order.tolist()
