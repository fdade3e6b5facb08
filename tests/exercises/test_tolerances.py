"""Each check lets through what lies just inside its tolerance, and stops what lies just outside."""

import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from exercises import NotYetError, chapter_02

SPEC = importlib.util.spec_from_file_location("solved", Path(__file__).with_name("test_exercises.py"))
SOLVED = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(SOLVED)


def solution(chapter, name):
    """The functions of a solution, by name, without running its check."""
    lines = [line for line in SOLVED.SOLUTIONS[chapter, name].splitlines() if not line.startswith("check.")]
    return SOLVED.with_imports(chapter, "\n".join(lines))


def times(chapter, name, factor):
    """A solution whose result is off by a factor."""
    right = solution(chapter, name)[name]
    return lambda *given: factor * right(*given)


def exact(chapter, name):
    """A check that asks for the number itself: rounding passes, a thousandth does not."""
    return [(chapter, name, lambda e: (times(chapter, name, 1 + e),), 1e-7, 1e-3)]


def cosine_and_line(e):
    """A line explains about e of it, for z uniform between -1 and 1."""
    share = np.sqrt(e / (1 - e))
    return (lambda z: np.sqrt(2) * np.cos(2 * np.pi * z) + share * np.sqrt(3) * z,)


def digits(weak):
    """The solution, whose first module is read with so many per cent of its accuracy."""
    names = solution("01", "predicted")

    def probed(model, images, labels):
        found = names["probed"](model, images, labels)
        return found | {"0": weak * found["0"]}

    return names["predicted"], probed


def wide(chapter, keys=None):
    """A prediction of this width."""

    def made(e):
        names = solution(chapter, "predicted")
        (run,) = (names[name] for name in ("probed", "learn") if name in names)
        ends = (40, 40 + e)
        return (lambda: ends if keys is None else dict.fromkeys(keys, ends)), run

    return made


def measured(e):
    names = solution("02", "predicted")
    run = names["measured"]
    return names["predicted"], names["own"], lambda pairs: {k: (1 + e) * d for k, d in run(pairs).items()}


def bound(e):
    """The difference of both sizes, times e."""
    return (lambda D1, D2: e * size(D1, D2),)


def size(D1, D2):
    return abs(np.sqrt((D1**2).mean()) - np.sqrt((D2**2).mean()))


def noise(dimensions):
    return (lambda: (10, int(dimensions)),)


def chance(e):
    """A p-value that is e larger than it should be where all orders are equally likely."""
    right = solution("03", "p_value")["p_value"]

    def moved(score, X, Y, n, rng):
        return right(score, X, Y, n, rng) + (e if n == 39 else 0)

    return (moved,)


def stage(e):
    """A stage that reports e per cent more than it gets right."""
    right = solution("04", "train_stage")["train_stage"]
    return (lambda *given: right(*given) + e,)


def learn(weak):
    names = solution("04", "predicted")
    return names["predicted"], lambda *given: weak * names["learn"](*given)


def readout(share):
    """The solution, wrong for a share of the rows."""
    right = solution("05", "readout")["readout"]

    def some_wrong(layer, labels, fitted_on):
        found = right(layer, labels, fitted_on)
        wrong = np.arange(len(found)) < share * len(found)
        return np.where(wrong, -1, found)

    return (some_wrong,)


def apart(e):
    names = solution("05", "predicted")
    return (
        names["predicted"],
        names["targets"],
        lambda *given: (1 + e) * names["apart"](*given),
    )


def steps(e):
    names = solution("12", "predicted")
    return (
        names["predicted"],
        names["own_network"],
        lambda *given: {name: (1 + e) * step for name, step in names["steps"](*given).items()},
    )


def seen(e):
    right = solution("10", "watched")["watched"]
    return (lambda *given: {step: x + e for step, x in right(*given).items()},)


def moving(e):
    names = solution("10", "predicted")

    def more(*given):
        return {name: (1 + e) * d for name, d in names["moved"](*given).items()}

    return names["predicted"], names["own_network"], more


def standing(e):
    """The solution, with no distance below e."""
    names = solution("10", "predicted")

    def more(*given):
        return {name: max(e, d) for name, d in names["moved"](*given).items()}

    return names["predicted"], names["own_network"], more


def spaced(early):
    """Looks, of which so many are among the first 30 steps of 1,000."""

    def when(last, n):
        if last < 100:
            return np.arange(last + 1)
        return np.concatenate([np.arange(early), np.linspace(40, last, 20 - early).astype(int)])

    return (when,)


def places(e):
    right = solution("12", "over_places")["over_places"]
    return (lambda layer: right(layer) * (1 + e),)


def fresh(e):
    """A copy with fresh weights, all of them times e."""
    right = solution("14", "untrained")["untrained"]

    def grown(model, seed):
        found = right(model, seed)
        with torch.no_grad():
            for weight in found.parameters():
                weight.mul_(e)
        return found

    return (grown,)


def counted(e):
    """Directions that are more than e of the largest."""

    def free_numbers(layer):
        sizes = np.linalg.svd(layer - layer.mean(axis=0), compute_uv=False)
        return np.count_nonzero(sizes > e * sizes[0])

    return (free_numbers,)


def shuffled(share):
    """The solution for a share of the rows; the others keep their places."""

    def forgets(x):
        rows = np.arange(len(x))
        some = rows[: int(share * len(x))]
        return x[np.concatenate([np.roll(some, 1), rows[len(some) :]])]

    return (forgets,)


def shaken(e):
    """The solution with noise of e times its size."""
    right = solution("06", "forgets")["forgets"]
    return (lambda x: right(x) + e * np.random.default_rng(7).normal(size=x.shape),)


def mixed(e):
    """The solution, with noise that does not come from the first layer."""
    right = solution("06", "width_null")["width_null"]

    def null(layers, rng):
        other = np.random.default_rng(rng.integers(9999))
        return [x + e * np.abs(x).mean() * other.normal(size=x.shape) for x in right(layers, rng)]

    return (null,)


def agreeing(e):
    """The solution, with a rank correlation that is e larger."""
    names = solution("06", "predicted")

    def more(*given):
        found = names["beside"](*given)
        return found | {"agreement": found["agreement"] + e}

    return names["predicted"], names["own_network"], more


def nearly_pooled(e):
    right = solution("07", "clouds")["clouds"]
    return (lambda *given: {name: x + e for name, x in right(*given).items()},)


def found_itself(pool):
    """The solution, with a share that is e per cent lower, or higher where few are matched so."""

    def made(e):
        names = solution("07", "predicted")

        def less(*given):
            found = names["itself"](*given)
            return found | {pool: found[pool] - e if found[pool] > 50 else found[pool] + e}

        return names["predicted"], names["own_network"], less

    return made


def ends_apart(chapter, run, keys, low):
    """The solution, with guesses that reach from `low` to e above it."""

    def made(e):
        names = solution(chapter, "predicted")
        said = names["predicted"]() | dict.fromkeys(keys, (low, low + e))
        return lambda: said, names["own_network"], names[run]

    return made


def drifting(e):
    """The solution, with one step that is e times the others."""
    where = np.arange(12.0) + (e - 1) * (np.arange(12) > 5)
    return (lambda n: np.abs(where[:, None] - where[None]),)


def share(e):
    """The solution, whose best cut explains e per cent more."""
    names = solution("08", "predicted")

    def more(model, x):
        found = names["measured"](model, x)
        return found | {"share": found["share"] + e}

    return names["predicted"], eight_modules, more


def guessed(e):
    names = solution("08", "predicted")
    said = names["predicted"]() | {"share": (60, 60 + e)}
    return lambda: said, eight_modules, names["measured"]


def eight_modules():
    return nn.Sequential(*(nn.Linear(16, 16) for _ in range(8)))


def visible(e):
    right = solution("11", "could_see")["could_see"]
    return (lambda *given: e * right(*given),)


def bending(e):
    right = solution("11", "bends")["bends"]
    return (lambda *given: right(*given) + e,)


def beside_frozen(e):
    """The solution, with weights that learn moved by e afterwards."""
    right = solution("11", "train_rest")["train_rest"]

    def moved(model, n, batches):
        right(model, n, batches)
        with torch.no_grad():
            for weight in model[n:].parameters():
                weight.add_(e)

    return (moved,)


def frozen_moved(e):
    """The solution, with frozen weights moved by e."""
    right = solution("11", "train_rest")["train_rest"]

    def moved(model, n, batches):
        right(model, n, batches)
        with torch.no_grad():
            for weight in model[:n].parameters():
                weight.add_(e)

    return (moved,)


def costing(e):
    names = solution("11", "predicted")

    def more(*given):
        return {name: lost + e for name, lost in names["costs"](*given).items()}

    return names["predicted"], names["own_network"], more


ON_BOUNDARIES = SOLVED.wrong_answers("13")  # among its wrong answers, built from right parts

ON_ZEROS = SOLVED.wrong_answers("09")


def in_time(e):
    return (lambda step, steps, share: (1 + e) * ON_ZEROS.all_of_them(step, steps, share) * share,)


def changing(e):
    return (lambda *maps: [x + e for x in ON_ZEROS.changes(*maps)],)


def kept_zero(e):
    """The solution, with what has learned moved by e afterwards."""

    def moved(model, share, batches):
        ON_ZEROS.pruned(model, share, batches)
        with torch.no_grad():
            for weight in model.parameters():
                weight.add_(e * (weight != 0))

    return (moved,)


def one_more(n):
    """The solution, with n zeros more, of weights that are the smallest of those that are left."""
    return (lambda model, share, batches: ON_ZEROS.pruned(model, share + n / 252, batches),)


def distant(e):
    return ON_ZEROS.guess, ON_ZEROS.own, lambda *told: (1 + e) * ON_ZEROS.by()(*told)


def expected(e):
    return ON_ZEROS.changed(training=(-60, -60 + e)), ON_ZEROS.own, ON_ZEROS.by()


def worth(e):
    return (lambda hits, alarms, share: e * hits * share / (hits * share + alarms * (1 - share)),)


def precise(e):
    return (lambda *given: (1 + e) * ON_BOUNDARIES.ranked(*given),)


def tied(e):
    """The solution, with a score that is e larger where all places are equal."""

    def more(evidence, true, rng):
        return ON_BOUNDARIES.ranked(evidence, true, rng, draws=4000) + e * (np.ptp(evidence) == 0)

    return (more,)


CASES = [
    *exact("01", "explained"),
    *exact("02", "mean_one"),
    *exact("03", "linear_cka"),
    *exact("08", "false_alarm"),
    ("09", "zeros_by", in_time, 1e-7, 1e-3),
    ("09", "two_changes", changing, 1e-7, 1e-3),
    ("09", "prune_and_train", kept_zero, 1e-7, 1e-3),
    ("09", "prune_and_train", one_more, 1, 2),
    ("09", "prune_and_train", one_more, -1, -2),
    ("09", "predicted", distant, 0.04, 0.06),
    ("09", "predicted", distant, -0.04, -0.06),
    ("09", "predicted", expected, 40, 40.5),
    ("11", "could_see", visible, 1.015, 1.025),
    ("11", "could_see", visible, 0.985, 0.975),
    ("11", "bends", bending, 1e-7, 1e-3),
    ("11", "train_rest", beside_frozen, 1e-7, 1e-3),
    ("11", "train_rest", frozen_moved, 0, 1e-6),
    ("11", "predicted", ends_apart("11", "costs", ["frozen", "kept"], 0), 5, 5.1),
    ("11", "predicted", costing, 1e-7, 1e-2),
    *exact("13", "f1_of_cuts"),
    ("13", "when_it_rings", worth, 1 + 1e-7, 1.001),
    ("13", "precision_of", precise, 1e-7, 1e-3),
    ("13", "precision_of", tied, 0.04, 0.06),
    ("13", "precision_of", tied, -0.04, -0.06),
    ("10", "when_to_look", spaced, 8, 6),
    ("10", "watched", seen, 1e-7, 1e-3),
    ("10", "predicted", moving, 0.08, 0.12),
    ("10", "predicted", moving, -0.08, -0.12),
    ("10", "predicted", standing, 0.015, 0.025),
    *exact("12", "few_numbers"),
    *exact("12", "redness"),
    *exact("14", "last_real"),
    *exact("14", "how_often"),
    ("01", "invisible", cosine_and_line, 0.015, 0.025),
    ("01", "predicted", digits, 0.95, 0.8),
    ("01", "predicted", wide("01"), 20, 20.5),
    ("02", "never_below", bound, 0.999, 1.3),
    ("02", "predicted", measured, 0.08, 0.12),
    ("02", "predicted", measured, -0.08, -0.12),
    ("03", "samples_and_dimensions", noise, 150, 60),
    ("03", "p_value", chance, 0.05, 0.15),
    ("03", "p_value", chance, -0.1, -0.25),
    ("04", "train_stage", stage, 0.4, 0.6),
    ("04", "train_stage", stage, -0.4, -0.6),
    ("04", "predicted", wide("04", ("sum", "larger")), 20, 20.5),
    ("04", "predicted", learn, 0.9, 0.75),
    ("05", "readout", readout, 0.08, 0.12),
    ("05", "predicted", apart, 0.08, 0.12),
    ("05", "predicted", apart, -0.08, -0.12),
    ("06", "free_numbers", counted, 1e-5, 1e-9),
    ("06", "free_numbers", counted, 1e-4, 0.05),
    ("06", "forgets", shuffled, 1, 0.5),
    ("06", "forgets", shaken, 0.01, 0.1),
    ("06", "width_null", mixed, 1e-6, 1e-3),
    ("06", "predicted", ends_apart("06", "beside", ["agreement"], 0.1), 0.4, 0.42),
    ("06", "predicted", agreeing, 0.018, 0.022),
    ("06", "predicted", agreeing, -0.018, -0.022),
    *exact("07", "pool_mean"),
    ("07", "margin", lambda e: (times("07", "margin", e),), 1.02, 1.03),
    ("07", "margin", lambda e: (times("07", "margin", e),), 0.98, 0.97),
    ("07", "clouds", nearly_pooled, 1e-7, 1e-3),
    ("07", "predicted", ends_apart("07", "itself", ["mean", "cls"], 30), 20, 20.5),
    ("07", "predicted", found_itself("cls"), 4, 6),
    ("07", "predicted", found_itself("mean"), 4, 6),
    ("08", "no_groups", drifting, 1, 8),
    ("08", "predicted", share, 1.8, 2.2),
    ("08", "predicted", share, -1.8, -2.2),
    ("08", "predicted", guessed, 15, 15.5),
    ("12", "over_places", places, 1e-7, 1e-3),
    ("12", "predicted", steps, 0.08, 0.12),
    ("12", "predicted", steps, -0.08, -0.12),
    ("14", "untrained", fresh, 1, 3),
]


def check_of(chapter, name):
    return vars(importlib.import_module(f"exercises.chapter_{chapter}"))[name]


@pytest.mark.parametrize(("chapter", "name", "off_by", "inside", "outside"), CASES)
def test_just_inside_passes_and_just_outside_does_not(chapter, name, off_by, inside, outside, capsys):
    check_of(chapter, name)(*off_by(inside))
    assert capsys.readouterr().out.startswith("Right. ")
    with pytest.raises(NotYetError):
        check_of(chapter, name)(*off_by(outside))


@pytest.mark.parametrize(("n", "passes"), [(3, False), (4, True), (8, True), (9, False)])
def test_half_of_the_blocks_can_be_cut(n, passes, capsys, monkeypatch):
    chapter = importlib.import_module("exercises.chapter_11")
    monkeypatch.setattr(chapter, "_fine_tuned", lambda *told, steps: np.ones(9, dtype=bool))
    names = solution("11", "predicted")
    own = nn.Sequential(nn.Linear(64, 8), *(chapter.block(8) for _ in range(n)), nn.Linear(8, 10))
    given = (names["predicted"], lambda: own, names["costs"])
    if passes:
        chapter.predicted(*given)
        assert capsys.readouterr().out.startswith(f"Right. With {n // 2} of {n} blocks: ")
    else:
        with pytest.raises(NotYetError, match="Take 4 to 8"):
            chapter.predicted(*given)


@pytest.mark.parametrize(
    ("n", "first", "right", "says"),
    [
        (8, 2, 0.96, None),
        (12, 10, 0.96, None),
        (7, 3, 0.96, "Take 8 to 12"),
        (13, 3, 0.96, "Take 8 to 12"),
        (8, 1, 0.96, "should begin with module 2 to 6"),
        (8, 7, 0.96, "should begin with module 2 to 6"),
        (8, 2, 0.94, "What was not learned has no boundary"),
    ],
)
def test_a_boundary_is_known_in_a_network_that_has_learned(n, first, right, says, capsys, monkeypatch):
    chapter = importlib.import_module("exercises.chapter_13")
    monkeypatch.setattr(chapter, "_learned", lambda network, first: (torch.randn(8, 32), [right, 1.0]))
    monkeypatch.setattr(chapter, "_chains", dict)
    own = chapter._linear([torch.eye(32) + 0.03 * torch.randn(32, 32) for _ in range(n)])
    told = {"place": 1, "groups": 1}
    given = (lambda: told, lambda: (own, first), lambda model, x: told)
    if says is None:
        chapter.predicted(*given)
        assert capsys.readouterr().out.startswith("Right. ")
    else:
        with pytest.raises(NotYetError, match=says):
            chapter.predicted(*given)


@pytest.mark.parametrize(("n", "passes"), [(7, False), (8, True), (16, True), (17, False)])
def test_a_network_has_as_many_modules_as_asked_for(n, passes, capsys):
    names = solution("14", "predicted")
    own = nn.Sequential(*(nn.Linear(16, 16) for _ in range(n)))
    given = (names["predicted"], lambda: own, names["starts"])
    if passes:
        check_of("14", "predicted")(*given)
        assert capsys.readouterr().out.startswith("Right. ")
    else:
        with pytest.raises(NotYetError, match="Take 8 to 16"):
            check_of("14", "predicted")(*given)


def test_three_clouds_may_be_one_array(capsys):
    chapter_02.three_clouds(lambda: np.array([[[0.0], [r]] for r in (1, 2, 3)]))
    assert capsys.readouterr().out.startswith("Right. ")


@pytest.mark.parametrize("order", [("copy", "own"), ("own", "copy")])
def test_pairs_at_one_distance_are_right_in_either_order(order, capsys):
    twice = np.random.default_rng(0).normal(size=(20, 2))
    said = [*order, "noise", "narrow, wide", "line, circle"]
    chapter_02.predicted(lambda: said, lambda: (twice, twice), solution("02", "predicted")["measured"])
    assert "you predicted 10 as they" in capsys.readouterr().out
