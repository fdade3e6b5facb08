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
#     data: [encoder, encoder-maps]
# ---

# %% [markdown]
# # 09 Does sparsity make blocks alike?
#
# The paper {term}`fine-tunes <fine-tuning>` its encoder and takes weights out of it meanwhile. It finds that the sparser the encoder is, the more alike are its {term}`blocks <block>`. Is this so? And what is the cause: {term}`sparsity` itself, the method of {term}`pruning`, or the lost accuracy?
#
# ## In short
#
# We cannot tell. With {term}`NeuroPrune`, the paper's way, the mean {term}`Gromov-Wasserstein distance` (GW) of two blocks falls from {glue:text}`gw_neuroprune_0:.2f` to {glue:text}`gw_neuroprune_70:.2f` when 70 % of the weights are zero. But this encoder only guesses. Before fine-tuning, when no weight is zero, the distance is {glue:text}`gw_came:.2f`. So a small distance may just mean that the task was not learned. With 25 % zeros NeuroPrune loses no accuracy, and the distance is {glue:text}`gw_neuroprune_25:.2f`. Here sparsity may be the cause. But this is one encoder, and at {term}`[CLS]` its distance is larger than without zeros. A smaller encoder on [page 09b](09b-sparse-six-blocks.ipynb) was pruned in more steps. There the result agrees with the paper. But a dense encoder at a lower learning rate has blocks as alike as the sparsest.
#
# :::{glue:figure} fig_in_short_09
# :name: fig-09-in-short
# :alt: Mean GW distance of two blocks against the share of zeros. In the mean over tokens NeuroPrune falls from 0.23 over 0.18 to 0.05, and magnitude pruning over 0.21 to 0.18. The encoder at the usual rate is at 0.21, and before fine-tuning it is 0.06. At [CLS] both rise first, NeuroPrune to 0.39 and magnitude pruning to 0.61, and then fall to 0.22 and 0.28.
#
# Mean GW distance of two blocks against the share of weights that are zero. The encoders under NeuroPrune with 70 and 95 % zeros only guess. They are as low as the encoder before fine-tuning (dotted), which has no zeros. Dashed is one without zeros at a lower learning rate. At [CLS] the first zeros make the distance larger.
# :::
#
# :::{admonition} What you will learn
# - whether blocks grow alike with sparsity, and for which way of pruning;
# - how to tell an effect of sparsity from one of lost accuracy, {term}`scale` or learning rate;
# - what is left of the pattern of a map when most weights are gone;
# - how NeuroPrune makes weights zero, and why a penalty in the loss pulls less under Adam when the task is noisy.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.2 with Figure 6, appendix C; the discussion of its reviews.
# **You need**: [chapter 08](08-bert-subnetworks.ipynb).
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
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import pdist
from scipy.stats import binomtest, spearmanr
from torch import nn

import funcsim as fs
from exercises import chapter_09 as check
from funcsim import viz
from replication.encoder import block_maps, dense, sparse
from replication.training.neuroprune import redundant_heads

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Two ways to take weights away
#
# The encoder is MPNet with {glue:text}`n_blocks:d` blocks, as in [chapter 08](08-bert-subnetworks.ipynb). The paper uses BERT-base, which has as many. We did not run it. We fine-tune MPNet on SST-2 for {glue:text}`steps:,d` steps and prune it in two ways meanwhile:
#
# - *NeuroPrune*, the paper's method. It shrinks all weights. When a neuron has lost many of its weights, the others shrink faster. Below is [more about it](#going-deeper).
# - *Magnitude* pruning sets the smallest weights to zero. It does not shrink the others.
#
# NeuroPrune aims at 25, 70 and 95 % zeros among the weights of attention and {term}`MLP`. Magnitude pruning aims at the first two of these. We name each encoder by this aim. Each was run with one seed.

# %%
AIMS = {"NeuroPrune": (25, 70, 95), "magnitude": (25, 70)}
fast = sparse.load("sst2-fast", profile)
runs = {
    (name, aim): sparse.load(f"sst2-{name.lower()}-{aim}", profile)
    for name, aims in AIMS.items()
    for aim in aims
}

# %% tags=["remove-cell"]
mapped = {k: block_maps.load(f"sst2-{k}", profile) for k in ("pretrained", "dense")}
stored = {k: dense.load(f"sst2-{k}", profile) for k in mapped}
usual = stored["dense"]
n_blocks = len(fast.zeros)
upper = np.triu_indices(n_blocks, k=1)
note(n_blocks=n_blocks, steps=int(fast.history.step[-1]))
note(steps_usual=int(usual.history.step[-1]))
rate = {
    name: run.record.parameters["training"]["lr"]
    for name, run in {"fast": fast, "usual": usual}.items()
}
note(**{f"rate_{name}": f"{value:.5f}" for name, value in rate.items()})
note(n_texts=fast.maps["mean/mean/gw"].n_samples)

# %% [markdown]
# Beside them stands an encoder that was trained in the same way and keeps its weights. We call it *dense*. In one step a weight moves by about the learning rate, and a penalty shrinks it in proportion to this rate. To reach the zeros in so few steps, all of these learn at a rate of {glue:text}`rate_fast`. The encoder of chapter 08 learned at {glue:text}`rate_usual`, which we call the *usual* rate, for {glue:text}`steps_usual:,d` steps.
#
# What would agree with the paper was written down before the first run. What counts is the mean distance of two blocks under GW, in the mean over tokens, {term}`normalised`. It has to fall from the dense encoder to 25, 70 and 95 % zeros under NeuroPrune. If it rises at each of these, this disagrees. All else is undecided.
#
# ## What can they still do?
#
# First, how well do they still answer?


# %% tags=["remove-cell"]
def described(run):
    """Sparsity and accuracy of a run, in per cent, and heads left."""
    right = int((run.logits.argmax(axis=1) == run.labels).sum())
    low, high = binomtest(right, len(run.labels)).proportion_ci(method="wilson")
    return {
        "zero (%)": 100 * run.sparsity,
        "accuracy (%)": 100 * run.scores["accuracy"],
        "from": 100 * low,
        "to": 100 * high,
        "heads": run.heads.sum(),
    }


# %% tags=["remove-cell"]
everything = {("dense", 0): fast} | runs
table = pd.DataFrame({key: described(run) for key, run in everything.items()}).T
names = [f"{m}, {t} %" if t else "dense" for m, t in everything]
for method, aim in everything:
    row = table.loc[(method, aim)]
    name = f"{method.lower()}_{aim}"
    note(**{f"acc_{name}": row["accuracy (%)"], f"zero_{name}": row["zero (%)"]})
heads = table["heads"]
note(heads_left=int(heads["NeuroPrune", 95]), heads_all=int(heads["dense", 0]))
note(dense_low=table["from"].iloc[0])

# %% [markdown]
# Accuracy on all validation texts of SST-2, with a 95 % {term}`interval`:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Accuracy of six encoders on SST-2, with intervals. The dense one and the two with 25 % zeros have 92 %. Magnitude pruning with 70 % has 86 %. NeuroPrune with 70 and with 95 % has 51 %, which is guessing."}, "figure": {"name": "fig-09-accuracy", "caption": "Accuracy on the validation texts of SST-2, with 95 % intervals. With 25 % zeros nothing is lost. NeuroPrune with 70 and 95 % does no better than guessing."}}
by_name = table.set_axis(names)
viz.dots(
    by_name[["accuracy (%)"]],
    by_name[["from"]].set_axis(["accuracy (%)"], axis=1),
    by_name[["to"]].set_axis(["accuracy (%)"], axis=1),
    xlabel="accuracy (%)",
    reference=50,
    reference_label="guessing",
)

# %% [markdown]
# NeuroPrune with 70 % zeros has {glue:text}`acc_neuroprune_70:.1f` % right. With 95 % it has {glue:text}`acc_neuroprune_95:.1f` %. Both do no better than guessing. We suspect that {glue:text}`steps:,d` steps are too few to learn the task against so strong a penalty. In the sparsest encoder {glue:text}`heads_left:d` of {glue:text}`heads_all:d` {term}`heads <head>` are left. With 25 % zeros NeuroPrune has {glue:text}`acc_neuroprune_25:.1f` % right, and the dense encoder {glue:text}`acc_dense_0:.1f` %. Magnitude pruning with 25 % zeros has {glue:text}`acc_magnitude_25:.1f` % right. With 70 % it has {glue:text}`acc_magnitude_70:.1f` %.
#
# The paper calls its sparse encoders high-performing. Two of ours guess, so they do not meet the paper's condition. The smaller encoder of [page 09b](09b-sparse-six-blocks.ipynb) was pruned in more steps and keeps more of the task.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09-encoders", "caption": "Share of zeros that was aimed at and reached, accuracy with its 95 % interval, and heads left."}}
table.round(1).astype({"heads": int})

# %% [markdown]
# ## The sparser, the more alike?
#
# We take the {term}`layer map` of each encoder under GW on {glue:text}`n_texts:d` texts, in the mean over tokens. The mean over all pairs of blocks says how different the blocks of an encoder are. Beside it we take the same number at {term}`[CLS]`.


# %%
def mean_gw(maps, key="mean/mean/gw"):
    """Mean distance of two different blocks."""
    values = maps[key].values
    return np.nanmean(values[np.triu_indices(len(values), k=1)])


# %% tags=["remove-cell"]
chains = {
    name: {0: fast} | {aim: runs[name, aim] for aim in aims}
    for name, aims in AIMS.items()
}
alike = {
    name: {aim: mean_gw(run.maps) for aim, run in chain.items()}
    for name, chain in chains.items()
}
at_cls = {
    name: {aim: mean_gw(run.maps, "cls/mean/gw") for aim, run in chain.items()}
    for name, chain in chains.items()
}
for name in AIMS:
    note(**{f"gw_{name.lower()}_{aim}": v for aim, v in alike[name].items()})
    note(**{f"cls_{name.lower()}_{aim}": v for aim, v in at_cls[name].items()})
low_line = {k: mean_gw(m.maps) for k, m in mapped.items()}
low_cls = {k: mean_gw(m.maps, "cls/mean/gw") for k, m in mapped.items()}
note(gw_usual=low_line["dense"], gw_came=low_line["pretrained"])

# %% tags=["remove-cell"]
drawn = {
    "mean over tokens": (alike, low_line),
    "[CLS]": (at_cls, low_cls),
}
fig, axes = plt.subplots(
    1, 2, figsize=(6.4, 3.4), dpi=110, layout="constrained", sharey=True
)
plt.close(fig)
for ax, (pooling, (lines, level)) in zip(axes, drawn.items(), strict=True):
    for (name, y), (hue, dash) in zip(lines.items(), viz.LINES, strict=False):
        x = [100 * run.sparsity for run in chains[name].values()]
        ax.plot(
            x, list(y.values()), dash, color=hue, marker="o", ms=4, lw=2, label=name
        )
    ax.axhline(
        level["dense"], color="black", ls="--", lw=1, label="dense, usual rate"
    )
    ax.axhline(
        level["pretrained"],
        color="black",
        ls=":",
        lw=1.2,
        label="before fine-tuning",
    )
    ax.set(title=pooling, xlabel="zeros (%)")
    ax.grid(alpha=0.3)
axes[0].set_ylim(bottom=0)
axes[0].set_ylabel("mean GW distance of two blocks")
legend = axes[0].get_legend_handles_labels()
fig.legend(*legend, loc="outside upper center", ncols=2, frameon=False, fontsize=8)
keep_figure("fig_in_short_09", fig)

# %% [markdown]
# {numref}`fig-09-in-short` shows the means. In the mean over tokens the dense encoder has {glue:text}`gw_neuroprune_0:.2f`. NeuroPrune with 25 % zeros has {glue:text}`gw_neuroprune_25:.2f`. With more zeros it has {glue:text}`gw_neuroprune_70:.2f` and then {glue:text}`gw_neuroprune_95:.2f`. So in the two encoders that guess the blocks are even more alike than before fine-tuning, where the mean is {glue:text}`gw_came:.2f`. Magnitude pruning has {glue:text}`gw_magnitude_25:.2f` and {glue:text}`gw_magnitude_70:.2f`.
#
# At [CLS] it is another picture. The dense encoder has {glue:text}`cls_neuroprune_0:.2f`. The two encoders with 25 % zeros have *larger* means, {glue:text}`cls_neuroprune_25:.2f` under NeuroPrune and {glue:text}`cls_magnitude_25:.2f` under magnitude pruning. Those with more zeros are below the dense one.
#
# By the rule that was written down, the claim is undecided here. The mean falls up to 70 % zeros and does not fall further with 95 %. And a fall counts as one of sparsity only if an encoder as good as the dense one shows it. With more than 25 % zeros none is.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09-means", "caption": "Mean GW distance of two blocks in the mean over tokens, by the share of zeros that was aimed at."}}
shown = pd.DataFrame(alike).rename_axis("zero (%)")
shown.round(3).astype(object).fillna("-")

# %% [markdown]
# ## Are zeros needed?
#
# Is there an encoder without zeros whose mean is as small as that of a sparse one? There are two to look at. One is MPNet before fine-tuning. The other was fine-tuned at the usual rate, a fifth of the rate here. How much do the means depend on the choice of texts? To see this we compute them again on twenty random halves of the texts.


# %% tags=["remove-cell"]
def on_halves(maps):
    """Mean distance of two blocks on each half of the texts."""
    return np.nanmean(maps[:, *upper], axis=1)


halves = {"dense": on_halves(fast.halves)}
halves |= {
    f"{name}, {t} %": on_halves(run.halves) for (name, t), run in runs.items()
}
halves["dense, usual rate"] = on_halves(mapped["dense"].halves["mean/gw"])
halves["before fine-tuning"] = on_halves(mapped["pretrained"].halves["mean/gw"])
sure = pd.DataFrame(
    {
        name: {
            "mean": h.mean(),
            "low": np.quantile(h, 0.025),
            "high": np.quantile(h, 0.975),
        }
        for name, h in halves.items()
    }
).T

# %% tags=["remove-cell"]
watched = mapped["dense"].snapshots
near = int(np.argmin(abs(watched["step"] - fast.history.step[-1])))
note(n_scored=int(usual.record.parameters["n_scored"]))
note(
    step_near=int(watched["step"][near]),
    gw_near=float(np.nanmean(watched["mean/gw"][near][upper])),
    acc_near=100 * float(usual.snapshots["val_accuracy"][near]),
)

# %% [markdown]
# The mean over halves, and the middle 95 %:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean GW distance on random halves of the texts, with intervals, for eight encoders. Dense 0.23, dense at the usual rate 0.21, magnitude pruning with 25 % zeros 0.21, with 70 % 0.18, NeuroPrune with 25 % 0.18, with 70 and 95 % 0.05, before fine-tuning 0.06."}, "figure": {"name": "fig-09-halves", "caption": "Mean GW distance of two blocks on random halves of the texts of SST-2, in the mean over tokens, with the middle 95 %. The two encoders that guess are as low as MPNet before fine-tuning."}}
ends = {end: sure[[end]].set_axis(["mean GW"], axis=1) for end in sure}
viz.dots(
    ends["mean"],
    ends["low"],
    ends["high"],
    xlabel="mean GW distance of two blocks",
)

# %% [markdown]
# In {numref}`fig-09-halves` the encoder at the usual rate has {glue:text}`gw_usual:.2f`. This is a little less than the dense one at the higher rate, and its interval does not overlap with that one's. It was also trained for more steps. But after {glue:text}`step_near:d` of them, about as many as the dense one had, its mean was already {glue:text}`gw_near:.2f`. It then had {glue:text}`acc_near:.0f` % of {glue:text}`n_scored:d` texts right. So the training alone can change the mean by a tenth or more without a zero. NeuroPrune with 25 % zeros lies below both dense encoders. Magnitude pruning with 25 % is as low as the one at the usual rate.
#
# The smallest mean without zeros is that before fine-tuning. So zeros are not needed for a small mean. Fine-tuning makes the blocks differ. In the two encoders that did not learn the task they differ no more than before.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09-halves", "caption": "Mean GW distance of two blocks on random halves of the texts: its mean, and the ends of the middle 95 %."}}
sure.round(3)

# %% [markdown]
# ## Is it the lost accuracy?
#
# An encoder that answers less well may also change the texts less from block to block. If this were all, an encoder of the same accuracy would have the same mean.


# %% tags=["remove-cell"]
def scale(run):
    """Mean distance of two texts in the last block, before dividing."""
    clouds = run.clouds["mean"]
    return pdist(clouds[clouds.names[-1]].astype(float)).mean()


about = pd.DataFrame(
    {
        "zero": {k: r.sparsity for k, r in everything.items()},
        "accuracy": {k: r.scores["accuracy"] for k, r in everything.items()},
        "moved": {k: r.moved.mean() for k, r in everything.items()},
        "scale of the last block": {k: scale(r) for k, r in everything.items()},
        "mean GW": {k: mean_gw(r.maps) for k, r in everything.items()},
        "mean GW, raw": {
            k: mean_gw(r.maps, "mean/raw/gw") for k, r in everything.items()
        },
    }
)
others = about.drop(index=("dense", 0))
as_good = others[100 * others["accuracy"] >= table["from"].iloc[0]]
note(n_as_good=len(as_good))

# %% [markdown]
# Here are the six encoders at the higher rate, and the dense one at the usual rate:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean GW distance against accuracy for seven encoders. Four with 92 to 94 % right lie between 0.18 and 0.23. Magnitude pruning with 70 % zeros has 86 % right and 0.18. NeuroPrune with 70 and 95 % lies at 51 % and 0.05."}, "figure": {"name": "fig-09-against", "caption": "Mean GW distance of two blocks, in the mean over tokens, against accuracy on SST-2. The numbers are the shares of zeros in per cent. The two encoders with 25 % zeros are as good as the dense one, and their distances are smaller."}}
fig, ax = viz.new_figure(6.0, 3.8)
for name, mark, (colour, _) in zip(AIMS, "os", viz.LINES, strict=False):
    some = about.loc[[name]]
    x, y = 100 * some["accuracy"], some["mean GW"]
    ax.plot(x, y, mark, color=colour, ms=6, label=name)
    for aim, *place in zip(AIMS[name], x, y, strict=True):
        ax.annotate(f" {aim}", place, fontsize=8, color=colour)
for run, y, filled, name in [
    (fast, alike["magnitude"][0], "black", "dense"),
    (usual, low_line["dense"], "white", "dense, usual rate"),
]:
    x = 100 * run.scores["accuracy"]
    ax.plot(x, y, "D", color="black", mfc=filled, label=name)
ax.set(xlabel="accuracy (%)", ylabel="mean GW distance of two blocks")
ax.grid(alpha=0.3)
ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
fig

# %% tags=["remove-cell"]
ranks = about.corr(method="spearman")["mean GW"]
note(
    rank_zero=ranks["zero"],
    rank_moved=ranks["moved"],
    rank_raw=about.corr(method="spearman").loc[
        "scale of the last block", "mean GW, raw"
    ],
)

# %% [markdown]
# We count an encoder as good as the dense one if it has at least {glue:text}`dense_low:.1f` % right, the low end of that one's interval. Of the five sparse encoders {glue:text}`n_as_good:d` are as good, both with 25 % zeros. Their means are {glue:text}`gw_magnitude_25:.2f` under magnitude pruning and {glue:text}`gw_neuroprune_25:.2f` under NeuroPrune, and the dense one has {glue:text}`gw_neuroprune_0:.2f`. So lost accuracy is not the only reason. But magnitude pruning with 25 % zeros falls no further than the learning rate can move the mean. Only NeuroPrune with 25 % zeros falls by more. This is one encoder of one seed.
#
# At [CLS] these same two encoders go the other way: there their blocks are *less* alike than those of the dense one.
#
# The encoders with more zeros lost accuracy as well, so they cannot tell sparsity and lost accuracy apart. There is a third possible reason. A weight that goes to zero moves, so sparse encoders end farther from where fine-tuning began. Over the six encoders, how far the weights moved has a {term}`rank correlation` of {glue:text}`rank_moved:.2f` with the mean, and the share of zeros has {glue:text}`rank_zero:.2f`. We cannot separate the two.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09-about", "caption": "Six encoders on SST-2: share of zeros, accuracy, how far the weights moved as a share of their norm, scale of the last block, and mean GW distance, normalised and raw."}}
about.round(3)

# %% [markdown]
# ## Is it scale?
#
# The paper's distances are raw, as far as we can tell. If the texts lie closer together in all blocks, all raw distances between blocks become smaller, whatever the shapes. The next figure has the raw and the normalised mean, and the {term}`scale` of the last block, as shares of what the dense encoder has.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Three marks for each of five sparse encoders, in per cent of the dense one. With 25 % zeros: NeuroPrune 51, magnitude 80 for the raw mean, and 76 and 89 for the normalised mean. With 70 % under magnitude pruning 38 and 75. Under NeuroPrune with 70 and 95 % all three are a quarter or less."}, "figure": {"name": "fig-09-scale", "caption": "Raw and normalised mean GW and the scale of the last block, in per cent of what the dense encoder has. Raw means fall more than normalised ones."}}
shares = 100 * others / about.iloc[0]
columns = {
    "mean GW, raw": "raw mean GW",
    "scale of the last block": "scale of the last block",
    "mean GW": "normalised mean GW",
}
viz.dots(
    shares[list(columns)].set_axis(names[1:]).rename(columns=columns),
    xlabel="per cent of the dense encoder's",
    reference=100,
    reference_label="dense",
)

# %% tags=["remove-cell"]
for (name, aim), row in shares.iterrows():
    key = f"{name.lower()}_{aim}"
    note(**{f"raw_{key}": row["mean GW, raw"], f"norm_{key}": row["mean GW"]})
    note(**{f"scale_{key}": row["scale of the last block"]})

# %% [markdown]
# In {numref}`fig-09-scale` the raw mean of NeuroPrune with 25 % zeros is {glue:text}`raw_neuroprune_25:.0f` % of the dense encoder's, and the scale of its last block {glue:text}`scale_neuroprune_25:.0f` %. The normalised mean is {glue:text}`norm_neuroprune_25:.0f` %. So a part of what raw distances show is that the clouds of texts shrink. Magnitude pruning with more zeros has {glue:text}`raw_magnitude_70:.0f` % of the raw mean, {glue:text}`scale_magnitude_70:.0f` % of the scale and {glue:text}`norm_magnitude_70:.0f` % of the normalised mean. Over the six encoders the raw mean has a rank correlation of {glue:text}`rank_raw:.2f` with the scale of the last block.
#
# ## The same pattern?
#
# The paper says that the pattern of the map stays. Here are the maps under NeuroPrune.

# %% tags=["fig", "paper-F06", "hide-input"] mystnb={"image": {"alt": "GW maps of twelve blocks under NeuroPrune. In the dense encoder and with 25 % zeros the last blocks are bright against the others. With 70 and 95 % the whole map is dark."}, "figure": {"name": "fig-09-maps", "caption": "Normalised GW maps of the blocks on SST-2 under NeuroPrune, in the mean over tokens. Dark means alike. All maps share one scale of colours. Where an encoder guesses, nothing sets its last blocks apart."}}
grid = {
    name: {f"{k} %": run.maps["mean/mean/gw"] for k, run in chain.items()}
    for name, chain in chains.items()
}
viz.map_grid({"NeuroPrune": grid["NeuroPrune"]})

# %% [markdown]
# Under magnitude pruning the last blocks stay apart also with 70 % zeros:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW maps of twelve blocks under magnitude pruning, without zeros, with 25 and with 70 %. In all three the last blocks are bright against the others, and a little less with 70 %."}, "figure": {"name": "fig-09-magnitude", "caption": "The same under magnitude pruning."}}
viz.map_grid({"magnitude": grid["magnitude"]})

# %% tags=["remove-cell"]
dense_map = fast.maps["mean/mean/gw"].values[upper]
pattern = {
    name: {
        aim: spearmanr(run.maps["mean/mean/gw"].values[upper], dense_map)[0]
        for aim, run in chain.items()
        if aim
    }
    for name, chain in chains.items()
}
for name, values in pattern.items():
    note(**{f"pattern_{name.lower()}_{aim}": v for aim, v in values.items()})

# %% [markdown]
# How much of the pattern stays? We take the {term}`rank correlation` of each map with the dense one, over the pairs of blocks. It is 1 if the pairs keep their order.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-09-pattern", "caption": "Rank correlation of each sparse encoder's map with that of the dense one, over the pairs of blocks."}}
kept = pd.DataFrame(pattern).rename_axis("zero (%)").round(2)
kept.astype(object).fillna("-")

# %% [markdown]
# The two encoders with 25 % zeros have the pattern of the dense one: {glue:text}`pattern_neuroprune_25:.2f` and {glue:text}`pattern_magnitude_25:.2f`. Magnitude pruning with 70 % zeros has it, too ({glue:text}`pattern_magnitude_70:.2f`). In the two that guess it is partly lost ({glue:text}`pattern_neuroprune_70:.2f` and {glue:text}`pattern_neuroprune_95:.2f`).
#
# ## Going deeper
#
# Here are two things that the argument above does not need.
#
# ### NeuroPrune, part by part
#
# NeuroPrune {cite:p}`dhurandhar2024neuroprune` has no public code, and its description leaves details open. The docstrings of `replication.training.neuroprune` say what we chose. NeuroPrune has three parts.
#
# **Rich get richer.** In the MLP, a neuron that has lost many of its weights loses the others faster. If $n$ of its $d$ weights are left, they shrink $d / n$ times as fast as those of a neuron that has all. Here are two neurons of six weights. The second has lost half of them.

# %%
weights = torch.tensor(
    [[0.5, -0.4, 0.3, 0.6, -0.2, 0.1], [0.5, -0.4, 0.3, 0.0, 0.0, 0.0]]
)
for _ in range(20):
    left = (weights != 0).float().mean(dim=1, keepdim=True).clamp(min=1 / 6)
    weights = weights.sign() * (weights.abs() - 0.01 / left).clamp(min=0)
weights.round(decimals=2)

# %% tags=["remove-cell"]
note(left_rich=int((weights[0] != 0).sum()), left_poor=int((weights[1] != 0).sum()))

# %% [markdown]
# After twenty steps the first neuron has {glue:text}`left_rich:d` of six weights left, and the second {glue:text}`left_poor:d` of three.
#
# **Whole inputs go.** In the attention, all weights of queries, keys and values that read one input dimension form a set. Let $s$ be the sum of their absolute values. The penalty is $\sqrt{s}$, so each weight of the set shrinks with speed $1 / (2 \sqrt{s})$. Small sets shrink faster, until they are gone.
#
# **Redundant heads merge.** Two heads are similar if no weight differs by more than $\theta = 0.15$. Head A is *dominated* by head B if every head similar to A is also similar to B. Then A is removed, and its output weights are added to those of B. If two heads dominate each other, the later one stays. Here is an example of five heads. Heads 0 and 3 are similar to each other. Head 1 is similar to 2 and to 4.

# %%
like = torch.eye(5, dtype=torch.bool)
for a, b in [(0, 3), (1, 2), (1, 4)]:
    like[a, b] = like[b, a] = True
merged = redundant_heads(like, [True] * 5)
merged

# %% tags=["remove-cell"]
note(merged=", ".join(f"{gone} into {kept}" for gone, kept in merged))

# %% [markdown]
# We merge {glue:text}`merged`. We go through the heads only one time. After head 2 is gone, heads 1 and 4 dominate each other. But the turn of head 1 is over, so both stay.
#
# How strong must a penalty be? We search by bisection for the strength at which the penalty alone, without a task, sets the wanted share of weights to zero. The task can then pull some of them back, and merged heads add zeros.
#
# ### A penalty that Adam divides away
#
# The description of NeuroPrune adds its penalties to the loss. But Adam divides each gradient by the size that it had in recent steps. The noise of the task is part of that size. So a penalty pulls less where the task is noisy. Take one weight that the task does not need. Only noise and an l1 penalty act on it. Either the penalty stands in the loss, or it shrinks the weight after each step, as {term}`weight decay` does in AdamW.


# %%
def weight_path(steps, noise, in_loss, strength=0.5, lr=0.01):
    """A weight of 0.5 that the task does not need, step by step."""
    rng = torch.Generator().manual_seed(seed)
    w = nn.Parameter(torch.tensor([0.5]))
    adam, path = torch.optim.AdamW([w], lr=lr, weight_decay=0), [w.item()]
    for _ in range(steps):
        loss = noise * torch.randn(1, generator=rng) @ w
        if in_loss:
            loss = loss + strength * w.abs().sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
        if not in_loss:
            with torch.no_grad():
                w.copy_(w.sign() * (w.abs() - lr * strength).clamp(min=0))
        path.append(w.item())
    return path


# %% tags=["remove-cell"]
NOISES = (0.1, 1, 10)
PLACES = {"in the loss": True, "after the step": False}
paths = {
    (noise, place): weight_path(300, noise, in_loss)
    for noise in NOISES
    for place, in_loss in PLACES.items()
}
pulls = pd.DataFrame(
    {f"noise {n:g}": {p: paths[n, p][-1] for p in PLACES} for n in NOISES}
)
note(pull_quiet=pulls.iloc[0, 0], pull_noisy=pulls.iloc[0, 2])
note(
    never_zero=int((pulls.iloc[0] != 0).sum()), zero=int((pulls.iloc[1] == 0).sum())
)

# %% [markdown]
# Here is the path of this weight in a quiet and in a noisy task:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "A weight that begins at 0.5, over 300 steps. With the penalty in the loss it falls to nearly zero in a quiet task, and in a noisy one it stays near 0.5 for most steps and ends near 0.3. With the shrinkage after the step it ends at zero in both."}, "figure": {"name": "fig-09-adam", "caption": "A weight that the task does not need, under the same penalty. In the loss the penalty pulls little if the task is noisy. After the step it brings the weight to zero. The lines of the quiet and the noisy task then coincide, because Adam divides the noise by its size."}}
viz.curves(
    {
        f"{place}, {word}": paths[noise, place]
        for place in PLACES
        for word, noise in {"quiet": NOISES[0], "noisy": NOISES[-1]}.items()
    },
    range(301),
    xlabel="step",
    ylabel="weight",
)

# %% [markdown]
# The weight begins at 0.5. With the penalty in the loss it ends at {glue:text}`pull_quiet:.4f` if the task is quiet, and at {glue:text}`pull_noisy:.2f` if it is noisy. We tried three sizes of the noise. With the penalty in the loss the weight is not exactly zero in {glue:text}`never_zero:d` of three. Shrunk after the step, it is zero in {glue:text}`zero:d` of three. So we shrink the weights after each step, by the learning rate times the gradient of the penalty, and not beyond zero. This choice is ours.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09-adam", "caption": "Where a weight of 0.5 is after 300 steps, for three sizes of the noise."}}
pulls.round(3)

# %% [markdown]
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C20: the sparser, the smaller the differences between layers (5.2, Figure 6) | ours | undecided for MPNet: two of three encoders under NeuroPrune only guess | mean GW {glue:text}`gw_neuroprune_0:.2f`, {glue:text}`gw_neuroprune_25:.2f`, {glue:text}`gw_neuroprune_70:.2f`, {glue:text}`gw_neuroprune_95:.2f`; accuracy {glue:text}`acc_dense_0:.0f`, {glue:text}`acc_neuroprune_25:.0f`, {glue:text}`acc_neuroprune_70:.0f`, {glue:text}`acc_neuroprune_95:.0f` %; at [CLS] {glue:text}`cls_neuroprune_0:.2f` without and {glue:text}`cls_neuroprune_25:.2f` with 25 % zeros |
# | C20, with raw distances | ours | undecided, likewise; a part of the fall is scale | with 25 % zeros under NeuroPrune the raw mean is {glue:text}`raw_neuroprune_25:.0f` % of the dense encoder's, the scale of the last block {glue:text}`scale_neuroprune_25:.0f` %, the normalised mean {glue:text}`norm_neuroprune_25:.0f` % |
# | C20: in the same pattern | ours | agrees for the three sparse encoders that do better than guessing | rank correlation with the dense map {glue:text}`pattern_neuroprune_25:.2f`, {glue:text}`pattern_magnitude_25:.2f`, {glue:text}`pattern_magnitude_70:.2f`; of those that guess {glue:text}`pattern_neuroprune_70:.2f`, {glue:text}`pattern_neuroprune_95:.2f` |
# | D13: which link between sparsity and similarity? | - | open | before fine-tuning the mean distance is {glue:text}`gw_came:.2f`, after it without zeros {glue:text}`gw_usual:.2f` and {glue:text}`gw_neuroprune_0:.2f` at two rates, in the two sparse encoders as good as the dense one {glue:text}`gw_neuroprune_25:.2f` and {glue:text}`gw_magnitude_25:.2f` |
#
# The paper expects the fall because fewer weights contribute to the answer. Our maps show another way to get it: an encoder that has not learned the task. To decide the claim on twelve blocks, the encoders need enough steps to learn the task beside the penalty, and more than one seed. We did not prune this encoder on Yelp, nor by magnitude to 95 %.
#
# **Before you compare a pruned model with its original**: look at what it can still do. Divide each layer by its mean distance. Train both at the same rate, and set beside them a dense model at another rate and the model before fine-tuning.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Layers of a pruned encoder have smaller raw distances. What else, besides function, may be the reason?**
#
# <details><summary>a. Zeros cannot be compared.</summary>No: zeros are numbers like others.</details>
# <details><summary>b. Pruned encoders need more texts.</summary>No: the same texts are used for all.</details>
# <details><summary>c. The scale of their layers is smaller.</summary>Right: divide by the scale first. On this page the distances still fall after that.</details>
#
# To read again: [Is it scale?](#is-it-scale)
#
# **2. An encoder has so many zeros that it answers no better than by guessing. May it be used to show how sparsity changes layers?**
#
# <details><summary>a. Only beside others: sparse ones that still work, or dense ones that answer as badly.</summary>Right: that is how the two effects are separated.</details>
# <details><summary>b. No encoder may.</summary>No: some have zeros and still do their task.</details>
# <details><summary>c. Yes, it is the sparsest.</summary>No: sparsity and the loss of the task come together in it.</details>
#
# To read again: [Is it the lost accuracy?](#is-it-the-lost-accuracy)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} When do the zeros come?
# :label: ex-09-when
#
# *Difficulty 1 of 4, importance 3 of 5, 5 minutes.* Magnitude pruning sets weights to zero little by little. It is finished after two thirds of the steps. Let $t$ run from 0 to 1 over these two thirds. At $t$, a share $1 - (1 - t)^3$ of all zeros has been set. Write `zeros_by(step, steps, share)`. It returns the share of the weights that is zero after `step` of `steps` steps, where `share` is the share at the end.
#
# ```{dropdown} Hint 1
# What is $t$ after two thirds of the steps, and what after all of them?
# ```
# ```{dropdown} Hint 2
# `min(..., 1)` keeps $t$ at 1 once pruning is done.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def zeros_by(step, steps, share):
    """Share of the weights that is zero after so many steps."""
    t = min(step / (steps * 2 / 3), 1)
    return share * (1 - (1 - t) ** 3)


check.zeros_by(zeros_by)

# %% [markdown]
# :::{exercise} Zeros, or training?
# :label: ex-09-changes
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Three maps (L, L) show an encoder before training, after dense training, and after sparse training at the same rate. Write `two_changes(before, dense, sparse)`. It returns two numbers: how training changes the mean distance between two different layers, and how zeros change it. A {term}`silent` layer has NaN in its map. What should be left out then, and in which maps?
#
# ```{dropdown} Hint 1
# The sparse encoder was trained as well. From which map does it differ only in its zeros?
# ```
# ```{dropdown} Hint 2
# `np.triu_indices(L, k=1)` takes each pair once. Keep the pairs whose sum over all three maps is finite.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def two_changes(before, dense, sparse):
    """Change of the mean distance by training, and by zeros."""
    pairs = np.triu_indices(len(before), k=1)
    rows = np.array([m[pairs] for m in (before, dense, sparse)])
    means = rows[:, np.isfinite(rows.sum(axis=0))].mean(axis=1)
    return means[1] - means[0], means[2] - means[1]


check.two_changes(two_changes)

# %% [markdown]
# :::{exercise} Zeros that stay zero
# :label: ex-09-prune
#
# *Difficulty 4 of 4, importance 5 of 5, 25 minutes.* Write `prune_and_train(model, share, batches)`. Take the weight matrices of all `nn.Linear` modules together, without biases. Set the smallest `share` of these weights to zero. Then train with `torch.optim.Adam` at the rate 0.01 on cross-entropy. Each batch is a pair of inputs and labels, and gives one step. The zeros stay zero. All other weights train as usual.
#
# ```{dropdown} Hint 1
# Small means: in absolute value. Choose once, and remember which weights are left.
# ```
# ```{dropdown} Hint 2
# Join all flattened sizes with `torch.cat`. Then `kthvalue(k).values` is the k-th smallest. A step of Adam moves zeros as well, so multiply with the mask after each step, within `torch.no_grad()`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def prune_and_train(model, share, batches):
    """Train the weights that are left after the smallest are zero."""
    linear = [m.weight for m in model.modules() if isinstance(m, nn.Linear)]
    sizes = torch.cat([w.detach().abs().flatten() for w in linear])
    limit = sizes.kthvalue(int(share * len(sizes))).values
    masks = [(w.detach().abs() > limit).float() for w in linear]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def set_zeros():
        with torch.no_grad():
            for weight, mask in zip(linear, masks, strict=True):
                weight.mul_(mask)

    set_zeros()
    for inputs, labels in batches:
        loss = nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        set_zeros()


check.prune_and_train(prune_and_train)

# %% [markdown]
# :::{exercise} Predict what training does, and what zeros do
# :label: ex-09-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 25 minutes.* Build a network of 4 to 8 modules that tells handwritten digits apart, as `own_network()`, an `nn.Sequential` from images (n, 64) to (n, 10). The check trains it twice, on the same images and at the same rate: once as it is, and once with 90 % of its weights set to zero. How does training change the mean GW distance between two different modules, and how do the zeros change it? Write into `predicted()` a dictionary with `"training"` and `"zeros"`. Each is a pair of numbers at most 40 apart, in per cent of the mean distance before training. A change may be negative. Only then write `mean_distance(model, x)`, normalised and without silent modules. Then compare. Which change is larger, and which would you have found without the dense network?
#
# ```{dropdown} Hint 1
# `fs.compare(fs.capture(model, [x]))` is a normalised map. Take each pair of modules once.
# ```
# ```{dropdown} Hint 2
# `fs.compare` stops at a silent module, unless you ask for `degenerate="nan"`. `np.nanmean` leaves out NaN.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Changes of the mean distance, in per cent of that before."""
    return {"training": (0, 40), "zeros": (-40, 0)}


def own_network():
    """A classifier of digits with three linear modules."""
    return nn.Sequential(
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def mean_distance(model, x):
    """Mean GW distance between two modules that are not silent."""
    values = fs.compare(fs.capture(model, [x]), degenerate="nan").values
    return np.nanmean(values[np.triu_indices(len(values), k=1)])


check.predicted(predicted, own_network, mean_distance)

# %% [markdown]
# ## Where the stored results come from
#
# The encoders were trained, and their blocks compared, before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
for one in [*everything.values(), *mapped.values(), *stored.values()]:
    print(one.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
