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
# # Blocks of a BERT
#
# Does fine-tuning divide an encoder into parts? The paper compares the twelve blocks of a fine-tuned BERT,
# sees two or three groups with the last three blocks apart, and says that GW shows them better than other measures. Its reviewers asked:
# better than CKA too? Is it the same with another seed? And do the last blocks stand apart because they do something else, or simply because
# fine-tuning changed them most?
#
# **What is smaller here.** As in [chapter 07](07-bert-fine-tuning.ipynb): MiniLM with {glue:text}`n_blocks:d` blocks where the paper has BERT-base with twelve, which
# was not run here. Everything below is said of these {glue:text}`n_blocks:d` blocks.
#
# :::{admonition} What you will learn
# - how the maps of a pre-trained, a fine-tuned and a sparse encoder look under ten measures;
# - how many blocks a test finds, and how often on half of the texts;
# - what depends on scale, on pooling and on the seed;
# - what GW and CKA each see that the other does not;
# - whether "the last blocks do something new" says more than "the last blocks moved most".
#
# **Time**: 25 minutes to read, one minute to run.
# **In the paper**: section 5.2 with Figure 6, appendices F and G with Figures 12 and 13; the discussion of its reviews.
# **You need**: [chapter 03](03-ten-measures.ipynb), [chapter 06](06-modular-sum-subnetworks.ipynb), [chapter 07](07-bert-fine-tuning.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0

# %% [markdown]
# The imports:

# %%
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

import funcsim as fs
from bookkit.notes import note
from funcsim import viz
from funcsim.experiments import encoders
from funcsim.experiments.encoder_maps import compare_defined, first
from funcsim.partition import cut_into

# %% [markdown]
# ## The encoders
#
# Twelve of them: for each task the encoder as it came; fine-tuned (*dense*); fine-tuned with four times the learning rate (*fast*); and fine-tuned at that rate
# while 25, 70 and 95 % of its weights were made to vanish. ([Chapter 09](09-sparse-bert.ipynb) says how, and why that takes the higher rate.) Of every run the maps of {glue:text}`n_mapped:d` texts are
# frozen under all measures.

# %%
KINDS = {
    "pre-trained": "pretrained",
    "dense": "dense",
    "fast": "fast",
    "25 %": "neuroprune-25",
    "70 %": "neuroprune-70",
    "95 %": "neuroprune-95",
}
TASKS = {"SST-2": "sst2", "Yelp": "yelp"}
runs = {
    (task, kind): encoders.load(f"{TASKS[task]}-{KINDS[kind]}", profile)
    for task in TASKS
    for kind in KINDS
}


# %% [markdown]
# Where they come from, and what they can do:

# %%
print(runs["SST-2", "dense"].origin)
pd.DataFrame(
    {
        key: {
            "accuracy (%)": 100 * run.scores["accuracy"],
            "weights that are zero (%)": 100 * run.sparsity,
            "width of the last block": run.scale[-1],
        }
        for key, run in runs.items()
    }
).T.round(1)

# %% [markdown]
# The numbers for the text, and the names of the blocks:

# %%
a_map = runs["SST-2", "dense"].maps["cls/mean/gw"]
note(n_blocks=len(a_map.names), n_mapped=a_map.n_samples)
blocks = [f"block {k + 1}" for k in range(len(a_map.names))]
upper = np.triu_indices(len(blocks), k=1)

# %% [markdown]
# ## Four measures, six encoders
#
# The paper's Figure 6 is Yelp under Euclidean distance, cosine, Wasserstein and GW. Dark is alike, bright is different, and a row
# shares one scale of colours. First raw, as there:

# %%
FOUR = {
    "Euclid": "euclidean",
    "cosine": "cosine",
    "Wasserst.": "wasserstein",
    "GW": "gw",
}


# %% [markdown]
# A row per measure, a column per encoder:


# %%
def grid(task, measures, scale):
    """Maps of all encoders of a task under some measures."""
    return {
        title: {
            kind: runs[task, kind].maps[f"cls/{scale}/{name}"] for kind in KINDS
        }
        for title, name in measures.items()
    }


# %% [markdown]
# On Yelp:

# %% tags=["fig"] mystnb={"image": {"alt": "Maps of six encoders on Yelp under four raw measures: in all of them the last block is far from everything else, and the rest is dark."}}
viz.map_grid(grid("Yelp", FOUR, "raw"))

# %% [markdown]
# Then each block divided by its mean distance:

# %% tags=["fig"] mystnb={"image": {"alt": "The same maps with each block divided by its mean distance: under GW the map of the pre-trained encoder is even, and the fine-tuned one has its last blocks apart."}}
viz.map_grid(grid("Yelp", FOUR, "mean"))

# %% [markdown]
# And SST-2, which is Figure 13 of the paper:

# %% tags=["fig"] mystnb={"image": {"alt": "Normalised maps of six encoders on SST-2 under four measures."}}
viz.map_grid(grid("SST-2", FOUR, "mean"))

# %% [markdown]
# How much of each map is scale? For each measure the share of the variance of the map that the difference of
# the blocks' mean distances explains, in the median over the twelve encoders.


# %%
def by_scale(run, key):
    """Share of the variance of a map that differences of scale explain, in per cent."""
    apart = np.abs(np.subtract.outer(run.scale, run.scale))[upper]
    values = run.maps[key].values[upper]
    known = np.isfinite(values)
    return 100 * np.corrcoef(values[known], apart[known])[0, 1] ** 2


# %% [markdown]
# Raw, and with each block divided by its mean distance:

# %%
scale_table = pd.DataFrame(
    {
        word: {
            title: np.median(
                [by_scale(run, f"cls/{how}/{name}") for run in runs.values()]
            )
            for title, name in FOUR.items()
        }
        for word, how in {"raw": "raw", "divided by its mean": "mean"}.items()
    }
)
note(raw_scale=scale_table.loc["GW", "raw"])
note(mean_scale=scale_table.loc["GW", "divided by its mean"])
scale_table.round(1)

# %% [markdown]
# (OBSERVE-SCALE) {glue:text}`raw_scale:.1f` {glue:text}`mean_scale:.1f`
#
# ## Six further measures
#
# The four above and these six are the paper's ten.

# %%
SIX = {
    "RSM": "rsm",
    "RSA": "rsa",
    "CKA": "cka-debiased",
    "MSID": "msid",
    "AGW": "agw",
    "CCA": "pwcca",
}

# %% [markdown]
# On SST-2:

# %% tags=["fig"] mystnb={"image": {"alt": "Normalised maps of six encoders on SST-2 under six further measures: RSM, RSA and CKA show the last blocks of the fine-tuned encoders apart; MSID, AGW and CCA show little."}}
viz.map_grid(grid("SST-2", SIX, "mean"))

# %% [markdown]
# And on Yelp:

# %% tags=["fig"] mystnb={"image": {"alt": "The same six measures on Yelp."}}
viz.map_grid(grid("Yelp", SIX, "mean"))

# %% [markdown]
# The paper says that GW shows the groups most clearly. That can be counted. Cut the blocks once into earlier and later ones. Each pair of blocks
# then lies on one side of the cut or across it. How much of the variance of a map does this explain, at the best cut?


# %%
def clearest(layer_map):
    """The first block after the cut that explains most of a map, and the share in per cent."""
    values = layer_map.values[upper]
    before, after = upper
    split = [(before < c) & (after >= c) for c in range(1, len(blocks))]
    shares = [np.corrcoef(values, s)[0, 1] ** 2 for s in split]
    return int(np.argmax(shares)) + 2, 100 * max(shares)


# %% [markdown]
# For the encoders that are fine-tuned and dense, under all ten:

# %%
clarity = {
    (task, kind): {
        title: clearest(runs[task, kind].maps[f"cls/mean/{name}"])
        for title, name in (FOUR | SIX).items()
    }
    for task in TASKS
    for kind in ("dense", "fast")
}


# %% [markdown]
# The share in per cent:

# %%
shares = pd.DataFrame(
    {k: {t: share for t, (_, share) in row.items()} for k, row in clarity.items()}
)
shares.round(0)

# %% [markdown]
# And where that cut is, by the block that begins the later part:

# %%
pd.DataFrame({k: {t: at for t, (at, _) in r.items()} for k, r in clarity.items()})

# %% [markdown]
# (OBSERVE-CLEAR)
#
# ## How many blocks?
#
# The paper cuts its maps with spectral clustering, into two groups. That always returns two. Here it is beside the
# best cut into two runs of blocks, which always finds one as well:


# %%
def letters(layer_map, groups):
    """The group of every block as a letter; a block that is not in the map is a dot."""
    group = dict(zip(groups.names, groups.labels, strict=True))
    return "".join(".ABC"[group.get(name, -1) + 1] for name in layer_map.names)


# %% [markdown]
# For each encoder, and the test that may also answer "one block":

# %%
rows = {}
for key, run in runs.items():
    whole = run.maps["cls/mean/gw"]
    known = whole.defined()
    rows[key] = {
        "spectral": letters(whole, fs.spectral_partition(known, 2, seed=seed)),
        "best cut": letters(whole, cut_into(known, 2)),
        "p": fs.partition(known, seed=seed).p_value,
    }
cut_table = pd.DataFrame(rows).T
note(p_six=cut_table.loc[("SST-2", "dense"), "p"])
cut_table

# %% [markdown]
# (OBSERVE-CUTS) {glue:text}`p_six:.2f`
# The last column is the test of [chapter 06](06-modular-sum-subnetworks.ipynb), which may answer "one block". Can it see anything in so few layers?
# Here are perfect maps, distance 0 within a block and 1 between blocks.


# %%
def perfect(*sizes):
    """A map in which blocks of these sizes are all that there is."""
    block = np.repeat(range(len(sizes)), sizes)
    values = np.not_equal.outer(block, block).astype(float)
    names = tuple(f"layer {k + 1}" for k in range(len(block)))
    return fs.LayerMap(values, names, names, "gw", "mean", 200)


# %% [markdown]
# Some cuts of six and of twelve layers:

# %%
shapes = [(4, 2), (5, 1), (4, 1, 1), (10, 2), (11, 1)]
found = {" + ".join(map(str, s)): fs.partition(perfect(*s)) for s in shapes}
note(p_perfect=found["4 + 2"].p_value, p_single=found["5 + 1"].p_value)
pd.DataFrame(
    {
        sizes: {"blocks found": b.n_blocks, "p": b.p_value}
        for sizes, b in found.items()
    }
).T

# %% [markdown]
# It can, if a block has at least two layers: then $p$ = {glue:text}`p_perfect:.3f`. One block apart at the very end cannot be told from an odd layer.
# So we look twice in every block: after its attention, and at its end. That makes twelve points on the same
# way, as many as the paper has, and gives the last block two of them. The map of the fine-tuned encoder on SST-2, with what the test finds:

# %% tags=["fig"] mystnb={"image": {"alt": "GW map of twelve points of the fine-tuned encoder, two per block; the four points of the last two blocks are bright against the eight before."}}
points = tuple(f"{b}, {where}" for b in blocks for where in ("attention", "end"))
halves = replace(
    runs["SST-2", "dense"].maps["halves/mean/gw"], names=points, columns=points
)
viz.layer_map(halves, fs.partition(halves, seed=seed))

# %% [markdown]
# Some points are missing elsewhere: in the sparsest encoders no head of the first blocks writes anything, so [CLS] knows no text there.


# %%
def told(found, names):
    """The p-value, and where blocks start."""
    starts = "; ".join(
        points[names.index(found.names[i])] for i in found.boundaries
    )
    return f"{found.p_value:.3f}" + (f" ({starts})" if starts else "")


def blocks_of(run, measure="gw"):
    """The test on the points of a run at which texts differ."""
    whole = run.maps[f"halves/mean/{measure}"]
    return told(fs.partition(whole.defined(), seed=seed), whole.names)


# %% [markdown]
# For all twelve encoders, with the boundary that the test finds most often in random halves of the texts, and how often:

# %%
rows = {}
for key, run in runs.items():
    often = run.boundary_frequency
    rows[key] = {
        "p (a block starts at)": blocks_of(run),
        "most often in halves": points[often.argmax()] if often.any() else "",
        "(%)": 100 * often.max(),
    }
pd.DataFrame(rows).T

# %% [markdown]
# (OBSERVE-BLOCKS)
#
# ## Other seeds
#
# Three dense encoders on SST-2, with other classifiers, other orders of the texts and other dropout. For each pair of seeds: do the maps
# rank the pairs of blocks alike, and do the cuts into two agree (adjusted Rand index: 1 the same, 0 by chance)?

# %%
seeds = (0, 1, 2)
dense = {s: encoders.load("sst2-dense", profile, s) for s in seeds}
gw = {s: run.maps["cls/mean/gw"] for s, run in dense.items()}
cuts = {s: cut_into(m, 2).labels for s, m in gw.items()}
spectral = {s: fs.spectral_partition(m, 2, seed=seed).labels for s, m in gw.items()}


# %% [markdown]
# Pair by pair:

# %%
pairs = [(a, b) for a in seeds for b in seeds if a < b]
across = pd.DataFrame(
    {
        f"{a} and {b}": {
            "rank correlation": spearmanr(
                gw[a].values[upper], gw[b].values[upper]
            ).statistic,
            "ARI, best cut": adjusted_rand_score(cuts[a], cuts[b]),
            "ARI, spectral": adjusted_rand_score(spectral[a], spectral[b]),
        }
        for a, b in pairs
    }
).T
across.round(2)


# %% [markdown]
# The least of each:

# %%
note(
    seed_rank=across.iloc[:, 0].min(),
    seed_cut=across.iloc[:, 1].min(),
    seed_spectral=across.iloc[:, 2].min(),
)

# %% [markdown]
# And the test on the twelve points of each:

# %%
pd.Series(
    {f"seed {s}": blocks_of(run) for s, run in dense.items()}, name="p"
).to_frame()

# %% [markdown]
# (OBSERVE-SEEDS) {glue:text}`seed_rank:.2f` {glue:text}`seed_cut:.2f` {glue:text}`seed_spectral:.2f`
#
# ## Pooling
#
# [CLS], the mean over tokens, or all tokens in one long vector, the fine-tuned encoder on SST-2.

# %%
tuned = runs["SST-2", "dense"]
pooled = {
    "[CLS]": first(tuned.reps["cls"], 100),
    "mean": first(tuned.reps["mean"], 100),
    "all tokens": tuned.reps["tokens"],
}
by_pooling = {name: fs.compare(x, progress=False) for name, x in pooled.items()}

# %% [markdown]
# The three maps:

# %% tags=["fig"] mystnb={"image": {"alt": "GW maps of the fine-tuned encoder at the [CLS] token, for the mean over tokens and for all tokens."}}
viz.map_grid({"GW": by_pooling})

# %% [markdown]
# (OBSERVE-POOLING)

# %%
pooling_table = pd.DataFrame(
    {
        name: {
            "rank correlation with [CLS]": spearmanr(
                m.values[upper], by_pooling["[CLS]"].values[upper]
            ).statistic,
            "best cut before block": cut_into(m, 2).boundaries[0] + 1,
            "p": fs.partition(m, seed=seed).p_value,
        }
        for name, m in by_pooling.items()
    }
).T
note(pooling_mean=pooling_table.iloc[1, 0], pooling_all=pooling_table.iloc[2, 0])
pooling_table.round(2)

# %% [markdown]
# {glue:text}`pooling_mean:.2f` {glue:text}`pooling_all:.2f`
#
# ## GW or CKA?
#
# Pictures suggest that they agree. Do they? The rank correlation of the GW map with that of each other measure, over the pairs of blocks:

# %%
signs = {
    name: -1 if m.larger_is_similar else 1 for name, m in fs.measures().items()
}


# %% [markdown]
# A row per encoder:

# %%
agree = {}
for key, run in runs.items():
    entries = {
        name: signs[name] * run.maps[f"cls/mean/{name}"].values[upper]
        for name in signs
    }
    agree[key] = pd.DataFrame(entries).corr(method="spearman")["gw"].drop("gw")
agree = pd.DataFrame(agree).T
note(gw_cka=agree["cka-debiased"].median(), gw_rsm=agree["rsm"].median())
agree[["rsm", "rsa", "cka-debiased", "pwcca", "msid", "agw"]].round(2)

# %% [markdown]
# (OBSERVE-AGREE) {glue:text}`gw_cka:.2f` {glue:text}`gw_rsm:.2f`
# Do they also find the same blocks? The test on the twelve points, under three measures:

# %%
THREE = {"GW": "gw", "RSM": "rsm", "CKA": "cka-debiased"}
pd.DataFrame(
    {
        key: {title: blocks_of(run, name) for title, name in THREE.items()}
        for key, run in runs.items()
    }
).T

# %% [markdown]
# (OBSERVE-TESTS)
#
# A few texts with very long vectors can rule a measure. CKA squares and multiplies lengths, GW compares distances. What changes when we leave
# out the texts that are among the longest 1 % in any block?


# %%
def without_longest(reps, share=0.01):
    """The samples that are not among the longest vectors of any layer."""
    keep = np.ones(reps.n_samples, dtype=bool)
    for x in reps.values():
        length = np.linalg.norm(x - x.mean(axis=0), axis=1)
        keep &= length <= np.quantile(length, 1 - share)
    return fs.Representations({name: x[keep] for name, x in reps.items()})


# %% [markdown]
# Before and after that, for three measures:

# %%
moved = {}
for kind in ("pre-trained", "dense"):
    reps = first(runs["SST-2", kind].reps["cls"], 200)
    fewer = without_longest(reps)
    for name in ("gw", "cka-debiased", "rsm"):
        a, b = (
            fs.compare(x, measure=name, progress=False).values[upper]
            for x in (reps, fewer)
        )
        moved[kind, name] = {
            "texts left": fewer.n_samples,
            "median change (%)": 100 * np.median(np.abs(b / a - 1)),
            "largest change (%)": 100 * np.abs(b / a - 1).max(),
            "rank correlation": spearmanr(a, b).statistic,
        }
pd.DataFrame(moved).T.round(2)

# %% [markdown]
# (OBSERVE-OUTLIERS)
#
# ## One encoder against another
#
# Figure 12 of the paper: blocks of one model against blocks of another, the same texts.

# %%
crossed = {
    kind: compare_defined(
        first(runs["Yelp", "dense"].reps["cls"], 100),
        first(runs["Yelp", kind].reps["cls"], 100),
    )
    for kind in KINDS
}

# %% [markdown]
# Rows are the blocks of the dense encoder, columns those of the other:

# %% tags=["fig"] mystnb={"image": {"alt": "GW distances of the blocks of the fine-tuned encoder on Yelp to the blocks of the other four encoders."}}
viz.map_grid({"dense": crossed})

# %% [markdown]
# (OBSERVE-CROSS)
#
# ## What moved?
#
# A rival explanation for blocks at the end: fine-tuning moves the last blocks most, and so they end up far from the others. Then the map
# would say nothing that the change of the weights does not say.

# %%
came = runs["SST-2", "pre-trained"]
drift = pd.DataFrame(
    {
        "weights moved (%)": 100 * tuned.moved,
        "GW to itself before": np.diag(
            fs.compare(
                first(tuned.reps["cls"], 200),
                first(came.reps["cls"], 200),
                progress=False,
            ).values
        ),
        "CKA to itself before": np.diag(
            fs.compare(
                first(tuned.reps["cls"], 200),
                first(came.reps["cls"], 200),
                measure="cka-debiased",
                progress=False,
            ).values
        ),
        "GW to the others": gw[0].values.sum(axis=1) / (len(blocks) - 1),
        "the same before": came.maps["cls/mean/gw"].values.sum(axis=1)
        / (len(blocks) - 1),
    },
    index=blocks,
)
drift.round(3)

# %% [markdown]
# (OBSERVE-RIVAL)
#
# ## What we found
#
# | claim | our answer | evidence on this page |
# | --- | --- | --- |
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
