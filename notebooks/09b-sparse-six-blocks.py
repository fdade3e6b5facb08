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
#     data: [bert]
# ---

# %% [markdown]
# # 09b Sparsity on six blocks
#
# [Chapter 09](09-sparse-bert.ipynb) takes weights out of an encoder of twelve {term}`blocks <block>`. Here is a smaller one with six, {term}`pruned <pruning>` in three ways during {term}`fine-tuning`. Do its blocks grow alike, too?
#
# ## In short
#
# They do, for all three ways. With {term}`NeuroPrune` the mean {term}`Gromov-Wasserstein distance` (GW) of two blocks falls from {glue:text}`gw_neuroprune_0:.2f` to {glue:text}`gw_neuroprune_95:.2f` when 95 % of the weights are zero. Lost accuracy is not the only reason. In {glue:text}`n_as_good:d` sparse encoders the distance is smaller, although they answer as well as the dense encoder that was trained at the same rate. But a small distance does not need {term}`sparsity`. A dense encoder has only {glue:text}`gw_slow:.2f` if its learning rate is a quarter as high. So alike blocks alone are no sign of sparsity.
#
# :::{glue:figure} fig_in_short_09b
# :name: fig-09b-in-short
# :alt: Mean GW distance of two blocks against the share of zeros, on SST-2 and on Yelp. On SST-2 it falls from 0.40 to about 0.25 under three ways of pruning, and the dense encoder at a quarter of the rate is at 0.23. On Yelp it falls from 0.34 to 0.28, and the dense encoder at a quarter of the rate is at 0.27. Before fine-tuning it is 0.11.
#
# Mean GW distance of two blocks against the share of weights that are zero. It falls under each way of pruning. A dense encoder that was fine-tuned at a quarter of the pruned ones' learning rate is as low (dashed), and the encoder before fine-tuning is lower (dotted).
# :::
#
# **Time**: 15 minutes to read, one minute to run.
# **In the paper**: section 5.2 with Figure 6, appendix C with Figure 11; the discussion of its reviews.

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
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist
from scipy.stats import binomtest, entropy, spearmanr

import funcsim as fs
from funcsim import viz
from funcsim.geometry import is_degenerate
from replication.encoder import fine_tuned

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Three ways to take weights away
#
# The encoder is `all-MiniLM-L6-v2`, MiniLM for short, as on [page 08b](08b-six-blocks.ipynb). It has {glue:text}`n_blocks:d` blocks. The paper uses BERT-base, which has twelve. We did not run it. We fine-tune MiniLM on SST-2 for {glue:text}`steps:,d` steps and prune it in three ways meanwhile:
#
# - *NeuroPrune*, the paper's method {cite:p}`dhurandhar2024neuroprune`. It shrinks all weights. When a neuron has lost many of its weights, the others shrink faster. [Chapter 09](09-sparse-bert.ipynb#going-deeper) says more about it.
# - *Plain l1* shrinks all weights equally.
# - *Magnitude* pruning sets the smallest weights to zero. It does not shrink the others.
#
# Each of them aims at 25, 70 and 95 % zeros among the weights of attention and {term}`MLP`. We name each encoder by this aim. In place of 25 % zeros, NeuroPrune reached {glue:text}`zero_neuroprune_25:.0f` %, and plain l1 {glue:text}`zero_l1_25:.0f` %. NeuroPrune was also run on Yelp, for {glue:text}`steps_yelp:d` steps. Each of these was run with one seed.

# %%
METHODS = {"NeuroPrune": "neuroprune", "l1": "l1", "magnitude": "magnitude"}
TARGETS = (25, 70, 95)
dense = fine_tuned.load("sst2-fast", profile)
runs = {
    (name, target): fine_tuned.load(f"sst2-{method}-{target}", profile)
    for name, method in METHODS.items()
    for target in TARGETS
}

# %% tags=["remove-cell"]
YELP = {"pre-trained": "pretrained", 0: "fast"}
YELP |= {target: f"neuroprune-{target}" for target in TARGETS}
on_yelp = {k: fine_tuned.load(f"yelp-{name}", profile) for k, name in YELP.items()}
before = fine_tuned.load("sst2-pretrained", profile)
usual = [fine_tuned.load("sst2-dense", profile, s) for s in (0, 1, 2)]
usual_yelp = fine_tuned.load("yelp-dense", profile)

# %% tags=["remove-cell"]
note(steps=int(dense.history.step[-1]), n_blocks=len(dense.scale))
note(steps_yelp=int(on_yelp[0].history.step[-1]))
rate = {
    name: run.record.parameters["training"]["lr"]
    for name, run in {"fast": dense, "slow": usual[0]}.items()
}
note(**{f"rate_{k}": f"{v:.5f}" for k, v in rate.items()})
note(times_rate=rate["fast"] / rate["slow"])

# %% [markdown]
# Beside them stands a *dense* encoder, which keeps its weights. The encoders of page 08b learn at a rate of {glue:text}`rate_slow`. We call it the *usual* rate. All encoders of this page learn at {glue:text}`times_rate:.0f` times this rate, {glue:text}`rate_fast`, unless we say otherwise. NeuroPrune and plain l1 shrink weights by a penalty. Its strength is set so that the wanted share of weights reaches zero. The task has to pull back the weights that it needs. In one step Adam moves a weight by about the learning rate, so at a small rate we expect this to take more steps than we have.
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
everything = {("dense", 0): dense} | runs
both = everything | {("Yelp", t): on_yelp[t] for t in (0, *TARGETS)}
table = pd.DataFrame({key: described(run) for key, run in both.items()}).T
for method, target in both:
    row = table.loc[(method, target)]
    name = f"{METHODS.get(method, method)}_{target}"
    note(**{f"acc_{name}": row["accuracy (%)"], f"zero_{name}": row["zero (%)"]})
heads = table["heads"]
note(heads_left=int(heads["NeuroPrune", 95]), heads_all=int(heads["dense", 0]))
emptiest = runs["NeuroPrune", 95].maps["cls/mean/gw"].values
note(headless=int((runs["NeuroPrune", 95].heads == 0).sum()))


# %% tags=["remove-cell"]
def on_both(column):
    """A column of the table, by encoder and task."""
    sst2 = {key: table.loc[key, column] for key in everything}
    yelp = {("NeuroPrune", t): table.loc[("Yelp", t), column] for t in TARGETS}
    yelp["dense", 0] = table.loc[("Yelp", 0), column]
    both = pd.DataFrame({"SST-2": sst2, "Yelp": yelp}).loc[list(everything)]
    both.index = [f"{m}, {t} %" if t else "dense" for m, t in both.index]
    return both


# %% [markdown]
# Accuracy on all validation texts of a task, with a 95 % {term}`interval`:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Accuracy of ten encoders on SST-2 and four on Yelp, with intervals. With 25 % zeros all are as accurate as the dense encoder, and so is magnitude pruning with 70 %. The others with 70 % lose five to eight points, all with 95 % lose nine or more on SST-2. On Yelp NeuroPrune with 95 % is near guessing."}, "figure": {"name": "fig-09b-accuracy", "caption": "Accuracy on validation texts, with 95 % intervals. With 25 % zeros hardly anything is lost. With 95 % much is lost, and on Yelp nearly everything."}}
viz.dots(
    on_both("accuracy (%)"),
    on_both("from"),
    on_both("to"),
    xlabel="accuracy (%)",
    reference=50,
    reference_label="guessing",
)

# %% [markdown]
# With 25 % zeros NeuroPrune has {glue:text}`acc_neuroprune_25:.1f` % right, and the dense encoder {glue:text}`acc_dense_0:.1f` %. Magnitude pruning loses no accuracy even with 70 %. With 95 % all three methods lose accuracy. NeuroPrune then has {glue:text}`acc_neuroprune_95:.1f` % right on SST-2. In this encoder {glue:text}`heads_left:d` of {glue:text}`heads_all:d` {term}`heads <head>` are left, and none in the first {glue:text}`headless:d` blocks. On Yelp, NeuroPrune with 95 % zeros has {glue:text}`acc_Yelp_95:.1f` % right, little more than guessing.
#
# The paper calls its sparse encoders high-performing. Ours come from a smaller encoder and a short training, and many answer less well. So we test under harder conditions whether sparser means more alike. The fold has the shares of zeros that were reached.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-encoders", "caption": "Share of zeros that was aimed at and reached, accuracy with its 95 % interval, and heads left."}}
table.round(1).astype({"heads": int})

# %% [markdown]
# ## The sparser, the more alike?
#
# We take the {term}`layer map` of each encoder under GW at {term}`[CLS]`, {term}`normalised`: each block is divided by its mean distance. The mean over all pairs of blocks says how different the blocks of an encoder are.


# %%
def mean_gw(run, key="cls/mean/gw"):
    """Mean distance of two different blocks."""
    values = run.maps[key].values
    return np.nanmean(values[np.triu_indices(len(values), k=1)])


alike = {
    name: [mean_gw(dense), *(mean_gw(runs[name, t]) for t in TARGETS)]
    for name in METHODS
}

# %% tags=["remove-cell"]
aims = (0, *TARGETS)
alike["NeuroPrune, Yelp"] = [mean_gw(on_yelp[t]) for t in aims]
for name, values in alike.items():
    key = METHODS.get(name, "yelp")
    note(**{f"gw_{key}_{t}": v for t, v in zip(aims, values, strict=True)})
upper = np.triu_indices(len(emptiest), k=1)
left = np.isfinite(emptiest[upper])
note(pairs_left=int(left.sum()), pairs_all=len(left))
dense_map = dense.maps["cls/mean/gw"].values[upper]
note(gw_same_pairs=dense_map[left].mean() if left.any() else np.nan)

# %% tags=["remove-cell"]
slow = [mean_gw(run) for run in usual]
reached = {name: [dense, *(runs[name, t] for t in TARGETS)] for name in METHODS}
drawn = {
    "SST-2": (reached, np.mean(slow), mean_gw(before)),
    "Yelp": (
        {"NeuroPrune": [on_yelp[t] for t in aims]},
        mean_gw(usual_yelp),
        mean_gw(on_yelp["pre-trained"]),
    ),
}
fig, axes = plt.subplots(
    1, 2, figsize=(6.4, 3.4), dpi=110, layout="constrained", sharey=True
)
plt.close(fig)
for ax, (task, (lines, low, first)) in zip(axes, drawn.items(), strict=True):
    for (name, some), (hue, dash) in zip(lines.items(), viz.LINES, strict=False):
        x, y = [100 * run.sparsity for run in some], [mean_gw(run) for run in some]
        ax.plot(x, y, dash, color=hue, marker="o", ms=4, lw=2, label=name)
    ax.axhline(
        low, color="black", ls="--", lw=1, label="dense, a quarter of the rate"
    )
    ax.axhline(first, color="black", ls=":", lw=1.2, label="before fine-tuning")
    ax.set(title=task, xlabel="zeros (%)")
    ax.set_ylim(bottom=0)
    ax.grid(alpha=0.3)
axes[0].set_ylabel("mean GW distance of two blocks")
names = axes[0].get_legend_handles_labels()
fig.legend(*names, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
keep_figure("fig_in_short_09b", fig)

# %% [markdown]
# {numref}`fig-09b-in-short` shows the means. Under NeuroPrune the mean is {glue:text}`gw_neuroprune_0:.2f` without zeros. It falls to {glue:text}`gw_neuroprune_25:.2f` with 25 % of them. With 70 % it is {glue:text}`gw_neuroprune_70:.2f`. This is what the paper says. With 95 % zeros it is {glue:text}`gw_neuroprune_95:.2f`, a small step lower. The other two ways do the same. With 95 % zeros plain l1 has {glue:text}`gw_l1_95:.2f`, and magnitude pruning {glue:text}`gw_magnitude_95:.2f`. So the fall does not need NeuroPrune.
#
# On Yelp the mean falls less, from {glue:text}`gw_yelp_0:.2f` to {glue:text}`gw_yelp_95:.2f`. With 25 % zeros it is still {glue:text}`gw_yelp_25:.2f`.
#
# The mean of NeuroPrune with 95 % zeros needs care. There the first {glue:text}`headless:d` blocks are {term}`silent` at [CLS], so they have no distance to others. The mean is over {glue:text}`pairs_left:d` pairs of {glue:text}`pairs_all:d`. In the dense encoder these same pairs have a mean of {glue:text}`gw_same_pairs:.2f`, so the fall is not due to the missing pairs.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-means", "caption": "Mean GW distance of two blocks, by the share of zeros that was aimed at."}}
pd.DataFrame(alike, index=aims).rename_axis("zero (%)").round(3)

# %% [markdown]
# ## Are zeros needed?
#
# Is there a dense encoder with a mean as small? We set the one that was fine-tuned at the usual rate beside the sparse ones, and ask how much the means depend on the choice of texts. So we compute them again on twenty random halves of 100 texts.


# %%
def on_halves(run, halves=20):
    """Mean GW of the blocks on random halves of the first 100 texts."""
    reps = run.reps["cls"].head(100)
    n = reps.n_samples // 2
    how = {"degenerate": "nan", "progress": False}
    some = [reps.subsample(n, s) for s in range(halves)]
    maps = [fs.compare(half, **how).values for half in some]
    inner = np.triu_indices(len(reps), k=1)
    return np.array([np.nanmean(m[inner]) for m in maps])


# %% tags=["remove-cell"]
note(seed_spread=max(slow) - min(slow), gw_slow=np.mean(slow))
note(gw_came=mean_gw(before), gw_slow_yelp=mean_gw(usual_yelp))
note(acc_slow=100 * usual[0].scores["accuracy"])
note(first_yelp=mean_gw(on_yelp[0]) - mean_gw(on_yelp[25]))

# %% tags=["remove-cell"]
halves = {"dense, higher rate": on_halves(dense)}
halves |= {f"NeuroPrune, {t} %": on_halves(runs["NeuroPrune", t]) for t in TARGETS}
halves |= {
    "dense, usual rate": on_halves(usual[0]),
    "before fine-tuning": on_halves(before),
}
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

# %% [markdown]
# The mean over halves, and the middle 95 %:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean GW distance on random halves of the texts, with intervals, for six encoders on SST-2. It falls from dense at the higher rate over 25 % to 70 % zeros. The intervals of 70 %, 95 % and dense at the usual rate overlap. Before fine-tuning it is far lower."}, "figure": {"name": "fig-09b-halves", "caption": "Mean GW distance of two blocks on random halves of the texts of SST-2, with the middle 95 %. The dense encoder at the usual rate is about as low as the sparsest ones."}}
ends = {end: sure[[end]].set_axis(["mean GW"], axis=1) for end in sure}
viz.dots(
    ends["mean"],
    ends["low"],
    ends["high"],
    xlabel="mean GW distance of two blocks",
)

# %% [markdown]
# In {numref}`fig-09b-halves` the intervals of 0, 25 and 70 % zeros do not overlap. Those of 70 and 95 % do. At the usual rate the seed matters little. There we have three seeds, and their means differ by {glue:text}`seed_spread:.3f` at most. On Yelp, 25 % zeros lower the mean by {glue:text}`first_yelp:.3f`, hardly more than the seeds differ on SST-2. The sparse encoders have one seed each, so we do not know how much it matters for them.
#
# The dense encoder at the usual rate answers the question. Its mean is {glue:text}`gw_slow:.2f` over three seeds, as small as with 95 % zeros. It is no worse at its task either, with {glue:text}`acc_slow:.1f` % right. On Yelp the usual rate gives {glue:text}`gw_slow_yelp:.2f`. So sparsity is not needed for a small distance. Before fine-tuning the mean is only {glue:text}`gw_came:.2f`. Fine-tuning adds to the distances. It adds less at the usual rate, and less where weights are taken away.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-halves", "caption": "Mean GW distance of two blocks on random halves of the texts: its mean, and the ends of the middle 95 %."}}
sure.round(3)

# %% [markdown]
# Here are the means of the three seeds at the usual rate, on all texts:

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-seeds", "caption": "Mean GW distance of two blocks in three dense encoders, at the usual learning rate on SST-2."}}
pd.Series(slow, index=["seed 0", "seed 1", "seed 2"], name="mean GW").round(
    3
).to_frame()

# %% [markdown]
# ## Is it the lost accuracy?
#
# An encoder that answers less well may also change the texts less from block to block. If this were all, an encoder of the same accuracy would have the same mean.

# %% tags=["remove-cell"]
about = pd.DataFrame(
    {
        "zero": {k: r.sparsity for k, r in everything.items()},
        "accuracy": {k: r.scores["accuracy"] for k, r in everything.items()},
        "moved": {k: r.moved.mean() for k, r in everything.items()},
        "scale of the last block": {k: r.scale[-1] for k, r in everything.items()},
        "mean GW": {k: mean_gw(r) for k, r in everything.items()},
        "mean GW, raw": {
            k: mean_gw(r, "cls/raw/gw") for k, r in everything.items()
        },
    }
)
sparse = about.drop(index=("dense", 0))
as_good = sparse[sparse["accuracy"] >= about["accuracy"].iloc[0]]
note(n_as_good=len(as_good), gw_as_good=as_good["mean GW"].max())

# %% [markdown]
# Here are the ten encoders at the higher rate, and the dense one at the usual rate:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean GW distance against accuracy for eleven encoders on SST-2. Five encoders with 87 to 88 % accuracy lie between 0.30 and 0.40. Those with 72 to 81 % lie between 0.23 and 0.28. The dense encoder at the usual rate has 89 % and 0.22."}, "figure": {"name": "fig-09b-against", "caption": "Mean GW distance of two blocks against accuracy on SST-2. The numbers are the shares of zeros in per cent. Sparse encoders that answer as well as the dense one at their rate have smaller distances than it."}}
fig, ax = viz.new_figure(6.0, 3.8)
marks = dict(zip(METHODS, "os^", strict=True))
for k, (name, mark) in enumerate(marks.items()):
    colour, _ = viz.LINES[k]
    some = about.loc[[name]]
    x, y = 100 * some["accuracy"], some["mean GW"]
    ax.plot(x, y, mark, color=colour, ms=6, label=name)
    for target, *place in zip(TARGETS, x, y, strict=True):
        ax.annotate(f" {target}", place, fontsize=8, color=colour)
for run, filled, name in [
    (dense, "black", "dense"),
    (usual[0], "white", "dense, usual rate"),
]:
    x, y = 100 * run.scores["accuracy"], mean_gw(run)
    ax.plot(x, y, "D", color="black", mfc=filled, label=name)
ax.set(xlabel="accuracy (%)", ylabel="mean GW distance of two blocks")
ax.grid(alpha=0.3)
ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
fig

# %% [markdown]
# Of the sparse encoders in {numref}`fig-09b-against`, {glue:text}`n_as_good:d` are at least as accurate as the dense one at their rate. Their means are at most {glue:text}`gw_as_good:.2f`, and that of the dense one is {glue:text}`gw_magnitude_0:.2f`. Magnitude pruning with 70 % zeros has {glue:text}`gw_magnitude_70:.2f`. So lost accuracy is not the only reason.
#
# Over the ten encoders at the higher rate, the mean has a {term}`rank correlation` of {glue:text}`rank_zero:.2f` with the share of zeros, and of {glue:text}`rank_acc:.2f` with accuracy. Which of the two matters? A partial correlation holds one of them fixed and looks at the other.


# %%
def held(x, given, y="mean GW"):
    """Rank correlation of two columns with a third one held fixed."""
    rank = about.rank().corr()
    a, b, c = rank.loc[x, y], rank.loc[x, given], rank.loc[y, given]
    return (a - b * c) / np.sqrt((1 - b**2) * (1 - c**2))


# %% tags=["remove-cell"]
ranks = about.corr(method="spearman")[["mean GW", "mean GW, raw"]].drop(
    ["mean GW", "mean GW, raw"]
)
note(
    rank_zero=ranks.loc["zero", "mean GW"],
    rank_moved=ranks.loc["moved", "mean GW"],
    rank_acc=ranks.loc["accuracy", "mean GW"],
)
note(zero_held=held("zero", "accuracy"), acc_held=held("accuracy", "zero"))
note(rank_raw=ranks.loc["scale of the last block", "mean GW, raw"])
partial = pd.Series(
    {
        "zero, accuracy held fixed": held("zero", "accuracy"),
        "accuracy, zero held fixed": held("accuracy", "zero"),
    },
    name="mean GW",
).to_frame()

# %% [markdown]
# With accuracy held fixed, the correlation with the zeros is still {glue:text}`zero_held:.2f`. With the zeros held fixed, that with accuracy is {glue:text}`acc_held:.2f`. So the distance goes along with the zeros more than with accuracy. Ten encoders of one seed each can suggest which matters more. They cannot say by how much.
#
# There is a third possible reason. The weights of sparse encoders end farther from where fine-tuning began, because a weight that goes to zero moves. How far they moved has a rank correlation of {glue:text}`rank_moved:.2f` with the mean. We cannot separate it from the zeros.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-ranks", "caption": "Rank correlations over ten encoders on SST-2 with the mean GW distance, normalised and raw. Moved: how far the weights are from where fine-tuning began, as a share of their norm."}}
pd.concat([ranks, partial]).map("{:.2f}".format).replace("nan", "-")

# %% [markdown]
# The encoders one by one:

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-about", "caption": "Ten encoders on SST-2: share of zeros, accuracy, how far the weights moved, scale of the last block, and mean GW distance, normalised and raw."}}
about.round(3)

# %% [markdown]
# ## Is it scale?
#
# The paper's distances are raw. If the texts lie closer together in all blocks, all raw distances between blocks become smaller, whatever the shapes. The next figure follows raw and normalised means, and the {term}`scale` of the last block. Each is divided by its value in the dense encoder.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Three curves over the share of zeros under NeuroPrune on SST-2, on a logarithmic axis, each from 1. Raw mean GW and the scale of the last block fall together to one fiftieth or less. Normalised mean GW falls only to about one half."}, "figure": {"name": "fig-09b-scale", "caption": "NeuroPrune on SST-2: raw and normalised mean GW and the scale of the last block, each divided by its value in the dense encoder. Raw distances fall together with the scale. Normalised ones fall much less."}}
chain = about.loc[[("dense", 0), *(("NeuroPrune", t) for t in TARGETS)]]
shares = chain / chain.iloc[0]
viz.curves(
    {
        "raw mean GW": shares["mean GW, raw"],
        "scale of the last block": shares["scale of the last block"],
        "normalised mean GW": shares["mean GW"],
    },
    100 * chain["zero"],
    xlabel="zeros (%)",
    ylabel="share of the dense encoder's",
    yscale="log",
)

# %% tags=["remove-cell"]
at_70 = 100 * shares.loc[("NeuroPrune", 70)]
note(raw_at_70=at_70["mean GW, raw"], norm_at_70=at_70["mean GW"])
note(scale_at_70=at_70["scale of the last block"])

# %% [markdown]
# In {numref}`fig-09b-scale`, with 70 % zeros, the raw mean is {glue:text}`raw_at_70:.0f` % of the dense encoder's, and the scale of the last block {glue:text}`scale_at_70:.0f` %. The normalised mean is still {glue:text}`norm_at_70:.0f` %. So most of what raw distances show is that the clouds of texts shrink. Over the ten encoders the raw mean has a rank correlation of {glue:text}`rank_raw:.2f` with the scale of the last block. But scale is not all of it, because normalised distances fall as well.
#
# ## The same pattern?
#
# The paper says that the pattern of the map stays. Here are the maps on SST-2, for each way of pruning.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "GW maps of six blocks on SST-2 with 0, 25, 70 and 95 % zeros, in three rows for NeuroPrune, plain l1 and magnitude pruning. With 25 % the last two blocks are bright as in the dense encoder. With 70 % the last blocks are still the brightest, but less bright. With 95 % NeuroPrune has two white blocks, plain l1 is grey nearly everywhere, and magnitude pruning sets blocks 5 and 6 apart."}, "figure": {"name": "fig-09b-maps", "caption": "Normalised GW maps of six blocks on SST-2. Dark means alike. The maps of a row share one scale of colours. Up to 70 % zeros the last blocks stay the most different. White blocks are silent."}}
viz.map_grid(
    {
        name: {
            f"{t} %": (runs[name, t] if t else dense).maps["cls/mean/gw"]
            for t in aims
        }
        for name in METHODS
    }
)

# %% tags=["remove-cell"]
pattern = {
    name: [
        spearmanr(
            runs[name, t].maps["cls/mean/gw"].values[upper],
            dense_map,
            nan_policy="omit",
        ).statistic
        for t in TARGETS
    ]
    for name in METHODS
}
for name, values in pattern.items():
    for target, value in zip(TARGETS, values, strict=True):
        note(**{f"pattern_{METHODS[name]}_{target}": value})
note(pattern_least=min(min(values[:2]) for values in pattern.values()))

# %% [markdown]
# How much of the pattern stays? We take the rank correlation of each map with the dense one, over the pairs of blocks. It is 1 if the pairs keep their order.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-09b-pattern", "caption": "Rank correlation of each sparse encoder's map with that of the dense one, over the pairs of blocks."}}
pd.DataFrame(pattern, index=TARGETS).rename_axis("zero (%)").round(2)

# %% [markdown]
# With 25 and 70 % zeros the pattern stays: the least of the six correlations is {glue:text}`pattern_least:.2f`. With 95 % zeros, magnitude pruning keeps most of it ({glue:text}`pattern_magnitude_95:.2f`), and plain l1 less ({glue:text}`pattern_l1_95:.2f`). NeuroPrune has {glue:text}`pattern_neuroprune_95:.2f` there, but only over the {glue:text}`pairs_left:d` pairs that are left. These pairs are too few to tell whether the pattern is lost.
#
# ## Distances between texts
#
# The paper's Figure 11 shows how the distances between texts are distributed in each block of its sparse encoders on Yelp. As in [chapter 07](07-bert-fine-tuning.ipynb), we measure how far this distribution lies from that of the block before. The measure is a {term}`divergence` in {term}`nats`, on {glue:text}`n_few:d` texts.


# %%
def divergence(p, q, bins=40):
    """KL divergence of histogram `p` from `q`, in nats; no bin is empty."""
    if p is None or q is None:
        return np.nan
    edges = np.histogram_bin_edges(np.concatenate([p, q]), bins)
    p, q = (np.histogram(x, edges)[0] + 0.5 for x in (p, q))
    return entropy(p, q)


# %% tags=["remove-cell"]
def spread(run, n=100):
    """Distances of the first texts per block, of mean 1; None if all are zero."""
    layers = run.reps["cls"].head(n).values()
    return [
        None if is_degenerate(x) else pdist(x) / pdist(x).mean() for x in layers
    ]


n_few = min(run.reps["cls"].n_samples for run in on_yelp.values())
kl = {
    kind: [divergence(b, a) for a, b in pairwise(spread(run, n_few))]
    for kind, run in on_yelp.items()
}
note(n_few=n_few)
for kind in aims:
    note(**{f"kl_{kind}": np.nanmax(kl[kind])})
kl_steps = [f"block {k} to {k + 1}" for k in range(1, len(dense.scale))]
kl_table = pd.DataFrame(kl, index=kl_steps)

# %% [markdown]
# The change into each block:

# %% tags=["fig", "paper-F11", "hide-input"] mystnb={"image": {"alt": "KL divergence of the distances between texts from those in the block before, for four encoders on Yelp. Without zeros, with 25 % and with 70 % it is largest into block 5, at 0.7, 1.5 and 1.0 nats. With 95 % it is 0.5 into block 4 and nearly zero after it; before it there is no value."}, "figure": {"name": "fig-09b-texts", "caption": "How much the distribution of distances between texts changes into each block, on Yelp. Up to 70 % zeros the change into block 5 is the largest. With 95 % the first blocks are silent, and after block 4 hardly anything changes."}}
viz.curves(
    {f"{t} %" if t else "dense": kl[t] for t in aims},
    list(range(2, len(dense.scale) + 1)),
    xlabel="into block",
    ylabel="KL divergence (nats)",
)

# %% [markdown]
# The largest change is {glue:text}`kl_0:.2f` nats in the dense encoder. It is {glue:text}`kl_25:.2f` with 25 % zeros. Then it falls to {glue:text}`kl_70:.2f`, and with 95 % to {glue:text}`kl_95:.2f`. Only with 95 % is it smaller than in the dense encoder.

# %% tags=["paper-F11", "hide-input", "hide-output"] mystnb={"figure": {"name": "tab-09b-texts", "caption": "KL divergence of the distances between texts from those in the block before, in nats, by the share of zeros that was aimed at."}}
kl_table.round(3)

# %% [markdown]
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C20: the sparser, the smaller the differences between layers (5.2, Figure 6) | ours | agrees for three ways of pruning `all-MiniLM-L6-v2` on SST-2, and for one on Yelp, one seed each | mean GW {glue:text}`gw_neuroprune_0:.2f`, {glue:text}`gw_neuroprune_25:.2f`, {glue:text}`gw_neuroprune_70:.2f`, {glue:text}`gw_neuroprune_95:.2f` on SST-2, {glue:text}`gw_yelp_0:.2f`, {glue:text}`gw_yelp_25:.2f`, {glue:text}`gw_yelp_70:.2f`, {glue:text}`gw_yelp_95:.2f` on Yelp; but {glue:text}`gw_slow:.2f` in a dense encoder at a quarter of the rate |
# | C20, with raw distances | ours | agrees, and is mostly scale | with 70 % zeros raw mean GW is {glue:text}`raw_at_70:.0f` % of the dense encoder's, the scale of the last block {glue:text}`scale_at_70:.0f` %, normalised mean GW {glue:text}`norm_at_70:.0f` %; rank correlation with the scale {glue:text}`rank_raw:.2f` |
# | C20: in the same pattern | ours | agrees up to 70 %; at 95 % NeuroPrune leaves too few pairs of blocks to tell | rank correlation with the dense map {glue:text}`pattern_neuroprune_25:.2f`, {glue:text}`pattern_neuroprune_70:.2f`, {glue:text}`pattern_neuroprune_95:.2f`, the last over {glue:text}`pairs_left:d` pairs of {glue:text}`pairs_all:d` |
# | D13: which link between sparsity and similarity? | - | open | before fine-tuning the mean distance is {glue:text}`gw_came:.2f`, after it at the usual rate {glue:text}`gw_slow:.2f`, at {glue:text}`times_rate:.0f` times that rate {glue:text}`gw_neuroprune_0:.2f` |
#
# The paper expects the fall because fewer weights contribute to the answer. The fall does not depend on the method, since three methods show it. Lost accuracy alone does not explain it. And a small distance does not need zeros, since a smaller rate gives one without them. Why the distances fall, these maps do not say.
#
# **Before you compare a pruned model with its original**: divide each layer by its mean distance, and train both at the same rate. Set a dense one at a lower rate beside them, and count silent layers.
#
# ## Where the stored results come from
#
# The encoders were trained, and their blocks compared, before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
others = [before, *usual, usual_yelp]
for one in [*everything.values(), *on_yelp.values(), *others]:
    print(one.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
