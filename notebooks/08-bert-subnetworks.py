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
import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

import funcsim as fs
from bookkit.notes import note
from funcsim import viz
from funcsim.experiments import encoders
from funcsim.experiments.encoders import first
from funcsim.partition import cut_into

# %% [markdown]
# ## The encoders
#
# Ten of them: for each task the encoder as it came, fine-tuned, and fine-tuned while 25, 70 and 95 % of its
# weights were made to vanish. ([Chapter 09](09-sparse-bert.ipynb) says how; here they are five points on a line.) Of every run the maps of {glue:text}`n_mapped:d` texts are
# frozen under all measures.

# %%
KINDS = {
    "pre-trained": "pretrained",
    "dense": "dense",
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
# ## Four measures, five encoders
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


def grid(task, measures, scale):
    """Maps of all encoders of a task under some measures."""
    return {
        title: {
            kind: runs[task, kind].maps[f"cls/{scale}/{name}"] for kind in KINDS
        }
        for title, name in measures.items()
    }


# %% tags=["fig"] mystnb={"image": {"alt": "Maps of five encoders on Yelp under four raw measures: in all of them the last block is far from everything else, and the rest is dark."}}
viz.map_grid(grid("Yelp", FOUR, "raw"))

# %% [markdown]
# Then each block divided by its mean distance:

# %% tags=["fig"] mystnb={"image": {"alt": "The same maps with each block divided by its mean distance: under GW the map of the pre-trained encoder is even, and the fine-tuned one has its last blocks apart."}}
viz.map_grid(grid("Yelp", FOUR, "mean"))

# %% [markdown]
# And SST-2, which is Figure 13 of the paper:

# %% tags=["fig"] mystnb={"image": {"alt": "Normalised maps of five encoders on SST-2 under four measures."}}
viz.map_grid(grid("SST-2", FOUR, "mean"))

# %% [markdown]
# How much of each map is scale? For each measure the share of the variance of the map that the difference of
# the blocks' mean distances explains, in the median over the ten encoders.


# %%
def by_scale(run, key):
    """Share of the variance of a map that differences of scale explain, in per cent."""
    apart = np.abs(np.subtract.outer(run.scale, run.scale))[upper]
    return 100 * np.corrcoef(run.maps[key].values[upper], apart)[0, 1] ** 2


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
# ## How many blocks?
#
# The paper cuts its maps with spectral clustering, into two groups. That always returns two. Here it is beside the
# best cut into two runs of blocks, which always finds one as well:

# %%
rows = {}
for key, run in runs.items():
    layer_map = run.maps["cls/mean/gw"]
    spectral = fs.spectral_partition(layer_map, 2, seed=seed).labels
    best = cut_into(layer_map, 2).labels
    rows[key] = {
        "spectral": "".join("AB"[group] for group in spectral),
        "best cut": "".join("AB"[group] for group in best),
        "p": fs.partition(layer_map, seed=seed).p_value,
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
halves = runs["SST-2", "dense"].maps["halves/mean/gw"]
viz.layer_map(halves, fs.partition(halves, seed=seed))

# %% [markdown]
# All ten encoders. "In halves" says how often the test finds this boundary, or else its most frequent one, on random halves of the texts.

# %%
points = [f"{block}, {where}" for block in blocks for where in ("attention", "end")]


def told(found):
    """The p-value, and where blocks start."""
    starts = "; ".join(points[i] for i in found.boundaries)
    return f"{found.p_value:.3f}" + (f" ({starts})" if starts else "")


rows = {}
for key, run in runs.items():
    found = fs.partition(run.maps["halves/mean/gw"], seed=seed)
    at = list(found.boundaries) or [run.boundary_frequency.argmax()]
    rows[key] = {
        "p (blocks start at)": told(found),
        "in halves (%)": 100 * run.boundary_frequency[at].min(),
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
note(
    seed_rank=across.iloc[:, 0].min(),
    seed_cut=across.iloc[:, 1].min(),
    seed_spectral=across.iloc[:, 2].min(),
)
across.round(2)

# %% [markdown]
# And the test on the twelve points of each:

# %%
by_seed = {
    s: fs.partition(run.maps["halves/mean/gw"], seed=seed)
    for s, run in dense.items()
}
note(seeds_found=sum(found.n_blocks > 1 for found in by_seed.values()))
pd.Series(
    {f"seed {s}": told(found) for s, found in by_seed.items()}, name="p"
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
# The four measures above and these six are the paper's ten.

# %%
OTHERS = {
    "RSM": "rsm",
    "RSA": "rsa",
    "CKA": "cka-debiased",
    "MSID": "msid",
    "AGW": "agw",
    "CCA": "pwcca",
}

# %% tags=["fig"] mystnb={"image": {"alt": "Maps of five encoders on SST-2 under six further measures."}}
viz.map_grid(grid("SST-2", OTHERS, "mean"))

# %% [markdown]
# And on Yelp:

# %% tags=["fig"] mystnb={"image": {"alt": "Maps of five encoders on Yelp under six further measures."}}
viz.map_grid(grid("Yelp", OTHERS, "mean"))

# %% [markdown]
# Pictures suggest that they agree. Do they? The rank correlation of the GW map with that of each other measure, over the pairs of blocks:

# %%
signs = {
    name: -1 if m.larger_is_similar else 1 for name, m in fs.measures().items()
}
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
tests = {
    key: {
        title: fs.partition(run.maps[f"halves/mean/{name}"], seed=seed)
        for title, name in THREE.items()
    }
    for key, run in runs.items()
}

pd.DataFrame(
    {
        key: {title: told(found) for title, found in row.items()}
        for key, row in tests.items()
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
    kind: fs.compare(
        first(runs["Yelp", "dense"].reps["cls"], 100),
        first(runs["Yelp", kind].reps["cls"], 100),
        progress=False,
    )
    for kind in KINDS
}

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
