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
#     data: [dynamics]
# ---

# %% [markdown]
# # 10b The dynamics of six blocks
#
# [Chapter 10](10-training-dynamics.ipynb) watches an encoder of twelve blocks while it learns. This page watches a smaller one, with what only it has: three seeds, a dating of boundaries, and a training in which every block moves equally far.
#
# The encoder is `all-MiniLM-L6-v2`, distilled and then contrastively tuned for sentences, with {glue:text}`n_blocks:d` blocks. It was trained for {glue:text}`sst2_steps:,d` steps on SST-2 and {glue:text}`yelp_steps:,d` on Yelp.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.3 with Figures 7 and 8; the discussion of its reviews.

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
import numpy as np
import pandas as pd
from scipy import stats

import funcsim as fs
from bookkit.glue import note
from funcsim import viz
from funcsim.viz.interactive import stepper
from replication.encoder import dynamics as encoder_dynamics

# %% [markdown]
# ## To watch without touching
#
# A network changes fast at first and slowly later. So it is looked at after steps that are evenly spaced in their logarithm: 0, 1, 2, 3, 4, 6 and so on to the last. A look captures what the
# layers say of {glue:text}`n_mapped:d` validation texts and compares them. Nothing is drawn at random that training would have drawn, so a network that is watched ends at the same weights to the last bit as one that is not; the tests of
# the library check this. SST-2 was watched with three seeds, Yelp with one.

# %%
SEEDS = (0, 1, 2)
sst2 = [encoder_dynamics.load("sst2", profile, s) for s in SEEDS]
yelp = encoder_dynamics.load("yelp", profile)
print(sst2[0].origin)
print(yelp.origin)


# %% [markdown]
# Every block is looked at twice, after its attention and at its end. Some of what follows is about ends only:


# %%
def ends(dynamics):
    """Indices of the layers that are the end of a block."""
    return [k for k, name in enumerate(dynamics.names) if "attention" not in name]


# %% [markdown]
# How large everything is:

# %%
n_blocks = len(ends(yelp))
note(n_blocks=n_blocks, n_mapped=yelp.n_samples)
note(sst2_steps=int(sst2[0].steps[-1]), yelp_steps=int(yelp.steps[-1]))
note(n_looks=len(yelp.steps))

# %% [markdown]
# ## Maps at selected steps
#
# The paper's Figure 7: maps after some of the steps, in one scale of colours. Raw, as in the paper, then with each layer divided by its mean distance.


# %%
def at_steps(dynamics, key, n=5):
    """Maps of a few snapshots, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(dynamics.steps) - 1, n).astype(int))
    return {f"step {dynamics.steps[s]}": dynamics.layer_map(s, key) for s in chosen}


# %% [markdown]
# On Yelp, as in the paper:

# %% tags=["fig", "wide", "paper-F07"] mystnb={"image": {"alt": "Maps of the encoder at five moments on Yelp: raw, the last block outshines all others from the start; normalised, the map is even at first, and the last blocks stand apart later."}}
viz.map_grid(
    {"raw": at_steps(yelp, "raw/gw"), "mean = 1": at_steps(yelp, "mean/gw")}
)

# %% [markdown]
# And on SST-2:

# %% tags=["fig", "wide", "paper-F07"] mystnb={"image": {"alt": "The same on SST-2: an even normalised map for the first dozens of steps, then the last blocks apart."}}
viz.map_grid(
    {"raw": at_steps(sst2[0], "raw/gw"), "mean = 1": at_steps(sst2[0], "mean/gw")}
)

# %% [markdown]
# Read the lower rows. For the first few dozen steps nothing can be seen. Then the lower right corner, the last blocks, leaves the rest, and what follows is more of the same. In the upper rows one block outshines
# everything from the beginning, because its distances are large.
#
# All {glue:text}`n_looks:d` snapshots of Yelp, normalised. Press play, or move the slider.

# %% tags=["widget", "paper-F07"]
top = max(yelp.layer_map(s).values.max() for s in range(len(yelp.steps)))
frames = [
    viz.layer_map(yelp.layer_map(s), title=f"after step {step}", vmax=top)
    for s, step in enumerate(yelp.steps)
]
alts = [
    f"Layer map of the encoder on Yelp after step {step}" for step in yelp.steps
]
stepper(frames, alts, "snapshot")

# %% [markdown]
# ## Does it rise with accuracy?
#
# The paper's Figure 8: the mean distance of all pairs of layers, beside loss, accuracy and F1. Each curve from its value before the first step (0) to its value after the last (1), on Yelp:


# %%
def share(curve):
    """A curve as a share of its way from the first value to the last."""
    way = curve[-1] - curve[0]
    return (curve - curve[0]) / (way if way else 1)


# %% [markdown]
# Four curves, of which the loss is turned round:

# %%
RISING = {
    "mean GW": lambda d: d.mean_distance(),
    "accuracy": lambda d: d.history["val_accuracy"],
    "F1": lambda d: d.history["val_f1"],
    "loss": lambda d: -d.history["train_loss"],
}

# %% [markdown]
# Over the steps, which are spaced by their logarithm; step 0 stands at 1/2:

# %% tags=["fig", "paper-F08"] mystnb={"image": {"alt": "Mean distance, accuracy, F1 and training loss on Yelp, each as a share of its way: accuracy and F1 jump after a few steps, the distance rises later, together with the fall of the loss."}}
viz.curves(
    {name: share(curve(yelp)) for name, curve in RISING.items()},
    np.maximum(yelp.steps, 0.5),
    xlabel="step",
    ylabel="share of the way",
    xscale="log",
)

# %% [markdown]
# When has a curve gone half of its way? The first crossing, between two snapshots on the logarithm of the step. A lag is how much later one curve is than the other, as a
# factor: 2 means at twice as many steps.


# %%
def halfway(dynamics, curve):
    """After how many steps a curve has first gone half of its way."""
    gone, log = share(curve(dynamics)), np.log2(np.maximum(dynamics.steps, 0.5))
    if gone.max() < 0.5:  # it ends where it began
        return np.nan
    k = int(np.argmax(gone >= 0.5))
    part = (0.5 - gone[k - 1]) / (gone[k] - gone[k - 1])
    return 2 ** (log[k - 1] + part * (log[k] - log[k - 1]))


# %% [markdown]
# In the encoders:

# %% tags=["paper-F08"]
watched = {f"SST-2, seed {s}": d for s, d in zip(SEEDS, sst2, strict=True)} | {
    "Yelp": yelp
}
half = pd.DataFrame(
    {
        name: {curve: halfway(d, f) for curve, f in RISING.items()}
        for name, d in watched.items()
    }
).T
half["lag of GW behind accuracy"] = half["mean GW"] / half["accuracy"]
half.round(1)


# %% [markdown]
# The mean over seeds, with an interval: Student's, on the logarithm, because a lag is a factor.


# %%
def interval(factors):
    """Geometric mean of factors, and the ends of its 95 % interval."""
    log = np.log2(factors)
    if np.ptp(log) == 0:
        return (2.0 ** log[0],) * 3
    low, high = stats.t.interval(0.95, len(log) - 1, log.mean(), stats.sem(log))
    return 2 ** log.mean(), 2**low, 2**high


# %% [markdown]
# On SST-2, three seeds:

# %%
lag, low, high = interval(half["lag of GW behind accuracy"].iloc[:3].to_numpy())
note(lag_sst2=lag, lag_sst2_low=low, lag_sst2_high=high)
note(lag_yelp=half["lag of GW behind accuracy"].iloc[3])
still = np.flatnonzero(share(yelp.mean_distance()) < 0.05)
note(before_gw=100 * float(yelp.history["val_accuracy"][still].max()))
note(half_gw_yelp=half["mean GW"].iloc[3], half_acc_yelp=half["accuracy"].iloc[3])
note(half_loss_yelp=half["loss"].iloc[3])
one = next(iter(watched.values()))
way = share(one.mean_distance())
k = int(np.diff(way).argmax())
note(steep_from=100 * way[k], steep_to=100 * way[k + 1])
note(steep_a=int(one.steps[k]), steep_b=int(one.steps[k + 1]))
print(
    f"GW is halfway after {lag:.2f} times as many steps as accuracy "
    f"[{low:.2f}, {high:.2f}]"
)

# %% [markdown]
# On SST-2 the mean distance is halfway after {glue:text}`lag_sst2:.2f` times as many steps as accuracy, with an interval from {glue:text}`lag_sst2_low:.2f` to {glue:text}`lag_sst2_high:.2f`; on Yelp after {glue:text}`half_gw_yelp:.0f` steps against {glue:text}`half_acc_yelp:.0f`, when the loss is falling (halfway after {glue:text}`half_loss_yelp:.0f`).
# The interval knows of seeds, not of snapshots: the lag on SST-2 is less than the step from one snapshot to the next. The rise is steep, as the paper says: in seed 0 the mean goes from {glue:text}`steep_from:.0f` to {glue:text}`steep_to:.0f` % of its way between steps {glue:text}`steep_a:d` and {glue:text}`steep_b:d`. And it follows accuracy. It does not announce it: on Yelp the encoder gets {glue:text}`before_gw:.0f` % of the texts right before the mean distance has gone a twentieth of its way. (F1 is a poor clock: an encoder that calls every text positive, as on SST-2 after a few steps, has an F1 of two thirds, and one that calls every text negative, as on Yelp, has 0.)
#
# ## How much of the growth is scale?
#
# The paper's distances are raw. A layer whose texts move apart is farther from everything, whatever its shape. So the mean raw distance is set against the
# mean scale of the layers: what share of its variance over the snapshots goes along with the scale?


# %%
def by_scale(dynamics):
    """Share of the variance over steps that goes along with the scale."""
    scale = dynamics.history["scale"].mean(axis=1)
    return 100 * np.corrcoef(scale, dynamics.mean_distance("raw/gw"))[0, 1] ** 2


def growth(curve):
    """By which factor a curve has grown from the first snapshot to the last."""
    return curve[-1] / curve[0]


# %% [markdown]
# For each run:

# %%
scale = pd.DataFrame(
    {
        name: {
            "raw GW grows by": growth(d.mean_distance("raw/gw")),
            "scale grows by": growth(d.history["scale"].mean(axis=1)),
            "normalised GW grows by": growth(d.mean_distance()),
            "raw GW explained by scale (%)": by_scale(d),
        }
        for name, d in watched.items()
    }
).T
note(width_r2=scale.iloc[:, 3].min())
note(
    raw_growth=scale.iloc[3, 0],
    width_growth=scale.iloc[3, 1],
    norm_growth=scale.iloc[3, 2],
)
scale.round(2)

# %% [markdown]
# On Yelp the mean raw distance grows {glue:text}`raw_growth:.1f` times, the scale of the layers {glue:text}`width_growth:.1f` times, and the mean distance without scale {glue:text}`norm_growth:.1f` times. In every run the scale goes along with the raw mean, to {glue:text}`width_r2:.1f` % of its variance or more. That alone proves little,
# because everything rises here. But a curve of raw distances, as in the paper's Figure 8, cannot tell growth of scale from change of shape, and both happen.
#
# ## When does a boundary come?
#
# A boundary could be dated: run the test of [chapter 06](06-modular-sum-subnetworks.ipynb) on every snapshot, and take the step after which it finds a boundary that is
# still there in all later ones. The layers are two points for each block, after attention and at its end, and each is compared with its like.


# %%
def boundaries(dynamics):
    """For each snapshot, the p-value and the layers before which the test cuts."""
    found = [
        fs.partition(dynamics.layer_map(s)) for s in range(len(dynamics.steps))
    ]
    return [(p.p_value, p.boundaries) for p in found]


# %% [markdown]
# A boundary is dated by the one that stands first at the end:


# %%
def onset(dynamics, found):
    """Step after which a boundary stays, and the block behind it; else None."""
    last = found[-1][1]
    if not last:
        return None, None
    missing = [s for s, (_, at) in enumerate(found) if last[0] not in at]
    return dynamics.steps[missing[-1] + 1 if missing else 0], last[0] // 2 + 1


# %% [markdown]
# In the four runs:

# %%
dated = {name: boundaries(d) for name, d in watched.items()}
table = pd.DataFrame(
    {name: onset(d, dated[name]) for name, d in watched.items()},
    index=["from step", "in block"],
).T
onsets = table["from step"].dropna().astype(int)
note(n_dated=len(onsets), n_watched=len(table))
table["p before training"] = [found[0][0] for found in dated.values()]
table["p at the end"] = [found[-1][0] for found in dated.values()]
table

# %% [markdown]
# The table has a date for {glue:text}`n_dated:d` of the {glue:text}`n_watched:d` runs. The last blocks do leave the others, all at once, as the curves above show. But two blocks that change faster, up to the end of the network, are a change of speed and no boundary. An encoder of
# twelve blocks could show what comes after; six cannot.
#
# ## Which block changes first?
#
# The paper says: the last layer by iteration 300, its neighbours by 3,000 and 15,000. Two things can be meant. That a block is *far from the others*; or that it is far from *what it said
# before training*. The second is the cleaner question, since a distance of two blocks cannot say which of them has moved. It is answered by the GW distance of every block to itself before the first step.


# %%
def said(dynamics):
    """Distance of each block to itself before training, per step (S, blocks)."""
    return dynamics.history["said"][:, ends(dynamics)]


# %% [markdown]
# On Yelp, a line for four of the blocks:

# %% tags=["fig"] mystnb={"image": {"alt": "GW distance of four blocks to themselves before training, over the steps on Yelp: all rise together, the later the block the higher."}}
viz.curves(
    {
        f"block {k + 1}": said(yelp)[:, k]
        for k in (0, n_blocks // 2, n_blocks - 2, n_blocks - 1)
    },
    np.maximum(yelp.steps, 0.5),
    xlabel="step",
    ylabel="GW distance to itself before",
    xscale="log",
)


# %% [markdown]
# Is it that the last blocks change *first*, or that they change *most*? Divided by where each block ends, the order is seen apart from the size: after how many steps has each block gone half of its own way?


# %%
def half_of_its_way(dynamics, k):
    """The same for what block k says."""
    return halfway(dynamics, lambda d: said(d)[:, k])


# %% [markdown]
# In every run:

# %%
first = pd.DataFrame(
    {
        name: [half_of_its_way(d, k) for k in range(n_blocks)]
        for name, d in watched.items()
    },
    index=[f"block {k + 1}" for k in range(n_blocks)],
)
first.round().astype("Int64")

# %% [markdown]
# The rank correlation of a block's place with how far it goes, and with how late it is halfway:

# %%
places = np.arange(n_blocks)
order = pd.DataFrame(
    {
        name: {
            "how far": stats.spearmanr(places, said(d)[-1]).statistic,
            "how late": stats.spearmanr(places, first[name]).statistic,
        }
        for name, d in watched.items()
    }
).T
note(earliest=", ".join(sorted(set(first.idxmin()))))
note(late_ratio=float((first.iloc[-1] / first.min()).max()))
note(
    far_least=order["how far"].min(),
    late_least=order["how late"].min(),
    late_most=order["how late"].max(),
)
order.round(2)

# %% [markdown]
# The later a block, the farther it goes: the least rank correlation of the runs is {glue:text}`far_least:.2f`. But the last block is not the first. First to be halfway, in
# all runs, is {glue:text}`earliest`; the last block takes up to {glue:text}`late_ratio:.1f` times as many steps. (Later blocks tend to be a little earlier, with rank correlations from {glue:text}`late_least:.2f` to {glue:text}`late_most:.2f`; with so few blocks that decides nothing.) What looks like a wave from the end, in maps, is one movement of different size: a block that goes farther is the first to be *seen* to have moved.
#
# ## Larger gradients at the end?
#
# A first version of the paper guessed that the last blocks change because their gradients are larger. The authors then looked, found no differences among the blocks, and more than ten
# times larger ones in the classifier. Mean absolute gradient, in the mean over the snapshots after the first step, relative to block 1:

# %%
parts = [*(f"block {k + 1}" for k in range(n_blocks)), "pooler", "classifier"]
gradients = pd.DataFrame(
    {
        name: np.nanmean(d.history["gradients"][1:, 1:], axis=0)
        for name, d in watched.items()
    },
    index=parts,
)
gradients = gradients / gradients.iloc[0]
note(
    grad_last=gradients.iloc[n_blocks - 1].mean(),
    grad_head=gradients.iloc[-1].min(),
)
note(
    grad_least=gradients.iloc[:n_blocks].min().min(),
    grad_most=gradients.iloc[:n_blocks].max().max(),
)
gradients.round(1)

# %% [markdown]
# There are differences among the blocks, and they are the other way round: the last block has {glue:text}`grad_last:.1f` times the gradient of the first. The classifier has at least {glue:text}`grad_head:.1f` times as much. So large gradients do not explain the
# last blocks; the authors found this, too. But they found the gradients of the blocks to be equal, and ours are not.
#
# ## Every block moved equally far
#
# If the last blocks stood apart because training moves their weights most, they should not when it moves all blocks equally. So SST-2 was learned once more, and after every step the move of each block from where it began was stretched or shortened
# to the mean of all, which is what learning rates of their own would do.

# %%
equal = encoder_dynamics.load("sst2-equal", profile)
usual = sst2[0]
control = pd.DataFrame(
    {
        "moved (%)": 100 * usual.history["moved"][-1],
        "moved, equal (%)": 100 * equal.history["moved"][-1],
        "said": said(usual)[-1],
        "said, equal": said(equal)[-1],
    },
    index=[f"block {k + 1}" for k in range(n_blocks)],
)
control.round(3)

# %% [markdown]
# And the maps:

# %%
inner = np.triu_indices(len(usual.names), k=1)
alike = stats.spearmanr(
    usual.layer_map(-1).values[inner], equal.layer_map(-1).values[inner]
)
note(moved_least=control.iloc[:, 0].min(), moved_most=control.iloc[:, 0].max())
note(equal_rank=alike.statistic, equal_acc=100 * equal.history["val_accuracy"][-1])
note(usual_acc=100 * usual.history["val_accuracy"][-1])
found = boundaries(equal)[-1]
note(equal_p=found[0], equal_boundaries=len(found[1]))
print(
    f"rank correlation of the maps {alike.statistic:.2f}; "
    f"with equal moves p = {found[0]:.3f}, boundaries {found[1]}"
)

# %% [markdown]
# It was hardly needed: in the usual training, too, each block moves here by about the same share of its length, {glue:text}`moved_least:.1f` to {glue:text}`moved_most:.1f` %. Adam divides each gradient by its size. Moved equally far, the blocks end at a map with a rank correlation of {glue:text}`equal_rank:.2f`
# to the usual one, the test finds {glue:text}`equal_boundaries:d` boundaries there as well ($p$ = {glue:text}`equal_p:.2f`), and accuracy is {glue:text}`equal_acc:.1f` % instead of {glue:text}`usual_acc:.1f` %. What sets the last blocks apart is not how far their weights move. It is what a move of this size does there. Our reading, not tested here:
# the changes of all earlier blocks arrive at the last one, and those of the last at no other.
#
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C23: the last block changes first, its neighbours after it (5.3, Figure 7) | ours | disagrees for `all-MiniLM-L6-v2`: it changes most, not first | {glue:text}`earliest` is the first to be halfway in all runs; rank correlation of place with distance gone {glue:text}`far_least:.2f` at least |
# | C23: is it because training moves it most? | ours | disagrees | with equal moves the map has a rank correlation of {glue:text}`equal_rank:.2f` with the usual one |
# | C24: mean GW grows slowly, then fast, with accuracy (5.3, Figure 8) | ours | agrees; it follows accuracy | halfway after {glue:text}`lag_sst2:.2f` times as many steps [{glue:text}`lag_sst2_low:.2f`, {glue:text}`lag_sst2_high:.2f`] on SST-2, three seeds; {glue:text}`lag_yelp:.2f` on Yelp |
# | C24, with raw distances | ours | agrees; scale and shape both grow | on Yelp raw {glue:text}`raw_growth:.1f` times, the scale {glue:text}`width_growth:.1f` times, without scale {glue:text}`norm_growth:.1f` times |
# | C29: gradients do not explain the last blocks (reviews) | ours | agrees; but the blocks do not have equal gradients | the last block has {glue:text}`grad_last:.1f` times the gradient of the first |
# | C29: the classifier's are more than ten times larger | ours | agrees | at least {glue:text}`grad_head:.1f` times those of block 1 |
# | C36: computation changes abruptly (later version) | ours | undecided: the last blocks change faster, up to the end, which is no boundary (C19) | a boundary that stays in {glue:text}`n_dated:d` of {glue:text}`n_watched:d` runs |
#
# **Before you read a curve of distances**: divide by the scale; draw it beside the accuracy on *training* data; and ask of each block how far it has come from itself, not from others.
