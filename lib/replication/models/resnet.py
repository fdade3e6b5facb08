"""ResNet-9, the vision network of the reviews (the architecture of TRAK, Park et al., 2023).

Eight convolutions, each followed by batch normalisation and a ReLU that overwrites what it is given,
so that who looks at the normalised values later sees the ReLU's. Layers are named as the authors
name them: ``0.Conv2d``, ``0.BatchNorm2d``, ``0.ReLU`` to ``7.ReLU``.

Taught in chapter 12.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

N_CLASSES = 10
#: Channels in and out, size of the kernel, stride, padding.
CONVOLUTIONS = (
    (3, 64, 3, 1, 1),
    (64, 128, 5, 2, 2),
    (128, 128, 3, 1, 1),
    (128, 128, 3, 1, 1),
    (128, 256, 3, 1, 1),
    (256, 256, 3, 1, 1),
    (256, 256, 3, 1, 1),
    (256, 128, 3, 1, 0),
)
PARTS = ("Conv2d", "BatchNorm2d", "ReLU")


class Step(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, width_in: int, width: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.Conv2d = nn.Conv2d(width_in, width, kernel, stride, padding, bias=False)
        self.BatchNorm2d = nn.BatchNorm2d(width)
        self.ReLU = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.ReLU(self.BatchNorm2d(self.Conv2d(x)))


class ResNet9(nn.Module):
    """Predict one of ten classes from images (batch, 3, 32, 32).

    Parameters
    ----------
    width : float
        The share of channels that each convolution has; 1 is the original.
    seed : int
        Of the initial weights, which are PyTorch's; the global generator is left alone.
    """

    def __init__(self, width: float = 1.0, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            for k, (before, after, *shape) in enumerate(CONVOLUTIONS):
                channels_in = before if k == 0 else int(before * width)
                self.add_module(str(k), Step(channels_in, int(after * width), *shape))
            self.pool = nn.MaxPool2d(2)
            self.last_pool = nn.AdaptiveMaxPool2d(1)
            self.classifier = nn.Linear(int(CONVOLUTIONS[-1][1] * width), N_CLASSES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch, 10)."""
        steps = [self.get_submodule(str(k)) for k in range(len(CONVOLUTIONS))]
        x = steps[1](steps[0](x))
        x = x + steps[3](steps[2](x))
        x = self.pool(steps[4](x))
        x = x + steps[6](steps[5](x))
        x = self.last_pool(steps[7](x)).flatten(1)
        return 0.2 * self.classifier(x)

    @property
    def representation_layers(self) -> list[str]:
        """The 24 layers, in the order in which they are computed."""
        return [f"{k}.{part}" for k in range(len(CONVOLUTIONS)) for part in PARTS]
