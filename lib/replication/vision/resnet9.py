"""ResNet-9 before and after it has learned CIFAR-10: the reviewers' question about vision.

One network of 16 epochs is kept whole. Two more of other seeds learn for 24 epochs, as TRAK's do, to ask
whether what the first one shows is its own; of them only the maps are kept. What would count was written
down before they were trained. Claim C34 agrees if both have four groups by the test under GW, and if in
both the three layers that the authors name stand out after training (of all triples at most 5 % rank as
high); it disagrees if neither has; else it is undecided.

Taught in chapter 12.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.representations import Representations
from replication.data.images import Images, load_cifar10, toy_images
from replication.map_files import boundary_frequency, load_maps, save_maps
from replication.models.resnet import ResNet9
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record
from replication.training.vision import VisionConfig, VisionHistory, predict_images, train_on_images
from replication.vision.maps import STATES, all_maps, channels, flat_layers, readouts

NAME, LONGER = "resnet9", "resnet9-longer"
FORMAT = "funcsim.vision/1"
FILES = ("maps.safetensors", "run.safetensors")
WHOLE = ("model.safetensors", "layers.safetensors")


@dataclass(frozen=True)
class Plan:
    """How the network is trained, and what is captured.

    Attributes
    ----------
    training : VisionConfig
    width : float
        The share of channels that the network has.
    n_looked : int
        Test images for the maps.
    n_learned, n_read : int
        Training images that a readout is fitted on, and test images that it is judged by.
    n_boot : int
        Random halves for the frequencies of boundaries.
    every : int
        Every so manieth of the 24 layers.
    whole : bool
        Whether weights and layers are kept too, 9 MB.
    """

    training: VisionConfig = field(default_factory=VisionConfig)
    width: float = 1.0
    n_looked: int = 300
    n_learned: int = 4000
    n_read: int = 2000
    n_boot: int = 20
    every: int = 1
    whole: bool = True

    def tiny(self) -> Plan:
        """The same plan in seconds, for profile `smoke`."""
        training = VisionConfig(epochs=2, batch_size=20, lr=0.1, save_every=2)
        return replace(
            self, training=training, width=1 / 16, n_looked=24, n_learned=60, n_read=40, n_boot=2, every=4
        )

    def layers(self, model: ResNet9) -> list[str]:
        """Names, in execution order."""
        return model.representation_layers[:: self.every]

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, repr=False)
class VisionRun(Stored):
    """The network and its maps.

    Attributes
    ----------
    model : ResNet9, optional
        Trained; its weights were rounded to float16 on disk. None if only the maps were kept.
    layers : Representations, optional
        Flat, of the trained network: L layers, (n, n) each, rounded to float16. None likewise.
    maps : dict of str to LayerMap
        Of :func:`replication.vision.maps.all_maps`.
    frequency : dict of str to array (L,)
        In which share of random halves of the images a boundary is found before each layer.
    readouts : array (2, T, L)
        Of the random and of the trained network: held-out accuracy for the class, and R^2 for every
        local property, in the order of `targets`.
    targets : tuple of str
        T of them.
    curves : dict of str to array (epochs,)
    labels : array (n,)
        Classes of the images in `layers`.
    """

    model: ResNet9 | None
    layers: Representations | None
    maps: dict[str, fs.LayerMap]
    frequency: dict[str, NDArray[np.float64]]
    readouts: NDArray[np.float64]
    targets: tuple[str, ...]
    curves: dict[str, NDArray[np.float64]]
    labels: NDArray[np.int64]


def compute(plan: Plan, run: Run) -> Record:
    """Train, capture, compare, read out; store it all."""
    images = _images(run.smoke)
    result, history = train_and_map(plan, images, run)
    save(run.folder, result)
    told = {"test_accuracy": history.test_accuracy[-1]}
    if plan.whole:
        save_whole(run.folder, result)
        rounded = predict_images(read_model(run.folder / WHOLE[0], plan.width), images[1]).argmax(axis=1)
        told["test_accuracy_float16"] = float((rounded == images[1].labels).mean())
    return run.store(
        [*WHOLE, *FILES] if plan.whole else list(FILES),
        told,
        parameters=plan.to_dict(),
        encoder="ResNet-9" if plan.width == 1 else f"ResNet-9 with {plan.width:g} times its channels",
        data="; ".join(part.origin for part in images),
        seconds=history.seconds,
    )


def read(folder: Path, record: Record) -> VisionRun:
    """What is stored in a folder."""
    arrays, header = read_tensors(folder / FILES[1], FORMAT)
    names = json.loads(header["told"])
    model = layers = None
    if record.parameters.get("whole", True):
        model = read_model(folder / WHOLE[0], record.parameters["width"])
        kept, _ = read_tensors(folder / WHOLE[1], FORMAT)
        layers = Representations({name: kept[name] for name in names["layers"]})
    return VisionRun(
        model=model,
        layers=layers,
        maps=load_maps(folder / FILES[0]),
        frequency={what: arrays[f"frequency/{what}"] for what in names["frequency"]},
        readouts=arrays["readouts"],
        targets=tuple(names["targets"]),
        curves={name: arrays[f"curve/{name}"] for name in names["curves"]},
        labels=arrays["labels"],
        record=record,
    )


def _images(smoke: bool) -> tuple[Images, Images]:
    """To learn from, and to be measured on."""
    if smoke:
        return toy_images(80, seed=0), toy_images(60, seed=1)
    return load_cifar10("train"), load_cifar10("test")


def train_and_map(plan: Plan, images: tuple[Images, Images], run: Run) -> tuple[VisionRun, VisionHistory]:
    """Train a network, and compare its layers before and after."""
    train, test = images
    networks = {state_of: ResNet9(plan.width, run.seed).eval() for state_of in STATES}
    trained, state = networks["trained"], run.resume("state.safetensors", plan.to_dict())
    history = train_on_images(trained, train, test, plan.training, run.seed, state, run.device, run.progress)
    sample = test.sample(plan.n_looked, seed=0)
    flat = {s: flat_layers(model, sample, plan.layers(model), run.progress) for s, model in networks.items()}
    spread = {s: channels(model, sample, plan.layers(model)) for s, model in networks.items()}
    learned, held_out = train.sample(plan.n_learned, seed=1), test.sample(plan.n_read, seed=1)
    scores = [readouts(model, learned, held_out, plan.layers(model)) for model in networks.values()]
    result = VisionRun(
        model=trained,
        layers=flat["trained"],
        maps=all_maps(flat, spread, run.progress),
        frequency={s: boundary_frequency(reps, plan.n_boot) for s, reps in flat.items()},
        readouts=np.array([list(score.values()) for score in scores]),
        targets=tuple(scores[0]),
        curves=history.curves(),
        labels=sample.labels,
    )
    return result, history


def save(folder: Path, result: VisionRun) -> None:
    """Write the maps, and what else :func:`read` reads of every network."""
    save_maps(folder / FILES[0], result.maps)
    names = {
        "layers": result.maps["trained/mean/gw"].names,
        "frequency": tuple(result.frequency),
        "targets": result.targets,
        "curves": tuple(result.curves),
    }
    arrays = {"readouts": result.readouts, "labels": result.labels}
    arrays |= {f"frequency/{what}": value for what, value in result.frequency.items()}
    arrays |= {f"curve/{name}": value for name, value in result.curves.items()}
    write_tensors(folder / FILES[1], arrays, {"format": FORMAT, "told": json.dumps(names)})


def save_whole(folder: Path, result: VisionRun) -> None:
    """Write weights and layers too."""
    weights = {
        name: value.half().numpy()
        for name, value in result.model.state_dict().items()
        if value.is_floating_point()
    }
    write_tensors(folder / WHOLE[0], weights, {"format": FORMAT})
    layers = {name: layer.astype(np.float16) for name, layer in result.layers.items()}
    write_tensors(folder / WHOLE[1], layers, {"format": FORMAT})


def read_model(path: Path, width: float) -> ResNet9:
    """The network of that width whose rounded weights are in a file.

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind.
    """
    weights, _ = read_tensors(path, FORMAT)
    model = ResNet9(width).eval()
    model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, strict=False)
    return model


PLANS = {NAME: Plan(), LONGER: Plan(training=VisionConfig(epochs=24), whole=False)}
EXPERIMENTS = {
    NAME: Experiment(NAME, NAME, PLANS[NAME], compute, read),
    LONGER: Experiment(LONGER, LONGER, PLANS[LONGER], compute, read, seeds=(1, 2)),
}


def load(profile: str = "laptop", seed: int = 0, name: str = NAME) -> VisionRun:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, name, profile, seed)
