"""One file per experiment: train, capture, freeze into ``data/``.

Each module has ``NAME``, and ``run(profile, seed, device, out, work, progress)``, which writes
its files and their record to ``out / NAME`` and keeps what it needs to resume in `work`.
"""

from __future__ import annotations

from types import ModuleType

from funcsim.experiments import model_0

EXPERIMENTS: dict[str, ModuleType] = {module.NAME: module for module in (model_0,)}
