# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   bookkit:
#     data: [dynamics, encoder-maps/sst2-dense, encoder-maps/yelp-dense, encoder/sst2-dense, encoder/yelp-dense]
# ---

# %% [markdown]
# # 10 Training dynamics
#
# The maps so far are of finished networks. When do the {term}`groups <group>` appear? Does the last {term}`block` change first? And does the mean distance between blocks rise like accuracy in {term}`grokking`?
#
# ## In short
#
# The paper watches one BERT during {term}`fine-tuning`. It sees the mean distance of the blocks rise slowly and then fast, and the last block change first. We watched an encoder of twelve blocks on two tasks. The mean distance does rise fast, but it rises *after* accuracy. To reach half of its final change it takes {glue:text}`lag_sst2:.1f` times as many steps as accuracy on SST-2, and {glue:text}`lag_yelp:.1f` times as many on Yelp. Late in training it falls again. The last block changes most, and not first. In two networks that grok, {term}`Model 0 and Model E <Model 0, Model E, Model L>`, the mean distance behaves in two different ways. So a rise of distances does not say what is learned.
#
# :::{glue:figure} fig_in_short_10
# :name: fig-10-in-short
# :alt: Accuracy and mean GW on SST-2 and Yelp over the steps on a logarithmic axis, each scaled from 0 at its first value to 1 at its last. Accuracy rises first, mean GW follows, goes beyond its end and falls back.
#
# Accuracy on validation texts and mean GW of all pairs of blocks. For each curve 0 is its value before the first step, and 1 its value after the last. GW follows accuracy. It goes beyond its final value and falls back.
# :::
#
# :::{admonition} What you will learn
# - how to watch a network while it learns without changing what it learns;
# - how to tell which of two curves rises first;
# - what remains of "distances grow" when each layer is divided by its {term}`scale`;
# - how to tell which block changes first from which changes most.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.3 with Figures 7 and 8; the discussion of its reviews.
# **You need**: [chapter 04](04-modular-sum-training.ipynb) for grokking, [chapter 08](08-bert-subnetworks.ipynb) for the maps of the finished encoders.
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0

# %% tags=["set-up", "remove-cell"]
import importlib.util

if not importlib.util.find_spec("funcsim"):  # not installed, as on Colab
    import os
    import subprocess
    import sys

    book = "https://github.com/functional-similarity/sub-networks"
    subprocess.run(["git", "clone", "--depth=1", book, "book"], check=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--editable", "book[text,widgets]"], check=True)
    sys.path.insert(0, os.path.abspath("book/lib"))
    os.chdir("book/notebooks")

# %% [markdown]
# The imports:

# %%
import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import nn

import funcsim as fs
from exercises import chapter_10 as check
from funcsim import viz
from funcsim.viz.interactive import stepper
from replication.encoder import block_maps, dense
from replication.encoder import dynamics as encoder_dynamics
from replication.modular_addition import dynamics as modular_dynamics

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## To watch without touching
#
# A network changes fast at first and slowly later. So we look at it after steps that are evenly spaced in their logarithm. At each look we store the clouds of {glue:text}`n_watched:d` validation texts in all blocks, and compare them later. Looking uses none of the random numbers that training draws. A network that is watched ends at the same weights as one that is not, to the last bit; the tests of the library check this.

# %%
TASKS = {"sst2": "SST-2", "yelp": "Yelp"}
trained = {task: dense.load(f"{task}-dense", profile) for task in TASKS}
mapped = {task: block_maps.load(f"{task}-dense", profile) for task in TASKS}
looks = {task: run.snapshots["step"] for task, run in trained.items()}

# %% tags=["remove-cell"]
whole = mapped["sst2"].maps["mean/mean/gw"]
blocks = [f"block {k + 1}" for k in range(len(whole.names))]
upper = np.triu_indices(len(blocks), k=1)
note(n_blocks=len(blocks))
note(n_watched=trained["sst2"].record.parameters["n_watched"])
for task, step in looks.items():
    note(**{f"n_looks_{task}": len(step), f"n_steps_{task}": int(step[-1])})

# %% [markdown]
# The encoder is that of [chapter 07](07-bert-fine-tuning.ipynb), MPNet with {glue:text}`n_blocks:d` blocks. For each block we take the mean over tokens. It was watched {glue:text}`n_looks_sst2:d` times on SST-2, in {glue:text}`n_steps_sst2:,d` steps. On Yelp it was watched {glue:text}`n_looks_yelp:d` times in {glue:text}`n_steps_yelp:d` steps. The paper has 27,000 steps on Yelp. There is one seed for each task. [Going deeper](10b-dynamics-of-six-blocks.ipynb) has three seeds of a smaller encoder.
#
# ## Maps at selected steps
#
# The paper's Figure 7 shows maps after some of the steps. Here are ours under the {term}`Gromov-Wasserstein distance` (GW), each layer divided by its mean distance.


# %% tags=["fig", "wide", "paper-F07", "hide-input"] mystnb={"image": {"alt": "GW maps of twelve blocks after five of the steps on both tasks. At first the maps are dark. Then the lower right corner becomes bright, on both tasks, and stays so."}, "figure": {"name": "fig-10-maps", "caption": "GW maps after some of the steps. A row has one scale of colours. For the first steps nothing can be seen. Then the last blocks leave the others. In later maps this is a little weaker."}}
def map_at(task, s):
    """The layer map of one look."""
    values = mapped[task].snapshots["mean/gw"][s]
    n = trained[task].record.parameters["n_watched"]
    names = tuple(blocks)
    return fs.LayerMap(values, names, names, "gw", "mean", n)


def at_looks(task):
    """Maps of the first look, three looks near given steps, the last."""
    near = {
        f"about step {n}": int(np.abs(looks[task] - n).argmin())
        for n in (10, 30, 60)
    }
    chosen = {"step 0": 0} | near | {"last step": len(looks[task]) - 1}
    return {title: map_at(task, s) for title, s in chosen.items()}


viz.map_grid({title: at_looks(task) for task, title in TASKS.items()})

# %% [markdown]
# For the first steps nothing can be seen. Then the last blocks, in the lower right corner, become far from the others. All looks at SST-2 follow here: press play, or move the slider.

# %% tags=["widget", "paper-F07", "hide-input"]
frames = [map_at("sst2", s) for s in range(len(looks["sst2"]))]
top = max(m.values.max() for m in frames)
stepper(
    [
        viz.layer_map(m, title=f"after step {step}", vmax=top)
        for m, step in zip(frames, looks["sst2"], strict=True)
    ],
    [f"Map of the encoder on SST-2 after step {s}" for s in looks["sst2"]],
    "look",
)

# %% [markdown]
# Is there a {term}`boundary` at any of these looks? The test of [chapter 06](06-modular-sum-subnetworks.ipynb) finds one in {glue:text}`found_sst2:d` of the maps on SST-2 and in {glue:text}`found_yelp:d` of those on Yelp. As in [chapter 08](08-bert-subnetworks.ipynb), the distances from block to block grow over several blocks, and the test does not count this as a boundary.

# %% tags=["remove-cell"]
found = {
    task: [
        fs.partition(map_at(task, s), seed=seed) for s in range(len(looks[task]))
    ]
    for task in TASKS
}
for task, each in found.items():
    note(**{f"found_{task}": sum(groups.n_groups > 1 for groups in each)})

# %% [markdown]
# ## Does it rise with accuracy?
#
# The paper's Figure 8 draws the mean distance of all pairs of layers beside loss, accuracy and {term}`F1`, and finds that it grows slowly and then fast. {numref}`fig-10-in-short` shows it for both tasks. The next figure adds the loss and F1 on Yelp. Each curve goes from its value before the first step (0) to its value after the last (1). The loss falls, and its fall is drawn as a rise.


# %%
def share(curve):
    """A curve as a share of its way from the first value to the last."""
    way = curve[-1] - curve[0]
    return (curve - curve[0]) / (way if way else 1)


def mean_distance(task, key="mean/gw"):
    """Mean over all pairs of blocks at each look."""
    return mapped[task].snapshots[key][:, *upper].mean(axis=1)


# %% [markdown]
# The figure has the four curves on Yelp.

# %% tags=["fig", "paper-F08", "hide-input"] mystnb={"image": {"alt": "Mean GW, accuracy, F1 and validation loss on Yelp as shares of their ways: accuracy and F1 rise first, mean GW and loss together later."}, "figure": {"name": "fig-10-rise", "caption": "Four curves on Yelp, each as a share of its way. Accuracy and F1 rise first. Mean GW rises later, together with the fall of the loss."}}
RISING = {
    "mean GW": mean_distance,
    "accuracy": lambda t: trained[t].snapshots["val_accuracy"],
    "F1": lambda t: trained[t].snapshots["val_f1"],
    "loss": lambda t: -trained[t].snapshots["val_loss"],
}
viz.curves(
    {name: share(curve("yelp")) for name, curve in RISING.items()},
    np.maximum(looks["yelp"], 0.5),
    xlabel="step",
    ylabel="share of the way",
    xscale="log",
)

# %% tags=["remove-cell"]
drawn = {}
places = {task: np.log2(np.maximum(step, 0.5)) for task, step in looks.items()}
grid = np.linspace(-1, min(p[-1] for p in places.values()), 60)
for task, title in TASKS.items():
    for name in ("accuracy", "mean GW"):
        curve = share(RISING[name](task))
        drawn[f"{title}, {name}"] = np.interp(grid, places[task], curve)
keep_figure(
    "fig_in_short_10",
    viz.curves(
        drawn,
        2**grid,
        xlabel="step",
        ylabel="share of the way",
        xscale="log",
    ),
)

# %% [markdown]
# When has a curve gone half of its way? We take the first time, and interpolate between two looks on a logarithmic axis of steps. A lag is how much later one curve is than the other, as a factor. A lag of 2 means twice as many steps.


# %%
def halfway(steps, curve):
    """After how many steps a curve has first gone half of its way."""
    gone, log = share(curve), np.log2(np.maximum(steps, 0.5))
    if gone.max() < 0.5:  # it ends where it began
        return np.nan
    k = int(np.argmax(gone >= 0.5))
    part = (0.5 - gone[k - 1]) / (gone[k] - gone[k - 1])
    return 2 ** (log[k - 1] + part * (log[k] - log[k - 1]))


# %% [markdown]
# The table has these steps for both tasks.

# %% mystnb={"figure": {"name": "tab-10-half", "caption": "After how many steps each curve is halfway, and the lag of mean GW behind accuracy."}}
half = pd.DataFrame(
    {
        title: {c: halfway(looks[t], f(t)) for c, f in RISING.items()}
        for t, title in TASKS.items()
    }
).T
half["lag behind accuracy"] = half["mean GW"] / half["accuracy"]
half.round(1)


# %% tags=["remove-cell"]
def interval(factors):
    """Geometric mean of factors, and the ends of its 95 % interval."""
    log = np.log2(factors)
    if np.ptp(log) == 0:
        return (2.0 ** log[0],) * 3
    low, high = stats.t.interval(0.95, len(log) - 1, log.mean(), stats.sem(log))
    return 2 ** log.mean(), 2**low, 2**high


# %% tags=["remove-cell"]
for task, title in TASKS.items():
    note(**{f"lag_{task}": half.loc[title, "lag behind accuracy"]})
    gw = mean_distance(task)
    k = int(gw.argmax())
    note(**{f"top_{task}": gw[k] / gw[0], f"top_at_{task}": int(looks[task][k])})
    note(**{f"end_{task}": gw[-1] / gw[0]})
note(half_gw=half.loc["Yelp", "mean GW"], half_loss=half.loc["Yelp", "loss"])
SEEDS = (0, 1, 2)
six = [encoder_dynamics.load("sst2", profile, s) for s in SEEDS]
lags = [
    halfway(d.steps, d.mean_distance())
    / halfway(d.steps, d.history["val_accuracy"])
    for d in six
]
lag, low, high = interval(np.array(lags))
note(lag_six=lag, lag_six_low=low, lag_six_high=high)

# %% [markdown]
# On both tasks mean GW follows accuracy. It rises while the loss falls: on Yelp it is halfway after {glue:text}`half_gw:.0f` steps, and the loss after {glue:text}`half_loss:.0f`. In the smaller encoder, with three seeds on SST-2, the lag is {glue:text}`lag_six:.2f`. Its {term}`interval` goes from {glue:text}`lag_six_low:.2f` to {glue:text}`lag_six_high:.2f`. So GW does not announce what the network learns.
#
# The paper does not mention what comes next. On SST-2 mean GW is largest after {glue:text}`top_at_sst2:d` steps. There it is {glue:text}`top_sst2:.1f` times its first value, and at the end {glue:text}`end_sst2:.1f` times. On Yelp the largest value is {glue:text}`top_yelp:.1f` times the first, and the last value {glue:text}`end_yelp:.1f` times. The blocks come nearer to each other again while accuracy stays.
#
# ## How much of the growth is scale?
#
# The paper's distances are raw. If the texts of a layer move apart, its raw distances to other layers can grow, whatever its shape. So we set the raw distances beside the scale of the blocks (here the root mean square distance), and beside distances without scale.

# %% mystnb={"figure": {"name": "tab-10-scale", "caption": "By which factor each number has grown from the first look to the last."}}
growth = {}
for task, title in TASKS.items():
    curves = {
        "raw GW": mean_distance(task, "mean/gw/raw"),
        "scale": trained[task].snapshots["scale/mean"].mean(axis=1),
        "normalised GW": mean_distance(task),
    }
    growth[title] = {name: c[-1] / c[0] for name, c in curves.items()}
growth = pd.DataFrame(growth).T
growth.round(2)

# %% tags=["remove-cell"]
for task, title in TASKS.items():
    row = growth.loc[title]
    note(**{f"raw_{task}": row["raw GW"], f"scale_{task}": row["scale"]})
    note(**{f"norm_{task}": row["normalised GW"]})

# %% [markdown]
# The raw mean grows {glue:text}`raw_sst2:.1f` times on SST-2. The scale of the blocks grows {glue:text}`scale_sst2:.1f` times, and the mean without scale {glue:text}`norm_sst2:.1f` times. So the blocks also grow apart when scale is divided out. The table does not say how much of the raw growth is scale. Raw distances depend on how the scales of two blocks differ, and these differences may grow, too.
#
# ## Which block changes first?
#
# The paper sees the last block change by iteration 300, and its neighbours by 3,000 and 15,000. That a block changes can mean two things. A block is *far from the others*, or it is far from *its own output before training*. The second is the cleaner question, since the distance of two blocks does not say which of them has moved. We take the GW distance of each block to itself before the first step, at every look.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW distance of four blocks to themselves before training, over the steps on SST-2: all rise between steps 10 and 50, the later the block the higher."}, "figure": {"name": "fig-10-moved", "caption": "How far four of the blocks are from their own output before training, on SST-2. They rise over the same steps, and the later block goes farther."}}
moved = {task: mapped[task].snapshots["mean/moved"] for task in TASKS}
chosen = sorted(
    {len(blocks) // 2, len(blocks) - 4, len(blocks) - 2, len(blocks) - 1}
)
viz.curves(
    {blocks[k]: moved["sst2"][:, k] for k in chosen if k >= 0},
    np.maximum(looks["sst2"], 0.5),
    xlabel="step",
    ylabel="GW distance to itself before",
    xscale="log",
)

# %% [markdown]
# If two blocks move at the same time, we *see* first the one that goes farther. So we ask two questions: when does a block move, and how far? We divide its distance by its last value, and ask when it has gone half of its own way.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "After how many steps each block is halfway of its own way. On both tasks blocks 3 to 8 are earliest, the first block and the last blocks later."}, "figure": {"name": "fig-10-when", "caption": "After how many steps each block has gone half of its own way. The middle of the network is first. The last block is among the latest."}}
when = {
    TASKS[task]: [halfway(looks[task], m[:, k]) for k in range(len(blocks))]
    for task, m in moved.items()
}
viz.curves(when, xlabel="block", ylabel="halfway after step")

# %% tags=["remove-cell"]
order = np.arange(len(blocks))
far = {task: stats.spearmanr(order, m[-1]).statistic for task, m in moved.items()}
note(far_least=min(far.values()))
for task, title in TASKS.items():
    steps = np.array(when[title])
    note(**{f"first_{task}": int(np.nanargmin(steps)) + 1})
    note(**{f"first_at_{task}": float(np.nanmin(steps))})
    note(**{f"last_at_{task}": float(steps[-1])})

# %% [markdown]
# The later a block, the farther it goes: the {term}`rank correlation` is at least {glue:text}`far_least:.2f`. But the last block is not first. On SST-2 block {glue:text}`first_sst2:d` is halfway first, after {glue:text}`first_at_sst2:.0f` steps. The last block needs {glue:text}`last_at_sst2:.0f`. On Yelp block {glue:text}`first_yelp:d` is first, after {glue:text}`first_at_yelp:.0f` steps, and the last block needs {glue:text}`last_at_yelp:.0f`. So the last block does not move before the others. It goes farther.
#
# ## Larger gradients at the end?
#
# A first version of the paper guessed that the last blocks change because their gradients are larger. The authors then looked. They found that the gradients of the blocks do not differ, and that those of the classifier are more than ten times as large.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean absolute gradient of each block relative to block 1. On SST-2 it falls to 0.15 at the last blocks. On Yelp it rises to 1.7 in the middle, falls to 1 and is 1.8 at the last block."}, "figure": {"name": "fig-10-gradients", "caption": "Mean absolute gradient of each block, relative to block 1, as a mean over the looks. On SST-2 the last blocks have the smallest gradients, on Yelp the last one has the largest."}}
gradients = {}
for task, title in TASKS.items():
    mean = np.nanmean(trained[task].snapshots["gradients"][1:], axis=0)
    gradients[title] = mean / mean[1]  # the embeddings come before block 1
viz.curves(
    {title: g[1 : len(blocks) + 1] for title, g in gradients.items()},
    xlabel="block",
    ylabel="gradient (block 1 = 1)",
)

# %% tags=["remove-cell"]
for task, title in TASKS.items():
    g = gradients[title]
    note(**{f"grad_last_{task}": g[len(blocks)], f"grad_head_{task}": g[-1]})
    note(**{f"grad_most_{task}": g[1 : len(blocks) + 1].max()})
    m = 100 * trained[task].snapshots["moved"][-1]
    note(**{f"weights_first_{task}": m[0], f"weights_last_{task}": m[-1]})

# %% [markdown]
# The last block has {glue:text}`grad_last_sst2:.2f` times the gradient of the first on SST-2 and {glue:text}`grad_last_yelp:.2f` times on Yelp. On SST-2 the last blocks leave the others although their gradients are the smallest. So larger gradients are not needed for this. The authors came to the same conclusion. But unlike theirs, our blocks do not have equal gradients. The gradient of the classifier's last layer is {glue:text}`grad_head_sst2:.1f` times that of the first block on SST-2, and {glue:text}`grad_head_yelp:.0f` times on Yelp. So it is more than ten times as large on one task only.
#
# The weights of the last block do move more than those of the first: on SST-2 by {glue:text}`weights_last_sst2:.1f` % of their norm, against {glue:text}`weights_first_sst2:.1f` %. Is this what sets it apart? In the smaller encoder we made every block move equally far, and the map stayed nearly the same ([going deeper](10b-dynamics-of-six-blocks.ipynb#every-block-moved-equally-far)). With twelve blocks this was not tried.
#
# ## Grokking
#
# Fine-tuning is not grokking. Here accuracy on new texts rises before the loss has fallen. Networks that add do grok ({cite:t}`power2022grokking`; [chapter 04](04-modular-sum-training.ipynb)), Model E clearly and Model 0 mildly. They memorise the training pairs before they understand the others. We watched three seeds of each.

# %%
adding = {
    (name, s): modular_dynamics.load(key, profile, s)
    for name, key in {"Model 0": "model-0", "Model E": "model-e"}.items()
    for s in SEEDS
}
LEARNING = {
    "training": lambda d: d.history["train_accuracy"],
    "validation": lambda d: d.history["val_accuracy"],
    "mean GW": lambda d: d.mean_distance(),
}


# %% [markdown]
# Model 0, first seed:


# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Model 0 over the epochs: mean GW rises together with accuracy on training pairs, before accuracy on validation pairs."}, "figure": {"name": "fig-10-model-0", "caption": "Model 0. Mean GW rises while the training pairs are memorised. It hardly changes while the network begins to understand the others."}}
def learning(d):
    """Accuracies and mean GW as shares of their ways, over the epochs."""
    return viz.curves(
        {name: share(curve(d)) for name, curve in LEARNING.items()},
        np.maximum(d.steps, 0.5),
        xlabel="epoch",
        ylabel="share of the way",
        xscale="log",
    )


learning(adding["Model 0", 0])

# %% [markdown]
# Model E, first seed:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Model E over the epochs: mean GW stays flat while training pairs are memorised, and rises at the end, after accuracy on validation pairs."}, "figure": {"name": "fig-10-model-e", "caption": "Model E. Nothing happens to mean GW while the training pairs are memorised. It rises when the network understands."}}
learning(adding["Model E", 0])

# %% tags=["remove-cell"]
grok = pd.DataFrame(
    {
        f"{name}, seed {s}": {
            c: halfway(d.steps, f(d)) for c, f in LEARNING.items()
        }
        for (name, s), d in adding.items()
    }
).T
grok["lag"] = grok["mean GW"] / grok["validation"]
for name, rows in (("0", slice(0, 3)), ("e", slice(3, 6))):
    lag, low, high = interval(grok["lag"].iloc[rows].to_numpy())
    note(**{f"lag_{name}": lag, f"lag_{name}_low": low, f"lag_{name}_high": high})
raw = {key: d.mean_distance("raw/gw") for key, d in adding.items()}
fall = pd.Series({key: x.max() / x[-1] for key, x in raw.items()})
note(fall_0=fall.iloc[:3].max(), fall_e=fall.iloc[3:].min())

# %% [markdown]
# In Model 0 mean GW rises before validation accuracy: it is halfway after {glue:text}`lag_0:.2f` times as many epochs (interval {glue:text}`lag_0_low:.2f` to {glue:text}`lag_0_high:.2f`). In Model E it rises together with accuracy or a little later: the factor is {glue:text}`lag_e:.2f` (interval {glue:text}`lag_e_low:.2f` to {glue:text}`lag_e_high:.2f`).
#
# Raw distances behave differently again. In Model 0 the raw mean grows nearly to the end. In Model E it *falls*: in every seed its last value is 1 / {glue:text}`fall_e:.1f` of its largest value, or less. We think that {term}`weight decay` clears away what is no longer needed. So a rise of mean distance is a sign neither of memory nor of understanding.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C23: the last block changes first, its neighbours after it (5.3, Figure 7) | ours | disagrees for MPNet: it changes most, not first | block {glue:text}`first_sst2:d` is halfway first on SST-2, block {glue:text}`first_yelp:d` on Yelp; the rank correlation of a block's place with how far it goes is at least {glue:text}`far_least:.2f` |
# | C24: mean GW grows slowly, then fast, with accuracy (5.3, Figure 8) | ours | agrees; it follows accuracy, and falls again | halfway after {glue:text}`lag_sst2:.1f` times as many steps on SST-2, {glue:text}`lag_yelp:.1f` times on Yelp |
# | C24, with raw distances | ours | agrees; without scale the distances grow as well | raw {glue:text}`raw_sst2:.1f` and {glue:text}`raw_yelp:.1f` times, the scale {glue:text}`scale_sst2:.1f` and {glue:text}`scale_yelp:.1f` times, without scale {glue:text}`norm_sst2:.1f` and {glue:text}`norm_yelp:.1f` times |
# | C24: as in grokking | ours | disagrees: two networks that grok do not do the same, nor do raw and normalised distances | halfway after {glue:text}`lag_0:.2f` times as many epochs as validation accuracy in Model 0 [{glue:text}`lag_0_low:.2f`, {glue:text}`lag_0_high:.2f`], {glue:text}`lag_e:.2f` in Model E [{glue:text}`lag_e_low:.2f`, {glue:text}`lag_e_high:.2f`]; the raw mean of Model E falls to 1 / {glue:text}`fall_e:.1f` |
# | C29: gradients do not explain why the last blocks change (reviews) | ours | agrees: at the end of the network the gradients are smallest on one task and largest on the other, and the last blocks leave on both; but the blocks' gradients are not equal | the last block has {glue:text}`grad_last_sst2:.2f` and {glue:text}`grad_last_yelp:.2f` times the gradient of the first |
# | C29: the classifier's gradients are more than ten times larger | ours | undecided: on one task of two | {glue:text}`grad_head_sst2:.1f` times those of block 1 on SST-2, {glue:text}`grad_head_yelp:.0f` times on Yelp |
# | C36: computation changes abruptly (later version) | ours | undecided: the distances from block to block grow over several blocks, and the test does not count this as a boundary (C19) | a boundary in {glue:text}`found_sst2:d` of {glue:text}`n_looks_sst2:d` and {glue:text}`found_yelp:d` of {glue:text}`n_looks_yelp:d` looks |
#
# This is one seed for each task, and BERT-base was not run.
#
# **Before you read a curve of distances**: divide by the scale, draw it beside accuracy, and ask of each block how far it is from its own output before training.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Accuracy rises, and mean GW rises, too. Which of the two causes the other?**
#
# <details><summary>a. Distance causes accuracy.</summary>No: a curve beside a curve shows no cause.</details>
# <details><summary>b. Accuracy causes distance.</summary>No: a curve beside a curve shows no cause.</details>
# <details><summary>c. Neither can be concluded. One can only say which is halfway first, with an interval.</summary>Right. Here distance comes after accuracy, and the smaller encoder gives an interval over seeds.</details>
#
# To read again: [Does it rise with accuracy?](#does-it-rise-with-accuracy)
#
# **2. The last block ends farthest from where it began. Did it change first?**
#
# <details><summary>a. Yes, farthest is first.</summary>No: how far and when are two questions. Date each block by when it is halfway of its own way.</details>
# <details><summary>b. It does not follow, and here another block is halfway first.</summary>Right.</details>
# <details><summary>c. That cannot be measured.</summary>No: the states along the way were mapped.</details>
#
# To read again: [Which block changes first?](#which-block-changes-first)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} When to look
# :label: ex-10-look
#
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* Write `when_to_look(last, n)`: about `n` different steps from 0 to `last`, in order, evenly spaced in their logarithm.
#
# ```{dropdown} Hint 1
# `np.geomspace` begins at 1. What about step 0, and about steps that round to the same number?
# ```
# ```{dropdown} Hint 2
# `np.unique` sorts and leaves out repeats.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def when_to_look(last, n):
    """Steps from 0 to the last, at most n + 1 of them."""
    spaced = np.geomspace(1, last, n).round().astype(int)
    return np.unique(np.concatenate([[0], spaced]))


check.when_to_look(when_to_look)

# %% [markdown]
# :::{exercise} Come to stay
# :label: ex-10-stays
#
# *Difficulty 2 of 4, importance 4 of 5, 10 minutes.* Write `stays_from(steps, found, layer)`: `found` has for each step the boundaries that the test found, as a tuple. From which step on is `layer` among them to the end? `None` if it is not there at the end.
#
# ```{dropdown} Hint 1
# When was it last missing?
# ```
# ```{dropdown} Hint 2
# The step after that one.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def stays_from(steps, found, layer):
    """The first step from which a boundary is always found, or None."""
    missing = [k for k, cuts in enumerate(found) if layer not in cuts]
    after = missing[-1] + 1 if missing else 0
    return steps[after] if after < len(steps) else None


check.stays_from(stays_from)

# %% [markdown]
# :::{exercise} To watch without touching
# :label: ex-10-watch
#
# *Difficulty 4 of 4, importance 5 of 5, 25 minutes.* Write `watched(model, optimizer, batches, look_at, x)`: train a classifier with one step of cross-entropy for each batch. A batch is a pair of inputs and labels. On the way look at the classifier. Return a dictionary from each step in `look_at` to the model's output for `x` after so many steps, as an array. Step 0 is before the first. The network must end at the same weights as one that nobody has watched, to the last bit, also if it has dropout and batch normalisation.
#
# ```{dropdown} Hint 1
# What does a network do in training mode that it does not do in evaluation mode? Two of these things leave a trace.
# ```
# ```{dropdown} Hint 2
# A look is `model.eval()`, an output within `torch.no_grad()`, and `model.train()`. Look once before the loop, and then after each step.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def watched(model, optimizer, batches, look_at, x):
    """Outputs for x by step, of a network while it learns."""
    seen = {}

    def look(step):
        if step in look_at:
            model.eval()
            with torch.no_grad():
                seen[step] = model(x).numpy()
            model.train()

    model.train()
    look(0)
    for step, (inputs, labels) in enumerate(batches, 1):
        loss = nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        look(step)
    return seen


check.watched(watched)

# %% [markdown]
# :::{exercise} Predict what moves far and what moves first
# :label: ex-10-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 20 minutes.* Build a network of 4 to 8 modules that tells handwritten digits apart, as `own_network()`, an `nn.Sequential` from images (n, 64) to (n, 10). The check trains it. Which module will end farthest from its own output before training, and which will be the first to have gone half of its own way? Write both names into `predicted()`, a dictionary with `"farthest"` and `"first"`, such as `"2"`. Only then write `moved(before, after, x)`. It returns how far each module is from itself in two states of a network: the normalised Gromov-Wasserstein distance, as a dictionary by name. Then compare. Does the last module move first?
#
# ```{dropdown} Hint 1
# Capture the same images in both networks. The modules have the same names in both.
# ```
# ```{dropdown} Hint 2
# `fs.gw` normalises if nothing else is asked for, and returns the distance as `.distance`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Names of the module that ends farthest, and of the first."""
    return {"farthest": "4", "first": "4"}


def own_network():
    """A classifier of digits with three linear modules."""
    return nn.Sequential(
        nn.Linear(64, 32),
        nn.ReLU(inplace=True),
        nn.Linear(32, 32),
        nn.ReLU(inplace=True),
        nn.Linear(32, 10),
    )


def moved(before, after, x):
    """GW distance of each module to itself in two states, by name."""
    old, new = fs.capture(before, [x]), fs.capture(after, [x])
    return {name: fs.gw(old[name], new[name]).distance for name in old}


check.predicted(predicted, own_network, moved)

# %% [markdown]
# ## Where the stored results come from
#
# The networks were trained, and watched, before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
for one in [*trained.values(), *mapped.values(), six[0]]:
    print(one.origin)
for one in adding.values():
    print(one.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
