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
#     data: [model-0/seed-0]
# ---

# %% [markdown]
# # 03 Ten measures
#
# The Gromov-Wasserstein distance is one way to say how alike two layers are. There are dozens.
# The paper compares it with three others; its reviewers asked for six more, and for a reason
# to prefer any of them. This chapter puts these ten families side by side, and three more that
# the field has taken up since. It executes what each is blind to, and shows that they do not
# compete: they answer different questions.
#
# :::{admonition} What you will learn
# - thirteen families of measures, each with its question;
# - what each of them cannot see, as a table of executed tests;
# - five pairs of clouds on which they disagree, and why;
# - what dividing by the scale changes, and for which measures;
# - how sure a layer map is of its entries, by intervals.
#
# **Time**: 25 minutes to read, two minutes to run.
# **In the paper**: sections 2 and 5.2; the discussion of its reviews.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb).
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
# The imports, and the switch for small inputs.

# %%
import warnings
from itertools import pairwise

import numpy as np
import pandas as pd

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_03 as check
from funcsim import viz
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.nulls import spectrum_matched
from funcsim.similarity import INVARIANCES
from replication.modular_addition import trained_networks

small = profile == "smoke"
warnings.simplefilter("ignore", UserWarning)  # CCA warns below; the text says why

# %% [markdown]
# ## The measures
#
# `fs.measures()` knows them all. Some families have members: CCA as a mean, after a reduction
# (SVCCA {cite:p}`raghu2017svcca`) or weighted (PWCCA {cite:p}`morcos2018insights`); CKA {cite:p}`kornblith2019similarity` with a linear
# or a Gaussian kernel, with and without a correction of its bias; RSA with ranks or with numbers. RSM compares the distance matrices of two layers entry by entry. MSID
# {cite:p}`tsitsulin2020msid`, which compares how heat spreads over each cloud's graph of nearest neighbours, and augmented GW (AGW) {cite:p}`demetci2024agw`, which matches the features too, complete the ten. The three more are Procrustes, which turns one layer onto the other {cite:p}`williams2021generalized`, and two that look at nearest neighbours alone, mutual k-NN and CKNNA {cite:p}`huh2024platonic`. Each declares
# what it needs.

# %%
measures = fs.measures()
declared = pd.DataFrame(vars(m) for m in measures.values()).set_index("name")
columns = ["title", "is_similarity", "requires_equal_dim", "is_metric", "source"]
note(n_measures=len(measures))
note(n_equal_width=int(declared["requires_equal_dim"].sum()))
note(n_metrics=int(declared["is_metric"].sum()))
declared[columns]

# %% [markdown]
# {glue:text}`n_equal_width:d` of the {glue:text}`n_measures:d` need layers of equal width, so
# in a network whose layers differ in width they cannot make a map. {glue:text}`n_metrics:d` are
# metrics. Whoever overlooks the column `is_similarity` reads a map upside down; users of public
# tools keep asking about it.
#
# In words, with $x_i$ and $y_i$ for sample $i$ in the two layers:
#
# | family | the question |
# | --- | --- |
# | Euclidean | how far does each sample move, if both layers share their axes? |
# | cosine | does each sample keep its direction? |
# | Wasserstein | how far must one cloud be carried to become the other, whoever goes where? |
# | RSM difference | do the same pairs of samples lie equally far apart? |
# | RSA | do both layers rank the pairs of samples alike? |
# | CCA | is what one layer says a linear function of the other? |
# | CKA | do both find the same samples alike, big directions counting most? |
# | MSID | do their neighbourhood graphs conduct heat alike? |
# | AGW | are samples and features arranged alike, whichever is which? |
# | GW | are the two clouds of the same shape, whichever sample is which? |
# | Procrustes | how far apart are they once one is turned onto the other? |
# | mutual k-NN | does each sample keep its nearest neighbours? |
# | CKNNA | are near samples equally near, as CKA asks of all? |
#
# ## What each is blind to
#
# A measure is *invariant* under a change if changing one of the two layers that way leaves the
# number as it was. An invariance is a decision about what does not count. So let us execute
# the decisions: take two clouds, change one, measure again.

# %%
rng = np.random.default_rng(seed)
n, d = (14, 3) if small else (40, 4)
X = rng.normal(size=(n, d))
Y = np.tanh(X @ rng.normal(size=(d, d))) + 0.3 * rng.normal(size=(n, d))
rotation = np.linalg.qr(rng.normal(size=(d, d)))[0]
changes = {
    "translation": Y + rng.normal(size=d),
    "isotropic scaling": 2.5 * Y,
    "orthogonal": Y @ rotation,
    "invertible linear": Y @ rng.normal(size=(d, d)),
    "feature permutation": Y[:, ::-1],
    "sample permutation": Y[rng.permutation(n)],
}

# %% [markdown]
# The next cell fills the table: a tick where the number stays the same to one part in a
# million. Distances are raw here, because normalising forgives scale before any measure looks.

# %%
executed = pd.DataFrame(index=list(measures), columns=list(INVARIANCES))
for name, measure in measures.items():
    before = measure(X, Y, normalize=None)
    for change, changed in changes.items():
        after = measure(X, changed, normalize=None)
        executed.loc[name, change] = bool(abs(after - before) <= 1e-6 * abs(before))
executed.map({True: "✓", False: "·"}.get)

# %% [markdown]
# Does this agree with what the measures declare? Count the cells that do not.

# %%
declares = executed.copy()
for name, measure in measures.items():
    declares.loc[name] = [change in measure.invariances for change in INVARIANCES]
wrong = (executed != declares).stack()
note(n_cells=wrong.size, disagreements=int(wrong.sum()))
note(which_disagree=", ".join(sorted(name for name, _ in wrong[wrong].index)))

# %% [markdown]
# For GW, by how much?

# %%
permuted = changes["sample permutation"]
before, after = (measures["gw"](X, Z, normalize=None) for Z in (Y, permuted))
note(gw_moves=100 * abs(after / before - 1))

# %% [markdown]
# Of {glue:text}`n_cells:d` cells, {glue:text}`disagreements:d` disagree with what the library
# declares, those of {glue:text}`which_disagree` under a permutation of the samples. For GW and AGW a permutation of the samples leaves the
# *optimum* where it was, but the search starts elsewhere and may end in another local minimum;
# here GW changes by {glue:text}`gw_moves:.1f` %. For all others, the tests of the library execute
# each declaration on many clouds, and find a counter-example for each that is missing.
#
# Read the table by columns. Only CCA forgives every invertible linear map: it asks what *can be
# read out*, not what is large. Only four forgive a permutation of the samples, if the optimum
# is found: they compare shapes, and do not know which input is which. And Euclidean and cosine
# distance forgive next to nothing, so between layers that do not share their axes they measure
# the choice of axes.
#
# ## Five pairs that tell them apart
#
# Tables of ticks are dry. Here are five pairs of clouds. The first cloud is the same each time;
# the second is

# %%
n, d = (20, 4) if small else (120, 6)
X = rng.normal(size=(n, d)) * np.geomspace(2, 0.5, d)
pairs = {
    "rotated": X @ np.linalg.qr(rng.normal(size=(d, d)))[0],
    "one axis stretched": X * np.r_[np.ones(d - 1), 12.0],
    "samples shuffled": X[rng.permutation(n)],
    "squashed": np.tanh(3 * X),
    "unrelated": spectrum_matched(fs.Representations({"X": X}), seed + 1)["X"],
}

# %% [markdown]
# rotated; stretched along its least axis; with its samples in another order; squeezed through
# a non-linear function; and a Gaussian cloud that shares with it the spectrum of the covariance
# and nothing else. For every measure, 0 in the next table means "as to itself" and 1 means "as
# to a cloud with nothing in common": independent log-normal numbers, so that the shape differs as well.

# %%
nothing = np.exp(rng.normal(size=(n, d)))


def relative(measure, Y):
    """Where a pair lies between identity (0) and nothing in common (1)."""
    same, apart = measure(X, X), measure(X, nothing)
    return (measure(X, Y) - same) / (apart - same)


table = pd.DataFrame(
    {
        word: {name: relative(m, Z) for name, m in measures.items()}
        for word, Z in pairs.items()
    }
)
table = table.round(6) + 0.0  # no minus before a zero
table.round(2)

# %% [markdown]
# We keep what the text quotes, and read the table by its columns.

# %%
short = dict(
    zip(
        table,
        ("rotated", "stretched", "shuffled", "squashed", "unrelated"),
        strict=True,
    )
)
for name in ("euclidean", "cca", "cka", "gw", "rsa", "msid"):
    for word, column in short.items():
        note(**{f"{column}_{name}": table.loc[name, word]})

# %% [markdown]
# Five columns, five lessons.
#
# - **Rotated.** A rotation changes nothing for those who compare distances or spans, and nearly
#   everything for those who compare coordinates: {glue:text}`rotated_euclidean:.2f` for
#   Euclidean distance, {glue:text}`rotated_gw:.0f` for GW.
# - **One axis stretched.** For CCA nothing has happened ({glue:text}`stretched_cca:.0f`): the same
#   can be read out. For CKA ({glue:text}`stretched_cka:.2f`) and the geometric measures it is
#   another cloud: one direction now decides who is near whom.
# - **Samples shuffled.** GW, AGW, Wasserstein and MSID see nothing. CKA and RSA say "nothing in
#   common" ({glue:text}`shuffled_cka:.2f`, {glue:text}`shuffled_rsa:.2f`).
# - **Squashed.** A smooth non-linear function bends the shape: CCA {glue:text}`squashed_cca:.2f`, GW {glue:text}`squashed_gw:.2f`,
#   and MSID {glue:text}`squashed_msid:.2f`, farther than the cloud that defines 1.
# - **Unrelated**, of the same spectrum. CKA and RSA: {glue:text}`unrelated_cka:.2f` and
#   {glue:text}`unrelated_rsa:.2f`. GW: only {glue:text}`unrelated_gw:.2f`, because
#   clouds of one spectrum have similar shapes. *To GW two layers can be half alike that share no
#   information about the samples.*
#
# *Shuffled* and *unrelated* show what optimising the coupling gives and what it costs. Whoever wants to know
# whether two layers hold the same information must not take GW; whoever wants to know whether
# they arrange things in the same shape cannot take CKA.
#
# ## The same network under all measures
#
# Now a trained network, Model 0 (its record is printed below), and 19 of its 31 layers: the
# stream, two of the four heads, and the MLP. They have widths from 4 to 1,024, so the three
# measures that need equal widths must say no.

# %%
trained = trained_networks.load("model-0", profile, seed)
print(trained.origin)
kinds = ("k", "q", "v", "attn_pre", "attn", "z")
heads = [f"{kind}.{head}" for kind in kinds for head in (0, 1)]
others = ("attn_out", "resid_mid", "pre", "post", "mlp_out", "resid_post")
names = ["resid_pre", *heads, *others]
reps = fs.capture(trained.model, [trained.pairs])
reps = reps.select([f"blocks.0.{name}" for name in names])
sample = reps.subsample(min(24 if small else 240, reps.n_samples), seed)
note(n_used=sample.n_samples)
try:
    fs.compare(sample, measure="euclidean")
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# The others make a map each, on {glue:text}`n_used:d` inputs, and each map is cut by the same
# test: is a step from one layer to the next out of proportion to the other steps? Its p says how often chains without boundaries have one as clear ([chapter 06](06-modular-sum-subnetworks.ipynb) tells more). (AGW matches up to 1,024 features with each other, for every pair and at every step; it
# is left out here to save minutes.) Which groups does each find? And how much does its map
# resemble that of GW? We correlate the ranks of the {glue:text}`n_entries:d` entries, after turning
# similarities round.

# %%
wide = [
    name
    for name, m in measures.items()
    if not m.requires_equal_dim and name != "agw"
]
maps = {name: fs.compare(sample, measure=name) for name in wide}
groups = {name: fs.partition(m, seed=seed) for name, m in maps.items()}
note(one_block=sum(g.n_groups == 1 for g in groups.values()), n_maps=len(maps))

# %% [markdown]
# A similarity is turned round by its sign before ranks are correlated.

# %%
upper = np.triu_indices(len(names), k=1)
signed = {
    name: (-1 if m.is_similarity else 1) * m.values[upper]
    for name, m in maps.items()
}
agreement = pd.DataFrame(signed).corr(method="spearman")["gw"]
note(
    n_entries=len(upper[0]),
    **{f"agree_{n}": agreement[n] for n in ("rsm", "cka", "cca")},
)

# %% [markdown]
# Side by side:

# %%
starts = {name: [names[i] for i in g.boundaries] for name, g in groups.items()}
summary_table = pd.DataFrame(
    {
        "rank correlation with GW": agreement,
        "new groups start at": {k: ", ".join(v) for k, v in starts.items()},
        "p": {name: g.p_value for name, g in groups.items()},
    }
)
summary_table.round(3)

# %% [markdown]
# Two of the maps, first linear CKA (bright is different, as everywhere in this book):

# %% tags=["fig"] mystnb={"image": {"alt": "Layer map of 19 layers of Model 0 under linear CKA: attention maps and scores are bright against the others."}}
maps["cka"].plot(groups=groups["cka"], title="Model 0, linear CKA")

# %% [markdown]
# and GW on the same layers and inputs:

# %% tags=["fig"] mystnb={"image": {"alt": "Layer map of the same 19 layers under the Gromov-Wasserstein distance."}}
maps["gw"].plot(groups=groups["gw"], title="Model 0, GW")

# %% [markdown]
# The GW map resembles that of RSM most ({glue:text}`agree_rsm:.2f`), which is GW without the
# search; that of linear CKA is less like it ({glue:text}`agree_cka:.2f`), and those of the CCA family least
# ({glue:text}`agree_cca:.2f` for mean CCA). {glue:text}`one_block:d` of the
# {glue:text}`n_maps:d` maps are one group by the test: its layers are of too many kinds ([chapter 06](06-modular-sum-subnetworks.ipynb)). So on this network the reviewers are right
# to ask what GW adds. That GW would show "clearer" groups
# cannot be decided on one network; [chapter 13](13-is-the-boundary-real.ipynb) counts it on networks whose groups are known.
#
# One warning about the CCA family: the wide layers span more than half of the directions that
# {glue:text}`n_used:d` samples have, so that correlations of one appear between any two of them.
# The library warns; we switched the warning off at the top of this page.
#
# ## Raw or normalised
#
# By default every layer is divided by its mean distance. Which measures care? Those that do not
# forgive scale. For them a raw map shows which layers are *large*. The next cell correlates each
# raw map with the difference of the layers' mean distances, as in
# [chapter 06](06-modular-sum-subnetworks.ipynb), and each normalised map likewise.

# %%
spread = [mean_distance(pairwise_distances(x)) for x in sample.values()]
by_scale = np.abs(np.subtract.outer(spread, spread))[upper]


def explained_by_scale(name, normalize):
    """Share of the variance of a map, in percent."""
    m = fs.compare(sample, measure=name, normalize=normalize)
    return 100 * np.corrcoef(m.values[upper], by_scale)[0, 1] ** 2


# %% [markdown]
# For two measures that see scale, and two that do not:

# %%
steps = pd.DataFrame(
    {
        word: {m: explained_by_scale(m, how) for m in ("gw", "rsm", "rsa", "cka")}
        for word, how in (("raw", None), ("normalised", "mean"))
    }
)
note(raw_gw=steps.loc["gw", "raw"], kept_gw=steps.loc["gw", "normalised"])
note(raw_rsm=steps.loc["rsm", "raw"])
note(raw_cka=steps.loc["cka", "raw"], kept_cka=steps.loc["cka", "normalised"])
steps.round(1)

# %% [markdown]
# Differences of scale explain {glue:text}`raw_gw:.1f` % of the variance of the raw GW map, and
# {glue:text}`kept_gw:.1f` % of the normalised one. For RSM it is the same story
# ({glue:text}`raw_rsm:.1f` %). CKA does not see scale, so that dividing by it changes nothing: {glue:text}`raw_cka:.1f` % and
# {glue:text}`kept_cka:.1f` %. That this is not zero says only that layers of different scale differ in other ways, too; "explain" means "go along with". So when a raw GW map and a CKA map differ, as they do in the
# paper's figures, look at the scale before you credit the measure.
#
# ## How sure is a map?
#
# A map is computed from some inputs. With others it would be another map. `fs.intervals` compares
# the layers again on random halves of the inputs, the same half for all layers, and gives each
# entry a spread and an interval. (Drawing *with* replacement would put copies
# of an input at distance zero, which no network does {cite:p}`politis1999subsampling`.)

# %%
halves = fs.intervals(sample, n_draws=4 if small else 12, seed=seed, progress=False)
spread = halves.spread[upper]
note(n_draws=halves.n_draws, median_spread=np.median(spread))
note(median_bias=np.median(halves.bias[upper]))

# %% [markdown]
# The steps from each layer to the next, with their spread and their intervals:

# %%
step = np.arange(len(names) - 1), np.arange(1, len(names))
entries = {
    "distance": halves.map.values,
    "spread": halves.spread,
    "low": halves.low,
    "high": halves.high,
    "lower bound": halves.map.lower,
}
intervals = pd.DataFrame({word: m[step] for word, m in entries.items()})
intervals.index = [f"{a} to {b}" for a, b in pairwise(names)]
intervals.round(3)

# %% [markdown]
# Three different uncertainties, not to be mixed up. The distance plus or minus its *spread* is where other inputs would put it, if
# there are as many as these. The *lower bound* says how far the search may be from the optimum on these inputs; it is certain, and
# usually the wider of the two. And a measure can depend on *how many* inputs there are: on halves the entries are larger by
# {glue:text}`median_bias:.3f` in the median, beside a median spread of {glue:text}`median_spread:.3f`. GW tends to fall with the number of
# inputs, because small samples differ by chance. "Low" and "high" are the interval for *infinitely many* inputs. No rule tells how far GW
# falls, so the interval begins at what the lower bound allows.
#
# Compare distances within one map by their spread. Never compare GW values of different numbers of inputs.
#
# ## How small is small?
#
# A distance of 0.3: is that much? It needs a yardstick. For *paired* measures, which use the
# correspondence, shuffle the samples of one layer. GW does not see a shuffle; for it, replace
# each layer by a *surrogate*, a Gaussian cloud with the same spectrum, and compare these
# {cite:p}`groeger2026null`. What they have in common is their spectrum and nothing else.

# %%
surrogates = fs.compare(spectrum_matched(sample, seed)).values[upper]
real = maps["gw"].values[upper]
note(closer=100 * float((real < surrogates).mean()))
note(real_median=np.median(real), twin_median=np.median(surrogates))

# %% [markdown]
# This compares each pair of layers with its pair of surrogates:

# %% tags=["fig"] mystnb={"image": {"alt": "GW distance of each pair of layers against that of their Gaussian surrogates: a cloud around the diagonal, with points on both sides."}}
viz.scatter(
    surrogates,
    real,
    xlabel="GW distance of Gaussian surrogates",
    ylabel="GW distance of the layers",
    diagonal=True,
)

# %% [markdown]
# The median distance is {glue:text}`real_median:.2f` for the layers and
# {glue:text}`twin_median:.2f` for their surrogates, and {glue:text}`closer:.0f` % of the pairs are closer
# than their surrogates. So for this network a typical GW distance is what two unrelated Gaussian
# clouds with these spectra would have, and only pairs well below the diagonal are alike in
# more than their spectrum. A low GW distance alone is no evidence of shared function.
#
# ## Which one should I take?
#
# | if you ask | take | and beware |
# | --- | --- | --- |
# | can the same be read out linearly? | CCA, or better a probe | it takes more than twice as many samples as features |
# | are the same inputs alike? | debiased CKA or RSA | a few huge points decide CKA |
# | same shape, same inputs? | RSM difference, normalised | scale, if raw |
# | same shape, whichever inputs? | GW, normalised, with its interval | same spectrum looks alike; sample size |
# | how far does each sample move, if the axes are shared? | Euclidean, cosine | means nothing across different axes |
#
# Report two that differ in what they forgive. If they agree, no choice was needed; if not, the
# difference is the finding.
#
# If none of them asks your question, write one: `fs.compare` takes a `fs.Measure` where it takes a name. This one asks how far
# corresponding samples are apart after the best rotation. So it compares the same inputs, like RSM, and differs from the library's `procrustes` in its unit: a distance, no angle.


# %%
def after_rotation(x, y):
    """Root mean squared distance of corresponding rows after the best rotation."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    overlap = np.linalg.svd(x.T @ y, compute_uv=False).sum()
    return np.sqrt(max((x**2).sum() + (y**2).sum() - 2 * overlap, 0) / len(x))


turned = fs.Measure(name="turned", score=after_rotation, is_metric=True)
own = fs.compare(sample, measure=turned, progress=False).values[upper]
note(
    own_rsm=pd.Series(own).corr(
        pd.Series(maps["rsm"].values[upper]), method="spearman"
    )
)
note(own_gw=pd.Series(own).corr(pd.Series(real), method="spearman"))

# %% [markdown]
# Over the pairs of layers its rank correlation is {glue:text}`own_rsm:.2f` with RSM and {glue:text}`own_gw:.2f` with GW. So it orders the pairs more as RSM does, which also compares the same inputs, than as GW.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Two layers have the same distances between inputs, but the inputs are shuffled in one. Which measure calls them alike?**
#
# <details><summary>a. RSM</summary>No: it compares the two distance matrices entry by entry.</details>
# <details><summary>b. Gromov-Wasserstein</summary>Right: it may match each input with any other.</details>
# <details><summary>c. CKA</summary>No: it compares input by input, so shuffling destroys what it sees.</details>
#
# **2. Two measures rank all pairs of layers of one network alike. What follows?**
#
# <details><summary>a. Nothing in this network tells them apart.</summary>Right: for that, one needs a case in which their questions have different answers.</details>
# <details><summary>b. The cheaper one is better.</summary>No: it is cheaper here. On another network it may not say the same.</details>
# <details><summary>c. They measure the same.</summary>No: on clouds made for the purpose they disagree completely.</details>
#
# ## Exercises
#
# :::{exercise} CKA in three lines
# :label: ex-03-cka
#
# *Difficulty 2 of 5, importance 5 of 5, 10 minutes.* Write `linear_cka(X, Y)` for two clouds (n, d) and (n, e) with the same samples in their rows: between 0 and 1, the same for a cloud that is rotated, moved or scaled.
#
# ```{dropdown} Hint 1
# Centre the columns of both. Then compare the matrices of inner products $XX^\top$ and $YY^\top$, entry by entry, as if they were two long vectors.
# ```
# ```{dropdown} Hint 2
# The cosine of the angle between them. The inner product of the two matrices is $\lVert Y^\top X \rVert_F^2$.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def linear_cka(X, Y):
    """Linear CKA of clouds (n, d) and (n, e), between 0 and 1."""
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    K, L = X @ X.T, Y @ Y.T
    return (K * L).sum() / (np.linalg.norm(K) * np.linalg.norm(L))


check.linear_cka(linear_cka)

# %% [markdown]
# :::{exercise} Alike by width alone
# :label: ex-03-noise
#
# *Difficulty 2 of 5, importance 4 of 5, 5 minutes.* Two clouds of Gaussian noise have nothing to do with each other. Find numbers of samples and of dimensions for which their linear CKA is above 0.9 all the same, and return them as `samples_and_dimensions()`. At most 200 of each.
#
# ```{dropdown} Hint 1
# In how many directions can a sample differ from the others, and how alike are then all inner products?
# ```
# ```{dropdown} Hint 2
# With few samples in many dimensions, all points are nearly equally far from one another: one shape for every cloud. The debiased CKA exists for this reason.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def samples_and_dimensions():
    """How many samples, and how many dimensions."""
    return 10, 200


check.samples_and_dimensions(samples_and_dimensions)

# %% [markdown]
# :::{exercise} Are they the same pairs?
# :label: ex-03-rsm
#
# *Difficulty 1 of 5, importance 4 of 5, 5 minutes.* Write `rsm(X, Y)`: the root of the mean squared difference of the two distance matrices, each in units of its mean distance between different points. That is the Gromov-Wasserstein distance without the search.
#
# ```{dropdown} Hint 1
# `pairwise_distances` and `mean_distance` are imported above.
# ```
# ```{dropdown} Hint 2
# The mean is over all $n^2$ entries, the diagonal among them, as in the cost of a coupling.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def rsm(X, Y):
    """Difference of the distances of two clouds (n, d) and (n, e)."""
    D, E = pairwise_distances(X), pairwise_distances(Y)
    return np.sqrt(((D / mean_distance(D) - E / mean_distance(E)) ** 2).mean())


check.rsm(rsm)

# %% [markdown]
# :::{exercise} A p-value that cannot be zero
# :label: ex-03-permutation
#
# *Difficulty 3 of 5, importance 5 of 5, 10 minutes.* Is a similarity more than chance? Shuffle the samples of one cloud, and see how often the score is as large. Write `p_value(score, X, Y, n, rng)`: `score(X, Y)` is larger for what is more alike, `n` shuffles are drawn with `rng.permutation`.
#
# ```{dropdown} Hint 1
# Shuffle the rows of one of the two, not of both in the same way.
# ```
# ```{dropdown} Hint 2
# The order that we have is one of the possible orders: count it, above and below. So the smallest value is $1 / (n + 1)$.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def p_value(score, X, Y, n, rng):
    """How often chance does as well, of n shuffles and the order that we have."""
    seen = score(X, Y)
    shuffled = [score(X, Y[rng.permutation(len(Y))]) for _ in range(n)]
    return (1 + sum(s >= seen for s in shuffled)) / (n + 1)


check.p_value(p_value)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C02: GW compares layers of different widths (4) | paper | agrees, and so do all but {glue:text}`n_equal_width:d` of the others | the table of measures |
# | C04: GW of two unlike clouds stays if one is rotated, mirrored or shifted (4.1) | paper | agrees | of {glue:text}`n_cells:d` executed cells {glue:text}`disagreements:d` disagree with what is declared, and none of these is about such a change |
# | C04, if the samples of one are renumbered | ours | undecided for the number that a search finds; the optimum stays by definition | the search ends {glue:text}`gw_moves:.1f` % from where it ended before |
# | C33: GW shows clearer sub-networks than RSM, RSA, CCA, CKA, MSID (reviews) | ours | undecided: one network | rank correlation with RSM {glue:text}`agree_rsm:.2f`, with CKA {glue:text}`agree_cka:.2f`; {glue:text}`one_block:d` of {glue:text}`n_maps:d` maps are one group |
# | D02: established measures are missing | - | answered: all ten families are here, and three more | rank correlation of GW with RSM {glue:text}`agree_rsm:.2f`, with CKA {glue:text}`agree_cka:.2f` |
# | D05: CKA looks the same, on clouds made to tell them apart | - | answered: each sees what the other does not | shuffled samples: CKA {glue:text}`shuffled_cka:.2f`, GW {glue:text}`shuffled_gw:.2f` |
# | D05, on a trained network | - | open: one network | the maps have a rank correlation of {glue:text}`agree_cka:.2f` |
#
# **Before you choose a measure**: write down which changes of a layer should not count, and look up who agrees with you. Two measures that disagree may both be right about different questions.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
