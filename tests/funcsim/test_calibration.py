"""Chance under chance, and more than chance where there is more."""

import numpy as np
import pytest

import funcsim as fs

pytestmark = pytest.mark.filterwarnings("ignore::funcsim.similarity.cca.FullRankWarning")
UPPER = np.triu_indices(4, k=1)


def unrelated(seed, n=24, d=60):
    """Four layers with nothing in common, of different spectra."""
    rng = np.random.default_rng(seed)
    return fs.Representations(
        {f"layer {k}": rng.normal(size=(n, d)) * np.geomspace(1, 10.0**-k, d) for k in range(4)}
    )


def chain(seed):
    """Four layers, each with something of the one before."""
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(24, 60))]
    for _ in range(3):
        x.append(x[-1] + rng.normal(size=(24, 60)))
    return fs.Representations({f"layer {k}": layer for k, layer in enumerate(x)})


def calibrated(reps, measure, **options):
    return fs.calibrate(reps, measure=measure, n=9, jobs=1, progress=False, **options)


@pytest.mark.parametrize("measure", ["cka", "rsa", "cca", "rsm", "mutual-knn"])
def test_layers_with_nothing_in_common_have_any_p_and_no_excess(measure):
    found = [calibrated(unrelated(seed), measure, seed=seed) for seed in range(12)]
    p = np.array([f.p_values[UPPER] for f in found])
    ties = measure in ("mutual-knn", "cca")  # many equal numbers; all of CCA are one here
    assert np.mean(p <= 0.1) <= 0.25  # 0.1 on average
    assert ties or 0.35 < p.mean() < 0.75
    excess = np.array([f.excess().values[UPPER] for f in found])
    assert np.isnan(excess).all() if measure == "cca" else abs(excess.mean()) < 0.05


def test_a_similarity_that_width_alone_makes_high_is_no_excess_and_a_shared_one_is():
    """Plain CKA of 24 samples in 60 dimensions is far above 0 whatever they are."""
    apart, linked = calibrated(unrelated(0), "cka"), calibrated(chain(0), "cka")
    assert apart.map.values[0, 1] > 0.5
    assert apart.excess().values[0, 1] < 0.1
    steps = [0, 1, 2], [1, 2, 3]
    assert (linked.p_values[steps] == 0.1).all()
    assert (linked.excess().values[steps] > 0.2).all()


def test_gw_is_compared_with_clouds_of_the_same_spectrum():
    rng = np.random.default_rng(0)
    two_heaps = rng.normal(size=(24, 3)) + 12 * (np.arange(24) % 2)[:, None]
    round_one = rng.normal(size=(24, 3))
    reps = fs.Representations({"heaps": two_heaps, "heaps, turned": two_heaps[:, ::-1] + 0.1 * round_one})
    found = calibrated(reps, "gw")
    assert found.null == "clouds of the same spectrum"
    assert found.p_values[0, 1] == 0.1  # more of one shape than their spectra say
    others = np.empty_like(two_heaps)  # each heap of the one has half of each heap of the other
    others[np.arange(24) // 2 % 2 == 0], others[np.arange(24) // 2 % 2 == 1] = two_heaps[::2], two_heaps[1::2]
    shuffled = fs.Representations({"a": two_heaps, "b": others})
    assert calibrated(shuffled, "gw").p_values[0, 1] == 0.1
    assert calibrated(shuffled, "cka-debiased").p_values[0, 1] > 0.1


def test_what_it_says_of_each_pair():
    found = calibrated(chain(1), "cka")
    d = found.draws
    assert d.shape == (9, 4, 4)
    assert np.isnan(found.null_mean.diagonal()).all()
    assert np.isnan(found.p_values.diagonal()).all()
    assert np.allclose(found.null_mean[UPPER], d.mean(axis=0)[UPPER])
    assert np.allclose(found.null_sd[UPPER], d.std(axis=0, ddof=1)[UPPER])
    wanted = [
        (1 + sum(d[k, i, j] >= found.map.values[i, j] for k in range(9))) / 10
        for i, j in zip(*UPPER, strict=True)
    ]
    assert found.p_values[UPPER] == pytest.approx(wanted)
    table = found.to_frame()
    assert table[["layer", "other"]].iloc[0].tolist() == ["layer 0", "layer 1"]
    assert table["p"].to_numpy() == pytest.approx(wanted)
    assert len(table) == 6
    assert (found.excess().values.diagonal() == 1).all()
    assert found.excess().is_similarity


def test_a_distance_counts_draws_that_are_nearer():
    found = calibrated(chain(1), "rsm")
    i, j = 0, 1
    nearer = (found.draws[:, i, j] <= found.map.values[i, j]).sum()
    assert found.share[i, j] == nearer / 9
    assert found.excess().values[i, j] == pytest.approx(1 - found.map.values[i, j] / found.null_mean[i, j])


def test_two_models_are_compared_layer_by_layer():
    reps = chain(2)
    other = fs.Representations({"same": reps["layer 3"], "apart": unrelated(5)["layer 0"]})
    found = calibrated(reps.select(["layer 3"]), "cka-debiased", other=other)
    assert found.draws.shape == (9, 1, 2)
    assert found.p_values[0, 0] == 0.1
    assert found.excess().values[0, 0] == pytest.approx(1.0)
    assert found.to_frame()["other"].tolist() == ["same", "apart"]


def test_the_seed_decides_the_draws():
    reps = chain(3)
    one, again, other = (calibrated(reps, "cka", seed=seed).draws for seed in (0, 0, 1))
    assert np.array_equal(one, again, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)
    assert len(np.unique(one[:, 0, 1])) == 9


def test_one_draw_tells_no_spread():
    with pytest.raises(ValueError, match="n=1 is out of range; at least 2 draws"):
        fs.calibrate(chain(0), measure="cka", n=1)
