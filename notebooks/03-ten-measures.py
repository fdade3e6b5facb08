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
# There are dozens of measures of how alike two layers are. Which one should you take, and does it matter?
#
# ## In short
#
# It matters, because the measures answer different questions. Each of them ignores some changes of a layer and counts others. Shuffle the samples of one layer: {term}`GW <Gromov-Wasserstein distance>` sees no difference, and {term}`CKA` sees nothing in common. Stretch one axis: {term}`CCA` sees no difference, but CKA does. If 0 means the same cloud and 1 nothing in common, CKA puts the stretched cloud at {glue:text}`stretched_cka:.2f`. So decide first which changes should not count, and then choose. {numref}`fig-03-in-short` is the guide.
#
# :::{glue:figure} fig_in_short_03
# :name: fig-03-in-short
# :alt: A grid of numbers with one row for each of thirteen measures and one column for each of five changes of a cloud. Most measures give 0 for a rotation and about 1 for shuffled samples and for an unrelated cloud; Wasserstein, MSID, AGW and GW give 0 for shuffled samples.
#
# What thirteen measures say of five changes of one cloud. 0 is the value for the cloud and itself, 1 the value for a cloud with nothing in common. Values above 1 have the colour of 1. No two rows are quite alike, so no measure can replace all others.
# :::
#
# :::{admonition} What you will learn
# - thirteen families of measures, each with its question and its formula;
# - what each of them ignores, tested by running it;
# - five pairs of clouds on which they disagree, and why;
# - what dividing by the {term}`scale` changes, and for which measures.
#
# **Time**: 20 minutes to read, two minutes to run.
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
import numpy as np
import pandas as pd

import funcsim as fs
from exercises import chapter_03 as check
from funcsim import viz
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.nulls import spectrum_matched
from funcsim.similarity import INVARIANCES
from replication.modular_addition import trained_networks

small = profile == "smoke"

# %% tags=["remove-cell"]
# isort: split
import warnings

import matplotlib.pyplot as plt

from bookkit.glue import keep_figure, note

warnings.simplefilter("ignore", UserWarning)  # CCA warns below; the text says why

# %% [markdown]
# ## The measures
#
# The paper compares GW with three other measures. Its reviewers asked for six more, and for a reason to prefer any of them. With GW these are ten families. All are here, and three that the field has taken up since. {numref}`tab-03-measures` gives each with its question.
#
# :::{table} Thirteen families of measures. Row $i$ of the layers $X$ and $Y$ belongs to sample $i$; $D^X$ and $D^Y$ are the distances within them. For Procrustes, CCA and CKA both layers are centred. $Q$ is a rotation, the columns of $U_X$ are an orthonormal basis of the space that the columns of $X$ span, and $N_X(i)$ are the $k$ nearest neighbours of sample $i$.
# :name: tab-03-measures
#
# | family | the question | the number |
# | --- | --- | --- |
# | Euclidean | how far does each sample move, if both layers share their axes? | mean of $\lVert x_i - y_i \rVert$ |
# | cosine | does each sample keep its direction? | mean of $1 - \cos(x_i, y_i)$ |
# | Wasserstein | how far must one cloud be carried to become the other, whichever sample goes where? | $\min_T \bigl(\sum_{ij} \lVert x_i - y_j \rVert^2\, T_{ij}\bigr)^{1/2}$ |
# | Procrustes {cite:p}`williams2021generalized` | how far apart are the clouds once one is turned onto the other? | $\arccos \max_Q \langle XQ, Y \rangle / (\lVert X \rVert \lVert Y \rVert)$ |
# | RSM difference | do the same pairs of samples lie equally far apart? | root mean square of $D^X_{ik} - D^Y_{ik}$ |
# | RSA | do both layers rank the pairs of samples alike? | rank correlation of $D^X_{ik}$ and $D^Y_{ik}$ |
# | CCA | is one layer a linear function of the other? | mean singular value of $U_X^\top U_Y$ |
# | CKA {cite:p}`kornblith2019similarity` | do both find the same samples alike, large directions counting most? | $\lVert Y^\top X \rVert_F^2 / (\lVert X^\top X \rVert_F \lVert Y^\top Y \rVert_F)$ |
# | mutual k-NN {cite:p}`huh2024platonic` | does each sample keep its nearest neighbours? | mean share of $N_X(i)$ that is in $N_Y(i)$ |
# | CKNNA {cite:p}`huh2024platonic` | are near samples equally near? | CKA of those pairs that are neighbours in both layers |
# | MSID {cite:p}`tsitsulin2020msid` | does heat spread alike over the graphs of nearest neighbours? | largest weighted difference of two curves of heat over time |
# | AGW {cite:p}`demetci2024agw` | are samples and features arranged alike, whichever is which? | as GW, and features are matched as well |
# | GW | are the two clouds of the same shape, whichever sample is which? | $\min_T \bigl(\sum_{ijkl} (D^X_{ik} - D^Y_{jl})^2\, T_{ij} T_{kl}\bigr)^{1/2}$ |
# :::
#
# Some families have several members. CCA comes as a plain mean, as a mean after a reduction of dimensions (SVCCA {cite:p}`raghu2017svcca`), and as a weighted mean (PWCCA {cite:p}`morcos2018insights`). CKA comes with a linear or a Gaussian kernel, with and without a correction of its bias. {term}`RSA` comes with ranks or with the numbers themselves. `fs.measures()` lists all of them, with what each declares about itself.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-03-declared", "caption": "All measures of the library with what they declare: whether larger means more alike, whether layers must have equal widths, and whether the number is a metric."}}
measures = fs.measures()
declared = pd.DataFrame(vars(m) for m in measures.values())
declared = declared.set_index("name")
columns = ["title", "is_similarity", "requires_equal_dim", "is_metric"]
declared[[*columns, "source"]]

# %% tags=["remove-cell"]
note(n_measures=len(measures))
note(n_equal_width=int(declared["requires_equal_dim"].sum()))
note(n_metrics=int(declared["is_metric"].sum()))

# %% [markdown]
# Of {glue:text}`n_measures:d` measures, {glue:text}`n_equal_width:d` need layers of equal width. They cannot map a network whose layers differ in width. There are {glue:text}`n_metrics:d` metrics among all measures. For a *similarity* larger means more alike, and for a *distance* smaller does. Mixing up the two turns a map upside down: alike then looks different.
#
# ## What each ignores
#
# A measure is *invariant* under a change if this change of one of the two layers leaves the number as it was. An invariance is a decision about what does not count. We can test these decisions. We take two clouds, change one of them, and measure again.

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
# A number counts as unchanged if it stays the same to one part in a million. We compare {term}`raw <normalised>` distances here, because normalising removes scale before any measure looks.

# %%
executed = pd.DataFrame(index=list(measures), columns=list(INVARIANCES))
for name, measure in measures.items():
    before = measure(X, Y, normalize=None)
    for change, changed in changes.items():
        after = measure(X, changed, normalize=None)
        same = abs(after - before) <= 1e-6 * abs(before)
        executed.loc[name, change] = bool(same)

# %% tags=["remove-cell"]
declares = executed.copy()
for name, measure in measures.items():
    declares.loc[name] = [change in measure.invariances for change in INVARIANCES]
wrong = (executed != declares).stack()
note(n_cells=wrong.size, disagreements=int(wrong.sum()))
note(which_disagree=", ".join(sorted(name for name, _ in wrong[wrong].index)))
permuted = changes["sample permutation"]
before, after = (measures["gw"](X, Z, normalize=None) for Z in (Y, permuted))
note(gw_moves=100 * abs(after / before - 1))

# %% [markdown]
# A large dot marks a change that leaves the number as it was.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "A grid of twenty measures and six changes. Large dots mark what a measure ignores: most ignore translation, scaling and rotation, only mean CCA ignores every invertible linear map, and Wasserstein and MSID ignore a permutation of the samples."}, "figure": {"name": "fig-03-ignores", "caption": "What each measure ignores, as tested. Most ignore a rotation of the axes. Only mean CCA ignores every invertible linear map. GW and AGW have a small dot for permuted samples, because the search then ended at another matching. Their optimum does not change."}}
fig, ax = viz.new_figure(6.4, 6.0)
for row, name in enumerate(executed.index):
    for column, change in enumerate(INVARIANCES):
        marker, size = ("o", 8) if executed.loc[name, change] else (".", 2)
        ax.plot(column, row, marker, ms=size, color=viz.BLUE)
ax.set(yticks=range(len(executed)), yticklabels=executed.index)
ax.set(xticks=range(len(INVARIANCES)), xlim=(-0.5, 5.5))
ax.set_xticklabels([change.replace(" ", "\n") for change in INVARIANCES])
ax.xaxis.tick_top()
ax.invert_yaxis()
ax.tick_params(length=0, labelsize=9)
fig

# %% [markdown]
# Read {numref}`fig-03-ignores` by its columns. Only mean CCA ignores every invertible linear map. CCA asks what *can be read out*, not what is large. {term}`Wasserstein <Wasserstein distance>`, {term}`MSID`, GW and {term}`AGW` ignore a permutation of the samples, the last two as far as their search succeeds. They compare the clouds as wholes, and do not use which input is which. Euclidean and cosine distance ignore next to nothing. Between layers that do not share their axes, they measure the choice of axes.
#
# Of the {glue:text}`n_cells:d` dots of this grid, {glue:text}`disagreements:d` disagree with what the library declares. They are in the column of permuted samples: {glue:text}`which_disagree`. The *optimum* of these measures does not change, but the search for it starts elsewhere and may end in another local minimum. Here the GW distance changes by {glue:text}`gw_moves:.1f` %. The library's tests check every declared invariance on many clouds, and show that no others hold.
#
# ## Five pairs that tell them apart
#
# Now we ask how large a change each measure sees. We compare one cloud with five others. The first is a rotated copy. The second is stretched along its smallest axis. The third has its samples in another order. The fourth is squashed by a non-linear function. The fifth is an unrelated Gaussian cloud, which shares only the {term}`spectrum` of the original.

# %%
n, d = (20, 4) if small else (120, 6)
X = rng.normal(size=(n, d)) * np.geomspace(2, 0.5, d)
reps = fs.Representations({"X": X})
pairs = {
    "rotated": X @ np.linalg.qr(rng.normal(size=(d, d)))[0],
    "one axis stretched": X * np.r_[np.ones(d - 1), 12.0],
    "samples shuffled": X[rng.permutation(n)],
    "squashed": np.tanh(3 * X),
    "unrelated": spectrum_matched(reps, seed + 1)["X"],
}

# %% [markdown]
# The next figure shows the first and the last axis of each cloud.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Six small pictures of clouds of the same samples: the original, rotated, stretched along its last axis, shuffled, squashed into a square, and an unrelated cloud. Two colours mark the samples by their first coordinate; they are mixed in the shuffled and the unrelated cloud."}, "figure": {"name": "fig-03-clouds", "caption": "The cloud and its five partners: their first axis to the right, their last axis upwards. A sample has the same colour and marker in all six. The shuffled cloud has the same shape as the original, but other samples at each place."}}
fig, cells = plt.subplots(
    2,
    3,
    figsize=(6.4, 4.2),
    dpi=110,
    sharex=True,
    sharey=True,
    layout="constrained",
)
plt.close(fig)
first = X[:, 0] > 0
for ax, (word, Z) in zip(
    cells.flat, {"the cloud": X, **pairs}.items(), strict=True
):
    ax.plot(Z[first, 0], Z[first, -1], "o", color=viz.BLUE, ms=3)
    ax.plot(Z[~first, 0], Z[~first, -1], "^", color=viz.ORANGE, ms=3)
    ax.set_title(word, fontsize=10)
fig

# %% [markdown]
# The measures have different units. So we rescale each of them. The value for the cloud and itself becomes 0, and the value for a cloud with nothing in common becomes 1. The cloud with nothing in common is a sixth one, of independent log-normal numbers, so that its shape differs as well.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-03-pairs", "caption": "Where each pair lies between identity (0) and nothing in common (1), for all measures of the library. The figure at the top of this page shows one member of each family."}}
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

# %% tags=["remove-cell"]
words = ("rotated", "stretched", "shuffled", "squashed", "unrelated")
for name in ("euclidean", "cca", "cka", "gw", "rsa", "msid"):
    for word, column in zip(words, table, strict=True):
        note(**{f"{word}_{name}": table.loc[name, column]})
families = [
    "euclidean", "cosine", "wasserstein", "procrustes", "rsm", "rsa", "cca",
    "cka", "mutual-knn", "cknna", "msid", "agw", "gw",
]  # fmt: skip
in_short, ax = viz.new_figure(6.4, 5.4)
shown = table.loc[families].to_numpy()
ax.imshow(shown.clip(0, 1), cmap=viz.COLOURS, aspect="auto", vmin=0, vmax=1)
for (row, column), value in np.ndenumerate(shown):
    colour = "white" if value < 0.55 else "black"
    ax.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
ax.set(xticks=range(5), yticks=range(len(families)), yticklabels=families)
ax.set_xticklabels([word.replace(" ", "\n") for word in table])
ax.xaxis.tick_top()
ax.tick_params(length=0)
keep_figure("fig_in_short_03", in_short)

# %% [markdown]
# {numref}`fig-03-in-short` has the result for one member of each family. Its five columns teach five lessons.
#
# - **Rotated.** Measures built on distances or on subspaces do not change under rotation: GW gives {glue:text}`rotated_gw:.0f`. Measures built on coordinates do change: the Euclidean distance gives {glue:text}`rotated_euclidean:.2f`, nearly as much as for a cloud with nothing in common.
# - **One axis stretched.** For CCA nothing has happened ({glue:text}`stretched_cca:.0f`), because the same can be read out. For CKA ({glue:text}`stretched_cka:.2f`) and for the measures built on distances this is another cloud: one direction now decides which samples are near each other.
# - **Samples shuffled.** GW, AGW, Wasserstein and MSID see no difference. CKA and RSA find nothing in common ({glue:text}`shuffled_cka:.2f` and {glue:text}`shuffled_rsa:.2f`).
# - **Squashed.** A smooth non-linear function bends the shape. CCA gives {glue:text}`squashed_cca:.2f` and GW {glue:text}`squashed_gw:.2f`. MSID gives {glue:text}`squashed_msid:.2f`: it puts the squashed cloud farther away than the cloud with nothing in common.
# - **Unrelated.** CKA and RSA find nothing in common ({glue:text}`unrelated_cka:.2f` and {glue:text}`unrelated_rsa:.2f`). GW gives only {glue:text}`unrelated_gw:.2f`, because clouds of one spectrum have similar shapes. *Two layers that share no information about the samples can be half alike for GW.*
#
# The columns *shuffled* and *unrelated* show what optimising the matching gains, and what it loses. To ask whether two layers hold the same information, do not take GW. To ask whether they arrange things in the same shape, do not take CKA.
#
# ## The same network under all measures
#
# Do the measures also disagree on a trained network? We take {term}`Model 0 <Model 0, Model E, Model L>` and 19 of its 31 layers: the {term}`residual stream`, two of the four {term}`heads <head>`, and the {term}`MLP`. Their widths go from 4 to 1,024.

# %%
trained = trained_networks.load("model-0", profile, seed)
kinds = ("k", "q", "v", "attn_pre", "attn", "z")
heads = [f"{kind}.{head}" for kind in kinds for head in (0, 1)]
others = ("attn_out", "resid_mid", "pre", "post", "mlp_out", "resid_post")
names = ["resid_pre", *heads, *others]
reps = fs.capture(trained.model, [trained.pairs])
reps = reps.select([f"blocks.0.{name}" for name in names])
sample = reps.subsample(min(24 if small else 240, reps.n_samples), seed)

# %% tags=["remove-cell"]
note(n_used=sample.n_samples)

# %% [markdown]
# The three measures that need equal widths must refuse.

# %%
try:
    fs.compare(sample, measure="euclidean")
except ValueError as refusal:
    print(refusal)

# %% [markdown]
# The other measures make a map each, on {glue:text}`n_used:d` inputs. We leave out AGW to save minutes, because it matches up to 1,024 features with each other at every step. `fs.partition` looks in each map for {term}`groups <group>`. It tests whether one step from a layer to the next is out of proportion to the other steps. [Chapter 06](06-modular-sum-subnetworks.ipynb) explains this test.

# %%
wide = [
    name
    for name, m in measures.items()
    if not m.requires_equal_dim and name != "agw"
]
maps = {name: fs.compare(sample, measure=name) for name in wide}
groups = {name: fs.partition(m, seed=seed) for name, m in maps.items()}

# %% [markdown]
# How much does each map resemble that of GW? We take the {term}`rank correlation` of their entries. The sign of a similarity is changed first, so that larger always means more different.

# %%
upper = np.triu_indices(len(names), k=1)
signed = {
    name: (-1 if m.is_similarity else 1) * m.values[upper]
    for name, m in maps.items()
}
agreement = pd.DataFrame(signed).corr(method="spearman")["gw"]

# %% tags=["remove-cell"]
note(one_block=sum(g.n_groups == 1 for g in groups.values()), n_maps=len(maps))
note(n_entries=len(upper[0]))
note(**{f"agree_{n}": agreement[n] for n in ("rsm", "cka", "cca")})

# %% [markdown]
# The dots are sorted by this correlation, taken over {glue:text}`n_entries:d` pairs of layers.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Rank correlation of each measure's map with the map of GW, sorted: RSM is most like it, then the measures of nearest neighbours, CKA in the middle, and the CCA family least."}, "figure": {"name": "fig-03-agreement", "caption": "How much the map of Model 0 under each measure resembles its map under GW, as a rank correlation over all pairs of layers. RSM, which is GW without the search, comes first. The CCA family comes last."}}
fig, ax = viz.new_figure(6.0, 4.4)
ranked = agreement.drop("gw").sort_values()
ax.hlines(ranked.index, 0, ranked, color=viz.GREY, lw=1)
ax.plot(ranked, ranked.index, "o", color=viz.BLUE)
ax.set(xlabel="rank correlation with the GW map", xlim=(0, 1))
ax.grid(axis="x", alpha=0.3)
fig

# %% [markdown]
# Two of the maps show what such a correlation looks like. The first is that of linear CKA. Bright means different, as everywhere in this book.

# %% tags=["fig"] mystnb={"image": {"alt": "Layer map of 19 layers of Model 0 under linear CKA: the last two layers, mlp_out and resid_post, are bright against all earlier ones, and so are the attention maps against all later ones."}, "figure": {"name": "fig-03-cka", "caption": "Model 0 under linear CKA. What the MLP adds (`mlp_out`) and the stream behind it (`resid_post`) differ most from all earlier layers."}}
maps["cka"].plot(groups=groups["cka"], title="Model 0, linear CKA")

# %% [markdown]
# The second map is that of GW, on the same layers and inputs.

# %% tags=["fig"] mystnb={"image": {"alt": "Layer map of the same 19 layers under the Gromov-Wasserstein distance: the two attention maps form a bright cross."}, "figure": {"name": "fig-03-gw", "caption": "The same layers and inputs under GW. Now the attention maps (`attn`) differ most from the others, and `mlp_out` and `resid_post` do not stand out."}}
maps["gw"].plot(groups=groups["gw"], title="Model 0, GW")

# %% [markdown]
# The GW map resembles that of {term}`RSM` most ({glue:text}`agree_rsm:.2f`). Linear CKA is less like it ({glue:text}`agree_cka:.2f`), and mean CCA least of these three ({glue:text}`agree_cca:.2f`). In {glue:text}`one_block:d` of the {glue:text}`n_maps:d` maps the test finds one group only. The layers of Model 0 are of many kinds, and the steps between them are too uneven for the test ([chapter 06](06-modular-sum-subnetworks.ipynb)).

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-03-groups", "caption": "For each measure, the rank correlation of its map with that of GW, the layers at which a new group starts, and the p-value of the test."}}
starts = {
    measure: ", ".join(names[i] for i in g.boundaries)
    for measure, g in groups.items()
}
summary_table = pd.DataFrame(
    {
        "rank correlation with GW": agreement,
        "new groups start at": starts,
        "p": {name: g.p_value for name, g in groups.items()},
    }
)
summary_table.round(3)

# %% [markdown]
# On this network the maps of GW and RSM are much alike, so the reviewers are right to ask what GW adds. Whether GW shows "clearer" groups cannot be decided on one network. [Chapter 13](13-is-the-boundary-real.ipynb) asks this on networks whose groups are known.
#
# The CCA family needs a warning. {glue:text}`n_used:d` samples span at most as many directions, and each wide layer holds more than half of these. So any two wide layers share directions and have correlations of 1 in them, whatever they compute. The library warns about this. We switched the warning off on this page.
#
# ## Raw or normalised
#
# By default every layer is divided by its mean distance. This changes only measures that see scale. For them, a raw map shows which layers are *large*. For each pair of layers we take the difference of their mean distances. We correlate it with the raw map and with the normalised map.

# %%
mean = [mean_distance(pairwise_distances(x)) for x in sample.values()]
by_scale = np.abs(np.subtract.outer(mean, mean))[upper]


def explained_by_scale(name, normalize):
    """Share of the variance of a map, in percent."""
    m = fs.compare(sample, measure=name, normalize=normalize)
    return 100 * np.corrcoef(m.values[upper], by_scale)[0, 1] ** 2


# %% [markdown]
# GW and RSM see scale. RSA and CKA do not.

# %% mystnb={"figure": {"name": "tab-03-scale", "caption": "How much of the variance of a map, in per cent, goes along with differences of scale between the layers. The raw maps of GW and RSM follow scale almost completely. Normalising changes nothing for RSA and CKA."}}
chosen = ("gw", "rsm", "rsa", "cka")
steps = pd.DataFrame(
    {
        word: {name: explained_by_scale(name, how) for name in chosen}
        for word, how in (("raw", None), ("normalised", "mean"))
    }
)
steps.round(1)

# %% tags=["remove-cell"]
note(raw_gw=steps.loc["gw", "raw"], kept_gw=steps.loc["gw", "normalised"])
note(raw_rsm=steps.loc["rsm", "raw"])
note(raw_cka=steps.loc["cka", "raw"], kept_cka=steps.loc["cka", "normalised"])

# %% [markdown]
# Differences of scale explain {glue:text}`raw_gw:.1f` % of the variance of the raw GW map, and {glue:text}`kept_gw:.1f` % of the normalised one. Of the raw RSM map they explain {glue:text}`raw_rsm:.1f` %. CKA does not see scale, so normalising changes nothing: the share is {glue:text}`raw_cka:.1f` % before and {glue:text}`kept_cka:.1f` % after. These numbers are not zero, because layers of different scale differ in other ways too. "Explain" only means "go along with".
#
# In the paper's figures GW maps and CKA maps differ, and its GW maps are raw, as far as we can tell. Where a raw GW map and a CKA map differ, look at the scale before you credit the measure.
#
# ## Which one should I take?
#
# :::{table} Which measure answers which question, and what to watch for.
# :name: tab-03-which
#
# | if you ask | take | and watch for |
# | --- | --- | --- |
# | can the same be read out linearly? | CCA, or better a probe | CCA needs more than twice as many samples as features |
# | are the same inputs alike? | debiased CKA or RSA | a few huge points decide CKA |
# | same shape, same inputs? | RSM difference, normalised | scale, if raw |
# | same shape, whichever inputs? | GW, normalised, with its interval | clouds of one spectrum look alike; values tend to fall as inputs are added |
# | how far does each sample move, if the axes are shared? | Euclidean, cosine | means nothing across different axes |
# :::
#
# Report two measures that ignore different changes. If they agree, no choice was needed. If they do not, the difference is the finding. Two more questions belong to every map. How sure is each entry? And is a small distance smaller than that of unrelated clouds? [Going deeper: how sure is a map?](03b-how-sure-is-a-map.ipynb) answers both for this network. On that page a typical GW distance is as large as that of two unrelated Gaussian clouds with the spectra of the two layers.
#
# If no measure asks your question, write one. In place of a measure's name, `fs.compare` also takes a `fs.Measure`. The measure in the next cell asks how far corresponding samples are apart after the best rotation.


# %%
def after_rotation(x, y):
    """Root mean squared distance of rows after the best rotation."""
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    overlap = np.linalg.svd(x.T @ y, compute_uv=False).sum()
    rest = (x**2).sum() + (y**2).sum() - 2 * overlap
    return np.sqrt(max(rest, 0) / len(x))


turned = fs.Measure(name="turned", score=after_rotation, is_metric=True)
own = fs.compare(sample, measure=turned, progress=False).values[upper]
own = pd.Series(own)
rsm, gw = (pd.Series(maps[name].values[upper]) for name in ("rsm", "gw"))
[float(own.corr(other, method="spearman")) for other in (rsm, gw)]

# %% tags=["remove-cell"]
note(own_rsm=own.corr(rsm, method="spearman"))
note(own_gw=own.corr(gw, method="spearman"))

# %% [markdown]
# Over the pairs of layers, the rank correlation of this measure is {glue:text}`own_rsm:.2f` with RSM and {glue:text}`own_gw:.2f` with GW. This measure compares the same inputs, as RSM does. It orders the pairs of layers more like RSM than like GW.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C02: GW compares layers of different widths (4) | paper | agrees; all measures but {glue:text}`n_equal_width:d` can do this | the table of measures |
# | C04: GW of two unlike clouds stays the same if one is rotated, mirrored or shifted (4.1) | paper | agrees | of {glue:text}`n_cells:d` pairs of a measure and a change {glue:text}`disagreements:d` disagree with what is declared, and none of these is about a rotation, reflection or shift |
# | C04, if the samples of one are renumbered | ours | undecided for the number that a search finds; the optimum stays by definition | the search ends {glue:text}`gw_moves:.1f` % from where it ended before |
# | C33: GW shows clearer sub-networks than RSM, RSA, CCA, CKA, MSID (reviews) | ours | undecided: one network | rank correlation with RSM {glue:text}`agree_rsm:.2f`, with CKA {glue:text}`agree_cka:.2f`; {glue:text}`one_block:d` of {glue:text}`n_maps:d` maps are one group |
# | D02: established measures are missing | - | answered: all ten families are here, and three more | rank correlation of GW with RSM {glue:text}`agree_rsm:.2f`, with CKA {glue:text}`agree_cka:.2f` |
# | D05: CKA looks the same as GW, on clouds made to tell them apart | - | answered: each sees what the other does not | shuffled samples: CKA {glue:text}`shuffled_cka:.2f`, GW {glue:text}`shuffled_gw:.2f` |
# | D05, on a trained network | - | open: one network | the maps have a rank correlation of {glue:text}`agree_cka:.2f` |
#
# **Before you choose a measure**: write down which changes of a layer should not count, and look up which measures ignore just these. Two measures that disagree may both be right about different questions.
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
# To read again: [Five pairs that tell them apart](#five-pairs-that-tell-them-apart)
#
# **2. Two measures rank all pairs of layers of one network alike. What follows?**
#
# <details><summary>a. This network does not tell them apart.</summary>Right: for that, one needs a case in which their questions have different answers.</details>
# <details><summary>b. The cheaper one is better.</summary>No: it does as well here. On another network the two may disagree.</details>
# <details><summary>c. They measure the same.</summary>No: on other inputs they may disagree completely, as GW and RSM do on shuffled samples.</details>
#
# To read again: [The same network under all measures](#the-same-network-under-all-measures)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} Alike by width alone
# :label: ex-03-noise
#
# *Difficulty 2 of 4, importance 4 of 5, 5 minutes.* Two clouds of Gaussian noise have nothing to do with each other. Find numbers of samples and of dimensions for which their linear CKA is above 0.9 all the same, and return them as `samples_and_dimensions()`. At most 200 of each.
#
# ```{dropdown} Hint 1
# In how many directions can a sample differ from the others? How alike are then the inner products of different samples?
# ```
# ```{dropdown} Hint 2
# With few samples in many dimensions, all points are nearly equally far from one another, so all clouds have nearly one shape. The debiased CKA exists for this reason.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def samples_and_dimensions():
    """How many samples, and how many dimensions."""
    return 10, 200


check.samples_and_dimensions(samples_and_dimensions)

# %% [markdown]
# :::{exercise} CKA in three lines
# :label: ex-03-cka
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Write `linear_cka(X, Y)` for two clouds (n, d) and (n, e) with the same samples in their rows. It lies between 0 and 1, and stays as it is if one cloud is rotated, moved or scaled.
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
# :::{exercise} A p-value that cannot be zero
# :label: ex-03-permutation
#
# *Difficulty 3 of 4, importance 5 of 5, 10 minutes.* Is a similarity more than chance? Shuffle the samples of one cloud, and see how often the score is as large. Write `p_value(score, X, Y, n, rng)`: `score(X, Y)` is larger for what is more alike, `n` shuffles are drawn with `rng.permutation`.
#
# ```{dropdown} Hint 1
# Shuffle the rows of one of the two, not of both in the same way.
# ```
# ```{dropdown} Hint 2
# The order that we have is one of the possible orders: count it in the numerator and in the denominator. So the smallest value is $1 / (n + 1)$.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def p_value(score, X, Y, n, rng):
    """How often chance does as well, of n shuffles and our order."""
    seen = score(X, Y)
    shuffled = [score(X, Y[rng.permutation(len(Y))]) for _ in range(n)]
    return (1 + sum(s >= seen for s in shuffled)) / (n + 1)


check.p_value(p_value)

# %% [markdown]
# :::{exercise} Predict what goes unnoticed
# :label: ex-03-predict
#
# *Difficulty 2 of 4, importance 5 of 5, 15 minutes.* Invent a change of a cloud (60, 4) that is not on this page: cut some digits off, set an axis to zero, double every second sample, anything. Which measures will *not* notice it? Write their names into `predicted()`, as a set; `agw` is left out. Only then write `changed(x)`. The check runs all measures. It says that a measure has noticed if the pair is more than a hundredth of the way to a cloud with nothing in common. Then compare: for each measure that you got wrong, say which part of its formula you had overlooked.
#
# ```{dropdown} Hint 1
# Ask of each measure whether it uses distances, angles, spans or neighbours. Does your change keep them?
# ```
# ```{dropdown} Hint 2
# The names are those of `fs.measures()`. For a first try take an axis-wise stretch, and read the row of CCA in the table of the measures.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Names of the measures that will not notice the change."""
    return {"cca", "svcca", "pwcca"}


def changed(x):
    """A changed cloud, of the same shape."""
    return x * np.geomspace(1, 10, x.shape[1])


check.predicted(predicted, changed)

# %% [markdown]
# ## Where the stored results come from
#
# Model 0 was trained before this page was run. The next cell shows its record.

# %% tags=["hide-cell"]
print(trained.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
