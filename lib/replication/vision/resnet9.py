"""ResNet-9 before and after it has learned CIFAR-10: train, look, freeze.

Taught in chapter 12.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.hashing import digest
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.representations import Representations
from replication.data.images import Images, load_cifar10, toy_images
from replication.encoder.maps import boundary_frequency, load_maps, save_maps
from replication.models.resnet import ResNet9
from replication.modular_addition.trained_networks import WORK
from replication.stored import Record, data_dir, describe_device, folder_of, freeze, load_record
from replication.training.vision import VisionConfig, VisionHistory, predict_images, train_on_images
from replication.vision.maps import STATES, all_maps, channels, flat_layers, readouts

NAME = "resnet9"
FORMAT = "funcsim.vision/1"


@dataclass(frozen=True)
class Plan:
    """How the network is trained, and how it is looked at.

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
    """

    training: VisionConfig = field(default_factory=VisionConfig)
    width: float = 1.0
    n_looked: int = 300
    n_learned: int = 4000
    n_read: int = 2000
    n_boot: int = 20
    every: int = 1

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


@dataclass(frozen=True)
class VisionRun:
    """What was seen of the network.

    Attributes
    ----------
    model : ResNet9
        Trained; its weights were rounded to float16 on disk.
    layers : Representations
        Flat, of the trained network: L layers, (n, n) each, rounded to float16.
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
    record : Record or None
    """

    model: ResNet9
    layers: Representations
    maps: dict[str, fs.LayerMap]
    frequency: dict[str, NDArray[np.float64]]
    readouts: NDArray[np.float64]
    targets: tuple[str, ...]
    curves: dict[str, NDArray[np.float64]]
    labels: NDArray[np.int64]
    record: Record | None

    @property
    def origin(self) -> str:
        """In one line, where this comes from."""
        return str(self.record or "profile smoke: a tiny network and pictures of squares, on the spot")


def run(
    profile: str = "full",
    seed: int = 0,
    device: str = "cpu",
    out: Path | None = None,
    work: Path = WORK,
    progress: bool = True,
) -> Record:
    """Train, look, map, read; freeze it all into ``out / resnet9 / seed-<seed>``.

    The state from which an interrupted training goes on is kept in ``work / resnet9``.
    """
    smoke = profile == "smoke"
    plan = Plan().tiny() if smoke else Plan()
    told = json.dumps([plan.to_dict(), seed, torch.device(device).type], sort_keys=True)
    state = work / NAME / digest(told)[:12] / "state.safetensors"
    images = _images(smoke)
    found, history = carry_out(plan, images, seed, state, device, progress)
    folder = (out or data_dir()) / folder_of(NAME, seed)
    save(folder, found)
    rounded = predict_images(read_model(folder / "model.safetensors", plan), images[1]).argmax(axis=1)
    return freeze(
        folder,
        ["model.safetensors", "layers.safetensors", "maps.safetensors", "run.safetensors"],
        experiment=NAME,
        command=f"make experiments PROFILE={profile} ONLY={NAME} DEVICE={device} SEED={seed}",
        parameters=plan.to_dict(),
        seed=seed,
        device=describe_device(device),
        seconds=round(history.seconds, 1),
        encoder="ResNet-9" if plan.width == 1 else f"ResNet-9 with {plan.width:g} times its channels",
        data="; ".join(part.origin for part in images),
        results={
            "test_accuracy": history.test_accuracy[-1],
            "test_accuracy_float16": float((rounded == images[1].labels).mean()),
        },
    )


def load(profile: str = "laptop", seed: int = 0) -> VisionRun:
    """What was frozen; at profile "smoke" of a tiny network, on the spot.

    Raises
    ------
    StoredResultError
        If the frozen files are missing or differ from their record.
    """
    if profile == "smoke":
        return _tiny(seed)
    record = load_record(NAME, seed)
    folder = data_dir() / folder_of(NAME, seed)
    layers, _ = read_tensors(folder / "layers.safetensors", FORMAT)
    arrays, header = read_tensors(folder / "run.safetensors", FORMAT)
    told = json.loads(header["told"])
    return VisionRun(
        model=read_model(folder / "model.safetensors", Plan(width=record.parameters["width"])),
        layers=Representations({name: layers[name] for name in told["layers"]}),
        maps=load_maps(folder / "maps.safetensors"),
        frequency={what: arrays[f"frequency/{what}"] for what in told["frequency"]},
        readouts=arrays["readouts"],
        targets=tuple(told["targets"]),
        curves={name: arrays[f"curve/{name}"] for name in told["curves"]},
        labels=arrays["labels"],
        record=record,
    )


@cache
def _tiny(seed: int) -> VisionRun:
    """Made once in a process."""
    return carry_out(Plan().tiny(), _images(True), seed, None, "cpu", False)[0]


def _images(smoke: bool) -> tuple[Images, Images]:
    """To learn from, and to be measured on."""
    if smoke:
        return toy_images(80, seed=0), toy_images(60, seed=1)
    return load_cifar10("train"), load_cifar10("test")


def carry_out(
    plan: Plan,
    images: tuple[Images, Images],
    seed: int,
    state: Path | None,
    device: str,
    progress: bool,
) -> tuple[VisionRun, VisionHistory]:
    """Train a network, and look at it before and after."""
    train, test = images
    networks = {state_of: ResNet9(plan.width, seed).eval() for state_of in STATES}
    trained = networks["trained"]
    history = train_on_images(trained, train, test, plan.training, seed, state, device, progress)
    looked = test.sample(plan.n_looked, seed=0)
    flat = {s: flat_layers(model, looked, plan.layers(model), progress) for s, model in networks.items()}
    spread = {s: channels(model, looked, plan.layers(model)) for s, model in networks.items()}
    learned, read = train.sample(plan.n_learned, seed=1), test.sample(plan.n_read, seed=1)
    found = [readouts(model, learned, read, plan.layers(model)) for model in networks.values()]
    return VisionRun(
        model=trained,
        layers=flat["trained"],
        maps=dict(all_maps(flat, spread, progress)),
        frequency={s: boundary_frequency(reps, plan.n_boot) for s, reps in flat.items()},
        readouts=np.array([list(scores.values()) for scores in found]),
        targets=tuple(found[0]),
        curves=history.curves(),
        labels=looked.labels,
        record=None,
    ), history


def save(folder: Path, found: VisionRun) -> None:
    """Write the files that :func:`load` reads."""
    weights = {
        name: value.half().numpy()
        for name, value in found.model.state_dict().items()
        if value.is_floating_point()
    }
    write_tensors(folder / "model.safetensors", weights, {"format": FORMAT})
    layers = {name: layer.astype(np.float16) for name, layer in found.layers.items()}
    write_tensors(folder / "layers.safetensors", layers, {"format": FORMAT})
    save_maps(folder / "maps.safetensors", found.maps)
    told = {
        "layers": found.layers.names,
        "frequency": tuple(found.frequency),
        "targets": found.targets,
        "curves": tuple(found.curves),
    }
    arrays = {"readouts": found.readouts, "labels": found.labels}
    arrays |= {f"frequency/{what}": value for what, value in found.frequency.items()}
    arrays |= {f"curve/{name}": value for name, value in found.curves.items()}
    write_tensors(folder / "run.safetensors", arrays, {"format": FORMAT, "told": json.dumps(told)})


def read_model(path: Path, plan: Plan) -> ResNet9:
    """The network whose rounded weights are in a file.

    Raises
    ------
    FileFormatError
        If the file is damaged or of another kind.
    """
    weights, _ = read_tensors(path, FORMAT)
    model = ResNet9(plan.width).eval()
    model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, strict=False)
    return model
