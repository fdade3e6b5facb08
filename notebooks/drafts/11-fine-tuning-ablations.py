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
#     data: [ablations, bert]
# ---

# %% [markdown]
# # Fine-tuning ablations
#
# A map becomes useful where it predicts something. The paper says two such things. Its Table 4: since only the later layers change, the earlier ones can stay frozen, and freezing beyond the
# boundary costs accuracy. And a table that was added for its reviewers: the first four of twelve blocks suffice on Yelp, the first two on SST-2. But depth alone predicts as much:
# whatever a network does, freezing or removing more of it costs more. So the question is not whether accuracy falls. It is whether it falls *at the boundary*, and whether the map
# knows this better than a count of layers.
#
# **What is smaller here.** MiniLM with {glue:text}`n_blocks:d` blocks where the paper has BERT-base with twelve; three seeds on SST-2, one on Yelp.
#
# :::{admonition} What you will learn
# - how to write down a prediction before looking;
# - what freezing and truncation cost, with intervals from the same texts;
# - what the blocks know, by readouts, and why pooling decides it;
# - whether the strength of a boundary predicts the loss better than depth does.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: appendix E with Table 4; the discussion of its reviews, with the table of truncations and the readouts.
# **You need**: [chapter 08](08-bert-subnetworks.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0

# %% [markdown]
# The imports:

# %%
import time

import numpy as np
import pandas as pd
import torch
from scipy import stats
from transformers import BertConfig, BertForSequenceClassification

import funcsim as fs
from bookkit.notes import note
from funcsim import viz
from funcsim.checks import chapter_11 as check
from funcsim.experiments import ablations, encoders, interventions
from funcsim.widgets import stepper

# %% [markdown]
# ## The predictions, written down first
#
# The four encoders are those of [chapter 08](08-bert-subnetworks.ipynb): SST-2 with three seeds, Yelp with one. Between every block and the next there is a place to cut. How strong
# a boundary is at that place, by the map: the distance of the two blocks. Under GW, and one minus CKA.

# %%
MODELS = {
    "SST-2, seed 0": ("sst2", 0),
    "SST-2, seed 1": ("sst2", 1),
    "SST-2, seed 2": ("sst2", 2),
    "Yelp": ("yelp", 0),
}
dense = {
    name: encoders.load(f"{task}-dense", profile, s)
    for name, (task, s) in MODELS.items()
}
n_blocks = len(dense["Yelp"].scale)
cuts = [f"{k} | {k + 1}" for k in range(1, n_blocks)]
note(n_blocks=n_blocks)


# %% [markdown]
# The strength of every cut:


# %%
def strength(run, measure):
    """Distance of every block to the next (blocks - 1,)."""
    values = np.diag(run.maps[f"cls/mean/{measure}"].values, k=1)
    return 1 - values if fs.measures()[measure].larger_is_similar else values


gw = pd.DataFrame(
    {name: strength(run, "gw") for name, run in dense.items()}, index=cuts
)
cka = pd.DataFrame(
    {name: strength(run, "cka-debiased") for name, run in dense.items()}, index=cuts
)
predicted = {name: int(np.argmax(gw[name])) + 1 for name in MODELS}
gw.round(3)

# %% [markdown]
# The strongest boundary of each encoder, which is the prediction: all blocks before it can stay frozen, and all blocks after it can be left out.

# %%
note(**{f"cut_{task}_{s}": predicted[name] for name, (task, s) in MODELS.items()})
pd.Series(
    {name: cuts[c - 1] for name, c in predicted.items()}, name="strongest boundary"
).to_frame()

# %% [markdown]
# Two things about this prediction, before it is tested. It is made from the map of the encoder that was fine-tuned *as a whole*, so it is no saving: who has that
# encoder need not freeze anything. And the paper's own boundary was chosen in the same way.
#
# ## Freezing
#
# The embeddings and the first n blocks stay as they came; the rest is fine-tuned, with the same texts in the same order. "All" is an encoder of which everything was fine-tuned. So that
# many could be trained, the products of all these trainings were computed in bfloat16, a number format with eight bits for the digits; weights and steps are float32, as in chapter 07.

# %%
frozen = {
    name: ablations.load(f"{task}-freeze", profile, s)
    for name, (task, s) in MODELS.items()
}
first = {
    name: ablations.load(f"{task}-first", profile, s)
    for name, (task, s) in MODELS.items()
}
print(frozen["Yelp"].origin)


# %% [markdown]
# Accuracy is compared on the same validation texts, so the interval is that of the difference, from the texts that one of two encoders answers right and the other does not:

# %%
whole = {name: first[name].right[-1] for name in MODELS}


def lost(whole, part):
    """Points of accuracy lost, and half the width of a 95 % interval, on the same texts."""
    apart = whole.astype(float) - part
    return 100 * apart.mean(), 196 * apart.std() / np.sqrt(len(apart))


# %% [markdown]
# How much is a point? The encoders of chapter 07 had the same start, the same texts in the same order and the same dropout as "all"; they differ in the rounding of products. What that
# alone does is what no ablation may be blamed for:

# %%
again = {
    name: lost(run.logits.argmax(axis=1) == run.labels, whole[name])
    for name, run in dense.items()
}
note(noise=max(abs(points) for points, _ in again.values()))
pd.DataFrame(again, index=["points lost", "give or take"]).T.round(2)

# %% [markdown]
# The largest of the four is {glue:text}`noise:.1f` points: a smaller difference between two trainings says nothing. For every n, points lost compared with "all":

# %%
freezing = pd.DataFrame(
    {
        name: [lost(whole[name], r)[0] for r in frozen[name].right]
        for name in MODELS
    },
    index=[
        f"{n + 1} to {n_blocks} + C" if n < n_blocks else "only C"
        for n in frozen["Yelp"].n
    ],
)
freezing.round(1)

# %% [markdown]
# Table 4 of the paper, beside ours. Its copy that we have names six columns and holds five numbers; by the drops that its text states, the missing one is "All". So its drops
# are from "8 to 12".

# %%
PAPER_4 = {
    "8 to 12 + C": 97.47,
    "9 to 12 + C": 97.43,
    "10 to 12 + C": 97.19,
    "11 to 12 + C": 96.70,
    "only 12 + C": 93.11,
}
ours = {"all": 100 * whole["Yelp"].mean()} | dict(
    zip(freezing.index, 100 * frozen["Yelp"].accuracy, strict=True)
)
print("paper:", PAPER_4)
pd.Series(ours, name="ours, Yelp (%)").round(2).to_frame()

# %% [markdown]
# Are the later blocks crucial? If the map is right, each block that is frozen behind the boundary costs more than each block before it. The difference of the two, in points per block, and its 95 % interval, from validation texts drawn again with replacement:


# %%
def bend(name, rows=slice(None)):
    """Points lost per block frozen behind the boundary, less those per block before it."""
    parts = frozen[name].right[:, rows]
    gone = 100 * (whole[name][rows].mean() - parts.mean(axis=1))
    before = gone[predicted[name] - 1]
    behind = n_blocks - predicted[name]
    return (gone[-1] - before) / behind - before / predicted[name]


# %% [markdown]
# For SST-2 in the mean over seeds, with the same texts drawn for all three:

# %%
rng = np.random.default_rng(seed)
crucial = {}
for task, group in {"SST-2": list(MODELS)[:3], "Yelp": ["Yelp"]}.items():
    n_texts = len(whole[group[0]])
    draws = rng.integers(0, n_texts, (500, n_texts))
    drawn = [np.mean([bend(name, d) for name in group]) for d in draws]
    value = np.mean([bend(name) for name in group])
    crucial[task] = [value, *np.quantile(drawn, [0.025, 0.975])]
crucial = pd.DataFrame(crucial, index=["points per block", "from", "to"]).T
crucial.round(2)

# %% [markdown]
# (OBSERVE-freeze)
#
# ## How many blocks suffice?
#
# Only the first n blocks are kept, and fine-tuned. With n = 0 the classifier reads the embedding at [CLS], which is the same for every text; the paper has this row too.

# %%
truncating = pd.DataFrame(
    {
        name: [lost(whole[name], r)[0] for r in first[name].right[:-1]]
        for name in MODELS
    },
    index=[f"first {n}" for n in range(n_blocks)],
)
truncating.round(1)

# %% [markdown]
# How many blocks are enough? As many as it takes that from there on the upper end of the interval stays within a point. (The last exercise asks for this function.)

# %%
sufficient = {}
for name in MODELS:
    cuts_made = first[name].right[:-1]
    gone = np.array([lost(whole[name], r) for r in cuts_made]).sum(axis=1)
    fails = np.flatnonzero(gone > 1)
    sufficient[name] = int(fails.max()) + 1 if len(fails) else 0
pd.Series(sufficient, name="blocks that are enough").to_frame()

# %% [markdown]
# The paper's table for the reviewers, as far as it is told in the discussion: points lost compared with all twelve blocks.

# %%
PAPER_7 = pd.DataFrame(
    {
        "Yelp": {"4 of 12": 0.01, "one fewer": 0.10},
        "SST-2": {"2 of 12": 0.54, "one fewer": 8.60},
    }
)
PAPER_7

# %% [markdown]
# (OBSERVE-first)
#
# What is gained: time and parameters. Both are measured here, on encoders of MiniLM's size with random weights, since neither depends on what the weights are.

# %%
size = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
batch = torch.ones((4, 16) if profile == "smoke" else (32, 64), dtype=torch.long)


def seconds(model, repeats=5):
    """The least of a few times for one batch."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        with torch.no_grad():
            model(batch)
        times.append(time.perf_counter() - began)
    return min(times)


# %% [markdown]
# As shares of the encoder with all blocks:

# %%
gain = {}
for n in range(n_blocks + 1):
    cut = BertForSequenceClassification(
        BertConfig(num_hidden_layers=n, **size)
    ).eval()
    n_parameters = sum(p.numel() for p in cut.parameters())
    gain[f"first {n}"] = {"time": seconds(cut), "parameters": n_parameters}
gain = pd.DataFrame(gain).T
gain = gain / gain.iloc[-1]
note(time_half=100 * gain["time"].iloc[n_blocks // 2])
note(size_half=100 * gain["parameters"].iloc[n_blocks // 2])
gain.round(2)

# %% [markdown]
# With half of the blocks a batch takes {glue:text}`time_half:.0f` % of the time. Of the parameters {glue:text}`size_half:.0f` % are left, because most of them are word embeddings.

# %% [markdown]
# ## Without any training
#
# Phang, Liu and Bowman left out the last blocks of fine-tuned encoders and found that little was lost, without any further training. The same here, and two more ways of cutting: one block left out, and two neighbours in each other's place.

# %%
cut_up = {
    name: interventions.load(f"{task}-interventions", profile, s)
    for name, (task, s) in MODELS.items()
}
print(cut_up["Yelp"].origin)


# %% [markdown]
# Points lost:


# %%
def table_of(kind, index):
    """Points lost by every way of cutting of a kind, for every encoder."""
    return pd.DataFrame(
        {
            name: [lost(run.whole, r)[0] for r in getattr(run, kind)]
            for name, run in cut_up.items()
        },
        index=index,
    )


without = table_of("without", [f"without {k + 1}" for k in range(n_blocks)])
swapped = table_of(
    "swapped", [f"{k} and {k + 1} swapped" for k in range(1, n_blocks)]
)
only = table_of("first", [f"first {n}" for n in range(n_blocks)])
pd.concat([only, without, swapped]).round(1)

# %% [markdown]
# (OBSERVE-without)
#
# Cut and see: move the slider to keep more or fewer of the first blocks of the encoder of SST-2, seed 0. The dashed line is the boundary that was predicted.

# %% tags=["widget"]
name = "SST-2, seed 0"
frames, alts = [], []
for n in range(n_blocks):
    left = {
        "fine-tuned again": 100 * first[name].accuracy[n],
        "cut and left alone": 100 * cut_up[name].first[n].mean(),
    }
    told = {"xlabel": "accuracy (%)", "most": 100, "boundary": predicted[name]}
    frames.append(viz.cut(n_blocks, n, left, **told))
    said = ", ".join(f"{how} {value:.1f} %" for how, value in left.items())
    alts.append(f"The first {n} of {n_blocks} blocks kept: {said}")
stepper(frames, alts, "blocks kept")

# %% [markdown]
# (OBSERVE-cut)
#
# ## What the blocks know
#
# Readouts: a logistic regression, and a network of two layers, from what a block says of {glue:text}`n_learned:,d` training texts to their labels; accuracy on {glue:text}`n_read:d` others. The authors told their reviewers: about 50 % for the linear one, on every block but the last, and 50 to
# 59 % for the other.

# %%
run = cut_up["Yelp"]
columns = pd.MultiIndex.from_product(
    [("as it came", "fine-tuned"), ("linear", "two layers"), ("[CLS]", "mean")]
)
readouts = pd.DataFrame(
    100 * run.readouts.reshape(8, n_blocks).T,
    columns=columns,
    index=[f"block {k + 1}" for k in range(n_blocks)],
)
note(
    n_read=run.n_read,
    n_learned=(run.record.parameters["n_learned"] if run.record else 40),
)
readouts.round(1)

# %% [markdown]
# (OBSERVE-readouts)
#
# ## Does the map predict it?
#
# For every cut k | k + 1, what it costs to cross it: what freezing one block more costs; what one block fewer costs; what is lost by leaving out the block after it; and by swapping the two.
# Against four predictors: the distance of the two blocks under GW, under CKA, the depth of the cut, and how near it is to the end of the network. Rank correlation within each encoder, so that only the order of
# its cuts counts.

# %%
costs = {
    name: {
        "freeze one more": np.diff([0, *freezing[name]])[1:],
        "keep one fewer": -np.diff([*truncating[name], 0])[1:],
        "leave out": without[name].to_numpy()[1:],
        "swap": swapped[name].to_numpy(),
    }
    for name in MODELS
}


# %% [markdown]
# In the mean over the four encoders:


# %%
def rank(one, other):
    """Rank correlation; NaN if all values of one are the same."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return stats.spearmanr(one, other).statistic


def ranks(predictor):
    """Rank correlation of a predictor with every cost, in the mean over the encoders."""
    return {
        cost: pd.Series(
            [rank(predictor(name), costs[name][cost]) for name in MODELS]
        ).mean()
        for cost in costs["Yelp"]
    }


PREDICTORS = {
    "GW": lambda name: gw[name],
    "CKA": lambda name: cka[name],
    "depth": lambda name: np.arange(n_blocks - 1),
}
prediction = pd.DataFrame(
    {name: ranks(predictor) for name, predictor in PREDICTORS.items()}
)
prediction.round(2)

# %% [markdown]
# How large is such a mean by chance? The cuts of every encoder in a random order, a thousand times:

# %%
rng = np.random.default_rng(seed)
places = np.arange(n_blocks - 1)
by_chance = [
    np.mean([rank(places, rng.permutation(places)) for _ in MODELS])
    for _ in range(1000)
]
note(chance=float(np.quantile(np.abs(by_chance), 0.95)))

# %% [markdown]
# In one case of twenty it is farther from 0 than {glue:text}`chance:.2f`. (The four encoders are not four independent networks: three of them share a task, all of them the weights that they began with.)
#
# (OBSERVE-prediction)
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Freezing the first blocks costs nothing, freezing all but the last costs four points. What does that say of the map's boundary?**
#
# <details><summary>a. That it is right: the later blocks are crucial.</summary>No: more was frozen, too. Any network loses more when more of it is frozen.</details>
# <details><summary>b. Nothing yet: ask whether the loss begins at the boundary, and whether depth alone would have said so.</summary>Right.</details>
# <details><summary>c. That it is wrong: early blocks matter as well.</summary>No: that they can stay as they came does not say that they do not matter.</details>
#
# **2. Two encoders get 88.0 % and 87.5 % right on the same 872 texts. Each has an interval of about 2 points. Is the difference chance?**
#
# <details><summary>a. Yes: the intervals overlap.</summary>No: these are intervals for other texts. Both read the same ones.</details>
# <details><summary>b. It depends on how many texts only one of them gets right.</summary>Right: if they differ on four texts, four of them lost, it is rather certain; if on two hundred, it is not.</details>
# <details><summary>c. No: four texts are four texts.</summary>No: four more lost than won, but perhaps a hundred were lost and ninety-six won.</details>
#
# ## Exercises
#
# :::{exercise} The strongest cut
# :label: ex-11-cut
#
# *Difficulty 1 of 5, importance 3 of 5, 5 minutes.* Write `strongest_cut(values)`: for a map of distances (L, L), how many layers come before its largest step from one layer to the next.
#
# ```{dropdown} Hint 1
# Steps from one layer to the next stand beside the diagonal.
# ```
# ```{dropdown} Hint 2
# `np.diag(values, k=1)`, and remember that counting begins at 0.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def strongest_cut(values):
    """The number of layers before the largest step."""
    return int(np.argmax(np.diag(values, k=1))) + 1


check.strongest_cut(strongest_cut)

# %% [markdown]
# :::{exercise} Without a block
# :label: ex-11-without
#
# *Difficulty 2 of 5, importance 4 of 5, 10 minutes.* A stack of blocks is a list of functions, applied one after the other. Write `without_block(blocks, k)`: the function that the stack is without its block number k, counted from 1.
#
# ```{dropdown} Hint 1
# A function may be defined inside a function, and returned.
# ```
# ```{dropdown} Hint 2
# `for i, block in enumerate(blocks, 1)`, and skip one.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def without_block(blocks, k):
    """All blocks but number k, one after the other."""

    def cut(x):
        for i, block in enumerate(blocks, 1):
            if i != k:
                x = block(x)
        return x

    return cut


check.without_block(without_block)

# %% [markdown]
# :::{exercise} On the same texts
# :label: ex-11-lost
#
# *Difficulty 3 of 5, importance 5 of 5, 10 minutes.* Write `points_lost(whole, part)`: from which texts (n,) the whole encoder and its part answer right, the points of accuracy lost, and half the width of the 95 % interval of that.
#
# ```{dropdown} Hint 1
# A text is lost (1), won (-1), or neither (0). The mean of that is the difference of the accuracies.
# ```
# ```{dropdown} Hint 2
# 1.96 standard errors: the standard deviation of these numbers over the square root of how many there are. In points, times 100.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def points_lost(whole, part):
    """Points lost, and half the width of their 95 % interval."""
    apart = whole.astype(float) - part
    return 100 * apart.mean(), 196 * apart.std() / np.sqrt(len(apart))


check.points_lost(points_lost)

# %% [markdown]
# :::{exercise} Enough
# :label: ex-11-enough
#
# *Difficulty 3 of 5, importance 4 of 5, 15 minutes.* With the first 0, 1, ..., L - 1 blocks so many points are lost, each give or take half of an interval. Write `enough(lost, half, tolerance)`: the least number of blocks from which on the loss is never above the tolerance, even at the upper end of its interval. If there is none, L.
#
# ```{dropdown} Hint 1
# Where is the last number of blocks with which it may be above?
# ```
# ```{dropdown} Hint 2
# `np.flatnonzero(lost + half > tolerance)`; it may be empty.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def enough(lost, half, tolerance):
    """One more than the last number of blocks that fails."""
    fails = np.flatnonzero(lost + half > tolerance)
    return int(fails.max()) + 1 if len(fails) else 0


check.enough(enough)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers; of a doubt, *holds* says that it is right. The [scorecard](../book/scorecard.md) has them all.
#
# | claim | our answer | evidence on this page |
# | --- | --- | --- |
# | (OBSERVE-table) | | |
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
