"""Networks whose boundaries are known: what they compute, how they are trained, what is kept of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from replication.errors import StoredResultError
from replication.known import networks, training
from replication.known.designs import CHAINS, FAMILIES, HANDED, READERS, STREAMS, UNTRAINED, Design
from replication.known.tasks import digits, make_data, operand_of
from replication.known.training import Learned, Recipe, train
from replication.models.known_network import Sizes
from replication.run import Run

SMALL = Sizes(p=5, operands=3, width=32, hidden=64, heads=2)
QUICK = Recipe(steps=600, batch=64, checks=1, enough=0.99, lr=5e-3)


def test_sixty_designs_of_which_half_have_boundaries():
    designs = [design for family in FAMILIES.values() for design in family.values()]
    assert len(designs) == 60
    assert sum(design.n_functions > 1 for design in designs) == 30
    assert {design.n_functions for design in CHAINS.values()} == {2, 3, 4}
    negative = ("handed-on", "one-function", "untrained", "random-labels")
    assert all(
        (d.n_functions == 1) == (family in negative) for family in FAMILIES for d in FAMILIES[family].values()
    )


def test_in_one_architecture_boundaries_lie_at_different_blocks():
    made = [d.tiny().network(None, 0) for d in STREAMS.values() if d.sizes == CHAINS["4-4"].sizes]
    eight = [n for n in made if len(n.parts[0].blocks) == 8]
    assert {n.parts[0].ends[0] for n in eight} == {2, 3, 4, 5, 6}
    assert len({tuple(name for name, *_ in n.points()) for n in eight}) == 1  # nothing in it tells them apart


def test_a_design_needs_an_operation_for_each_stage():
    with pytest.raises(ValueError, match=r"1 operations for stages of \(\(2, 2\),\) blocks"):
        Design(((2, 2),), ("sum",))


def test_functions_take_operands_in_turn_and_tables_are_latin_squares():
    operations = ("sum", "same", "table", "permutation", "difference")
    assert [operand_of(operations, k, 2) for k in range(5)] == [0, None, 1, None, 0]
    data = make_data(operations, 5, 2, seed=3)
    inputs = torch.cat([data.train_inputs, data.test_inputs])
    answers = torch.cat([data.train_answers, data.test_answers])
    assert len(inputs) == 125
    assert len(set(map(tuple, inputs.tolist()))) == 125  # nothing held out was trained on
    assert torch.equal(answers[:, 0], (inputs[:, 0] + inputs[:, 1]) % 5)
    assert torch.equal(answers[:, 1], answers[:, 0])
    square = {}
    for x, y, z in zip(answers[:, 1].tolist(), inputs[:, 2].tolist(), answers[:, 2].tolist(), strict=True):
        assert square.setdefault((x, y), z) == z  # one table, for what is trained and what is held out
    for k in range(5):
        assert len({square[k, y] for y in range(5)}) == len({square[x, k] for x in range(5)}) == 5
    renamed = dict(zip(answers[:, 2].tolist(), answers[:, 3].tolist(), strict=True))
    assert sorted(renamed.values()) == list(range(5))
    assert torch.equal(answers[:, 4], (answers[:, 3] - inputs[:, 1]) % 5)


def test_pictures_that_are_held_out_are_others():
    data = make_data(("read", "sum"), 10, 2, seed=0, n_train=3000, n_test=500)
    shown = digits()[1]
    assert not set(data.train_inputs[:, 0].tolist()) & set(data.test_inputs[:, 0].tolist())
    assert torch.equal(data.test_answers[:, 0], shown[data.test_inputs[:, 0]])
    assert torch.equal(data.test_answers[:, 1], (data.test_answers[:, 0] + data.test_inputs[:, 1]) % 10)


def test_random_labels_are_learned_where_they_are_tested():
    data = make_data(("random",), 5, 2, seed=0, n_train=40)
    assert torch.equal(data.train_inputs, data.test_inputs)
    assert torch.equal(data.train_answers, data.test_answers)
    assert len(data.train_inputs) == 40


@pytest.mark.parametrize(
    "design", [CHAINS["2-2-4 attention"], STREAMS["4-4 norm last"], READERS["2-3-3"], HANDED["4-4 same"]]
)
def test_points_come_in_the_order_in_which_they_are_computed(design):
    design = design.tiny()
    network = design.network(digits()[0], 0) if design.sizes.convolutions else design.network(None, 0)
    points, seen = network.points(), []
    for name, *_ in points:
        network.get_submodule(name).register_forward_hook(lambda *_, name=name: seen.append(name))
    network(torch.zeros(3, 3, dtype=torch.long))
    assert seen == [name for name, *_ in points]
    stages = [stage for *_, stage in points]
    assert stages == sorted(stages)
    assert set(stages) == set(range(len(design.operations)))
    ends = [stage for _, kind, _, stage in points if kind == "end"]
    assert [ends.count(k) for k in set(stages)] == [n for part in design.blocks for n in part]


@pytest.mark.parametrize("parts", [[[1], [1]], [[1, 2]]])
def test_a_small_network_learns_each_function_and_keeps_what_is_frozen(parts, monkeypatch):
    operations = ("sum", "table")
    design = Design(tuple(tuple(np.diff([0, *ends]).tolist()) for ends in parts), operations, SMALL)
    network, data = design.network(None, 0), make_data(operations, 5, 3, 0)
    before = []
    call = training._Fit.__call__

    def watched(fit, *told):
        before.append({key: value.clone() for key, value in network.state_dict().items()})
        return call(fit, *told)

    monkeypatch.setattr(training._Fit, "__call__", watched)
    learned = train(network, operations, data, QUICK, 0)
    assert [stage.accuracy > 0.95 for stage in learned] == [True, True]
    after = network.state_dict()
    moved = {key for key in after if not torch.equal(after[key], before[1][key])}  # by the second stage
    second = ("parts.1.",) if len(parts) == 2 else ("parts.0.blocks.1.", "parts.0.readouts.1.")
    assert moved
    assert all(key.startswith(second) for key in moved)
    with torch.no_grad():
        right = network(data.test_inputs).argmax(dim=1) == data.test_answers[:, -1]
    assert right.double().mean().item() == learned[-1].accuracy  # measured on what is really handed on


def test_an_adapter_joins_networks_that_were_trained_alone(monkeypatch):
    design = Design(((1,), (1,)), ("sum", "table"), SMALL, adapted=True)
    network, data = design.network(None, 0), make_data(design.operations, 5, 3, 0)
    states = []
    call = training._Fit.__call__

    def watched(fit, starts, learning):
        found = call(fit, starts, learning)
        states.append({key: value.clone() for key, value in network.state_dict().items()})
        return found

    monkeypatch.setattr(training._Fit, "__call__", watched)
    learned = train(network, design.operations, data, QUICK, 0)
    moved = {key for key in states[2] if not torch.equal(states[2][key], states[1][key])}
    assert moved
    assert all(key.startswith("parts.1.adapter.") for key in moved)
    with torch.no_grad():
        right = network(data.test_inputs).argmax(dim=1) == data.test_answers[:, -1]
    assert right.double().mean().item() == learned[-1].accuracy


def test_the_truth_is_where_a_function_begins_and_not_where_a_part_does():
    chain, handed, stream, untrained = (
        networks.make(design.tiny(), 0, 10, 1)
        for design in (CHAINS["3-3-2"], HANDED["4-4 same"], STREAMS["3-5"], UNTRAINED["chain 4-4"])
    )
    assert chain.only("ends").starts == chain.only("ends").part_starts == (3, 6)
    assert chain.only("stream").starts == (4, 8)  # each part begins with its embeddings
    assert (handed.only("ends").starts, handed.only("ends").part_starts) == ((), (4,))
    assert (stream.only("ends").starts, stream.only("ends").part_starts) == ((3,), ())
    assert (untrained.starts, untrained.only("ends").stage_starts) == ((), (4,))
    assert untrained.accuracies == ()
    assert chain.only("all").reps.names == chain.reps.names
    names = chain.only("stream").unnamed().reps.names
    assert names == tuple(f"state {k}" for k in range(11))  # nothing of parts in them
    np.testing.assert_array_equal(chain.unnamed().reps["hidden 1"], chain.reps[chain.reps.names[1]])


def test_what_does_not_learn_is_tried_again_and_marked(monkeypatch):
    seeds = []

    def fails(network, operations, data, recipe, seed):
        seeds.append(seed)
        return [Learned(0.5, 1)]

    monkeypatch.setattr(networks, "train", fails)
    design = replace(FAMILIES["one-function"]["8 sum"].tiny(), least=0.95)
    known = networks.make(design, 0, 10, attempts=3)
    assert len(set(seeds)) == 3
    assert (known.attempt, known.learned, known.accuracies) == (2, False, (0.5,))
    assert networks.make(replace(design, least=0.5), 0, 10, attempts=3).attempt == 0


def test_what_is_kept_comes_back_and_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    plan = replace(networks.Plan("chains").tiny(), few=2)
    make, made = networks.make, []

    def stops_at_the_second(design, *told):
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(make(design, *told))
        return made[-1]

    run = Run("known/chains", "smoke", 0, out=tmp_path / "out", work=tmp_path / "work", progress=False)
    with monkeypatch.context() as stopped:
        stopped.setattr(networks, "make", stops_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            networks.compute(plan, run)
    went_on = []
    monkeypatch.setattr(networks, "make", lambda *told: went_on.append(make(*told)) or went_on[-1])
    record = networks.compute(plan, run)
    assert len(went_on) == 1
    found = networks.read(run.folder, record).networks
    assert list(found) == list(plan.designs)
    for known, kept in zip([*made, *went_on], found.values(), strict=True):
        stream = known.only("stream")
        assert kept.reps.names == stream.reps.names
        assert (kept.kinds, kept.functions, kept.accuracies) == (
            stream.kinds,
            stream.functions,
            stream.accuracies,
        )
        for name in kept.reps:
            np.testing.assert_array_equal(kept.reps[name], stream.reps[name].astype(np.float16))
    assert run.folder.joinpath(networks.INNER).exists()
    whole = networks._read([run.folder / networks.STREAM, run.folder / networks.INNER])
    assert whole["4-4"].reps.names == made[0].reps.names
    assert record.files.keys() == {networks.STREAM}


def test_hidden_layers_that_are_not_here_are_asked_for(tmp_path, monkeypatch):
    networks.EXPERIMENTS["known/untrained"].run("smoke", out=tmp_path, work=None, progress=False)
    monkeypatch.setenv("FUNCSIM_FROZEN", str(tmp_path))
    monkeypatch.setattr(networks, "load", lambda *told, **more: networks.Known(networks={}))
    assert "parts.0.blocks.0.steps.0.hidden" in networks.load_all("untrained").networks["chain 4-4"].reps
    (tmp_path / "known" / "untrained" / "seed-0" / networks.INNER).unlink()
    with pytest.raises(
        StoredResultError, match=r"inner\.safetensors is missing; .*ONLY=known/untrained SEED=0"
    ):
        networks.load_all("untrained")
