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
#     data: [leaderboard]
# ---

# %% [markdown]
# # Is the boundary real?
#
# The reviewers of the paper had two questions that no picture answers. Is a block a *function*? And why Gromov-Wasserstein, when CKA is cheaper and looks the same? Both can be put to a test where the truth is
# known. [Chapter 04](04-modular-sum-training.ipynb) trained chains of networks, each part of which computes one function and hands on nothing but its answer. Here ten measures are asked where one function ends
# and the next begins, and so are guesses that look at no activation at all.
#
# **What is smaller here.** The chains are small, their parts are transformers of one to three blocks, and their functions are sums and products. A measure that fails here may do well on language. But there we could not tell.
#
# :::{admonition} What you will learn
# - how to score a partition against a truth, and against guesses that cost nothing;
# - which measures find boundaries of function, with an interval over networks;
# - what each measure finds where there is nothing to find;
# - which choices a conclusion about GW survives: scale, outliers, solver, sample;
# - what to report with a map, and when to take GW and when CKA.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5; the discussion of its reviews.
# **You need**: [chapter 03](03-ten-measures.ipynb), [chapter 06](06-modular-sum-subnetworks.ipynb) and [chapter 08](08-bert-subnetworks.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0

# %% [markdown]
# The imports:

# %%
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

import funcsim as fs
from bookkit.notes import note
from funcsim.checks import chapter_13 as check
from funcsim.experiments import leaderboard, modular_sum
from funcsim.experiments.variants import VARIANTS
from funcsim.nulls import spectrum_matched
from funcsim.partition import dissimilarity
from funcsim.stitching import stitch

# %% [markdown]
# ## The question
#
# Every chain is mapped under every measure that takes its layers, in two ways: its *stream*, each state once, and its *inner* layers, one head for all four. Every map is cut twice: by the test of [chapter 06](06-modular-sum-subnetworks.ipynb), which may say
# "one block", and into the right number of blocks, as a kindness. A row of the frozen table is one such map.

# %%
rows, origin = leaderboard.load(profile, seed)
print(origin)
trained = rows[rows["state"] == "trained"]
networks = sorted(trained["network"].unique())
note(n_networks=len(networks), n_rows=len(rows))
trained.iloc[:5, :8]

# %% [markdown]
# Three scores. *Exact*: the cuts are the truth. *F1*: how many of the cuts are true boundaries and how many boundaries are cut, as one number; a cut one layer off counts as wrong. *ARI*, the adjusted Rand index:
# do pairs of layers that belong together stay together? It is 1 for the truth and 0 by chance. For each score the mean over {glue:text}`n_networks:d` chains, with an interval from drawing chains again and again, because chains and not maps are what differs.

# %%
SCORES = ["exact", "f1", "ari", "f1 given K", "ari given K"]


def by_network(table, score):
    """The mean of a score for every measure (rows) and chain (columns)."""
    numbers = table.assign(score=table[score].astype(float))
    return numbers.pivot_table(index="measure", columns="network", values="score")


# %% [markdown]
# The interval of a mean over chains:


# %%
def interval(scores, n_boot=2000):
    """Ends of the 95 % bootstrap interval of the mean of every row (chains in columns)."""
    drawn = np.random.default_rng(seed).integers(
        scores.shape[1], size=(n_boot, scores.shape[1])
    )
    means = np.nanmean(scores.to_numpy()[:, drawn], axis=2)
    return np.nanquantile(means, [0.025, 0.975], axis=1)


# %% [markdown]
# ## The leaderboard
#
# A table per kind of layers. The best first, by F1 when the number of blocks is told:


# %%
def ranked(table, by="f1 given K"):
    """Means of all scores, and the interval of one of them."""
    means = pd.DataFrame(
        {score: by_network(table, score).mean(axis=1) for score in SCORES}
    )
    low, high = interval(by_network(table, by))
    means["interval"] = [
        f"{a:.2f} to {b:.2f}" for a, b in zip(low, high, strict=True)
    ]
    return means.sort_values(by, ascending=False)


stream = trained[trained["layers"] == "stream"]
usual = stream[~stream["measure"].isin(VARIANTS)]
board = ranked(usual)
board.round(2)

# %% [markdown]
# (OBSERVE-stream)
#
# And of the inner layers, whose widths differ:

# %%
inner = ranked(trained[trained["layers"] == "inner"])
inner.round(2)

# %% [markdown]
# (OBSERVE-inner)
#
# ## Where there is nothing to find
#
# Four states of every chain: trained; before training, when no part computes a function; layers replaced by Gaussian clouds of the same spectrum; and one cloud projected to the width of every layer. In what share of the
# chains does the test find at least one boundary?

# %%
STATES = list(leaderboard.STATES)
cut = rows[(rows["layers"] == "stream") & ~rows["measure"].str.startswith("guess")]
cut = cut[~cut["measure"].isin(VARIANTS)].dropna(subset=["K found"])
found = cut.assign(any=cut["K found"].astype(float) > 1)
nulls = found.pivot_table(
    index="measure", columns="state", values="any", aggfunc="mean"
)
nulls[STATES].round(2)

# %% [markdown]
# (OBSERVE-nulls)
#
# ## The same map, made otherwise
#
# What if distances are raw? If the samples farthest out are left away, or the first principal direction of every layer? If the solver starts once, as POT does, or the distance is replaced by what is certified, its lower bound? If there are a quarter of the inputs?

# %%
both = ["gw", "rsm", *VARIANTS]
first_draw = stream[(stream["draw"] == 0) & stream["measure"].isin(both)]
survived = ranked(first_draw).loc[lambda t: t.index.isin(both)]
survived.round(2)

# %% [markdown]
# (OBSERVE-variants)
#
# ## GW or CKA, once more
#
# Chain by chain: the difference of the two in F1 when the number of blocks is told, and its interval.

# %%
score = by_network(usual, "f1 given K")
against = {
    name: score.loc["gw"] - score.loc[name]
    for name in ("cka", "rsm")
    if "gw" in score.index and name in score.index
}
if against:
    paired = pd.DataFrame(against).T
    low, high = interval(paired)
    paired = pd.DataFrame(
        {"GW minus": paired.mean(axis=1), "from": low, "to": high}
    )
paired.round(2) if against else "profile smoke has no GW"

# %% [markdown]
# (OBSERVE-paired)
#
# ## Cut and stitch
#
# A map is a picture of similarity. What if one acts on it? In every chain, each layer of the stream is made anew from an earlier one by the best affine map, fitted on half of all pairs; the rest of the network goes on from there
# and answers the other half. If nothing is lost, then nothing between the two layers is needed that an affine map cannot do, and the first can stand for the second. {cite:t}`lenc2015equivariance` and {cite:t}`bansal2021stitching` compare
# networks in this way; here a network is stitched to itself.


# %%
def stream_of(model, pairs):
    """All numbers of each layer of the stream, and the layers' names."""
    names = leaderboard.layers_of(tuple(model.representation_layers), "stream")
    return fs.capture(model, [pairs], names, progress=False)


def stitched(chain, source=None, last=False):
    """Accuracy when one layer, or only the last, is made from another."""
    rows = np.random.default_rng(seed).random(len(chain.pairs)) < 0.5
    reps = stream_of(chain.model, chain.pairs)
    reps = reps.select(list(reps.names[-1:])) if last else reps
    truth = chain.targets[:, -1]
    return stitch(chain.model, chain.pairs, truth, reps, rows, source)


# %% [markdown]
# Every chain, stitched in all ways. The first is shown: rows are what a layer is made from, and the diagonal is the untouched network.

# %% tags=["fig"] mystnb={"image": {"alt": "(OBSERVE-alt-stitch) Accuracy of the chain 1-2 when the layer of the column is made from that of the row."}}
chains = {
    name: modular_sum.load(f"known-boundaries/{name}", profile, seed)
    for name in networks
}
stitches = {name: stitched(chain) for name, chain in chains.items()}
stitches["1-2"].plot(title="Chain 1-2: right answers, stitched")

# %% [markdown]
# (OBSERVE-stitch)
#
# Three controls. If a layer is made from noise with the same spectrum, does the rest of the network answer by itself? Can the last layer be made from any layer of the same chain before training? And what is right if one always gives the most frequent answer?


# %%
def controls(chain):
    """The best accuracy when noise is given to any layer, and when the last is made from an untrained one."""
    reps = stream_of(chain.model, chain.pairs)
    noise = spectrum_matched(reps.select([reps.names[0]]), seed)
    untrained = stream_of(chain.plan.network(seed).eval(), chain.pairs)
    counts = np.bincount(chain.targets[:, -1])
    return {
        "from noise": stitched(chain, noise).values.max(),
        "from untrained": stitched(chain, untrained, last=True).values.max(),
        "most frequent": counts.max() / counts.sum(),
    }


control = pd.DataFrame({name: controls(chain) for name, chain in chains.items()}).T
control.round(2)

# %% [markdown]
# (OBSERVE-controls)
#
# Which steps cannot be made straight? Attention (to the middle of a block), MLP (to its end), and the hand-over from one function to the next:


# %%
def kind(before, after):
    """What happens between two neighbours of the stream."""
    if before.split(".")[1] != after.split(".")[1]:
        return "hand-over"
    return "attention" if after.endswith("mid") else "MLP"


steps = pd.DataFrame(
    [
        (name, kind(before, after), m.values[k, k + 1])
        for name, m in stitches.items()
        for k, (before, after) in enumerate(pairwise(m.names))
    ],
    columns=["network", "step", "accuracy"],
)
steps.groupby("step")["accuracy"].describe()[["count", "mean", "min", "max"]].round(
    2
)

# %% [markdown]
# (OBSERVE-steps)
#
# Now the question of the reviewers: is what looks alike what can stand for the other? For each chain, the rank correlation over all pairs of layers between their distance and the accuracy that a stitch loses; and, for comparison, how far apart the layers are in depth.


# %%
def foretold(chain, m, n=200):
    """Rank correlation of distance and of depth with the accuracy lost."""
    upper = np.triu_indices(len(m.names), k=1)
    lost = m.values[0, 0] - m.values[upper]
    few = stream_of(chain.model, chain.pairs).subsample(n, seed)
    by = {
        measure: dissimilarity(fs.compare(few, measure=measure, progress=False))[
            upper
        ]
        for measure in ("gw", "rsm", "cka", "euclidean")
    }
    by["depth"] = upper[1] - upper[0]
    return {name: stats.spearmanr(d, lost).statistic for name, d in by.items()}


foretell = pd.DataFrame(
    {name: foretold(chains[name], m) for name, m in stitches.items()}
)
low, high = interval(foretell)
summary = pd.DataFrame({"mean": foretell.mean(axis=1), "from": low, "to": high})
summary.sort_values("mean", ascending=False).round(2)

# %% [markdown]
# (OBSERVE-foretold)
#
# And the map of stitches itself, cut like all others: does acting find what looking does not?

# %%
acted = pd.DataFrame({name: leaderboard.score(m) for name, m in stitches.items()}).T
acted[["K", "K found", *SCORES]]

# %% [markdown]
# (OBSERVE-acted)
#
# ## What a careful user should report
#
# (OBSERVE-conclusion)
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A measure finds the right boundary in every trained chain, and a boundary in every untrained one. What is it worth?**
#
# <details><summary>a. It is the best: it misses nothing.</summary>No: who always cries finds every thief.</details>
# <details><summary>b. Its findings say little: they do not depend on whether there is a function.</summary>Right: look at the null first.</details>
# <details><summary>c. Untrained chains have functions, too.</summary>No: before training no part computes its sum.</details>
#
# **2. A layer can be made from an earlier one by an affine map without any loss. What follows?**
#
# <details><summary>a. The layers in between do nothing.</summary>No: they may do something that is not needed, or something affine.</details>
# <details><summary>b. Nothing that is needed between the two is more than affine.</summary>Right: that is what stitching tests, no more and no less.</details>
# <details><summary>c. The two layers are at distance 0 under GW.</summary>No: an affine map may stretch, and GW sees that.</details>
#
# ## Exercises
#
# :::{exercise} Score a cut
# :label: ex-13-f1
#
# *Difficulty 1 of 5, importance 4 of 5, 5 minutes.* Write `f1_of_cuts(found, true)`, two tuples of places: the harmonic mean of precision and recall. What should it be if both are empty?
#
# ```{dropdown} Hint 1
# Precision: which share of what was found is true? Recall: which share of what is true was found?
# ```
# ```{dropdown} Hint 2
# Twice the number that both have, divided by the sum of their numbers.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def f1_of_cuts(found, true):
    """From 0 to 1; a cut that is one layer off is wrong."""
    if not found and not true:
        return 1.0
    return 2 * len(set(found) & set(true)) / (len(found) + len(true))


check.f1_of_cuts(f1_of_cuts)

# %% [markdown]
# :::{exercise} Make a layer from another
# :label: ex-13-made
#
# *Difficulty 2 of 5, importance 4 of 5, 10 minutes.* Write `made_from(source, target, rows)`: fit the best affine map from `source` (n, d) to `target` (n, e) on the samples where `rows` is true, and return what it makes of the others.
#
# ```{dropdown} Hint 1
# An affine map is a linear one with a shift: add a column of ones to the source.
# ```
# ```{dropdown} Hint 2
# `np.linalg.lstsq(a, b, rcond=None)[0]` are the weights; `~rows` are the others.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def made_from(source, target, rows):
    """The affine image (m, e) of the m samples that are not in rows."""
    ones = np.column_stack([source, np.ones(len(source))])
    weights = np.linalg.lstsq(ones[rows], target[rows], rcond=None)[0]
    return ones[~rows] @ weights


check.made_from(made_from)

# %% [markdown]
# :::{exercise} Which measure is better?
# :label: ex-13-gain
#
# *Difficulty 3 of 5, importance 5 of 5, 15 minutes.* Two measures were scored on the same chains. Write `gain(one, other, rng)`: the mean difference of their scores (n,), and both ends of its 95 % bootstrap interval, from 2,000 draws of n chains with `rng`.
#
# ```{dropdown} Hint 1
# Some chains are hard for both. If you draw a chain, draw both of its scores.
# ```
# ```{dropdown} Hint 2
# `rng.choice(one - other, (2000, n))` draws; then means, then `np.quantile`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def gain(one, other, rng):
    """Mean difference, lower and upper end."""
    difference = one - other
    drawn = rng.choice(difference, (2000, len(difference))).mean(axis=1)
    return difference.mean(), *np.quantile(drawn, [0.025, 0.975])


check.gain(gain)

# %% [markdown]
# :::{exercise} Beyond depth
# :label: ex-13-depth
#
# *Difficulty 3 of 5, importance 5 of 5, 15 minutes.* Layers far apart differ more, and more is lost if one stands for the other. Write `beyond_depth(distance, lost, depth)`: the rank correlation of distance and loss when what depth explains of either is taken out.
#
# ```{dropdown} Hint 1
# Go over to ranks, fit a line over the ranks of depth to each, and keep what is left.
# ```
# ```{dropdown} Hint 2
# `stats.rankdata`, `np.polyfit(x, y, 1)`, `np.polyval`, and `stats.pearsonr` of what is left.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def beyond_depth(distance, lost, depth):
    """Partial rank correlation, between -1 and 1."""
    ranks = [stats.rankdata(x) for x in (distance, lost, depth)]
    one, other = (
        r - np.polyval(np.polyfit(ranks[2], r, 1), ranks[2]) for r in ranks[:2]
    )
    return stats.pearsonr(one, other).statistic


check.beyond_depth(beyond_depth)

# %% [markdown]
# ## What we found
#
# | claim | our answer | evidence on this page |
# | --- | --- | --- |
# | (OBSERVE-table) | | |
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
