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
import numpy as np
import pandas as pd

from bookkit.notes import note
from funcsim.experiments import leaderboard
from funcsim.experiments.variants import VARIANTS

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
# ## What a careful user should report
#
# (OBSERVE-conclusion)
#
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
