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
# # 09 Sparse BERTs
#
# The paper fine-tunes its encoder again while most of its weights are made to vanish, and finds: the sparser the
# model, the smaller the differences between its layers. A reviewer asked what link one should expect, and why.
# There are at least three explanations. The method of pruning may do it. Or sparsity itself, however it is reached. Or the loss of accuracy:
# a model that does less changes less. This chapter prunes in three ways, to tell them apart.
#
# **What is smaller here.** `all-MiniLM-L6-v2`, distilled and then contrastively tuned for sentences, with six blocks where the paper has BERT-base with twelve, which was not run; {glue:text}`steps:,d` steps on SST-2, as on [page 08b](08b-six-blocks.ipynb); one seed for each
# sparse model.
#
# :::{admonition} What you will learn
# - how NeuroPrune makes weights vanish, part by part, on weights small enough to read;
# - why a penalty in the loss pulls unevenly under Adam;
# - whether layers grow alike with sparsity, and for which way of pruning;
# - how to tell an effect of sparsity from one of lost accuracy or of scale.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.2 with Figure 6, appendix C; the discussion of its reviews.
# **You need**: [chapter 08](08-bert-subnetworks.ipynb) and [page 08b](08b-six-blocks.ipynb).
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
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from scipy.spatial.distance import pdist
from scipy.stats import binomtest, entropy, spearmanr
from torch import nn

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_09 as check
from funcsim import viz
from funcsim.geometry import is_degenerate
from replication.encoder import fine_tuned
from replication.training.neuroprune import redundant_heads

# %% [markdown]
# ## NeuroPrune, part by part
#
# NeuroPrune {cite:p}`dhurandhar2024neuroprune` is the method that the paper uses. There is no public code, and the formulas of its
# description leave details open; where we had to choose, the docstrings of `replication.training.neuroprune` say what.
# It has three parts.
#
# **Rich get richer.** In the MLP, a neuron that has lost many of its connections loses the rest faster.
# With $n$ of its $d$ weights left, its weights shrink by $d / n$ times as much as those of a neuron that has all.
# Two neurons of six weights, one with half of them gone:

# %%
weights = torch.tensor(
    [[0.5, -0.4, 0.3, 0.6, -0.2, 0.1], [0.5, -0.4, 0.3, 0.0, 0.0, 0.0]]
)
for _ in range(20):
    left = (weights != 0).float().mean(dim=1, keepdim=True).clamp(min=1 / 6)
    weights = weights.sign() * (weights.abs() - 0.01 / left).clamp(min=0)
note(left_rich=int((weights[0] != 0).sum()), left_poor=int((weights[1] != 0).sum()))
weights.round(decimals=2)

# %% [markdown]
# After twenty steps the first has {glue:text}`left_rich:d` of six weights, the second {glue:text}`left_poor:d` of three.
#
# **Whole inputs go.** In the attention, all weights of queries, keys and values that read one input dimension are a group. A group of size $s$, the sum
# of its absolute weights, pays $\sqrt{s}$, so it shrinks with speed $1 / (2 \sqrt{s})$: small groups faster, until they are gone.
#
# **Redundant heads merge.** Two heads are alike if no weight differs by more than $\theta = 0.15$. A head is *dominated* by another if
# whatever is like it is like the other as well. Dominated heads are removed, and the one that stays writes what they wrote. Of two that
# dominate one another the later stays. Five heads, where 0 and 3 are copies, and 1 lies between 2 and 4:

# %%
like = torch.eye(5, dtype=torch.bool)
for a, b in [(0, 3), (1, 2), (1, 4)]:
    like[a, b] = like[b, a] = True
merged = redundant_heads(like, [True] * 5)
note(merged=", ".join(f"{gone} into {kept}" for gone, kept in merged))
merged

# %% [markdown]
# They merge: {glue:text}`merged`. The heads are gone through once, so 1 and 4 both stay, though after that each dominates the other: the smallest set is only approximated.
#
# ## A penalty that Adam divides away
#
# One would add such penalties to the loss. But Adam divides every gradient by its usual size, and that size is mostly noise of the task.
# So the pull of the penalty depends on how noisy the task is. Take one weight that the task does not need at all, which sees
# nothing but noise and an l1 penalty: once with the penalty in the loss, once as a shrinkage after the step, as weight decay in AdamW.


# %%
def weight_after(steps, noise, in_loss, strength=0.5, lr=0.01):
    """Where a weight of 0.5 goes that the task does not need."""
    w, rng = nn.Parameter(torch.tensor([0.5])), torch.Generator().manual_seed(seed)
    adam = torch.optim.AdamW([w], lr=lr, weight_decay=0)
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
    return w.item()


# %% [markdown]
# For a quiet and for a noisy task:

# %%
pulls = pd.DataFrame(
    {
        f"noise {noise:g}": {
            "in the loss": weight_after(300, noise, True),
            "after the step": weight_after(300, noise, False),
        }
        for noise in (0.1, 1, 10)
    }
)


# %% [markdown]
# The numbers for the text:

# %%
note(pull_quiet=pulls.iloc[0, 0], pull_noisy=pulls.iloc[0, 2])
note(
    never_zero=int((pulls.iloc[0] != 0).sum()), zero=int((pulls.iloc[1] == 0).sum())
)
pulls.round(3)

# %% [markdown]
# In the loss, the same penalty leaves {glue:text}`pull_quiet:.2f` of the weight where the task is quiet and {glue:text}`pull_noisy:.2f` where it is noisy, and
# never exactly zero. After the step it reaches zero in {glue:text}`zero:d` of three cases. So we shrink the weights after each step, by the learning rate times the
# gradient of the penalty, and not beyond zero. This is our choice; the description of NeuroPrune puts the penalties into the loss.
#
# How strong must a penalty be? We search by bisection for the strength at which the penalty alone, without a task, would empty the wanted share of the weights.
# The task pulls some of them back, and what was reached is said below.
#
# ## Twelve sparse encoders
#
# Now the real ones, from stored results. All of them, and the dense one beside them, are fine-tuned with four times the usual learning rate, 0.0002 in place of 0.00005. Adam moves a weight by about
# the learning rate in a step, so all steps together by about the sum of the rates; a penalty that is to empty most of the weights has to move them by their whole length. If that sum is small, the task cannot pull back
# what the penalty takes away. On SST-2 three ways of pruning, each aimed at 25, 70 and 95 %: NeuroPrune; *plain l1*, which shrinks all weights equally; and *magnitude*
# pruning, which kills the smallest weights, more and more of them over the first two thirds of the training.

# %%
METHODS = {"NeuroPrune": "neuroprune", "l1": "l1", "magnitude": "magnitude"}
TARGETS = (25, 70, 95)
dense = fine_tuned.load("sst2-fast", profile)
print(dense.origin)


# %% [markdown]
# Three ways, three shares:

# %%
runs = {
    (name, target): fine_tuned.load(f"sst2-{method}-{target}", profile)
    for name, method in METHODS.items()
    for target in TARGETS
}
note(steps=int(dense.history.step[-1]))


# %% [markdown]
# And NeuroPrune on Yelp, the paper's task, beside the dense encoder and the one that was not fine-tuned:

# %%
YELP = {"pre-trained": "pretrained", 0: "fast"}
YELP |= {target: f"neuroprune-{target}" for target in TARGETS}
on_yelp = {k: fine_tuned.load(f"yelp-{name}", profile) for k, name in YELP.items()}
note(steps_yelp=int(on_yelp[0].history.step[-1]))

# %% [markdown]
# Wanted and reached, with the 95 % interval of the accuracy on all validation texts:


# %%
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


# %% [markdown]
# All of them:

# %%
everything = {("dense", 0): dense} | runs
both = everything | {("Yelp", t): on_yelp[t] for t in (0, *TARGETS)}
table = pd.DataFrame({key: described(run) for key, run in both.items()}).T
for method, target in both:
    row = table.loc[(method, target)]
    name = f"{METHODS.get(method, method)}_{target}"
    note(**{f"acc_{name}": row["accuracy (%)"], f"zero_{name}": row["zero (%)"]})
heads = table["heads"]
note(heads_left=int(heads["NeuroPrune", 95]), heads_all=int(heads["dense", 0]))
table.round(1).astype({"heads": int})

# %% [markdown]
# The aims are met nearly, and at 25 % nothing is lost: {glue:text}`acc_neuroprune_25:.1f` % against {glue:text}`acc_dense_0:.1f` % without pruning. Magnitude pruning loses nothing even at 70 % ({glue:text}`acc_magnitude_70:.1f` %). Then it costs. NeuroPrune has {glue:text}`acc_neuroprune_70:.1f` % of the answers right at 70 % zeros and {glue:text}`acc_neuroprune_95:.1f` % at 95 %, where {glue:text}`heads_left:d` of
# {glue:text}`heads_all:d` heads are left and none in the first two blocks; magnitude pruning has {glue:text}`acc_magnitude_95:.1f` % there, plain l1 {glue:text}`acc_l1_95:.1f` %. On Yelp, with {glue:text}`steps_yelp:d` steps instead of {glue:text}`steps:,d`, {glue:text}`acc_Yelp_70:.1f` % are right at 70 % zeros and {glue:text}`acc_Yelp_95:.1f` % at 95 %: there is nearly nothing left of
# what it had learned. The paper calls its sparse models
# high-performing; ours, from a smaller model and a short training, are a stress test.
#
# ## The sparser, the more alike?
#
# The mean GW distance between the blocks of one encoder, each block divided by its mean distance, as the share of zeros grows.


# %%
def mean_gw(run, key="cls/mean/gw"):
    """Mean distance between two different blocks."""
    values = run.maps[key].values
    return np.nanmean(values[np.triu_indices(len(values), k=1)])


# %% [markdown]
# For every way of pruning:

# %%
aims = (0, *TARGETS)
alike = {
    name: [mean_gw(dense), *(mean_gw(runs[name, t]) for t in TARGETS)]
    for name in METHODS
}
alike["NeuroPrune, Yelp"] = [mean_gw(on_yelp[t]) for t in aims]
for name, values in alike.items():
    key = METHODS.get(name, "yelp")
    note(**{f"gw_{key}_{t}": v for t, v in zip(aims, values, strict=True)})
emptiest = runs["NeuroPrune", 95].maps["cls/mean/gw"].values
upper = np.triu_indices(len(emptiest), k=1)
note(pairs_left=int(np.isfinite(emptiest[upper]).sum()), pairs_all=len(upper[0]))
pd.DataFrame(alike, index=aims).rename_axis("zero (%)").round(3)

# %% [markdown]
# Drawn:

# %% tags=["fig"] mystnb={"image": {"alt": "Mean GW distance between blocks against the share of weights that are zero, for NeuroPrune, plain l1 and magnitude pruning on SST-2 and NeuroPrune on Yelp."}}
viz.curves(
    alike,
    x=aims,
    xlabel="weights that are to be zero (%)",
    ylabel="mean GW distance of blocks",
)

# %% [markdown]
# NeuroPrune brings the mean distance from {glue:text}`gw_neuroprune_0:.2f` down to {glue:text}`gw_neuroprune_25:.2f`, {glue:text}`gw_neuroprune_70:.2f` and {glue:text}`gw_neuroprune_95:.2f` on SST-2, as the paper says. So do the
# other two ways: at 95 % plain l1 has {glue:text}`gw_l1_95:.2f` and magnitude pruning {glue:text}`gw_magnitude_95:.2f`. So it is not NeuroPrune's doing. On Yelp NeuroPrune brings it from {glue:text}`gw_yelp_0:.2f` to {glue:text}`gw_yelp_25:.2f`, {glue:text}`gw_yelp_70:.2f` and {glue:text}`gw_yelp_95:.2f`.
# (A block is *silent* if it has the same vector for every text at [CLS]. It has no distance to others, and the mean is over the other blocks: with NeuroPrune at 95 %, {glue:text}`pairs_left:d` pairs of {glue:text}`pairs_all:d`.)
#
# How sure is it? First the texts: the same on twenty random halves of 100 of them.


# %%
def on_halves(run, halves=20):
    """Mean GW distance of the blocks on random halves of the first 100 texts."""
    reps = run.reps["cls"].head(100)
    n = reps.n_samples // 2
    maps = [
        fs.compare(reps.subsample(n, s), degenerate="nan", progress=False).values
        for s in range(halves)
    ]
    inner = np.triu_indices(len(reps), k=1)
    return np.array([np.nanmean(m[inner]) for m in maps])


# %% [markdown]
# The mean over halves, and the middle 95 %:

# %%
halves = {0: on_halves(dense)} | {
    t: on_halves(runs["NeuroPrune", t]) for t in TARGETS
}
pd.DataFrame(
    {
        t: {
            "mean": h.mean(),
            "low": np.quantile(h, 0.025),
            "high": np.quantile(h, 0.975),
        }
        for t, h in halves.items()
    }
).T.round(3)

# %% [markdown]
# Then the seeds. Each sparse encoder has one; the dense one of page 08b has three, and its mean distance differs from seed to seed by {glue:text}`seed_spread:.3f`:

# %%
slow = [mean_gw(fine_tuned.load("sst2-dense", profile, s)) for s in (0, 1, 2)]
note(seed_spread=max(slow) - min(slow), gw_slow=np.mean(slow))
note(gw_came=mean_gw(fine_tuned.load("sst2-pretrained", profile)))
pd.Series(slow, index=["seed 0", "seed 1", "seed 2"], name="mean GW").round(
    3
).to_frame()

# %% [markdown]
# Both are small beside the fall from 0 to 70 %; from 70 to 95 % the intervals overlap. But zeros are not needed for it: the dense encoder at the usual learning rate has {glue:text}`gw_slow:.2f`, as little as the one that has lost 95 % of its weights, and it lost none.
#
# ## Sparsity, accuracy or scale?
#
# Over the ten encoders: what goes with the mean distance?

# %%
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


# %% [markdown]
# "Moved" is how far the weights are from where fine-tuning began, as a share of their length. Rank correlations with the normalised and with the raw mean distance:

# %%
ranks = about.corr(method="spearman")[["mean GW", "mean GW, raw"]].drop(
    ["mean GW", "mean GW, raw"]
)
ranks.round(2)

# %% [markdown]
# Zeros and accuracy, each with the other held fixed:


# %%
def held(x, given, y="mean GW"):
    """Rank correlation of two columns with a third one held fixed."""
    rank = about.rank().corr()
    a, b, c = rank.loc[x, y], rank.loc[x, given], rank.loc[y, given]
    return (a - b * c) / np.sqrt((1 - b**2) * (1 - c**2))


note(
    rank_zero=ranks.loc["zero", "mean GW"],
    rank_moved=ranks.loc["moved", "mean GW"],
    rank_acc=ranks.loc["accuracy", "mean GW"],
)
note(zero_held=held("zero", "accuracy"), acc_held=held("accuracy", "zero"))
note(rank_raw=ranks.loc["scale of the last block", "mean GW, raw"])
pd.Series(
    {
        "zero, accuracy held": held("zero", "accuracy"),
        "accuracy, zero held": held("accuracy", "zero"),
    },
    name="mean GW",
).to_frame().round(2)

# %% [markdown]
# The encoders one by one:

# %%
about.round(3)

# %% [markdown]
# Raw distances go with the scale of the last block (rank correlation {glue:text}`rank_raw:.2f`): raw, "smaller differences" is mostly smaller clouds. With every block divided by its mean, the distance goes with the share of zeros ({glue:text}`rank_zero:.2f`) and with the accuracy
# ({glue:text}`rank_acc:.2f`). With the accuracy held fixed, the zeros keep {glue:text}`zero_held:.2f`; with the zeros held fixed, the accuracy keeps {glue:text}`acc_held:.2f`. And magnitude pruning to 70 % has lost no accuracy, yet its mean distance is {glue:text}`gw_magnitude_70:.2f` instead of {glue:text}`gw_magnitude_0:.2f`. So a worse encoder is not the only reason. How far the weights moved goes with the distance as much as the zeros do ({glue:text}`rank_moved:.2f`): the weights of sparse encoders moved more, not less. With ten encoders of one seed each, the direction is clear and the size is not.
#
# ## Distances between texts
#
# The paper's Figure 11 shows how the distances between texts are distributed in every block of its sparse models on Yelp. In numbers,
# as in [chapter 07](07-bert-fine-tuning.ipynb): how far each block's histogram is from that of the block before, in nats, on {glue:text}`n_few:d` texts.


# %%
def divergence(p, q, bins=40):
    """KL divergence of histogram `p` from `q`, in nats; no bin is empty."""
    if p is None or q is None:
        return np.nan
    edges = np.histogram_bin_edges(np.concatenate([p, q]), bins)
    p, q = (np.histogram(x, edges)[0] + 0.5 for x in (p, q))
    return entropy(p, q)


def spread(run, n=100):
    """Distances of the first texts per block, of mean 1; None if all are zero."""
    layers = run.reps["cls"].head(n).values()
    return [
        None if is_degenerate(x) else pdist(x) / pdist(x).mean() for x in layers
    ]


n_few = min(run.reps["cls"].n_samples for run in on_yelp.values())


# %% [markdown]
# From block to block:

# %% tags=["paper-F11"]
kl = {
    kind: [divergence(b, a) for a, b in pairwise(spread(run, n_few))]
    for kind, run in on_yelp.items()
}
note(n_few=n_few)
for kind in (0, *TARGETS):
    note(**{f"kl_{kind}": np.nanmax(kl[kind])})
steps = [f"block {k} to {k + 1}" for k in range(1, len(dense.scale))]
pd.DataFrame(kl, index=steps).round(3)

# %% [markdown]
# The largest step is {glue:text}`kl_0:.2f` nats in the dense encoder and {glue:text}`kl_25:.2f`, {glue:text}`kl_70:.2f` and {glue:text}`kl_95:.2f` in the sparse ones.
# At 25 and 70 % the change of shape gathers in one step, from block 4 to block 5. At 95 % [CLS] is silent in the first blocks, and after block 4 nothing changes any more.
#
# ## The same pattern?
#
# The paper says that the pattern stays. Rank correlation of each sparse map with the dense one, over the pairs of blocks:

# %%
inner = np.triu_indices(len(dense.scale), k=1)
dense_map = dense.maps["cls/mean/gw"].values[inner]


# %% [markdown]
# For each way and share:

# %%
pattern = {
    name: [
        spearmanr(
            runs[name, t].maps["cls/mean/gw"].values[inner],
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
pd.DataFrame(pattern, index=TARGETS).rename_axis("zero (%)").round(2)

# %% [markdown]
# At 25 and 70 % the pattern stays: the least of the six is {glue:text}`pattern_least:.2f`. At 95 % NeuroPrune has lost it ({glue:text}`pattern_neuroprune_95:.2f`), plain l1 half of it ({glue:text}`pattern_l1_95:.2f`); magnitude pruning, which does not press on the weights that stay, keeps most ({glue:text}`pattern_magnitude_95:.2f`).
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Layers of a pruned encoder have smaller raw distances. What else, besides function, may be the reason?**
#
# <details><summary>a. Zeros cannot be compared.</summary>No: zeros are numbers like others.</details>
# <details><summary>b. Pruned encoders need more texts.</summary>No: the same texts are used for all.</details>
# <details><summary>c. Pruned encoders say less loudly what they say: their layers are narrower.</summary>Right: divide by the scale first. Here something is left after that as well.</details>
#
# **2. An encoder has so many zeros that it answers no better than by guessing. May it be used to show how sparsity changes layers?**
#
# <details><summary>a. Only beside others that are as sparse and still work, or as bad and dense.</summary>Right: that is how the two effects are told apart.</details>
# <details><summary>b. No encoder may.</summary>No: some have zeros and still do their task.</details>
# <details><summary>c. Yes, it is the sparsest.</summary>No: one cannot tell what sparsity did from what the loss of the task did.</details>
#
# ## Exercises
#
# :::{exercise} To zero, and not beyond
# :label: ex-09-shrink
#
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* Write `shrink(weights, amount)`: every weight moved towards zero by `amount`, and zero if it would go beyond.
#
# ```{dropdown} Hint 1
# The sign stays, the size loses `amount`.
# ```
# ```{dropdown} Hint 2
# `np.maximum(..., 0)`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def shrink(weights, amount):
    """Weights of any shape, moved towards zero."""
    return np.sign(weights) * np.maximum(np.abs(weights) - amount, 0)


check.shrink(shrink)

# %% [markdown]
# :::{exercise} How sparse is it?
# :label: ex-09-zeros
#
# *Difficulty 1 of 4, importance 3 of 5, 5 minutes.* Write `zeros(matrices)`: for a list of weight matrices the share of all weights that are exactly zero.
#
# ```{dropdown} Hint 1
# The matrices are not equally large.
# ```
# ```{dropdown} Hint 2
# Add zeros, add sizes, divide once.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def zeros(matrices):
    """Share of all weights of a list of arrays that are zero."""
    return sum((m == 0).sum() for m in matrices) / sum(m.size for m in matrices)


check.zeros(zeros)

# %% [markdown]
# :::{exercise} What Adam does to a penalty
# :label: ex-09-adam
#
# *Difficulty 3 of 4, importance 5 of 5, 15 minutes.* Write `adam_moves(gradients, lr)`: where Adam (with $\beta_1 = 0.9$, $\beta_2 = 0.999$, $\epsilon = 10^{-8}$) brings one weight that began at 0, given the gradient of every step. Then make all gradients ten times as large.
#
# ```{dropdown} Hint 1
# Two running means: of the gradients, and of their squares. The step is one divided by the root of the other.
# ```
# ```{dropdown} Hint 2
# Both begin at zero. In step $k$, counted from 1, divide them by $1 - \beta^k$.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def adam_moves(gradients, lr):
    """Where a weight that began at 0 is after gradients (steps,)."""
    m = v = w = 0.0
    for k, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        w -= lr * m / (1 - 0.9**k) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    return w


check.adam_moves(adam_moves)

# %% [markdown]
# :::{exercise} Layers that have fallen silent
# :label: ex-09-silent
#
# *Difficulty 2 of 4, importance 4 of 5, 10 minutes.* In a sparse encoder a block may say the same of all texts. Write `is_silent(layer)`: whether the rows of a layer (n, d) are all the same, up to rounding. Mind that a layer may be small, or have large numbers in all rows.
#
# ```{dropdown} Hint 1
# What counts is how far rows differ, relative to how large they are.
# ```
# ```{dropdown} Hint 2
# A spread of less than a millionth of the largest number is rounding.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def is_silent(layer):
    """Whether all rows of a layer (n, d) are the same."""
    spread = np.ptp(layer, axis=0).max()
    return bool(spread <= 1e-6 * np.abs(layer).max())


check.is_silent(is_silent)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C20: the sparser, the smaller the differences between layers (5.2, Figure 6) | ours | agrees for three ways of pruning `all-MiniLM-L6-v2` and two tasks, one seed each | mean GW {glue:text}`gw_neuroprune_0:.2f`, {glue:text}`gw_neuroprune_25:.2f`, {glue:text}`gw_neuroprune_70:.2f`, {glue:text}`gw_neuroprune_95:.2f` on SST-2, {glue:text}`gw_yelp_0:.2f`, {glue:text}`gw_yelp_25:.2f`, {glue:text}`gw_yelp_70:.2f`, {glue:text}`gw_yelp_95:.2f` on Yelp; but {glue:text}`gw_slow:.2f` in a dense encoder at a quarter of the rate |
# | C20, with raw distances | ours | agrees, and is scale | rank correlation with the scale of the last block {glue:text}`rank_raw:.2f` |
# | C20: in the same pattern | ours | agrees up to 70 %, not at 95 % for NeuroPrune | rank correlation with the dense map {glue:text}`pattern_neuroprune_25:.2f`, {glue:text}`pattern_neuroprune_70:.2f`, {glue:text}`pattern_neuroprune_95:.2f` |
# | D13: which link between sparsity and similarity? | - | open | the encoder as it came has a mean distance of {glue:text}`gw_came:.2f`, after fine-tuning at the usual rate {glue:text}`gw_slow:.2f`, at four times that rate {glue:text}`gw_neuroprune_0:.2f` |
#
# The link is not one of the method, since three methods do the same, and not one of lost accuracy alone. Fine-tuning adds to the distances, less so at a smaller rate and less so where weights are taken away. Why, these maps do not say.
#
# **Before you compare a pruned model with its original**: divide by the mean, train both at the same rate, and count the layers that have fallen silent.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
