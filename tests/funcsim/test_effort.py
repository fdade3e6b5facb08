"""How much a search may cost: what each effort promises, and that maps and the cache know it."""

import numpy as np
import ot
import pytest
import torch

import funcsim as fs
from funcsim._internal import cache
from funcsim.geometry import distance_matrix
from funcsim.gromov import solver
from funcsim.gromov.coupling import uniform
from funcsim.gromov.effort import EFFORTS, default_starts
from funcsim.gromov.entropic import STEPS, TEMPERATURES, entropic_plan
from funcsim.gromov.frank_wolfe import frank_wolfe, squared_difference
from funcsim.gromov.sinkhorn import gibbs_kernel, sinkhorn_scaling
from funcsim.gromov.solver import annealed, reheated, solve
from funcsim.gromov.space import prepare


def related(seed, n):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    return X, np.tanh(X @ rng.normal(size=(8, 5))) + 0.05 * rng.normal(size=(n, 5))


def spaces(seed, n):
    return [prepare(distance_matrix(x)) for x in related(seed, n)]


def test_more_effort_lowers_the_cost_and_none_ends_above_pot():
    costs = {effort: [] for effort in EFFORTS}
    for seed in range(6):
        a, b = spaces(seed, 100)
        pot = ot.gromov.gromov_wasserstein2(a.distances, b.distances, uniform(100), uniform(100))
        for effort in EFFORTS:
            costs[effort].append(solve(a, b, effort=effort).cost)
            assert costs[effort][-1] <= pot * (1 + 1e-9)
    quick, usual, thorough = (np.mean(costs[effort]) for effort in ("quick", "usual", "thorough"))
    assert thorough < 0.995 * usual
    assert usual < 0.99 * quick


@pytest.mark.parametrize("effort", EFFORTS)
def test_the_descent_from_product_is_never_given_up(effort, monkeypatch):
    calls = []

    def recording(A, B, match, rival=np.inf, steps=None):
        calls.append((rival, steps))
        return frank_wolfe(A, B, match, rival, steps)

    monkeypatch.setattr(solver, "frank_wolfe", recording)
    monkeypatch.setattr(solver, "polish", lambda A, B, match: match)
    first, *_ = solver.descents(*spaces(0, 60), ["graduated", "product"], effort=effort)
    assert first[1] == "graduated"  # so a rival was there
    assert calls[0][1] == (3 if effort == "quick" else None)
    assert calls[1] == (np.inf, None)  # the second descent is that from product
    assert all("product" in default_starts(n, effort) for n in (20, 100))


def test_small_clouds_also_begin_at_random():
    assert default_starts(40, "thorough").count("random") == 32
    assert default_starts(41, "thorough").count("random") == 0


def test_an_unknown_effort_is_refused_by_name():
    X, Y = related(0, 10)
    with pytest.raises(ValueError, match="effort='hard' is unknown; use 'quick', 'usual', 'thorough'"):
        fs.gw(X, Y, effort="hard")
    reps = fs.Representations({"a": X, "b": Y})
    for ask in (fs.compare, fs.estimate_cost):
        with pytest.raises(ValueError, match="effort='hard' is unknown"):
            ask(reps, effort="hard")
        with pytest.raises(ValueError, match="only 'gw' is searched for; leave it out for 'cka'"):
            ask(reps, measure="cka", effort="quick")


def test_a_map_says_its_effort_and_keeps_it(tmp_path):
    reps = fs.Representations(dict(zip("ab", related(0, 60), strict=True)))
    found = {effort: fs.compare(reps, effort=effort) for effort in EFFORTS}
    for effort, m in found.items():
        assert m.effort == effort
        assert m.values[0, 1] == fs.gw(*reps.values(), effort=effort).distance
        m.save(tmp_path / "map.safetensors")
        assert fs.LayerMap.load(tmp_path / "map.safetensors").effort == effort
    assert fs.compare(reps).effort == "usual"
    assert fs.compare(reps, measure="cka").effort is None
    assert found["thorough"].values[0, 1] < found["quick"].values[0, 1]


def test_pairs_on_disk_belong_to_their_effort(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "cache_dir", lambda: tmp_path)
    reps = fs.Representations(dict(zip("ab", related(0, 60), strict=True)))
    for n_kept, effort in enumerate(EFFORTS, start=1):
        first = fs.compare(reps, effort=effort)
        assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == n_kept
        assert (fs.compare(reps, effort=effort).values == first.values).all()
    fs.compare(reps)
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == len(EFFORTS)


def test_the_forecast_knows_the_effort():
    shapes = [(256, 8)] * 4
    seconds = [fs.estimate_cost(shapes, effort=effort).seconds for effort in ("usual", "thorough")]
    assert seconds[1] > 1.5 * seconds[0]


def test_an_entropic_plan_is_its_own_best_answer():
    A, B = (torch.from_numpy(s.single) for s in spaces(0, 60))
    temperature = TEMPERATURES["entropic, warmer"]
    benefit = entropic_plan(A, B, temperature, steps=400)
    rows, columns = sinkhorn_scaling(gibbs_kernel(benefit, temperature), 200)
    plan = rows[:, None] * gibbs_kernel(benefit, temperature) * columns
    assert plan.sum(dim=0).numpy() == pytest.approx(np.ones(60), abs=1e-3)
    assert plan.sum(dim=1).numpy() == pytest.approx(np.ones(60), abs=1e-3)
    onward = A @ plan @ B / 60
    J = torch.eye(60) - 1 / 60  # benefits count only up to constants per row and column
    assert (J @ (onward - benefit) @ J).abs().max() < 0.1 * temperature
    assert plan.max() < 1 - 1e-3  # soft


def test_each_pair_of_a_batch_settles_by_itself():
    A, B = (torch.stack([torch.from_numpy(spaces(k, 40)[side].single) for k in range(3)]) for side in (0, 1))
    together = entropic_plan(A, B, 0.01, steps=STEPS)
    for k in range(3):
        alone = entropic_plan(A[k], B[k], 0.01, steps=STEPS)
        assert together[k].numpy() == pytest.approx(alone.numpy(), abs=1e-3 * float(alone.abs().max()))


def test_making_a_matching_soft_again_leads_lower():
    for seed in range(3):
        a, b = spaces(seed, 80)
        start = np.random.default_rng(seed).permutation(80)
        once = reheated(a.single, b.single, start, 0.005)
        often = annealed(a.single, b.single, start, (0.01, 0.005))
        assert sorted(once) == sorted(often) == list(range(80))
        before, after, end = (squared_difference(a.single, b.single, match) for match in (start, once, often))
        assert end <= after < 0.9 * before
        again = annealed(a.single, b.single, often, (0.01, 0.005))
        assert squared_difference(a.single, b.single, again) == pytest.approx(end)
