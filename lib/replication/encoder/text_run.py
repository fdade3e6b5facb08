"""What experiments on encoders and texts do first and last: gather what they need, and freeze.

A plan says which task, and how to be tiny; what is done in between is each experiment's own.

Taught in chapters 07 to 11.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from funcsim._internal.hashing import digest
from replication.data.sentiment import Corpus, load_sentiment, toy_corpus
from replication.models.encoders import Encoder, load_encoder
from replication.stored import Record, data_dir, describe_device, folder_of, freeze
from replication.training.fine_tuning import FineTuningConfig


class Plan(Protocol):
    """What every plan knows of itself."""

    @property
    def task(self) -> str: ...

    @property
    def training(self) -> FineTuningConfig | None: ...

    def to_dict(self) -> dict[str, object]: ...


@dataclass(frozen=True)
class TextRun:
    """An experiment that is about to be carried out.

    Attributes
    ----------
    experiment, profile, seed, device
        What the command line was told.
    parameters : dict
        Of the plan, and the name of the encoder.
    encoder : Encoder
        As it came.
    texts : pair of Corpus
        To learn from, and to be measured on.
    kept : Path
        A folder for what an interrupted run goes on from; another one for every other plan.
    tuned : Path
        The state of this encoder after just this fine-tuning, if an experiment has left it, for
        others that begin with the same.
    folder : Path
        Where the results go.
    """

    experiment: str
    profile: str
    seed: int
    device: str
    parameters: dict[str, Any]
    encoder: Encoder
    texts: tuple[Corpus, Corpus]
    kept: Path
    tuned: Path
    folder: Path


def corpora(task: str, smoke: bool) -> tuple[Corpus, Corpus]:
    """Texts to learn from, and to be measured on."""
    if smoke:
        return toy_corpus(80, seed=0), toy_corpus(40, seed=1)
    return load_sentiment(task, "train"), load_sentiment(task, "validation")


def prepare(
    experiment: str,
    plan: Plan,
    profile: str,
    seed: int,
    device: str,
    out: Path | None,
    work: Path,
    encoder: str,
) -> TextRun:
    """Load texts and encoder; what is missing is said before anything is learned."""
    smoke = profile == "smoke"
    parameters = plan.to_dict() | {"encoder": "tiny" if smoke else encoder}
    training = plan.training and plan.training.to_dict()
    texts = corpora(plan.task, smoke)
    learned = digest(*texts[0].texts, texts[0].labels)  # this state outlives the command that leaves it
    trained = {"encoder": parameters["encoder"], "training": training, "texts": learned}
    return TextRun(
        experiment,
        profile,
        seed,
        device,
        parameters,
        load_encoder(parameters["encoder"], seed),
        texts,
        work / experiment / _key(parameters, seed, device),
        work / "fine-tuned" / _key(trained, seed, device) / "state.safetensors",
        (out or data_dir()) / folder_of(experiment, seed),
    )


def _key(parameters: dict[str, Any], seed: int, device: str) -> str:
    """A name for a folder, another one for everything that makes other numbers."""
    return digest(json.dumps([parameters, seed, torch.device(device).type], sort_keys=True))[:12]


def conclude(run: TextRun, files: list[str], seconds: float, results: dict[str, float]) -> Record:
    """Write the record of the files that a run has left in its folder."""
    encoder = run.encoder
    asked = f"ONLY={run.experiment} DEVICE={run.device} SEED={run.seed}"
    return freeze(
        run.folder,
        files,
        experiment=run.experiment,
        command=f"make experiments PROFILE={run.profile} {asked}",
        parameters=run.parameters,
        seed=run.seed,
        device=describe_device(run.device),
        seconds=round(seconds, 1),
        encoder=f"{encoder.origin}, {encoder.n_blocks} blocks of width {encoder.model.config.hidden_size}",
        data="; ".join(corpus.origin for corpus in run.texts),
        results=results,
    )
