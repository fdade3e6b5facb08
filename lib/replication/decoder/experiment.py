"""A trained decoder: its maps, its untrained twin, and its loss without every run of blocks.

Serves claims C33 and C36 and the reviewers' doubts D04 and D05. The small decoder is trained on the texts
of section 5.2; ``make experiments ONLY=decoder MODEL=owner/name@revision`` asks the same of one of the hub,
which is not trained. Weights are not stored.

Taught in chapter 13.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import funcsim as fs
from funcsim._internal.storage import read_tensors, write_tensors
from funcsim.errors import InputError
from replication.decoder.model import Decoder, Sizes, load_decoder, untrained
from replication.decoder.shortened import losses_without, state_cosines
from replication.decoder.texts import Texts, byte_pairs, load_texts, windows
from replication.decoder.training import History, Recipe, train, window_losses
from replication.map_files import load_maps, save_maps
from replication.run import Experiment, Run, Stored, load_result
from replication.stored import Record

NAME = "decoder"
FORMAT = "funcsim.decoder/1"
FILE, MAPS = "decoder.safetensors", "maps.safetensors"
#: The decoder that is trained here; any other name is one to load.
SMALL = "small"
POOLINGS = ("mean", "last")
MEASURES = ("gw", "rsm", "rsa", "cka-debiased", "cosine")
#: Two draws of windows to look at, so that one sees what hangs on the choice.
DRAWS = ("a", "b")


@dataclass(frozen=True)
class Plan:
    """What is trained and asked.

    Attributes
    ----------
    sizes : Sizes
    recipe : Recipe
    n_mapped, n_judged : int
        Held-out windows: of each of two draws that maps are made from, and of a third, on which the loss
        is measured.
    n_copies : int
        Untrained twins.
    """

    sizes: Sizes = field(default_factory=Sizes)
    recipe: Recipe = field(default_factory=Recipe)
    n_mapped: int = 200
    n_judged: int = 200
    n_copies: int = 19

    def tiny(self) -> Plan:
        """The same plan, small enough for profile `smoke`."""
        sizes = Sizes(n_blocks=4, width=16, heads=2, vocabulary=280, window=12)
        recipe = replace(self.recipe, steps=4, batch=4, eval_every=2, save_every=2)
        return replace(self, sizes=sizes, recipe=recipe, n_mapped=16, n_judged=8, n_copies=2)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, repr=False)
class Asked(Stored):
    """A decoder of L blocks.

    Attributes
    ----------
    maps : dict of str to LayerMap
        Of block ends, by draw, pooling and measure, such as "a/mean/gw"; normalised.
    twins : array (C, L, L)
        Normalised GW maps of untrained copies on draw "a", in the mean over tokens.
    seeds : array (C,)
        Of their weights.
    cosines : dict of str to array (L + 1, L + 1)
        By draw: mean over tokens of the cosine of states, of the embedding and after each block.
    whole : array (n,)
        The loss of each judged window, in nats a token.
    runs : array of int (R, 2)
        All runs of blocks, half-open.
    without : array (R, n)
        The loss of each window without each of these.
    history : History or None
        None if it was not trained here.
    """

    maps: dict[str, fs.LayerMap]
    twins: NDArray[np.float64]
    seeds: NDArray[np.int64]
    cosines: dict[str, NDArray[np.float64]]
    whole: NDArray[np.float64]
    runs: NDArray[np.int64]
    without: NDArray[np.float64]
    history: History | None

    def twin(self) -> fs.UntrainedTwin:
        """The copies beside which :func:`funcsim.partition` puts the map "a/mean/gw"."""
        m = self.maps["a/mean/gw"]
        return fs.UntrainedTwin(
            names=m.names,
            maps=self.twins,
            measure="gw",
            normalize="mean",
            n_samples=m.n_samples,
            is_similarity=False,
            seeds=tuple(self.seeds.tolist()),
        )


ARRAYS = ("twins", "seeds", "whole", "runs", "without")


def compute(plan: Plan, run: Run) -> Record:
    """Train or load, compare, leave out; an interrupted training is resumed."""
    texts = load_texts(run.smoke)
    parameters = plan.to_dict() | {"model": run.encoder}
    decoder, history = _decoder(plan, texts, run, parameters)
    result = ask(decoder, history, texts, plan, run)
    save_maps(run.folder / MAPS, result.maps)
    arrays = {key: getattr(result, key) for key in ARRAYS}
    arrays |= {f"cosines/{key}": x for key, x in result.cosines.items()}
    arrays |= {f"curves/{key}": x for key, x in history.curves().items()} if history else {}
    write_tensors(run.folder / FILE, arrays, {"format": FORMAT})
    width = decoder.model.config.hidden_size
    return run.store(
        [FILE, MAPS],
        {"loss": float(result.whole.mean()), "perplexity": float(np.exp(result.whole.mean()))},
        parameters=parameters,
        encoder=f"{decoder.origin}, {decoder.n_blocks} blocks of width {width}",
        data=texts.origin,
        seconds=history.seconds if history else 0.0,
    )


def _decoder(
    plan: Plan, texts: Texts, run: Run, parameters: dict[str, object]
) -> tuple[Decoder, History | None]:
    """The small decoder after its training, or one that is loaded."""
    if run.encoder not in (SMALL, "tiny"):
        return load_decoder(str(run.encoder)), None
    sizes = plan.sizes
    tokenizer = byte_pairs(texts.train, sizes.vocabulary)
    decoder = untrained(sizes, tokenizer, run.seed)
    learned = windows(tokenizer, texts.train, sizes.window, run.seed)
    held_out = windows(tokenizer, texts.held_out, sizes.window, 0)[: plan.n_judged]
    state = run.resume("state.safetensors", parameters)
    return decoder, train(decoder, learned, held_out, plan.recipe, run.seed, state, run.progress)


def ask(decoder: Decoder, history: History | None, texts: Texts, plan: Plan, run: Run) -> Asked:
    """Maps, twins, and losses without every run of blocks.

    Raises
    ------
    InputError
        If the held-out texts do not fill all windows.
    """
    ids = windows(decoder.tokenizer, texts.held_out, plan.sizes.window, 0)
    needed = plan.n_judged + len(DRAWS) * plan.n_mapped
    if len(ids) < needed:
        raise InputError(f"the held-out texts fill {len(ids)} windows, and {needed} are needed")
    judged, *shown = np.split(
        ids[:needed],
        [plan.n_judged, plan.n_judged + plan.n_mapped],
    )
    layers = f"{decoder.blocks}.*"
    maps: dict[str, fs.LayerMap] = {}
    for draw, part in zip(DRAWS, shown, strict=True):
        for pooling in POOLINGS:
            reps = fs.capture(decoder.model, _batches(part), layers, pooling, progress=False)
            for measure in MEASURES:
                maps[f"{draw}/{pooling}/{measure}"] = fs.compare(reps, measure=measure, progress=False)
    twin = fs.untrained_twin(
        decoder.model,
        _batches(shown[0]),
        n=plan.n_copies,
        layers=layers,
        pool="mean",
        seed=run.seed,
        progress=run.progress,
    )
    L = decoder.n_blocks
    runs = [(first, stop) for first in range(L) for stop in range(first + 1, L + 1)]
    return Asked(
        maps=maps,
        twins=twin.maps,
        seeds=np.array(twin.seeds),
        cosines={draw: state_cosines(decoder, part) for draw, part in zip(DRAWS, shown, strict=True)},
        whole=window_losses(decoder, judged),
        runs=np.array(runs),
        without=losses_without(decoder, judged, runs),
        history=history,
    )


def _batches(ids: NDArray[np.int64]) -> list[dict[str, torch.Tensor]]:
    return [
        {"input_ids": part, "attention_mask": torch.ones_like(part)}
        for part in torch.from_numpy(ids).split(32)
    ]


def read(folder: Path, record: Record) -> Asked:
    """What is stored in a folder."""
    arrays, _ = read_tensors(folder / FILE, FORMAT)
    curves = {k.removeprefix("curves/"): x.tolist() for k, x in arrays.items() if k.startswith("curves/")}
    return Asked(
        maps=load_maps(folder / MAPS),
        cosines={k.removeprefix("cosines/"): x for k, x in arrays.items() if k.startswith("cosines/")},
        history=History(**curves, seconds=record.seconds) if curves else None,
        record=record,
        **{key: arrays[key] for key in ARRAYS},
    )


EXPERIMENTS = {NAME: Experiment(NAME, NAME, Plan(), compute, read, encoder=SMALL)}


def load(profile: str = "laptop", seed: int = 0) -> Asked:
    """What is stored; arguments and errors as of :func:`replication.run.load_result`."""
    return load_result(EXPERIMENTS, NAME, profile, seed)
