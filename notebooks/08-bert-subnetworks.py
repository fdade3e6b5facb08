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
#     data: [encoder-maps, encoder/sst2-pretrained, encoder/sst2-dense, encoder/yelp-pretrained, encoder/yelp-dense, encoder/sst2-untrained]
# ---

# %% [markdown]
# # 08 Groups of blocks in an encoder
#
# Does {term}`fine-tuning` divide an encoder into {term}`groups <group>` of {term}`blocks <block>`? Is such a group more than a picture? And does the {term}`Gromov-Wasserstein distance` (GW) show it better than other measures?
#
# ## In short
#
# The paper compares the twelve blocks of a fine-tuned BERT. It sees two or three groups, and the last three blocks are one of them. In our encoder of twelve blocks the eye sees this, too. The *best cut* is the place that best divides a map into earlier and later blocks. It lies before block {glue:text}`cut_sst2:d` on SST-2 and before block {glue:text}`cut_yelp:d` on Yelp. On SST-2 the best cut explains {glue:text}`share_sst2:.0f` % of the variance of the map. Before fine-tuning it explains {glue:text}`share_sst2_before:.0f` %. But our test finds no {term}`boundary` on either task. The steps grow over several blocks, so the network may just change faster for a while. GW does not show the groups more clearly than {term}`RSM` does. GW differs from {term}`CKA`, and an experiment suggests why.
#
# :::{glue:figure} fig_in_short_08
# :name: fig-08-in-short
# :alt: GW maps of twelve blocks for two tasks: untrained, before and after fine-tuning. Untrained: dark everywhere. Before: dark, and a little lighter far from the diagonal. After: blocks 10 to 12 are bright against all others, on both tasks.
#
# GW maps of the same twelve blocks: with random weights, before and after fine-tuning. Dark is alike, and a row has one scale of colours. After fine-tuning the last blocks stand apart on both tasks.
# :::
#
# :::{admonition} What you will learn
# - how clear a picture of groups is, as a number with an {term}`interval`;
# - how many groups a test finds, and what it cannot see;
# - what the answer depends on: {term}`pooling`, {term}`scale`, single dimensions, the measure;
# - what GW sees that CKA does not, and why;
# - whether "the last blocks do something new" says more than "the last blocks moved most".
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.2 with Figure 6, appendix G with Figure 13; the discussion of its reviews.
# **You need**: [chapter 06](06-modular-sum-subnetworks.ipynb) for the test, [chapter 07](07-bert-fine-tuning.ipynb) for the encoder.
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
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr
from torch import nn

import funcsim as fs
from exercises import chapter_08 as check
from funcsim import viz
from funcsim.viz.interactive import explorer
from replication.encoder import block_maps, dense, untrained

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## The maps
#
# The encoder is MPNet with twelve blocks, as in [chapter 07](07-bert-fine-tuning.ipynb): before fine-tuning, and after it on SST-2 or Yelp. For each we have the {term}`layer map` of {glue:text}`n_texts:d` texts under all measures, in the mean over tokens and at {term}`[CLS]`. Beside them stand copies with fresh random weights.

# %%
TASKS = {"sst2": "SST-2", "yelp": "Yelp"}
MOMENTS = {"pretrained": "before", "dense": "after"}
mapped = {
    (task, moment): block_maps.load(f"{task}-{kind}", profile)
    for task in TASKS
    for kind, moment in MOMENTS.items()
}
fresh = untrained.load("sst2-untrained", profile)

# %% tags=["remove-cell"]
stored = {
    (task, moment): dense.load(f"{task}-{kind}", profile)
    for task in TASKS
    for kind, moment in MOMENTS.items()
}
every = {key: one.maps | stored[key].maps for key, one in mapped.items()}
labels = {key: f"{TASKS[key[0]]}, {key[1]}" for key in mapped}

# %% tags=["remove-cell"]
a_map = every["sst2", "after"]["mean/mean/gw"]
blocks = [f"block {k + 1}" for k in range(len(a_map.names))]
steps = list(range(2, len(blocks) + 1))
upper = np.triu_indices(len(blocks), k=1)
twin = fresh.twin("mean/gw")
note(n_texts=a_map.n_samples, n_copies=len(twin.maps), n_blocks=len(blocks))

# %% tags=["remove-cell"]
random_map = fs.LayerMap(
    twin.maps[0], a_map.names, a_map.names, "gw", "mean", a_map.n_samples
)
shown = {
    title: {
        "random weights": random_map,
        "before": every[task, "before"]["mean/mean/gw"],
        "after": every[task, "after"]["mean/mean/gw"],
    }
    for task, title in TASKS.items()
}
keep_figure("fig_in_short_08", viz.map_grid(shown))

# %% [markdown]
# {numref}`fig-08-in-short` shows them under GW, {term}`normalised`. With random weights the blocks {term}`drift` apart evenly, but so little that the whole map is dark. Before fine-tuning far blocks differ a little more, but all are still nearly alike. After it there is a dark square of nine blocks, and the last blocks lie outside of it. Explore the map for SST-2: point at a cell, or use the arrow keys.

# %% tags=["widget", "hide-input"]
explorer(
    a_map.renamed(blocks),
    "GW map of the encoder fine-tuned on SST-2: "
    "the first nine blocks are alike, the last three are far from them.",
)

# %% [markdown]
# ## How clear is the picture?
#
# The paper says that GW shows the groups most clearly. We can put a number on this. Cut the blocks once into earlier and later ones. Each pair of blocks then lies on one side of the cut or across it. How much of the variance of a map does this division explain? The *best cut* is the one that explains most.


# %%
def clearest(values):
    """First block after the best cut; share of the variance in %."""
    values = values[upper]
    if np.ptp(values) == 0:  # nothing to explain
        return 2, 0.0
    before, after = upper
    split = [(before < c) & (after >= c) for c in range(1, len(blocks))]
    shares = [np.corrcoef(values, s)[0, 1] ** 2 for s in split]
    return int(np.argmax(shares)) + 2, 100 * max(shares)


# %% [markdown]
# We compare this share with that of even drift, where the distance of two blocks is the number of steps between them. Even drift has no groups, but its best cut explains a part of the variance all the same.

# %%
drift = np.abs(np.subtract.outer(range(len(blocks)), range(len(blocks))))
print(f"best cut of even drift: {clearest(drift)[1]:.0f} % of the variance")

# %% tags=["remove-cell"]
TEN = {
    "GW": "gw",
    "AGW": "agw",
    "RSM": "rsm",
    "RSA": "rsa",
    "CKA, debiased": "cka-debiased",
    "MSID": "msid",
    "Euclidean": "euclidean",
    "cosine": "cosine",
    "Wasserstein": "wasserstein",
}
clear = pd.DataFrame(
    {
        labels[key]: {
            t: clearest(m[f"mean/mean/{n}"].values)[1] for t, n in TEN.items()
        }
        for key, m in every.items()
    }
)

# %% tags=["remove-cell"]
halves = {key: one.halves["mean/gw"] for key, one in mapped.items()}
ends = {
    labels[key]: np.percentile([clearest(m)[1] for m in maps], [2.5, 97.5])
    for key, maps in halves.items()
}

# %% tags=["remove-cell"]
for task in TASKS:
    at, share = clearest(every[task, "after"]["mean/mean/gw"].values)
    low, high = ends[f"{TASKS[task]}, after"]
    note(**{f"cut_{task}": at, f"share_{task}": share})
    note(**{f"low_{task}": low, f"high_{task}": high})
    share = clear.loc["GW", f"{TASKS[task]}, before"]
    note(**{f"share_{task}_before": share})

# %% tags=["remove-cell"]
note(drift=clearest(drift)[1])
note(random_share=float(np.median([clearest(m)[1] for m in twin.maps])))

# %% tags=["remove-cell"]
KEYS = {"RSM": "rsm", "AGW": "agw", "RSA": "rsa", "CKA, debiased": "cka"}
for title, key in KEYS.items():
    for task in TASKS:
        share = clear.loc[title, f"{TASKS[task]}, after"]
        note(**{f"{key}_{task}": share})
note(rsa_yelp_before=clear.loc["RSA", "Yelp, before"])

# %% tags=["remove-cell"]
gains = {t: clear[f"{t}, after"] - clear[f"{t}, before"] for t in TASKS.values()}
note(
    **{
        f"gain_{k}": gain["GW"]
        for k, gain in zip(TASKS, gains.values(), strict=True)
    }
)
note(gain_second=max(gain.drop("GW").max() for gain in gains.values()))
note(most_added=", ".join(gain.idxmax() for gain in gains.values()))
raw = pd.DataFrame(
    {
        task: {
            t: clearest(every[task, "after"][f"mean/raw/{n}"].values)[1]
            for t, n in TEN.items()
        }
        for task in TASKS
    }
)

# %% [markdown]
# The best cut explains {glue:text}`drift:.0f` % of even drift, and {glue:text}`random_share:.0f` % of the median copy with random weights. Only a share clearly above these is a picture of two groups. The next figure shows the share for nine of the measures. {term}`CCA` is left out: with fewer texts than dimensions every block is a linear function of every other.

# %% tags=["hide-input", "paper-F06", "paper-F13", "paper-R15", "paper-R16", "paper-R17"] mystnb={"image": {"alt": "Share of each map's variance that its best cut explains, for nine measures, two tasks, before and after fine-tuning. After fine-tuning GW, AGW and RSM have about 80 % on SST-2 and 75 % on Yelp. RSA has 72 % on SST-2 and 78 % on Yelp. CKA has 65 and 68 %. The others have about 50 % or less. Before fine-tuning RSA has up to 72 %, CKA up to 63 % and RSM on Yelp a little over 50 %; the others are near or below the 46 % of even drift."}, "figure": {"name": "fig-08-clear", "caption": "How much of a map its best cut into two groups explains. The dashed line is even drift, which has no groups. After fine-tuning GW, AGW, RSM and RSA are clearest."}}
viz.dots(
    clear,
    xlabel="variance of the map that the best cut explains (%)",
    reference=clearest(drift)[1],
    reference_label="even drift",
)

# %% [markdown]
# On SST-2 the best cut explains {glue:text}`share_sst2:.0f` % under GW. On random halves of the texts this share lies between {glue:text}`low_sst2:.0f` and {glue:text}`high_sst2:.0f` %. RSM has {glue:text}`rsm_sst2:.0f` % and {term}`AGW` {glue:text}`agw_sst2:.0f` %. These two measures use the same distances as GW, and GW is as clear as they are. On Yelp {term}`RSA` is clearer, with {glue:text}`rsa_yelp:.0f` % against {glue:text}`share_yelp:.0f` % under GW. But RSA has {glue:text}`rsa_yelp_before:.0f` % before fine-tuning as well. On both tasks fine-tuning adds more to the share under GW than under any other measure. The paper compares GW with Euclidean, cosine and Wasserstein. These three are less clear on both tasks.
#
# All these maps are of normalised layers. The paper's Figure 6 uses raw distances. With raw distances the measures are closer together. The table in the fold lists where the best cut lies.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-08-clear", "caption": "First block after the best cut, and the share of the variance that it explains in per cent, with normalised and with raw distances, after fine-tuning."}}
rows = {}
for title, name in TEN.items():
    rows[title] = {
        f"{TASKS[task]}, {word}": "block {}, {:.0f} %".format(
            *clearest(every[task, "after"][f"mean/{scale}/{name}"].values)
        )
        for task in TASKS
        for word, scale in {"normalised": "mean", "raw": "raw"}.items()
    }
pd.DataFrame(rows).T

# %% tags=["remove-cell"]
for title in ("GW", "Euclidean", "cosine", "Wasserstein"):
    key = title.lower()[:4]
    note(
        **{
            f"raw_{key}": raw.loc[title, "sst2"],
            f"raw_{key}_y": raw.loc[title, "yelp"],
        }
    )
    note(**{f"mean_{key}": clear.loc[title, "SST-2, after"]})
    note(**{f"mean_{key}_y": clear.loc[title, "Yelp, after"]})

# %% [markdown]
# ## How many groups?
#
# The best cut always makes two groups. So does {term}`spectral clustering` {cite:p}`luxburg2007tutorial`, which the paper uses. `fs.partition_into` does so, too: it divides the blocks at their *clearest step*, the step from one block to the next that stands out most.

# %% mystnb={"figure": {"name": "tab-08-two", "caption": "Two groups by spectral clustering and by the clearest step. A letter is the group of a block, from the first block to the last."}}
two = {}
for key, m in every.items():
    gw = m["mean/mean/gw"]
    cut = {
        "spectral clustering": fs.spectral_partition(gw, 2, seed=seed),
        "clearest step": fs.partition_into(gw, 2),
    }
    two[labels[key]] = {
        how: "".join("AB"[k] for k in groups.labels)
        for how, groups in cut.items()  # both ways
    }
pd.DataFrame(two).T

# %% [markdown]
# After fine-tuning both set the last three blocks apart, as in the paper. But they return two groups before fine-tuning, too. A method that cannot say "one" cannot vouch for "two".
#
# The test of [chapter 06](06-modular-sum-subnetworks.ipynb) can say "one". It asks whether the step from one block to the next is out of proportion to the other steps. Here are these steps.

# %% tags=["hide-input"] mystnb={"image": {"alt": "GW distance from block to block with intervals over inputs, for SST-2 and Yelp. Before fine-tuning a flat line with a slow rise at the end. After, the steps into blocks 8 to 10 are three to five times as large as the early ones. The step into block 11 is smaller, and that into block 12 is large again. The band of untrained copies is flat."}, "figure": {"name": "fig-08-steps", "caption": "The step into each block under GW, before and after fine-tuning, with 95 % intervals over the choice of texts. The grey band spans the copies with random weights. After fine-tuning three steps in a row are large, and so is the last. So no single step stands out."}}
fig, axes = plt.subplots(
    1, 2, figsize=(6.4, 3.0), dpi=110, layout="constrained", sharey=True
)
plt.close(fig)
around = [np.diag(m, k=1) for m in twin.maps]
styles = {"before": ("-", viz.BLUE), "after": ("--", viz.ORANGE)}
for ax, task in zip(axes, TASKS, strict=True):
    ax.fill_between(
        steps,
        np.min(around, axis=0),
        np.max(around, axis=0),
        color=viz.GREY,
        alpha=0.3,
        lw=0,
        label="random weights",
    )
    for moment, (line, colour) in styles.items():
        values = np.diag(every[task, moment]["mean/mean/gw"].values, k=1)
        reach = np.diag(mapped[task, moment].spread("mean/gw"), k=1)
        ax.errorbar(
            steps,
            values,
            reach,
            fmt=line,
            color=colour,
            marker="o",
            ms=4,
            label=moment,
        )
    ax.set(title=TASKS[task], xlabel="step into block")
    ax.set_ylim(bottom=0)
    ax.grid(alpha=0.3)
axes[0].set_ylabel("GW distance to the block before")
axes[0].legend(frameon=False, fontsize=8)
fig

# %% tags=["remove-cell"]
tested = {
    key: fs.partition(
        m["mean/mean/gw"],
        seed=seed,
        twin=twin if key[0] == "sst2" and a_map.names == twin.names else None,
    )
    for key, m in every.items()
}

# %% tags=["remove-cell"]
for (task, moment), groups in tested.items():
    values = np.diag(every[task, moment]["mean/mean/gw"].values, k=1)
    note(
        **{
            f"p_{task}_{moment}": groups.p_value,
            f"n_{task}_{moment}": groups.n_groups,
        }
    )
    note(**{f"top_{task}_{moment}": values.max() / np.median(values)})

# %% tags=["remove-cell"]
early = fs.partition(every["sst2", "before"]["mean/mean/gw"], seed=seed)
note(effect_before=max((c.effect for c in early.boundary_changes), default=0.0))
again = mapped["sst2", "before"].frequency["mean/gw"]
note(again_before=100 * again.max())
note(twin_false=sum(p <= 0.05 for p in tested["sst2", "after"].twin_p_values))

# %% [markdown]
# What the test says of each encoder:

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-08-test", "caption": "The test on the outputs of the blocks, under GW in the mean over tokens: the largest step in units of the median step, the groups found, where the second begins, and the p-value."}}
rows = {}
for key, groups in tested.items():
    values = np.diag(every[key]["mean/mean/gw"].values, k=1)
    starts = ", ".join(str(k + 1) for k in groups.boundaries)
    rows[labels[key]] = {
        "largest step": f"{values.max() / np.median(values):.1f}",
        "groups": groups.n_groups,
        "second begins at block": starts or "-",
        "p": f"{groups.p_value:.3f}",
    }
pd.DataFrame(rows).T

# %% [markdown]
# After fine-tuning the test finds no boundary: $p$ = {glue:text}`p_sst2_after:.2f` on SST-2 and $p$ = {glue:text}`p_yelp_after:.2f` on Yelp. Why not, when the eye sees one? The largest step is {glue:text}`top_sst2_after:.1f` times the median one on SST-2. But the steps before and after it are large, too, and so is the last. When four of eleven steps are large, the network may just change faster there. [Page 06b](06b-how-good-is-the-test.ipynb) shows that in a chain as short as this the test often misses a boundary that is spread over two steps. So "no boundary found" is not "no boundary".
#
# Before fine-tuning, on SST-2, the test sets the last block apart ($p$ = {glue:text}`p_sst2_before:.3f`). The step into the last block is only {glue:text}`effect_before:.1f` times the larger of the two steps before it. The test finds it again in {glue:text}`again_before:.0f` % of random halves of the texts. It is a weak finding, and with four tests one such $p$ is no surprise. In the {glue:text}`n_copies:d` copies with random weights the test finds {glue:text}`twin_false:d` boundaries.
#
# ## Does it survive?
#
# The answer may depend on choices that the paper does not discuss. We change one choice at a time: {term}`pooling` (how a text becomes a point), the variance of each dimension, raw or normalised distances, and the measure. We also look inside the blocks.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-08-survives", "caption": "After fine-tuning, with one choice changed at a time. Columns p have the p-value of the test, and the block at which a second group begins if the test finds one. The other columns have the best cut, and the share that it explains."}}
CHOICES = {
    "as above": "mean/mean/gw",
    "each dimension standardised": "mean-standardised/mean/gw",
    "at [CLS]": "cls/mean/gw",
    "at [CLS], standardised": "cls-standardised/mean/gw",
    "raw distances": "mean/raw/gw",
    "RSM": "mean/mean/rsm",
    "CKA, debiased": "mean/mean/cka-debiased",
}


def said(m):
    """The p-value and the best cut of a map, in words."""
    groups = fs.partition(m, seed=seed)
    at = ", ".join(str(k + 1) for k in groups.boundaries)
    cut, share = clearest(m.values)
    p = f"{groups.p_value:.2f}" + (f" (block {at})" if at else "")
    return p, f"block {cut}, {share:.0f} %"


after = {task: every[task, "after"] for task in TASKS}
rows = {
    word: [x for m in after.values() for x in said(m[key])]
    for word, key in CHOICES.items()
}
columns = [f"{t}, {w}" for t in TASKS.values() for w in ("p", "best cut")]
survives = pd.DataFrame(rows, index=columns).T
survives

# %% tags=["remove-cell"]
found = survives[[c for c in columns if c.endswith("p")]]
note(
    n_found=int(found.map(lambda p: "block" in p).to_numpy().sum()),
    n_tests=found.size,
)

# %% tags=["remove-cell"]
inside = {
    t: fs.partition(every[t, "after"]["mean-sublayers/mean/gw"]) for t in TASKS
}
note(**{f"p_inside_{t}": groups.p_value for t, groups in inside.items()})
for task in TASKS:
    cut = {k: clearest(every[task, "after"][v].values) for k, v in CHOICES.items()}
    note(**{f"std_cut_{task}": cut["each dimension standardised"][0]})
    note(**{f"std_{task}": cut["each dimension standardised"][1]})
    note(**{f"cls_{task}": cut["at [CLS]"][1]})

# %% [markdown]
# The test finds {glue:text}`n_found:d` boundaries in {glue:text}`n_tests:d` maps. It also finds none if each block has two rows in the map, one after attention and one at its end ($p$ = {glue:text}`p_inside_sst2:.2f` and {glue:text}`p_inside_yelp:.2f`).
#
# The picture is another matter. If each dimension is brought to the same variance, the best cut still explains {glue:text}`std_sst2:.0f` % on SST-2 and {glue:text}`std_yelp:.0f` % on Yelp. So the picture is not the work of a few large dimensions. At [CLS] the best cut explains {glue:text}`cls_sst2:.0f` % on SST-2 and {glue:text}`cls_yelp:.0f` % on Yelp. There the picture depends on one token, whose output changes unevenly from block to block, as [chapter 07](07-bert-fine-tuning.ipynb) shows.
#
# ## GW or CKA?
#
# A reviewer finds that a CKA map looks the same as a GW map. The figure shows the steps under both measures, divided by their mean.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Steps under GW and under 1 minus CKA after fine-tuning, each over its mean. GW is below 1 until block 7 and up to three times the mean at blocks 8 to 10. CKA is near or above 1 until block 8, has a peak there on Yelp, and is below 0.7 in the last four."}, "figure": {"name": "fig-08-gw-cka", "caption": "Steps from block to block after fine-tuning, each line divided by its mean. In the last four blocks most steps of GW are large, and those of CKA are small."}}
lines = {}
for task, title in TASKS.items():
    for name, key in {"GW": "gw", "1 - CKA": "cka-debiased"}.items():
        m = every[task, "after"][f"mean/mean/{key}"]
        values = np.diag(m.values, k=1)
        values = 1 - values if key != "gw" else values
        lines[f"{title}, {name}"] = values / values.mean()
unit = "step (mean = 1)"
viz.curves(lines, x=steps, xlabel="step into block", ylabel=unit)

# %% tags=["remove-cell"]
for task in TASKS:
    a, b = (
        every[task, "after"][f"mean/mean/{n}"].values
        for n in ("gw", "cka-debiased")
    )
    note(**{f"agree_{task}": spearmanr(a[upper], -b[upper]).statistic})
    a, b = (lines[f"{TASKS[task]}, {n}"] for n in ("GW", "1 - CKA"))
    note(**{f"steps_{task}": spearmanr(a, b).statistic})

# %% [markdown]
# The steps of the two measures do not look the same. Their {term}`rank correlation` is {glue:text}`steps_sst2:.2f` on SST-2 and {glue:text}`steps_yelp:.2f` on Yelp. Why? [Chapter 07](07-bert-fine-tuning.ipynb) shows what happens in these blocks: the texts split into two camps. We can make such a split by hand. We take block 7 before fine-tuning and push the two classes apart along one random direction, in equal steps.

# %%
run = stored["sst2", "before"]
before = run.clouds["mean"]
cloud = np.asarray(before[before.names[len(blocks) // 2]])
side = np.where(run.labels[run.rows] > 0, 1.0, -1.0)
direction = np.random.default_rng(seed).normal(size=cloud.shape[1])
direction *= np.sqrt(cloud.var(axis=0).sum()) / np.linalg.norm(direction)
pushes = np.linspace(0, 2.5, 11)
pushed = fs.Representations(
    {f"{t:.2f}": cloud + t * np.outer(side, direction) for t in pushes}
)

# %% [markdown]
# The next figure shows the step from each push to the next, under both measures.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Step from each push to the next under GW and under 1 minus CKA, each over its mean. CKA has two large steps at the beginning and then nothing. GW stays high throughout."}, "figure": {"name": "fig-08-push", "caption": "Two classes are pushed apart in equal steps. CKA sees the first steps and then nothing more. GW sees every step. The push is in units of the cloud's own spread."}}
pushed_steps = {}
for name, key in {"GW": "gw", "1 - CKA": "cka-debiased"}.items():
    m = fs.compare(pushed, measure=key, progress=False)
    values = np.diag(m.values, k=1)
    values = 1 - values if key != "gw" else values
    pushed_steps[name] = values / values.mean()
viz.curves(pushed_steps, x=pushes[1:], xlabel="push to", ylabel=unit)

# %% [markdown]
# CKA weighs directions by their squared variance. As soon as one direction outweighs all the others, CKA from push to push is near 1, however far the camps move apart. GW compares the distances themselves. As long as the two humps of the distribution move apart, GW sees change. We read the large steps of GW at blocks 8 to 10 in this way: the two classes move apart there.
#
# ## What moved?
#
# There is a simpler story. Fine-tuning moves the last blocks most, and so they end up far from the others. If this were all, it would be enough to know how far each block has moved, and the map would add nothing. We compare each block with itself before fine-tuning.

# %% tags=["remove-cell"]
moved = {t: mapped[t, "after"].snapshots["mean/moved"][-1] for t in TASKS}
others = {
    t: every[t, "after"]["mean/mean/gw"].values.sum(axis=1) / (len(blocks) - 1)
    for t in TASKS
}
guesses = {t: np.maximum.outer(m, m)[upper] for t, m in moved.items()}
for task, guess in guesses.items():
    values = every[task, "after"]["mean/mean/gw"].values[upper]
    note(**{f"guess_{task}": spearmanr(guess, values).statistic})
    note(**{f"guess_r2_{task}": 100 * np.corrcoef(guess, values)[0, 1] ** 2})

# %% [markdown]
# The next figure draws the distance of each block to itself, beside its mean distance to the other blocks.

# %% tags=["hide-input"] mystnb={"image": {"alt": "GW distance of each block to itself before fine-tuning, and to the other blocks after it. Both rise from block 8 on."}, "figure": {"name": "fig-08-moved", "caption": "GW distance of each block to itself before fine-tuning, and its mean distance to the other blocks after it. Both rise in the last third."}}
viz.curves(
    {
        f"{title}, {what}": values[task]
        for task, title in TASKS.items()
        for what, values in {
            "to itself before": moved,
            "to the others": others,
        }.items()
    },
    xlabel="block",
    ylabel="GW distance",
)

# %% [markdown]
# We guess the distance of any two blocks from how far each of them has moved. The guess is the larger of the two moves. On SST-2 this guess has a rank correlation of {glue:text}`guess_sst2:.2f` with the map, and explains {glue:text}`guess_r2_sst2:.0f` % of the map's variance. On Yelp it explains {glue:text}`guess_r2_yelp:.0f` %. So the simple story cannot be dismissed. Much of each of these two maps goes with how far the blocks have moved. No map can say whether the last blocks also *do* something new. [Chapter 11](11-fine-tuning-ablations.ipynb) operates on the network to find out.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C18: the pre-trained encoder shows no major differences among layers (5.2, Figure 6) | ours | agrees, but for the last block on one task | the best cut explains {glue:text}`share_sst2_before:.0f` % on SST-2 and {glue:text}`share_yelp_before:.0f` % on Yelp, and {glue:text}`drift:.0f` % of even drift; $p$ = {glue:text}`p_sst2_before:.3f` and {glue:text}`p_yelp_before:.2f` |
# | C19: fine-tuned encoders have two to three groups, the last three blocks are one (5.2, Figure 6) | ours | undecided: the best cut is where the paper has it, but the test finds no boundary, and it often misses one that is spread over steps | best cut before block {glue:text}`cut_yelp:d`, {glue:text}`share_yelp:.0f` % [{glue:text}`low_yelp:.0f`, {glue:text}`high_yelp:.0f`]; $p$ = {glue:text}`p_yelp_after:.2f` on Yelp |
# | C28: on SST-2 two to three groups as well, the last block apart (G, Figure 13) | ours | undecided: the best cut sets three blocks apart, and the test finds no boundary | best cut before block {glue:text}`cut_sst2:d`, {glue:text}`share_sst2:.0f` % [{glue:text}`low_sst2:.0f`, {glue:text}`high_sst2:.0f`]; $p$ = {glue:text}`p_sst2_after:.2f` |
# | C21: Euclidean, cosine and Wasserstein show the groups less clearly (5.2, Figure 6), with raw distances | ours | agrees, by a few per cent | best cut on SST-2 {glue:text}`raw_gw:.0f` % under GW, {glue:text}`raw_eucl:.0f`, {glue:text}`raw_cosi:.0f` and {glue:text}`raw_wass:.0f` % under the three; on Yelp {glue:text}`raw_gw_y:.0f`, {glue:text}`raw_eucl_y:.0f`, {glue:text}`raw_cosi_y:.0f` and {glue:text}`raw_wass_y:.0f` % |
# | C21, each block divided by its mean distance | ours | agrees | best cut on SST-2 {glue:text}`mean_gw:.0f` % under GW, {glue:text}`mean_eucl:.0f`, {glue:text}`mean_cosi:.0f` and {glue:text}`mean_wass:.0f` % under the three; on Yelp {glue:text}`mean_gw_y:.0f`, {glue:text}`mean_eucl_y:.0f`, {glue:text}`mean_cosi_y:.0f` and {glue:text}`mean_wass_y:.0f` % |
# | C22: spectral clustering finds two groups (5.2) | paper | agrees, as it must | asked for two, it returns two for every map, that before fine-tuning included |
# | C33: GW shows clearer sub-networks than RSM, RSA, CCA, CKA, MSID, AGW, on text (reviews, Figures 15 to 17), by the best cut | ours | undecided: clearer than CKA and MSID on both tasks, as clear as RSM and AGW, and less clear than RSA on Yelp, where RSA has {glue:text}`rsa_yelp_before:.0f` % before fine-tuning, too; the two encoders began with the same weights | SST-2: GW {glue:text}`share_sst2:.0f`, RSM {glue:text}`rsm_sst2:.0f`, AGW {glue:text}`agw_sst2:.0f`, RSA {glue:text}`rsa_sst2:.0f`, CKA {glue:text}`cka_sst2:.0f` %; Yelp: {glue:text}`share_yelp:.0f`, {glue:text}`rsm_yelp:.0f`, {glue:text}`agw_yelp:.0f`, {glue:text}`rsa_yelp:.0f`, {glue:text}`cka_yelp:.0f` % |
# | D01: can the method give a number? | - | answered: the share that the best cut explains, and a test that may say one group | {glue:text}`share_sst2:.0f` % on SST-2, even drift {glue:text}`drift:.0f` %; $p$ = {glue:text}`p_sst2_after:.2f` |
# | D02: established measures are missing | - | answered: they are here | RSM, which is GW without its matching, has {glue:text}`rsm_sst2:.0f` %, GW {glue:text}`share_sst2:.0f` % |
# | D04: a group is a function | - | open: maps cannot tell | how far each block has moved explains {glue:text}`guess_r2_sst2:.0f` % of the variance of the map on SST-2 |
# | D05: CKA looks the same as GW | - | answered: it does not; in the last four blocks most steps of GW are large, and those of CKA are small | rank correlation of the steps {glue:text}`steps_sst2:.2f` on SST-2, {glue:text}`steps_yelp:.2f` on Yelp |
#
# This is one seed for each task, and BERT-base was not run. [Going deeper: six blocks](08b-six-blocks.ipynb) repeats this on another encoder, with three seeds, with sparse encoders, and with maps of one encoder against another.
#
# **Before you report groups**: divide each block's distances by their mean, say how a sample became a point, and give the test beside the picture.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Spectral clustering with two clusters finds two groups in a map. How much is learned?**
#
# <details><summary>a. The groups are contiguous.</summary>No: it does not even ask for that.</details>
# <details><summary>b. There are two groups.</summary>No: it returns two for every map, and cannot return one.</details>
# <details><summary>c. Nothing about how many there are.</summary>Right: a method that cannot say one cannot vouch for two.</details>
#
# To read again: [How many groups?](#how-many-groups)
#
# **2. What makes a boundary in the map of a fine-tuned encoder more than a picture?**
#
# <details><summary>a. That three measures show it.</summary>No: measures that look at the same distances share their mistakes.</details>
# <details><summary>b. A bright colour.</summary>No: colours follow from the largest value of the map.</details>
# <details><summary>c. A step out of proportion to the other steps, with its size and a p-value, and beside it the map before training.</summary>Right: uneven steps are the rule, and they can be there before training, too.</details>
#
# To read again: [How many groups?](#how-many-groups)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} Many maps, some boundaries
# :label: ex-08-many
#
# *Difficulty 1 of 4, importance 5 of 5, 5 minutes.* Write `false_alarm(n, alpha)`: if none of `n` networks has a boundary, and each is tested at level `alpha`, what is the chance that at least one boundary is found?
#
# ```{dropdown} Hint 1
# Not `n * alpha`: for thirty tests that is more than 1.
# ```
# ```{dropdown} Hint 2
# What is the chance that all tests keep quiet?
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def false_alarm(n, alpha):
    """The chance of at least one false boundary in n tests."""
    return 1 - (1 - alpha) ** n


check.false_alarm(false_alarm)

# %% [markdown]
# :::{exercise} Two groups where there are none
# :label: ex-08-none
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Write `no_groups(n)`: a map (n, n) in which the test finds one group, while spectral clustering, asked for two groups, cuts it into a first and a second half.
#
# ```{dropdown} Hint 1
# What does a network look like in which every layer changes a little, all of them equally?
# ```
# ```{dropdown} Hint 2
# Put the layers on a line. A map holds their distances.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def no_groups(n):
    """A map (n, n) that two methods judge differently."""
    where = np.arange(n, dtype=float)
    return np.abs(where[:, None] - where[None])


check.no_groups(no_groups)

# %% [markdown]
# :::{exercise} Spectral clustering by hand
# :label: ex-08-spectral
#
# *Difficulty 4 of 4, importance 4 of 5, 25 minutes.* Write `two_groups(values)` with NumPy alone: for a map (L, L) an array of L booleans, `True` for the layers of one group. The affinity of two layers is the largest distance of the map minus theirs. Take the normalised Laplacian of the affinities. The sign of one of its eigenvectors tells the groups. What does it return for a map in which all steps are equal?
#
# ```{dropdown} Hint 1
# The degree of a layer is the sum of its affinities, $d_i$. The normalised Laplacian is the identity minus $a_{ij} / \sqrt{d_i d_j}$.
# ```
# ```{dropdown} Hint 2
# `np.linalg.eigh` sorts from the smallest eigenvalue on. The first eigenvector has one sign everywhere, so it cannot be that one.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def two_groups(values):
    """Booleans (L,): the group of each layer of a map (L, L)."""
    affinity = values.max() - values
    degree = affinity.sum(axis=1)
    scaled = affinity / np.sqrt(np.outer(degree, degree))
    _, vectors = np.linalg.eigh(np.eye(len(values)) - scaled)
    return vectors[:, 1] > 0


check.two_groups(two_groups)

# %% [markdown]
# :::{exercise} Predict what the cut says, and what the test says
# :label: ex-08-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 25 minutes.* Build a network of 8 to 12 modules for inputs (n, 16), as `own_network()`, an `nn.Sequential` in which an eye should see a last group. It is not trained. Write into `predicted()` a dictionary of three guesses. `"cut"` is the number of the first module after the best cut, counted from 0. `"share"` is a pair of numbers at most 15 apart: between them lies the variance that this cut explains, in per cent. `"groups"` is how many groups the test finds. Only then write `measured(model, x)`, which returns these three for any network, its share as one number. Normalise, as this chapter does. Then compare. What would you write into a paper about your network?
#
# ```{dropdown} Hint 1
# A module close to the identity makes a small step: `nn.Linear` with a weight of `torch.eye(16)` plus a little noise. Under [How clear is the picture?](#how-clear-is-the-picture) the share of a cut is counted, each pair of modules once.
# ```
# ```{dropdown} Hint 2
# `fs.compare(fs.capture(model, [x]))` is the map, and `fs.partition` tests it. For each cut correlate the entries above the diagonal with "lies across the cut", as zeros and ones, and square.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Where the best cut lies, what it explains, and how many groups."""
    return {"cut": 6, "share": (60, 75), "groups": 2}


def own_network():
    """A network of 8 to 12 modules."""
    network = nn.Sequential(*(nn.Linear(16, 16) for _ in range(10)))
    with torch.no_grad():
        for k, module in enumerate(network):
            size = 0.03 if k < 6 else 0.15
            module.weight.copy_(torch.eye(16) + size * torch.randn(16, 16))
    return network


def measured(model, x):
    """Best cut, share of the variance (%), and groups of the test."""
    layer_map = fs.compare(fs.capture(model, [x]))
    rows, columns = np.triu_indices(len(layer_map.names), k=1)
    entries = layer_map.values[rows, columns]
    cuts = range(1, len(layer_map.names))
    across = [(rows < k) & (columns >= k) for k in cuts]
    shares = [np.corrcoef(entries, one)[0, 1] ** 2 for one in across]
    return {
        "cut": cuts[int(np.argmax(shares))],
        "share": 100 * max(shares),
        "groups": fs.partition(layer_map).n_groups,
    }


check.predicted(predicted, own_network, measured)

# %% [markdown]
# ## Where the stored results come from
#
# The clouds were stored when the encoders were trained, and compared before this page was run. We compute a part of the map again from the stored clouds. The largest difference is {glue:text}`replay:.1g`. The next cell shows the records.

# %% tags=["hide-cell"]
clouds = stored["sst2", "after"].clouds["mean"]
some = list(clouds.names[::4])
again = fs.compare(clouds.select(some), progress=False).to_frame()
gap = (again - a_map.to_frame().loc[some, some]).abs()
note(replay=float(gap.max(axis=None)))
for one in [*mapped.values(), fresh]:
    print(one.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
