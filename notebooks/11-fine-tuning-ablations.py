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
#     data: [encoder-maps/sst2-dense, encoder-maps/yelp-dense, encoder]
# ---

# %% [markdown]
# # 11 Fine-tuning ablations
#
# A {term}`layer map` shows where an encoder changes. Does it also say which {term}`blocks <block>` can stay frozen ({term}`freezing`), and which can be left out ({term}`truncation`)?
#
# ## In short
#
# The paper freezes the first blocks of BERT and loses next to nothing. It also keeps only the first few, and loses little. We did both with an encoder of twelve blocks, and trained it for a short time only. With six frozen blocks we see no loss. The map's clearest step leads into block ten, so freezing the nine blocks before it should lose nothing. But it loses {glue:text}`freeze_sst2_cut:.1f` points on SST-2 and {glue:text}`freeze_yelp_cut:.1f` on Yelp. And after this training few blocks are not enough: with the first four alone we lose {glue:text}`keep_yelp_4:.1f` points on Yelp. Without any training, every block but the last can be left out for less than {glue:text}`out_next_up:.0f` points. In none of five kinds of cuts does the map predict the loss beyond chance and better than depth.
#
# :::{glue:figure} fig_in_short_11
# :name: fig-11-in-short
# :alt: Two panels. Left: points lost on SST-2 and Yelp over the number of frozen blocks, near zero up to six, about three at the map's cut, and about nine with all frozen. Right: points lost on SST-2 and Yelp over the number of blocks kept, more than 40 with one block, falling to zero with all twelve.
#
# Points of accuracy lost, with 95 % intervals. On the left the first blocks stay frozen. On the right only the first blocks are kept. The upright line is the *map's cut*: after block nine comes the clearest step of the map.
# :::
#
# :::{admonition} What you will learn
# - how to write down a prediction before looking;
# - what is lost by freezing and by truncation, with paired {term}`intervals <interval>` from the same texts;
# - which blocks are missed when they are left out, and what each of them holds;
# - how to ask whether a map predicts a loss better than depth does.
#
# **Time**: 15 minutes to read, half a minute to run.
# **In the paper**: appendix E with Table 4; the discussion of its reviews, with the table of truncations.
# **You need**: [chapter 08](08-bert-subnetworks.ipynb).
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
import copy
import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import nn
from transformers import MPNetConfig, MPNetForSequenceClassification

import funcsim as fs
from exercises import chapter_11 as check
from funcsim import viz
from replication.encoder import block_ablation, block_maps, dense, freezing
from replication.stored import data_dir, load_record

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Two rules, written down first
#
# The paper's Table 4 freezes the first blocks of BERT, fine-tunes the rest, and finds next to no loss before its {term}`boundary`. A table for its reviewers keeps only the first blocks instead. There the first four of twelve suffice on Yelp, and the first two on SST-2.
#
# Our encoder is MPNet with {glue:text}`n_blocks:d` blocks. [Chapter 08](08-bert-subnetworks.ipynb) shows its maps after {term}`fine-tuning`. On both tasks the clearest step of the map leads into block {glue:text}`cut:d`. `fs.partition_into` divides the map there into two {term}`groups <group>`, and we call this place the *map's cut*. So we expect two things:
#
# 1. With blocks 1 to {glue:text}`before:d` frozen nothing is lost, and each further block loses much.
# 2. Blocks 1 to {glue:text}`before:d` alone are as good as all.
#
# The paper has another rule. Its map sets some of the *last* blocks apart. Its table then keeps the same number of *first* blocks. So we also ask whether the first four and the first two suffice.

# %%
TASKS = {"sst2": "SST-2", "yelp": "Yelp"}
mapped = {task: block_maps.load(f"{task}-dense", profile) for task in TASKS}

# %% tags=["remove-cell"]
n_blocks = len(mapped["sst2"].maps["mean/mean/gw"].names)
cuts = {
    task: fs.partition_into(one.maps["mean/mean/gw"], 2).boundaries[0]
    for task, one in mapped.items()
}
before = cuts["sst2"]
note(n_blocks=n_blocks, cut=before + 1, before=before)
note(cuts_agree=len(set(cuts.values())))

# %% [markdown]
# These rules have two limits from the start. To draw the map, the encoder must first be fine-tuned *as a whole*, so freezing afterwards saves nothing. And the test of [chapter 06](06-modular-sum-subnetworks.ipynb) does not find a boundary at the map's cut. We use this cut without a test, as the paper uses its own.
#
# ## What is lost by freezing
#
# The embeddings and the first n blocks stay as they are, and the rest is fine-tuned. All encoders read the same texts in the same order, for {glue:text}`steps_sst2:d` steps on SST-2 and {glue:text}`steps_yelp:d` on Yelp. There is one seed. With so few steps the accuracy of the whole encoder is {glue:text}`whole_sst2:.1f` % on SST-2 and {glue:text}`whole_yelp:.1f` % on Yelp.


# %%
def trained(task, kind):
    """A stored series of fine-tuned encoders."""
    return freezing.load(f"encoder/{task}-{kind}", profile)


frozen = {task: trained(task, "freeze") for task in TASKS}
first = {task: trained(task, "first") for task in TASKS}
whole = {task: run.right[-1] for task, run in first.items()}

# %% tags=["remove-cell"]
for task in TASKS:
    told = first[task].record.parameters["training"]
    note(**{f"steps_{task}": told["steps"]})
    note(**{f"whole_{task}": 100 * whole[task].mean()})
    note(**{f"n_texts_{task}": len(whole[task])})

# %% [markdown]
# Every encoder answers the same validation texts. So the comparison is *paired*. A text counts 1 if only the whole encoder answers it right, -1 if only the other does, and 0 otherwise. The mean of these numbers is the loss.


# %%
def lost(whole, part):
    """Points of accuracy lost, and half of the 95 % interval."""
    apart = whole.astype(float) - part
    return 100 * apart.mean(), 196 * apart.std() / np.sqrt(len(apart))


# %% [markdown]
# Here are the losses on both tasks. The paper's Table 4 is about Yelp. Our copy of this table has five numbers under six headings. The drops in the paper's text show which one is missing: the number under the heading "all", where all blocks are trained. So the paper's losses in our figure are counted from seven frozen blocks.

# %% tags=["remove-cell"]
PAPER_4 = {7: 97.47, 8: 97.43, 9: 97.19, 10: 96.70, 11: 93.11}
PAPER_7 = {"yelp": {4: 0.01, 2: 0.10}, "sst2": {2: 0.54, 1: 8.60}}


def losses(runs, with_whole):
    """By task: numbers of blocks, points lost, halves of intervals."""
    found = {}
    for task, run in runs.items():
        rows = [lost(whole[task], right) for right in run.right]
        n = [int(k) for k in run.n]
        if with_whole and 0 not in n:
            n, rows = [0, *n], [(0.0, 0.0), *rows]
        found[task] = pd.DataFrame(rows, index=n, columns=["lost", "half"])
    return found


frozen_lost, first_lost = losses(frozen, True), losses(first, False)

# %% [markdown]
# {numref}`fig-11-freeze` shows our losses and the paper's.


# %% tags=["paper-T04", "hide-input"] mystnb={"image": {"alt": "Points lost over the number of frozen blocks, ours on SST-2 and Yelp and the paper's on Yelp. All are near zero up to six or seven blocks. At the map's cut, nine, both of ours are about three points and the paper's is below one. At eleven ours are five and six, and the paper's four."}, "figure": {"name": "fig-11-freeze", "caption": "Points of accuracy lost if the first blocks stay frozen. Ours are counted from the whole encoder. The paper's are for Yelp, and counted from seven frozen blocks. Ours rise before the map's cut. The paper's rise later."}}
def draw(ax, tables, paper, xlabel, cut=before):
    """Losses of both tasks, and the paper's, over a number of blocks."""
    styles = {"sst2": ("o-", viz.BLUE), "yelp": ("s--", viz.ORANGE)}
    for task, table in tables.items():
        line, colour = styles[task]
        ax.errorbar(
            table.index,
            table["lost"],
            table["half"],
            fmt=line,
            color=colour,
            ms=5,
            label=TASKS[task],
        )
    for (name, points), fill in zip(paper.items(), "kw", strict=False):
        ax.plot([*points], [*points.values()], "k^:", mfc=fill, label=name)
    ax.axvline(cut, label="map's cut", color=viz.GREY, lw=1)
    ax.axhline(0, color="black", lw=0.6)
    ax.set(xlabel=xlabel, ylabel="points of accuracy lost")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize=8)


drops = {"paper, Yelp": {n: PAPER_4[7] - x for n, x in PAPER_4.items()}}
fig, ax = plt.subplots(figsize=(6.0, 3.4), dpi=110, layout="constrained")
plt.close(fig)
draw(ax, frozen_lost, drops, "first blocks that stay frozen")
fig

# %% tags=["remove-cell"]
fig, axes = plt.subplots(1, 2, figsize=(7, 3.3), layout="constrained")
plt.close(fig)
draw(axes[0], frozen_lost, {}, "first blocks frozen")
draw(axes[1], first_lost, {}, "first blocks kept")
keep_figure("fig_in_short_11", fig)

# %% [markdown]
# The table has the accuracies, ours and the paper's.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-11-freeze", "caption": "Accuracy in per cent with the first n blocks frozen, ours and the paper's. With 12 frozen blocks only the classifier learns."}}
table_4 = pd.DataFrame(
    {
        f"ours, {TASKS[task]}": dict(
            zip(
                [0, *map(int, run.n)],
                100 * np.array([whole[task].mean(), *run.accuracy]),
                strict=True,
            )
        )
        for task, run in frozen.items()
    }
)
table_4["paper, Yelp"] = pd.Series(PAPER_4)
shown = table_4.map(lambda x: "" if pd.isna(x) else f"{x:.2f}")
shown.rename_axis("frozen")

# %% tags=["remove-cell"]
for task, table in frozen_lost.items():
    at = before if before in table.index else table.index[-2]
    named = {"6": 6, "7": 7, "8": 8, "cut": at, "all": n_blocks}
    named["most"] = n_blocks - 1
    for key, n in named.items():
        n = n if n in table.index else table.index[-1]
        note(**{f"freeze_{task}_{key}": table.loc[n, "lost"]})
        note(**{f"freeze_{task}_{key}_half": table.loc[n, "half"]})
    early = table.loc[at, "lost"] / at
    late = (table["lost"].iloc[-1] - table.loc[at, "lost"]) / max(
        table.index[-1] - at, 1
    )
    note(**{f"early_{task}": early, f"late_{task}": late})
    late_from = {
        n: (table["lost"].iloc[-1] - table.loc[n, "lost"]) / (table.index[-1] - n)
        - table.loc[n, "lost"] / n
        for n in table.index[1:-1]
        if n
    }
    note(**{f"steepest_{task}": max(late_from, key=late_from.get, default=0)})
    note(**{f"bend_{task}": late_from.get(at, 0.0)})
    note(**{f"least_bend_{task}": min(late_from.values(), default=0.0)})
    note(**{f"probe_{task}": 100 * frozen[task].accuracy[-1]})
note(paper_next=PAPER_4[7] - PAPER_4[9], paper_last=PAPER_4[7] - PAPER_4[11])

# %% [markdown]
# Freezing the first six blocks loses nothing that we can see: {glue:text}`freeze_sst2_6:.1f` points on SST-2 (± {glue:text}`freeze_sst2_6_half:.1f`), and less than nothing on Yelp. Then the loss grows, and it begins to grow before the map's cut. With eight frozen blocks it is {glue:text}`freeze_sst2_8:.1f` points on SST-2 (± {glue:text}`freeze_sst2_8_half:.1f`). With nine, which are all blocks before the cut, it is {glue:text}`freeze_sst2_cut:.1f` (± {glue:text}`freeze_sst2_cut_half:.1f`). On Yelp nine frozen blocks lose {glue:text}`freeze_yelp_cut:.1f` points (± {glue:text}`freeze_yelp_cut_half:.1f`), where the paper has {glue:text}`paper_next:.2f`. With eleven we lose {glue:text}`freeze_yelp_most:.1f` points there, and the paper {glue:text}`paper_last:.2f`. If only the classifier learns, about nine points are lost on both tasks.
#
# So we agree with the paper that the later blocks are crucial. Behind the map's cut each frozen block loses more than before it, on average {glue:text}`bend_sst2:.1f` points more on SST-2 and {glue:text}`bend_yelp:.1f` on Yelp. But the later blocks lose more wherever we divide them from the earlier ones. On Yelp this difference is at least {glue:text}`least_bend_yelp:.1f` points, and it is largest after block {glue:text}`steepest_yelp:d`, which is not the map's cut. Our training is short. With more steps the blocks that are trained could make up for some of the loss.
#
# ## How many first blocks suffice?
#
# Now only the first n blocks are kept and fine-tuned. With none, the classifier reads the embedding of {term}`[CLS]`, which is the same for every text.

# %% tags=["paper-S07", "hide-input"] mystnb={"image": {"alt": "Points lost over the number of blocks kept, for SST-2 and Yelp, and the paper's four points. Ours fall from above 40 with one block to 13 and 17 with two, 7 and 6 with four, and near 1 with eight. The paper's are all below 9."}, "figure": {"name": "fig-11-keep", "caption": "Points of accuracy lost if only the first blocks are kept and fine-tuned. The paper's four points lie far below ours."}}
fig, ax = plt.subplots(figsize=(6.0, 3.4), dpi=110, layout="constrained")
plt.close(fig)
points = {f"paper, {TASKS[t]}": p for t, p in PAPER_7.items()}
draw(ax, first_lost, points, "first blocks that are kept")
fig

# %% [markdown]
# The table has the paper's statements beside our numbers.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-11-keep", "caption": "Points of accuracy lost if only the first n blocks are kept, with half of the 95 % interval of ours."}}
rows = {}
for task, title in TASKS.items():
    for n in first_lost[task].index[:-1]:
        points, half = first_lost[task].loc[n]
        said = PAPER_7[task].get(n)
        rows[f"{title}, first {n}"] = {
            "ours": f"{points:.1f} ± {half:.1f}",
            "paper": "" if said is None else f"{said:.2f}",
        }
pd.DataFrame(rows).T

# %% tags=["remove-cell"]
for task in TASKS:
    table = first_lost[task]
    for n in (1, 2, 4, 6, 8):
        k = n if n in table.index else table.index[-1]
        note(**{f"keep_{task}_{n}": table.loc[k, "lost"]})
        note(**{f"keep_{task}_{n}_half": table.loc[k, "half"]})

# %% tags=["remove-cell"]
longer = trained("sst2", "first-longer")
note(steps_longer=longer.record.parameters["training"]["steps"])
of_n = dict(zip(map(int, longer.n), longer.right, strict=True))
for n in (1, 2):  # smoke has another encoder, of fewer blocks
    points, half = lost(whole["sst2"], of_n[n]) if n in of_n else (np.nan, np.nan)
    note(**{f"longer_{n}": points, f"longer_{n}_half": half})

# %% [markdown]
# On both tasks the loss falls from one block to all twelve. With the first four it is {glue:text}`keep_yelp_4:.1f` points on Yelp, where the paper has 0.01. With the first two it is {glue:text}`keep_sst2_2:.1f` points on SST-2, where the paper has 0.54. With eight blocks the loss is {glue:text}`keep_sst2_8:.1f` points on SST-2 (± {glue:text}`keep_sst2_8_half:.1f`). On Yelp it is {glue:text}`keep_yelp_8:.1f` (± {glue:text}`keep_yelp_8_half:.1f`). Blocks one to nine, as in our second rule, were not tried. They may be enough. The two and four blocks of the paper are not enough after this training.
#
# One thing speaks for the paper. Our training is short, and few blocks may need more steps. With one block the encoder guesses on both tasks, as it does with none, so it has hardly begun to learn. So we trained one and two blocks again on SST-2, for {glue:text}`steps_longer:d` steps. Two blocks still lose {glue:text}`longer_2:.1f` points (± {glue:text}`longer_2_half:.1f`). One block loses {glue:text}`longer_1:.1f` (± {glue:text}`longer_1_half:.1f`). The whole encoder that we compare them with was trained for {glue:text}`steps_sst2:d` steps. So with two blocks longer training makes up for about half of the loss. On Yelp longer training was not tried.
#
# What is gained? We measure the time of a batch on encoders of this size. Their weights are random, because the time does not depend on them.

# %%
size = {} if profile != "smoke" else {"hidden_size": 24}
batch = torch.full((4, 32), 5)


def encoder_of(n):
    """An encoder of n blocks with random weights."""
    config = MPNetConfig(num_hidden_layers=n, **size)
    return MPNetForSequenceClassification(config).eval()


def seconds(models, repeats=7):
    """The least of a few times for one batch, of models in turn."""
    times = []
    for model in list(models) * repeats:
        began = time.perf_counter()
        with torch.no_grad():
            model(batch)
        times.append(time.perf_counter() - began)
    return np.reshape(times, (repeats, -1)).min(axis=0)


# %% tags=["remove-cell"]
large, half = encoder_of(n_blocks), encoder_of(n_blocks // 2)
time_half, time_large = seconds([half, large])
note(time_half=100 * time_half / time_large)
sizes = [sum(p.numel() for p in model.parameters()) for model in (half, large)]
note(size_half=100 * sizes[0] / sizes[1])

# %% [markdown]
# With half of the blocks a batch takes {glue:text}`time_half:.0f` % of the time. This half keeps {glue:text}`size_half:.0f` % of the parameters, because many of them are word embeddings. The loss is {glue:text}`keep_sst2_6:.1f` points on SST-2 and {glue:text}`keep_yelp_6:.1f` on Yelp.
#
# ## Without any training
#
# Freezing and truncation train the encoder again. Now no weight changes: we take the whole {term}`fine-tuned <fine-tuning>` encoder, and leave out one block or swap two neighbours.

# %%
cut_up = {
    task: block_ablation.load(f"encoder/{task}-interventions", profile)
    for task in TASKS
}


def lost_by(task, kind):
    """Points lost, and halves of intervals, by every cut of a kind."""
    run = cut_up[task]
    return np.array([lost(run.whole, r) for r in getattr(run, kind)])


# %% [markdown]
# The losses, block by block:

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Two panels, each with SST-2 and Yelp. Left: points lost if one block is left out, below two for blocks 1 to 11; without block 12 SST-2 loses 40 and Yelp 17. Right: points lost if a block is swapped with the next, below three everywhere."}, "figure": {"name": "fig-11-without", "caption": "Points of accuracy lost without any training, with 95 % intervals: one block is left out (left), or swapped with the next (right). Only the last block is missed. The right axis is almost eight times finer. The upright line is the map's cut."}}
titles = {
    "without": "block left out",
    "swapped": "block swapped with the next",
}
fig, axes = plt.subplots(1, 2, figsize=(7, 3.0), layout="constrained")
plt.close(fig)
for ax, (kind, title) in zip(axes, titles.items(), strict=True):
    shown = {t: pd.DataFrame(lost_by(t, kind)) for t in TASKS}
    for t in TASKS:
        shown[t] = shown[t].set_axis(["lost", "half"], axis=1)
        shown[t].index += 1
    draw(ax, shown, {}, title, before + (kind == "without") / 2)
    ax.set_xticks(range(1, n_blocks + 1))
fig

# %% tags=["remove-cell"]
for task in TASKS:
    gone, turned = (lost_by(task, kind)[:, 0] for kind in titles)
    note(**{f"out_{task}_last": gone[-1], f"out_{task}_next": gone[:-1].max()})
    note(**{f"swap_{task}_most": turned.max()})
    note(**{f"n_cut_{task}": len(cut_up[task].whole)})
inner = [lost_by(task, "without")[:-1, 0].max() for task in TASKS]
note(out_next_up=np.ceil(max(inner)))
note(n_other=int((cut_up["sst2"].whole != whole["sst2"]).sum()))

# %% [markdown]
# Here the encoder is judged on {glue:text}`n_cut_sst2:d` texts of SST-2 and {glue:text}`n_cut_yelp:d` of Yelp. (The whole encoder was trained once more for this, in the same way, and its products are computed in bfloat16, a short number format. Only {glue:text}`n_other:d` of its answers on SST-2 differ from those above.) Without its last block it loses {glue:text}`out_sst2_last:.0f` points on SST-2 and {glue:text}`out_yelp_last:.0f` on Yelp. Any other block can be left out for at most {glue:text}`out_sst2_next:.1f` and {glue:text}`out_yelp_next:.1f` points. Swapping two neighbours loses at most {glue:text}`swap_sst2_most:.1f` and {glue:text}`swap_yelp_most:.1f`. This holds for the last two blocks as well. So the last block is needed, but it need not stand last. At the map's cut nothing special happens.
#
# ## What the blocks hold
#
# A {term}`readout` is a classifier from a block's output to the label. We fit a linear one to [CLS] of each block, on {glue:text}`read_learned_yelp:,d` training texts of Yelp and {glue:text}`read_learned_sst2:,d` of SST-2. It is judged on {glue:text}`read_on_yelp:d` and {glue:text}`read_on_sst2:d` others. The authors wrote to their reviewers that on Yelp such a readout is right for about half of the texts on every block but the last. For a readout of two layers they gave 50 to 59 %.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Accuracy of linear readouts at [CLS] by block. On Yelp it rises from 77 to 91 % after fine-tuning, on SST-2 from 71 to 89 %. Before fine-tuning it rises too, and falls by a few points in the last blocks."}, "figure": {"name": "fig-11-readouts", "caption": "Accuracy of linear readouts at [CLS] of each block, before and after fine-tuning. On no block are they near chance, not even before fine-tuning."}}
lines = {}
for task, title in TASKS.items():
    for state, moment in enumerate(("before", "fine-tuned")):
        of_blocks = cut_up[task].readouts[state, 0, 0]
        lines[f"{title}, {moment}"] = 100 * of_blocks
viz.curves(
    lines,
    x=range(1, n_blocks + 1),
    xlabel="block",
    ylabel="accuracy of a linear readout (%)",
)

# %% tags=["remove-cell"]
for task in TASKS:
    one = cut_up[task]
    note(**{f"read_learned_{task}": one.record.parameters["n_learned"]})
    note(**{f"read_on_{task}": one.n_read})
for state, moment in enumerate(("came", "tuned")):
    for kind, called in enumerate(("line", "mlp")):
        but_last = 100 * cut_up["yelp"].readouts[state, kind, 0, :-1]
        key = f"{called}_yelp_{moment}"
        note(**{f"{key}_least": but_last.min(), f"{key}_most": but_last.max()})

# %% [markdown]
# On Yelp, after fine-tuning, a linear readout of all blocks but the last is right for {glue:text}`line_yelp_tuned_least:.0f` to {glue:text}`line_yelp_tuned_most:.0f` % of the texts. Before fine-tuning it is right for {glue:text}`line_yelp_came_least:.0f` to {glue:text}`line_yelp_came_most:.0f` %. So nothing here is near chance. MPNet was tuned to tell sentences apart before we got it, so this says little about BERT. But it shows why the label is no good witness for a boundary here: it becomes readable by degrees, and most of it could be read before any fine-tuning.
#
# ## Does the map predict the loss?
#
# We now have five losses: by freezing, by {term}`truncation`, by leaving out one block, by swapping two, and by leaving out a run of neighbouring blocks. Is the loss large where the map has a large distance? For each we take the map's distance between the outputs before and after what is cut. For a swap it is that between the two blocks' outputs. (Freezing and truncation were tried with some numbers of blocks only. From each number to the next we take the loss per added block, and the map's mean step into the added blocks.) The {term}`rank correlation` says whether losses and distances have the same order.
#
# Three rivals do the same: distances under {term}`CKA`, the cosine distance of a block's input and output, which is a relative of block influence {cite:p}`men2025shortgpt`, and depth alone. For a run of blocks depth is the number of its blocks. Before the cuts without training were made, we wrote down when a map predicts a loss: if it is beyond chance, and better than depth.

# %%
DISTANCES = {
    "GW": {t: one.maps["mean/mean/gw"].values for t, one in mapped.items()},
    "CKA": {
        t: 1 - one.maps["mean/mean/cka-debiased"].values
        for t, one in mapped.items()
    },
    "cosine": {
        t: dense.load(f"{t}-dense", profile).maps["mean/raw/cosine"].values
        for t in TASKS
    },
}

# %% [markdown]
# The losses, in the same shape for every kind:


# %% tags=["hide-input"]
TABLES = {"freezing": frozen_lost, "truncation": first_lost}
KINDS = {"block left out": "without", "blocks swapped": "swapped"}


def loss_of(cost, task):
    """The losses of a kind."""
    if cost in TABLES:
        table = TABLES[cost][task]
        per_block = np.diff(table["lost"]) / np.diff(table.index)
        return per_block * np.sign(per_block.sum())
    if cost in KINDS:
        lost_so = lost_by(task, KINDS[cost])[:, 0]
        return lost_so[-(n_blocks - 1) :]  # no block comes before the first
    return lost_by(task, "left_out")[cut_up[task].ranges[:, 0] > 0, 0]


# %% [markdown]
# The next function says what a predictor expects of each of them:


# %% tags=["hide-input"]
def expected(cost, task, distances, steps=None):
    """Distances (blocks, blocks), or steps, that belong to the losses."""
    if cost == "run left out":
        ranges = cut_up[task].ranges
        first, stop = ranges[ranges[:, 0] > 0].T
        return distances[first - 1, stop - 1]
    steps = np.diag(distances, k=1) if steps is None else steps
    if cost in KINDS:
        return steps
    spans = pairwise(TABLES[cost][task].index)
    into = [np.maximum(np.arange(*span) - 1, 0) for span in spans]
    return np.array([steps[blocks].mean() for blocks in into])


# %% [markdown]
# All five kinds of losses together:

# %%
COSTS = (*TABLES, *KINDS, "run left out")
losses_in = {(c, t): loss_of(c, t) for c in COSTS for t in TASKS}

# %% [markdown]
# Do losses and distances have the same order?


# %%
def agreement(cost, distances, steps=None):
    """Rank correlation with the loss, in the mean over the tasks."""
    found = []
    for task, matrix in distances.items():
        pair = losses_in[cost, task], expected(cost, task, matrix, steps)
        flat = 0 in (np.ptp(pair[0]), np.ptp(pair[1]))  # no order to find
        found.append(np.nan if flat else stats.spearmanr(*pair).statistic)
    return np.mean(found)


# %% [markdown]
# What would chance give? We put the blocks of the GW map in random orders. One order in twenty does better than the value that we call chance.

# %%
place, rng = np.arange(n_blocks), np.random.default_rng(seed)


def by_chance(cost):
    """The same with the blocks of the map in a random order."""
    order = rng.permutation(n_blocks)
    maps = DISTANCES["GW"].items()
    return agreement(cost, {t: d[np.ix_(order, order)] for t, d in maps})


drawn = {c: [by_chance(c) for _ in range(1000)] for c in COSTS}
chance = pd.DataFrame(drawn).quantile(0.95)

# %% [markdown]
# The table has all predictors. For depth we count blocks.

# %%
apart = dict.fromkeys(TASKS, np.abs(place - place[:, None]))
predicted = {
    name: [agreement(cost, distances) for cost in COSTS]
    for name, distances in DISTANCES.items()
}
predicted["depth"] = [agreement(c, apart, place[1:]) for c in COSTS]
predicted = pd.DataFrame(predicted, index=COSTS)

# %% [markdown]
# {numref}`fig-11-predict` shows all of them.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Rank correlation with five losses for GW, CKA, cosine and depth, and in grey how far chance reaches. Beyond chance are GW, cosine and depth for freezing, with depth first, and all four for a run left out, with cosine first, then depth. For the other losses no predictor is clearly beyond chance."}, "figure": {"name": "fig-11-predict", "caption": "Which predictor has the order of the loss? In 19 of 20 cases a random order of the blocks stays within the grey. Only for freezing and for runs of blocks is the map beyond chance, and there depth does better than GW."}}
fig, ax = plt.subplots(figsize=(6.0, 3.2), dpi=110, layout="constrained")
plt.close(fig)
rows = np.arange(len(COSTS))[::-1]
ax.barh(rows, chance + 1, left=-1, height=0.7, color="0.9", label="chance")
marks = {"GW": "o", "CKA": "s", "cosine": "^", "depth": "x"}
colours = (viz.BLUE, viz.ORANGE, "black", "black")
for (name, mark), colour in zip(marks.items(), colours, strict=True):
    look = {"color": colour, "mfc": "none", "ms": 8, "mew": 1.8}
    ax.plot(predicted[name], rows, mark, label=name, **look)
ax.axvline(0, color="black", lw=0.6)
ax.set(yticks=rows, yticklabels=COSTS, xlim=(-1, 1))
ax.set_xlabel("rank correlation with the loss")
fig.legend(frameon=False, fontsize=8, loc="outside upper center", ncols=5)
fig

# %% [markdown]
# The same in numbers:

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11-predict", "caption": "Rank correlation of each loss with what a predictor expects, in the mean over the tasks, and the chance value, which one in twenty random orders of the blocks exceeds."}}
predicted.assign(chance=chance).round(2)

# %% tags=["remove-cell"]
short = ("freezing", "truncation", "out", "swap", "run")
for cost, key in zip(COSTS, short, strict=True):
    row = predicted.loc[cost]
    note(**{f"tell_{name.lower()}_{key}": value for name, value in row.items()})

# %% tags=["remove-cell"]
wins = (predicted["GW"] > chance) & (predicted["GW"] > predicted["depth"])
note(n_costs=len(COSTS), n_wins=int(wins.sum()))

# %% [markdown]
# Of the {glue:text}`n_costs:d` losses GW predicts {glue:text}`n_wins:d` by our rule. It is beyond chance for two of them, and both times depth does better. For freezing GW has {glue:text}`tell_gw_freezing:.2f` and depth {glue:text}`tell_depth_freezing:.2f`. For runs of blocks GW has {glue:text}`tell_gw_run:.2f`, and the mere number of blocks {glue:text}`tell_depth_run:.2f`. Only the cosine does slightly better than that, with {glue:text}`tell_cosine_run:.2f`. This is one seed of each task. The losses of single blocks are small, so their order is partly noise.
#
# ## Pruning, merging, and block structure
#
# The reviewers asked how the method relates to three other lines of work. *{term}`Pruning <pruning>` by blocks* asks which blocks may go. It has been done by place {cite:p}`sajjad2023effect`, and by how little a block changes its input {cite:p}`men2025shortgpt`. The second way reads one line of a map, the one beside its diagonal. *Merging* joins two networks into one, and needs to know which units do the same work {cite:p}`stoica2024zipit`. A {term}`coupling` of GW matches *inputs*, so it answers another question. *Block structure* was seen before in maps under CKA. There one dominant direction made neighbouring layers alike {cite:p}`nguyen2021wide`. This is a warning for this book: one dominant direction can make layers look alike, and hide how they differ.
#
# [Page 11b](11b-cutting-six-blocks.ipynb) cuts up a smaller encoder in the same ways, with three seeds on SST-2.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C26: freezing the blocks before the boundary costs next to nothing (E, Table 4) | ours | disagrees for MPNet on both tasks, after short training: the loss begins before the map's cut | with the blocks before the map's cut frozen {glue:text}`freeze_sst2_cut:.1f` points (± {glue:text}`freeze_sst2_cut_half:.1f`) on SST-2 and {glue:text}`freeze_yelp_cut:.1f` (± {glue:text}`freeze_yelp_cut_half:.1f`) on Yelp; with six {glue:text}`freeze_sst2_6:.1f` (± {glue:text}`freeze_sst2_6_half:.1f`) and {glue:text}`freeze_yelp_6:.1f` (± {glue:text}`freeze_yelp_6_half:.1f`) |
# | C26: freezing those behind it costs more and more; "the later layers are crucial" | ours | agrees, wherever one puts the boundary | with eleven frozen {glue:text}`freeze_sst2_most:.1f` points on SST-2 and {glue:text}`freeze_yelp_most:.1f` on Yelp, with all {glue:text}`freeze_sst2_all:.1f` and {glue:text}`freeze_yelp_all:.1f`; behind the cut {glue:text}`bend_sst2:.1f` and {glue:text}`bend_yelp:.1f` points a block more than before it, at any place at least {glue:text}`least_bend_sst2:.1f` and {glue:text}`least_bend_yelp:.1f` |
# | C30: the first four blocks suffice on Yelp, and the first two nearly suffice on SST-2 (reviews, Table 7) | ours | undecided: two blocks lose far more on SST-2, even after longer training; on Yelp only short training was tried | SST-2 {glue:text}`keep_sst2_2:.1f` points, after longer training {glue:text}`longer_2:.1f` (± {glue:text}`longer_2_half:.1f`); Yelp {glue:text}`keep_yelp_4:.1f` (± {glue:text}`keep_yelp_4_half:.1f`) |
# | C30: one block fewer costs far more | ours | agrees on SST-2 after longer training | {glue:text}`longer_1:.1f` points with one block, {glue:text}`longer_2:.1f` with two |
# | C31: a linear readout is near chance on every block but the last (reviews, Yelp) | ours | disagrees for MPNet, which had been tuned on sentences before our fine-tuning | at [CLS] {glue:text}`line_yelp_tuned_least:.0f` to {glue:text}`line_yelp_tuned_most:.0f` % fine-tuned, {glue:text}`line_yelp_came_least:.0f` to {glue:text}`line_yelp_came_most:.0f` % before it |
# | C31: a readout of two layers goes from 50 to 59 % | ours | disagrees, likewise | {glue:text}`mlp_yelp_tuned_least:.0f` to {glue:text}`mlp_yelp_tuned_most:.0f` % fine-tuned, {glue:text}`mlp_yelp_came_least:.0f` to {glue:text}`mlp_yelp_came_most:.0f` % before it |
# | D04: no evidence that a group is a function: does the map predict what a cut loses? | - | justified: in none of five kinds of cuts does the map predict the loss beyond chance and better than depth | rank correlation of GW and of depth with the loss: freezing {glue:text}`tell_gw_freezing:.2f`, {glue:text}`tell_depth_freezing:.2f`; truncation {glue:text}`tell_gw_truncation:.2f`, {glue:text}`tell_depth_truncation:.2f`; block left out {glue:text}`tell_gw_out:.2f`, {glue:text}`tell_depth_out:.2f`; blocks swapped {glue:text}`tell_gw_swap:.2f`, {glue:text}`tell_depth_swap:.2f`; run left out {glue:text}`tell_gw_run:.2f`, {glue:text}`tell_depth_run:.2f` |
# | D14: can a sub-network stand in for the whole, or make it faster? | - | answered: it can, at a price | half of the blocks take {glue:text}`time_half:.0f` % of the time and lose {glue:text}`keep_sst2_6:.1f` points on SST-2, {glue:text}`keep_yelp_6:.1f` on Yelp |
#
# This is one seed for each task with short training, and BERT-base was not run.
#
# **Before you freeze or cut a network where its map has a boundary**: do it at other places too, and ask whether depth alone predicts the loss as well.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Freezing the first blocks costs nothing, freezing all but the last costs four points. What does that say of the map's boundary?**
#
# <details><summary>a. That it is right: the later blocks are crucial.</summary>No: more was frozen, too. Any network loses more when more of it is frozen.</details>
# <details><summary>b. Nothing yet: ask whether the loss begins at the boundary, and whether depth alone would have said so.</summary>Right.</details>
# <details><summary>c. That it is wrong: early blocks matter as well.</summary>No: early blocks may matter and still stay as they came.</details>
#
# **2. Two encoders get 88.0 % and 87.5 % right on the same 872 texts. Each has an interval of about 2 points. Is the difference chance?**
#
# <details><summary>a. Yes: the intervals overlap.</summary>No: these intervals say what other texts would give. Here both encoders read the same texts.</details>
# <details><summary>b. It depends on how many texts only one of them gets right.</summary>Right. If they differ on four texts, and all four are lost, the paired interval just leaves out 0. If they differ on two hundred, it does not.</details>
# <details><summary>c. No: four texts are four texts.</summary>No: four more lost than won, but perhaps a hundred were lost and ninety-six won.</details>
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} What could be seen?
# :label: ex-11-see
#
# *Difficulty 1 of 4, importance 5 of 5, 5 minutes.* Two encoders read the same `n` texts. The share `differ` of these texts is answered right by only one of the two. Write `could_see(n, differ)`: the least loss, in points, whose 95 % interval leaves out 0. For the standard error, take the mean over the texts to be 0.
#
# ```{dropdown} Hint 1
# A text counts 1, -1 or 0. What is the mean of the squares of these numbers?
# ```
# ```{dropdown} Hint 2
# It is `differ`. The standard error of the mean is its root over the root of `n`, and the interval reaches 1.96 of them to either side.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def could_see(n, differ):
    """Points of accuracy that n texts tell from no loss."""
    return 196 * np.sqrt(differ / n)


check.could_see(could_see)

# %% [markdown]
# :::{exercise} Where does it bend?
# :label: ex-11-bends
#
# *Difficulty 2 of 4, importance 4 of 5, 10 minutes.* The array `n` has numbers of frozen blocks, in order, and `lost` has the points lost with each. Write `bends(n, lost)`: for each number of blocks but the first and the last, what a block behind it loses on average, less what a block before it loses. Then try a loss that grows with the square of n. Where does it bend?
#
# ```{dropdown} Hint 1
# Behind a place is all that lies between it and the last number of blocks.
# ```
# ```{dropdown} Hint 2
# `(lost[-1] - lost) / (n[-1] - n)`, of which you need `[1:-1]`. For what lies before, do the same from the first number on.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def bends(n, lost):
    """Points per block behind each inner place, less those before."""
    behind = (lost[-1] - lost[1:-1]) / (n[-1] - n[1:-1])
    before = (lost[1:-1] - lost[0]) / (n[1:-1] - n[0])
    return behind - before


check.bends(bends)

# %% [markdown]
# :::{exercise} Frozen to the last bit
# :label: ex-11-frozen
#
# *Difficulty 4 of 4, importance 5 of 5, 25 minutes.* Write `train_rest(model, n, batches)`: train a classifier, an `nn.Sequential`, while its first `n` modules stay as they are. A batch is a pair of inputs and labels. For each take one step of cross-entropy with `torch.optim.AdamW` and the rate 0.01. The frozen modules work as in evaluation. Neither their weights nor what {term}`batch normalisation` keeps may change by a bit. The others train as usual. Afterwards all modules are in training mode again, and all weights may learn.
#
# ```{dropdown} Hint 1
# What can change a module that gets no gradient? There are two things: one in the module itself, one in the optimizer.
# ```
# ```{dropdown} Hint 2
# `model[:n].eval()` once training mode is set, and an optimizer that is given `model[n:].parameters()` alone. The frozen modules may run within `torch.no_grad()`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def train_rest(model, n, batches):
    """Train the modules from number n on, counted from 0."""
    model.train()
    frozen, rest = model[:n].eval(), model[n:]
    optimizer = torch.optim.AdamW(rest.parameters(), lr=0.01)
    for inputs, labels in batches:
        with torch.no_grad():
            x = frozen(inputs)
        loss = nn.functional.cross_entropy(rest(x), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.train()


check.train_rest(train_rest)

# %% [markdown]
# :::{exercise} Predict what freezing and cutting cost
# :label: ex-11-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 25 minutes.* Build a network that tells handwritten digits apart, as `own_network()`. It is an `nn.Sequential` of a first module from images (n, 64) to a stream, 4 to 8 blocks, and a last module from the stream to (n, 10). `check.block(32)` makes a residual block 32 numbers wide. The check pre-trains your network on the ten digits. Then it is fine-tuned shortly to tell odd digits from even ones. How many points are lost if the first module and half of the blocks stay frozen? And how many if only these and the last module are kept? Write into `predicted()` a dictionary with `"frozen"` and `"kept"`, each a range: a pair of numbers at most 5 apart. A loss may be negative. Only then write `costs(model, n, fine_tune)`, which returns both losses for n blocks. `fine_tune(model)` trains all weights that may learn, and returns which images are answered right. Leave `model` as it is. Then compare.
#
# ```{dropdown} Hint 1
# Three networks begin with the same weights: the whole one, one with frozen modules, and a shorter one. `copy.deepcopy` makes each.
# ```
# ```{dropdown} Hint 2
# `module.requires_grad_(False)` freezes a module. `nn.Sequential(*model[: 1 + n], model[-1])` is the shorter network.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Points that are lost with half of the blocks."""
    return {"frozen": (0, 5), "kept": (2, 7)}


def own_network():
    """A first module, six blocks, and a last module."""
    blocks = [check.block(32) for _ in range(6)]
    return nn.Sequential(nn.Linear(64, 32), *blocks, nn.Linear(32, 10))


def costs(model, n, fine_tune):
    """Points lost with n blocks frozen, and with n blocks kept."""
    whole, frozen, other = (copy.deepcopy(model) for _ in range(3))
    frozen[: 1 + n].requires_grad_(False)
    kept = nn.Sequential(*other[: 1 + n], other[-1])
    right = fine_tune(whole).mean()
    return {
        "frozen": 100 * (right - fine_tune(frozen).mean()),
        "kept": 100 * (right - fine_tune(kept).mean()),
    }


check.predicted(predicted, own_network, costs)

# %% [markdown]
# ## Where the stored results come from
#
# The encoders were fine-tuned before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
for runs in (mapped, frozen, first, cut_up):
    for one in runs.values():
        print(one.origin)

# %% [markdown]
# All encoders of twelve blocks in this book, those of chapters 07 to 10 included, with what their training took:

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11-runs", "caption": "All runs of the encoder of twelve blocks that are stored: accuracy on validation texts, for a series that of its first and last encoder, and seconds on one processor core. Of the untrained copies no accuracy is stored, and the seconds are those of their maps."}}
stored = {}
for path in sorted((data_dir() / "encoder").glob("*/seed-*")):
    record = load_record(f"encoder/{path.parent.name}", int(path.name[5:]))
    right = [
        f"{100 * value:.1f}"
        for key, value in record.results.items()
        if key.startswith("val_accuracy")
    ]
    ends = dict.fromkeys((*right[:1], *right[-1:]))
    stored[path.parent.name] = {
        "accuracy (%)": " to ".join(ends),
        "seconds": round(record.seconds),
    }
pd.DataFrame(stored).T.rename_axis("run")

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
