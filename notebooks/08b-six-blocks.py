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
# # 08b The same on six blocks
#
# [Chapter 08](08-bert-subnetworks.ipynb) looks for {term}`groups <group>` in an encoder of twelve {term}`blocks <block>`. Does a smaller one, MiniLM with six, give the same answers? And do they survive another seed, another learning rate, and {term}`pruning`?
#
# ## In short
#
# The picture is much the same. After {term}`fine-tuning` the last two of six blocks stand apart from the others. Three seeds give nearly the same map, with a {term}`rank correlation` of {glue:text}`seed_rank:.2f` or more. But our test finds no {term}`boundary` in any encoder that is fine-tuned without pruning. Of the five steps between six blocks the last two are large, and we cannot tell a boundary from a change of speed. The {term}`Gromov-Wasserstein distance` (GW) is not the measure that shows two groups most clearly. The *best cut* divides a map once, at the place that explains most of its variance. On average it explains {glue:text}`all_gw:.0f` % of a map under GW, and {glue:text}`all_rsm:.0f` % under {term}`RSM`. At a higher learning rate the picture is less clear under both.
#
# :::{glue:figure} fig_in_short_08b
# :name: fig-08b-in-short
# :alt: GW maps of six blocks for two tasks and six encoders. Before fine-tuning the maps are even. In the dense encoders blocks 5 and 6 are bright against blocks 1 to 4. In the fast one and those with 25 % zeros the bright part is larger. With 95 % zeros the first two blocks are white.
#
# GW maps of six encoders: before fine-tuning, fine-tuned at the usual rate (dense) and at a higher one (fast), and with about 25, 70 and 95 % of the weights at zero. Dark is alike, and a row has one scale of colours. White blocks give the same vector for every text.
# :::
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.2 with Figure 6, appendices F and G with Figures 12 and 13; the discussion of its reviews.

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
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

import funcsim as fs
from funcsim import viz
from funcsim.viz.interactive import explorer
from replication.encoder import fine_tuned

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## The encoders
#
# The encoder is `all-MiniLM-L6-v2`, MiniLM for short. It has {glue:text}`n_blocks:d` blocks. It was distilled from a larger encoder, and then tuned on pairs of sentences. BERT-base was not run.
#
# For each of two tasks there are six versions. *Before* is MiniLM before fine-tuning. *Dense* is fine-tuned at the usual learning rate, and *fast* at {glue:text}`times_rate:.0f` times this rate. The other three are fine-tuned at the higher rate while about 25, 70 or 95 % of their weights are driven to zero. [Page 09b](09b-sparse-six-blocks.ipynb) says how, and why this takes the higher rate.

# %%
KINDS = {
    "before": "pretrained",
    "dense": "dense",
    "fast": "fast",
    "25 %": "neuroprune-25",
    "70 %": "neuroprune-70",
    "95 %": "neuroprune-95",
}
TASKS = {"SST-2": "sst2", "Yelp": "yelp"}
runs = {
    (task, kind): fine_tuned.load(f"{TASKS[task]}-{KINDS[kind]}", profile)
    for task in TASKS
    for kind in KINDS
}

# %% tags=["remove-cell"]
a_map = runs["SST-2", "dense"].maps["cls/mean/gw"]
note(n_blocks=len(a_map.names), n_mapped=a_map.n_samples)
blocks = [f"block {k + 1}" for k in range(len(a_map.names))]
upper = np.triu_indices(len(blocks), k=1)
PLACE = "block {}, {:.0f} %"  # a best cut, and what it explains
labels = {key: ", ".join(key) for key in runs}

# %% tags=["remove-cell"]
rate = {
    kind: runs["SST-2", kind].record.parameters["training"]["lr"]
    for kind in ("dense", "fast")
}
note(times_rate=rate["fast"] / rate["dense"])
for task, kind in runs:
    name = f"{TASKS[task]}_{KINDS[kind]}".replace("-", "_")
    note(**{f"acc_{name}": 100 * runs[task, kind].scores["accuracy"]})
    note(**{f"heads_{name}": ", ".join(map(str, runs[task, kind].heads))})

# %% tags=["remove-cell"]
keep_figure(
    "fig_in_short_08b",
    viz.map_grid(
        {
            task: {kind: runs[task, kind].maps["cls/mean/gw"] for kind in KINDS}
            for task in TASKS
        }
    ),
)

# %% [markdown]
# The table shows how often these encoders are right.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-08b-encoders", "caption": "Six encoders for each task: accuracy on validation texts, and the share of the weights of attention and MLP that are zero, both in per cent."}}
pd.DataFrame(
    {
        kind: {
            f"{task}, {what}": number
            for task in TASKS
            for what, number in {
                "accuracy": 100 * runs[task, kind].scores["accuracy"],
                "zeros": 100 * runs[task, kind].sparsity,
            }.items()
        }
        for kind in KINDS
    }
).T.round(1)

# %% [markdown]
# {numref}`fig-08b-in-short` shows the {term}`layer map` of each encoder under GW, on {glue:text}`n_mapped:d` texts at {term}`[CLS]`. With 95 % zeros the first blocks have no {term}`heads <head>` left. The numbers of heads, block by block, are {glue:text}`heads_sst2_neuroprune_95` on SST-2 and {glue:text}`heads_yelp_neuroprune_95` on Yelp. Without heads [CLS] receives nothing of the text, and the block is {term}`silent`. On Yelp the encoder with 95 % zeros is right in {glue:text}`acc_yelp_neuroprune_95:.1f` % of the texts, hardly more than chance. So its map shows what pruning took away, and not how a task is solved.
#
# Explore the map of the dense encoder on SST-2: point at a cell, or use the arrow keys.

# %% tags=["widget", "hide-input"]
explorer(
    a_map.renamed(blocks),
    "GW map of the encoder fine-tuned on SST-2, normalised: "
    "the first four blocks are close, the last two far.",
)

# %% [markdown]
# Such groups were seen before, by {term}`CKA`, in encoders fine-tuned on twelve tasks {cite:p}`phang2021finetuned`.
#
# ## What do raw maps show?
#
# The paper's Figure 6 has four measures on Yelp, with raw distances. Here they are for our encoders.

# %%
FOUR = {
    "Euclidean": "euclidean",
    "cosine": "cosine",
    "Wasserst.": "wasserstein",
    "GW": "gw",
}


# %% tags=["remove-cell"]
def clipped(maps, last):
    """Maps by name, those of `last` clipped at the largest value of the rest."""
    others = [m.values for kind, m in maps.items() if kind != last]
    top = np.nanmax(others)
    short = replace(maps[last], values=np.minimum(maps[last].values, top))
    return maps | {last: short}


def grid(task, measures, scale):
    """Maps of all encoders of a task under some measures."""
    rows = {}
    for title, name in measures.items():
        row = {k: runs[task, k].maps[f"cls/{scale}/{name}"] for k in KINDS}
        rows[title] = clipped(row, "95 %")
    return rows


# %% [markdown]
# The figure has a row for each measure.

# %% tags=["fig", "wide", "paper-F06", "hide-input"] mystnb={"image": {"alt": "Maps of six encoders on Yelp under four raw measures. In all rows the last block is far from everything else, and the rest is dark. With 70 and 95 % zeros nearly everything is dark."}, "figure": {"name": "fig-08b-raw", "caption": "Yelp, raw distances. A row has one scale of colours; values of the last column that are beyond it are clipped. All four measures show the last block, and GW nothing else."}}
viz.map_grid(grid("Yelp", FOUR, "raw"))

# %% [markdown]
# Under all four the last block stands out. It has the largest {term}`scale`. How much of a map is scale? We ask which share of its variance is explained by the difference of two blocks' scales.


# %%
def by_scale(run, key):
    """Share of a map's variance that differences of scale explain, in %."""
    apart = np.abs(np.subtract.outer(run.scale, run.scale))[upper]
    values = run.maps[key].values[upper]
    known = np.isfinite(values)
    return 100 * np.corrcoef(values[known], apart[known])[0, 1] ** 2


# %% [markdown]
# The table has the medians over the {glue:text}`n_encoders:d` encoders, for raw and for {term}`normalised` distances.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-08b-scale", "caption": "Share of a map's variance that the blocks' differences of scale explain, in per cent, as a median over twelve encoders."}}
scale_table = pd.DataFrame(
    {
        word: {
            title: np.median(
                [by_scale(r, f"cls/{how}/{name}") for r in runs.values()]
            )
            for title, name in FOUR.items()
        }
        for word, how in {"raw": "raw", "normalised": "mean"}.items()
    }
)
scale_table.round(1)

# %% tags=["remove-cell"]
note(n_encoders=len(runs))
note(raw_scale=scale_table.loc["GW", "raw"])
note(cosine_scale=scale_table.loc["cosine", "normalised"])
note(mean_scale=scale_table.loc["GW", "normalised"])
note(smallest=int(np.argmin(runs["Yelp", "dense"].scale)) + 1)

# %% [markdown]
# In the median encoder, differences of scale explain {glue:text}`raw_scale:.0f` % of the raw GW map. The raw map has no group but the last block. We now divide each block by its mean distance.

# %% tags=["fig", "wide", "paper-F06", "hide-input"] mystnb={"image": {"alt": "The same maps with each block divided by its mean distance. Under GW the map before fine-tuning is even, and in the fine-tuned encoders the last blocks are apart. Under Euclidean distance and Wasserstein there is a cross at block 3. Cosine is unchanged."}, "figure": {"name": "fig-08b-normalised", "caption": "Yelp, normalised distances. Under GW the last blocks leave the others after fine-tuning. Euclidean distance and Wasserstein show a cross at block 3, the block of the smallest scale."}}
viz.map_grid(grid("Yelp", FOUR, "mean"))

# %% [markdown]
# Now the map under GW differs from the other three. Scale still explains {glue:text}`mean_scale:.0f` % of it, perhaps because the blocks that change their shape also grow. Euclidean distance and Wasserstein see *where* a cloud lies. Dividing block {glue:text}`smallest:d` by its small scale throws it far away, which makes the cross. Normalisation does not change the cosine map, and scale explains {glue:text}`cosine_scale:.0f` % of this map.
#
# The folds hold the other maps. The first is SST-2, as in the paper's Figure 13.

# %% tags=["fig", "wide", "paper-F13", "paper-R17", "hide-input", "hide-output"] mystnb={"image": {"alt": "Normalised maps of six encoders on SST-2 under four measures, much like those on Yelp."}, "figure": {"name": "fig-08b-sst2", "caption": "SST-2, four measures, normalised distances. Values of the last column beyond the scale of a row are clipped."}}
viz.map_grid(grid("SST-2", FOUR, "mean"))

# %% tags=["remove-cell"]
SIX = {
    "RSM": "rsm",
    "RSA": "rsa",
    "CKA": "cka-debiased",
    "MSID": "msid",
    "AGW": "agw",
    "CCA": "pwcca",
}

# %% [markdown]
# The paper's other six measures, on SST-2:

# %% tags=["fig", "wide", "hide-input", "hide-output"] mystnb={"image": {"alt": "Normalised maps of six encoders on SST-2 under six further measures: RSM, RSA and CKA show the last blocks of the fine-tuned encoders apart; AGW shows a cross at block 3; MSID and CCA show little."}, "figure": {"name": "fig-08b-six-sst2", "caption": "SST-2, six further measures, normalised distances. RSM, RSA and CKA show the last blocks apart. AGW shows the cross at block 3, as Euclidean distance does."}}
viz.map_grid(grid("SST-2", SIX, "mean"))

# %% [markdown]
# And on Yelp:

# %% tags=["fig", "wide", "paper-R15", "paper-R16", "hide-input", "hide-output"] mystnb={"image": {"alt": "The same six measures on Yelp: RSM, RSA and CKA show the last blocks of the fine-tuned encoders apart; AGW shows a cross at block 3."}, "figure": {"name": "fig-08b-six-yelp", "caption": "Yelp, six further measures, normalised distances. The maps are much like those on SST-2."}}
viz.map_grid(grid("Yelp", SIX, "mean"))

# %% [markdown]
# ## How clear are two groups?
#
# The paper says that GW shows the groups most clearly. As in chapter 08, we cut the blocks once into earlier and later ones. The best cut is the one that explains most of the map's variance.


# %%
def clearest(values):
    """First block after the best cut; share of the variance in %."""
    values = values[upper]
    before, after = upper
    split = [(before < c) & (after >= c) for c in range(1, len(blocks))]
    shares = [np.corrcoef(values, s)[0, 1] ** 2 for s in split]
    return int(np.argmax(shares)) + 2, 100 * max(shares)


# %% tags=["remove-cell"]
clarity = {
    (task, kind): {
        title: clearest(runs[task, kind].maps[f"cls/mean/{name}"].values)
        for title, name in (FOUR | SIX).items()
    }
    for task in TASKS
    for kind in ("dense", "fast")
}
shares = pd.DataFrame(
    {
        labels[k]: {t: share for t, (_, share) in row.items()}
        for k, row in clarity.items()
    }
)

# %% tags=["remove-cell"]
clear = shares["SST-2, dense"]
note(clear_gw=clear["GW"], clear_rsm=clear["RSM"], clear_rsa=clear["RSA"])
note(clear_cka=clear["CKA"], clear_w=clear["Wasserst."])
note(cut_gw=clarity["SST-2", "dense"]["GW"][0])
for task in TASKS:
    at, share = clarity[task, "fast"]["GW"]
    note(**{f"cut_fast_{TASKS[task]}": at, f"clear_fast_{TASKS[task]}": share})
    at, share = clarity[task, "dense"]["GW"]
    note(**{f"cut_dense_{TASKS[task]}": at, f"clear_dense_{TASKS[task]}": share})
overall = shares.mean(axis=1)
note(all_gw=overall["GW"], all_rsm=overall["RSM"], all_rsa=overall["RSA"])
note(all_cka=overall["CKA"], all_w=overall["Wasserst."])

# %% tags=["remove-cell"]
even = np.abs(np.subtract.outer(range(len(blocks)), range(len(blocks))))
note(by_drift=clearest(even)[1])
raw_cuts = {
    title: [clearest(runs[k].maps[f"cls/raw/{name}"].values) for k in clarity]
    for title, name in FOUR.items()
}
raw_shares = {t: np.mean([share for _, share in c]) for t, c in raw_cuts.items()}
note(raw_least=min(raw_shares.values()))
note(raw_euclid=raw_shares["Euclidean"], raw_cosine=raw_shares["cosine"])
note(raw_w=raw_shares["Wasserst."], raw_gw=raw_shares["GW"])

# %% [markdown]
# A map of even {term}`drift` has no groups, and its best cut explains {glue:text}`by_drift:.0f` %. Only a share clearly above this is a picture of two groups.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Share of each map's variance that its best cut explains, for ten measures, two tasks and two learning rates. Cosine has about 100 %, RSM 67 to 88 %, GW 46 to 78 %, CKA and RSA 51 to 73 %. Euclidean distance, Wasserstein, AGW and CCA are below even drift or near it."}, "figure": {"name": "fig-08b-clear", "caption": "How much of a map its best cut into two groups explains, with normalised distances. The dashed line is even drift. RSM is above GW in each encoder. Cosine sees the last block alone."}}
viz.dots(
    shares,
    xlabel="variance of the map that the best cut explains (%)",
    reference=clearest(even)[1],
    reference_label="even drift",
)

# %% [markdown]
# Cosine is clearest, but it only sets the last block apart, and this is again an effect of scale. On SST-2 the best cut of the dense encoder under GW is before block {glue:text}`cut_gw:d`, and explains {glue:text}`clear_gw:.0f` %. In the mean over the four encoders GW has {glue:text}`all_gw:.0f` %, and RSM is clearer with {glue:text}`all_rsm:.0f` %. CKA with {glue:text}`all_cka:.0f` % and {term}`RSA` with {glue:text}`all_rsa:.0f` % are about as clear as GW. Wasserstein has {glue:text}`all_w:.0f` %, less than even drift. {term}`CCA` is of no use here. With fewer texts than dimensions every block is a linear function of every other.
#
# With raw distances, as in the paper, none of the four measures is clearly behind: the best cut explains {glue:text}`raw_least:.0f` % or more. All of these cuts set the last block apart. The fold lists where the normalised maps are cut.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08b-cuts", "caption": "First block after the best cut, and the share of the variance that it explains in per cent, with normalised distances."}}
pd.DataFrame(
    {
        labels[k]: {t: PLACE.format(*c) for t, c in r.items()}
        for k, r in clarity.items()
    }
)

# %% [markdown]
# ## How many groups?
#
# The paper uses {term}`spectral clustering` {cite:p}`luxburg2007tutorial`, which returns as many groups as it is asked for. We ask it for two. `fs.partition_into` also makes two groups: it divides the blocks at their *clearest step*, the step from one block to the next that stands out most. The two methods agree in {glue:text}`n_same:d` of {glue:text}`n_tuned:d` fine-tuned encoders. Before fine-tuning, a group of spectral clustering does not even consist of consecutive blocks.
#
# The test of [chapter 06](06-modular-sum-subnetworks.ipynb) can answer "one group". Can it find anything in six layers? We try perfect maps, with distance 0 within a group and 1 between groups.


# %% mystnb={"figure": {"name": "tab-08b-perfect", "caption": "The test on perfect maps of six and of twelve layers, by the sizes of their groups."}}
def perfect(*sizes):
    """A map in which groups of these sizes are all that there is."""
    group = np.repeat(range(len(sizes)), sizes)
    values = np.not_equal.outer(group, group).astype(float)
    names = tuple(f"layer {k + 1}" for k in range(len(group)))
    return fs.LayerMap(values, names, names, "gw", "mean", 200)


found = {}
for sizes in [(4, 2), (5, 1), (4, 1, 1), (10, 2), (11, 1)]:
    groups = fs.partition(perfect(*sizes))
    shape = " + ".join(map(str, sizes))
    found[shape] = {"groups found": groups.n_groups, "p": groups.p_value}
pd.DataFrame(found).T.astype({"groups found": int})

# %% tags=["remove-cell"]
note(p_perfect=found["4 + 2"]["p"], p_single=found["5 + 1"]["p"])

# %% [markdown]
# Among six layers the test finds one perfect boundary ($p$ = {glue:text}`p_perfect:.4f`), even before a single last layer. It does not find two: two large steps among five are too many to stand out. Here are the real steps.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW distance from block to block in four encoders. In the dense ones the steps into blocks 2 to 4 are small, those into blocks 5 and 6 about twice as large or more. In the fast ones the steps are already large at block 3 or 4."}, "figure": {"name": "fig-08b-steps", "caption": "The step into each block under GW, normalised. In the dense encoders the first three steps are small and the last two large. Nothing follows the large ones."}}
dense_or_fast = {key: runs[key].maps["cls/mean/gw"] for key in clarity}
steps = {key: np.diag(m.values, k=1) for key, m in dense_or_fast.items()}
viz.curves(
    {labels[key]: values for key, values in steps.items()},
    x=list(range(2, len(blocks) + 1)),
    xlabel="step into block",
    ylabel="GW distance to the block before",
)

# %% tags=["remove-cell"]
for task in TASKS:
    values = steps[task, "dense"]
    early = values[:-2] if len(values) > 2 else values[:1]
    note(**{f"faster_{TASKS[task]}": values[-2:].mean() / early.mean()})


# %% tags=["remove-cell"]
def groups_in(run, measure="gw"):
    """The test on the points of a run at which texts differ."""
    return fs.partition(run.maps[f"halves/mean/{measure}"].defined(), seed=seed)


points = tuple(f"{b}, {where}" for b in blocks for where in ("attention", "end"))


def in_words(run, found):
    """The p-value, and where groups start."""
    names = run.maps["halves/mean/gw"].names
    starts = [points[names.index(found.names[i])] for i in found.boundaries]
    return f"{found.p_value:.2f}" + (f" ({'; '.join(starts)})" if starts else "")


# %% tags=["remove-cell"]
def letters(layer_map, groups):
    """Each block's group as a letter; a block not in the map is a dot."""
    group = dict(zip(groups.names, groups.labels, strict=True))
    return "".join(".ABC"[group.get(name, -1) + 1] for name in layer_map.names)


tested, rows = {}, {}
for key, run in runs.items():
    whole = run.maps["cls/mean/gw"]
    known = whole.defined()
    tested[key] = groups_in(run)
    rows[labels[key]] = {
        "spectral": letters(whole, fs.spectral_partition(known, 2, seed=seed)),
        "clearest step": letters(whole, fs.partition_into(known, 2)),
        "p, six ends": fs.partition(known, seed=seed).p_value,
        "p, twelve points (a group starts at)": in_words(run, tested[key]),
    }
cut_table = pd.DataFrame(rows).T

# %% tags=["remove-cell"]
note(p_six=cut_table.loc["SST-2, dense", "p, six ends"])
note(p_six_yelp=cut_table.loc["Yelp, dense", "p, six ends"])
same = cut_table["spectral"] == cut_table["clearest step"]
tuned_ones = [labels[key] for key in runs if key[1] != "before"]
note(n_same=int(same[tuned_ones].sum()), n_tuned=len(tuned_ones))
for (task, kind), groups in tested.items():
    name = f"{TASKS[task]}_{KINDS[kind]}".replace("-", "_")
    note(**{f"p_{name}": groups.p_value})
note(n_with=sum(g.n_groups > 1 for g in tested.values()))
note(least_p=min(groups.p_value for groups in tested.values()))

# %% [markdown]
# In the dense encoders the last two steps are {glue:text}`faster_sst2:.1f` times as large as the others on SST-2, and {glue:text}`faster_yelp:.1f` times on Yelp. These steps stay large to the end of the network. To the test two large steps at the end are a change of speed, because no small step follows them. The test gives $p$ = {glue:text}`p_six:.2f` on SST-2 and {glue:text}`p_six_yelp:.2f` on Yelp. We cannot tell whether MiniLM has two groups of blocks.
#
# We also looked at two points in every block, after its attention and at its end. Each step is then compared with steps of its own kind. These twelve points do not answer the question either: the dense encoders have $p$ = {glue:text}`p_sst2_dense:.2f` on SST-2 and {glue:text}`p_yelp_dense:.2f` on Yelp. The test finds a boundary in {glue:text}`n_with:d` of the {glue:text}`n_encoders:d` encoders. The smallest $p$ is {glue:text}`least_p:.3f`. Among twelve tests this is no surprise. The folds have the details.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08b-tests", "caption": "Two groups by spectral clustering and by the clearest step (`fs.partition_into`), a letter for each block; the p-value of the test on the six block ends, and on twelve points. A dot is a block that gives the same vector for every text."}}
cut_table

# %% [markdown]
# The dense encoder on SST-2:

# %% tags=["fig", "hide-input", "hide-output"] mystnb={"image": {"alt": "GW map of twelve points of the fine-tuned encoder, two per block; the four points of the last two blocks are bright against the eight before."}, "figure": {"name": "fig-08b-twelve", "caption": "Twelve points of the dense encoder on SST-2, two in each block. The test finds one group."}}
halves = runs["SST-2", "dense"].maps["halves/mean/gw"]
halves = halves.renamed(points)
viz.layer_map(halves, fs.partition(halves, seed=seed))

# %% [markdown]
# ## Does it survive?
#
# **Other seeds.** There are three dense encoders on SST-2, which differ in classifier, order of the texts and dropout.

# %%
seeds = (0, 1, 2)
dense = {s: fine_tuned.load("sst2-dense", profile, s) for s in seeds}
gw = {s: run.maps["cls/mean/gw"] for s, run in dense.items()}

# %% [markdown]
# Their maps under GW:

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "GW maps of the dense encoder on SST-2 with three seeds: nearly the same, with the last two blocks apart."}, "figure": {"name": "fig-08b-seeds", "caption": "Three seeds of the dense encoder on SST-2, under GW. The maps are nearly the same."}}
viz.map_grid({"GW": {f"seed {s}": m for s, m in gw.items()}})

# %% tags=["remove-cell"]
cuts = {s: fs.partition_into(m, 2).labels for s, m in gw.items()}
spectral = {s: fs.spectral_partition(m, 2, seed=seed).labels for s, m in gw.items()}
pairs = [(a, b) for a in seeds for b in seeds if a < b]
across = pd.DataFrame(
    {
        f"{a} and {b}": {
            "rank correlation": spearmanr(
                gw[a].values[upper], gw[b].values[upper]
            ).statistic,
            "ARI, clearest step": adjusted_rand_score(cuts[a], cuts[b]),
            "ARI, spectral": adjusted_rand_score(spectral[a], spectral[b]),
        }
        for a, b in pairs
    }
).T
by_seed = {f"seed {s}": groups_in(run) for s, run in dense.items()}

# %% tags=["remove-cell"]
note(
    seed_rank=across.iloc[:, 0].min(),
    seed_cut=across.iloc[:, 1:].min(axis=None),
)
note(seeds_found=sum(f.n_groups > 1 for f in by_seed.values()), n_seeds=len(seeds))

# %% [markdown]
# The maps of any two seeds have a rank correlation of {glue:text}`seed_rank:.2f` or more. Spectral clustering makes the same two groups for all seeds, and so does the clearest step: the {term}`adjusted Rand index` is {glue:text}`seed_cut:.0f` for each pair. The test finds a boundary in {glue:text}`seeds_found:d` of {glue:text}`n_seeds:d` seeds. The sample is small, and all seeds began with the same pre-trained weights.

# %% tags=["paper-R19", "hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08b-seeds", "caption": "Pairs of seeds: rank correlation of their GW maps, and the adjusted Rand index (ARI) of their two groups, by the clearest step (`fs.partition_into`) and by spectral clustering."}}
across.round(2)

# %% [markdown]
# **Another learning rate.** On SST-2 the best cut of the fast encoder lies before block {glue:text}`cut_fast_sst2:d`, and that of the dense one before block {glue:text}`cut_dense_sst2:d`. On Yelp both lie before block {glue:text}`cut_fast_yelp:d`. The best cut explains less at the higher rate: {glue:text}`clear_fast_sst2:.0f` % on SST-2 and {glue:text}`clear_fast_yelp:.0f` % on Yelp.
#
# **Another {term}`pooling`.** A text becomes a point by its [CLS] token, by the mean over its tokens, or by all tokens in one long vector.

# %%
tuned = runs["SST-2", "dense"]
pooled = {
    "[CLS]": tuned.reps["cls"].head(100),
    "mean": tuned.reps["mean"].head(100),
    "all tokens": tuned.reps["tokens"],
}
by_pooling = {t: fs.compare(x, progress=False) for t, x in pooled.items()}

# %% [markdown]
# The three maps under GW:

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "GW maps of the dense encoder on SST-2 at the [CLS] token, for the mean over tokens and for all tokens. The last two blocks stand apart in the first two maps, the last block alone in the third."}, "figure": {"name": "fig-08b-pooling", "caption": "The dense encoder on SST-2, 100 texts, in three poolings. With all tokens only the last block stands apart."}}
viz.map_grid({"GW": by_pooling})

# %% tags=["remove-cell"]
also = {f"SST-2, seed {s}": run for s, run in dense.items()}
also["Yelp"] = runs["Yelp", "dense"]
cut_at = {
    name: {
        title: clearest(run.maps[f"{pooling}/mean/gw"].values)
        for title, pooling in {"[CLS]": "cls", "mean": "mean"}.items()
    }
    for name, run in also.items()
}
cut_at["SST-2, seed 0"]["all tokens"] = clearest(by_pooling["all tokens"].values)
by_rank = {
    title: spearmanr(m.values[upper], by_pooling["[CLS]"].values[upper]).statistic
    for title, m in by_pooling.items()
}
note(pooling_mean=by_rank["mean"], pooling_all=by_rank["all tokens"])

# %% [markdown]
# The table has the best cut of each, also for the other seeds and for Yelp.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-08b-pooling", "caption": "First block after the best cut under GW, and the share that it explains, in the dense encoders."}}
pd.DataFrame(
    {
        name: {t: PLACE.format(*c) for t, c in row.items()}
        for name, row in cut_at.items()
    }
).T.fillna("")

# %% [markdown]
# At [CLS] the best cut is at the same block in all four encoders. With the mean over tokens it explains less, and on Yelp it is one block earlier. With all tokens it sets the last block apart. The rank correlation with the map at [CLS] is {glue:text}`pooling_mean:.2f` for the mean and {glue:text}`pooling_all:.2f` for all tokens. The text we worked from does not say which pooling the paper uses. Pooling decides how clear the groups are, and here also where they begin.
#
# ## Do GW and CKA agree?
#
# A reviewer finds that a CKA map looks the same as a GW map. We take the rank correlation of the GW map with that of another measure. RSM is GW without its matching: it compares the same distances text by text.

# %% tags=["remove-cell"]
signs = {name: -1 if m.is_similarity else 1 for name, m in fs.measures().items()}
agree = {}
for key, run in runs.items():
    entries = {
        name: signs[name] * run.maps[f"cls/mean/{name}"].values[upper]
        for name in ("gw", "rsm", "rsa", "cka-debiased")
    }
    agree[key] = pd.DataFrame(entries).corr(method="spearman")["gw"].drop("gw")
agree = pd.DataFrame(agree).T
agree.index = pd.MultiIndex.from_tuples(agree.index)

# %% tags=["remove-cell"]
note(gw_cka=agree["cka-debiased"].median(), gw_rsm=agree["rsm"].median())
came_agree = agree.xs("before", level=1)
note(came_rsm=came_agree["rsm"].max(), came_cka=came_agree["cka-debiased"].max())
few_zeros = [key for key in runs if key[1] not in ("before", "95 %")]
note(tuned_rsm=agree["rsm"][few_zeros].min())

# %% [markdown]
# Each encoder has a row:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Rank correlation of the GW map with those of RSM, RSA and CKA, for twelve encoders. With RSM it is 0.86 or more in all fine-tuned encoders with at most 70 % zeros, with RSA and CKA between 0.4 and 0.8. Before fine-tuning all are below 0.3."}, "figure": {"name": "fig-08b-agree", "caption": "Rank correlation of the GW map with the maps of three other measures, over the pairs of blocks. After fine-tuning RSM agrees well, CKA and RSA less. Before fine-tuning none agrees."}}
drawn = agree.set_axis([labels[key] for key in runs])
viz.dots(
    drawn.set_axis(["RSM", "RSA", "CKA"], axis=1),
    xlabel="rank correlation with GW",
    reference=0,
)

# %% [markdown]
# The median is {glue:text}`gw_rsm:.2f` for RSM and {glue:text}`gw_cka:.2f` for CKA. In fine-tuned encoders with at most 70 % zeros RSM has {glue:text}`tuned_rsm:.2f` or more, so the matching changes little. Before fine-tuning neither RSM (at most {glue:text}`came_rsm:.2f`) nor CKA (at most {glue:text}`came_cka:.2f`) agrees with GW. Why? We compare the distances of each map with how many blocks apart the two blocks lie.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Rank correlation of three maps with the number of blocks between two blocks. CKA has 0.6 to 0.9 in every encoder. GW has 0.27 and -0.15 before fine-tuning, and 0.6 to 0.9 in fine-tuned encoders with at most 70 % zeros."}, "figure": {"name": "fig-08b-drift", "caption": "Rank correlation of each map with the number of blocks between two blocks, similarities with their sign turned. Before fine-tuning CKA sees drift, and GW hardly any."}}
apart = upper[1] - upper[0]
THREE = {"GW": "gw", "RSM": "rsm", "CKA": "cka-debiased"}
drifts = pd.DataFrame(
    {
        labels[key]: {
            title: spearmanr(
                signs[m] * run.maps[f"cls/mean/{m}"].values[upper],
                apart,
                nan_policy="omit",
            ).statistic
            for title, m in THREE.items()
        }
        for key, run in runs.items()
    }
).T
viz.dots(drifts, xlabel="rank correlation with blocks between", reference=0)

# %% tags=["remove-cell"]
for (task, kind), title in labels.items():
    if kind == "before":
        note(**{f"drift_gw_{TASKS[task]}": drifts.loc[title, "GW"]})
note(drift_cka=drifts["CKA"].min())

# %% [markdown]
# Under CKA far blocks are less alike than near ones in every encoder (rank correlation {glue:text}`drift_cka:.2f` or more). Under GW there is little drift before fine-tuning ({glue:text}`drift_gw_sst2:.2f` and {glue:text}`drift_gw_yelp:.2f`). We read this as follows: the texts move within the cloud, and its shape stays. GW may match any text with any other, so it does not see them move. CKA does.

# %% tags=["remove-cell"]
everyone = runs | {("SST-2", f"dense, seed {s}"): dense[s] for s in seeds[1:]}
tests = {
    t: {key: groups_in(run, m) for key, run in everyone.items()}
    for t, m in THREE.items()
}
for title, each in tests.items():
    note(**{f"n_{title}": sum(f.n_groups > 1 for f in each.values())})
    tuned_alike = [f for key, f in each.items() if key[1].startswith("dense")]
    note(**{f"dense_{title}": sum(f.n_groups > 1 for f in tuned_alike)})
    note(**{f"worst_{title}": max(f.p_value for f in tuned_alike)})
note(n_runs=len(everyone), n_dense=len(tuned_alike))
note(
    best_dense=min(
        each[k].p_value
        for each in tests.values()
        for k in each
        if k[1].startswith("dense")
    )
)
note(n_all=sum(f.n_groups > 1 for each in tests.values() for f in each.values()))
note(n_all_tests=sum(len(each) for each in tests.values()))

# %% [markdown]
# By the test on twelve points no measure is ahead. In the {glue:text}`n_dense:d` dense encoders it finds no boundary under GW, RSM or CKA; the smallest $p$ is {glue:text}`best_dense:.2f`. In all {glue:text}`n_all_tests:d` tests on encoders it finds {glue:text}`n_all:d` boundaries, about as many as chance gives at 5 %.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08b-three", "caption": "p-value of the test on the twelve points under three measures, and where a group starts."}}
pd.DataFrame(
    {
        t: {", ".join(k): in_words(everyone[k], f) for k, f in each.items()}
        for t, each in tests.items()
    }
)


# %% tags=["remove-cell"]
def without_longest(reps, share=0.01):
    """The samples that are not among the longest vectors of any layer."""
    keep = np.ones(reps.n_samples, dtype=bool)
    for x in reps.values():
        length = np.linalg.norm(x - x.mean(axis=0), axis=1)
        keep &= length <= np.quantile(length, 1 - share)
    return fs.Representations({name: x[keep] for name, x in reps.items()})


few = tuned.reps["cls"].head(200)
longest = without_longest(few)
others = {"the longest": longest, "others": few.subsample(longest.n_samples, seed)}

# %% tags=["remove-cell"]
moved = {}
for title, name in THREE.items():
    a = fs.compare(few, measure=name, progress=False).values[upper]
    for what, fewer in others.items():
        b = fs.compare(fewer, measure=name, progress=False).values[upper]
        moved[title, what] = {
            "median change (%)": 100 * np.median(np.abs(b / a - 1)),
            "largest change (%)": 100 * np.abs(b / a - 1).max(),
            "rank correlation": spearmanr(a, b).statistic,
        }
outliers = pd.DataFrame(moved).T
note(n_long=few.n_samples - longest.n_samples)
long_ranks = outliers["rank correlation"].xs("the longest", level=1)
note(long_rank=long_ranks.min())

# %% [markdown]
# These maps do not come from a few texts with very long vectors. Without {glue:text}`n_long:d` of them the order of the entries hardly changes (rank correlation {glue:text}`long_rank:.2f` or more).

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08b-long", "caption": "What changes in the map of the dense encoder on SST-2 without the texts whose vectors are among the longest 1 % in any block, and without as many random ones."}}
outliers.round(2)

# %% [markdown]
# ## How far is one encoder from another?
#
# The paper's Figure 12 compares the blocks of two encoders, on the same texts. We compare the dense encoder on Yelp with all six.

# %%
own = runs["Yelp", "dense"].reps["cls"].head(100)
crossed = {}
for kind in KINDS:
    other = runs["Yelp", kind].reps["cls"].head(100)
    crossed[kind] = fs.compare(own, other, degenerate="nan", progress=False)

# %% [markdown]
# Rows are the blocks of the dense encoder, columns those of the other.

# %% tags=["fig", "wide", "paper-F12", "hide-input"] mystnb={"image": {"alt": "GW distances of the blocks of the dense encoder on Yelp to the blocks of six encoders. The last two rows are bright in all maps, except in the last columns of fine-tuned encoders."}, "figure": {"name": "fig-08b-crossed", "caption": "GW distances from the blocks of the dense encoder (rows) to the blocks of each encoder (columns), on Yelp. White columns are blocks that give the same vector for every text."}}
viz.map_grid({"dense": crossed})

# %% tags=["remove-cell"]
cross_table = pd.DataFrame(
    {
        kind: {
            "all pairs": np.nanmean(m.values),
            "same depth": np.nanmean(np.diag(m.values)),
        }
        for kind, m in crossed.items()
    }
).T
for kind in KINDS:
    note(**{f"cross_{KINDS[kind].split('-')[-1]}": cross_table.loc[kind].iloc[1]})

# %% [markdown]
# Their means:

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-08b-crossed", "caption": "Mean GW distance from the dense encoder, over all pairs of blocks and over blocks at the same depth."}}
cross_table.round(3)

# %% [markdown]
# Between blocks at the same depth, the mean distance is {glue:text}`cross_pretrained:.2f` to the encoder before fine-tuning and {glue:text}`cross_fast:.2f` to the fast one. The distance to the sparse ones grows with their zeros: it is {glue:text}`cross_25:.2f`, {glue:text}`cross_70:.2f` and {glue:text}`cross_95:.2f`. So the encoder with 70 % zeros is about as far away as the one without fine-tuning. Only the one with 95 % is clearly farther, and it hardly works.
#
# ## What moved?
#
# There is a simpler story, as in chapter 08. Fine-tuning moves the last blocks most, and so they end up far from the others. We compare each block with itself before fine-tuning.

# %% tags=["remove-cell"]
came = runs["SST-2", "before"]


def to_others(run):
    """Mean GW distance of every block to the others."""
    return run.maps["cls/mean/gw"].values.sum(axis=1) / (len(blocks) - 1)


def to_itself(measure):
    """Every block's output after fine-tuning, compared with before."""
    after, before = (run.reps["cls"].head(200) for run in (tuned, came))
    return np.diag(
        fs.compare(after, before, measure=measure, progress=False).values
    )


# %% tags=["remove-cell"]
drift = pd.DataFrame(
    {
        "weights moved (%)": 100 * tuned.moved,
        "GW to itself before": to_itself("gw"),
        "CKA to itself before": to_itself("cka-debiased"),
        "GW to the others": to_others(tuned),
        "GW to the others before": to_others(came),
    },
    index=blocks,
)
note(moved_least=drift.iloc[:, 0].min(), moved_most=drift.iloc[:, 0].max())
note(self_first=drift.iloc[0, 1], self_last=drift.iloc[-1, 1])
self_moved = drift["GW to itself before"].to_numpy()
guess = np.maximum.outer(self_moved, self_moved)[upper]
note(rival=spearmanr(guess, gw[0].values[upper]).statistic)
note(rival_r2=100 * np.corrcoef(guess, gw[0].values[upper])[0, 1] ** 2)

# %% [markdown]
# The figure shows this distance beside the mean distance to the other blocks.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW distance of each block to itself before fine-tuning, and to the other blocks before and after it. The first rises from 0.04 at block 1 to 0.39 at block 6. The mean distance to the others is flat before fine-tuning, and rises at blocks 5 and 6 after it."}, "figure": {"name": "fig-08b-moved", "caption": "The dense encoder on SST-2: GW distance of each block to itself before fine-tuning, and its mean distance to the other blocks before and after. The last two blocks have moved most, and are farthest from the others."}}
viz.curves(
    {
        "to itself before": drift["GW to itself before"],
        "to the others": drift["GW to the others"],
        "to the others before": drift["GW to the others before"],
    },
    xlabel="block",
    ylabel="GW distance",
)

# %% [markdown]
# The weights of all blocks moved about equally far, by {glue:text}`moved_least:.1f` to {glue:text}`moved_most:.1f` % of their length. Their *outputs* did not move equally far. The GW distance to the output before fine-tuning is {glue:text}`self_first:.2f` for the first block and {glue:text}`self_last:.2f` for the last.
#
# From how far the outputs have moved we guess the distance of any two blocks. The guess is the larger of their two moves. This guess has a rank correlation of {glue:text}`rival:.2f` with the map, and explains {glue:text}`rival_r2:.0f` % of the map's variance. So the simple story cannot be dismissed here either. No map can say whether the last blocks also do something *new* ([chapter 11](11-fine-tuning-ablations.ipynb) operates on the network).

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08b-moved", "caption": "For each block: how far its weights moved, how far its output is from its output before fine-tuning, and how far it is from the other blocks."}}
drift.round(3)

# %% [markdown]
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C19: fine-tuned encoders have two to three groups, the last third is one (5.2, Figure 6) | ours | undecided: the last two blocks change faster, and six blocks are too few to tell a boundary from a change of speed | the six ends, which the paper compares: $p$ = {glue:text}`p_six:.2f` on SST-2 and {glue:text}`p_six_yelp:.2f` on Yelp; twelve points: $p$ = {glue:text}`p_sst2_dense:.2f` and {glue:text}`p_yelp_dense:.2f` |
# | C21: Euclidean, cosine and Wasserstein show the groups less clearly (5.2, Figure 6), with raw distances | ours | disagrees: none is clearly behind GW | the best cut, before the last block, explains {glue:text}`raw_euclid:.0f`, {glue:text}`raw_cosine:.0f` and {glue:text}`raw_w:.0f` %, under GW {glue:text}`raw_gw:.0f` % |
# | C21, each block divided by its mean distance | ours | agrees for Euclidean distance and Wasserstein: they see where a cloud lies, and dividing by a small scale throws it far away; cosine sees the last block alone | on SST-2, dense, the best cut explains {glue:text}`clear_gw:.0f` % under GW (before block {glue:text}`cut_gw:d`), {glue:text}`clear_w:.0f` % under Wasserstein |
# | C27: pre-trained and dense models differ from sparse ones in maps across models (F, Figure 12) | ours | agrees for 95 %; the encoders with fewer zeros are not clearly farther away than the one before fine-tuning | at the same depth {glue:text}`cross_25:.2f`, {glue:text}`cross_70:.2f`, {glue:text}`cross_95:.2f` from the dense one, and {glue:text}`cross_pretrained:.2f` for the pre-trained one |
# | C28: on SST-2 two to three groups as well, the last block apart (G, Figure 13) | ours | undecided, as C19; that the last block alone stands apart is an effect of scale | $p$ = {glue:text}`p_six:.2f` at the six ends; differences of scale explain {glue:text}`raw_scale:.0f` % of the raw map of the median encoder |
# | C32: the same across seeds (reviews, Figure 19) | ours | undecided: the maps agree, but whether there are groups of blocks is open (C19), and the seeds share the pre-trained weights | rank correlation of two maps at least {glue:text}`seed_rank:.2f`; a boundary among twelve points in {glue:text}`seeds_found:d` of {glue:text}`n_seeds:d` |
# | C33: GW shows clearer sub-networks than RSM, RSA, CCA, CKA, MSID, AGW, on text (reviews, Figures 15 to 17), by the best cut | ours | disagrees: RSM is clearer | the best cut explains {glue:text}`all_gw:.0f` % under GW, {glue:text}`all_rsm:.0f` % under RSM, {glue:text}`all_cka:.0f` % under CKA |
# | C33, on text, by the test | ours | undecided: four encoders that began with the same pre-trained weights, and no test of the difference | a boundary in {glue:text}`dense_GW:d`, {glue:text}`dense_RSM:d` and {glue:text}`dense_CKA:d` of {glue:text}`n_dense:d` dense encoders under GW, RSM and CKA |
# | D05: CKA looks the same as GW | - | open: the maps differ, but in dense encoders the test finds no boundary under either | rank correlation of the maps {glue:text}`gw_cka:.2f`; CKA sees drift before fine-tuning, GW does not |
# | D06: other seeds | - | open: the maps of three seeds agree, but all of them began with the same pre-trained weights | rank correlation at least {glue:text}`seed_rank:.2f` |
#
# Four encoders cannot tell which measure finds groups most reliably. And BERT-base was not run, so no row speaks of it.
#
# **Before you report groups**: divide each layer by its mean distance, say which pooling you used, give the test and not the clustering, and try another learning rate.
#
# ## Where the stored results come from
#
# The encoders were trained, and their maps computed, before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
for one in everyone.values():
    print(one.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
