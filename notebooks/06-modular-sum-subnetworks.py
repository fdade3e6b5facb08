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
#     data: [model-0/seed-0, model-l-equal/seed-0, modular-maps, level-and-power]
# ---

# %% [markdown]
# # 06 Maps of networks that add
#
# The networks of [chapter 04](04-modular-sum-training.ipynb) can add. One of them adds three times in a row, and we know where each sum ends. Does a map of its layers show these places?
#
# ## In short
#
# No. A raw {term}`layer map` of {term}`Model 0 <Model 0, Model E, Model L>` shows how large its layers are: {term}`scale` explains {glue:text}`explained_by_scale:.2f` % of its variance. Without scale, a map mostly shows which kind each layer is, such as attention or {term}`MLP`. In the map of Model L, which computes three functions, our test finds {glue:text}`n_blocks_l:d` {term}`groups <group>`. Of the two places where a new function begins it finds {glue:text}`found_l_words`. A map in which layers differ in nothing but width looks similar: its {term}`rank correlation` with the map of the trained network is {glue:text}`by_width:.2f`. Much of a map therefore shows how a transformer is built, and not what it computes.
#
# :::{glue:figure} fig_in_short_06
# :name: fig-06-in-short
# :alt: Three maps of 93 layers. Before training and by width alone there are three bright crosses, one in each block. In the trained map two of them are much brighter, and no bright line runs along the borders of the blocks.
#
# Three maps of Model L: trained, before training, and made of layers that differ in width alone. Dark is alike, bright is different. White frames are groups that our test finds. Dotted lines mark where a new function begins. The crosses lie at the attention scores and attention maps of each block. They are there in all three maps, and none of them is at a dotted line.
# :::
#
# :::{admonition} What you will learn
# - what a layer map is, and how to draw one of your own in three lines;
# - how much of a raw map is scale, and what is left without it;
# - how groups are read off a map by a test instead of by eye;
# - how much of a map is due to the widths of the layers, and how much distance relabelling the inputs removes.
#
# **Time**: 22 minutes to read, one minute to run.
# **In the paper**: section 5.1, Table 1, Figures 3 to 5.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb) and [chapter 04](04-modular-sum-training.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_samples = 200

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
from scipy.stats import spearmanr
from torch import nn

import funcsim as fs
from exercises import chapter_06 as check
from funcsim import viz
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.viz import interactive
from replication.modular_addition import maps, trained_networks
from replication.modular_addition.maps import MAPS

# %% tags=["remove-cell"]
# isort: split
import warnings
from itertools import pairwise

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from bookkit.glue import keep_figure, note
from funcsim.kinds import MixedKindsWarning
from replication.benchmark import level_and_power

warnings.simplefilter("ignore", MixedKindsWarning)  # see "Groups by a test"

# %% [markdown]
# ## A map of sizes
#
# We begin with Model 0, which has one {term}`block` and adds once. We run all pairs of numbers through it and keep the output of its 31 named layers. [Chapter 01](01-functional-similarity.ipynb) explains the names. Each {term}`representation` holds both token positions in one row. Like the paper, we compare layers on a sample of the inputs. Our networks were trained for fewer epochs than the paper's.

# %%
model_0 = trained_networks.load("model-0", profile, seed)
reps = fs.capture(model_0.model, [model_0.pairs])
sample = reps.subsample(min(n_samples, reps.n_samples), seed)
sample

# %% [markdown]
# Before we compare layers, we look at each by itself. How far apart are two inputs in it, on average? This mean distance is the scale of the layer.

# %%
names = [name.removeprefix("blocks.0.") for name in sample.names]
layers = sample.values()
scales = [mean_distance(pairwise_distances(layer)) for layer in layers]

# %% tags=["remove-cell"]
note(n_used=sample.n_samples, n_pairs_0=len(names) * (len(names) - 1) // 2)
note(spread_first=scales[0], spread_last=scales[-1])
note(spread_ratio=max(scales) / min(scales))

# %% [markdown]
# The figure shows all layers.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean distance between two inputs in each of the 31 layers: a few units up to the attention output, then tens, then a hundred at the end."}, "figure": {"name": "fig-06-scale", "caption": "The mean distance between two inputs in each layer of Model 0. The layers at the end are far larger than all others."}}
by_layer = dict(zip(names, scales, strict=True))
viz.bars(by_layer, ylabel="mean distance between inputs")

# %% [markdown]
# The scale goes from {glue:text}`spread_first:.1f` at the first layer to {glue:text}`spread_last:.0f` at the last. The largest is {glue:text}`spread_ratio:.0f` times the smallest.
#
# A map needs one {term}`Gromov-Wasserstein distance` (GW) for each of the {glue:text}`n_pairs_0:d` pairs of layers, here on {glue:text}`n_used:d` inputs. We begin with raw distances. So does the paper, as far as we can tell. The map was made by `fs.compare(sample, normalize=None)` and stored.

# %%
raw = maps.load("0-raw", profile, seed)
raw_groups = fs.partition(raw, seed=seed)
[names[k] for k in raw_groups.boundaries]

# %% [markdown]
# The list names the layers at which a new group begins, by a test explained below. Here is the map.

# %% tags=["fig", "paper-F05", "hide-input"] mystnb={"image": {"alt": "Raw layer map of Model 0: the last four layers, the MLP and the exit, are bright against everything else, which is uniformly dark."}, "figure": {"name": "fig-06-raw", "caption": "The raw map of Model 0. Dark is alike, bright is different. White frames are groups, which begin where the scale jumps."}}
raw.plot(groups=raw_groups, title="Model 0, raw distances")

# %% [markdown]
# The map is nearly black except for its last rows. These are the large layers of {numref}`fig-06-scale`. How much of the map does scale explain? We guess the distance of two layers to be the difference of their mean distances, and correlate the guess with the map.

# %%
upper = np.triu_indices(len(names), k=1)
guess = np.abs(np.subtract.outer(scales, scales))[upper]
explained = np.corrcoef(guess, raw.values[upper])[0, 1] ** 2
print(f"{100 * explained:.2f} %")

# %% tags=["remove-cell"]
note(explained_by_scale=100 * float(explained))

# %% [markdown]
# The guess explains {glue:text}`explained_by_scale:.2f` % of the map's variance. So the raw map shows that layers grow along the {term}`residual stream`, and hardly anything else.
#
# ## The same map without size
#
# We divide the distances of each layer by their mean. What is left is the shape of each cloud of points. A map of these distances is {term}`normalised`. Three lines make one for any network: `fs.capture` above, and now `fs.compare` and `fs.partition`.

# %%
normalised = fs.compare(sample)
groups = fs.partition(normalised, seed=seed)
groups.n_groups, groups.p_value

# %% tags=["remove-cell"]
starts_n = ", ".join(names[k] for k in groups.boundaries)
note(n_blocks=groups.n_groups, p_value=groups.p_value)
note(
    none_out=f"only the steps into {starts_n} stand out"
    if starts_n
    else "none of them stands out"
)

# %% [markdown]
# The map:

# %% tags=["fig", "paper-F05", "hide-input"] mystnb={"image": {"alt": "Normalised layer map of Model 0: the four attention maps form a bright cross, alike among themselves and unlike all other layers."}, "figure": {"name": "fig-06-normalised", "caption": "The map of Model 0 without scale. The four attention maps form a bright cross. They are alike among themselves, and unlike all other layers."}}
normalised.plot(
    groups=groups, title="Model 0, each layer divided by its mean distance"
)

# %% [markdown]
# The four {term}`attention maps <attention score, attention map>` stand apart from everything, and are alike among themselves. In each {term}`head` the keys resemble the attention scores: these are the small dark squares off the diagonal. The values resemble the stream that enters. Near the end, attention output, stream and {term}`MLP` form a dark square.
#
# ## Groups by a test, not by eye
#
# The paper reads its maps by eye. A later version of the paper claims that layers change abruptly. But neighbours are usually more alike than distant layers, so an eye can cut any map somewhere. And steps from layer to layer are never even. So a {term}`boundary` must be more than a large step. It must be an {term}`outlier`, out of proportion to the *other* steps of the same map.
#
# `fs.partition` looks for such steps in three moves.
#
# 1. **Measure the steps.** The step into a layer is its distance from the layer before. But a single odd layer is no step if its two neighbours are alike.
# 2. **Look for outliers.** How far does the largest step lie above the others, in units of their spread {cite:p}`rosner1983percentage`? We ask the same of simulated maps with uneven steps and no boundary. The {term}`p-value` is the share of these maps with an outlier at least as clear.
# 3. **Name what stands out.** One large step is a *jump*, two or three in a row are a *transition*. Both are boundaries. A longer run is a *change of speed*, and no boundary.
#
# Each step is compared with steps into layers of the same kind, such as attention or MLP. [Page 06b](06b-how-good-is-the-test.ipynb#how-the-test-works) has the rules in full.
#
# Model 0 has too many kinds of layers for this, so each step is compared with all others. (The library's warning of this is switched off.) The steps are so uneven that {glue:text}`none_out` ($p$ = {glue:text}`p_value:.2f`). So the test sees no groups in {numref}`fig-06-normalised`, where an eye sees a cross.

# %% tags=["remove-cell"]
ASKED = {
    "none: even steps": "even",
    "none: uneven steps": "uneven .4",
    "none: speeds up": "speed-up x5",
    "none: untrained": "residual network",
    "one: large step": "step x4 among .3",
    "one: far last layer": "last layer x10",
    "one: flat groups": "two flat groups",
}
RULES = {
    level_and_power.OURS: "this test",
    "first edition": "first edition",
    "largest step": "largest step",
}
rates, origin_rates = level_and_power.load(profile)
size = 13 if 13 in set(rates["layers"]) else int(rates["layers"].max())
asked = rates[rates["layers"] == size]
asked = asked.assign(share=100 * asked["exact"].fillna(asked["cut"]))
trusted = asked.pivot_table(index="family", columns="rule", values="share")
trusted = trusted.loc[list(ASKED.values()), list(RULES)]
trusted = trusted.set_axis(list(ASKED)).rename(columns=RULES)
without = trusted.iloc[:4]
mine = trusted["this test"]
note(size_asked=size, cut_most=without["this test"].max())
note(cut_first=trusted["first edition"].iloc[1])
note(found_step=mine.iloc[4], found_last=mine.iloc[5], found_flat=mine.iloc[6])
n_maps = asked.groupby("rule")["n_maps"].max()
note(n_ours=int(n_maps[level_and_power.OURS]), n_rivals=int(n_maps["largest step"]))

# %% [markdown]
# Can such a test be trusted? We asked it about simulated maps whose answer is known. The results are stored.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Three rules on seven families of simulated maps. This test cuts at most five or six per cent of the maps without a boundary and finds four of five boundaries or more. The two others cut up to 40 and 100 per cent of maps without a boundary, and each of them misses all boundaries of one family."}, "figure": {"name": "fig-06-trust", "caption": "Three rules on simulated maps of 13 layers: our test, that of this book's first edition, and a cut at the largest step. Maps above the line have no boundary: dots should lie on the left, at the level of 5 % or below. Maps below the line have one boundary: dots should lie on the right. There the dots count the maps that are cut exactly at the boundary. *Speeds up*: five times as fast at the end. *Untrained*: a residual network. *Large step*: four times as large. *Far last layer*: ten times as far. *Flat groups*: without drift inside."}}
fig = viz.dots(
    trusted,
    xlabel="maps that are cut (%)",
    reference=5,
    reference_label="level",
)
fig.axes[0].axhline(2.5, color=viz.GREY, lw=1)
fig

# %% [markdown]
# Our test cuts at most {glue:text}`cut_most:.1f` % of the maps without a boundary. It finds {glue:text}`found_step:.0f` % of the large steps, {glue:text}`found_last:.0f` % of the far last layers, and {glue:text}`found_flat:.0f` % of the boundaries between flat groups. The test of this book's first edition cut {glue:text}`cut_first:.0f` % of the maps of uneven steps. [Page 06b](06b-how-good-is-the-test.ipynb) says what the test cannot see.
#
# ## What the paper reads from this map
#
# In the paper's map the first major difference appears at layer 13, where the attention scores begin. The second appears at layer 17, where the attention maps begin. The paper concludes that attention does the main work (section 5.1). We look at the step into each layer.

# %%
steps = pd.Series(np.diag(normalised.values, k=1), names[1:])
raw_steps = pd.Series(np.diag(raw.values, k=1), names[1:])
steps.nlargest(4).round(2)

# %% tags=["remove-cell"]
ranks = steps.rank(ascending=False)
note(step_scores=steps["attn_pre.0"], step_map=steps["attn.0"])
note(step_after=steps["z.0"], step_keys=steps["k.0"])
note(step_relu=steps["post"], rank_relu=int(ranks["post"]), n_steps_0=len(steps))
note(raw_largest=raw_steps.idxmax(), raw_step=raw_steps.max())
entrance = normalised.values[0]
out = names.index("z.0")  # the layer before it is the last attention map
note(away=entrance[out - 1], back=entrance[out])
note(raw_away=raw.values[0, out - 1], raw_back=raw.values[0, out])

# %% [markdown]
# These are the four largest steps. The figure shows all {glue:text}`n_steps_0:d`.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "The step into each of 30 layers. The four largest are into the first key, the first attention score, the first attention map and the first z. The step into the ReLU's output is small."}, "figure": {"name": "fig-06-steps", "caption": "The step into each layer of Model 0, without scale. Orange: the two steps that the paper names. Green: the step across the ReLU, after which a probe can read the answer. This step is small."}}
fig, ax = viz.new_figure(6.4, 3.4)
colours = dict.fromkeys(names[1:], viz.BLUE)
colours |= dict.fromkeys(("attn_pre.0", "attn.0"), viz.ORANGE)
colours["post"] = "#009e73"
ax.bar(names[1:], steps, color=list(colours.values()))
ax.tick_params(axis="x", rotation=90, labelsize=8)
ax.set(ylabel="distance from the layer before")
ax.margins(x=0.02)
fig

# %% [markdown]
# The table also has the raw steps.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-06-steps", "caption": "The eight largest steps of the map without scale, beside the same steps of the raw map."}}
both = pd.DataFrame({"without scale": steps, "raw": raw_steps})
both.nlargest(8, "without scale").round(3)

# %% [markdown]
# The steps into the attention scores ({glue:text}`step_scores:.2f`) and into the attention maps ({glue:text}`step_map:.2f`) are among the four largest, as the paper says. The paper does not mention the other two: the step out of the attention maps ({glue:text}`step_after:.2f`) and the very first, into the keys ({glue:text}`step_keys:.2f`). In the raw map the largest step is into {glue:text}`raw_largest`, where the scale grows.
#
# Where does the answer become readable? In [chapter 01](01-functional-similarity.ipynb) a {term}`linear probe` hardly ever found it in four layers before the {term}`ReLU` of the MLP, and nearly always after it. The step across this ReLU is {glue:text}`step_relu:.2f`, number {glue:text}`rank_relu:d` of the {glue:text}`n_steps_0:d` steps in size. So the map shows changes of *shape*, and the change at the decisive step is small. It does not follow from the map that attention does the main work.
#
# The map also depends on which token positions are taken. The text we worked from does not say which. With the last position alone, [the attention maps resemble the keys](06c-other-maps.ipynb#one-position-or-both).
#
# ## Model L: three functions in 93 layers
#
# Model L has three blocks, and each was trained for a sum of its own. So here a map can be checked against the truth. Its second block begins at index 31, the third at 62. We take the network with equal {term}`moduli <moduli, equal and nested>`, and the last position of each layer, where the answer is read. The map is stored.

# %%
map_l = maps.load("l", profile, seed)
names_l = [name.removeprefix("blocks.") for name in map_l.names]
groups_l = fs.partition(map_l, seed=seed)
map_l

# %% tags=["remove-cell"]
per_block = len(names_l) // 3
truth = {per_block, 2 * per_block}
upper_l = np.triu_indices(len(names_l), k=1)
note(n_deep=map_l.n_samples, n_layers_l=len(names_l), n_pairs_l=len(upper_l[0]))
doors = [(k * per_block - 1, k * per_block) for k in (1, 2)]
note(doors=max(float(map_l.values[door]) for door in doors))
untrained_l = maps.load("l-untrained", profile, seed)
clipped = float(untrained_l.values.max())
above = 100 * float((map_l.values[upper_l] > clipped).mean())
note(clipped=clipped, share_above=above)
note(n_blocks_l=groups_l.n_groups, p_l=groups_l.p_value)
hits = len(truth & set(groups_l.boundaries))
note(found_l=hits, found_l_words=("none", "one", "both")[hits])
starts_l = [names_l[k] for k in groups_l.boundaries]
note(starts_l=", ".join(starts_l))

# %% [markdown]
# The map has {glue:text}`n_layers_l:d` layers and {glue:text}`n_pairs_l:,d` pairs, on {glue:text}`n_deep:d` inputs. Point at it, or use the arrow keys, to read two layers and their distance. The colours end at {glue:text}`clipped:.2f`, the largest distance in this network before training. Of all pairs, {glue:text}`share_above:.0f` % lie above it.

# %% tags=["paper-F03", "widget", "hide-input"]
interactive.explorer(
    map_l,
    "Layer map of Model L: bright crosses at the attention maps of the "
    "second and third block, and a paler one in the first.",
    groups_l,
    vmax=clipped,
)

# %% [markdown]
# A few layers outshine everything. To see which, we take the median distance of each layer.

# %%
frame_l = map_l.to_frame().set_axis(names_l).set_axis(names_l, axis=1)
far = frame_l.median().sort_values(ascending=False)
reps_l = MAPS["l"].representations(profile, seed)


def alike(name):
    """Share of inputs (%) whose row is within 0.01 of the median row."""
    layer = reps_l["blocks." + name]
    near = np.abs(layer - np.median(layer, axis=0)) < 0.01
    return 100 * near.all(axis=1).mean()


# %% tags=["remove-cell"]
note(farthest=far.index[0], second=far.index[1])
note(far_1=far.iloc[0], far_2=far.iloc[1], far_typical=far.median())
note(share_same=alike(far.index[0]))

# %% [markdown]
# The six farthest layers:

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-06-far", "caption": "The six layers of Model L that are farthest from the others: the median distance to all layers, and for how many inputs the layer's output is the same to within 0.01. All six are attention maps, and for most inputs their weights are nearly the same."}}
farthest = far.head(6).round(2).rename("median distance").to_frame()
shares = [f"{alike(name):.0f}" for name in farthest.index]
farthest["same output (% of inputs)"] = shares
farthest

# %% [markdown]
# The median distance is {glue:text}`far_1:.1f` for {glue:text}`farthest` and {glue:text}`far_2:.1f` for {glue:text}`second`. The typical layer has {glue:text}`far_typical:.2f`. What is special about these layers? For {glue:text}`share_same:.0f` % of the inputs the weights of the farthest layer agree to within 0.01. Its head is *saturated*: it gives nearly the same weights to whatever it reads. Such a layer is one heap of points with a few strays. Its mean distance is tiny, and divided by this mean the strays are very far away.
#
# The test returns {glue:text}`n_blocks_l:d` groups ($p$ = {glue:text}`p_l:.3f`). New groups start at {glue:text}`starts_l`, in front of and behind saturated heads. Of the two true boundaries the test finds {glue:text}`found_l_words`. It cannot find either of them: the stream that leaves a block *is* the stream that enters the next, so the step there is {glue:text}`doors:g`.
#
# Where are three groups, if we insist on three?

# %%
three = fs.partition_into(map_l, 3)
spectral_l = fs.spectral_partition(map_l, 3, seed=seed)
three.boundaries, [len(group) for group in spectral_l.groups]

# %% tags=["remove-cell"]
note(cuts_l=" and ".join(str(k) for k in three.boundaries))
note(spectral_l=", ".join(str(len(group)) for group in spectral_l.groups))

# %% [markdown]
# Three groups of consecutive layers begin at 0, {glue:text}`cuts_l`, and not at 31 and 62. {term}`Spectral clustering` may put distant layers into one group. It makes groups of {glue:text}`spectral_l` layers. The paper's groups are not consecutive either. Two of the three appear again in later layers, and the third holds the first and last layers. They match the functions in number. One network cannot tell whether this is more than chance.
#
# [Page 06c](06c-other-maps.ipynb#the-stream-alone) tries the stream alone, a chain that passes only answers on, and other measures. None of these finds the functions.
#
# ## Functions, or widths?
#
# To the reviewers the authors describe the groups of Model L as kinds of layers: attention, MLP and residual layers, and the two ends. This agrees with what we see. But are layers of one kind alike because of what they *compute*? A layer of one head has 32 numbers, the stream 128, the MLP 512. An attention map at the last position has two, which add up to one. A cloud on a line cannot resemble a cloud in 32 dimensions, whatever the two compute.
#
# So we make a {term}`null`, a network in which nothing is computed. Every layer is replaced by the *first* layer, projected at random to as many dimensions as the replaced layer fills. Then layers differ in nothing but width and the luck of the projections. Beside it we put Model L before training.

# %%
controls = {
    "trained": map_l,
    "before training": maps.load("l-untrained", profile, seed),
    "width alone": maps.load("l-width", profile, seed),
}

# %% tags=["remove-cell"]
found = {name: fs.partition(m, seed=seed) for name, m in controls.items()}
note(n_blocks_width=found["width alone"].n_groups)
note(p_width=found["width alone"].p_value)
note(n_blocks_start=found["before training"].n_groups)


# %% tags=["remove-cell"]
def draw(ax, m, groups, vmax):
    """A map with its groups, and dotted lines where blocks begin."""
    image = ax.imshow(
        m.values, cmap=viz.COLOURS, vmin=0, vmax=vmax, interpolation="nearest"
    )
    for a, b in pairwise([0, *groups.boundaries, len(m.names)]):
        for colour, width in (("black", 2.6), ("white", 1.3)):
            frame = Rectangle((a - 0.5, a - 0.5), b - a, b - a, fill=False)
            frame.set(edgecolor=colour, linewidth=width, clip_on=False)
            ax.add_patch(frame)
    for begins in truth:
        ax.axhline(begins - 0.5, color="white", lw=1, ls=":")
        ax.axvline(begins - 0.5, color="white", lw=1, ls=":")
    middle = [(k + 0.5) * per_block for k in range(3)]
    ax.set_xticks(middle, ["1", "2", "3"])
    ax.set_yticks(middle, ["1", "2", "3"])
    ax.tick_params(length=0)
    ax.set_xlabel("block")
    return image


def side_by_side(shown, groups, vmax, size):
    """Maps of the same layers, in one scale of colours."""
    fig, axes = plt.subplots(
        1, len(shown), figsize=size, dpi=110, layout="constrained", sharey=True
    )
    plt.close(fig)
    for ax, (name, m) in zip(axes, shown.items(), strict=True):
        image = draw(ax, m, groups[name], vmax)
        ax.set_title(name, fontsize=11)
    axes[0].set_ylabel("block")
    label = "GW distance, each layer's mean distance = 1"
    bar = fig.colorbar(
        image, ax=axes, location="bottom", shrink=0.6, extend="max", label=label
    )
    bar.ax.tick_params(labelsize=9)
    return fig


# %% tags=["remove-cell"]
in_short = side_by_side(controls, found, clipped, (6.4, 3.2))
keep_figure("fig_in_short_06", in_short)

# %% tags=["remove-cell"]
KINDS = {
    "attention map": lambda n: ".attn." in n,
    "attention score": lambda n: "attn_pre" in n,
    "key, query, value, z": lambda n: n.split(".")[1] in "kqvz",
    "stream and MLP": lambda n: n.count(".") == 1,
}
members = {
    kind: [k for k, name in enumerate(names_l) if rule(name)]
    for kind, rule in KINDS.items()
}
home = members["stream and MLP"]
by_kind = pd.DataFrame(
    {
        name: {
            kind: np.median(m.values[np.ix_(rows, home)])
            for kind, rows in members.items()
        }
        for name, m in controls.items()
    }
)
apart = by_kind.loc["attention map"]
note(apart_trained=apart["trained"], apart_width=apart["width alone"])
note(apart_untrained=apart["before training"])

# %% [markdown]
# {numref}`fig-06-in-short` at the top of this page draws the three maps in the same colours. How far is each kind of layer from the stream and the MLP?

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-06-kinds", "caption": "The median distance of each kind of layer to the stream and the MLP, in each of the three maps of Model L. Attention maps are the farthest kind in all of them."}}
by_kind.round(2)

# %% [markdown]
# Attention maps are the farthest kind in all three. How well does the map of widths predict each distance of the trained network?


# %%
def agreement(one, other):
    """Rank correlation of two maps of the same layers."""
    inner = np.triu_indices(len(one.names), k=1)
    return spearmanr(one.values[inner], other.values[inner]).statistic


float(agreement(controls["width alone"], map_l))

# %% tags=["remove-cell"]
note(by_width=agreement(map_l, controls["width alone"]))
note(by_start=agreement(map_l, controls["before training"]))
widths_0 = maps.load("0-width", profile, seed)
groups_0 = fs.partition(widths_0, seed=seed)
note(n_blocks_0=groups_0.n_groups, p_widths=groups_0.p_value)
starts_0 = [names[k] for k in groups_0.boundaries]
note(starts_0=", ".join(starts_0) or "none")
note(by_width_0=agreement(widths_0, normalised))

# %% [markdown]
# The rank correlation is {glue:text}`by_width:.2f`. With the map before training it is {glue:text}`by_start:.2f`. So a large part of the map is there in a network in which *nothing is computed*. A distance between two layers need not be a difference in function.
#
# The same holds for Model 0. Its map of widths has a rank correlation of {glue:text}`by_width_0:.2f` with the trained one. It even has {glue:text}`n_blocks_0:d` groups: a new one starts at {glue:text}`starts_0`, where the attention maps end.
#
# ## Model E: trained end to end
#
# Model E has the same architecture and has learned the last sum alone, all blocks at once. The paper reports two differences. From layer 64 on all layers of Model E are alike, and the distances of Model L are larger (Figure 4).

# %% tags=["remove-cell"]
map_e = maps.load("e", profile, seed)
two = {"Model L": map_l, "Model E": map_e}
of_two = {name: fs.partition(m, seed=seed) for name, m in two.items()}
note(n_blocks_e=of_two["Model E"].n_groups)

# %% [markdown]
# Here are both maps, in the colours of {numref}`fig-06-in-short`.

# %% tags=["fig", "wide", "paper-F04", "hide-input"] mystnb={"image": {"alt": "Maps of Model L and of Model E side by side. Model E has paler crosses at the attention scores and attention maps of every block, the last block included."}, "figure": {"name": "fig-06-l-and-e", "caption": "The maps of Models L and E without scale, in the colours of the first figure. White frames are groups that the test finds, dotted lines mark where blocks begin. The crosses of Model E are paler, and its last block has them as well."}}
side_by_side(two, of_two, clipped, (5.6, 3.8))

# %% [markdown]
# We compare their mean distances over all pairs of layers, over pairs from layer 64 on, and over pairs without attention maps, for three seeds.


# %%
def means(layer_map):
    """Mean distance between layers: all, late ones, no attention maps."""
    rows, columns = np.triu_indices(len(layer_map.names), k=1)
    values = layer_map.values[rows, columns]
    other = np.array([".attn." not in name for name in layer_map.names])
    late = rows >= 2 * per_block + 2
    return {
        "all pairs": values.mean(),
        "from 64 on": values[late].mean(),
        "no attention maps": values[other[rows] & other[columns]].mean(),
    }


SEEDS = {"first": "", "second": "-second", "third": "-third"}
mean = {}
for letter in "le":
    for label, suffix in SEEDS.items():
        m = maps.load(letter + suffix, profile, seed)
        for part, value in means(m).items():
            mean[part, label, f"Model {letter.upper()}"] = value

# %% tags=["remove-cell"]
mean = pd.Series(mean).unstack()
parts = ["all pairs", "from 64 on", "no attention maps"]
first = mean.xs("first", level=1)
note(mean_l=first["Model L"]["all pairs"], mean_e=first["Model E"]["all pairs"])
note(late_e=first["Model E"]["from 64 on"])
note(calm_l=first["Model L"]["no attention maps"])
note(calm_e=first["Model E"]["no attention maps"])
l_is_larger = mean["Model L"] > mean["Model E"]
note(larger=int(l_is_larger["all pairs"].sum()))
note(calmer=int(l_is_larger["no attention maps"].sum()))
late, every = mean["Model E"]["from 64 on"], mean["Model E"]["all pairs"]
note(alike=int((late < every).sum()))
in_words = (*(f"{n} of the three" for n in ("none", "one", "two")), "all three")
note(alike_words=in_words[int((late < every).sum())])
note(larger_words=in_words[int(l_is_larger["all pairs"].sum())])
note(calmer_words=in_words[int(l_is_larger["no attention maps"].sum())])
raw_means = {m: means(maps.load(f"{m}-raw", profile, seed)) for m in "le"}
note(raw_l=raw_means["l"]["all pairs"], raw_e=raw_means["e"]["all pairs"])
note(raw_late_e=raw_means["e"]["from 64 on"])

# %% [markdown]
# The three means of each network:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Mean distances of Models L and E for three seeds. Over all pairs Model L is larger. Without attention maps the two are nearly equal. In Model E the late layers have nearly the same mean as all layers."}, "figure": {"name": "fig-06-means", "caption": "Mean distances between layers without scale, for three seeds of each network. Over all pairs Model L is larger. Without the attention maps the two networks are nearly equal."}}
drawn = mean.loc[[(part, label) for part in parts for label in SEEDS]]
drawn.index = [f"{part}, {label} seed" for part, label in drawn.index]
viz.dots(drawn, xlabel="mean distance between layers")

# %% [markdown]
# Are the late layers of Model E alike? Their mean distance is {glue:text}`late_e:.2f`, that of all its layers {glue:text}`mean_e:.2f`. In {glue:text}`alike_words` seeds the late layers are a little closer to each other, but not alike. Their raw mean distance is larger than that of all layers ({glue:text}`raw_late_e:.1f` against {glue:text}`raw_e:.1f`), because the stream has grown.
#
# Are the distances of Model L larger? Over all pairs they are, in {glue:text}`larger_words` seeds. The reason is the saturated heads. Without the attention maps Model L has {glue:text}`calm_l:.2f`, and Model E {glue:text}`calm_e:.2f`. Without them Model L's mean is larger in {glue:text}`calmer_words` seeds. Model L's raw mean is larger, too ({glue:text}`raw_l:.1f` against {glue:text}`raw_e:.1f`), because its stream is. [Page 06c](06c-other-maps.ipynb#seeds-and-positions) has the groups of all these maps.
#
# ## What Gromov-Wasserstein cannot see
#
# GW is free to match any input with any other. We build two layers: one holds $a$ alone, the other $b$ alone, each number as a point on a circle.

# %%
pairs = model_0.pairs.numpy()
p = int(pairs.max()) + 1
chosen = np.random.default_rng(seed).permutation(p)[:10]
grid = pairs[np.isin(pairs, chosen).all(axis=1)]
angle = 2 * np.pi * grid / p
only_a, only_b = (np.c_[np.cos(t), np.sin(t)] for t in angle.T)
circles = fs.Representations({"a": only_a, "b": only_b})
fixed = fs.compare(circles, measure="rsm", progress=False).values[0, 1]
free = fs.gw(only_a, only_b).distance
f"{fixed:.2f} {free:.1g}"

# %% tags=["remove-cell"]
note(free=free, bound=float(fixed))

# %% [markdown]
# Nothing about $b$ can be learned from $a$. If every input is matched with itself, as {term}`RSM` does, their distance is {glue:text}`bound:.2f`. The GW distance is {glue:text}`free:.1g`. The relabelling $(a, b) \to (b, a)$ turns one layer into the other, and GW may relabel.
#
# Does this happen in a trained network? For each pair of layers of Model L we compare GW with RSM.

# %%
rsm_l = fs.compare(reps_l, measure="rsm", progress=False)
fixed, free = rsm_l.values[upper_l], map_l.values[upper_l]
apart = fixed > 0.01
share = 1 - (free[apart] / fixed[apart]) ** 2
print(f"{100 * np.median(share):.0f} %")

# %% tags=["remove-cell"]
note(share_median=100 * float(np.median(share)))
note(share_most=100 * float(share.max()))
note(share_over_half=100 * float((share > 0.5).mean()))

# %% [markdown]
# In the median pair {glue:text}`share_median:.0f` % of the squared distance goes away when inputs may be relabelled. In {glue:text}`share_over_half:.0f` % of the pairs it is more than half.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Distance with free relabelling against distance with every input matched to itself, one dot per pair of layers: most dots lie far below the diagonal."}, "figure": {"name": "fig-06-relabelled", "caption": "Each dot is a pair of layers of Model L. On the dashed line, the best matching is the identity. Most dots lie well below it. Pairs with one of the far attention maps lie further out, near the line, and are not shown."}}
fig = viz.scatter(
    fixed,
    free,
    xlabel="every input matched with itself",
    ylabel="Gromov-Wasserstein",
    diagonal=True,
)
fig.axes[0].set(xlim=(0, 1.2), ylim=(0, 1.2))
fig

# %% [markdown]
# So "functionally similar" in such a map means *equally shaped*, and two layers can be equally shaped and hold different things.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C11: the map of Model L shows three groupings that match its three functions (5.1, Figure 3) | ours | undecided: the paper's groups are not consecutive, and match the functions in number alone; our test looks for consecutive groups | {glue:text}`n_blocks_l:d` groups of consecutive layers, none starts at 31 or 62; spectral clustering, given the number three, makes groups of {glue:text}`spectral_l` layers; the step at a true boundary is {glue:text}`doors:g` |
# | C12: the groups are kinds of layers, attention apart from MLP and stream (reviews) | ours | agrees to the eye, but much of the map is there by width alone | rank correlation with the map of widths {glue:text}`by_width:.2f` |
# | C13: Model E's layers from 64 on are alike (5.1, Figure 4) | ours | disagrees | mean distance {glue:text}`late_e:.2f` there and {glue:text}`mean_e:.2f` over all, smaller in {glue:text}`alike:d` of three seeds; raw {glue:text}`raw_late_e:.1f` and {glue:text}`raw_e:.1f` |
# | C13: distances of Model L are larger | ours | agrees, but for another reason than function | raw {glue:text}`raw_l:.1f` and {glue:text}`raw_e:.1f`; without scale larger in {glue:text}`larger:d` of three seeds, and in {glue:text}`calmer:d` once the attention maps are left out |
# | C14: in Model 0, large changes at the attention scores and at the attention map (5.1, Figure 5) | ours | undecided: the steps are large without scale, but widths alone make groups, too | normalised steps {glue:text}`step_scores:.2f` and {glue:text}`step_map:.2f`, among the four largest of the {glue:text}`n_steps_0:d`; number of groups {glue:text}`n_blocks:d`; by widths alone a new one starts at {glue:text}`starts_0` |
# | C14: the one at the scores is the first | ours | disagrees | the step into the keys comes first, and is {glue:text}`step_keys:.2f` |
# | C14: so attention does the main work | ours | undecided: from the map it does not follow | the step at which the answer becomes readable is {glue:text}`step_relu:.2f`, number {glue:text}`rank_relu:d` of {glue:text}`n_steps_0:d` in size |
# | C15: distances do not grow monotonically with depth (5.1) | paper | agrees: one example is enough | in Model 0, distance from the entrance {glue:text}`raw_away:.2f` to the last attention map, but {glue:text}`raw_back:.2f` to the layer after it, `z.0`; without scale {glue:text}`away:.2f` and {glue:text}`back:.2f` |
# | C36: layers change abruptly, not smoothly (later version) | ours | undecided: the layers of Model 0 are of too many kinds to say which step is out of proportion | $p$ = {glue:text}`p_value:.2f`; for a map of widths alone $p$ = {glue:text}`p_widths:.3f` |
# | D11: how many groups, and who decides? | - | answered: a test with a stated null hypothesis decides how many, not what they are | number of groups: {glue:text}`n_blocks:d` in Model 0 ($p$ = {glue:text}`p_value:.2f`), {glue:text}`n_blocks_l:d` in Model L ($p$ = {glue:text}`p_l:.3f`), {glue:text}`n_blocks_width:d` where nothing is computed |
# | D16: the figures are too dense to read | - | answered: here each entry names its layers and its value when you point at it | {glue:text}`n_layers_l:d` layers, {glue:text}`n_pairs_l:,d` pairs in one map |
# | D03: the correspondence is known | - | justified: the search throws away which input is which | in the median pair of layers {glue:text}`share_median:.0f` % of the squared distance goes away; $a$ alone and $b$ alone have distance {glue:text}`free:.1g` |
#
# Claims C06, C22 and C33 are answered on [page 06c](06c-other-maps.ipynb#what-we-found).
#
# **Before you read a map**: divide each layer by its mean distance. Then draw beside it the map of a null, in which layers differ in nothing but width.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A map of raw distances has a bright corner at the end of the network. What should be checked first?**
#
# <details><summary>a. Whether there are enough colours.</summary>No: more colours show the same numbers.</details>
# <details><summary>b. Whether another solver finds lower distances.</summary>No: it may, by some percent. Scale can make a whole corner.</details>
# <details><summary>c. Whether the layers there are just larger.</summary>Right: divide each layer by its mean distance and look again.</details>
#
# To read again: [A map of sizes](#a-map-of-sizes)
#
# **2. A layer encodes only a, another only b. How far apart are they under GW?**
#
# <details><summary>a. At distance 0: swapping a and b makes one the other.</summary>Right: so a distance of 0 does not mean that two layers do the same work on the same input.</details>
# <details><summary>b. It depends on the number of inputs.</summary>No: if all pairs are there, it is 0 for every number.</details>
# <details><summary>c. As far as can be: they share no information.</summary>No: GW does not ask about information on the same input.</details>
#
# To read again: [What Gromov-Wasserstein cannot see](#what-gromov-wasserstein-cannot-see)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} How many numbers are free?
# :label: ex-06-free
#
# *Difficulty 1 of 4, importance 4 of 5, 10 minutes.* The weights of an attention map add up to one, so two weights are one free number. Write `free_numbers(layer)`: for a layer (n, d) the number of directions in which its inputs differ. Rounding is no direction: layers come in single precision.
#
# ```{dropdown} Hint 1
# A layer that is the same for all inputs has none. What do you take off before you count?
# ```
# ```{dropdown} Hint 2
# The rank of a matrix is the number of its singular values that are more than rounding.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def free_numbers(layer):
    """How many directions a layer (n, d) fills."""
    return np.linalg.matrix_rank(layer - layer.mean(axis=0))


check.free_numbers(free_numbers)

# %% [markdown]
# :::{exercise} What Gromov-Wasserstein forgets
# :label: ex-06-forgets
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Write `forgets(x)`: for a cloud (n, d) another one that has a Gromov-Wasserstein distance of nearly 0 from it, while {term}`CKA` says that they have nothing in common.
#
# ```{dropdown} Hint 1
# A rotation is forgiven by both. What does one of them not even see?
# ```
# ```{dropdown} Hint 2
# Which input is which.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def forgets(x):
    """A cloud (n, d) that only one of the two takes for the same."""
    return np.random.default_rng(0).permutation(x)


check.forgets(forgets)

# %% [markdown]
# :::{exercise} A network that computes nothing
# :label: ex-06-null
#
# *Difficulty 3 of 4, importance 5 of 5, 20 minutes.* Build the null of this chapter. Write `width_null(layers, rng)`: for a list of layers (n, d) a list of as many arrays (n, r). Each is the *first* layer, projected at random to the r dimensions that the layer in its place fills, and to one at least. Each layer has a projection of its own, drawn with the generator `rng`.
#
# ```{dropdown} Hint 1
# A layer may be wide and fill few dimensions. The first exercise counts them.
# ```
# ```{dropdown} Hint 2
# A random projection is a product with a matrix (d, r) of normal numbers, drawn anew for each layer.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def width_null(layers, rng):
    """The first layer in place of every layer, as wide as that one."""
    first, found = layers[0], []
    for layer in layers:
        filled = np.linalg.matrix_rank(layer - layer.mean(axis=0))
        size = (first.shape[1], max(1, filled))
        found.append(first @ rng.normal(size=size))
    return found


check.width_null(width_null)

# %% [markdown]
# :::{exercise} Predict how much of a map is width
# :label: ex-06-predict
#
# *Difficulty 4 of 4, importance 5 of 5, 30 minutes.* Build a network of 6 to 10 modules for inputs (n, 16), as `own_network()`, an `nn.Sequential` whose layers have at least three different widths. It is not trained. How well will the map of its widths alone predict its map? Write into `predicted()` a dictionary of two guesses. `"agreement"` is a pair of numbers at most 0.4 apart, between which the rank correlation of the two maps lies. `"groups"` is how many groups the test finds in the map of the widths. Only then write `beside(model, x, null)`, where `null` takes captured layers and returns a null of them. It returns a dictionary with `"agreement"`, the number of `"groups"` in the map of the null, and the number of `"own groups"` in the map of the network. Then compare, and draw both maps.
#
# ```{dropdown} Hint 1
# `fs.capture` gives the layers, and `null` makes others of them. Both go through `fs.compare` and `fs.partition`.
# ```
# ```{dropdown} Hint 2
# A pair of layers counts once, and no layer is compared with itself: `np.triu_indices`. `viz.map_grid({"": {"own": one, "widths": other}})` draws them. A null for the drawing is `random_projection_null` of `funcsim.nulls`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Agreement of both maps, and groups in the map of the widths."""
    return {"agreement": (0.3, 0.7), "groups": 1}


def own_network():
    """A network of 6 to 10 modules, of three widths or more."""
    return nn.Sequential(
        nn.Linear(16, 32),
        nn.Tanh(),
        nn.Linear(32, 8),
        nn.Tanh(),
        nn.Linear(8, 2),
        nn.Tanh(),
    )


def beside(model, x, null):
    """The map of a network beside that of its null."""
    reps = fs.capture(model, [x])
    own, other = fs.compare(reps), fs.compare(null(reps))
    pairs = np.triu_indices(len(own.names), k=1)
    return {
        "agreement": spearmanr(own.values[pairs], other.values[pairs])[0],
        "groups": fs.partition(other).n_groups,
        "own groups": fs.partition(own).n_groups,
    }


check.predicted(predicted, own_network, beside)

# %% [markdown]
# ## Where the stored results come from
#
# The maps on this page were computed before, except for the normalised map of Model 0 and the one of RSM. As a check, we compute a part of two of them again: every sixth layer of the raw map, and every tenth of Model L's. The largest difference is {glue:text}`replay_raw:.1g` in the raw map, {glue:text}`replay:.1g` in Model L's. There no new distance is more than {glue:text}`replay_higher:.1g` above the stored one. Where a difference is larger, the new distance is lower: the search has improved. The next cell makes this comparison, and shows the records.

# %% tags=["hide-cell"]
every = sample.names[::6]
again = fs.compare(sample.select(every), normalize=None).to_frame()
gap = np.abs(again - raw.to_frame().loc[every, every])
note(replay_raw=float(gap.max(axis=None)))
some = reps_l.names[::10]
again = fs.compare(reps_l.select(some)).to_frame()
gap = again - map_l.to_frame().loc[some, some]
note(replay=float(gap.abs().max(axis=None)))
note(replay_higher=float(gap.max(axis=None)))
print(model_0.origin, origin_rates, sep="\n")
for key in ("0-raw", "l"):
    print(maps.origin(key, profile, seed))

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
