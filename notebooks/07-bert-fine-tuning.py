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
#     data: [bert/sst2-pretrained, bert/sst2-dense, bert/yelp-pretrained, bert/yelp-dense]
# ---

# %% [markdown]
# # 07 Fine-tuning a BERT
#
# Networks that add are small and made up. This chapter takes a pre-trained text encoder and
# teaches it to tell friendly reviews from unfriendly ones. What does that do to the clouds of
# points that its blocks make of the texts? The paper looks at three pictures: how far apart
# the texts are in each block, who is whose neighbour, and which text the Gromov-Wasserstein
# plan matches with which. We draw all three and put a number under each.
#
# **What is smaller here.** The paper fine-tunes BERT-base {cite:p}`devlin2019bert`, twelve blocks of
# width 768. It was *not* run for this page. We use `all-MiniLM-L6-v2`, and train it for {glue:text}`steps_sst2:,d` steps on SST-2
# and {glue:text}`steps_yelp:,d` on Yelp. It has the architecture of BERT, with six blocks of width 384, but it is another encoder, with another history: it was
# distilled from a larger one {cite:p}`wang2020minilm`, and then tuned contrastively, on pairs of sentences, so that sentences of one meaning come to lie near each other. What is called *pre-trained* or *as it came* in chapters 07 to 11
# has had all of this, and BERT-base has not. For short it is called MiniLM below. "The last third of twelve blocks" is two blocks here. With a GPU
# and a network, this repeats everything with BERT-base:
#
# ```
# make experiments ONLY=bert ENCODER=bert-base FUNCSIM_HUB=1 DEVICE=cuda
# ```
#
# :::{admonition} What you will learn
# - how a text becomes a point, and why that takes a decision about pooling;
# - what fine-tuning does to the distances between texts, block by block;
# - how much of a neighbourhood survives a block, against what chance would leave;
# - what the optimal plan matches, if not each text with itself.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 4.1 with Figure 2, section 5.2, appendices C and D with Figures 9 and 10.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb) for the plan, [chapter 03](03-ten-measures.ipynb) for the distance.
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
from scipy.spatial.distance import pdist
from scipy.stats import binomtest, entropy, spearmanr
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_07 as check
from funcsim import viz
from funcsim.geometry import pairwise_distances
from funcsim.gromov.coupling import as_permutation, cost, from_permutation
from replication.encoder import fine_tuned

# %% [markdown]
# ## Two tasks, two moments
#
# SST-2 {cite:p}`socher2013recursive` has sentences from film reviews, Yelp polarity {cite:p}`zhang2015character` whole reviews of
# shops and restaurants; both ask for one bit, positive or negative. The Yelp texts are not the original set but
# a smaller one drawn by the same rule from public collections. For each
# task there are two runs: the encoder *as it came*, with a new classifier on top, and *fine-tuned*, with
# AdamW, no weight decay, a learning rate that falls from 0.00005 to nothing, and the word embeddings kept as they were. The
# runs are stored, with their records; the texts are not, because their terms do not allow it.

# %%
TASKS = {"sst2": "SST-2", "yelp": "Yelp"}
runs = {
    (task, how): fine_tuned.load(f"{task}-{how}", profile)
    for task in TASKS
    for how in ("pretrained", "dense")
}
for run in runs.values():
    print(run.origin)

# %% [markdown]
# Is what is stored what this code computes? The next cell compares the blocks again, on the first
# texts, and subtracts the stored map.

# %%
tuned = runs["sst2", "dense"]
stored = tuned.maps["cls/mean/gw"]
again = fs.compare(tuned.reps["cls"].head(stored.n_samples), progress=False)
note(replay=float(np.abs(again.values - stored.values).max()))
note(n_blocks=len(stored.names), width=tuned.reps["cls"][stored.names[0]].shape[1])
for task in TASKS:
    note(**{f"steps_{task}": int(runs[task, "dense"].history.step[-1])})

# %% [markdown]
# The largest difference is {glue:text}`replay:.2g`; what is stored has only 16 bits per number, and the search has become better since.
#
# ## Before and after
#
# Accuracy on all validation texts, with the 95 % interval that their number allows.


# %%
def judged(run):
    """Accuracy in per cent with the ends of its interval, and F1."""
    right = int((run.logits.argmax(axis=1) == run.labels).sum())
    ends = binomtest(right, len(run.labels)).proportion_ci(method="wilson")
    percent = 100 * np.array([right / len(run.labels), *ends])
    names = ("accuracy (%)", "from", "to")
    return dict(zip(names, percent, strict=True)) | {"F1": run.scores["f1"]}


# %% [markdown]
# SST-2 has {glue:text}`n_sst2:,d` validation texts, Yelp {glue:text}`n_yelp:,d`:

# %%
table = pd.DataFrame({key: judged(run) for key, run in runs.items()}).T
for task, how in runs:
    note(**{f"acc_{task}_{how}": table.loc[(task, how), "accuracy (%)"]})
note(low_yelp=table.loc[("yelp", "pretrained"), "from"])
note(high_yelp=table.loc[("yelp", "pretrained"), "to"])
note(n_sst2=len(tuned.labels), n_yelp=len(runs["yelp", "dense"].labels))
table.rename(TASKS).round(2)

# %% [markdown]
# Fine-tuned it has {glue:text}`acc_sst2_dense:.1f` % on SST-2 and {glue:text}`acc_yelp_dense:.1f` % on Yelp. As it came, with a random classifier,
# it has {glue:text}`acc_sst2_pretrained:.1f` % and {glue:text}`acc_yelp_pretrained:.1f` %; the paper reports 49.3 % on Yelp for BERT-base. That is called chance, but the
# interval on Yelp, from {glue:text}`low_yelp:.1f` to {glue:text}`high_yelp:.1f` %, has no 50 in it. Is something known already? A thousand other random classifiers, each a
# random direction through the middle of the last block's cloud, tell how far luck goes.

# %%
untuned = runs["yelp", "pretrained"]
cloud = list(untuned.reps["cls"].values())[-1]
directions = np.random.default_rng(seed).normal(size=(cloud.shape[1], 1000))
positive = (cloud - cloud.mean(axis=0)) @ directions > 0
label = untuned.labels[untuned.rows[: len(cloud)]]
by_luck = 100 * (positive == label[:, None]).mean(axis=0)
by_number = 100 * 0.5 / np.sqrt(len(cloud))
luck = np.sqrt(max(by_luck.var() - by_number**2, 0))
note(n_lucky=len(cloud), spread=by_luck.std(), by_number=by_number, luck=luck)

# %% [markdown]
# On {glue:text}`n_lucky:d` texts their accuracies spread by {glue:text}`spread:.1f` points (one standard deviation), of which the number of texts explains {glue:text}`by_number:.1f`. What
# remains, {glue:text}`luck:.1f` points (squares are subtracted), is what a random direction catches of the label by luck, on however many texts. So the accuracy of an encoder that was not tuned says how its random
# classifier happens to lie, and little of what the encoder knows.
#
# Where on the way did it learn?

# %% tags=["fig"] mystnb={"image": {"alt": "Validation accuracy of the encoder on SST-2 over the steps of fine-tuning: it rises steeply in the first few hundred steps and slowly afterwards."}}
history = runs["sst2", "dense"].history
viz.curves(
    {"SST-2": 100 * np.array(history.val_accuracy)},
    x=history.step,
    xlabel="step",
    ylabel="validation accuracy (%)",
)

# %% [markdown]
# Mostly in the first few hundred steps. What follows looks at the end only.
#
# ## How a text becomes a point
#
# A block says one vector for every token of a text. To have one point per text there are three ways: take
# the vector of the first token, [CLS], on which the classifier builds; take the mean over the
# tokens; or put all of them into one long vector. Which of them the paper took is not in the text we worked from. We take [CLS]; what
# depends on that is a section of [chapter 08](08-bert-subnetworks.ipynb).
#
# ## How far apart are the texts?
#
# For each block, the distances between all pairs of texts. First their mean: the *scale* of the block.

# %%
blocks = [f"block {k + 1}" for k in range(len(stored.names))]
scales = {(TASKS[t], how): run.scale for (t, how), run in runs.items()}
scale_table = pd.DataFrame(scales, index=blocks)
last, before = (runs["sst2", how].scale[-1] for how in ("dense", "pretrained"))
note(scale_grew=last / before, scale_ratio=tuned.scale[-1] / tuned.scale[0])
scale_table.round(3)

# %% [markdown]
# The scale of the last block, the mean distance in its cloud, is {glue:text}`scale_ratio:.0f` times that of the first, after fine-tuning on SST-2, and {glue:text}`scale_grew:.1f` times what it was before. On raw distances, everything else would vanish beside
# this. So we divide each block's distances by their mean and look at the shape of their distribution, as
# in the paper's Figures 2 and 11.


# %%
def spread(run):
    """Distances of all pairs of texts in every block, in units of their mean."""
    distances = {
        b: pdist(x) for b, x in zip(blocks, run.reps["cls"].values(), strict=True)
    }
    return {b: d / d.mean() for b, d in distances.items()}


spreads = {key: spread(run) for key, run in runs.items()}

# %% [markdown]
# SST-2, as it came and fine-tuned:

# %% tags=["fig", "paper-F02"] mystnb={"image": {"alt": "Distributions of the distances between texts in six blocks, before and after fine-tuning on SST-2: the first blocks have the same single hump; in the last ones fine-tuning splits it into a near and a far hump."}}
viz.ridges(
    {
        "pre-trained": spreads["sst2", "pretrained"],
        "fine-tuned": spreads["sst2", "dense"],
    },
    xlabel="distance between two texts (mean of the block = 1)",
)

# %% [markdown]
# Yelp, likewise:

# %% tags=["fig", "paper-F02"] mystnb={"image": {"alt": "The same for Yelp: the distributions of the last blocks change with fine-tuning, those of the first do not."}}
viz.ridges(
    {
        "pre-trained": spreads["yelp", "pretrained"],
        "fine-tuned": spreads["yelp", "dense"],
    },
    xlabel="distance between two texts (mean of the block = 1)",
)

# %% [markdown]
# Now the number under the picture: the Kullback-Leibler divergence, in nats, of each block's histogram from that
# of the block before it.


# %%
def divergence(p, q, bins=40):
    """KL divergence of histogram `p` from `q`, in nats; no bin is empty."""
    edges = np.histogram_bin_edges(np.concatenate([p, q]), bins)
    p, q = (np.histogram(x, edges)[0] + 0.5 for x in (p, q))
    return entropy(p, q)


# %% [markdown]
# For every step from a block to the next, in all four runs:

# %%
steps = [f"{a} to {b}" for a, b in pairwise(blocks)]
kl = {
    (TASKS[t], how): [divergence(s[b], s[a]) for a, b in pairwise(blocks)]
    for (t, how), s in spreads.items()
}
kl_table = pd.DataFrame(kl, index=steps)
kl_table.round(3)

# %% [markdown]
# Does the distance of neighbouring blocks under GW say the same? Here it is, from the stored maps:

# %%
gw_steps = {
    (TASKS[t], how): np.diag(run.maps["cls/mean/gw"].values, k=1)
    for (t, how), run in runs.items()
}
gw_table = pd.DataFrame(gw_steps, index=steps)
gw_table.round(3)

# %% [markdown]
# The numbers for the text, with the ranks of both over all steps of all runs:

# %%
for task, title in TASKS.items():
    grown = kl_table[title, "dense"]
    note(**{f"kl_{task}": grown.max(), f"kl_{task}_at": grown.idxmax()})
    note(**{f"kl_{task}_early": grown.iloc[: len(grown) // 2].max()})
all_kl, all_gw = (table.T.to_numpy().ravel() for table in (kl_table, gw_table))
note(kl_gw=spearmanr(all_kl, all_gw).statistic, n_steps=len(all_gw))
came_kl, came = (t.xs("pretrained", axis=1, level=1) for t in (kl_table, gw_table))
note(kl_came=came_kl.max(axis=None))
note(came_low=came.min(axis=None), came_high=came.max(axis=None))
widths = scale_table.xs("pretrained", axis=1, level=1)
note(came_ratio=(widths.iloc[-1] / widths.iloc[0]).min())

# %% [markdown]
# As it came, the encoder has nearly the same distribution in every block: no step has more than {glue:text}`kl_came:.2f` nats.
# Fine-tuning leaves the first two steps alone (at most {glue:text}`kl_sst2_early:.2f` on SST-2 and {glue:text}`kl_yelp_early:.2f` on Yelp). The largest step is {glue:text}`kl_sst2_at` on SST-2, with {glue:text}`kl_sst2:.2f` nats,
# and {glue:text}`kl_yelp_at` on Yelp, with {glue:text}`kl_yelp:.2f`. In the paper it begins at the ninth block of twelve: in both encoders, when two thirds of the blocks are over. Over the {glue:text}`n_steps:d` steps
# of the four runs, KL and GW have a rank correlation of {glue:text}`kl_gw:.2f`: much of what GW sees here is the shape of this one histogram, for which no
# matching is needed.
#
# ## Who is whose neighbour?
#
# The distribution of distances does not know *which* texts are near each other. The paper
# shows this with t-SNE {cite:p}`maaten2008tsne`, which lays points out in a plane so that near ones stay near, on 16 texts. Here are the same 16 texts of Yelp in all six blocks,
# fine-tuned.

# %% tags=["fig", "paper-F09"] mystnb={"image": {"alt": "Sixteen reviews projected by t-SNE in six blocks of the encoder fine-tuned on Yelp: in the first blocks both classes are mixed, in the last they lie apart."}}
yelp = runs["yelp", "dense"]
small = yelp.reps["cls"].head(16)
kinds = yelp.labels[yelp.rows[: small.n_samples]]
flat = {
    b: TSNE(perplexity=4, random_state=seed).fit_transform(x)
    for b, x in zip(blocks, small.values(), strict=True)
}
viz.panels(flat, kinds, numbered=True)

# %% [markdown]
# Circles are positive, triangles negative; from block 5 on they lie apart. Within a class the numbers move about from block to block. But do the
# neighbours change, or does the projection? Sixteen points from {glue:text}`width:d` dimensions can be laid out in a plane in many ways. So we count: for each text, take its $k$ nearest texts in one block and in the next,
# and divide how many are common by how many there are in either (Jaccard). If two blocks
# had nothing to do with each other, this would be the overlap of two random choices.


# %%
def neighbours(x, k):
    """The `k` nearest others of each sample, as a boolean matrix (n, n)."""
    graph = NearestNeighbors(n_neighbors=k).fit(x).kneighbors_graph()
    return graph.toarray().astype(bool)


def overlap(x, y, k):
    """Mean Jaccard index of each sample's `k` neighbours in two clouds."""
    a, b = neighbours(x, k), neighbours(y, k)
    return float(((a & b).sum(axis=1) / (a | b).sum(axis=1)).mean())


def by_chance(n, k, seed=0):
    """The same for two clouds that have nothing to do with each other."""
    rng = np.random.default_rng(seed)
    return overlap(rng.normal(size=(n, 8)), rng.normal(size=(n, 8)), k)


# %% [markdown]
# For every other step of the fine-tuned SST-2 encoder, and growing $k$:

# %% tags=["fig"] mystnb={"image": {"alt": "Overlap of neighbourhoods between consecutive blocks of the encoder fine-tuned on SST-2, for 1 to 20 neighbours: well above chance, which is close to zero, and growing slowly with the number of neighbours."}}
layers = list(tuned.reps["cls"].values())
n = len(layers[0])
counts = [k for k in (1, 2, 5, 10, 20) if k < n - 1]
lines = {
    f"{blocks[i]} to {i + 2}": [
        overlap(layers[i], layers[i + 1], k) for k in counts
    ]
    for i in range(0, len(layers) - 1, 2)
}
lines["chance"] = [by_chance(n, k) for k in counts]
viz.curves(lines, x=counts, xlabel="neighbours k", ylabel="overlap (Jaccard)")

# %% [markdown]
# Neighbours change at each of these steps, and far from all of them: the curves are well above chance. At $k = 10$, for all steps of all runs:

# %%
k = min(10, n // 4)
kept = {}
for (task, how), run in runs.items():
    x = list(run.reps["cls"].head(200).values())
    kept[TASKS[task], how] = [overlap(a, b, k) for a, b in pairwise(x)]
kept_table = pd.DataFrame(kept, index=steps)
chance = by_chance(len(x[0]), k)
note(chance_overlap=chance, kept_low=kept_table.min(axis=None))
note(kept_high=kept_table.max(axis=None))
note(overlap_gw=spearmanr(kept_table.T.to_numpy().ravel(), all_gw).statistic)
kept_table.round(2)

# %% [markdown]
# By chance two blocks would share {glue:text}`chance_overlap:.2f`. Neighbouring blocks share between {glue:text}`kept_low:.2f` and {glue:text}`kept_high:.2f`: more, but most neighbours of a text are
# others one block later. That is so before fine-tuning as after it, and at every step. So neighbourhoods do change, as the paper says. Does GW account for it? The rank correlation of the overlap with GW
# over these steps is {glue:text}`overlap_gw:.2f`; if GW saw the change it would be near $-1$. There is a reason. Shuffle the texts of the last block, so that every text gets the neighbours of another one:

# %%
before, after = (yelp.reps["cls"][name] for name in yelp.reps["cls"].names[-2:])
shuffled = after[np.random.default_rng(seed).permutation(len(after))]
true, false = (overlap(before, x, k) for x in (after, shuffled))
note(overlap_true=true, overlap_shuffled=false)
true, false = (fs.gw(before, x).distance for x in (after, shuffled))
note(gw_kept=true, gw_shuffled=false)

# %% [markdown]
# The overlap falls from {glue:text}`overlap_true:.2f` to {glue:text}`overlap_shuffled:.2f`, which is chance, and GW stays where it was ({glue:text}`gw_kept:.3f` and {glue:text}`gw_shuffled:.3f`). It must: it does not ask which text is which.
# It sees whether a block *has* neighbourhoods of another shape, not whose they are.
#
# ## What the plan matches
#
# GW optimises over all ways to match the texts of one block with those of another, though we know the true one: each text
# with itself. The paper shows plans of 16 texts of five random pairs of layers, and notes that they are permutations, and not the identity (Figure 10). Here are
# five of ours, each from a block to the next, for the encoder fine-tuned on Yelp.


# %%
def matches(run, n):
    """The optimal plan from every block to the next, on the first n texts."""
    x = run.reps["cls"].head(n)
    return [fs.gw(x[a], x[b]).plan for a, b in pairwise(x.names)]


plans = matches(yelp, 16)
permutations = [as_permutation(plan) for plan in plans]
note(n_permutations=sum(p is not None for p in permutations), n_plans=len(plans))
identical = [float((p == np.arange(len(p))).mean()) for p in permutations]
few = len(permutations[0])
note(identical_16=100 * float(np.mean(identical)), few=few, chance_16=100 / few)

# %% [markdown]
# Each point is a text: to the right its place in one block, upwards the place that the plan gives it in the next.

# %% tags=["fig", "paper-F10"] mystnb={"image": {"alt": "Five optimal plans of sixteen reviews, each a permutation; few points lie on the diagonal."}}
places = np.arange(1, small.n_samples + 1)
viz.panels(
    {
        step: np.column_stack([places, p + 1])
        for step, p in zip(steps, permutations, strict=True)
    },
    kinds,
    xlabel="text",
    ylabel="matched with",
)

# %% [markdown]
# All {glue:text}`n_permutations:d` of {glue:text}`n_plans:d` are permutations; {glue:text}`identical_16:.0f` % of the {glue:text}`few:d` texts are matched with themselves, by chance it would be {glue:text}`chance_16:.0f` %.
# It could hardly be otherwise: with equally many texts on both sides and equal weights, a best plan is very often a permutation
# {cite:p}`maron2018probably`, and our solver returns nothing else.
#
# What does the optimum gain over the identity? And what would a random matching cost? If the texts kept their places
# in the cloud, the identity would be close to the optimum, and both far below the random one.


# %%
def paid(A, B, match):
    """Root of what a matching costs: the GW distance, if it is optimal."""
    return np.sqrt(cost(A, B, from_permutation(match)))


# %% [markdown]
# For every step: what the optimal, the identical and a random matching cost, and what the texts that the optimal one matches have in common.


# %%
def gains(run, n):
    """One row per step, on the first n texts."""
    x, rng = run.reps["cls"].head(n), np.random.default_rng(seed)
    labels, lengths = run.labels[run.rows], run.lengths
    for a, b in pairwise(x.names):
        A, B = (pairwise_distances(x[name]) for name in (a, b))
        A, B = A / A.mean(), B / B.mean()
        found = as_permutation(fs.gw(x[a], x[b]).plan)
        here = np.arange(len(found))
        others = [rng.permutation(len(here)) for _ in range(20)]
        yield {
            "optimal": paid(A, B, found),
            "identity": paid(A, B, here),
            "random": np.mean([paid(A, B, other) for other in others]),
            "itself (%)": 100 * (found == here).mean(),
            "same class (%)": 100 * (labels[found] == labels[here]).mean(),
            "length": spearmanr(lengths[found], lengths[here]).statistic,
        }


matched = {
    key: pd.DataFrame(gains(run, 200), index=steps) for key, run in runs.items()
}
matched["sst2", "dense"].round(2)

# %% [markdown]
# The table is for SST-2, fine-tuned. The last column is the rank correlation of the lengths of matched texts. All four runs, averaged over the steps, correlations without their sign:

# %%
pd.DataFrame(
    {(TASKS[t], how): m.abs().mean() for (t, how), m in matched.items()}
).T.round(2)

# %% [markdown]
# The numbers for the text:

# %%
all_steps = pd.concat(matched.values())
below = 1 - all_steps["optimal"] / all_steps["identity"]
way = (all_steps["random"] - all_steps["identity"]) / (
    all_steps["random"] - all_steps["optimal"]
)
note(below=100 * below.median(), way=100 * way.median())
note(itself=all_steps["itself (%)"].median(), chance_200=100 / len(x[0]))
for task in TASKS:
    flip, same = matched[task, "dense"]["same class (%)"].iloc[-2:]
    note(**{f"class_{task}": same, f"flip_{task}": flip})
lengths = np.abs([m["length"] for m in matched.values()])
half = len(steps) // 2 + 1
note(length_early=np.median(lengths[:, :half]))
note(length_late=np.median(lengths[:, half:]))

# %% [markdown]
# The optimum is {glue:text}`below:.0f` % below the identity, in the median over all steps, and {glue:text}`itself:.1f` % of the texts are matched with themselves, where chance would give {glue:text}`chance_200:.1f` %. That is not because nothing ties the blocks together:
# if it were so, as with shuffled texts, the identity would cost as much as a random matching, and it lies {glue:text}`way:.0f` % of the way from there to the optimum. The search gains the rest by exchanging texts whose distances look alike.
#
# What do matched texts have in common? In the first three steps their length: its rank correlation has a median size, without the sign, of {glue:text}`length_early:.2f`, and where it is
# negative, as from block 3 to 4 above, the plan found the order of the lengths and laid it the wrong way round. In the last two this fades ({glue:text}`length_late:.2f`), and after fine-tuning the class takes over: in the last step
# {glue:text}`class_sst2:.0f` % of the texts of SST-2 and {glue:text}`class_yelp:.0f` % of those of Yelp are matched with one of their own class. One step earlier these are {glue:text}`flip_sst2:.0f` and {glue:text}`flip_yelp:.0f` %: on SST-2
# the plan sees two groups and exchanges them, friendly for unfriendly. To GW that is as good.
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
# **2. A pre-trained encoder with a fresh classifier is right in about half of the cases. What does it tell about its layers?**
#
# <details><summary>a. They hold nothing about the task.</summary>No: the classifier is random, whatever the layers hold.</details>
# <details><summary>b. Little: a classifier that was not trained guesses.</summary>Right: a readout that is fitted tells what the layers hold.</details>
# <details><summary>c. They are all alike.</summary>No: accuracy at the end says nothing about distances between layers.</details>
#
# ## Exercises
#
# :::{exercise} A text as one point
# :label: ex-07-pool
#
# *Difficulty 1 of 5, importance 5 of 5, 5 minutes.* Write `pool_mean(states, mask)`: for states (n, tokens, d) and a mask (n, tokens) of ones for real tokens and zeros for padding, the mean over the real tokens of every text, (n, d).
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
# :::{exercise} Where F1 begins
# :label: ex-07-f1
#
# *Difficulty 1 of 5, importance 4 of 5, 5 minutes.* Write `f1(answers, labels)` for two arrays of zeros and ones: two times the hits, divided by what is called positive and what is positive, together; 0 if that is nothing. What does it give an encoder that calls every text positive?
#
# ```{dropdown} Hint 1
# A hit is called positive and is.
# ```
# ```{dropdown} Hint 2
# On balanced classes such an encoder has two thirds. So an F1 of 0.67 is no achievement.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def f1(answers, labels):
    """F1 of the positive class, between 0 and 1."""
    together = answers.sum() + labels.sum()
    return 2 * (answers * labels).sum() / together if together else 0.0


check.f1(f1)

# %% [markdown]
# :::{exercise} How sure is an accuracy?
# :label: ex-07-margin
#
# *Difficulty 2 of 5, importance 5 of 5, 5 minutes.* Write `margin(accuracy, n)`: half the width of the 95 % interval of an accuracy that was measured on `n` texts, by the normal approximation.
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
# :::{exercise} Kept neighbourhoods
# :label: ex-07-kept
#
# *Difficulty 3 of 5, importance 4 of 5, 15 minutes.* Write `kept(x, y, k)`: for every point its `k` nearest neighbours in one cloud and in the other; how many are common, divided by how many are in either; the mean over all points.
#
# ```{dropdown} Hint 1
# The nearest point to a point is the point itself, and does not count.
# ```
# ```{dropdown} Hint 2
# Boolean matrices: `(a & b).sum(axis=1) / (a | b).sum(axis=1)`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def kept(x, y, k):
    """Mean Jaccard index of k neighbours in clouds (n, d) and (n, e)."""
    near = []
    for cloud in (x, y):
        order = np.argsort(pairwise_distances(cloud), axis=1)[:, 1 : k + 1]
        near.append(np.zeros((len(x), len(x)), dtype=bool))
        np.put_along_axis(near[-1], order, True, axis=1)
    a, b = near
    return ((a & b).sum(axis=1) / (a | b).sum(axis=1)).mean()


check.kept(kept)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C07: the distributions of distances begin to differ after two thirds of the blocks (4.1, Figure 2) | ours | agrees for six blocks | divergence at most {glue:text}`kl_sst2_early:.2f` and {glue:text}`kl_yelp_early:.2f` nats in the first two steps, {glue:text}`kl_sst2:.2f` and {glue:text}`kl_yelp:.2f` from {glue:text}`kl_sst2_at` |
# | C07: that is in line with GW | ours | agrees | rank correlation {glue:text}`kl_gw:.2f` over {glue:text}`n_steps:d` steps |
# | C08: neighbourhoods of samples change across layers (4.1, D, Figure 9) | ours | agrees | overlap {glue:text}`kept_low:.2f` to {glue:text}`kept_high:.2f` per step, by chance {glue:text}`chance_overlap:.2f`; as much before fine-tuning as after it |
# | C08: GW accounts for such changes | paper | disagrees, by its definition: it does not ask which text is which | GW of shuffled texts is {glue:text}`gw_shuffled:.3f` instead of {glue:text}`gw_kept:.3f`, while the overlap falls to chance |
# | C18: the pre-trained encoder shows no major differences among layers (5.2), each block divided by its mean distance | ours | agrees for `all-MiniLM-L6-v2`, which is more than pre-trained | GW of a step between {glue:text}`came_low:.2f` and {glue:text}`came_high:.2f` |
# | C18, with raw distances | ours | disagrees | the scale of its last block is {glue:text}`came_ratio:.0f` times that of its first |
# | C18: its accuracy is at chance | ours | agrees, and tells little | {glue:text}`acc_yelp_pretrained:.1f` % on Yelp; the luck of a random classifier is {glue:text}`luck:.1f` points |
# | C25: the optimal plan is a permutation (D, Figure 10) | ours | agrees, as it must here | {glue:text}`n_permutations:d` of {glue:text}`n_plans:d`; our solver looks at nothing else |
# | C25: it is not the identity | ours | agrees | {glue:text}`itself:.1f` % of the texts are matched with themselves, by chance {glue:text}`chance_200:.1f` % |
# | D08: a change of neighbours needs a number | - | answered: here is one | overlap {glue:text}`kept_low:.2f` to {glue:text}`kept_high:.2f` from block to block, by chance {glue:text}`chance_overlap:.2f` |
# | D03: the correspondence is known | - | justified: the optimum forgets it | {glue:text}`itself:.1f` % of the texts are matched with themselves; shuffled texts are as near, {glue:text}`gw_shuffled:.3f` |
#
# BERT-base was not run, so most of these rows say nothing yet of the paper's encoder. That GW does not see whose neighbour a text is holds for every encoder.
#
# **Before you say that a layer has changed**: say whether the inputs may change places. GW does not see it when they do; the overlap of neighbours does.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
