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
#     data: [dynamics]
# ---

# %% [markdown]
# # 10b The dynamics of six blocks
#
# [Chapter 10](10-training-dynamics.ipynb) watches an encoder of twelve {term}`blocks <block>` while it learns. Does a smaller one, MiniLM with six, learn in the same way? And do its last blocks stand apart because their weights move most?
#
# ## In short
#
# Much is the same. After a few dozen steps the last blocks leave the others. The mean {term}`Gromov-Wasserstein distance` (GW) rises *after* accuracy. On SST-2 it takes {glue:text}`lag_sst2:.2f` times as many steps as accuracy to reach half of its final change. Over three seeds the {term}`interval` of this lag is {glue:text}`lag_sst2_low:.2f` to {glue:text}`lag_sst2_high:.2f`. The output of the last block changes most, but {glue:text}`earliest` is the first to reach half of its change. Then we trained again and made every block move equally far. The map hardly changed: its {term}`rank correlation` with the usual one is {glue:text}`equal_rank:.2f`. So larger moves of their weights are not the reason why the last blocks of MiniLM stand apart. In the usual training, too, the weights of all blocks move about equally far.
#
# :::{glue:figure} fig_in_short_10b
# :name: fig-10b-in-short
# :alt: Three GW maps of twelve points on SST-2. Before training the map is even. After the usual training and after training with equal moves the last four points are bright against all others, in nearly the same way.
#
# GW maps on SST-2, two points in each block: before training, after the usual training, and after a training in which every block moved equally far. Dark is alike. The last blocks stand apart after both trainings.
# :::
#
# **Time**: 15 minutes to read, one minute to run.
# **In the paper**: section 5.3 with Figures 7 and 8; the discussion of its reviews.

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
from scipy import stats

import funcsim as fs
from funcsim import viz
from funcsim.viz.interactive import stepper
from replication.encoder import dynamics as encoder_dynamics

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## What was watched
#
# The encoder is `all-MiniLM-L6-v2`, MiniLM for short. It was distilled from a larger encoder, and then tuned on pairs of sentences. It has {glue:text}`n_blocks:d` blocks. We fine-tuned it for {glue:text}`sst2_steps:,d` steps on SST-2, with three seeds, and for {glue:text}`yelp_steps:d` steps on Yelp, with one. All that follows is about MiniLM; BERT-base was not run.
#
# As in chapter 10, we looked after steps that are evenly spaced in their logarithm. The looks do not change the training. Each look captures {glue:text}`n_mapped:d` validation texts at {term}`[CLS]`. It takes two points in each block, after its attention and at its end.

# %%
SEEDS = (0, 1, 2)
sst2 = [encoder_dynamics.load("sst2", profile, s) for s in SEEDS]
yelp = encoder_dynamics.load("yelp", profile)
equal = encoder_dynamics.load("sst2-equal", profile)
watched = {f"SST-2, seed {s}": d for s, d in zip(SEEDS, sst2, strict=True)}
watched["Yelp"] = yelp


# %% tags=["remove-cell"]
def ends(dynamics):
    """Indices of the layers that are the end of a block."""
    return [k for k, name in enumerate(dynamics.names) if "attention" not in name]


n_blocks = len(ends(yelp))
blocks = [f"block {k + 1}" for k in range(n_blocks)]
note(n_blocks=n_blocks, n_mapped=yelp.n_samples)
note(sst2_steps=int(sst2[0].steps[-1]), yelp_steps=int(yelp.steps[-1]))
note(n_looks=len(yelp.steps))

# %% tags=["remove-cell"]
keep_figure(
    "fig_in_short_10b",
    viz.map_grid(
        {
            "SST-2": {
                "before": sst2[0].layer_map(0),
                "usual": sst2[0].layer_map(-1),
                "equal moves": equal.layer_map(-1),
            }
        }
    ),
)

# %% [markdown]
# ## Maps at selected steps
#
# The paper's Figure 7 shows maps after some of the steps, with raw distances. Here are ours on Yelp: raw, and with each layer divided by its mean distance.


# %% tags=["remove-cell"]
def at_steps(dynamics, key, n=5):
    """Maps of a few looks, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(dynamics.steps) - 1, n).astype(int))
    return {f"step {dynamics.steps[s]}": dynamics.layer_map(s, key) for s in chosen}


def raw_and_normalised(dynamics):
    """The same maps in two rows."""
    rows = {"raw": "raw/gw", "normalised": "mean/gw"}
    return viz.map_grid({t: at_steps(dynamics, key) for t, key in rows.items()})


# %% [markdown]
# Colours can be compared within a row:

# %% tags=["fig", "wide", "paper-F07", "hide-input"] mystnb={"image": {"alt": "Maps of the encoder at five moments on Yelp: raw, the last block outshines all others from the start; normalised, the map is even at first, and the last blocks stand apart later."}, "figure": {"name": "fig-10b-maps", "caption": "GW maps on Yelp after some of the steps, twelve points each. In the raw maps the last block outshines everything from the start. In the normalised maps the last blocks leave the others after a few dozen steps."}}
raw_and_normalised(yelp)

# %% [markdown]
# Read the lower row. At first nothing can be seen. Then the last blocks, in the lower right corner, leave the rest, and later they are even farther away. In the upper row the last block outshines everything from the start, because its distances are large. SST-2 shows the same, in the fold.

# %% tags=["fig", "wide", "paper-F07", "hide-input", "hide-output"] mystnb={"image": {"alt": "The same on SST-2: an even normalised map for the first dozens of steps, then the last blocks apart."}, "figure": {"name": "fig-10b-maps-sst2", "caption": "GW maps on SST-2 after some of the steps, seed 0."}}
raw_and_normalised(sst2[0])

# %% [markdown]
# All {glue:text}`n_looks:d` looks at Yelp follow, {term}`normalised`. Press play, or move the slider.

# %% tags=["widget", "paper-F07", "hide-input"]
points = [f"{b}, {where}" for b in blocks for where in ("attention", "end")]
maps = [yelp.layer_map(s).renamed(points) for s in range(len(yelp.steps))]
top = max(m.values.max() for m in maps)
stepper(
    [
        viz.layer_map(m, title=f"after step {step}", vmax=top)
        for m, step in zip(maps, yelp.steps, strict=True)
    ],
    [f"Map of the encoder on Yelp after step {s}" for s in yelp.steps],
    "look",
)

# %% [markdown]
# ## Does it rise with accuracy?
#
# The paper's Figure 8 draws the mean distance of all pairs of layers beside loss, accuracy and {term}`F1`. Each curve here goes from its value before the first step (0) to its value after the last (1). The loss falls, and its fall is drawn as a rise.


# %% tags=["remove-cell"]
def share(curve):
    """A curve as a share of its way from the first value to the last."""
    way = curve[-1] - curve[0]
    return (curve - curve[0]) / (way if way else 1)


RISING = {
    "mean GW": lambda d: d.mean_distance(),
    "accuracy": lambda d: d.history["val_accuracy"],
    "F1": lambda d: d.history["val_f1"],
    "loss": lambda d: -d.history["train_loss"],
}

# %% [markdown]
# The figure has the four curves on Yelp. A logarithmic axis has no 0, so step 0 is drawn at 1/2.

# %% tags=["fig", "paper-F08", "hide-input"] mystnb={"image": {"alt": "Mean distance, accuracy, F1 and training loss on Yelp, each as a share of its way: accuracy jumps after a few steps, F1 falls and then jumps with it, and the distance rises later, together with the fall of the loss."}, "figure": {"name": "fig-10b-rise", "caption": "Four curves on Yelp, each as a share of its way. Accuracy jumps after a few steps; F1 falls at first and jumps with it. Mean GW rises later, together with the fall of the loss."}}
viz.curves(
    {name: share(curve(yelp)) for name, curve in RISING.items()},
    np.maximum(yelp.steps, 0.5),
    xlabel="step",
    ylabel="share of the way",
    xscale="log",
)


# %% tags=["remove-cell"]
def halfway(dynamics, curve):
    """After how many steps a curve has first gone half of its way."""
    gone, log = share(curve(dynamics)), np.log2(np.maximum(dynamics.steps, 0.5))
    if gone.max() < 0.5:  # it ends where it began
        return np.nan
    k = int(np.argmax(gone >= 0.5))
    part = (0.5 - gone[k - 1]) / (gone[k] - gone[k - 1])
    return 2 ** (log[k - 1] + part * (log[k] - log[k - 1]))


def interval(factors):
    """Geometric mean of factors, and the ends of its 95 % interval."""
    log = np.log2(factors)
    if np.ptp(log) == 0:
        return (2.0 ** log[0],) * 3
    low, high = stats.t.interval(0.95, len(log) - 1, log.mean(), stats.sem(log))
    return 2 ** log.mean(), 2**low, 2**high


# %% [markdown]
# When is a curve halfway? As in chapter 10, we take the first time at which it has gone half of its way. A lag of 2 means twice as many steps.

# %% tags=["paper-F08", "hide-input"] mystnb={"figure": {"name": "tab-10b-half", "caption": "After how many steps each curve is halfway, and the lag of mean GW behind accuracy."}}
half = pd.DataFrame(
    {
        name: {curve: halfway(d, f) for curve, f in RISING.items()}
        for name, d in watched.items()
    }
).T
half["lag behind accuracy"] = half["mean GW"] / half["accuracy"]
half.round(1)

# %% tags=["remove-cell"]
lags = half["lag behind accuracy"]
lag, low, high = interval(lags.iloc[:3].to_numpy())
note(lag_sst2=lag, lag_sst2_low=low, lag_sst2_high=high, lag_yelp=lags.iloc[3])
still = np.flatnonzero(share(yelp.mean_distance()) < 0.05)
note(before_gw=100 * float(yelp.history["val_accuracy"][still].max()))
note(half_gw_yelp=half["mean GW"].iloc[3], half_acc_yelp=half["accuracy"].iloc[3])
note(half_loss_yelp=half["loss"].iloc[3], f1_latest=half["F1"].iloc[:3].max())
one = next(iter(watched.values()))
way = share(one.mean_distance())
k = int(np.diff(way).argmax())
note(steep_from=100 * way[k], steep_to=100 * way[k + 1])
note(steep_a=int(one.steps[k]), steep_b=int(one.steps[k + 1]))
note(steep_steps=int(one.steps[k + 1] - one.steps[k]))
means = [d.mean_distance() for d in watched.values()]
note(top_ratio=max(m.max() / m[-1] for m in means))

# %% [markdown]
# Mean GW follows accuracy in each run. There are three seeds on SST-2. Their lag is {glue:text}`lag_sst2:.2f`, with an interval from {glue:text}`lag_sst2_low:.2f` to {glue:text}`lag_sst2_high:.2f`. This interval is over seeds. It does not include the error of looking rarely. This error may matter, because from one look to the next the number of steps grows by a larger factor than the lag. On Yelp accuracy is halfway after {glue:text}`half_acc_yelp:.0f` steps and mean GW after {glue:text}`half_gw_yelp:.0f`. The loss falls while mean GW rises, and is halfway after {glue:text}`half_loss_yelp:.0f`.
#
# The rise is steep, as the paper says. In the first run of the table, mean GW goes from {glue:text}`steep_from:.0f` to {glue:text}`steep_to:.0f` % of its way within {glue:text}`steep_steps:d` steps. But mean GW does not announce what the network learns. On Yelp {glue:text}`before_gw:.0f` % of the texts are right before mean GW has gone a twentieth of its way. In twelve blocks mean GW then falls again (chapter 10). Here it falls only a little: its largest value is at most {glue:text}`top_ratio:.2f` times its last.
#
# F1 is a poor clock. On SST-2 it is halfway after {glue:text}`f1_latest:.1f` steps or fewer, because an encoder that calls every text positive has an F1 of two thirds.
#
# ## How much of the growth is scale?
#
# The paper's distances are raw. If the texts of a layer move apart, its raw distances to other layers can grow, whatever its shape. So we set the raw distances beside the {term}`scale` of the layers, and beside distances without scale.


# %% tags=["remove-cell"]
def by_scale(dynamics):
    """Share of the variance over steps that goes along with the scale."""
    scale = dynamics.history["scale"].mean(axis=1)
    return 100 * np.corrcoef(scale, dynamics.mean_distance("raw/gw"))[0, 1] ** 2


def growth(curve):
    """By which factor a curve has grown from the first look to the last."""
    return curve[-1] / curve[0]


# %% [markdown]
# The table shows how much each of these means has grown.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-10b-scale", "caption": "By which factor each mean has grown from the first look to the last, and which share of the variance of raw GW over the looks goes along with the scale."}}
scale = pd.DataFrame(
    {
        name: {
            "raw GW": growth(d.mean_distance("raw/gw")),
            "scale": growth(d.history["scale"].mean(axis=1)),
            "normalised GW": growth(d.mean_distance()),
            "shared with scale (%)": by_scale(d),
        }
        for name, d in watched.items()
    }
).T
scale.round(2)

# %% tags=["remove-cell"]
note(width_r2=scale.iloc[:, 3].min())
note(raw_growth=scale.iloc[3, 0], width_growth=scale.iloc[3, 1])
note(norm_growth=scale.iloc[3, 2])

# %% [markdown]
# On Yelp mean raw GW grows {glue:text}`raw_growth:.1f` times, the scale of the layers {glue:text}`width_growth:.1f` times, and the mean without scale {glue:text}`norm_growth:.1f` times. Raw GW and scale rise together: in every run they share {glue:text}`width_r2:.1f` % of their variance or more. That alone proves little, because everything rises here. But a curve of raw distances, as in the paper's Figure 8, cannot tell growth of scale from change of shape. Here both happen.
#
# ## When does a boundary come?
#
# If there is a {term}`boundary`, from which step on is it there? We run the test of [chapter 06](06-modular-sum-subnetworks.ipynb) on every look. The date of a boundary is the step from which on every look finds it. Each point is compared with points of its own kind, after attention or at the end of a block.


# %%
def boundaries(dynamics):
    """For each look, the p-value and where the test cuts."""
    looks = range(len(dynamics.steps))
    found = [fs.partition(dynamics.layer_map(s)) for s in looks]
    return [(p.p_value, p.boundaries) for p in found]


dated = {name: boundaries(d) for name, d in watched.items()}


# %% tags=["remove-cell"]
def onset(dynamics, found):
    """Step after which a boundary stays, and the block behind it; else None."""
    last = found[-1][1]
    if not last:
        return None, None
    missing = [s for s, (_, at) in enumerate(found) if last[0] not in at]
    return dynamics.steps[missing[-1] + 1 if missing else 0], last[0] // 2 + 1


table = pd.DataFrame(
    {name: onset(d, dated[name]) for name, d in watched.items()},
    index=["from step", "in block"],
).T
onsets = table["from step"].dropna().astype(int)
note(n_dated=len(onsets), n_watched=len(table))
table["p before training"] = [found[0][0] for found in dated.values()]
table["p at the end"] = [found[-1][0] for found in dated.values()]
cuts = [at for found in dated.values() for _, at in found]
note(n_cut=sum(bool(at) for at in cuts), n_all_looks=len(cuts))

# %% [markdown]
# The table has what the test finds in the four runs.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-10b-dated", "caption": "From which step on a boundary is found, and in which block, if there is one; and the p-value of the test before training and at the end."}}
table.fillna("-")

# %% [markdown]
# A boundary can be dated in {glue:text}`n_dated:d` of the {glue:text}`n_watched:d` runs. Over all {glue:text}`n_all_looks:d` looks the test finds one in {glue:text}`n_cut:d`, about as often as chance does at 5 %. The last blocks do leave the others, and they leave together. To the test, blocks that change faster up to the end of the network are a change of speed, and no boundary. After the last of six blocks nothing comes that could tell a boundary from a change of speed.
#
# ## Which block changes first?
#
# The paper says that the last block changes by iteration 300, and its neighbours by 3,000 and 15,000. As in chapter 10, we take the GW distance of each block to its own output before training. So we know which block has moved.


# %% tags=["remove-cell"]
def to_itself(dynamics):
    """Distance of each block to itself before training, per step (S, blocks)."""
    return dynamics.history["said"][:, ends(dynamics)]


# %% [markdown]
# Four of the blocks on Yelp:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW distance of four blocks to themselves before training, over the steps on Yelp: all rise together, the later the block the higher."}, "figure": {"name": "fig-10b-moved", "caption": "How far four of the blocks are from their own output before training, on Yelp. They rise together, and the later block goes farther."}}
shown = (0, n_blocks // 2, n_blocks - 2, n_blocks - 1)
viz.curves(
    {blocks[k]: to_itself(yelp)[:, k] for k in shown},
    np.maximum(yelp.steps, 0.5),
    xlabel="step",
    ylabel="GW distance to itself before",
    xscale="log",
)

# %% tags=["remove-cell"]
first = pd.DataFrame(
    {
        name: [
            halfway(d, lambda d, k=k: to_itself(d)[:, k]) for k in range(n_blocks)
        ]
        for name, d in watched.items()
    },
    index=blocks,
)
places = np.arange(n_blocks)
order = pd.DataFrame(
    {
        name: {
            "how far": stats.spearmanr(places, to_itself(d)[-1]).statistic,
            "how late": stats.spearmanr(places, first[name]).statistic,
        }
        for name, d in watched.items()
    }
).T

# %% tags=["remove-cell"]
note(earliest=", ".join(sorted(set(first.idxmin()))))
note(late_ratio=float((first.iloc[-1] / first.min()).max()))
note(far_least=order["how far"].min())
note(late_least=order["how late"].min(), late_most=order["how late"].max())

# %% [markdown]
# Do the last blocks change *first*, or *most*? We divide the distance of each block by its last value, and ask when the block has gone half of its own way.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "After how many steps each block is halfway of its own way, in four runs. The first two blocks are late, block 4 is earliest, and the last block a little later again."}, "figure": {"name": "fig-10b-when", "caption": "After how many steps each block has gone half of its own way. The middle of the network is first in each run."}}
viz.curves(dict(first.items()), xlabel="block", ylabel="halfway after step")

# %% [markdown]
# The later a block, the farther it goes: the rank correlation is {glue:text}`far_least:.2f` in each run. But the last block is not first. In all runs {glue:text}`earliest` is halfway first, and the last block takes up to {glue:text}`late_ratio:.1f` times as many steps. So the last block does not move before the others. It goes farther, and so we *see* it first. The fold has the numbers.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-10b-first", "caption": "After how many steps each block is halfway. Last two rows: the rank correlation of a block's place with how far it goes, and with how late it is halfway. With so few blocks a correlation of -0.5 decides nothing."}}
pd.concat([first.round(), order.T.round(2)])

# %% [markdown]
# ## Larger gradients at the end?
#
# A first version of the paper guessed that the last blocks change because their gradients are larger. The authors then looked. They found no differences among the blocks, and gradients more than ten times as large in the classifier.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean absolute gradient of each block relative to block 1, in four runs. It falls from block to block, to 0.2 at the last."}, "figure": {"name": "fig-10b-gradients", "caption": "Mean absolute gradient of each block, relative to block 1, as a mean over the looks after the first step. It falls from block to block in every run."}}
gradients = pd.DataFrame(
    {
        name: np.nanmean(d.history["gradients"][1:, 1:], axis=0)
        for name, d in watched.items()
    },
    index=[*blocks, "pooler", "classifier"],
)
gradients = gradients / gradients.iloc[0]
viz.curves(
    {name: g.iloc[:n_blocks] for name, g in gradients.items()},
    xlabel="block",
    ylabel="gradient (block 1 = 1)",
)

# %% tags=["remove-cell"]
last_block = gradients.iloc[n_blocks - 1]
note(grad_last=last_block.mean(), grad_head=gradients.iloc[-1].min())

# %% [markdown]
# Our blocks do differ. The gradients fall from block to block, and the last has {glue:text}`grad_last:.1f` times the gradient of the first. In the encoder of twelve blocks they fall on one task of two. The gradient of the classifier is at least {glue:text}`grad_head:.1f` times that of the first block. This agrees with the authors. The last block stands apart although its gradient is the smallest. So larger gradients do not explain it, as the authors found, too.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-10b-gradients", "caption": "Mean absolute gradient relative to block 1."}}
gradients.round(1)

# %% [markdown]
# ## Every block moved equally far
#
# Do the last blocks stand apart because training moves their weights most? If so, they should not stand apart when all blocks move equally far. So we trained on SST-2 once more, with seed 0. After every step we rescaled how far the weights of each block had moved from their start. All blocks then had moved by the mean of all moves. This is like a learning rate of its own for each block.

# %%
usual = sst2[0]
control = pd.DataFrame(
    {
        "weights moved (%)": 100 * usual.history["moved"][-1],
        "the same, equal moves (%)": 100 * equal.history["moved"][-1],
        "output moved": to_itself(usual)[-1],
        "the same, equal moves": to_itself(equal)[-1],
    },
    index=blocks,
)

# %% [markdown]
# The figure shows how far the outputs end from where they began, in both trainings.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW distance of each block to its output before training, after the usual training and after one with equal moves. The two lines nearly coincide: 0.04 at block 1, 0.26 at block 5 and 0.39 or 0.38 at block 6."}, "figure": {"name": "fig-10b-equal", "caption": "GW distance of each block to its own output before training on SST-2, after the usual training and after one in which every block moved equally far. The lines nearly coincide."}}
viz.curves(
    {
        "usual training": control["output moved"],
        "equal moves": control["the same, equal moves"],
    },
    xlabel="block",
    ylabel="GW distance to itself before",
)

# %% tags=["remove-cell"]
inner = np.triu_indices(len(usual.names), k=1)
alike = stats.spearmanr(
    usual.layer_map(-1).values[inner], equal.layer_map(-1).values[inner]
)
note(moved_least=control.iloc[:, 0].min(), moved_most=control.iloc[:, 0].max())
note(equal_rank=alike.statistic, equal_acc=100 * equal.history["val_accuracy"][-1])
note(usual_acc=100 * usual.history["val_accuracy"][-1])
found = boundaries(equal)[-1]
note(equal_p=found[0], equal_boundaries=len(found[1]))

# %% [markdown]
# With equal moves the outputs end about as far from where they began as in the usual training. The map has a rank correlation of {glue:text}`equal_rank:.2f` with the usual one ({numref}`fig-10b-in-short`). The test finds {glue:text}`equal_boundaries:d` boundaries ($p$ = {glue:text}`equal_p:.2f`). Accuracy is {glue:text}`equal_acc:.1f` %, and {glue:text}`usual_acc:.1f` % in the usual training.
#
# The control turned out to be a mild one. In the usual training, too, each block moves by {glue:text}`moved_least:.1f` to {glue:text}`moved_most:.1f` % of the length of its weights. We think the reason is Adam, which divides each gradient by its size. So how far their weights move is not what sets the last blocks apart. A move of the same size changes their outputs more. Our reading, not tested here, is that the changes of all earlier blocks arrive at the last one.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-10b-equal", "caption": "For each block, how far its weights and its output moved, in the usual training and with equal moves."}}
control.round(3)

# %% [markdown]
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C23: the last block changes first, its neighbours after it (5.3, Figure 7) | ours | disagrees for `all-MiniLM-L6-v2`: it changes most, not first | {glue:text}`earliest` is the first to be halfway in all runs; rank correlation of place with distance gone {glue:text}`far_least:.2f` at least |
# | C23: is it because training moves it most? | ours | disagrees | with equal moves the map has a rank correlation of {glue:text}`equal_rank:.2f` with the usual one |
# | C24: mean GW grows slowly, then fast, with accuracy (5.3, Figure 8) | ours | agrees; it follows accuracy | halfway after {glue:text}`lag_sst2:.2f` times as many steps [{glue:text}`lag_sst2_low:.2f`, {glue:text}`lag_sst2_high:.2f`] on SST-2, three seeds; {glue:text}`lag_yelp:.2f` on Yelp |
# | C24, with raw distances | ours | agrees; scale and shape both grow | on Yelp raw {glue:text}`raw_growth:.1f` times, the scale {glue:text}`width_growth:.1f` times, without scale {glue:text}`norm_growth:.1f` times |
# | C29: gradients do not explain the last blocks (reviews) | ours | agrees; but the blocks do not have equal gradients | the last block has {glue:text}`grad_last:.1f` times the gradient of the first |
# | C29: the classifier's are more than ten times larger | ours | agrees | at least {glue:text}`grad_head:.1f` times those of block 1 |
# | C36: computation changes abruptly (later version) | ours | undecided: the last blocks change faster, up to the end, which is no boundary (C19) | a boundary that stays in {glue:text}`n_dated:d` of {glue:text}`n_watched:d` runs |
#
# **Before you read a curve of distances**: divide by the scale, draw it beside accuracy, and ask of each block how far it is from its own output before training.
#
# ## Where the stored results come from
#
# The encoder was trained, and watched, before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
for one in [*watched.values(), equal]:
    print(one.origin)
