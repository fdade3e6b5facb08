"""One scale: how a measure is written down decides nothing, and what is said to be a metric is one."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import funcsim as fs
from funcsim.errors import FileFormatError
from funcsim.metric_form import metric_form_of

MEASURES = fs.measures()
NAMES = ("a", "b", "c", "d")

#: Whose metric form obeys the triangle inequality, whatever the clouds. CCA: if their ranks agree.
METRIC = [n for n, m in MEASURES.items() if n != "gw" and (m.is_metric or n.startswith(("rsa", "cka")))]
METRIC += ["msid", "cosine", "cca", "mutual-knn", "cknna"]

quiet = pytest.mark.filterwarnings("ignore::funcsim.similarity.cca.FullRankWarning")


def clouds(seed, n=13, d=3):
    """Four clouds, some near each other, so that sides of a triangle nearly add up."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) + rng.normal(size=d)
    step = rng.normal(size=(n, d)) * rng.uniform(0.05, 2.0)
    layers = (x, x + step, x + 2 * step, rng.normal(size=(n, d)) ** 3)
    return fs.Representations(dict(zip(NAMES, layers, strict=True)))


def mapped(reps, measure):
    """What `compare` gives, without its cache and its processes."""
    used = MEASURES.get(measure, measure)
    layers = [used.prepare(x, "mean", name) for name, x in reps.items()]
    values = np.eye(len(layers)) * used.is_similarity
    for i, j in itertools.combinations(range(len(layers)), 2):
        values[i, j] = values[j, i] = used.score(layers[i], layers[j])
    about = {"is_similarity": used.is_similarity, "metric_form": used.metric_form}
    return fs.LayerMap(values, reps.names, reps.names, used.name, "mean", reps.n_samples, **about)


def distances(reps, measure):
    return fs.metric_distances(mapped(reps, measure))


def worst_triangle(d):
    """By how much a side exceeds the way round, at most."""
    return (d[:, None, :] - d[:, :, None] - d[None, :, :]).max()


@quiet
@pytest.mark.parametrize("name", METRIC)
def test_the_metric_form_obeys_the_triangle_inequality(name):
    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 10**6))
    def holds(seed):
        d = distances(clouds(seed), name)
        assert (d == d.T).all()
        assert (np.diag(d) == 0).all()
        assert (d >= 0).all()
        assert worst_triangle(d) <= 1e-6

    holds()


@pytest.mark.parametrize("name", ["rsa-pearson", "cka", "cka-debiased", "cosine"])
def test_and_one_minus_a_similarity_does_not(name):
    maps = [mapped(clouds(seed), name) for seed in range(8)]
    plain = [1 - m.values if m.is_similarity else m.values for m in maps]
    assert max(map(worst_triangle, plain)) > 1e-3


def otherwise(name, form, write):
    """The measure `name` written down another way, and declared to be."""
    known = MEASURES[name]
    return dataclasses.replace(
        known,
        name=f"{name}, otherwise",
        score=lambda a, b: write(known.score(a, b)),
        score_with_bound=None,
        bound=None,
        version=None,
        is_similarity=False,
        is_metric=False,
        metric_form=form,
    )


@pytest.mark.parametrize(
    ("name", "form", "write"),
    [
        ("gw", "root", lambda v: v**2),
        ("rsm", "root", lambda v: v**2),
        ("cka", "angle of one minus", lambda v: 1 - v),
        ("cka-debiased", "distance", np.arccos),
        ("rsa", "root", lambda v: 1 - v),
        ("cosine", "angle", lambda v: 1 - v),
        ("cca", "angle of one minus", lambda v: 1 - v),
    ],
)
def test_a_measure_written_down_another_way_is_the_same_measure(name, form, write):
    reps = clouds(3, n=20)
    changed = otherwise(name, form, write)
    plain, other = (mapped(reps, m).values for m in (name, changed))
    assert np.abs(plain - other).max() > 0.01
    assert np.allclose(distances(reps, changed), distances(reps, name), rtol=1e-6, atol=1e-12)


def test_a_step_along_a_straight_path_counts_the_same_wherever_it_is():
    """Directions turned by equal angles: distances add up, and one minus the cosine does not."""
    turned = [np.array([[np.cos(t), np.sin(t)]] * 3) for t in np.arange(4) * np.pi / 8]
    reps = fs.Representations(dict(zip(NAMES, turned, strict=True)))
    m = fs.compare(reps, measure="cosine", normalize=None, progress=False)
    assert fs.metric_distances(m)[0] == pytest.approx(np.arange(4) * np.pi / 8, abs=1e-6)
    assert m.values[0, 2] > 1.5 * (m.values[0, 1] + m.values[1, 2])


def test_a_map_says_its_form_and_one_made_without_it_follows_its_measure(tmp_path):
    assert {n: metric_form_of(n, m.is_similarity) for n, m in MEASURES.items()} == {
        n: m.metric_form for n, m in MEASURES.items()
    }
    by_hand = [fs.LayerMap(np.eye(2), ("a", "b"), ("a", "b"), of, None, 9) for of in ("cka", "mine")]
    assert [m.metric_form for m in by_hand] == ["angle", "distance"]
    similar = dataclasses.replace(by_hand[1], is_similarity=True, metric_form=None)
    assert similar.metric_form == "one minus"
    declared = fs.Measure(name="mine", score=lambda a, b: 0.5, metric_form="root")
    m = fs.compare(clouds(0), measure=declared, jobs=1, progress=False)
    m.save(tmp_path / "map")
    assert m.metric_form == fs.LayerMap.load(tmp_path / "map").metric_form == "root"
    assert fs.metric_distances(m)[0, 1] == pytest.approx(0.5**0.5)


def test_files_from_before_there_were_forms_are_read(tmp_path):
    described = {"names": ["a", "b"], "columns": ["a", "b"], "measure": "cka", "normalize": None}
    described |= {"n_samples": 9, "larger_is_similar": True}
    values = np.array([[1.0, 0.5], [0.5, 1.0]])
    for form, name in ((None, "old"), ("cube", "odd")):
        told = described | ({"metric_form": form} if form else {})
        header = {"format": "funcsim.layer_map/1", "map": json.dumps(told)}
        save_file({"values": values}, tmp_path / name, header)
    old = fs.LayerMap.load(tmp_path / "old")
    assert old.metric_form == "angle"
    assert fs.metric_distances(old)[0, 1] == pytest.approx(np.pi / 3)
    with pytest.raises(FileFormatError, match="metric_form='cube' is unknown; there is distance"):
        fs.LayerMap.load(tmp_path / "odd")


def test_what_gives_no_distances_is_refused():
    with pytest.raises(ValueError, match="metric_form='square' is unknown; there is distance, root"):
        fs.Measure(name="mine", score=lambda a, b: 0.5, metric_form="square")
    square = np.array([[0.0, 1.5], [1.5, 0.0]])
    m = fs.LayerMap(square, ("a", "b"), ("a", "b"), "mine", None, 9, metric_form="root of one minus")
    with pytest.raises(ValueError, match="takes a root, and there are values above 1"):
        fs.metric_distances(m)
    with pytest.raises(ValueError, match="takes a root, and there are negative values"):
        fs.metric_distances(dataclasses.replace(m, values=-square, metric_form="root"))
    with pytest.raises(ValueError, match="this map holds NaN"):
        fs.metric_distances(dataclasses.replace(m, values=np.nan * square))
    with pytest.raises(ValueError, match="this map compares two models"):
        fs.metric_distances(dataclasses.replace(m, columns=("c", "d")))
    rounding = dataclasses.replace(m, values=-1e-16 * square, metric_form="root")
    assert (fs.metric_distances(rounding) == 0).all()
    outside = dataclasses.replace(m, values=square, metric_form="angle")
    assert (fs.metric_distances(outside) == 0).all()
