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
# [Chapter 08](08-bert-subnetworks.ipynb) looks for groups in an encoder of twelve blocks. This page looks at a smaller one, with what only it has: sparse encoders, three seeds, a second learning rate, and maps of one encoder against another.
#
# The encoder is `all-MiniLM-L6-v2`, distilled and then contrastively tuned for sentences, with {glue:text}`n_blocks:d` blocks. Everything below is said of these {glue:text}`n_blocks:d` blocks. Such groups were seen before, by CKA: in encoders fine-tuned on twelve tasks, early layers are like early ones and late layers like late ones {cite:p}`phang2021finetuned`.
#
# **Time**: 30 minutes to read, one minute to run.
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
from bookkit.glue import note
from funcsim import viz
from funcsim.viz.interactive import explorer
from replication.encoder import fine_tuned

# %% [markdown]
# ## The encoders
#
# Twelve of them: for each task the encoder as it came; fine-tuned (*dense*); fine-tuned with four times the learning rate, 0.0002 in place of 0.00005 (*fast*); and fine-tuned at that rate
# while about 25, 70 and 95 % of its weights were made to vanish. ([Chapter 09](09-sparse-bert.ipynb) says how, and why that takes the higher rate.) Of every run the maps of {glue:text}`n_mapped:d` texts are
# stored under all measures.

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
    (task, kind): fine_tuned.load(f"{TASKS[task]}-{KINDS[kind]}", profile)
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
            "scale of the last block": run.scale[-1],
        }
        for key, run in runs.items()
    }
).T.round(1)

# %% [markdown]
# The numbers for the text, and the names of the blocks:

# %%
a_map = runs["SST-2", "dense"].maps["cls/mean/gw"]
note(n_blocks=len(a_map.names), n_mapped=a_map.n_samples)
note(near=a_map.values[0, 1], far=a_map.values[0, -1])
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

# %% tags=["fig", "wide", "paper-F06"] mystnb={"image": {"alt": "Maps of six encoders on Yelp under four raw measures: in all of them the last block is far from everything else, and the rest is dark."}}
viz.map_grid(grid("Yelp", FOUR, "raw"))

# %% [markdown]
# Then each block divided by its mean distance:

# %% tags=["fig", "wide", "paper-F06"] mystnb={"image": {"alt": "The same maps with each block divided by its mean distance: under GW the map of the pre-trained encoder is even, and the fine-tuned one has its last blocks apart."}}
viz.map_grid(grid("Yelp", FOUR, "mean"))

# %% [markdown]
# And SST-2, which is Figure 13 of the paper:

# %% tags=["fig", "wide", "paper-F13", "paper-R17"] mystnb={"image": {"alt": "Normalised maps of six encoders on SST-2 under four measures."}}
viz.map_grid(grid("SST-2", FOUR, "mean"))

# %% [markdown]
# The colours of a row are the same; the numbers behind them are these. Point at a pair of blocks of the encoder fine-tuned on SST-2, tap it, or walk with the arrow keys:

# %%
explorer(
    a_map,
    "Layer map of the encoder fine-tuned on SST-2 under GW, each block divided "
    "by its mean distance: the first four blocks are close, the last two far.",
)

# %% [markdown]
# From the first block to the second it is {glue:text}`near:.2f`, from the first to the last {glue:text}`far:.2f`.
#
# How much of each map is scale? For each measure the share of the variance of the map that the difference of
# the blocks' mean distances explains, in the median over the twelve encoders.


# %%
def by_scale(run, key):
    """Share of a map's variance that differences of scale explain, in %."""
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
note(cosine_scale=scale_table.loc["cosine"].iloc[1])
note(mean_scale=scale_table.loc["GW", "divided by its mean"])
scale_table.round(1)

# %% [markdown]
# Raw, all four rows are one picture: the last block, whose scale is the largest. What the raw GW map shows is to {glue:text}`raw_scale:.0f` % the difference of the blocks' scales, and there is no
# group in it but the last block. Divided by its mean, GW has a picture of its own; scale still goes along with {glue:text}`mean_scale:.0f` % of it, because the blocks that change their shape also grow. Euclid and Wasserstein now
# show a cross at a block in the middle. They see *where* a cloud lies, and dividing the smallest cloud by its small scale throws it far away. Cosine is not changed by dividing, and goes with the scale before and after ({glue:text}`cosine_scale:.0f` %).
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

# %% tags=["fig", "wide"] mystnb={"image": {"alt": "Normalised maps of six encoders on SST-2 under six further measures: RSM, RSA and CKA show the last blocks of the fine-tuned encoders apart; MSID, AGW and CCA show little."}}
viz.map_grid(grid("SST-2", SIX, "mean"))

# %% [markdown]
# And on Yelp:

# %% tags=["fig", "wide", "paper-R15", "paper-R16"] mystnb={"image": {"alt": "The same six measures on Yelp."}}
viz.map_grid(grid("Yelp", SIX, "mean"))

# %% [markdown]
# The paper says that GW shows the groups most clearly. That can be counted. Cut the blocks once into earlier and later ones. Each pair of blocks
# then lies on one side of the cut or across it. How much of the variance of a map does this explain, at the best cut?


# %%
def clearest(values):
    """First block after the cut that explains most of a map; its share in %."""
    values = values[upper]
    before, after = upper
    split = [(before < c) & (after >= c) for c in range(1, len(blocks))]
    shares = [np.corrcoef(values, s)[0, 1] ** 2 for s in split]
    return int(np.argmax(shares)) + 2, 100 * max(shares)


# %% [markdown]
# For the encoders that are fine-tuned and dense, under all ten:

# %%
clarity = {
    (task, kind): {
        title: clearest(runs[task, kind].maps[f"cls/mean/{name}"].values)
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
clear = shares["SST-2", "dense"]
note(clear_gw=clear["GW"], clear_rsm=clear["RSM"], clear_rsa=clear["RSA"])
note(clear_cka=clear["CKA"], clear_w=clear["Wasserst."])
note(cut_gw=clarity["SST-2", "dense"]["GW"][0])
overall = shares.mean(axis=1)
note(all_gw=overall["GW"], all_rsm=overall["RSM"], all_rsa=overall["RSA"])
note(all_cka=overall["CKA"], all_w=overall["Wasserst."])
even = np.abs(np.subtract.outer(range(len(blocks)), range(len(blocks))))
note(by_drift=clearest(even)[1])
raw_shares = {
    title: np.mean(
        [clearest(runs[k].maps[f"cls/raw/{name}"].values)[1] for k in clarity]
    )
    for title, name in FOUR.items()
}
note(raw_euclid=raw_shares["Euclid"], raw_cosine=raw_shares["cosine"])
note(raw_w=raw_shares["Wasserst."], raw_gw=raw_shares["GW"])
shares.round().astype(int)

# %% [markdown]
# For comparison: even drift, where the distance of two blocks is how many lie between, has no group in it, and cut in the middle it has {glue:text}`by_drift:.0f` %. Only what is clearly above that says something.
# And where the cut is, by the block that begins the later part:

# %%
pd.DataFrame({k: {t: at for t, (at, _) in r.items()} for k, r in clarity.items()})

# %% [markdown]
# Cosine is the clearest, but of the last block alone, and that is its scale again. GW cuts the encoder fine-tuned on SST-2 at block {glue:text}`cut_gw:d`, which explains {glue:text}`clear_gw:.0f` % of its map. RSM and CKA cut at the same place, and this explains {glue:text}`clear_rsm:.0f` and {glue:text}`clear_cka:.0f` %.
# In the mean over the four columns GW has {glue:text}`all_gw:.0f` %, RSM {glue:text}`all_rsm:.0f` %, CKA {glue:text}`all_cka:.0f` %, RSA {glue:text}`all_rsa:.0f` %, Wasserstein {glue:text}`all_w:.0f` %. So with each block divided by its mean GW is clearer than Euclid and Wasserstein; it is about as clear as CKA and RSA, and less clear than RSM. With raw distances, as in the paper, none of the four is clearly less clear: in the mean over the columns the best cut explains {glue:text}`raw_euclid:.0f` % under Euclid, {glue:text}`raw_cosine:.0f` % under cosine, {glue:text}`raw_w:.0f` % under Wasserstein and {glue:text}`raw_gw:.0f` % under GW. At the higher rate GW and RSM are less clear than at the usual one; CKA and RSA
# are so on SST-2, and clearer on Yelp. CCA has nothing to say: with {glue:text}`n_mapped:d` texts and a width of 384, every block predicts every other without error.
#
# ## How many groups?
#
# The paper cuts its maps with spectral clustering {cite:p}`luxburg2007tutorial`, into two groups. That always returns two. Here it is beside the
# best cut into two runs of blocks, which always finds a cut, too:


# %%
def letters(layer_map, groups):
    """Each block's group as a letter; a block not in the map is a dot."""
    group = dict(zip(groups.names, groups.labels, strict=True))
    return "".join(".ABC"[group.get(name, -1) + 1] for name in layer_map.names)


# %% [markdown]
# For each encoder, and the test that may also answer "one group":

# %%
rows = {}
for key, run in runs.items():
    whole = run.maps["cls/mean/gw"]
    known = whole.defined()
    rows[key] = {
        "spectral": letters(whole, fs.spectral_partition(known, 2, seed=seed)),
        "best cut": letters(whole, fs.partition_into(known, 2)),
        "p": fs.partition(known, seed=seed).p_value,
    }
cut_table = pd.DataFrame(rows).T
note(p_six=cut_table.loc[("SST-2", "dense"), "p"])
note(p_six_yelp=cut_table.loc[("Yelp", "dense"), "p"])
same = cut_table["spectral"] == cut_table["best cut"]
tuned_ones = [key for key in rows if key[1] != "pre-trained"]
note(n_same=int(same[tuned_ones].sum()), n_tuned=len(tuned_ones))
cut_table

# %% [markdown]
# In {glue:text}`n_same:d` of the {glue:text}`n_tuned:d` fine-tuned encoders both ways agree. Where nothing was tuned, spectral clustering returns two groups all the same, and they are not even runs of blocks.
#
# The last column is the test of [chapter 06](06-modular-sum-subnetworks.ipynb), which may answer "one group". Can it see anything in so few layers?
# Here are perfect maps, distance 0 within a group and 1 between groups.


# %%
def perfect(*sizes):
    """A map in which groups of these sizes are all that there is."""
    group = np.repeat(range(len(sizes)), sizes)
    values = np.not_equal.outer(group, group).astype(float)
    names = tuple(f"layer {k + 1}" for k in range(len(group)))
    return fs.LayerMap(values, names, names, "gw", "mean", 200)


# %% [markdown]
# Some cuts of six and of twelve layers:

# %%
shapes = [(4, 2), (5, 1), (4, 1, 1), (10, 2), (11, 1)]
found = {" + ".join(map(str, s)): fs.partition(perfect(*s)) for s in shapes}
note(p_perfect=found["4 + 2"].p_value, p_single=found["5 + 1"].p_value)
pd.DataFrame(
    {
        sizes: {"groups found": g.n_groups, "p": g.p_value}
        for sizes, g in found.items()
    }
).T.astype({"groups found": int})

# %% [markdown]
# It can see one boundary, also in front of a single last layer: $p$ = {glue:text}`p_perfect:.4f` and {glue:text}`p_single:.4f`. Two boundaries among five steps are too many to stand out.
# But real steps are uneven, and five of them show little. So we look twice in every block: after its attention, and at its end. That makes twelve points on the same
# way, as many as the paper has. Steps into points after attention are compared with each other, and so are steps into ends. The map of the fine-tuned encoder on SST-2, with what the test finds:

# %% tags=["fig"] mystnb={"image": {"alt": "GW map of twelve points of the fine-tuned encoder, two per block; the four points of the last two blocks are bright against the eight before."}}
points = tuple(f"{b}, {where}" for b in blocks for where in ("attention", "end"))
halves = replace(
    runs["SST-2", "dense"].maps["halves/mean/gw"], names=points, columns=points
)
viz.layer_map(halves, fs.partition(halves, seed=seed))

# %% [markdown]
# Some points are missing elsewhere: in the sparsest encoders no head of the first blocks writes anything, so [CLS] knows no text there.


# %%
def groups_in(run, measure="gw"):
    """The test on the points of a run at which texts differ."""
    return fs.partition(run.maps[f"halves/mean/{measure}"].defined(), seed=seed)


def told(run, found):
    """The p-value, and where groups start."""
    names = run.maps["halves/mean/gw"].names
    starts = [points[names.index(found.names[i])] for i in found.boundaries]
    return f"{found.p_value:.2f}" + (f" ({'; '.join(starts)})" if starts else "")


# %% [markdown]
# For all twelve encoders:

# %%
found = {key: groups_in(run) for key, run in runs.items()}
pd.Series(
    {key: told(runs[key], groups) for key, groups in found.items()},
    name="p (a group starts at)",
).to_frame()

# %% [markdown]
# The numbers for the text:

# %%
for (task, kind), groups in found.items():
    name = f"{TASKS[task]}_{KINDS[kind]}".replace("-", "_")
    note(**{f"p_{name}": groups.p_value})
    note(**{f"acc_{name}": 100 * runs[task, kind].scores["accuracy"]})
    note(**{f"heads_{name}": ", ".join(map(str, runs[task, kind].heads))})
note(n_encoders=len(found), n_with=sum(g.n_groups > 1 for g in found.values()))
note(least_p=min(groups.p_value for groups in found.values()))

# %% [markdown]
# As they came, neither encoder has a boundary ($p$ = {glue:text}`p_sst2_pretrained:.2f` and {glue:text}`p_yelp_pretrained:.2f`). Fine-tuned at the usual rate, neither has one either ($p$ = {glue:text}`p_sst2_dense:.2f` and {glue:text}`p_yelp_dense:.2f`).
# Yet the eye sees something. The steps into the last two blocks are twice as large as those before, and they stay large to the end. To the test this is a change of speed: a chain that goes on where it was going, only faster. A boundary would need something slow
# behind it. At four times the rate the change begins earlier ($p$ = {glue:text}`p_sst2_fast:.2f` and {glue:text}`p_yelp_fast:.2f`).
#
# The paper compares ends of blocks, and there $p$ = {glue:text}`p_six:.2f` on SST-2 and {glue:text}`p_six_yelp:.2f` on Yelp. Six blocks leave five steps, and two large ones among five cannot stand out. So whether this encoder has two groups of *blocks* we cannot tell.
#
# Of all {glue:text}`n_encoders:d` encoders the test finds a boundary in {glue:text}`n_with:d`. The smallest $p$ is {glue:text}`least_p:.3f`, and one as small is no surprise among twelve tests.
# At 95 % pruned, few heads are left. Block by block they are {glue:text}`heads_sst2_neuroprune_95` on SST-2 and {glue:text}`heads_yelp_neuroprune_95` on Yelp. Where there are few, [CLS] receives little of the text, and the encoder on Yelp answers {glue:text}`acc_yelp_neuroprune_95:.1f` % right.
# Its bright corner is a trace of the pruning, not of a function.
#
# ## Other seeds
#
# Three dense encoders on SST-2, with other classifiers, other orders of the texts and other dropout. For each pair of seeds: do the maps
# rank the pairs of blocks alike, and do the cuts into two agree (adjusted Rand index: 1 the same, 0 by chance)?

# %%
seeds = (0, 1, 2)
dense = {s: fine_tuned.load("sst2-dense", profile, s) for s in seeds}
gw = {s: run.maps["cls/mean/gw"] for s, run in dense.items()}
cuts = {s: fs.partition_into(m, 2).labels for s, m in gw.items()}
spectral = {s: fs.spectral_partition(m, 2, seed=seed).labels for s, m in gw.items()}


# %% [markdown]
# Pair by pair:

# %% tags=["paper-R19"]
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
by_seed = {f"seed {s}": groups_in(run) for s, run in dense.items()}
note(seeds_found=sum(f.n_groups > 1 for f in by_seed.values()), n_seeds=len(seeds))
pd.Series(
    {f"seed {s}": told(run, by_seed[f"seed {s}"]) for s, run in dense.items()},
    name="p",
).to_frame()

# %% [markdown]
# The maps of two seeds have a rank correlation of at least {glue:text}`seed_rank:.2f`, and the cuts agree (the least index is {glue:text}`seed_cut:.0f` for the best cut and {glue:text}`seed_spectral:.0f` for spectral clustering). The test finds a boundary in {glue:text}`seeds_found:d` of {glue:text}`n_seeds:d` seeds.
# With {glue:text}`n_seeds:d` seeds that is not much of a sample, and they share the pre-trained weights: only the classifier, the order of the texts and the dropout were drawn anew.
#
# ## Pooling
#
# [CLS], the mean over tokens, or all tokens in one long vector, the fine-tuned encoder on SST-2.

# %%
tuned = runs["SST-2", "dense"]
pooled = {
    "[CLS]": tuned.reps["cls"].head(100),
    "mean": tuned.reps["mean"].head(100),
    "all tokens": tuned.reps["tokens"],
}
by_pooling = {name: fs.compare(x, progress=False) for name, x in pooled.items()}

# %% [markdown]
# The three maps:

# %% tags=["fig"] mystnb={"image": {"alt": "GW maps of the fine-tuned encoder at the [CLS] token, for the mean over tokens and for all tokens."}}
viz.map_grid({"GW": by_pooling})

# %% [markdown]
# Which cut explains most of each map, and how much, as above; for [CLS] and the mean on all {glue:text}`n_mapped:d` texts and also for the other seeds and Yelp:

# %%
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
pooling_table = pd.DataFrame(
    {
        name: {
            title: f"block {at}, {share:.0f} %" for title, (at, share) in r.items()
        }
        for name, r in cut_at.items()
    }
).T
pooling_table.fillna("")

# %% [markdown]
# And the ranks:

# %%
by_rank = {
    title: spearmanr(m.values[upper], by_pooling["[CLS]"].values[upper]).statistic
    for title, m in by_pooling.items()
}
note(pooling_mean=by_rank["mean"], pooling_all=by_rank["all tokens"])
pd.Series(by_rank, name="rank correlation with [CLS]").to_frame().round(2)

# %% [markdown]
# The mean over tokens keeps the ranks to {glue:text}`pooling_mean:.2f`, all tokens to {glue:text}`pooling_all:.2f`. The bright corner of the [CLS] maps begins at the same block in all of them. With the mean it is weaker, and one block earlier on Yelp; with all tokens
# only the last block stands apart. [CLS] is the only token that the classifier reads. So the choice of pooling, which is not in the text we worked from, decides how clear the groups are, and on one task where they start.
#
# ## GW or CKA?
#
# Pictures suggest that they agree. Do they? The rank correlation of the GW map with that of each other measure, over the pairs of blocks:

# %%
signs = {name: -1 if m.is_similarity else 1 for name, m in fs.measures().items()}


# %% [markdown]
# A row per encoder:

# %%
agree = {}
for key, run in runs.items():
    entries = {
        name: signs[name] * run.maps[f"cls/mean/{name}"].values[upper]
        for name in ("gw", "rsm", "rsa", "cka-debiased")
    }
    agree[key] = pd.DataFrame(entries).corr(method="spearman")["gw"].drop("gw")
agree = pd.DataFrame(agree).T
note(gw_cka=agree["cka-debiased"].median(), gw_rsm=agree["rsm"].median())
came_agree = agree.xs("pre-trained", level=1)
note(came_rsm=came_agree["rsm"].max(), came_cka=came_agree["cka-debiased"].max())
few_zeros = [key for key in runs if key[1] not in ("pre-trained", "95 %")]
note(tuned_rsm=agree["rsm"][few_zeros].min())
agree[["rsm", "rsa", "cka-debiased"]].round(2)

# %% [markdown]
# Between GW and RSM {glue:text}`gw_rsm:.2f` in the median, between GW and CKA {glue:text}`gw_cka:.2f`. RSM is GW without its matching: the same matrices of distances, compared text by text.
# In encoders that were fine-tuned and have at most 70 % zeros the matching changes little of the picture ({glue:text}`tuned_rsm:.2f` or more). On the encoders as they came neither RSM (at most {glue:text}`came_rsm:.2f`) nor CKA (at most {glue:text}`came_cka:.2f`) agrees with GW. Why? To CKA, as to RSM, two blocks are the less alike the more blocks lie between them.
# The rank correlation of each map with how many lie between, similarities with their sign turned:

# %%
apart = upper[1] - upper[0]
THREE = {"GW": "gw", "RSM": "rsm", "CKA": "cka-debiased"}
drifts = pd.DataFrame(
    {
        key: {
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
drifts.round(2)

# %% [markdown]
# CKA falls with the number of blocks between in every encoder, before fine-tuning as well. GW sees no drift there: the shape of the cloud stays as it is while the texts move within it, and a measure that may match any text with any other
# does not see texts move. This is what CKA sees and GW does not.
#
# Do they also find the same groups? The test on the twelve points, under three measures:

# %%
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
note(n_all=sum(f.n_groups > 1 for each in tests.values() for f in each.values()))
pd.DataFrame(
    {
        t: {key: told(everyone[key], f) for key, f in each.items()}
        for t, each in tests.items()
    }
)

# %% [markdown]
# Of the {glue:text}`n_dense:d` dense encoders GW finds a boundary in {glue:text}`dense_GW:d`, RSM in {glue:text}`dense_RSM:d`, CKA in {glue:text}`dense_CKA:d`. Their largest $p$ is {glue:text}`worst_GW:.2f`, {glue:text}`worst_RSM:.2f` and {glue:text}`worst_CKA:.2f`. By the test no measure is ahead of another here.
# With three times {glue:text}`n_runs:d` tests at 5 %, about two false boundaries are to be expected; there are {glue:text}`n_all:d`.
#
# A few texts with very long vectors can rule a measure. CKA squares and multiplies lengths, GW compares distances. What changes when we leave
# out the texts whose vectors are among the longest 1 % in any block, or as many others? In the fine-tuned encoder, on SST-2:


# %%
def without_longest(reps, share=0.01):
    """The samples that are not among the longest vectors of any layer."""
    keep = np.ones(reps.n_samples, dtype=bool)
    for x in reps.values():
        length = np.linalg.norm(x - x.mean(axis=0), axis=1)
        keep &= length <= np.quantile(length, 1 - share)
    return fs.Representations({name: x[keep] for name, x in reps.items()})


# %% [markdown]
# The change of the map, for three measures:

# %%
few = tuned.reps["cls"].head(200)
longest = without_longest(few)
others = {"the longest": longest, "others": few.subsample(longest.n_samples, seed)}
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
outliers.round(2)

# %% [markdown]
# The numbers for the text:

# %%
note(n_long=few.n_samples - longest.n_samples)
for title in THREE:
    for what, key in {"the longest": "long", "others": "any"}.items():
        note(**{f"{key}_{title}": outliers.loc[(title, what), "median change (%)"]})

# %% [markdown]
# Without the {glue:text}`n_long:d` texts with the longest vectors the entries of the GW map change by {glue:text}`long_GW:.1f` % in the median, against {glue:text}`any_GW:.1f` % without as many others; under RSM {glue:text}`long_RSM:.1f` against {glue:text}`any_RSM:.1f`, under CKA {glue:text}`long_CKA:.1f` against {glue:text}`any_CKA:.1f`.
# So texts with long vectors count for more than others, under GW the least. They rule none of the three: the order of the entries hardly changes.
#
# ## One encoder against another
#
# Figure 12 of the paper: blocks of one model against blocks of another, the same texts.

# %%
crossed = {
    kind: fs.compare(
        runs["Yelp", "dense"].reps["cls"].head(100),
        runs["Yelp", kind].reps["cls"].head(100),
        degenerate="nan",
        progress=False,
    )
    for kind in KINDS
}

# %% [markdown]
# Rows are the blocks of the dense encoder, columns those of the other:

# %% tags=["fig", "wide", "paper-F12"] mystnb={"image": {"alt": "GW distances of the blocks of the fine-tuned encoder on Yelp to the blocks of six encoders."}}
viz.map_grid({"dense": crossed})

# %% [markdown]
# The mean over all pairs of blocks, and over blocks at the same depth:

# %%
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
cross_table.round(3)

# %% [markdown]
# At the same depth, the dense encoder is {glue:text}`cross_pretrained:.2f` from the one that was not fine-tuned and {glue:text}`cross_fast:.2f` from the one tuned faster; from the sparse ones {glue:text}`cross_25:.2f`, {glue:text}`cross_70:.2f` and {glue:text}`cross_95:.2f`. The sparser, the farther; with 70 % zeros about as far as if it had
# not been fine-tuned at all.
#
# ## What moved?
#
# A rival explanation for blocks at the end: fine-tuning moves the last blocks most, and so they end up far from the others. Then the map
# would say nothing that the change of the weights does not say.

# %%
came = runs["SST-2", "pre-trained"]


def to_others(run):
    """Mean GW distance of every block to the others."""
    return run.maps["cls/mean/gw"].values.sum(axis=1) / (len(blocks) - 1)


def to_itself(measure):
    """What every block says after fine-tuning, compared with before."""
    after, before = (run.reps["cls"].head(200) for run in (tuned, came))
    return np.diag(
        fs.compare(after, before, measure=measure, progress=False).values
    )


# %% [markdown]
# For every block: how far its weights moved, how far what it says is from what it said before, and how far it is from the other blocks.

# %%
drift = pd.DataFrame(
    {
        "weights moved (%)": 100 * tuned.moved,
        "GW to itself before": to_itself("gw"),
        "CKA to itself before": to_itself("cka-debiased"),
        "GW to the others": to_others(tuned),
        "and before": to_others(came),
    },
    index=blocks,
)
note(moved_least=drift.iloc[:, 0].min(), moved_most=drift.iloc[:, 0].max())
note(self_first=drift.iloc[0, 1], self_last=drift.iloc[-1, 1])
drift.round(3)

# %% [markdown]
# It was not the weights: those of all blocks moved almost equally far, by {glue:text}`moved_least:.1f` to {glue:text}`moved_most:.1f` %. It was what the blocks *say*: the first is {glue:text}`self_first:.2f` from what it said before, the last {glue:text}`self_last:.2f`.
# Every block receives what those before it have changed. Does the map say more than the column "GW to itself before"? If it did not, the distance of two blocks could be told from how far the two have moved. The simplest guess is the larger of both:

# %%
self_moved = drift["GW to itself before"].to_numpy()
guess = np.maximum.outer(self_moved, self_moved)[upper]
note(rival=spearmanr(guess, gw[0].values[upper]).statistic)
note(rival_r2=100 * np.corrcoef(guess, gw[0].values[upper])[0, 1] ** 2)

# %% [markdown]
# The guess has a rank correlation of {glue:text}`rival:.2f` with the map and explains {glue:text}`rival_r2:.0f` % of its variance.
# So the rival explanation cannot be dismissed: the map of a fine-tuned encoder is first of all a list of how far its blocks have come from a map that was even. Whether the last blocks also do something *new* no map can say. That takes operations on the network.
#
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C19: fine-tuned ones have two to three groups, the last third is one (5.2, Figure 6) | ours | undecided: the last two blocks change faster, and six blocks are too few to tell a boundary from a change of speed | the six ends, which the paper compares: $p$ = {glue:text}`p_six:.2f` on SST-2 and {glue:text}`p_six_yelp:.2f` on Yelp; twelve points: $p$ = {glue:text}`p_sst2_dense:.2f` and {glue:text}`p_yelp_dense:.2f` |
# | C21: Euclidean, cosine and Wasserstein show the groups less clearly (5.2, Figure 6), with raw distances | ours | disagrees: none is clearly less clear | the best cut, before the last block, explains {glue:text}`raw_euclid:.0f`, {glue:text}`raw_cosine:.0f` and {glue:text}`raw_w:.0f` %, under GW {glue:text}`raw_gw:.0f` % |
# | C21, each block divided by its mean distance | ours | agrees for Euclid and Wasserstein, which see where a cloud lies, and dividing by a small scale throws it far away; cosine sees the last block alone | best cut at block {glue:text}`cut_gw:d` explains {glue:text}`clear_gw:.0f` % under GW, {glue:text}`clear_w:.0f` % under Wasserstein |
# | C27: pre-trained and dense models differ from sparse ones in maps across models (F, Figure 12) | ours | agrees for 95 %; fewer zeros are not farther than no fine-tuning | at the same depth {glue:text}`cross_25:.2f`, {glue:text}`cross_70:.2f`, {glue:text}`cross_95:.2f` from the dense one, and {glue:text}`cross_pretrained:.2f` from it to the pre-trained |
# | C28: on SST-2 two to three groups as well, the last block apart (G, Figure 13) | ours | undecided, as C19; the last block alone is scale | $p$ = {glue:text}`p_six:.2f` at the six ends; the raw map is to {glue:text}`raw_scale:.0f` % the difference of scales |
# | C32: the same across seeds (reviews, Figure 19) | ours | undecided: the maps agree, but whether there are groups of blocks is open (C19), and the seeds share the pre-trained weights | rank correlation of two maps at least {glue:text}`seed_rank:.2f`; a boundary among twelve points in {glue:text}`seeds_found:d` of {glue:text}`n_seeds:d` |
# | C33: GW shows clearer sub-networks than RSM, RSA, CCA, CKA, MSID, AGW, on text (reviews, Figures 15 to 17), by the best cut | ours | disagrees: RSM is clearer | it explains {glue:text}`all_gw:.0f` % under GW, {glue:text}`all_rsm:.0f` % under RSM, {glue:text}`all_cka:.0f` % under CKA |
# | C33, on text, by the test | ours | undecided: four encoders, of which three began with the same weights, and no test of the difference | a boundary in {glue:text}`dense_GW:d`, {glue:text}`dense_RSM:d` and {glue:text}`dense_CKA:d` of {glue:text}`n_dense:d` dense encoders under GW, RSM and CKA |
# | D05: CKA looks the same | - | open: the maps differ, but the test finds no boundary under either | rank correlation of the maps {glue:text}`gw_cka:.2f`; CKA sees drift before fine-tuning, GW does not |
# | D06: other seeds | - | open: the maps of three seeds agree, but all of them began with the same pre-trained weights | rank correlation at least {glue:text}`seed_rank:.2f` |
#
# CKA sees every step of the way, GW only changes of shape. Which of the two finds groups more surely four encoders cannot tell. And of BERT-base, which was not run, no row says anything yet.
#
# **Before you report groups**: divide by the mean; say which pooling; give the test, not the clustering; and try another learning rate.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
