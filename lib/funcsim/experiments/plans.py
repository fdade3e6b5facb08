"""What each network that adds is taught, and how: the paper's three, and those of known boundaries.

Model E learns its last level end to end. Model L learns level by level, one block each, with
everything before it frozen. The networks of known boundaries do the same with one to four
levels and with stages of different depth, so that it is known where one function ends and
the next begins; with one level there is nothing to find. From the second level on the moduli
shrink or a product comes in, so that no level can be skipped.

Taught in chapter 04.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate

from funcsim.models.modular_transformer import ModularTransformerConfig
from funcsim.tasks.modular_sum import EQUAL, NESTED, SUM, Split, Step, split_pairs
from funcsim.training.modular import TrainingConfig

TRAIN_FRACTION = 0.8


@dataclass(frozen=True)
class Plan:
    """What a network is taught, and how.

    Attributes
    ----------
    steps : tuple of Step
        The levels of the task; the network's answer is the last.
    blocks : tuple of int
        Blocks per stage. One entry: end to end on the last level. Otherwise one per level,
        each trained on its level with the stages before it frozen.
    training : TrainingConfig
        Of every stage.
    p, n_heads, d_model, d_mlp, causal
        See :class:`ModularTransformerConfig`.
    """

    steps: tuple[Step, ...]
    blocks: tuple[int, ...]
    training: TrainingConfig
    p: int = 59
    n_heads: int = 4
    d_model: int = 128
    d_mlp: int = 512
    causal: bool = True

    @property
    def layer_by_layer(self) -> bool:
        return len(self.blocks) > 1

    @property
    def config(self) -> ModularTransformerConfig:
        """The network's sizes."""
        ends = accumulate(self.blocks[:-1])
        return ModularTransformerConfig(
            p=self.p,
            n_blocks=sum(self.blocks),
            n_heads=self.n_heads,
            d_model=self.d_model,
            d_mlp=self.d_mlp,
            causal=self.causal,
            n_classes=self.steps[-1].modulus,
            readouts=tuple((end, step.modulus) for end, step in zip(ends, self.steps, strict=False)),
        )

    def splits(self, seed: int) -> list[Split]:
        """The data of each stage: the same pairs, the labels of its level."""
        taught = range(len(self.steps)) if self.layer_by_layer else [len(self.steps) - 1]
        return [split_pairs(self.p, TRAIN_FRACTION, seed, self.steps[: k + 1]) for k in taught]

    def tiny(self) -> Plan:
        """The same plan, small enough to train in a second: for profile `smoke`."""
        steps = tuple(replace(step, modulus=max(3, 7 - 2 * k)) for k, step in enumerate(self.steps))
        if len({step.modulus for step in self.steps}) == 1:
            steps = tuple(replace(step, modulus=7) for step in self.steps)
        training = replace(self.training, epochs=30, save_every=10)
        return replace(self, steps=steps, training=training, p=7, n_heads=2, d_model=16, d_mlp=32)

    def to_dict(self) -> dict[str, object]:
        """Everything the code is told, in JSON's types."""
        return {
            "model": self.config.to_dict(),
            "steps": [[step.operation, step.modulus] for step in self.steps],
            "blocks": list(self.blocks),
            "training": self.training.to_dict(),
            "train_fraction": TRAIN_FRACTION,
        }


#: The recipe of Zhong et al.
ONE_BLOCK = TrainingConfig(epochs=1000)
#: Layer by layer. Short gradients and twice the weight decay: a block learns the rule on the
#: inputs that the frozen ones give it, instead of learning them by heart. Training goes on after
#: the last mistake, so that the next block is given clean inputs.
STAGE = TrainingConfig(epochs=5000, settled=500, weight_decay=4.0, clip=1.0)
#: Three blocks end to end spike and fall back with the recipe of Zhong et al.; short gradients
#: and a larger eps stop that.
DEEP = TrainingConfig(epochs=4000, settled=100, cooldown=1000, clip=1.0, eps=1e-6)

#: Section 5.1 of the paper; the moduli of Models E and L are not known, so there are two variants.
PAPER = {
    "model-0": Plan(SUM, (1,), ONE_BLOCK, causal=False),
    "model-e-equal": Plan(EQUAL, (3,), DEEP),
    "model-e-nested": Plan(NESTED, (3,), DEEP),
    "model-e-equal-unclipped": Plan(EQUAL, (3,), TrainingConfig(epochs=2500)),
    "model-l-equal": Plan(EQUAL, (1, 1, 1), STAGE),
    "model-l-nested": Plan(NESTED, (1, 1, 1), STAGE),
}

SUMS = (*NESTED, Step(11))
PRODUCTS = (Step(59), Step(31, "product"), Step(17), Step(11, "product"))


def _known(steps: tuple[Step, ...], *blocks: int) -> Plan:
    return Plan(steps[: len(blocks)], blocks, STAGE, d_model=64, d_mlp=256)


#: Blocks of each function in turn; half the width of the paper's networks.
KNOWN_BOUNDARIES = {
    "3": _known(SUMS, 3),
    "4": _known(SUMS, 4),
    "1-2": _known(SUMS, 1, 2),
    "2-1": _known(SUMS, 2, 1),
    "1-2-product": _known(PRODUCTS, 1, 2),
    "2-2-product": _known(PRODUCTS, 2, 2),
    "1-1-1": _known(SUMS, 1, 1, 1),
    "2-1-1": _known(SUMS, 2, 1, 1),
    "1-1-2-product": _known(PRODUCTS, 1, 1, 2),
    "1-2-1-product": _known(PRODUCTS, 1, 2, 1),
    "1-1-1-1": _known(SUMS, 1, 1, 1, 1),
    "1-1-1-1-product": _known(PRODUCTS, 1, 1, 1, 1),
}

PLANS = PAPER | {f"known-boundaries/{name}": plan for name, plan in KNOWN_BOUNDARIES.items()}
