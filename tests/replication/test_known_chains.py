"""Rules on chains whose boundaries are known: the same chains for all, and scores that can differ."""

import pandas as pd
import pytest

import funcsim as fs
from replication.benchmark.known_chains import chains, found_by, is_exact


def test_scores_are_shares_of_cut_or_exactly_cut_chains():
    rules = {"never": lambda m: (), "always": lambda m: (5,), "test": lambda m: fs.partition(m).boundaries}
    table = found_by(rules, {"nothing": "even", "something": "last layer x10"}, 6, 0)
    assert table["never"].tolist() == [0, 0]
    assert table["always"].tolist() == [1, 0]
    assert table.loc["nothing", "test"] == 0
    assert table.loc["something", "test"] > 0.5
    pd.testing.assert_frame_equal(
        table, found_by(rules, {"nothing": "even", "something": "last layer x10"}, 6, 0)
    )


def test_families_without_a_boundary_have_none_and_the_others_have():
    assert [at for _, at in chains("flow", 9, 3, 0)] == [()] * 3
    assert all(at == (8,) for _, at in chains("last layer x10", 9, 3, 0))
    names = next(iter(chains("two kinds .1", 9, 1, 0)))[0].names
    assert names[:3] == ("block 0 end", "block 0 attention", "block 1 end")


@pytest.mark.parametrize(("found", "right"), [((4,), True), ((5,), True), ((4, 5), False), ((), False)])
def test_a_transition_has_one_boundary_at_either_of_its_steps(found, right):
    assert is_exact("transition x4", found, (4, 5)) is right
    assert is_exact("two steps x4", (4, 5), (4, 5))
