"""All experiments: what each of them has, and what every file of the replication serves."""

import ast
import dataclasses
import re
from pathlib import Path

import pytest

import replication
from replication.modular_addition import maps
from replication.registry import EXPERIMENTS, MODULES
from replication.run import Run, load_result
from replication.stored import data_dir

FILES = sorted(Path(replication.__file__).parent.rglob("*.py"))
SERVES = re.compile(r"\b([Tt]ables?|[Ff]igures?|[Ss]ections?|[Aa]ppendi(x|ces)|claims?|reviews|reviewers)\b")
#: One of each kind; the others differ by numbers in their plans.
KINDS = (
    *("model-l-nested", "known-boundaries/1-1-1", "modular-maps/model-0", "known-targets/classifier"),
    *("bert/yelp-neuroprune-25", "dynamics/sst2", "dynamics/model-e", "ablations/yelp-first"),
    *(
        "ablations/sst2-interventions",
        "encoder/sst2-dense",
        "encoder-maps/sst2-dense",
        "encoder/yelp-untrained",
        "encoder/sst2-neuroprune-70",
        "second-sum",
        "resnet9",
        "level-and-power",
    ),
    *("known/streams", "known-stitching", "boundaries", "search", "decoder"),
)
TEXTS = ("bert/", "dynamics/sst2", "dynamics/yelp", "ablations/", "encoder/", "decoder")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(FILES[0].parent)))
def test_every_file_says_what_of_the_paper_it_serves(path):
    assert SERVES.search(ast.get_docstring(ast.parse(path.read_text())) or ""), path


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_plan_a_tiny_one_and_seeds(name):
    experiment = EXPERIMENTS[name]
    assert experiment.name == name
    assert type(experiment.plan.tiny()) is type(experiment.plan)
    assert experiment.plan.tiny() != experiment.plan
    assert experiment.seeds
    assert len(set(experiment.seeds)) == len(experiment.seeds)
    assert (experiment.encoder is not None) == name.startswith(TEXTS)


def test_the_registry_holds_what_the_files_define():
    assert len(EXPERIMENTS) == sum(len(module.EXPERIMENTS) for module in MODULES)
    assert {type(EXPERIMENTS[name].plan) for name in KINDS} == {type(e.plan) for e in EXPERIMENTS.values()}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_can_be_read_at_profile_smoke(name):
    if EXPERIMENTS[name].encoder:
        pytest.importorskip("transformers")
    result = load_result(EXPERIMENTS, name, "smoke")
    assert load_result(EXPERIMENTS, name, "smoke") is result  # computed once
    origin = result[1] if isinstance(result, tuple) else result.origin
    assert f"make experiments PROFILE=smoke ONLY={name} DEVICE=cpu SEED=0" in origin


STORED = [
    (folder.parent.relative_to(data_dir()).as_posix(), int(folder.name.removeprefix("seed-")))
    for folder in sorted(data_dir().rglob("seed-*"))
]


@pytest.mark.parametrize(("name", "seed"), STORED)
def test_what_is_stored_belongs_to_an_experiment_and_can_be_read(name, seed):
    assert seed in EXPERIMENTS[name].seeds
    result = load_result(EXPERIMENTS, name, seed=seed)
    origin = result[1] if isinstance(result, tuple) else result.origin
    named = (name, EXPERIMENTS[name].group)  # either of them makes it again
    assert any(f"ONLY={one} DEVICE=" in origin for one in named)
    assert f"SEED={seed}`" in origin
    if not isinstance(result, tuple):  # printed, it says where it comes from and shows no array
        assert repr(result).endswith(origin)
        assert len(repr(result)) < len(origin) + 150


def test_an_unknown_experiment_or_profile_is_refused():
    with pytest.raises(ValueError, match="no experiment 'model-9'; there is model-0, "):
        load_result(EXPERIMENTS, "model-9")
    with pytest.raises(ValueError, match="'smoke', 'laptop' or 'full'"):
        load_result(EXPERIMENTS, "model-0", "fast")


def test_a_key_is_another_one_for_all_that_makes_other_numbers():
    one = Run("model-0", seed=0, device="cpu")
    changes = ({"seed": 1}, {"device": "cuda:0"}, {"profile": "smoke"})
    others = [dataclasses.replace(one, **change) for change in changes]
    keys = {run.key({"lr": 1}) for run in (one, *others)} | {one.key({"lr": 2})}
    assert len(keys) == 5
    assert one.key({"lr": 1, "p": 2}) == dataclasses.replace(one, progress=False).key({"p": 2, "lr": 1})


def test_nothing_is_left_to_resume_without_a_folder_for_it(tmp_path):
    assert Run("model-0", work=None).resume("state", {}) is None
    assert Run("model-0", work=tmp_path).resume("state", {}).parents[2] == tmp_path / "model-0"


def test_the_maps_have_names_of_their_own():
    assert len(maps.MAPS) == sum(len(plan.maps) for plan in maps.SETS.values())


def test_a_run_forgets_its_own_states_alone(tmp_path):
    kept = [
        Run("a/b", "full", 0, work=tmp_path),
        Run("a/b", "full", 1, work=tmp_path),
        Run("a/c", "smoke", 0, work=tmp_path),
    ]
    done = Run("a/b", "smoke", 0, work=tmp_path)
    for run in (*kept, done):
        path = run.resume("state", {"steps": 1})
        path.parent.mkdir(parents=True)
        path.write_text("half way")
    done.forget()
    assert not done.states.exists()
    assert all(run.resume("state", {"steps": 1}).exists() for run in kept)
    for run in kept:
        run.forget()
    assert not list(tmp_path.iterdir())
