"""What is done to each encoder of section 5.2: its task, its training, how sparse, and what is stored of it.

Taught in chapters 07 to 09.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from replication.training.fine_tuning import FineTuningConfig

#: Which encoder, if nobody names another.
ENCODER = "minilm"
#: The first learning rate when weights are made to vanish, four times the usual one. A weight moves by
#: about so much in a step, and a penalty shrinks it by as much. The fewer and shorter the steps, the less
#: can the task hold against the penalties of 95 % sparsity: on Yelp, in 600 steps, nearly nothing even at
#: this rate. To tell rate and sparsity apart, "fast" is dense at this rate.
FAST = 2e-4


@dataclass(frozen=True)
class EncoderPlan:
    """What is done to an encoder.

    Attributes
    ----------
    task : {"sst2", "yelp"}
    training : FineTuningConfig or None
        None leaves the encoder as it came.
    method : {"neuroprune", "l1", "magnitude"} or None
        How its weights are made to vanish meanwhile.
    target : float
        What share of them, about.
    correction : float
        By which the strength that :func:`replication.training.neuroprune.calibrate_strength` finds is
        multiplied: the task pulls back.
    n_texts : int
        Validation texts that are captured, pooled.
    n_mapped, n_flat : int
        The first of them: for the maps, and with all tokens.
    n_boot : int
        On how many random halves of those texts the boundaries are looked for again.
    keep : tuple of int
        Of how many texts the representations are stored, by pooling. Of seed 0 only.
    """

    task: str
    training: FineTuningConfig | None
    method: str | None = None
    target: float = 0.0
    correction: float = 1.0
    n_texts: int = 500
    n_mapped: int = 200
    n_flat: int = 100
    n_boot: int = 20
    keep: tuple[int, int, int] = (0, 0, 0)

    def tiny(self) -> EncoderPlan:
        """The same plan, small enough for the encoder "tiny": for profile `smoke`."""
        training = self.training and FineTuningConfig(
            steps=20, batch_size=8, max_length=16, lr=2e-3, eval_every=5, save_every=10
        )
        kept = tuple(min(n, most) for n, most in zip(self.keep, (30, 20, 12), strict=True))
        return replace(self, training=training, n_texts=30, n_mapped=20, n_flat=12, n_boot=2, keep=kept)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def _plans() -> dict[str, EncoderPlan]:
    sst2 = EncoderPlan("sst2", FineTuningConfig(steps=1500), keep=(500, 200, 100))
    yelp = EncoderPlan(
        "yelp", FineTuningConfig(steps=600, max_length=128, eval_every=50), keep=(200, 100, 100)
    )
    plans = {}
    for dense in (sst2, yelp):
        plans[f"{dense.task}-pretrained"] = replace(dense, training=None)
        plans[f"{dense.task}-dense"] = dense
        training = replace(dense.training, lr=FAST, eval_every=100)
        fast = plans[f"{dense.task}-fast"] = replace(dense, training=training, keep=(100, 0, 0))
        for target in (25, 70, 95):
            for method in ("neuroprune", "l1", "magnitude") if dense is sst2 else ("neuroprune",):
                keep = (100, 0, 0) if method == "neuroprune" else (0, 0, 0)
                plan = replace(fast, method=method, target=target / 100, keep=keep)
                plans[f"{dense.task}-{method}-{target}"] = plan
    return plans


#: By name: what chapters 07 to 09 compare.
PLANS = _plans()
#: The seeds that are stored, where there is more than one.
SEEDS = {"sst2-dense": (0, 1, 2)}
