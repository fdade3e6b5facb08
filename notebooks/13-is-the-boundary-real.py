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
# # 13 Is the boundary real?
#
# The reviewers of the paper had two questions that no picture answers. Is a group a *function*? And why Gromov-Wasserstein, when CKA is cheaper and looks the same? Both can be put to a test where the truth is
# known. [Chapter 04](04-modular-sum-training.ipynb) trained chains of networks, each part of which computes one function and hands on nothing but its answer. Here ten families of measures are asked where one function ends
# and the next begins, and so are guesses that look at no activation at all.
#
# **What is smaller here.** The chains are small, their parts are transformers of one to three blocks, and their functions are sums and products. A measure that fails here may do well on language. But there we could not tell.
#
# :::{admonition} What you will learn
# - how to score a partition against a truth, and against guesses that cost nothing;
# - which measures find boundaries of function, with an interval over networks;
# - how to act on a network instead of looking at it: stitching, with its controls;
# - what each measure finds where there is nothing to find;
# - which choices a conclusion about GW survives: scale, outliers, solver, sample;
# - what to report with a map, and when to take GW and when CKA.
#
# **Time**: 25 minutes to read, two minutes to run.
# **In the paper**: section 5; the discussion of its reviews.
# **You need**: [chapter 03](03-ten-measures.ipynb), [chapter 06](06-modular-sum-subnetworks.ipynb) and [chapter 08](08-bert-subnetworks.ipynb).
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
from scipy import stats

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_13 as check
from funcsim.layer_map import dissimilarity
from funcsim.nulls import spectrum_matched
from funcsim.stitching import stitch
from replication.benchmark import leaderboard
from replication.modular_addition import trained_networks
from replication.modular_addition.map_variants import VARIANTS

# %% [markdown]
# ## The question
#
# Every chain is mapped under every measure that takes its layers, in two ways: the *stream* alone, each state once; and *inner*, all layers, with one head standing for all four. Every map is cut twice: by a test, which may say
# "one group", and into the right number of groups, as a kindness. A row of the stored table is one such map.
#
# *Which test?* That of this book's first edition, here and wherever this page says "the test". It cuts chains of uneven steps too often, as [chapter 06](06-modular-sum-subnetworks.ipynb) shows, so its false alarms are a part of what follows. What a map is worth when the number of
# groups is given does not depend on it.

# %%
rows, origin = leaderboard.load(profile)
print(origin)
trained = rows[rows["state"] == "trained"]
networks = sorted(trained["network"].unique())
note(n_networks=len(networks), n_seeds=rows["seed"].nunique(), n_rows=len(rows))
trained.iloc[:5, :8]

# %% [markdown]
# Three scores. *Exact*: the cuts are the truth. *F1*: how many of the cuts are true boundaries and how many boundaries are cut, as one number; a cut one layer off counts as wrong. *ARI*, the adjusted Rand index:
# do pairs of layers that belong together stay together? It is 1 for the truth and 0 by chance. For each score the mean over {glue:text}`n_networks:d` chains, each trained from {glue:text}`n_seeds:d` seeds, with an interval from drawing chains again and again, because chains and not maps are what differs.

# %%
SCORES = ["exact", "f1", "ari", "f1 given K", "ari given K"]


def by_network(table, score):
    """Mean score of every measure (rows) in every chain (columns)."""
    numbers = table.assign(score=table[score].astype(float))
    return numbers.pivot_table(index="measure", columns="network", values="score")


# %% [markdown]
# The interval of a mean over chains:


# %%
def interval(scores, n_draws=2000):
    """Ends of the 95 % bootstrap interval of the mean of every row."""
    drawn = np.random.default_rng(seed).integers(
        scores.shape[1], size=(n_draws, scores.shape[1])
    )
    means = np.nanmean(scores.to_numpy()[:, drawn], axis=2)
    return np.nanquantile(means, [0.025, 0.975], axis=1)


# %% [markdown]
# And a way to put numbers of a table into the text:


# %%
def keep(table, column, **rows):
    """Note numbers by name; none where a measure was not asked."""
    note(**{name: table[column].get(row, np.nan) for name, row in rows.items()})


# %% [markdown]
# ## The leaderboard
#
# A table per kind of layers. The best first, by F1 when the number of groups is told:


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


keep(board, "f1 given K", gw_told="gw", cka_told="cka", cosine_told="cosine")
keep(
    board, "f1", gw_test="gw", cka_test="cka", rsm_test="rsm", cosine_test="cosine"
)
keep(board, "exact", gw_exact="gw", equal_exact="guess: equal blocks")
keep(board, "f1 given K", block_told="guess: every block")
keep(board, "f1", block_test="guess: every block", none_test="guess: one block")
board.round(2)

# %% [markdown]
# Told how many functions there are, the plainest measures are the best: cosine distance is right nearly everywhere (F1 {glue:text}`cosine_told:.2f`), GW and CKA are in the middle ({glue:text}`gw_told:.2f` and {glue:text}`cka_told:.2f`), no better than
# cutting at every block ({glue:text}`block_told:.2f`), which looks at nothing. Left to the test, the order turns around: GW has {glue:text}`gw_test:.2f`, the most of all measures, though hardly more than cosine distance ({glue:text}`cosine_test:.2f`), and CKA {glue:text}`cka_test:.2f`. But cutting at every block, which is told nothing but where the blocks are, has {glue:text}`block_test:.2f`. Equal
# groups (*equal blocks* in the table), which is told the number of functions, is exact in {glue:text}`equal_exact:.2f` of the cases; GW, which is not told it, in {glue:text}`gw_exact:.2f`. And whoever always says "one group" (*one block* in the table) has {glue:text}`none_test:.2f`: so many of the chains have one function.
#
# And of the inner layers, whose widths differ:

# %%
inner = ranked(trained[trained["layers"] == "inner"])
seeing = inner[~inner.index.str.startswith("guess")]
keep(inner, "f1 given K", inner_gw="gw", inner_best=seeing.index[0])
note(inner_test=seeing["f1"].max(), inner_who=seeing.index[0])
inner.round(2)

# %% [markdown]
# Among all layers, keys and attention maps and hidden ones, hardly a measure finds the functions. The best is {glue:text}`inner_who`, with {glue:text}`inner_best:.2f` when it is told how many; GW has {glue:text}`inner_gw:.2f`. No test reaches the F1 of a cut at every block: {glue:text}`inner_test:.2f` at best. In such maps the
# kinds of layers make the groups, as in [chapter 06](06-modular-sum-subnetworks.ipynb), and they hide what the network computes.
#
# ## Where there is nothing to find
#
# Four states of every chain: trained; before training, when no part computes a function; layers replaced by surrogates, Gaussian clouds of the same spectrum; and one cloud projected to the width of every layer. F1 of the test in each of them, and the gain from training with its interval
# over chains:

# %%
STATES = list(leaderboard.STATES)
asked = rows[(rows["layers"] == "stream") & ~rows["measure"].isin(VARIANTS)]
asked = asked[~asked["measure"].str.startswith("guess")].dropna(subset=["f1"])
f1 = {state: by_network(asked[asked["state"] == state], "f1") for state in STATES}
gain = f1["trained"] - f1["untrained"]
low, high = interval(gain)
nulls = pd.DataFrame({state: scores.mean(axis=1) for state, scores in f1.items()})
nulls = nulls.assign(gain=gain.mean(axis=1), low=low, high=high)
keep(nulls, "untrained", gw_untrained="gw", cosine_untrained="cosine")
keep(nulls, "spectrum", gw_spectrum="gw")
keep(nulls, "gain", gw_gain="gw", cka_gain="cka")
keep(nulls, "low", gw_gain_low="gw")
keep(nulls, "high", gw_gain_high="gw")
nulls.sort_values("gain", ascending=False).round(2)

# %% [markdown]
# And how often is a boundary found in trained chains that compute one function alone?

# %%
asked = asked.astype({"K": float, "K found": float, "f1": float})
single = asked[asked["K"] == 1]
alarms = (single["K found"] > 1).groupby(single["state"]).sum()
note(n_single=int((single["state"] == "trained").sum()))
note(alarms=int(alarms.get("trained", 0)))
note(alarms_before=int(alarms.get("untrained", 0)))
alarms.to_frame("chains of one function that are cut")

# %% [markdown]
# In the chains of several functions, what does GW find before and after training, and how many of its cuts are true? And how many of the chains of one function does it cut before training?

# %%
several = asked[(asked["K"] > 1) & (asked["measure"] == "gw")]
by_state = several.groupby("state")["f1"].mean()
note(gw_several=by_state.get("trained", np.nan))
note(gw_several_before=by_state.get("untrained", np.nan))
done = several[several["state"] == "trained"]
cuts, borders = done["K found"] - 1, done["K"] - 1
hits = (done["f1"] * (cuts + borders) / 2).round()
note(cuts=int(cuts.sum()), hits=int(hits.sum()), borders=int(borders.sum()))
before = ranked(asked[asked["state"] == "untrained"])
keep(before, "f1 given K", told_before="gw")
false = single[(single["measure"] == "gw") & (single["state"] == "untrained")]
note(gw_alarms_before=int((false["K found"] > 1).sum()), n_gw_single=len(false))
by_state.round(2).to_frame()

# %% [markdown]
# The table of the four states turns the leaderboard around once more. Before training no part computes anything, and yet cosine distance finds the borders with an F1 of {glue:text}`cosine_untrained:.2f`. What it sees can only be the hand-over itself: the answer of one part is embedded anew by the next, in directions of its own,
# trained or not. Under GW the test has {glue:text}`gw_untrained:.2f` before training and {glue:text}`gw_test:.2f` after it: a gain of {glue:text}`gw_gain:.2f` [{glue:text}`gw_gain_low:.2f`, {glue:text}`gw_gain_high:.2f`]. A part of this gain is that it cuts chains of one function before training, {glue:text}`gw_alarms_before:d` of {glue:text}`n_gw_single:d` maps, and not after it; in the chains of several
# functions alone it goes from {glue:text}`gw_several_before:.2f` to {glue:text}`gw_several:.2f`. RSM and AGW, which are close to GW, gain less, with intervals that include 0; CKA loses ({glue:text}`cka_gain:+.2f`).
# A limit of this: told how many functions there are, GW cuts untrained chains right as well ({glue:text}`told_before:.2f`); the step is there, but not beyond drift. In trained chains with one function there are {glue:text}`alarms:d` false alarms in {glue:text}`n_single:d` maps (two chains, {glue:text}`n_seeds:d` seeds, three samples, all measures); before training it is {glue:text}`alarms_before:d`. On clouds of the same spectrum GW has {glue:text}`gw_spectrum:.2f`, near what "one group" has.
#
# ## The same map, made otherwise
#
# What if distances are raw? If the samples farthest out are left away, or the first principal direction of every layer? If the solver starts once, as POT does, or the distance is replaced by what is certified, its lower bound? If there are a quarter of the inputs?

# %%
both = ["gw", "rsm", *VARIANTS]
first_draw = stream[(stream["draw"] == 0) & stream["measure"].isin(both)]
survived = ranked(first_draw).loc[lambda t: t.index.isin(both)]
keep(survived, "f1", as_base="gw", as_raw="gw, raw", as_bound="gw, lower bound")
keep(
    survived,
    "f1",
    as_once="gw, from one start",
    as_longest="gw, without the longest",
)
keep(survived, "f1", as_first="gw, without the first direction")
keep(survived, "f1 given K", raw_told="gw, raw")
keep(survived, "f1", as_quarter="gw, a quarter of the inputs")
one_function = first_draw["K"].astype(float) == 1
once = first_draw[one_function & (first_draw["measure"] == "gw, from one start")]
note(once_alarms=int((once["K found"].astype(float) > 1).sum()), n_once=len(once))
survived.round(2)

# %% [markdown]
# F1 of the test, on the first sample of inputs. How much less is it than with the usual map, and which of these losses are sure?

# %%
scores = by_network(first_draw, "f1")
base = scores.loc["gw" if "gw" in scores.index else "rsm"]  # smoke has no GW
less = base - scores.loc[list(VARIANTS)]
low, high = interval(less)
less = pd.DataFrame({"less": less.mean(axis=1), "from": low, "to": high})
sure = [name.removeprefix("gw, ") for name in less.index[less["from"] > 0]]
note(sure=" and ".join(sure) or "none", n_variants=len(less))
less.sort_values("less").round(2)

# %% [markdown]
# With the usual map GW has {glue:text}`as_base:.2f`; with the certified lower bound in the place of the distance {glue:text}`as_bound:.2f`, without the farthest inputs {glue:text}`as_longest:.2f`, with one start of the solver {glue:text}`as_once:.2f`, which also gives {glue:text}`once_alarms:d` false alarms in {glue:text}`n_once:d` maps, and without the first direction {glue:text}`as_first:.2f`. With raw distances it is {glue:text}`as_raw:.2f` (but
# {glue:text}`raw_told:.2f` when the number is told), and with a quarter of the inputs {glue:text}`as_quarter:.2f`, where "one group" has {glue:text}`none_test:.2f`. Of the {glue:text}`n_variants:d` losses these are sure: {glue:text}`sure`.
#
# ## Another seed
#
# Each chain was trained twice, from other weights and on another choice of pairs. A chain that did not learn its functions is no ground truth, and its second training is left out. F1 of the test for each seed, over the chains that have both:

# %%
measured = usual[~usual["measure"].str.startswith("guess")]
f1_of = {s: by_network(table, "f1") for s, table in measured.groupby("seed")}
other = f1_of[1]
one = f1_of[0][other.columns]
apart = other - one
note(n_twice=other.shape[1], n_not=len(networks) - other.shape[1])

# %% [markdown]
# The difference has an interval over chains:

# %%
low, high = interval(apart)
seeds = pd.DataFrame({"seed 0": one.mean(axis=1), "seed 1": other.mean(axis=1)})
seeds = seeds.assign(difference=apart.mean(axis=1), low=low, high=high)
keep(seeds, "seed 0", gw_one="gw", cka_one="cka")
keep(seeds, "seed 1", gw_other="gw", cka_other="cka")
keep(seeds, "difference", gw_apart="gw")
keep(seeds, "low", gw_apart_from="gw")
keep(seeds, "high", gw_apart_to="gw")
seeds.sort_values("seed 0", ascending=False).round(2)

# %% [markdown]
# Is the order of the measures the same?

# %%
order = stats.spearmanr(seeds["seed 0"], seeds["seed 1"]).statistic
note(order=order, n_measures=len(seeds))
note(first_one=seeds["seed 0"].idxmax(), first_other=seeds["seed 1"].idxmax())
print(f"rank correlation of the two orders: {order:.2f}")

# %% [markdown]
# The other seed changes the order. On the {glue:text}`n_twice:d` chains that have both, the test under GW has {glue:text}`gw_one:.2f` with the first and {glue:text}`gw_other:.2f` with the second: a difference of {glue:text}`gw_apart:.2f` [{glue:text}`gw_apart_from:.2f`, {glue:text}`gw_apart_to:.2f`]. The first place goes from {glue:text}`first_one` to {glue:text}`first_other`, and the two orders of the {glue:text}`n_measures:d` measures agree at a
# rank correlation of {glue:text}`order:.2f`. Under CKA it is {glue:text}`cka_one:.2f` and {glue:text}`cka_other:.2f`. The other {glue:text}`n_not:d` chains did not learn their functions; the record has their accuracies. One seed would have named a winner; two do not. All numbers of this chapter but those of stitching use both.
#
# ## GW or CKA, once more
#
# Chain by chain: GW minus another measure, and the interval of the mean over chains. By the test, and when the number of groups is told:


# %%
def paired(score):
    """GW minus the others: mean over chains, and its interval."""
    found = by_network(usual, score)
    if "gw" not in found.index:  # profile smoke
        return pd.DataFrame(columns=["GW minus", "from", "to"])
    rivals = ("cka", "cka-rbf-debiased", "rsa-pearson", "rsm", "agw", "cosine")
    others = [name for name in rivals if name in found.index]
    difference = found.loc["gw"] - found.loc[others]
    low, high = interval(difference)
    return pd.DataFrame(
        {"GW minus": difference.mean(axis=1), "from": low, "to": high}
    )


versus = {"by the test": paired("f1"), "when told": paired("f1 given K")}
test, told = versus.values()
SHORT = {"cka": "cka", "rsm": "rsm", "cosine": "cosine"}
SHORT |= {"rbf": "cka-rbf-debiased", "rsa": "rsa-pearson"}
for short, other in SHORT.items():
    keep(test, "GW minus", **{f"{short}_test_gap": other})
    keep(test, "from", **{f"{short}_test_from": other})
    keep(test, "to", **{f"{short}_test_to": other})
keep(told, "GW minus", cka_told_gap="cka")
keep(told, "from", cka_told_from="cka")
keep(told, "to", cka_told_to="cka")
pd.concat(versus, axis=1).round(2)

# %% [markdown]
# The test finds more under GW than under linear CKA: {glue:text}`cka_test_gap:.2f` [{glue:text}`cka_test_from:.2f`, {glue:text}`cka_test_to:.2f`]. Linear CKA is the plainest of its family. Less CKA with a Gaussian kernel and without its bias it is {glue:text}`rbf_test_gap:.2f` [{glue:text}`rbf_test_from:.2f`, {glue:text}`rbf_test_to:.2f`], less RSA with numbers {glue:text}`rsa_test_gap:.2f` [{glue:text}`rsa_test_from:.2f`, {glue:text}`rsa_test_to:.2f`], and of so many measures some lose to GW by chance. When the number is told we see no difference from linear CKA: {glue:text}`cka_told_gap:.2f` [{glue:text}`cka_told_from:.2f`, {glue:text}`cka_told_to:.2f`]. And whether the search is worth its time,
# that is GW against RSM, which takes each input for itself, these chains cannot tell: {glue:text}`rsm_test_gap:.2f` [{glue:text}`rsm_test_from:.2f`, {glue:text}`rsm_test_to:.2f`]. Nor can the test tell GW from cosine distance: {glue:text}`cosine_test_gap:.2f` [{glue:text}`cosine_test_from:.2f`, {glue:text}`cosine_test_to:.2f`].
#
# ## Cut and stitch
#
# A map is a picture of similarity. What if one acts on it? In every chain of the first seed, each layer of the stream is made anew from an earlier one by the best affine map, fitted on half of all pairs; the rest of the network goes on from there (*activation patching*)
# and answers the other half. If nothing is lost, then nothing between the two layers is needed that an affine map cannot do, and the first can stand for the second. {cite:t}`lenc2015equivariance` and {cite:t}`bansal2021stitching` compare
# networks in this way; here a network is stitched to itself.


# %%
def stream_of(model, pairs):
    """All numbers of each layer of the stream, and the layers' names."""
    names = leaderboard.layers_of(tuple(model.representation_layers), "stream")
    return fs.capture(model, [pairs], names, progress=False)


def stitched(chain, reps, source=None):
    """Accuracy when one layer is made from another, or from one of a source."""
    rows = np.random.default_rng(seed).random(len(chain.pairs)) < 0.5
    truth = chain.targets[:, -1]
    return stitch(chain.model, chain.pairs, truth, reps, rows, source)


# %% [markdown]
# Every chain, stitched in all ways. The first is shown: rows are what a layer is made from, and the diagonal is the untouched network.

# %% tags=["fig"] mystnb={"image": {"alt": "Accuracy of chain 1-2 when one layer is made from another. Two squares are dark, which is right: the layers before the first MLP, and those of the second part before its last MLP. All that crosses the border between the parts is bright, which is wrong."}}
chains = {
    name: trained_networks.load(f"known-boundaries/{name}", profile, seed)
    for name in networks
}
streams = {
    name: stream_of(chain.model, chain.pairs) for name, chain in chains.items()
}
stitches = {name: stitched(chain, streams[name]) for name, chain in chains.items()}
stitches["1-2"].plot(title="Chain 1-2: right answers, stitched")

# %% [markdown]
# Dark is right. Two squares: the layers up to the first MLP, which can all be made from one another, and those of the second part up to its last MLP. So the first block of the second part could be replaced by a straight map. Nothing crosses the border: the answer goes over
# it as a number, and the largest of 59 logits is no affine function of the stream.
#
# Three controls. If a layer is made from noise with the same spectrum, does the rest of the network answer by itself? Can the last layer be made from any layer of the same chain before training? And what is right if one always gives the most frequent answer?


# %%
def controls(chain, reps):
    """Best accuracy from noise, and of a last layer from an untrained chain."""
    first, last = reps.select([reps.names[0]]), reps.select([reps.names[-1]])
    noise = spectrum_matched(first, seed)
    untrained = stream_of(chain.plan.network(seed).eval(), chain.pairs)
    counts = np.bincount(chain.targets[:, -1])
    return {
        "from noise": stitched(chain, reps, noise).values.max(),
        "from untrained": stitched(chain, last, untrained).values.max(),
        "most frequent": counts.max() / counts.sum(),
    }


control = pd.DataFrame(
    {name: controls(chain, streams[name]) for name, chain in chains.items()}
).T
above = control.sub(control["most frequent"], axis=0)
note(noise_above=100 * above["from noise"].max())
note(untrained_above=100 * above["from untrained"].max())
control.round(2)

# %% [markdown]
# From noise and from untrained layers the networks guess: at most {glue:text}`noise_above:.1f` and {glue:text}`untrained_above:.1f` points above the most frequent answer, the best of many tries. What a stitched network answers, it has from the layer that it was given.
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
kinds = steps.groupby("step")["accuracy"].describe()
kinds = kinds[["count", "mean", "min", "max"]]
note(
    **{
        f"straight_{kind[:4].strip('-')}": 100 * m
        for kind, m in kinds["mean"].items()
    }
)
kinds.round(2).astype({"count": int})

# %% [markdown]
# Attention can be replaced nearly everywhere ({glue:text}`straight_atte:.0f` % right on average), an MLP costs nearly half of the answers ({glue:text}`straight_MLP:.0f` %), the hand-over nearly all ({glue:text}`straight_hand:.0f` %). This is what a border of functions looks like to someone who acts.
#
# Now the question of the reviewers: is what looks alike what can stand for the other? For each chain, the rank correlation over all pairs of layers between their distance and the accuracy that a stitch loses; and, for comparison, how far apart the layers are in depth.


# %%
def foretold(reps, m, n=100):
    """Rank correlation of distance and of depth with the accuracy lost."""
    upper = np.triu_indices(len(m.names), k=1)
    lost = m.values[0, 0] - m.values[upper]
    few = reps.subsample(min(n, reps.n_samples), seed)
    by = {
        measure: dissimilarity(fs.compare(few, measure=measure, progress=False))[
            upper
        ]
        for measure in ("gw", "rsm", "cka", "euclidean")
    }
    by["depth"] = upper[1] - upper[0]
    return {name: stats.spearmanr(d, lost).statistic for name, d in by.items()}


foretell = pd.DataFrame(
    {name: foretold(streams[name], m) for name, m in stitches.items()}
)
low, high = interval(foretell)
summary = pd.DataFrame({"mean": foretell.mean(axis=1), "from": low, "to": high})
keep(summary, "mean", tell_gw="gw", tell_cka="cka", tell_depth="depth")
keep(summary, "from", tell_gw_from="gw", tell_cka_from="cka")
keep(summary, "to", tell_gw_to="gw", tell_cka_to="cka")
summary.sort_values("mean", ascending=False).round(2)

# %% [markdown]
# What looks alike to CKA can best stand for each other ({glue:text}`tell_cka:.2f` [{glue:text}`tell_cka_from:.2f`, {glue:text}`tell_cka_to:.2f`]), but not better than what is near in depth ({glue:text}`tell_depth:.2f`). GW is last, with {glue:text}`tell_gw:.2f` [{glue:text}`tell_gw_from:.2f`, {glue:text}`tell_gw_to:.2f`]. A stitch goes
# input by input, and GW does not ask which input is which. But Euclidean distance asks, and is hardly better, so this cannot be all of the reason. Whether CKA says anything beyond depth is not tested here; the last exercise makes the tool for it.
#
# And the map of stitches itself, cut like all others: does acting find what looking does not?

# %%
acted = pd.DataFrame({name: leaderboard.score(m) for name, m in stitches.items()}).T
note(acted_told=acted["f1 given K"].astype(float).mean())
note(acted_test=acted["f1"].astype(float).mean())
acted[["K", "K found", *SCORES]]

# %% [markdown]
# No. Told how many, it is about as good as the better maps ({glue:text}`acted_told:.2f`); the test finds little in it ({glue:text}`acted_test:.2f`), because inside a part there are MLPs which cannot be made straight either. A border between functions is one of several places at which something happens.
#
# ## Does it survive standardising?
#
# A few dimensions of a layer can carry most of its variance. Then a distance sees little else. So we ask the question again with each dimension brought to the same variance. For every chain of the first seed we compare the layers of the stream under GW, cut the map into as many groups as there are functions, and count how many of the true boundaries are found.


# %%
def part(name):
    """The function to which a layer of the stream belongs."""
    return name.split(".")[1]


# %% [markdown]
# The share of true boundaries in one chain:


# %%
def boundaries_found(reps):
    """Share of the true boundaries at which the best cuts are."""
    names = reps.names
    true = [k for k, (a, b) in enumerate(pairwise(names), 1) if part(a) != part(b)]
    few = reps.subsample(min(60, reps.n_samples), seed)
    groups = fs.partition_into(fs.compare(few, progress=False), len(true) + 1)
    return len(set(groups.boundaries) & set(true)) / len(true)


# %% [markdown]
# For all chains with more than one function:

# %%
survives = pd.DataFrame(
    {
        name: {
            "as they are": boundaries_found(reps),
            "standardised": boundaries_found(reps.standardised()),
        }
        for name, reps in streams.items()
        if len({part(layer) for layer in reps.names}) > 1
    }
).T
survives.round(2)

# %% tags=["remove-cell"]
as_is, std = survives.mean()
note(n_cut=len(survives), found_as_is=as_is, found_std=std)
note(same_found=int((survives["as they are"] == survives["standardised"]).sum()))

# %% [markdown]
# On average {glue:text}`found_as_is:.2f` of the boundaries are found in the layers as they are, and {glue:text}`found_std:.2f` in the standardised ones. In {glue:text}`same_found:d` of {glue:text}`n_cut:d` chains the share is the same.
#
# ## What a careful user should report
#
# - *When does GW tell something that CKA does not?* When the question is whether the shape of a layer changes more at one place than drift would explain, and whether training made it so. There, on these chains, GW with a test was a better witness than linear CKA, not for sure a better one than other forms of CKA, and still a poor one: its F1 is {glue:text}`gw_several:.2f` in the chains of several functions.
# - *When not?* When the question is which layer can stand for another: there, CKA is better, and the number of layers between them is as good. When widths differ and the kinds of layers are mixed: there, by the test, none of the measures beats a guess.
# - *Is a group a function?* In the trained chains of several functions the test under GW made {glue:text}`cuts:d` cuts, of which {glue:text}`hits:d` are boundaries of functions. But there are {glue:text}`borders:d` of those. Absence of a boundary says nothing.
#
# So report, with a map: the same map before training; the test, with the number of inputs; a guess that looks at nothing, scored the same way; the scale divided out; more than one start of the solver; more than one seed of the network; and an intervention for each sentence that says "function".
#
# What this chapter leaves open: two seeds are few, as the second one shows; the chains hand on numbers, which networks that were not built for it do not do; and freezing and truncation were not tried on chains, whose parts are all needed. On encoders they were, in [chapter 11](11-fine-tuning-ablations.ipynb).
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A measure finds the right boundary in every trained chain, and a boundary in every untrained one. What is it worth?**
#
# <details><summary>a. It is the best: it misses nothing.</summary>No: an alarm that always rings misses no thief.</details>
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
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* Write `f1_of_cuts(found, true)`, two tuples of places: the harmonic mean of precision and recall. What should it be if both are empty?
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
# *Difficulty 2 of 4, importance 4 of 5, 10 minutes.* Write `made_from(source, target, rows)`: fit the best affine map from `source` (n, d) to `target` (n, e) on the samples where `rows` is true, and return what it makes of the others.
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
# *Difficulty 3 of 4, importance 5 of 5, 15 minutes.* Two measures were scored on the same chains. Write `gain(one, other, rng)`: the mean difference of their scores (n,), and both ends of its 95 % bootstrap interval, from 2,000 draws of n chains with `rng`.
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
# *Difficulty 3 of 4, importance 5 of 5, 15 minutes.* Layers far apart differ more, and more is lost if one stands for the other. Write `beyond_depth(distance, lost, depth)`: the rank correlation of distance and loss when what depth explains of either is taken out.
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
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C33: GW shows clearer sub-networks than other measures (reviews), where they are known, by the test | ours | undecided: more than linear CKA, but not for sure more than four others, and {glue:text}`n_measures:d` measures were tried without a correction for that | F1 {glue:text}`gw_test:.2f` under GW; less linear CKA {glue:text}`cka_test_gap:.2f` [{glue:text}`cka_test_from:.2f`, {glue:text}`cka_test_to:.2f`], debiased CKA with a Gaussian kernel {glue:text}`rbf_test_gap:.2f` [{glue:text}`rbf_test_from:.2f`, {glue:text}`rbf_test_to:.2f`], RSA with numbers {glue:text}`rsa_test_gap:.2f` [{glue:text}`rsa_test_from:.2f`, {glue:text}`rsa_test_to:.2f`], RSM {glue:text}`rsm_test_gap:.2f` [{glue:text}`rsm_test_from:.2f`, {glue:text}`rsm_test_to:.2f`], cosine distance {glue:text}`cosine_test_gap:.2f` [{glue:text}`cosine_test_from:.2f`, {glue:text}`cosine_test_to:.2f`] |
# | C33, when the number of groups is told | ours | disagrees | {glue:text}`gw_told:.2f` under GW, {glue:text}`cosine_told:.2f` under cosine distance, {glue:text}`block_told:.2f` for cuts at every block |
# | C33, among all layers | ours | disagrees: by the test no measure beats a guess | at best {glue:text}`inner_test:.2f` by the test, {glue:text}`block_test:.2f` for cuts at every block |
# | C06: a sample of the inputs gives the same finding | ours | disagrees for 50 inputs | F1 of the test {glue:text}`as_quarter:.2f` instead of {glue:text}`as_base:.2f` with 200, and {glue:text}`none_test:.2f` for "one group" |
# | D01: can the method be used quantitatively? | - | answered: it can | scores against a known truth, with intervals over {glue:text}`n_networks:d` chains |
# | D02: established measures are missing | - | answered: all are scored here | GW is first by the test ({glue:text}`gw_test:.2f`), but not with the second seed alone, and in the middle when the number is told ({glue:text}`gw_told:.2f`) |
# | D03: is GW evaluated or optimised, and does it matter? | - | open: the chains tell GW neither from RSM, nor from a search with one start | GW less RSM {glue:text}`rsm_test_gap:.2f` [{glue:text}`rsm_test_from:.2f`, {glue:text}`rsm_test_to:.2f`]; from one start F1 is {glue:text}`as_once:.2f` in place of {glue:text}`as_base:.2f` |
# | D04: no evidence that a group is a function | - | open on chains: training raises the score, but a part of that is false alarms before it | F1 of the test {glue:text}`gw_untrained:.2f` before training, {glue:text}`gw_test:.2f` after it, gain {glue:text}`gw_gain:.2f` [{glue:text}`gw_gain_low:.2f`, {glue:text}`gw_gain_high:.2f`]; before training it cuts {glue:text}`gw_alarms_before:d` of {glue:text}`n_gw_single:d` maps of one function; {glue:text}`hits:d` of {glue:text}`cuts:d` cuts are true, over three samples of each network |
# | D04, by interventions | - | justified: distance under GW foretells badly what can be replaced | rank correlation with the accuracy lost {glue:text}`tell_gw:.2f`; depth alone {glue:text}`tell_depth:.2f` |
# | D05: CKA looks the same | - | open: by the test GW finds more than linear CKA, not for sure more than another CKA; CKA foretells a stitch better | {glue:text}`cka_test_gap:.2f` [{glue:text}`cka_test_from:.2f`, {glue:text}`cka_test_to:.2f`] and {glue:text}`rbf_test_gap:.2f` [{glue:text}`rbf_test_from:.2f`, {glue:text}`rbf_test_to:.2f`]; {glue:text}`tell_cka:.2f` against {glue:text}`tell_gw:.2f` |
# | D11: how many groups, and who decides? | - | open: the test decides, but it also cuts networks that compute nothing yet | {glue:text}`alarms:d` boundaries in {glue:text}`n_single:d` maps of trained chains with one function, {glue:text}`alarms_before:d` before training |
#
# **Before you say that a measure finds sub-networks**: let it look for them where you know them, and in a network that has learned nothing, beside a guess that looks at no activation.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
