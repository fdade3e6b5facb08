"""Layers of known networks made from one another: rows, what is resumed, and what is counted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from replication.known import stitched
from replication.known.designs import STREAMS
from replication.known.networks import network_seed, train_until_learned
from replication.run import Run

PLAN = stitched.Plan().tiny()
DESIGN = STREAMS["4-4"].tiny()


def test_the_rows_of_a_network_are_what_it_answers_with_one_layer_made_from_another():
    rows = stitched.rows_of(DESIGN, 3, PLAN)
    assert len(rows) == 8 * 9 / 2
    assert (rows["from"] <= rows["to"]).all()
    trained = train_until_learned(DESIGN, 3, PLAN.n_samples, PLAN.attempts)
    inputs, answers = trained.data.test_inputs[:60], trained.data.test_answers[:60, -1]
    fitted = np.random.default_rng(3).random(60) < 0.5
    with torch.no_grad():
        right = (trained.network(inputs).argmax(dim=1) == answers).numpy()[~fitted].mean()
    assert rows.loc[rows["from"] == rows["to"], "right"].to_numpy() == pytest.approx(right)
    again = stitched.rows_of(DESIGN, 3, PLAN)
    pd.testing.assert_frame_equal(rows, again)


def test_rows_make_a_symmetric_matrix_and_ranks_are_of_what_is_lost():
    rows = pd.DataFrame(
        [
            [0, 0, 1.0, 0.0],
            [0, 1, 0.9, 0.1],
            [0, 2, 0.2, 0.5],
            [1, 1, 1.0, 0.0],
            [1, 2, 0.6, 0.7],
            [2, 2, 1.0, 0.0],
        ],
        columns=["from", "to", "right", "cka"],
    )
    values = stitched.square(rows)
    assert values.tolist() == [[1.0, 0.9, 0.2], [0.9, 1.0, 0.6], [0.2, 0.6, 1.0]]
    lost = stitched.layer_map(rows)
    assert lost.names == ("block 1", "block 2", "block 3")
    np.testing.assert_allclose(lost.values, [[0, 0.1, 0.8], [0.1, 0, 0.4], [0.8, 0.4, 0]])
    assert stitched.layer_map(rows, "cka").values[0, 2] == 0.5
    assert (lost.n_samples, stitched.layer_map(rows, "cka").n_samples) == (1000, 100)
    both = pd.concat([rows.assign(family="a", network=n) for n in ("x", "y")])
    table = stitched.over_designs(both, stitched.rank_correlation, ["cka", "depth"])
    assert table.index.tolist() == [("a", "x"), ("a", "y")]
    found = stitched.rank_correlation(rows, ["cka", "depth"])
    assert table.loc[("a", "y"), "cka"] == found["cka"]
    assert found["cka"] == pytest.approx(0.5)  # ranks 1, 2, 3 where the loss has 1, 3, 2
    assert found["depth"] == pytest.approx(0.866, abs=1e-3)


def test_an_interrupted_run_goes_on_and_what_is_stored_comes_back(tmp_path, monkeypatch):
    run = Run(stitched.NAME, "smoke", 0, out=tmp_path / "out", work=tmp_path / "work", progress=False)
    rows_of, made = stitched.rows_of, []

    def stops_at_the_second(*told):
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(told)
        return rows_of(*told)

    with monkeypatch.context() as stopped:
        stopped.setattr(stitched, "rows_of", stops_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            stitched.compute(PLAN, run)
    monkeypatch.setattr(stitched, "rows_of", lambda *told: made.append(told) or rows_of(*told))
    record = stitched.compute(PLAN, run)
    assert [seed for _, seed, _ in made] == [
        network_seed("streams", "4-4", 0),
        network_seed("handed-on", "4-4 same", 0),
    ]
    rows, origin = stitched.read(run.folder, record)
    assert record.results == {"networks": 2.0, "learned": 2.0}
    assert rows.groupby(["family", "network"]).size().tolist() == [36, 36]
    assert "known-stitching" in origin


def test_only_networks_with_answers_are_stitched():
    families = {family for family, _ in stitched.Plan().designs}
    assert len(stitched.Plan().designs) == 48
    assert families.isdisjoint(stitched.WITHOUT_ANSWERS)
    assert len(replace(PLAN, few=2).designs) == 4


def test_beyond_depth_a_distance_that_is_depth_says_nothing_and_one_that_is_the_loss_says_all():
    rng = np.random.default_rng(0)
    one, other = np.triu_indices(8)
    rows = pd.DataFrame({"from": one, "to": other, "right": 1 - 0.05 * (other - one) - 0.1 * rng.random(36)})
    rows = rows.assign(same=-rows["right"], depth_and_noise=(other - one) + 1e-3 * rng.random(36))
    found = stitched.beyond_depth(rows, ["same", "depth_and_noise"])
    assert found["same"] == pytest.approx(1)
    assert abs(found["depth_and_noise"]) < 0.5
    assert stitched.rank_correlation(rows, ["depth_and_noise"])["depth_and_noise"] > 0.7
