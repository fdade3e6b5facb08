"""Texts and encoders of the experiments of sections 5.2 and 5.3 and appendix E, and how a record names them.

Taught in chapters 07 to 11.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from funcsim._internal.hashing import digest
from replication.data.sentiment import Corpus, load_sentiment, toy_corpus
from replication.models.encoders import Encoder, load_encoder
from replication.run import Run
from replication.training.fine_tuning import FineTuningConfig

Texts = tuple[Corpus, Corpus]


class Plan(Protocol):
    """What every plan of these experiments knows."""

    @property
    def task(self) -> str: ...

    @property
    def training(self) -> FineTuningConfig | None: ...

    def to_dict(self) -> dict[str, object]: ...


def corpora(task: str, smoke: bool) -> Texts:
    """Texts to learn from, and to be measured on."""
    if smoke:
        return toy_corpus(80, seed=0), toy_corpus(40, seed=1)
    return load_sentiment(task, "train"), load_sentiment(task, "validation")


def load_inputs(plan: Plan, run: Run) -> tuple[Encoder, Texts]:
    """Load texts and encoder; what is missing is an error before anything is learned."""
    assert run.encoder is not None
    texts = corpora(plan.task, run.smoke)
    return load_encoder(run.encoder, run.seed), texts


def parameters(plan: Plan, run: Run) -> dict[str, object]:
    """The plan, and the name of the encoder."""
    return plan.to_dict() | {"encoder": run.encoder}


def describe(encoder: Encoder, texts: Texts) -> dict[str, str]:
    """What a record says of encoder and data."""
    return {
        "encoder": f"{encoder.origin}, {encoder.n_blocks} blocks of width {encoder.model.config.hidden_size}",
        "data": "; ".join(corpus.origin for corpus in texts),
    }


def tuned_state(plan: Plan, texts: Texts, run: Run) -> Path | None:
    """The state of this encoder after just this fine-tuning, if an experiment has left it, for others that
    begin with the same."""
    learned = digest(*texts[0].texts, texts[0].labels)  # the state outlives the command that leaves it
    training = plan.training and plan.training.to_dict()
    key = run.key({"encoder": run.encoder, "training": training, "texts": learned})
    return run.work and run.work / "fine-tuned" / key / "state.safetensors"
