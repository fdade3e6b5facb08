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
# # 11 Fine-tuning ablations
#
# Can a map say which blocks of an encoder may stay as they came, and which may go? The paper says so twice. Its Table 4 {cite:p}`gao2024identifying`: since only the later layers change, the earlier
# ones can stay frozen, and freezing beyond the boundary costs accuracy. And a table that was added for its reviewers: the first four of twelve blocks suffice on Yelp, the first two on SST-2. But depth
# alone predicts as much: whatever a network does, freezing or removing more of it costs more. So the question is not whether accuracy falls. It is whether it falls *at the boundary*,
# and whether the map knows this better than a count of layers.
#
# **What is smaller here.** `all-MiniLM-L6-v2`, distilled and then contrastively tuned for sentences, with {glue:text}`n_blocks:d` blocks where the paper has BERT-base with twelve, which was not run; three seeds on SST-2, one on Yelp.
#
# :::{admonition} What you will learn
# - how to write down a prediction before looking;
# - what freezing and truncation cost, with paired intervals, from the same texts;
# - what the blocks know, by readouts, and why pooling decides it;
# - whether the strength of a boundary predicts the loss better than depth does.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: appendix E with Table 4; the discussion of its reviews, with the table of truncations and the readouts.
# **You need**: [chapter 08](08-bert-subnetworks.ipynb) and [page 08b](08b-six-blocks.ipynb).
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
import time

import numpy as np
import pandas as pd
import torch
from scipy import stats
from transformers import BertConfig, BertForSequenceClassification

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_11 as check
from funcsim import viz
from funcsim.viz.interactive import stepper
from replication.encoder import block_ablation, fine_tuned, freezing

# %% [markdown]
# ## The predictions, written down first
#
# The four encoders are those of [page 08b](08b-six-blocks.ipynb): SST-2 with three seeds, Yelp with one. Between every block and the next there is a place to cut. How strong
# a boundary is at that place, by the map: the distance of the two blocks. Under GW; one minus CKA; and the cosine distance of what goes into a block and what comes out, text by
# text. Averaged over all tokens the last is known as block influence, by which large language models are shortened {cite:p}`men2025shortgpt`; here it is of [CLS].

# %%
MODELS = {
    "SST-2, seed 0": ("sst2", 0),
    "SST-2, seed 1": ("sst2", 1),
    "SST-2, seed 2": ("sst2", 2),
    "Yelp": ("yelp", 0),
}
dense = {
    name: fine_tuned.load(f"{task}-dense", profile, s)
    for name, (task, s) in MODELS.items()
}

# %% [markdown]
# The places to cut:

# %%
n_blocks = len(dense["SST-2, seed 0"].scale)
cuts = [f"{k} | {k + 1}" for k in range(1, n_blocks)]
note(n_blocks=n_blocks)


# %% [markdown]
# The strength of every cut:


# %%
def strength(run, measure):
    """Distance of every block to the next (blocks - 1,)."""
    values = np.diag(run.maps[f"cls/mean/{measure}"].values, k=1)
    return 1 - values if fs.measures()[measure].is_similarity else values


gw, cka, cosine = (
    pd.DataFrame(
        {name: strength(run, m) for name, run in dense.items()}, index=cuts
    )
    for m in ("gw", "cka-debiased", "cosine")
)
predicted = {name: int(np.argmax(gw[name])) + 1 for name in MODELS}
gw.round(3)

# %% [markdown]
# The strongest boundary of each encoder, which is the prediction: all blocks before it can stay frozen, and all blocks behind it can be left out.

# %%
note(**{f"cut_{task}_{s}": predicted[name] for name, (task, s) in MODELS.items()})
pd.Series(
    {name: cuts[c - 1] for name, c in predicted.items()}, name="strongest boundary"
).to_frame()

# %% [markdown]
# Two things about this prediction, before it is tested. It is made from the map of the encoder that was fine-tuned *as a whole*, so it is no saving: who has that
# encoder need not freeze anything. And the paper's own boundary was chosen in the same way.
#
# A third thing is about the paper. What its map is said to show, and what its table then keeps, are not the same: the map marks the *last* four blocks on Yelp and the last two on SST-2 as different, and
# the encoders that do as well as the whole are the *first* four and the first two. A boundary before the last four of twelve would say: keep the first eight. So two rules are tested here,
# the boundary's and the paper's count.
#
# ## Freezing
#
# The embeddings and the first n blocks stay as they came; the rest is fine-tuned, with the same texts in the same order. "All" is an encoder of which everything was fine-tuned. So that
# many could be trained, the products of all these trainings were computed in bfloat16, a number format with eight bits for the digits; weights and steps are float32.

# %%
frozen = {
    name: freezing.load(f"{task}-freeze", profile, s)
    for name, (task, s) in MODELS.items()
}
first = {
    name: freezing.load(f"{task}-first", profile, s)
    for name, (task, s) in MODELS.items()
}
print(frozen["SST-2, seed 0"].origin)


# %% [markdown]
# Accuracy is compared on the same validation texts, so the comparison is *paired* and the interval is that of the difference, from the texts that one of two encoders answers right and the other does not:

# %%
TASKS = {"SST-2": list(MODELS)[:3], "Yelp": ["Yelp"]}
whole = {name: first[name].right[-1] for name in MODELS}


def lost(whole, part):
    """Points of accuracy lost, and half the width of a 95 % interval."""
    apart = whole.astype(float) - part
    return 100 * apart.mean(), 196 * apart.std() / np.sqrt(len(apart))


# %% [markdown]
# The seeds of SST-2 read the same texts, so their mean is taken text by text:


# %%
def in_the_mean(task, parts, row):
    """Points lost in the mean over a task's seeds, and half of the interval."""
    pairs = [(whole[name], parts[name].right[row(name)]) for name in TASKS[task]]
    return lost(*np.mean(pairs, axis=0))


# %% [markdown]
# And for several cases at once, kept by name for the sentences that quote them:


# %%
def means(parts, cases, prefix):
    """Points lost and half of the interval, for every task and case."""
    table = {(t, c): in_the_mean(t, parts, cases[c]) for t in TASKS for c in cases}
    for (task, case), (points, give) in table.items():
        key = f"{prefix}_{task.lower().replace('-', '')}_{case}"
        note(**{key: points, f"{key}_give": give})
    return pd.DataFrame(table, index=["points lost", "give or take"]).T


# %% [markdown]
# How much is a point? The encoders of page 08b had the same start, the same texts in the same order and the same dropout as "all"; they differ in the rounding of products. What that
# alone does is what no ablation may be blamed for:

# %%
again = {
    name: lost(run.logits.argmax(axis=1) == run.labels, whole[name])
    for name, run in dense.items()
}
note(noise=max(abs(points) for points, _ in again.values()))
note(n_same=sum(give == 0 for _, give in again.values()), n_again=len(again))
pd.DataFrame(again, index=["points lost", "give or take"]).T.round(2)

# %% [markdown]
# In {glue:text}`n_same:d` of the {glue:text}`n_again:d` not one answer changes. The largest difference is {glue:text}`noise:.1f` points; one that is smaller says nothing. For every n, points lost compared with "all":

# %%
labels = [f"{n + 1} to {n_blocks} + C" for n in range(1, n_blocks)] + ["only C"]
frozen_lost = pd.DataFrame(
    {
        name: [lost(whole[name], r)[0] for r in run.right]
        for name, run in frozen.items()
    },
    index=labels,
)
frozen_lost.round(1)

# %% [markdown]
# Table 4 of the paper, beside ours. Theirs is of Yelp, and of twelve blocks. Its copy that we have names six columns and holds five numbers; by the drops that its text states, the missing one is "All". So its drops
# are from "8 to 12".

# %% tags=["paper-T04"]
PAPER_4 = {
    "8 to 12 + C": 97.47,
    "9 to 12 + C": 97.43,
    "10 to 12 + C": 97.19,
    "11 to 12 + C": 96.70,
    "only 12 + C": 93.11,
}
note(paper_last=PAPER_4["8 to 12 + C"] - PAPER_4["only 12 + C"])
print("paper, Yelp:", PAPER_4)
accuracy = pd.DataFrame({name: run.accuracy for name, run in frozen.items()})
accuracy = 100 * accuracy.set_axis(labels)
accuracy.loc["all"] = {name: 100 * right.mean() for name, right in whole.items()}
ours = {task: accuracy[group].mean(axis=1) for task, group in TASKS.items()}
pd.DataFrame(ours).loc[["all", *labels]].add_prefix("ours, ").round(2)

# %% [markdown]
# Are the later blocks crucial? If the map is right, each block that is frozen behind the boundary costs more than each block before it: the curve of losses bends there. The bend is the difference of the two, in points
# per block:


# %%
def bend(name, cut, rows=slice(None)):
    """Points lost per block frozen behind a cut, less those per block before it."""
    parts = frozen[name].right[:, rows]
    gone = 100 * (whole[name][rows].mean() - parts.mean(axis=1))
    before = gone[cut - 1]
    return (gone[-1] - before) / (n_blocks - cut) - before / cut


# %% [markdown]
# At every cut:

# %%
bends = pd.DataFrame(
    {name: [bend(name, c) for c in range(1, n_blocks)] for name in frozen},
    index=cuts,
)
bends.round(2)

# %% [markdown]
# At the predicted boundary, in the mean over seeds, with a 95 % interval from validation texts drawn again with replacement, the same texts for all seeds:

# %%
rng = np.random.default_rng(seed)
crucial = {}
for task, group in TASKS.items():
    n_texts = len(whole[group[0]])
    draws = rng.integers(0, n_texts, (500, n_texts))
    drawn = [np.mean([bend(m, predicted[m], d) for m in group]) for d in draws]
    middle = np.mean([bend(m, predicted[m]) for m in group])
    crucial[task] = [middle, *np.quantile(drawn, [0.025, 0.975])]
crucial = pd.DataFrame(crucial, index=["points per block", "from", "to"]).T
crucial.round(2)

# %% [markdown]
# And the losses themselves, in the mean over seeds: with the first block frozen, with two, with three, with all before the boundary ("cut"), with one block more, with all.

# %%
CASES = {
    "1": lambda name: 0,
    "2": lambda name: 1,
    "3": lambda name: 2,
    "cut": lambda name: predicted[name] - 1,
    "next": lambda name: predicted[name],
    "all": lambda name: -1,
}
means(frozen, CASES, "freeze").round(2)

# %% [markdown]
# Where the bend is largest:

# %%
for task in TASKS:
    middle, low, high = crucial.loc[task]
    key = f"bend_{task.lower().replace('-', '')}"
    note(**{key: middle, f"{key}_low": low, f"{key}_high": high})
steepest = bends.idxmax()
note(n_models=len(frozen), least_bend=bends.min(axis=None))
note(n_steepest=sum(steepest[m] == cuts[predicted[m] - 1] for m in frozen))
note(steepest=", ".join(dict.fromkeys(steepest)))
note(linear_sst2=ours["SST-2"]["only C"], linear_yelp=ours["Yelp"]["only C"])
steepest.to_frame("largest bend")

# %% [markdown]
# On SST-2 one frozen block costs {glue:text}`freeze_sst2_1:.1f` points (give or take {glue:text}`freeze_sst2_1_give:.1f`), two cost {glue:text}`freeze_sst2_2:.1f` ({glue:text}`freeze_sst2_2_give:.1f`), and all of them {glue:text}`freeze_sst2_all:.0f`; on Yelp it is {glue:text}`freeze_yelp_1:.1f` ({glue:text}`freeze_yelp_1_give:.1f`), {glue:text}`freeze_yelp_2:.1f` ({glue:text}`freeze_yelp_2_give:.1f`) and {glue:text}`freeze_yelp_all:.0f`: little at first and much at the end, as in the paper's Table 4. But the loss does not wait for the boundary. With three frozen
# blocks it is {glue:text}`freeze_sst2_3:.1f` points ({glue:text}`freeze_sst2_3_give:.1f`) and {glue:text}`freeze_yelp_3:.1f` ({glue:text}`freeze_yelp_3_give:.1f`); with those before the boundary, {glue:text}`cut_sst2_0:d` and {glue:text}`cut_yelp_0:d`, it is {glue:text}`freeze_sst2_cut:.1f` ({glue:text}`freeze_sst2_cut_give:.1f`) and {glue:text}`freeze_yelp_cut:.1f` ({glue:text}`freeze_yelp_cut_give:.1f`). What the paper's two rows nearest to its boundary show, a drop of a few hundredths of a point, is not what we see. At the other end we agree: with the last block alone to learn, our encoder of Yelp loses those {glue:text}`freeze_yelp_cut:.1f` points, the paper's {glue:text}`paper_last:.1f` of what it had with five.
#
# The bend at the boundary is {glue:text}`bend_sst2:.1f` points per block [{glue:text}`bend_sst2_low:.1f`, {glue:text}`bend_sst2_high:.1f`] on SST-2 and {glue:text}`bend_yelp:.1f` [{glue:text}`bend_yelp_low:.1f`, {glue:text}`bend_yelp_high:.1f`] on Yelp. So *the later layers are crucial* holds: a late block that cannot be trained costs more than an early one. It says little for the map, though. The bend is at least {glue:text}`least_bend:.1f` wherever one asks, and largest at
# {glue:text}`steepest`; that is where it was predicted in {glue:text}`n_steepest:d` of {glue:text}`n_models:d` encoders. With every block frozen the classifier alone still gets {glue:text}`linear_sst2:.0f` % of SST-2 right and {glue:text}`linear_yelp:.0f` % of Yelp: that much stood at [CLS] before.
#
# ## How many blocks suffice?
#
# Only the first n blocks are kept, and fine-tuned. With n = 0 the classifier reads the embedding at [CLS], which is the same for every text; the paper has this row too.

# %% tags=["paper-S07"]
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
note(
    **{f"enough_{task}_{s}": sufficient[name] for name, (task, s) in MODELS.items()}
)
pd.Series(sufficient, name="blocks that are enough").to_frame()

# %% [markdown]
# The paper's table for the reviewers, as far as it is told in the discussion: points lost compared with all twelve blocks. It has rows for 12, 8, 4, 2, 1 and 0 blocks, so "one fewer" is two blocks on Yelp, as
# far as we can tell.

# %%
PAPER_7 = pd.DataFrame(
    {
        "Yelp, 4 of 12": {"with these": 0.01, "with one fewer": 0.10},
        "SST-2, 2 of 12": {"with these": 0.54, "with one fewer": 8.60},
    }
)
PAPER_7

# %% [markdown]
# The two rules beside each other. By the boundary, as many blocks are kept as lie before it ("cut"); by the paper's count, as many as lie behind it ("count"). Points lost with these, with one block fewer, and with half of the blocks:

# %%
RULES = {
    "cut": lambda name: predicted[name],
    "fewer": lambda name: predicted[name] - 1,
    "count": lambda name: n_blocks - predicted[name],
    "count_fewer": lambda name: n_blocks - predicted[name] - 1,
    "half": lambda name: n_blocks // 2,
}
note(one_sst2=100 * np.mean([first[m].accuracy[1] for m in TASKS["SST-2"]]))
note(one_yelp=100 * first["Yelp"].accuracy[1])
means(first, RULES, "keep").round(2)

# %% [markdown]
# One block alone, fine-tuned, does most of the work: {glue:text}`one_sst2:.0f` % right on SST-2 and {glue:text}`one_yelp:.0f` % on Yelp, where no block at all is chance. Further blocks add a few points each, or nothing; there is no second cliff. As many blocks as lie before the boundary lose {glue:text}`keep_sst2_cut:.1f` points, give or take {glue:text}`keep_sst2_cut_give:.1f`, on SST-2 and {glue:text}`keep_yelp_cut:.1f`
# ({glue:text}`keep_yelp_cut_give:.1f`) on Yelp; one block fewer {glue:text}`keep_sst2_fewer:.1f` ({glue:text}`keep_sst2_fewer_give:.1f`) and {glue:text}`keep_yelp_fewer:.1f` ({glue:text}`keep_yelp_fewer_give:.1f`). By the paper's count it is {glue:text}`keep_sst2_count:.1f` ({glue:text}`keep_sst2_count_give:.1f`) and {glue:text}`keep_yelp_count:.1f` ({glue:text}`keep_yelp_count_give:.1f`), where the paper has 0.54 and
# 0.01; with one fewer {glue:text}`keep_sst2_count_fewer:.1f` and {glue:text}`keep_yelp_count_fewer:.1f`, the last because nothing is left.
#
# Within a point for sure takes {glue:text}`enough_sst2_0:d`, {glue:text}`enough_sst2_1:d` and {glue:text}`enough_sst2_2:d` blocks on SST-2, {glue:text}`enough_yelp_0:d` on Yelp, of {glue:text}`n_blocks:d`.
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

# %% [markdown]
# The last row is the whole encoder:

# %%
gain = pd.DataFrame(gain).T
gain = gain / gain.iloc[-1]
note(time_half=100 * gain["time"].iloc[n_blocks // 2])
note(size_half=100 * gain["parameters"].iloc[n_blocks // 2])
gain.round(2)

# %% [markdown]
# With half of the blocks a batch takes {glue:text}`time_half:.0f` % of the time. Of the parameters {glue:text}`size_half:.0f` % are left, because most of them are word embeddings. It costs {glue:text}`keep_sst2_half:.1f` points on SST-2 ({glue:text}`keep_sst2_half_give:.1f`) and {glue:text}`keep_yelp_half:.1f` ({glue:text}`keep_yelp_half_give:.1f`) on Yelp.

# %% [markdown]
# ## Without any training
#
# Phang, Liu and Bowman left out the last blocks of fine-tuned encoders and found that little was lost, without any further training {cite:p}`phang2021finetuned`. The same here, and two more *block ablations*: one block
# left out, and two neighbours in each other's place.

# %%
cut_up = {
    name: block_ablation.load(f"{task}-interventions", profile, s)
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


# %% [markdown]
# Without one block, with two swapped, with only the first n:

# %%
without = table_of("without", [f"without {k + 1}" for k in range(n_blocks)])
swapped = table_of(
    "swapped", [f"{k} and {k + 1} swapped" for k in range(1, n_blocks)]
)
only = table_of("first", [f"first {n}" for n in range(n_blocks)])
pd.concat([only, without, swapped]).round(1)

# %% [markdown]
# In the mean over seeds:

# %%
for task, group in TASKS.items():
    key = task.lower().replace("-", "")
    gone, turned = without[group].mean(axis=1), swapped[group].mean(axis=1)
    note(**{f"drop_{key}_first": gone.iloc[0], f"drop_{key}_last": gone.iloc[-1]})
    note(**{f"drop_{key}_inner": gone.iloc[1:-1].max()})
    note(**{f"swap_{key}_most": turned.max(), f"swap_{key}_least": turned.min()})
    left = 100 * np.mean([cut_up[m].first[-2:].mean(axis=1) for m in group], axis=0)
    note(**{f"left_{key}_two": left[0], f"left_{key}_one": left[1]})
note(
    n_missed_more=int((without["Yelp"].iloc[:-1] > without["Yelp"].iloc[-1]).sum())
)

# %% [markdown]
# Without its last block, and nothing else changed, the encoder of SST-2 loses {glue:text}`drop_sst2_last:.0f` points, more than without any other: the first costs {glue:text}`drop_sst2_first:.1f`, those between at most {glue:text}`drop_sst2_inner:.1f`. The encoder of Yelp loses {glue:text}`drop_yelp_last:.1f`, and most without its first ({glue:text}`drop_yelp_first:.1f`). Without the last two blocks
# both guess: {glue:text}`left_sst2_two:.0f` and {glue:text}`left_yelp_two:.0f` %. Phang and his colleagues could leave out more, in larger encoders whose last blocks were alike. Neighbours in each other's place cost {glue:text}`swap_sst2_least:.1f` to {glue:text}`swap_sst2_most:.1f` points, on Yelp {glue:text}`swap_yelp_least:.1f` to {glue:text}`swap_yelp_most:.1f`. So the boundary that the map shows is no border of what can be left out. Of the two blocks behind it on SST-2
# one costs most of all, the other less than any; on Yelp {glue:text}`n_missed_more:d` of the five blocks before it are missed more than the one behind it.
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
    told = {"xlabel": "accuracy (%)", "vmax": 100, "boundary": predicted[name]}
    frames.append(viz.block_stack(n_blocks, n, left, **told))
    said = ", ".join(f"{how} {value:.1f} %" for how, value in left.items())
    alts.append(f"The first {n} of {n_blocks} blocks kept: {said}")
stepper(frames, alts, "blocks kept")

# %% [markdown]
# Trained again, few blocks do most of the work; left alone, even {glue:text}`n_left:d` of {glue:text}`n_blocks:d` are far from it here. What is missing then is not what the blocks know, as we see next.
#
# ## What the blocks know
#
# Readouts: a logistic regression, and a network of two layers, from what a block says of {glue:text}`n_learned:,d` training texts to their labels; accuracy on {glue:text}`n_read:d` others. The authors told their reviewers: about 50 % for the linear one, on every block but the last, and 50 to
# 59 % for the other; that was on Yelp. Ours of Yelp:

# %%
run = cut_up["Yelp"]
columns = pd.MultiIndex.from_product(
    [("as it came", "fine-tuned"), ("linear", "two layers"), ("[CLS]", "mean")]
)

readouts = {}
for task, group in TASKS.items():
    known = 100 * np.mean([cut_up[m].readouts for m in group], axis=0)
    table = pd.DataFrame(known.reshape(8, n_blocks).T, columns=columns)
    readouts[task] = table.set_axis([f"block {k + 1}" for k in range(n_blocks)])
n_learned = run.record.parameters["n_learned"]
note(n_read=run.n_read, n_learned=n_learned, n_left=n_blocks - 1)
readouts["Yelp"].round(1)

# %% [markdown]
# And of SST-2, in the mean over the seeds:

# %%
readouts["SST-2"].round(1)

# %% [markdown]
# At [CLS], on all blocks but the last, and on the last:


# %%
def quotes(values):
    """What the sentences quote of a readout of every block."""
    but_last = values.iloc[:-1]
    return {
        "first": values.iloc[0],
        "least": but_last.min(),
        "most": but_last.max(),
        "before": but_last.iloc[-1],
        "last": values.iloc[-1],
    }


# %% [markdown]
# For every readout, under a name of its own:

# %%
KEYS = {"as it came": "came", "fine-tuned": "tuned", "[CLS]": "", "mean": "mean_"}
KEYS |= {"linear": "line", "two layers": "mlp"}
for task, table in readouts.items():
    for which, kind, pooling in columns:
        of = f"{KEYS[kind]}_{task.lower().replace('-', '')}_{KEYS[which]}"
        quoted = quotes(table[which, kind, pooling]).items()
        note(**{f"{KEYS[pooling]}{of}_{k}": value for k, value in quoted})

# %% [markdown]
# On Yelp, on all blocks but the last, a linear readout at [CLS] gets from {glue:text}`line_yelp_tuned_least:.0f` to {glue:text}`line_yelp_tuned_most:.0f` % right after fine-tuning, {glue:text}`line_yelp_tuned_last:.0f` on the last; as the encoder came, {glue:text}`line_yelp_came_least:.0f` to {glue:text}`line_yelp_came_most:.0f`, and {glue:text}`line_yelp_came_last:.0f` on the last. With two layers it is {glue:text}`mlp_yelp_tuned_least:.0f` to {glue:text}`mlp_yelp_tuned_most:.0f` and
# {glue:text}`mlp_yelp_came_least:.0f` to {glue:text}`mlp_yelp_came_most:.0f`. On SST-2 the linear readouts get {glue:text}`line_sst2_tuned_least:.0f` to {glue:text}`line_sst2_tuned_most:.0f` and {glue:text}`line_sst2_came_least:.0f` to {glue:text}`line_sst2_came_most:.0f`. Nothing of this is near chance. (It says little of BERT-base: this encoder had been tuned to tell sentences apart before it came.) In the first block the mean over tokens knows more than [CLS] does ({glue:text}`mean_line_yelp_tuned_first:.0f` % in place of {glue:text}`line_yelp_tuned_first:.0f` on Yelp, {glue:text}`mean_line_sst2_tuned_first:.0f` in place of {glue:text}`line_sst2_tuned_first:.0f` on SST-2).
#
# And the encoder that was cut before its last block and left alone? On SST-2 it was right in {glue:text}`left_sst2_one:.0f` %, while a new linear readout of the same numbers is right in {glue:text}`line_sst2_tuned_before:.0f` %. So most of what that cut loses was there: the old classifier reads it in the wrong directions. On Yelp the old one gets {glue:text}`left_yelp_one:.1f` and a new one {glue:text}`line_yelp_tuned_before:.1f`. Accuracy after a cut measures the reader, too.
#
# ## Does the map predict it?
#
# For every cut k | k + 1, what it costs to cross it: what freezing one block more costs; what one block fewer costs; what is lost by leaving out the block after it; and by swapping the two.
# Against four predictors: the distance of the two blocks under GW, under CKA, under the cosine, and the depth of the cut. Rank correlation within each encoder, so that only the order of its cuts counts.

# %%
costs = {
    "freeze one more": {m: np.diff([0, *frozen_lost[m]])[1:] for m in frozen},
    "keep one fewer": {m: -np.diff([*truncating[m], 0])[1:] for m in first},
    "leave out": {m: without[m].to_numpy()[1:] for m in cut_up},
    "swap": {m: swapped[m].to_numpy() for m in cut_up},
}


# %% [markdown]
# In the mean over the encoders:


# %%
def rank(one, other):
    """Rank correlation; NaN if all values of one are the same."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return stats.spearmanr(one, other).statistic


def foretold(predictor, cost):
    """Rank correlation of a predictor with a cost, mean over the encoders."""
    found = [rank(predictor[name], values) for name, values in costs[cost].items()]
    return pd.Series(found).mean()


# %% [markdown]
# All predictors, all costs:

# %%
depth = pd.DataFrame({name: range(n_blocks - 1) for name in MODELS}, index=cuts)
PREDICTORS = {"GW": gw, "CKA": cka, "cosine": cosine, "depth": depth}
prediction = pd.DataFrame(
    {p: {c: foretold(PREDICTORS[p], c) for c in costs} for p in PREDICTORS}
)
for predictor, column in prediction.items():
    for cost, value in column.items():
        note(**{f"tell_{predictor.lower()}_{cost.split()[0]}": value})
prediction.round(2)

# %% [markdown]
# How large is such a mean by chance? The cuts of four encoders in a random order, a thousand times:

# %%
rng = np.random.default_rng(seed)
places = np.arange(n_blocks - 1)
by_chance = [
    np.mean([rank(places, rng.permutation(places)) for _ in frozen])
    for _ in range(1000)
]
note(chance=float(np.quantile(np.abs(by_chance), 0.95)))

# %% [markdown]
# In one case of twenty it is farther from 0 than {glue:text}`chance:.2f`. (And these encoders are not independent networks: all began with the same weights.)
#
# What freezing costs grows with depth ({glue:text}`tell_depth_freeze:.2f`), and GW, whose strong boundaries are late ones, agrees ({glue:text}`tell_gw_freeze:.2f`). But one block fewer, or two in the wrong order, cost most at the *start* ({glue:text}`tell_depth_keep:.2f` and {glue:text}`tell_depth_swap:.2f` by depth), where the map shows its weakest boundaries
# ({glue:text}`tell_gw_keep:.2f` and {glue:text}`tell_gw_swap:.2f`). So one and the same boundary foretells a high cost of one act and a low cost of another, and depth foretells both. Leaving a block out has little to do with depth ({glue:text}`tell_depth_leave:.2f`). There GW says {glue:text}`tell_gw_leave:.2f` and the cosine {glue:text}`tell_cosine_leave:.2f`, both within chance; CKA says {glue:text}`tell_cka_leave:.2f`, with the
# wrong sign: what it finds most unlike is missed least. A map that is to guide a cut has to beat a count of layers first, and here none does.
#
# ## Pruning, merging, and block structure
#
# The reviewers asked how the method relates to three neighbours. *Pruning by blocks* asks which blocks may go. It has been done by place, from the top, from the bottom or every other one, by how little a block
# changes {cite:p}`sajjad2023effect`, and by block influence {cite:p}`men2025shortgpt`. These rules read one line of a map, the one beside its diagonal; the column "cosine" above is the last of them, at [CLS]. *Merging* joins
# two networks into one, and needs to know which unit of one does the work of which unit of the other {cite:p}`stoica2024zipit`. A plan of Gromov-Wasserstein says which *input* goes with which, so it answers another
# question. *Block structure*, groups in maps, was seen before, under CKA: in networks that are large for their data, where neighbouring layers pass on one dominant direction {cite:p}`nguyen2021wide`. That is a warning for this
# book: layers can be alike because one direction outshines what differs, so a group on a map is not yet a function. What is cut here, and in [chapter 13](13-is-the-boundary-real.ipynb), is the test of that.
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
# *Difficulty 1 of 4, importance 3 of 5, 5 minutes.* Write `strongest_cut(values)`: for a map of distances (L, L), how many layers come before its largest step from one layer to the next.
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
# *Difficulty 2 of 4, importance 4 of 5, 10 minutes.* A stack of blocks is a list of functions, applied one after the other. Write `without_block(blocks, k)`: the function that the stack is without its block number k, counted from 1.
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
# *Difficulty 3 of 4, importance 5 of 5, 10 minutes.* Write `points_lost(whole, part)`: from which texts (n,) the whole encoder and its part answer right, the points of accuracy lost, and half the width of the 95 % interval of that.
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
# *Difficulty 3 of 4, importance 4 of 5, 15 minutes.* With the first 0, 1, ..., L - 1 blocks so many points are lost, each give or take half of an interval. Write `enough(lost, half, tolerance)`: the least number of blocks from which on the loss is never above the tolerance, even at the upper end of its interval. If there is none, L.
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
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C26: freezing the blocks before the boundary costs next to nothing (E, Table 4) | ours | disagrees for `all-MiniLM-L6-v2` | on SST-2 {glue:text}`freeze_sst2_cut:.1f` points (give or take {glue:text}`freeze_sst2_cut_give:.1f`), three seeds; on Yelp {glue:text}`freeze_yelp_cut:.1f` ({glue:text}`freeze_yelp_cut_give:.1f`); with two blocks {glue:text}`freeze_sst2_2:.1f` ({glue:text}`freeze_sst2_2_give:.1f`) and {glue:text}`freeze_yelp_2:.1f` ({glue:text}`freeze_yelp_2_give:.1f`) |
# | C26: freezing those behind it costs more and more; "the later layers are crucial" | ours | agrees, wherever one puts the boundary | behind it {glue:text}`bend_sst2:.1f` points per block more than before it [{glue:text}`bend_sst2_low:.1f`, {glue:text}`bend_sst2_high:.1f`] on SST-2, {glue:text}`bend_yelp:.1f` [{glue:text}`bend_yelp_low:.1f`, {glue:text}`bend_yelp_high:.1f`] on Yelp; at least {glue:text}`least_bend:.1f` at any place |
# | C30: as many first blocks suffice as the map marks as different (reviews, Table 7) | ours | disagrees for `all-MiniLM-L6-v2` | {glue:text}`keep_sst2_count:.1f` points lost on SST-2 (give or take {glue:text}`keep_sst2_count_give:.1f`), {glue:text}`keep_yelp_count:.1f` ({glue:text}`keep_yelp_count_give:.1f`) on Yelp |
# | C30: as many as lie before the boundary suffice | ours | disagrees on SST-2, not on Yelp | {glue:text}`keep_sst2_cut:.1f` ({glue:text}`keep_sst2_cut_give:.1f`) on SST-2, {glue:text}`keep_yelp_cut:.1f` ({glue:text}`keep_yelp_cut_give:.1f`) on Yelp |
# | C30: one block fewer costs far more | ours | disagrees on SST-2: there is no cliff; on Yelp, where one block is left by the count, without it there is nothing | {glue:text}`keep_sst2_count_fewer:.1f` in place of {glue:text}`keep_sst2_count:.1f` on SST-2; before the boundary {glue:text}`keep_sst2_fewer:.1f` in place of {glue:text}`keep_sst2_cut:.1f`, on Yelp {glue:text}`keep_yelp_fewer:.1f` in place of {glue:text}`keep_yelp_cut:.1f` |
# | C31: a linear readout is near chance on every block but the last (reviews, Yelp) | ours | disagrees for `all-MiniLM-L6-v2`, which had been tuned on sentences before it came | at [CLS] {glue:text}`line_yelp_tuned_least:.0f` to {glue:text}`line_yelp_tuned_most:.0f` % fine-tuned, {glue:text}`line_yelp_came_least:.0f` to {glue:text}`line_yelp_came_most:.0f` % as it came; on SST-2 {glue:text}`line_sst2_tuned_least:.0f` to {glue:text}`line_sst2_tuned_most:.0f` and {glue:text}`line_sst2_came_least:.0f` to {glue:text}`line_sst2_came_most:.0f` |
# | C31: one of two layers goes from 50 to 59 % | ours | disagrees, likewise | on Yelp {glue:text}`mlp_yelp_tuned_least:.0f` to {glue:text}`mlp_yelp_tuned_most:.0f` %, as it came {glue:text}`mlp_yelp_came_least:.0f` to {glue:text}`mlp_yelp_came_most:.0f` % |
# | D04: no evidence that a group is a function: does the map foretell what cutting costs? | - | justified: no better than depth does | rank correlation of GW with what freezing costs {glue:text}`tell_gw_freeze:.2f`, keeping fewer {glue:text}`tell_gw_keep:.2f`, leaving out {glue:text}`tell_gw_leave:.2f`, swapping {glue:text}`tell_gw_swap:.2f`; of depth {glue:text}`tell_depth_freeze:.2f`, {glue:text}`tell_depth_keep:.2f`, {glue:text}`tell_depth_leave:.2f`, {glue:text}`tell_depth_swap:.2f`; by chance up to {glue:text}`chance:.2f` |
# | D14: can a sub-network stand in for the whole, or make it faster? | - | answered: it can, at a price | half of the blocks take {glue:text}`time_half:.0f` % of the time and lose {glue:text}`keep_sst2_half:.1f` ({glue:text}`keep_sst2_half_give:.1f`) points on SST-2, {glue:text}`keep_yelp_half:.1f` ({glue:text}`keep_yelp_half_give:.1f`) on Yelp |
# | D15: how does this relate to pruning, merging and earlier work on block structure? | - | answered: they are compared, and pruning has a measure much like these | the cosine at [CLS], a relative of block influence, foretells what leaving a block out costs with {glue:text}`tell_cosine_leave:.2f`, GW with {glue:text}`tell_gw_leave:.2f` |
#
# What this cannot say: it is one small encoder, with five places to cut, and of Yelp there is one seed. BERT-base was not run, so no row tests the paper's own condition. A boundary that is clearer there would be tested better there.
#
# **Before you cut a network where its map has a boundary**: cut it elsewhere, too, and count layers.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
