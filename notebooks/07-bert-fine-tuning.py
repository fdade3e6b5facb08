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
#     data: [encoder/sst2-pretrained, encoder/sst2-dense, encoder/yelp-pretrained, encoder/yelp-dense, bert/sst2-dense, bert/yelp-dense]
# ---

# %% [markdown]
# # 07 Fine-tuning an encoder of texts
#
# The networks of the last chapters are small, and their task, adding numbers, is made up. This chapter takes a pre-trained encoder and trains it to tell friendly reviews from unfriendly ones. In which of its {term}`blocks <block>` do the texts move, and does the {term}`Gromov-Wasserstein distance` (GW) see it?
#
# ## In short
#
# The paper fine-tunes BERT-base. The distances between texts, it says, begin to change in the ninth of twelve blocks. We find nearly the same in another encoder of this size. Before {term}`fine-tuning` the distances have nearly the same distribution in every block but the last. After it the distribution changes from block {glue:text}`begins_sst2:d` on for SST-2 and from block {glue:text}`begins_yelp:d` on for Yelp. GW rises at the same blocks. But GW misses one kind of change: if the texts of a block change places, GW stays as it was. The paper also finds that the best matching of two blocks does not match each text with itself. Whether we find this too depends on how a text becomes a point.
#
# :::{glue:figure} fig_in_short_07
# :name: fig-07-in-short
# :alt: Divergence of the distance distribution of each block from that of the block before, for SST-2 and Yelp, before and after fine-tuning. Before, all steps but the last are near zero. After, both tasks rise at the steps into blocks 8 to 10.
#
# How much the distribution of distances changes from block to block, as a {term}`divergence`. The dotted line marks the block that the paper names. Before fine-tuning there is hardly any change until the last block. After it the change begins at the block that the paper names, or one earlier.
# :::
#
# :::{admonition} What you will learn
# - how a text becomes a point, and why that is a decision;
# - what fine-tuning does to the distances between texts, block by block;
# - how many neighbours of a text survive a block, against what chance would leave;
# - what the best matching of two blocks matches, and when it is the identity.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 4.1 with Figure 2, section 5.2, appendices C and D with Figures 9 and 10.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb) for the matching, [chapter 03](03-ten-measures.ipynb) for the distance.
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
import torch
from scipy.spatial.distance import pdist
from scipy.stats import binomtest, entropy, spearmanr
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from torch import nn

import funcsim as fs
from exercises import chapter_07 as check
from funcsim import viz
from funcsim.geometry import pairwise_distances
from funcsim.gromov.coupling import as_permutation, cost, from_permutation
from replication.encoder import dense, fine_tuned

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Two tasks, two moments
#
# The encoder is `all-mpnet-base-v2` {cite:p}`song2020mpnet`. It has the size of BERT-base {cite:p}`devlin2019bert`: {glue:text}`n_blocks:d` blocks of width {glue:text}`width:d`. Its architecture differs little: it also encodes the relative positions of tokens. Its history differs more. It was pre-trained with another objective than BERT, and then tuned on pairs of sentences, so that sentences of one meaning come to lie near each other. *Before fine-tuning* means after all of this training, but before ours. BERT-base itself was not run for this page.
#
# There are two tasks. SST-2 {cite:p}`socher2013recursive` has sentences from film reviews. Yelp {cite:p}`zhang2015character` has whole reviews of shops and restaurants. Both ask for one bit, positive or negative. For each task we have the encoder before fine-tuning, with a new classifier, and after it.

# %%
TASKS = {"sst2": "SST-2", "yelp": "Yelp"}
MOMENTS = {"pretrained": "before", "dense": "after"}
runs = {
    (task, moment): dense.load(f"{task}-{kind}", profile)
    for task in TASKS
    for kind, moment in MOMENTS.items()
}

# %% [markdown]
# Here is how often the classifiers are right. The 95 % {term}`interval` says how sure each accuracy is, given the number of texts.


# %% mystnb={"figure": {"name": "tab-07-accuracy", "caption": "Accuracy on validation texts in per cent, with its 95 % interval, and F1."}}
def judged(run):
    """Accuracy in per cent with the ends of its interval, and F1."""
    right = int((run.logits.argmax(axis=1) == run.labels).sum())
    ends = binomtest(right, len(run.labels)).proportion_ci(method="wilson")
    row = [100 * right / len(run.labels), 100 * ends.low, 100 * ends.high]
    return [*row, run.scores["f1"]]


table = pd.DataFrame(
    {(TASKS[t], moment): judged(run) for (t, moment), run in runs.items()},
    index=["accuracy", "from", "to", "F1"],
).T
table.round(2)

# %% tags=["remove-cell"]
tuned = runs["sst2", "after"]
clouds = tuned.clouds["mean"]
blocks = [f"block {k + 1}" for k in range(len(clouds.names))]
steps = list(range(2, len(blocks) + 1))
n_texts = clouds.n_samples

# %% tags=["remove-cell"]
note(n_blocks=len(blocks), n_texts=n_texts, width=768)
for (task, moment), run in runs.items():
    note(**{f"acc_{task}_{moment}": table.loc[(TASKS[task], moment), "accuracy"]})
    if run.history:
        note(**{f"steps_{task}": int(run.history.step[-1])})
for task in TASKS:
    training = runs[task, "after"].record.parameters["training"]
    note(**{f"batch_{task}": training["batch_size"]})

# %% [markdown]
# After fine-tuning the accuracy is {glue:text}`acc_sst2_after:.1f` % on SST-2 and {glue:text}`acc_yelp_after:.1f` % on Yelp. This took {glue:text}`steps_sst2:,d` steps on SST-2 and {glue:text}`steps_yelp:,d` on Yelp. The paper trains longer and reports 97.5 % on Yelp.
#
# Before fine-tuning the accuracy is {glue:text}`acc_sst2_before:.1f` % on SST-2 and {glue:text}`acc_yelp_before:.1f` % on Yelp. The paper has 49.3 % on Yelp and calls this chance. But this accuracy says nothing about the encoder, because the new classifier is random.
#
# ## How a text becomes a point
#
# A block outputs one vector for each token of a text. To have one point for each text we must choose. We can take the vector of the first token, {term}`[CLS]`, from which the classifier reads. Or we take the mean over all tokens. The text of the paper that we worked from does not say which of the two it took. To see what the choice does, we take the {term}`normalised` GW distance of each block to the block before.


# %%
def gw_steps(run, pooling="mean"):
    """GW distance of each block to the block before."""
    x = run.clouds[pooling]
    return [fs.gw(x[a], x[b]).distance for a, b in pairwise(x.names)]


# %% [markdown]
# The figure has this distance for both choices, before fine-tuning.

# %% tags=["hide-input"] mystnb={"image": {"alt": "GW distance from block to block before fine-tuning, on a logarithmic axis. Mean over tokens: all steps near 0.04 on both tasks. [CLS]: between 0.1 and 0.4 on SST-2, and above 1 for the last blocks on Yelp."}, "figure": {"name": "fig-07-pooling", "caption": "GW distance of each block to the block before, before fine-tuning. In the mean over tokens all steps are small and even. At [CLS] they are several times as large and uneven. On Yelp the last steps are above 1. After normalising, the mean distance between two texts is 1 in every block."}}
words = {"mean": "mean over tokens", "cls": "[CLS]"}
by_pooling = {
    f"{TASKS[task]}, {word}": gw_steps(runs[task, "before"], pooling)
    for task in TASKS
    for pooling, word in words.items()
}
viz.curves(
    by_pooling,
    x=steps,
    xlabel="step into block",
    ylabel="GW distance to the block before",
    yscale="log",
)

# %% tags=["remove-cell"]
before = runs["yelp", "before"].clouds["cls"]
place = -3 if len(before.names) > 3 else -1
D = pairwise_distances(before[before.names[place]])
far = np.sort(D.mean(axis=1))[::-1] / np.median(D.mean(axis=1))
jump = int(np.argmax(far[:-1] / far[1:])) + 1

# %% tags=["remove-cell"]
note(n_far=jump, far_factor=far[jump - 1], far_block=len(blocks) + 1 + place)
note(yelp_cls_worst=max(by_pooling["Yelp, [CLS]"]))
note(mean_high=max(max(v) for k, v in by_pooling.items() if "mean" in k))
low_cls = by_pooling["SST-2, [CLS]"]
note(cls_low=min(low_cls), cls_high=max(low_cls))

# %% [markdown]
# In the mean over tokens no step is above {glue:text}`mean_high:.2f`. At [CLS] the steps lie between {glue:text}`cls_low:.2f` and {glue:text}`cls_high:.2f` on SST-2. On Yelp a few texts rule the picture. We compare the mean distance of a text from all others with that of the median text. In block {glue:text}`far_block:d` there are {glue:text}`n_far:d` texts whose mean distance is at least {glue:text}`far_factor:.0f` times that of the median text. So a map at [CLS] may show first of all what this one token does in a few texts.
#
# MPNet was tuned with the mean over tokens. So this chapter uses this mean from here on, and adds [CLS] where its result is different.
#
# ## How far apart are the texts?
#
# For each block we take the distances between all pairs of texts. Their mean is the {term}`scale` of the block.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Mean distance between texts in each block, before and after fine-tuning. The lines agree until block 7. After fine-tuning the scale grows by more than a half from block 9 to block 11, and falls again in the last."}, "figure": {"name": "fig-07-scale", "caption": "The scale of each block: the mean distance between two texts. Fine-tuning leaves the first blocks as they are. It moves the texts apart in the last third."}}
distances = {
    key: [pdist(x) for x in run.clouds["mean"].values()]
    for key, run in runs.items()
}
labels = {key: f"{TASKS[key[0]]}, {key[1]}" for key in runs}
scales = {
    labels[key]: [d.mean() for d in rows]  # one mean for each block
    for key, rows in distances.items()
}
viz.curves(scales, xlabel="block", ylabel="mean distance between texts")

# %% tags=["remove-cell"]
for task in TASKS:
    after, before = (scales[labels[task, m]] for m in ("after", "before"))
    ratio = np.divide(after, before)
    note(
        **{
            f"grown_{task}": ratio.max(),
            f"grown_at_{task}": int(ratio.argmax()) + 1,
        }
    )

# %% [markdown]
# Fine-tuning moves the texts apart in the last third of the blocks. On SST-2 the scale grows most in block {glue:text}`grown_at_sst2:d`, to {glue:text}`grown_sst2:.1f` times what it was. On Yelp it grows most in block {glue:text}`grown_at_yelp:d`, to {glue:text}`grown_yelp:.1f` times.
#
# A growth of scale is not yet a change of shape. So we divide each block's distances by their mean and look at the shape of their distribution, as in the paper's Figure 2. First SST-2.


# %% tags=["paper-F02", "hide-input"] mystnb={"image": {"alt": "Distributions of the normalised distances between texts in twelve blocks, before and after fine-tuning on SST-2. One hump in the first seven blocks, the same before and after. From block 8 on the hump after fine-tuning widens and splits in two."}, "figure": {"name": "fig-07-sst2", "caption": "Distances between texts of SST-2 in each block, in units of their mean. Up to block 7 fine-tuning changes hardly anything. From there on it splits the texts into two camps: distances within a camp are short, distances between them long."}}
def in_units_of_mean(task):
    """Normalised distances, by moment and block."""
    return {
        moment: {b: d / d.mean() for b, d in zip(blocks, rows, strict=True)}
        for (t, moment), rows in distances.items()
        if t == task
    }


unit = "distance between two texts (mean of the block = 1)"
viz.ridges(in_units_of_mean("sst2"), xlabel=unit)

# %% [markdown]
# Then Yelp.

# %% tags=["paper-F02", "hide-input"] mystnb={"image": {"alt": "The same for Yelp: one hump in all blocks before fine-tuning; after it, a wide hump from block 8 and two humps from block 9 on."}, "figure": {"name": "fig-07-yelp", "caption": "The same for Yelp. The two camps appear in the same third of the blocks."}}
viz.ridges(in_units_of_mean("yelp"), xlabel=unit)

# %% [markdown]
# Now we put a number on these pictures. It is the Kullback-Leibler {term}`divergence`, in {term}`nats`, of each block's histogram from that of the block before. {numref}`fig-07-in-short` draws it.


# %%
def divergence(p, q, bins=40):
    """KL divergence of histogram `p` from `q`, in nats; no bin is empty."""
    edges = np.histogram_bin_edges(np.concatenate([p, q]), bins)
    p, q = (np.histogram(x, edges)[0] + 0.5 for x in (p, q))
    return entropy(p, q)


# %% tags=["remove-cell"]
def changes(clouds, rows=slice(None)):
    """Divergence of each block from the one before, on some of the texts."""
    apart = [pdist(x[rows]) for x in clouds.values()]
    apart = [d / d.mean() for d in apart]
    return np.array([divergence(b, a) for a, b in pairwise(apart)])


# %% tags=["remove-cell"]
def beginning(task, rows=slice(None)):
    """Index of the first step above all those before fine-tuning."""
    before, after = (
        changes(runs[task, m].clouds["mean"], rows) for m in ("before", "after")
    )
    above = np.flatnonzero(after > before.max())
    return int(above[0]) if len(above) else len(after) - 1


# %% tags=["remove-cell"]
def on_halves(task, n=20):
    """The same on random halves of the texts, as blocks."""
    rng = np.random.default_rng(seed)
    rows = (rng.permutation(n_texts)[: n_texts // 2] for _ in range(n))
    return [steps[beginning(task, half)] for half in rows]


# %% tags=["remove-cell"]
kl = {key: changes(run.clouds["mean"]) for key, run in runs.items()}
drawn = viz.curves(
    {labels[key]: values for key, values in kl.items()},
    x=steps,
    xlabel="step into block",
    ylabel="KL divergence (nats)",
)
NAMED = 9  # of twelve, by the paper
if len(blocks) >= NAMED:
    drawn.axes[0].axvline(NAMED, color=viz.GREY, lw=1, ls=":")
keep_figure("fig_in_short_07", drawn)

# %% tags=["remove-cell"]
note(kl_before=max(kl[task, "before"][:-1].max() for task in TASKS))
for task in TASKS:
    values = kl[task, "after"]
    first, halves = beginning(task), on_halves(task)
    low, high = min(halves), max(halves)
    span = f"at block {low}" if low == high else f"between blocks {low} and {high}"
    note(**{f"range_{task}": span})
    note(**{f"begins_{task}": steps[first], f"at_begin_{task}": values[first]})
    note(**{f"largest_{task}": steps[int(values.argmax())]})
    note(**{f"kl_{task}": values.max()})
    note(**{f"early_{task}": values[:first].max(initial=0.0)})

# %% [markdown]
# Before fine-tuning no step but the last has more than {glue:text}`kl_before:.2f` nats. We say that the change begins at the first step that is larger than every step of the encoder before fine-tuning. On SST-2 this is block {glue:text}`begins_sst2:d`, with {glue:text}`at_begin_sst2:.2f` nats. On Yelp it is block {glue:text}`begins_yelp:d`, with {glue:text}`at_begin_yelp:.2f` nats. On 20 random halves of the texts the beginning stays {glue:text}`range_sst2` on SST-2 and {glue:text}`range_yelp` on Yelp. The largest step leads into block {glue:text}`largest_sst2:d` on SST-2 and into block {glue:text}`largest_yelp:d` on Yelp.
#
# In the paper the change in BERT-base begins at block 9. Ours begins there or one block earlier, so we agree. The paper says that GW is in line with this change. Is it?

# %%
gw = {key: np.array(gw_steps(run)) for key, run in runs.items()}

# %% [markdown]
# The next figure draws the GW distance of each block to the block before.

# %% tags=["hide-input"] mystnb={"image": {"alt": "GW distance from block to block for SST-2 and Yelp, before and after fine-tuning. Before, all steps are near 0.04 with a slow rise at the end. After, the steps into blocks 8 to 10 rise to about 0.15 on both tasks."}, "figure": {"name": "fig-07-gw", "caption": "GW distance of each block to the block before. It rises where the divergence of {numref}`fig-07-in-short` rises. The dotted line marks the block that the paper names."}}
drawn = viz.curves(
    {labels[key]: values for key, values in gw.items()},
    x=steps,
    xlabel="step into block",
    ylabel="GW distance to the block before",
)
if len(blocks) >= NAMED:
    drawn.axes[0].axvline(NAMED, color=viz.GREY, lw=1, ls=":")
drawn

# %% tags=["remove-cell"]
every_kl, every_gw = (np.concatenate([*x.values()]) for x in (kl, gw))
note(kl_gw=spearmanr(every_kl, every_gw).statistic, n_steps=len(every_gw))
came = np.concatenate([gw[task, "before"] for task in TASKS])
note(came_low=came.min(), came_high=came.max())

# %% [markdown]
# GW and the divergence go together. Over all {glue:text}`n_steps:d` steps, of both tasks before and after fine-tuning, they have a {term}`rank correlation` of {glue:text}`kl_gw:.2f`. So a histogram of distances orders the steps much as GW does, and it needs no matching. Whether the rise is a {term}`boundary` between two {term}`groups <group>` is the question of [chapter 08](08-bert-subnetworks.ipynb).
#
# ## Who is whose neighbour?
#
# The distribution of distances does not tell *which* texts are near each other. The paper shows neighbours with {term}`t-SNE` {cite:p}`maaten2008tsne` on 16 texts. This method lays points out in a plane so that near ones stay near. Here are 16 texts of Yelp after fine-tuning.

# %% tags=["paper-F09", "hide-input"] mystnb={"image": {"alt": "Sixteen reviews projected by t-SNE in six of twelve blocks of the encoder fine-tuned on Yelp. In the first blocks positive and negative ones are mixed, in the last they lie apart."}, "figure": {"name": "fig-07-tsne", "caption": "The same 16 reviews in six of the blocks, after fine-tuning. Circles are positive, triangles negative. In the last blocks the classes lie apart, but within a class the texts still change places."}}
yelp = runs["yelp", "after"]
small = yelp.clouds["mean"].head(16)
kinds = yelp.labels[yelp.rows[: small.n_samples]]
shown = np.linspace(0, len(blocks) - 1, min(6, len(blocks))).astype(int)
flat = {
    blocks[k]: TSNE(perplexity=4, random_state=seed).fit_transform(x)
    for k, x in enumerate(small.values())
    if k in shown
}
viz.panels(flat, kinds, numbered=True)

# %% [markdown]
# Do the neighbours change, or does the projection? We count. For each text we take its ten nearest texts in one block and in the next. The overlap is the number of texts in both lists, divided by the number in at least one of them (the Jaccard index).


# %%
def neighbours(x, k):
    """The `k` nearest others of each sample, as a boolean matrix (n, n)."""
    graph = NearestNeighbors(n_neighbors=k).fit(x).kneighbors_graph()
    return graph.toarray().astype(bool)


def overlap(x, y, k=10):
    """Mean Jaccard index of each sample's `k` neighbours in two clouds."""
    a, b = neighbours(x, k), neighbours(y, k)
    return float(((a & b).sum(axis=1) / (a | b).sum(axis=1)).mean())


# %% [markdown]
# The next figure shows the overlap for every step. The dotted line is chance, the overlap of two clouds that have nothing to do with each other.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Overlap of ten neighbours from block to block: between 0.35 and 0.66 on both tasks, before and after fine-tuning; chance is near 0.03."}, "figure": {"name": "fig-07-overlap", "caption": "Overlap of a text's ten neighbours in one block with its ten neighbours in the next. Before and after fine-tuning every step keeps far more than chance, and none keeps all."}}
k = min(10, n_texts // 4)
kept = {}
for key, run in runs.items():
    x = run.clouds["mean"]
    kept[key] = [overlap(x[a], x[b], k) for a, b in pairwise(x.names)]
drawn = viz.curves(
    {labels[key]: values for key, values in kept.items()},
    x=steps,
    xlabel="step into block",
    ylabel="overlap of neighbourhoods",
)
rng = np.random.default_rng(seed)
chance = overlap(*rng.normal(size=(2, n_texts, 8)), k)
drawn.axes[0].axhline(chance, color=viz.GREY, ls=":")
drawn.axes[0].set_ylim(0, 1)
drawn

# %% tags=["remove-cell"]
every = np.concatenate([*kept.values()])
note(chance_overlap=chance, kept_low=every.min(), kept_high=every.max())
note(overlap_gw=spearmanr(every, every_gw).statistic)

# %% [markdown]
# From one block to the next the mean overlap lies between {glue:text}`kept_low:.2f` and {glue:text}`kept_high:.2f`. By chance it would be {glue:text}`chance_overlap:.2f`. So neighbourhoods change, as the paper says, and they change little by little.
#
# Does GW account for this change? The rank correlation of the overlap with GW is {glue:text}`overlap_gw:.2f`: where the shape changes more, more neighbours change. But GW does not see the neighbours themselves. We shuffle the texts of the last block, so that each text gets the neighbours of another.

# %% mystnb={"figure": {"name": "tab-07-shuffled", "caption": "The last two blocks on Yelp after fine-tuning: the overlap of neighbourhoods and the GW distance, as they are and with the texts of the last block shuffled."}}
x = yelp.clouds["mean"]
last, final = (x[name] for name in x.names[-2:])
mixed = final[np.random.default_rng(seed).permutation(len(final))]
pd.DataFrame(
    {
        "overlap": [overlap(last, y, k) for y in (final, mixed)],
        "GW": [fs.gw(last, y).distance for y in (final, mixed)],
    },
    index=["as it is", "shuffled"],
).round(3)

# %% tags=["remove-cell"]
note(overlap_true=overlap(last, final, k), overlap_shuffled=overlap(last, mixed, k))
note(gw_kept=fs.gw(last, final).distance, gw_shuffled=fs.gw(last, mixed).distance)

# %% [markdown]
# The overlap falls from {glue:text}`overlap_true:.2f` to {glue:text}`overlap_shuffled:.2f`, which is chance. GW stays at {glue:text}`gw_shuffled:.3f` (it was {glue:text}`gw_kept:.3f`). It must: GW does not ask which text is which. It sees whether two blocks have neighbourhoods of different shapes, but not whose they are.
#
# ## What the matching matches
#
# GW asks for the best of all ways to match the texts of one block with those of the next. We know the true one: each text with itself. The paper draws the best matchings of 16 texts for five pairs of layers (Figure 10). They are permutations, and not the identity. Here are five of ours. The search also tries each text with itself as a first guess. This would give the answer away, so we shuffle the texts of the second block first.


# %% tags=["wide", "paper-F10", "hide-input"] mystnb={"image": {"alt": "Best matchings of sixteen reviews from one block to the next, for five steps. In the mean over tokens nearly all points lie on the diagonal."}, "figure": {"name": "fig-07-plans", "caption": "The best matching of 16 texts of Yelp for five steps, after fine-tuning, in the mean over tokens. A point on the diagonal is a text that is matched with itself. Nearly all are."}}
def permutation(x, a, b):
    """The partner of each text; the search does not know their order."""
    order = np.random.default_rng(seed).permutation(x.n_samples)
    return order[as_permutation(fs.gw(x[a], x[b][order]).plan)]


pairs = list(pairwise(small.names))
chosen = np.linspace(0, len(pairs) - 1, min(5, len(pairs))).astype(int)
here = np.arange(small.n_samples)
matchings = {
    f"into block {steps[k]}": permutation(small, *pairs[k]) for k in chosen
}
points = {s: np.column_stack([here, p]) + 1 for s, p in matchings.items()}
viz.panels(points, kinds, xlabel="text", ylabel="matched with")

# %% [markdown]
# The matchings are permutations, as in the paper. They could hardly be anything else. With equally many texts and Euclidean distances, one of the best matchings is always a permutation ([chapter 02](02-gromov-wasserstein.ipynb)). And our search returns nothing else. But nearly all texts are matched with themselves. The next figure shows how often this is so, for {glue:text}`n_texts:d` texts and for both ways to make a point.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Share of texts matched with themselves from block to block after fine-tuning. In the mean over tokens it is above 90 % up to block 7 on both tasks, except for one step on SST-2: 8 % into block 2. Later it is between 28 and 96 %. At [CLS] it is below 30 % everywhere."}, "figure": {"name": "fig-07-itself", "caption": "How many of the texts the best matching matches with themselves, after fine-tuning. In the mean over tokens these are nearly all texts up to block 7, except at one step on SST-2. Later they are fewer, and at [CLS] they are few at every step. By chance it would be one text."}}
found = {
    (task, pooling): [
        permutation(runs[task, "after"].clouds[pooling], a, b)
        for a, b in pairwise(runs[task, "after"].clouds[pooling].names)
    ]
    for task in TASKS
    for pooling in ("mean", "cls")
}
itself = {
    f"{TASKS[task]}, {words[pooling]}": [
        100 * float((p == np.arange(len(p))).mean()) for p in rows
    ]
    for (task, pooling), rows in found.items()
}
viz.curves(
    itself,
    x=steps,
    xlabel="step into block",
    ylabel="matched with itself (%)",
)


# %% tags=["remove-cell"]
def paid(A, B, match):
    """Root of what a matching costs: the GW distance, if it is the best."""
    return np.sqrt(cost(A, B, from_permutation(match)))


# %% tags=["remove-cell"]
gains = []
for (task, pooling), rows in found.items():
    run = runs[task, "after"]
    x, kind = run.clouds[pooling], run.labels[run.rows]
    for (a, b), p in zip(pairwise(x.names), rows, strict=True):
        A, B = (pairwise_distances(x[name]) for name in (a, b))
        A, B = A / A.mean(), B / B.mean()
        below = 100 * (1 - paid(A, B, p) / paid(A, B, np.arange(len(p))))
        other = p != np.arange(len(p))
        own = 100 * (kind[p] == kind)[other].mean() if other.any() else np.nan
        gains.append((task, pooling, below, own))
gains = pd.DataFrame(gains, columns=["task", "pooling", "below", "class"])

# %% tags=["remove-cell"]
by = gains.groupby("pooling")["below"].median()
note(below_mean=abs(by["mean"]), below_cls=by["cls"], chance_itself=100 / n_texts)
for pooling in words:
    rows = [v for k, v in itself.items() if words[pooling] in k]
    note(**{f"itself_{pooling}": float(np.median(np.concatenate(rows)))})
note(itself_least=min(min(v) for k, v in itself.items() if "mean" in k))
at_16 = np.concatenate([p == np.arange(len(p)) for p in matchings.values()])
note(itself_16=100 * at_16.mean(), n_plans=len(matchings), few=small.n_samples)
mean = gains[gains.pooling == "mean"]
late = [mean[mean.task == t]["class"].iloc[beginning(t) :] for t in TASKS]
note(class_least=np.nanmin(np.concatenate(late)))
note(worst_above=max(0.0, -mean["below"].min()))

# %% [markdown]
# In the mean over tokens the median step matches {glue:text}`itself_mean:.0f` % of the texts with themselves. The worst step matches {glue:text}`itself_least:.0f` %. At one step the distance found is {glue:text}`worst_above:.0f` % above that of the identity. There the identity is the better matching, and the search has missed it. In the median over the steps the two distances differ by {glue:text}`below_mean:.1f` %. So in the mean over tokens GW finds most of the true correspondence from the two shapes alone. At [CLS] the median step matches {glue:text}`itself_cls:.0f` % of the texts with themselves. The distance found is {glue:text}`below_cls:.0f` % below that of the identity. So at [CLS] the best matching that we find is not the identity, as in the paper.
#
# In the mean over tokens, too, some texts are matched with another text. From the block where the change begins, each step matches at least {glue:text}`class_least:.0f` % of these with a text of their own class. So the matching shows the two camps, too. But here we know the correspondence, and searching for it gains little. The search is needed where the correspondence is unknown.
#
# ## The same on six blocks
#
# The first edition of this page used `all-MiniLM-L6-v2` {cite:p}`wang2020minilm`, with six blocks of width 384. It was distilled from a larger encoder, and then tuned on pairs of sentences, too. Here are the same numbers for both encoders, in the mean over tokens and after fine-tuning.


# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-07-two", "caption": "Two encoders after fine-tuning, in the mean over tokens, on 100 texts. The largest step is that of the divergence, in nats. The share of texts matched with themselves is the median over the steps."}}
def summary(x):
    """The numbers of this chapter for the blocks of one encoder."""
    apart = [pdist(layer) for layer in x.values()]
    apart = [d / d.mean() for d in apart]
    change = [divergence(b, a) for a, b in pairwise(apart)]
    steps, itself = list(pairwise(x.names)), np.arange(x.n_samples)
    near = [overlap(x[a], x[b], k) for a, b in steps]
    same = [(permutation(x, a, b) == itself).mean() for a, b in steps]
    return {
        "blocks": len(x.names),
        "largest step into": int(np.argmax(change)) + 2,
        "nats": max(change),
        "overlap, least": min(near),
        "overlap, largest": max(near),
        "with itself (%)": 100 * float(np.median(same)),
    }


two = {}
for task, title in TASKS.items():
    mpnet = runs[task, "after"].clouds["mean"]
    minilm = fine_tuned.load(f"{task}-dense", profile).reps["mean"]
    two[title, "MPNet"] = summary(mpnet.head(100))
    two[title, "MiniLM"] = summary(minilm.head(100))
two = pd.DataFrame(two).T
two.round(2).astype({"blocks": int, "largest step into": int})

# %% tags=["remove-cell"]
for (title, name), row in two.iterrows():
    key = f"{name.lower()}_{title.lower().replace('-', '')}"
    note(**{f"step_{key}": int(row["largest step into"])})

# %% [markdown]
# In MiniLM the largest step leads into block {glue:text}`step_minilm_sst2:d` on SST-2 and into block {glue:text}`step_minilm_yelp:d` on Yelp. In MPNet it leads into blocks {glue:text}`step_mpnet_sst2:d` and {glue:text}`step_mpnet_yelp:d`. In both encoders it lies in the second half of the network.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C07: the distributions of distances begin to differ from block 9 of 12 on (4.1, Figure 2) | ours | agrees on an encoder of the same depth | the change begins at block {glue:text}`begins_sst2:d` on SST-2 and at block {glue:text}`begins_yelp:d` on Yelp; the steps before it have at most {glue:text}`early_sst2:.2f` and {glue:text}`early_yelp:.2f` nats, the later ones up to {glue:text}`kl_sst2:.2f` and {glue:text}`kl_yelp:.2f` |
# | C07: that is in line with GW | ours | agrees | rank correlation {glue:text}`kl_gw:.2f` over {glue:text}`n_steps:d` steps |
# | C08: neighbourhoods of samples change across layers (4.1, D, Figure 9) | ours | agrees | overlap {glue:text}`kept_low:.2f` to {glue:text}`kept_high:.2f` per step, by chance {glue:text}`chance_overlap:.2f`; before fine-tuning as well |
# | C08: GW accounts for such changes | paper | disagrees, by its definition: it does not ask which text is which | GW of shuffled texts is {glue:text}`gw_shuffled:.3f` instead of {glue:text}`gw_kept:.3f`, while the overlap falls to chance |
# | C18: the pre-trained encoder shows no major differences among layers (5.2), each block divided by its mean distance | ours | agrees in the mean over tokens; at [CLS] the steps are uneven | a step has a GW distance of {glue:text}`came_low:.2f` to {glue:text}`came_high:.2f` in the mean over tokens, and of {glue:text}`cls_low:.2f` to {glue:text}`cls_high:.2f` at [CLS] on SST-2 |
# | C18: its accuracy is at chance | ours | agrees, and tells little: the classifier is random | {glue:text}`acc_sst2_before:.1f` % on SST-2, {glue:text}`acc_yelp_before:.1f` % on Yelp |
# | C25: the optimal plan is a permutation (D, Figure 10) | ours | agrees, as it must here | our search looks at nothing else |
# | C25: it is not the identity | ours | undecided: it depends on how a text becomes a point, and the text of the paper that we worked from does not say how | matched with themselves: {glue:text}`itself_mean:.0f` % in the mean over tokens, {glue:text}`itself_cls:.0f` % at [CLS], by chance {glue:text}`chance_itself:.1f` % |
# | D08: a change of neighbours needs a number | - | answered: here is one | overlap {glue:text}`kept_low:.2f` to {glue:text}`kept_high:.2f` from block to block, by chance {glue:text}`chance_overlap:.2f` |
# | D03: the correspondence is known | - | justified: in the mean over tokens the search finds most of it again, and gains little; at [CLS] it does not find it, and another order of the texts gives a smaller distance | distance within {glue:text}`below_mean:.1f` % of the identity's in the mean over tokens, {glue:text}`below_cls:.0f` % below it at [CLS] (medians) |
#
# This is one encoder with one seed for each task. BERT-base was not run. With a GPU and access to the internet, this command repeats everything with BERT-base:
#
# ```
# make experiments ONLY=encoder ENCODER=bert-base FUNCSIM_HUB=1 DEVICE=cuda
# ```
#
# **Before you say that a layer has changed**: say how a sample became a point, and whether samples may change places. GW does not see it when they do. The overlap of neighbours does.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. The distance of two layers under GW stays the same when the texts of one are shuffled. What does that say about neighbours?**
#
# <details><summary>a. Neighbours are kept.</summary>No: shuffling destroys them, and GW does not notice.</details>
# <details><summary>b. GW cannot be used to show that neighbours are kept.</summary>Right: a measure that is blind to a change cannot vouch for its absence.</details>
# <details><summary>c. Texts have no neighbours.</summary>No: from block to block they keep far more of them than chance would.</details>
#
# To read again: [Who is whose neighbour?](#who-is-whose-neighbour)
#
# **2. A pre-trained encoder with a fresh classifier is right in about half of the cases. What does it tell about its layers?**
#
# <details><summary>a. They hold nothing about the task.</summary>No: the classifier is random, whatever the layers hold.</details>
# <details><summary>b. Little: a classifier that was not trained guesses.</summary>Right: a readout that is fitted tells what the layers hold.</details>
# <details><summary>c. They are all alike.</summary>No: accuracy at the end says nothing about distances between layers.</details>
#
# To read again: [Two tasks, two moments](#two-tasks-two-moments)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} A text as one point
# :label: ex-07-pool
#
# *Difficulty 1 of 4, importance 5 of 5, 5 minutes.* Write `pool_mean(states, mask)`: for states (n, tokens, d) and a mask (n, tokens) of ones for real tokens and zeros for padding, the mean over the real tokens of every text, (n, d).
#
# ```{dropdown} Hint 1
# Multiply before you add, and think about what to divide by.
# ```
# ```{dropdown} Hint 2
# `mask[..., None]` has the shape (n, tokens, 1), and `mask.sum(axis=1)` is how many tokens each text has.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def pool_mean(states, mask):
    """Means (n, d) over the real tokens of n texts."""
    real = mask[..., None].astype(float)
    return (states * real).sum(axis=1) / real.sum(axis=1)


check.pool_mean(pool_mean)

# %% [markdown]
# :::{exercise} How sure is an accuracy?
# :label: ex-07-margin
#
# *Difficulty 2 of 4, importance 5 of 5, 5 minutes.* Write `margin(accuracy, n)`: half the width of the 95 % interval of an accuracy that was measured on `n` texts, by the normal approximation.
#
# ```{dropdown} Hint 1
# One answer is right or wrong; its variance is $p (1 - p)$.
# ```
# ```{dropdown} Hint 2
# The mean of $n$ answers has an $n$-th of that variance. Its root, times 1.96.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def margin(accuracy, n):
    """Half the width of a 95 % interval of an accuracy on n texts."""
    return 1.96 * np.sqrt(accuracy * (1 - accuracy) / n)


check.margin(margin)

# %% [markdown]
# :::{exercise} From batches to clouds
# :label: ex-07-clouds
#
# *Difficulty 4 of 4, importance 5 of 5, 30 minutes.* Texts come in batches, each padded to its own longest text. Write `clouds(model, batches)`: `model` is an `nn.Sequential` whose modules take states (n, tokens, d) and treat each token by itself; a batch is a pair of states and mask, two tensors. Return a dictionary from the name of each module to an array (all texts, features): the mean of its output over the real tokens of each text, in the order in which the texts come. What you do must leave no trace in the model.
#
# ```{dropdown} Hint 1
# `for name, module in model.named_children()` runs a model step by step. Which modules behave otherwise in training, and which write over their input?
# ```
# ```{dropdown} Hint 2
# `model.eval()` within `torch.no_grad()`, and at the end `model.train(before)` with what `model.training` was. Pool an output before the next module gets it, and join the batches of each module with `np.concatenate`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def clouds(model, batches):
    """Mean over real tokens of each module's output, by name."""
    found = {name: [] for name, _ in model.named_children()}
    before = model.training
    model.eval()
    with torch.no_grad():
        for states, mask in batches:
            real = mask[..., None].to(states.dtype)
            states = states.clone()  # a module may write over it
            for name, module in model.named_children():
                states = module(states)
                pooled = (states * real).sum(1) / real.sum(1)
                found[name].append(pooled.numpy())
    model.train(before)
    return {name: np.concatenate(rows) for name, rows in found.items()}


check.clouds(clouds)

# %% [markdown]
# :::{exercise} Predict who finds itself
# :label: ex-07-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 25 minutes.* Build a network of 3 to 8 modules for states (n, tokens, 16), as `own_network()`, an `nn.Sequential`. It is not trained, and at least one module should mix the tokens. Take the output of the first module and that of the last, and match them under GW. How many of the inputs does the best matching match with themselves, in the mean over tokens, and at the first token? Write into `predicted()` a dictionary with `"mean"` and `"cls"`, each a pair of numbers at most 20 apart, in per cent. Only then write `itself(model, states)`, which returns the two shares. Its search must not know the order of the inputs. Then compare, and ask what the same number means in a trained encoder.
#
# ```{dropdown} Hint 1
# `fs.capture` takes `pool="mean"` or `pool="cls"`, and `layers=`, a list of names. The partner of each input is the largest entry of its row in `fs.gw(x, y).plan`.
# ```
# ```{dropdown} Hint 2
# The search tries each input with itself as a first guess. Shuffle the inputs of the last module, match, and undo the shuffle in the partners. Under [What the matching matches](#what-the-matching-matches) this is done.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Shares of inputs (%) that are matched with themselves."""
    return {"mean": (60, 80), "cls": (20, 40)}


def own_network():
    """A network of 3 to 8 modules."""
    made = [nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)]
    made += [nn.Linear(16, 16), nn.Tanh()]
    return nn.Sequential(*made)


def itself(model, states):
    """Share (%) by pooling, between the first module and the last."""
    found, ends = {}, ("0", str(len(model) - 1))
    for pool in ("mean", "cls"):
        x, y = fs.capture(model, [states], layers=ends, pool=pool).values()
        order = np.random.default_rng(0).permutation(len(x))
        partner = order[fs.gw(x, y[order]).plan.argmax(axis=1)]
        found[pool] = 100 * (partner == np.arange(len(x))).mean()
    return found


check.predicted(predicted, own_network, itself)

# %% [markdown]
# ## Where the stored results come from
#
# The encoders were fine-tuned, and their clouds stored, before this page was run. All distances above are computed here, from the stored clouds. The next cell shows the records.

# %% tags=["hide-cell"]
for run in runs.values():
    print(run.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
