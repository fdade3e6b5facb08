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
# # 11b Cutting up six blocks
#
# [Chapter 11](11-fine-tuning-ablations.ipynb) freezes and shortens an encoder of twelve {term}`blocks <block>`. Here is a smaller one with six, and more ways to cut it. Does its {term}`layer map` say where it can be cut?
#
# ## In short
#
# The map says no more than a count of blocks. We froze some blocks, left blocks out, or swapped neighbours. Each time we measured how much accuracy is lost. A map under the {term}`Gromov-Wasserstein distance` (GW) agrees with the loss by {term}`freezing`: the {term}`rank correlation` is {glue:text}`tell_gw_freeze:.2f`. But depth alone has {glue:text}`tell_depth_freeze:.2f`. We also keep only the first blocks, and then one fewer. For this loss the rank correlation of GW is {glue:text}`tell_gw_keep:.2f`: where the steps of the map are large, little is lost. With half of the blocks we lose {glue:text}`keep_sst2_half:.1f` points of accuracy on SST-2 and {glue:text}`keep_yelp_half:.1f` on Yelp. Between all blocks and half of them the loss grows without a jump.
#
# :::{glue:figure} fig_in_short_11b
# :name: fig-11b-in-short
# :alt: Mean rank correlation of GW, CKA, cosine and depth with the losses by four acts. Freezing one more: depth 0.92, GW 0.70. Keeping one fewer: depth -0.71, GW -0.58. Leaving out: between -0.62 and 0.16. Swapping: depth -0.82, GW -0.52.
#
# Four ways to cut at a boundary, and how well four predictors rank the losses, as a mean over four encoders. A value of 1 is the right order, and -1 the reverse. Freezing loses more at late boundaries, and keeping one block fewer loses more at early ones. So no single map can be right about both.
# :::
#
# **Time**: 15 minutes to read, one minute to run.
# **In the paper**: appendix E with Table 4; the discussion of its reviews, with the table for shortened encoders and the classifiers on every block.

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
from funcsim import viz
from funcsim.viz.interactive import stepper
from replication.encoder import block_ablation, fine_tuned, freezing

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## The predictions, written down first
#
# The encoder is `all-MiniLM-L6-v2`, MiniLM for short, with {glue:text}`n_blocks:d` blocks. It was distilled from a larger encoder, and then tuned on pairs of sentences. The four {term}`fine-tuned <fine-tuning>` copies are those of [page 08b](08b-six-blocks.ipynb): SST-2 with three seeds, and Yelp with one. Their maps are taken at {term}`[CLS]`.

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

# %% tags=["remove-cell"]
n_blocks = len(dense["SST-2, seed 0"].scale)
cuts = [f"{k} | {k + 1}" for k in range(1, n_blocks)]
note(n_blocks=n_blocks)

# %% [markdown]
# How strong is the {term}`boundary` between one block and the next? We measure it in three ways: GW, 1 - {term}`CKA`, and the cosine distance of a block's input and output, text by text. The last is a relative of block influence, by which large language models are shortened {cite:p}`men2025shortgpt`.


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

# %% [markdown]
# The distances under GW are in the fold.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11b-strength", "caption": "Distance of each block to the next under GW, for the four encoders."}}
gw.round(3)

# %% tags=["remove-cell"]
note(**{f"cut_{task}_{s}": predicted[name] for name, (task, s) in MODELS.items()})

# %% [markdown]
# We take the strongest boundary under GW. On Yelp {glue:text}`cut_yelp_0:d` blocks lie before it. In the three seeds of the other task there are {glue:text}`cut_sst2_0:d`, {glue:text}`cut_sst2_1:d` and {glue:text}`cut_sst2_2:d` blocks before it. So the prediction says that these first blocks can stay frozen, and that they suffice alone.
#
# The paper uses another rule. Its map marks the *last* four of twelve blocks on Yelp, and the last two on SST-2. But in its table the *first* four and the first two do as well as all. A boundary before the last four would say: keep the first eight. So we test two rules. The first keeps the blocks *before* the boundary. The second keeps as many of the first blocks as there are blocks *behind* the boundary. We call this number the paper's count.
#
# To draw the map, the encoder must first be fine-tuned as a whole, as in the paper. So freezing afterwards saves nothing.
#
# ## Freezing the first blocks
#
# The embeddings and the first n blocks keep their pre-trained weights, and the rest is fine-tuned. All encoders read the same texts in the same order. All are judged on the same validation texts, so the {term}`interval` is that of the paired difference.

# %% tags=["remove-cell"]
frozen = {
    name: freezing.load(f"{task}-freeze", profile, s)
    for name, (task, s) in MODELS.items()
}
first = {
    name: freezing.load(f"{task}-first", profile, s)
    for name, (task, s) in MODELS.items()
}

# %% tags=["remove-cell"]
TASKS = {"SST-2": list(MODELS)[:3], "Yelp": ["Yelp"]}
whole = {name: first[name].right[-1] for name in MODELS}


def lost(whole, part):
    """Points of accuracy lost, and half the width of a 95 % interval."""
    apart = whole.astype(float) - part
    return 100 * apart.mean(), 196 * apart.std() / np.sqrt(len(apart))


# %% tags=["remove-cell"]
def in_the_mean(task, parts, row):
    """Points lost in the mean over a task's seeds, and half of the interval."""
    pairs = [(whole[name], parts[name].right[row(name)]) for name in TASKS[task]]
    return lost(*np.mean(pairs, axis=0))


# %% tags=["remove-cell"]
def means(parts, cases, prefix):
    """Points lost and half of the interval, for every task and case."""
    table = {(t, c): in_the_mean(t, parts, cases[c]) for t in TASKS for c in cases}
    for (task, case), (points, give) in table.items():
        key = f"{prefix}_{task.lower().replace('-', '')}_{case}"
        note(**{key: points, f"{key}_give": give})
    return pd.DataFrame(table, index=["points lost", "half of the interval"]).T


# %% tags=["remove-cell"]
again = {
    name: lost(run.logits.argmax(axis=1) == run.labels, whole[name])
    for name, run in dense.items()
}
note(noise=max(abs(points) for points, _ in again.values()))
note(n_same=sum(give == 0 for _, give in again.values()), n_again=len(again))

# %% [markdown]
# How small a loss can we see? We trained each whole encoder twice: for page 08b and for this page. The two differ only in how products are rounded. In {glue:text}`n_same:d` of {glue:text}`n_again:d` such pairs not one answer changes. The largest difference is {glue:text}`noise:.1f` points, so we ignore smaller effects.

# %% tags=["remove-cell"]
labels = [f"{n + 1} to {n_blocks} + C" for n in range(1, n_blocks)] + ["only C"]
frozen_lost = pd.DataFrame(
    {
        name: [lost(whole[name], r)[0] for r in run.right]
        for name, run in frozen.items()
    },
    index=labels,
)

# %% [markdown]
# Here are the losses for each n.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Points of accuracy lost against the number of frozen blocks, for four encoders. At most 1 point with two blocks, 4 with five on Yelp and 7 on SST-2, and about 20 with all six."}, "figure": {"name": "fig-11b-freezing", "caption": "Points of accuracy lost when the first n blocks are frozen, compared with no block frozen. The loss is small at first and grows faster and faster. It is largest when the last block is frozen, too."}}
viz.curves(
    {name: [0, *frozen_lost[name]] for name in MODELS},
    x=range(n_blocks + 1),
    xlabel="blocks frozen",
    ylabel="points of accuracy lost",
)

# %% tags=["remove-cell"]
PAPER_4 = {
    "8 to 12 + C": 97.47,
    "9 to 12 + C": 97.43,
    "10 to 12 + C": 97.19,
    "11 to 12 + C": 96.70,
    "only 12 + C": 93.11,
}
note(paper_last=PAPER_4["8 to 12 + C"] - PAPER_4["only 12 + C"])
accuracy = pd.DataFrame({name: run.accuracy for name, run in frozen.items()})
accuracy = 100 * accuracy.set_axis(labels)
accuracy.loc["all"] = {name: 100 * right.mean() for name, right in whole.items()}
ours = {task: accuracy[group].mean(axis=1) for task, group in TASKS.items()}


# %% tags=["remove-cell"]
def bend(name, cut, rows=slice(None)):
    """Points lost per block frozen behind a cut, less those per block before it."""
    parts = frozen[name].right[:, rows]
    gone = 100 * (whole[name][rows].mean() - parts.mean(axis=1))
    before = gone[cut - 1]
    return (gone[-1] - before) / (n_blocks - cut) - before / cut


# %% tags=["remove-cell"]
bends = pd.DataFrame(
    {name: [bend(name, c) for c in range(1, n_blocks)] for name in frozen},
    index=cuts,
)

# %% tags=["remove-cell"]
rng = np.random.default_rng(seed)
crucial = {}
for task, group in TASKS.items():
    n_texts = len(whole[group[0]])
    draws = rng.integers(0, n_texts, (500, n_texts))
    drawn = [np.mean([bend(m, predicted[m], d) for m in group]) for d in draws]
    middle = np.mean([bend(m, predicted[m]) for m in group])
    crucial[task] = [middle, *np.quantile(drawn, [0.025, 0.975])]
crucial = pd.DataFrame(crucial, index=["points per block", "from", "to"]).T

# %% tags=["remove-cell"]
CASES = {
    "1": lambda name: 0,
    "2": lambda name: 1,
    "3": lambda name: 2,
    "cut": lambda name: predicted[name] - 1,
    "next": lambda name: predicted[name],
    "all": lambda name: -1,
}
means(frozen, CASES, "freeze")

# %% tags=["remove-cell"]
for task in TASKS:
    middle, low, high = crucial.loc[task]
    key = f"bend_{task.lower().replace('-', '')}"
    note(**{key: middle, f"{key}_low": low, f"{key}_high": high})
steepest = bends.idxmax()
note(n_models=len(frozen), least_bend=bends.min(axis=None))
note(n_steepest=sum(steepest[m] == cuts[predicted[m] - 1] for m in frozen))
note(steepest=", ".join(dict.fromkeys(steepest)))
note(linear_sst2=ours["SST-2"]["only C"], linear_yelp=ours["Yelp"]["only C"])

# %% [markdown]
# {numref}`tab-11b-freezing` gives the losses that the predictions are about.
#
# :::{table} Points of accuracy lost by freezing, with half of the 95 % interval. SST-2 is the mean of three seeds.
# :name: tab-11b-freezing
#
# | frozen | SST-2 | Yelp |
# | --- | --- | --- |
# | the first block | {glue:text}`freeze_sst2_1:.1f` ± {glue:text}`freeze_sst2_1_give:.1f` | {glue:text}`freeze_yelp_1:.1f` ± {glue:text}`freeze_yelp_1_give:.1f` |
# | two blocks | {glue:text}`freeze_sst2_2:.1f` ± {glue:text}`freeze_sst2_2_give:.1f` | {glue:text}`freeze_yelp_2:.1f` ± {glue:text}`freeze_yelp_2_give:.1f` |
# | three blocks | {glue:text}`freeze_sst2_3:.1f` ± {glue:text}`freeze_sst2_3_give:.1f` | {glue:text}`freeze_yelp_3:.1f` ± {glue:text}`freeze_yelp_3_give:.1f` |
# | all before the boundary | {glue:text}`freeze_sst2_cut:.1f` ± {glue:text}`freeze_sst2_cut_give:.1f` | {glue:text}`freeze_yelp_cut:.1f` ± {glue:text}`freeze_yelp_cut_give:.1f` |
# | all six | {glue:text}`freeze_sst2_all:.0f` | {glue:text}`freeze_yelp_all:.0f` |
# :::
#
# Freezing the first blocks loses little, and freezing the last ones loses much, as in the paper's Table 4. But the loss begins before the boundary. Near its boundary the paper loses a few hundredths of a point. We lose more. When only the last block learns, the paper loses {glue:text}`paper_last:.1f` points on Yelp. We lose {glue:text}`freeze_yelp_cut:.1f`.
#
# Does the curve bend at the boundary? We take the points lost per block behind it, less those per block before it. {numref}`tab-11b-bend` shows this difference. It is above zero on both tasks.
#
# :::{table} Points lost per block behind the boundary, less those per block before it, with 95 % intervals over the texts.
# :name: tab-11b-bend
#
# | task | difference | from | to |
# | --- | --- | --- | --- |
# | SST-2 | {glue:text}`bend_sst2:.1f` | {glue:text}`bend_sst2_low:.1f` | {glue:text}`bend_sst2_high:.1f` |
# | Yelp | {glue:text}`bend_yelp:.1f` | {glue:text}`bend_yelp_low:.1f` | {glue:text}`bend_yelp_high:.1f` |
# :::
#
# So the later layers are crucial, as the paper says.
#
# This says little for the map, though. The difference is at least {glue:text}`least_bend:.1f` for any boundary that we try. It is largest between blocks {glue:text}`steepest`. This is the predicted boundary in {glue:text}`n_steepest:d` of {glue:text}`n_models:d` encoders. With all blocks frozen, the classifier alone still gets {glue:text}`linear_sst2:.0f` % of SST-2 and {glue:text}`linear_yelp:.0f` % of Yelp right. This much could be read from [CLS] before any fine-tuning.

# %% tags=["paper-T04", "hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11b-paper", "caption": "Accuracy in per cent by what is trained (C is the classifier), ours and the paper's Table 4, which has twelve blocks. Our copy lacks the paper's number for \"all\", so we count its drops from \"8 to 12\"."}}
beside = pd.DataFrame(ours).loc[["all", *labels]].add_prefix("ours, ")
beside["paper, Yelp"] = pd.Series(PAPER_4).reindex(beside.index)
beside.map(lambda x: "" if pd.isna(x) else f"{x:.2f}")

# %% [markdown]
# ## How many blocks suffice?
#
# Now only the first n blocks are kept, and fine-tuned. With n = 0 the classifier reads an embedding that is the same for every text.

# %% tags=["remove-cell"]
truncating = pd.DataFrame(
    {
        name: [lost(whole[name], r)[0] for r in first[name].right[:-1]]
        for name in MODELS
    },
    index=[f"first {n}" for n in range(n_blocks)],
)

# %% [markdown]
# Again for each n:

# %% tags=["fig", "paper-S07", "hide-input"] mystnb={"image": {"alt": "Points of accuracy lost against the number of blocks kept, for four encoders. About 40 with none, 7 to 11 with one, 2 to 4 with three, and about none with five or six."}, "figure": {"name": "fig-11b-keeping", "caption": "Points of accuracy lost when only the first n blocks are kept and fine-tuned. One block does most of the work. After it the loss falls slowly, without a second cliff."}}
viz.curves(
    {name: [*truncating[name], 0] for name in MODELS},
    x=range(n_blocks + 1),
    xlabel="blocks kept",
    ylabel="points of accuracy lost",
)

# %% tags=["remove-cell"]
sufficient = {}
for name in MODELS:
    cuts_made = first[name].right[:-1]
    gone = np.array([lost(whole[name], r) for r in cuts_made]).sum(axis=1)
    fails = np.flatnonzero(gone > 1)
    sufficient[name] = int(fails.max()) + 1 if len(fails) else 0
note(
    **{f"enough_{task}_{s}": sufficient[name] for name, (task, s) in MODELS.items()}
)

# %% tags=["remove-cell"]
RULES = {
    "cut": lambda name: predicted[name],
    "fewer": lambda name: predicted[name] - 1,
    "count": lambda name: n_blocks - predicted[name],
    "count_fewer": lambda name: n_blocks - predicted[name] - 1,
    "half": lambda name: n_blocks // 2,
}
note(one_sst2=100 * np.mean([first[m].accuracy[1] for m in TASKS["SST-2"]]))
note(one_yelp=100 * first["Yelp"].accuracy[1])
means(first, RULES, "keep")

# %% [markdown]
# One block alone, fine-tuned, gets {glue:text}`one_sst2:.0f` % right on SST-2 and {glue:text}`one_yelp:.0f` % on Yelp. Further blocks add a few points each, or nothing. {numref}`tab-11b-keeping` compares the two rules.
#
# :::{table} Points of accuracy lost by keeping only the first blocks, with half of the 95 % interval. The last two columns are the paper's. There "one fewer" means two blocks instead of four on Yelp, because it has no row for three.
# :name: tab-11b-keeping
#
# | kept | SST-2 | Yelp | paper, SST-2 | paper, Yelp |
# | --- | --- | --- | --- | --- |
# | all before the boundary | {glue:text}`keep_sst2_cut:.1f` ± {glue:text}`keep_sst2_cut_give:.1f` | {glue:text}`keep_yelp_cut:.1f` ± {glue:text}`keep_yelp_cut_give:.1f` | - | - |
# | one fewer | {glue:text}`keep_sst2_fewer:.1f` ± {glue:text}`keep_sst2_fewer_give:.1f` | {glue:text}`keep_yelp_fewer:.1f` ± {glue:text}`keep_yelp_fewer_give:.1f` | - | - |
# | the paper's count | {glue:text}`keep_sst2_count:.1f` ± {glue:text}`keep_sst2_count_give:.1f` | {glue:text}`keep_yelp_count:.1f` ± {glue:text}`keep_yelp_count_give:.1f` | 0.54 | 0.01 |
# | one fewer | {glue:text}`keep_sst2_count_fewer:.1f` | {glue:text}`keep_yelp_count_fewer:.1f` | 8.60 | 0.10 |
# | half of the blocks | {glue:text}`keep_sst2_half:.1f` ± {glue:text}`keep_sst2_half_give:.1f` | {glue:text}`keep_yelp_half:.1f` ± {glue:text}`keep_yelp_half_give:.1f` | - | - |
# :::
#
# The paper's count does not suffice here. On Yelp it keeps a single block, and one fewer leaves nothing. How many blocks are needed to lose less than one point? We ask that even the upper end of the interval is below one point. Yelp needs {glue:text}`enough_yelp_0:d` blocks. The three seeds of the other task need {glue:text}`enough_sst2_0:d`, {glue:text}`enough_sst2_1:d` and {glue:text}`enough_sst2_2:d`.
#
# What does a shorter encoder save? We time encoders of this size with random weights.

# %% tags=["remove-cell"]
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


# %% tags=["remove-cell"]
gain = {}
for n in range(n_blocks + 1):
    cut = BertForSequenceClassification(
        BertConfig(num_hidden_layers=n, **size)
    ).eval()
    n_parameters = sum(p.numel() for p in cut.parameters())
    gain[f"first {n}"] = {"time": seconds(cut), "parameters": n_parameters}

# %% tags=["remove-cell"]
gain = pd.DataFrame(gain).T
gain = gain / gain.iloc[-1]
note(time_half=100 * gain["time"].iloc[n_blocks // 2])
note(size_half=100 * gain["parameters"].iloc[n_blocks // 2])

# %% [markdown]
# With half of the blocks a batch takes {glue:text}`time_half:.0f` % of the time. This half keeps {glue:text}`size_half:.0f` % of the parameters, because most of them are word embeddings.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11b-gain", "caption": "Time for a batch, and parameters, as a share of the whole encoder."}}
gain.round(2)

# %% [markdown]
# ## Without any training
#
# Phang, Liu and Bowman left out the last blocks of fine-tuned encoders, without further training, and lost little {cite:p}`phang2021finetuned`. We do the same, and two more *block ablations*: one block is left out, or two neighbours are swapped.

# %% tags=["remove-cell"]
cut_up = {
    name: block_ablation.load(f"{task}-interventions", profile, s)
    for name, (task, s) in MODELS.items()
}


# %% tags=["remove-cell"]
def table_of(kind, index):
    """Points lost by every way of cutting of a kind, for every encoder."""
    return pd.DataFrame(
        {
            name: [lost(run.whole, r)[0] for r in getattr(run, kind)]
            for name, run in cut_up.items()
        },
        index=index,
    )


# %% tags=["remove-cell"]
without = table_of("without", [f"without {k + 1}" for k in range(n_blocks)])
swapped = table_of(
    "swapped", [f"{k} and {k + 1} swapped" for k in range(1, n_blocks)]
)
only = table_of("first", [f"first {n}" for n in range(n_blocks)])

# %% tags=["remove-cell"]
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
# Each ablation has a row:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Points of accuracy lost by eleven ablations. Without block 6 SST-2 loses 17 points; every other ablation loses less than 8. On Yelp the largest losses, 4 to 5, are without block 1 and with blocks 1 and 2 swapped."}, "figure": {"name": "fig-11b-without", "caption": "Points of accuracy lost without one block, and with two neighbours swapped, without any training. SST-2 is the mean of three seeds. On SST-2 the last block is missed most, on Yelp the first."}}
drawn = pd.concat([without, swapped])
drawn = {t: drawn[group].mean(axis=1) for t, group in TASKS.items()}
viz.dots(pd.DataFrame(drawn), xlabel="points of accuracy lost", reference=0)

# %% [markdown]
# Without its last block the encoder of SST-2 loses {glue:text}`drop_sst2_last:.0f` points. Without the first block it loses {glue:text}`drop_sst2_first:.1f`, and without one of the blocks between these two at most {glue:text}`drop_sst2_inner:.1f`. The encoder of Yelp loses {glue:text}`drop_yelp_last:.1f` points without its last block, and most without its first ({glue:text}`drop_yelp_first:.1f`). Without the last two blocks both encoders guess: {glue:text}`left_sst2_two:.0f` % are right on SST-2 and {glue:text}`left_yelp_two:.0f` % on Yelp. Phang, Liu and Bowman could leave out more, in larger encoders whose last blocks are much alike.
#
# Swapping two neighbours loses {glue:text}`swap_sst2_least:.1f` to {glue:text}`swap_sst2_most:.1f` points on SST-2. On Yelp it loses {glue:text}`swap_yelp_least:.1f` to {glue:text}`swap_yelp_most:.1f`.
#
# So the boundary of the map does not mark what can be left out. On SST-2 two blocks lie behind it. One of them is missed most of all blocks, and the other least. On Yelp one block lies behind it, and {glue:text}`n_missed_more:d` of the five blocks before it are missed more.
#
# Now keep more or fewer of the first blocks yourself. The encoder is that of SST-2, seed 0, and the dashed line is the predicted boundary.

# %% tags=["widget", "hide-input"]
name = "SST-2, seed 0"
frames, alts = [], []
for n in range(n_blocks):
    left = {
        "fine-tuned again": 100 * first[name].accuracy[n],
        "cut and left alone": 100 * cut_up[name].first[n].mean(),
    }
    told = {"xlabel": "accuracy (%)", "vmax": 100}
    told["boundary"] = predicted[name]
    frames.append(viz.block_stack(n_blocks, n, left, **told))
    said = ", ".join(f"{how} {value:.1f} %" for how, value in left.items())
    alts.append(f"The first {n} of {n_blocks} blocks kept: {said}")
stepper(frames, alts, "blocks kept")

# %% [markdown]
# The fold has the numbers of each encoder.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11b-surgery", "caption": "Points of accuracy lost by each ablation without training, for each encoder."}}
pd.concat([only, without, swapped]).round(1)

# %% [markdown]
# If the shortened encoder is trained again, few blocks do most of the work. If it is not, on SST-2 even {glue:text}`n_left:d` of {glue:text}`n_blocks:d` are far from enough.
#
# ## What the blocks hold
#
# A {term}`readout` is a classifier from a block's output to the label. We take a logistic regression and a network of two layers, fitted on {glue:text}`n_learned:,d` training texts and judged on {glue:text}`n_read:,d` others. The authors reported such numbers for Yelp to their reviewers. There a linear readout is right for about 50 % of the texts on every block but the last, and a deeper one for 50 to 59 %.

# %% tags=["remove-cell"]
run = cut_up["Yelp"]
columns = pd.MultiIndex.from_product(
    [("before", "fine-tuned"), ("linear", "two layers"), ("[CLS]", "mean")]
)

readouts = {}
for task, group in TASKS.items():
    known = 100 * np.mean([cut_up[m].readouts for m in group], axis=0)
    table = pd.DataFrame(known.reshape(8, n_blocks).T, columns=columns)
    readouts[task] = table.set_axis([f"block {k + 1}" for k in range(n_blocks)])
n_learned = run.record.parameters["n_learned"]
note(n_read=run.n_read, n_learned=n_learned, n_left=n_blocks - 1)


# %% tags=["remove-cell"]
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


# %% tags=["remove-cell"]
KEYS = {"before": "came", "fine-tuned": "tuned", "[CLS]": "", "mean": "mean_"}
KEYS |= {"linear": "line", "two layers": "mlp"}
for task, table in readouts.items():
    for which, kind, pooling in columns:
        of = f"{KEYS[kind]}_{task.lower().replace('-', '')}_{KEYS[which]}"
        quoted = quotes(table[which, kind, pooling]).items()
        note(**{f"{KEYS[pooling]}{of}_{k}": value for k, value in quoted})

# %% [markdown]
# Here are the linear readouts:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Accuracy of linear readouts at [CLS] by block. On Yelp it rises from 84 to 94 % after fine-tuning, and is 82 to 88 % before it. On SST-2 it rises from 68 to 84 %, and is 67 to 74 % before fine-tuning."}, "figure": {"name": "fig-11b-readouts", "caption": "Accuracy of linear readouts at [CLS] of each block, after fine-tuning and before it. On no block are they near chance."}}
chosen = {
    "Yelp": ("Yelp", "fine-tuned", "linear"),
    "Yelp, before": ("Yelp", "before", "linear"),
    "SST-2": ("SST-2", "fine-tuned", "linear"),
    "SST-2, before": ("SST-2", "before", "linear"),
}
viz.curves(
    {
        name: readouts[task][which, kind, "[CLS]"].to_numpy()
        for name, (task, which, kind) in chosen.items()
    },
    x=range(1, n_blocks + 1),
    xlabel="block",
    ylabel="accuracy of the readout (%)",
)

# %% [markdown]
# We compare all blocks but the last, as the authors do. On Yelp, after fine-tuning, a linear readout of these blocks is right for {glue:text}`line_yelp_tuned_least:.0f` to {glue:text}`line_yelp_tuned_most:.0f` % of the texts. For the last block it is {glue:text}`line_yelp_tuned_last:.0f` %. Before fine-tuning the range is {glue:text}`line_yelp_came_least:.0f` to {glue:text}`line_yelp_came_most:.0f` %, and for the last block it is {glue:text}`line_yelp_came_last:.0f` %. A readout of two layers has {glue:text}`mlp_yelp_tuned_least:.0f` to {glue:text}`mlp_yelp_tuned_most:.0f` % after fine-tuning. Before fine-tuning it has {glue:text}`mlp_yelp_came_least:.0f` to {glue:text}`mlp_yelp_came_most:.0f` %.
#
# On SST-2 a linear readout of the same blocks has {glue:text}`line_sst2_tuned_least:.0f` to {glue:text}`line_sst2_tuned_most:.0f` % after fine-tuning. Before fine-tuning it has {glue:text}`line_sst2_came_least:.0f` to {glue:text}`line_sst2_came_most:.0f` %. None of these readouts is near chance. But MiniLM had been tuned to tell sentences apart, so this says little about BERT.
#
# In the first block the mean over tokens holds more than [CLS] does. On Yelp a linear readout gets {glue:text}`mean_line_yelp_tuned_first:.0f` % right instead of {glue:text}`line_yelp_tuned_first:.0f`. On SST-2 it gets {glue:text}`mean_line_sst2_tuned_first:.0f` % instead of {glue:text}`line_sst2_tuned_first:.0f`.
#
# Now we can explain a part of what is lost when a block is cut off without training. Without its last block the encoder of SST-2 is right for {glue:text}`left_sst2_one:.0f` % of the texts. A new linear readout of the block that is now the last is right for {glue:text}`line_sst2_tuned_before:.0f` %. So a large part of what the old classifier loses can still be read there, but not in the directions that this classifier uses. On Yelp the old classifier gets {glue:text}`left_yelp_one:.1f` % and a new one {glue:text}`line_yelp_tuned_before:.1f` %. Accuracy after a cut measures the classifier, too.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11b-readouts", "caption": "Accuracy of the readouts in per cent, for every block, by task; before and after fine-tuning, with one layer and two, at [CLS] and as a mean over tokens."}}
pd.concat(readouts).round(1)

# %% [markdown]
# ## Does the map predict the losses?
#
# For every place between two blocks we have the losses by four acts. The block behind the place is frozen like those before it, no longer kept, or left out. Or the two blocks beside the place are swapped. Four predictors compete: GW, CKA, cosine, and depth, the number of blocks before the boundary. We rank the boundaries of each encoder by predictor and by loss. {numref}`fig-11b-in-short` shows the mean rank correlation.

# %% tags=["remove-cell"]
costs = {
    "freeze one more": {m: np.diff([0, *frozen_lost[m]])[1:] for m in frozen},
    "keep one fewer": {m: -np.diff([*truncating[m], 0])[1:] for m in first},
    "leave out": {m: without[m].to_numpy()[1:] for m in cut_up},
    "swap": {m: swapped[m].to_numpy() for m in cut_up},
}


# %% tags=["remove-cell"]
def rank(one, other):
    """Rank correlation; NaN if all values of one are the same."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return np.nan
    return stats.spearmanr(one, other).statistic


def foretold(predictor, cost):
    """Rank correlation of a predictor with a cost, mean over the encoders."""
    found = [rank(predictor[name], values) for name, values in costs[cost].items()]
    return pd.Series(found).mean()


# %% tags=["remove-cell"]
depth = pd.DataFrame({name: range(n_blocks - 1) for name in MODELS}, index=cuts)
PREDICTORS = {"GW": gw, "CKA": cka, "cosine": cosine, "depth": depth}
prediction = pd.DataFrame(
    {p: {c: foretold(PREDICTORS[p], c) for c in costs} for p in PREDICTORS}
)
for predictor, column in prediction.items():
    for cost, value in column.items():
        note(**{f"tell_{predictor.lower()}_{cost.split()[0]}": value})
keep_figure(
    "fig_in_short_11b",
    viz.dots(
        prediction,
        xlabel="mean rank correlation with the loss",
        reference=0,
    ),
)

# %% tags=["remove-cell"]
rng = np.random.default_rng(seed)
places = np.arange(n_blocks - 1)
by_chance = [
    np.mean([rank(places, rng.permutation(places)) for _ in frozen])
    for _ in range(1000)
]
note(chance=float(np.quantile(np.abs(by_chance), 0.95)))

# %% [markdown]
# The numbers are in the fold.

# %% tags=["hide-input", "hide-output"] mystnb={"figure": {"name": "tab-11b-prediction", "caption": "Rank correlation of each predictor with each cost, as a mean over the four encoders."}}
prediction.round(2)

# %% [markdown]
# How large is such a mean by chance? We put the boundaries into a random order a thousand times. In one case of twenty the mean is farther from 0 than {glue:text}`chance:.2f`. (All encoders began with the same weights. They are not independent, so chance may reach farther.)
#
# - **Freezing** one more block loses more at late boundaries: its rank correlation with depth is {glue:text}`tell_depth_freeze:.2f`. GW agrees ({glue:text}`tell_gw_freeze:.2f`), because its strong boundaries are late ones.
# - **One block fewer**, or **two swapped**, loses most at the start: their rank correlations with depth are {glue:text}`tell_depth_keep:.2f` and {glue:text}`tell_depth_swap:.2f`. There the map has its weakest boundaries, so GW has {glue:text}`tell_gw_keep:.2f` and {glue:text}`tell_gw_swap:.2f`.
# - **Leaving a block out** has little to do with depth ({glue:text}`tell_depth_leave:.2f`). GW has {glue:text}`tell_gw_leave:.2f` and the cosine {glue:text}`tell_cosine_leave:.2f`, both within chance. CKA has {glue:text}`tell_cka_leave:.2f`, with the wrong sign: the less a block resembles the one before it under CKA, the less it is missed.
#
# So the same boundary goes with a high loss by freezing and a low loss by {term}`truncation`. Depth predicts both. A map that should guide a cut has to beat a count of blocks first, and here none does.
#
# ## Pruning, merging, and block structure
#
# The reviewers asked how the method relates to three other lines of work.
#
# - {term}`Pruning <pruning>` by blocks asks which blocks may go. It has been done by place and by how little a block changes its input {cite:p}`sajjad2023effect`, and by block influence {cite:p}`men2025shortgpt`. The last two of these ways read one line of a map, the one beside its diagonal.
# - *Merging* joins two networks. For this one must know which units of the two do the same work {cite:p}`stoica2024zipit`. The matching of GW pairs *inputs*, so it answers another question.
# - *Block structure* was seen in maps before, under CKA. It appears in networks that are large for their data, where neighbouring layers share one dominant direction {cite:p}`nguyen2021wide`. So one dominant direction can make layers look alike, and hide how they differ. A {term}`group <group>` on a map is not yet a function.
#
# Cutting, here and in [page 13b](13b-cut-and-stitch.ipynb), tests whether a group is a function.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C26: freezing the blocks before the boundary costs next to nothing (E, Table 4) | ours | disagrees for `all-MiniLM-L6-v2` | on SST-2 {glue:text}`freeze_sst2_cut:.1f` points (± {glue:text}`freeze_sst2_cut_give:.1f`), three seeds; on Yelp {glue:text}`freeze_yelp_cut:.1f` (± {glue:text}`freeze_yelp_cut_give:.1f`); with two blocks {glue:text}`freeze_sst2_2:.1f` (± {glue:text}`freeze_sst2_2_give:.1f`) and {glue:text}`freeze_yelp_2:.1f` (± {glue:text}`freeze_yelp_2_give:.1f`) |
# | C26: freezing those behind it costs more and more; "the later layers are crucial" | ours | agrees, wherever one puts the boundary | behind it {glue:text}`bend_sst2:.1f` points per block more than before it [{glue:text}`bend_sst2_low:.1f`, {glue:text}`bend_sst2_high:.1f`] on SST-2, {glue:text}`bend_yelp:.1f` [{glue:text}`bend_yelp_low:.1f`, {glue:text}`bend_yelp_high:.1f`] on Yelp; at least {glue:text}`least_bend:.1f` at any place |
# | C30: if the map marks n blocks as different, the first n blocks suffice (reviews, Table 7) | ours | disagrees for `all-MiniLM-L6-v2` | {glue:text}`keep_sst2_count:.1f` points lost on SST-2 (± {glue:text}`keep_sst2_count_give:.1f`), {glue:text}`keep_yelp_count:.1f` (± {glue:text}`keep_yelp_count_give:.1f`) on Yelp |
# | C30: as many as lie before the boundary suffice | ours | disagrees on SST-2, not on Yelp | {glue:text}`keep_sst2_cut:.1f` (± {glue:text}`keep_sst2_cut_give:.1f`) on SST-2, {glue:text}`keep_yelp_cut:.1f` (± {glue:text}`keep_yelp_cut_give:.1f`) on Yelp |
# | C30: one block fewer costs far more | ours | disagrees on SST-2: the loss does not jump; on Yelp the count leaves one block, and one fewer leaves nothing | by the paper's count {glue:text}`keep_sst2_count_fewer:.1f` points instead of {glue:text}`keep_sst2_count:.1f` on SST-2; by the boundary {glue:text}`keep_sst2_fewer:.1f` instead of {glue:text}`keep_sst2_cut:.1f` on SST-2, and {glue:text}`keep_yelp_fewer:.1f` instead of {glue:text}`keep_yelp_cut:.1f` on Yelp |
# | C31: a linear readout is near chance on every block but the last (reviews, Yelp) | ours | disagrees for `all-MiniLM-L6-v2`, which had been tuned on sentences before our fine-tuning | at [CLS] {glue:text}`line_yelp_tuned_least:.0f` to {glue:text}`line_yelp_tuned_most:.0f` % fine-tuned, {glue:text}`line_yelp_came_least:.0f` to {glue:text}`line_yelp_came_most:.0f` % before it; on SST-2 {glue:text}`line_sst2_tuned_least:.0f` to {glue:text}`line_sst2_tuned_most:.0f` and {glue:text}`line_sst2_came_least:.0f` to {glue:text}`line_sst2_came_most:.0f` |
# | C31: a readout of two layers goes from 50 to 59 % | ours | disagrees, likewise | on Yelp {glue:text}`mlp_yelp_tuned_least:.0f` to {glue:text}`mlp_yelp_tuned_most:.0f` % fine-tuned, before it {glue:text}`mlp_yelp_came_least:.0f` to {glue:text}`mlp_yelp_came_most:.0f` % |
# | D04: no evidence that a group is a function: does the map predict what cutting costs? | - | justified: no better than depth does | rank correlation of GW with what freezing costs {glue:text}`tell_gw_freeze:.2f`, keeping fewer {glue:text}`tell_gw_keep:.2f`, leaving out {glue:text}`tell_gw_leave:.2f`, swapping {glue:text}`tell_gw_swap:.2f`; of depth {glue:text}`tell_depth_freeze:.2f`, {glue:text}`tell_depth_keep:.2f`, {glue:text}`tell_depth_leave:.2f`, {glue:text}`tell_depth_swap:.2f`; by chance up to {glue:text}`chance:.2f` |
# | D14: can a sub-network stand in for the whole, or make it faster? | - | answered: it can, at a price | half of the blocks take {glue:text}`time_half:.0f` % of the time and lose {glue:text}`keep_sst2_half:.1f` (± {glue:text}`keep_sst2_half_give:.1f`) points on SST-2, {glue:text}`keep_yelp_half:.1f` (± {glue:text}`keep_yelp_half_give:.1f`) on Yelp |
# | D15: how does this relate to pruning, merging and earlier work on block structure? | - | answered: they are compared, and pruning uses a measure much like those of the maps | the cosine at [CLS], a relative of block influence, has a rank correlation of {glue:text}`tell_cosine_leave:.2f` with what leaving a block out costs, GW of {glue:text}`tell_gw_leave:.2f` |
#
# This is one small encoder with five boundaries, and on Yelp there is one seed. BERT-base was not run, so no row tests the paper's own condition.
#
# **Before you cut a network where its map has a boundary**: cut it at other places, too, and ask whether depth alone predicts the loss as well.
#
# ## Where the stored results come from
#
# The encoders were trained and cut before this page was run. The trainings with frozen or missing blocks computed their products in bfloat16, a short number format. The next cell shows the records.

# %% tags=["hide-cell"]
for runs in (dense, frozen, first, cut_up):
    for one in runs.values():
        print(one.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
