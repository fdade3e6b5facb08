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
#     data: [model-0/seed-0, model-e-equal/seed-0, model-l-equal/seed-0, modular-maps]
# ---

# %% [markdown]
# # 06 Maps of networks that add
#
# The networks of [chapter 04](04-modular-sum-training.ipynb) are trained. Now we ask the
# paper's question: does the map of distances between layers show where one job ends and the
# next begins? First **Model 0**, one block and 31 representations (Figure 5 of the paper), then
# **Models L and E**, three blocks and 93 (Figures 3 and 4). One thing is smaller here than in
# the paper: the networks were trained for fewer epochs, because they answer all pairs long
# before. Like the paper, we compare layers on a sample of the 3,481 inputs.
# The maps that take long are stored, with a record; of each record a part is computed again.
#
# :::{admonition} What you will learn
# - what a layer map is, and how to draw one of your own in three lines;
# - how much of a raw map is scale, and what is left without it;
# - how groups are read off a map by a test instead of by eye;
# - whether the map of a network of three functions shows three parts;
# - how much of a map is the width of its layers, and how much a free relabelling of inputs;
# - how a map changes with positions, seeds, measures and the number of inputs.
#
# **Time**: 35 minutes to read, three minutes to run.
# **In the paper**: section 5.1, Table 1, Figures 3 to 5.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb) and [chapter 04](04-modular-sum-training.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_samples = 200
n_chains = 40

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
import warnings

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_06 as check
from funcsim import viz
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.kinds import MixedKindsWarning
from funcsim.viz import interactive
from replication.benchmark.known_chains import found_by
from replication.benchmark.rules import RULES
from replication.modular_addition import maps, trained_networks
from replication.modular_addition.maps import MAPS

warnings.simplefilter("ignore", MixedKindsWarning)  # see "Groups by a test"

# %% [markdown]
# ## Model 0: 31 representations
#
# We run all pairs through Model 0 and keep what its 31 named points return, both
# positions flattened into one row. [Chapter 01](01-functional-similarity.ipynb) explains
# the names.

# %%
model_0 = trained_networks.load("model-0", profile, seed)
print(model_0.origin)
reps = fs.capture(model_0.model, [model_0.pairs])
sample = reps.subsample(min(n_samples, reps.n_samples), seed)
note(n_used=sample.n_samples)
sample

# %% [markdown]
# Before comparing layers, look at each by itself. How far apart are two inputs, on average?

# %%
names = [name.removeprefix("blocks.0.") for name in sample.names]
spread = [mean_distance(pairwise_distances(layer)) for layer in sample.values()]
note(
    spread_first=spread[0],
    spread_last=spread[-1],
    spread_ratio=max(spread) / min(spread),
)

# %% [markdown]
# The figure shows this mean distance for every layer.

# %% tags=["fig"] mystnb={"image": {"alt": "Mean distance between two inputs in each of the 31 layers: a few units up to the attention output, then tens, then a hundred at the end."}}
viz.bars(
    dict(zip(names, spread, strict=True)), ylabel="mean distance between inputs"
)

# %% [markdown]
# It goes from {glue:text}`spread_first:.1f` at the entrance to {glue:text}`spread_last:.0f` at
# the exit; the largest is {glue:text}`spread_ratio:.0f` times the smallest. Keep this in mind
# for the next picture.
#
# ## The map, raw
#
# Now the comparison: one Gromov-Wasserstein distance for each of the 465 pairs of layers, on
# {glue:text}`n_used:d` inputs. First with raw distances, as the paper does it, so far as it says.
# This map is stored. To see that it is the map that this code draws, the cell compares every sixth layer again.

# %%
raw = maps.load("0-raw", profile, seed)
print(maps.origin("0-raw", profile, seed))
every = sample.names[::6]
again = fs.compare(sample.select(every), normalize=None).to_frame()
gap = np.abs(again - raw.to_frame().loc[every, every])
note(replay_raw=float(gap.max(axis=None)))

# %% [markdown]
# The largest difference is {glue:text}`replay_raw:.1g`. The next cell finds the groups of the stored map.

# %%
raw_groups = fs.partition(raw, seed=seed)
raw_groups.boundaries, raw_groups.p_value

# %% [markdown]
# Dark means alike, bright means different. White frames are the groups that the test below
# finds.

# %% tags=["fig", "paper-F05"] mystnb={"image": {"alt": "Raw layer map of Model 0: the last four layers, the MLP and the exit, are bright against everything else, which is uniformly dark."}}
raw.plot(groups=raw_groups, title="Model 0, raw distances")

# %% [markdown]
# The map is nearly black but for the last rows, and the frames are where the scale jumps. It is the picture of the previous section
# once more: layers with large distances are far from layers with small ones, whatever their
# shape. How much of the map does scale explain by itself? Guess the distance of two layers to
# be the difference of their mean distances, and correlate.

# %%
upper = np.triu_indices(len(names), k=1)
by_scale = np.abs(np.subtract.outer(spread, spread))
explained = np.corrcoef(by_scale[upper], raw.values[upper])[0, 1] ** 2
note(explained_by_scale=100 * float(explained))

# %% [markdown]
# Two numbers per pair, the mean distances, explain {glue:text}`explained_by_scale:.2f` % of the
# variance of the raw map. What we see is that the residual stream has grown.
#
# ## The map, normalised
#
# Divide the distances of each layer by their mean, so that only the shape of each cloud is
# left, and compare. This map is computed here, in the three lines that you need for a network of your own:
# capture, above, compare and partition.

# %%
normalised = fs.compare(sample)
groups = fs.partition(normalised, seed=seed)
note(n_blocks=groups.n_groups, p_value=groups.p_value)
groups.to_frame()

# %% [markdown]
# The map, with the groups framed:

# %% tags=["fig", "paper-F05"] mystnb={"image": {"alt": "Normalised layer map of Model 0: the four attention maps form a bright cross, alike among themselves and unlike all other layers."}}
normalised.plot(
    groups=groups, title="Model 0, each layer divided by its mean distance"
)

# %% [markdown]
# A different picture. The four attention maps stand apart from everything, and are alike
# among themselves. Keys go with attention scores, head by head: the small dark squares off the
# diagonal. Values go with the stream that enters. Attention output, stream and MLP form a
# dark square before the exit.
#
# ## Groups by a test, not by eye
#
# The paper reads its maps by eye. A later version claims that the layers change abruptly. But in
# any deep network neighbours are alike and distant layers differ, so any chain can be cut
# somewhere. And the steps from layer to layer are never even, also where nothing happens. A
# boundary must be more than a large step. It must be out of proportion to the *other* steps of the
# same chain.
#
# `fs.partition` asks for this in three moves.
#
# 1. **Measure the steps.** The step into a layer is its distance from the layer before. It is also compared with the
#    two distances that leave out one of these layers, and the least of the three counts. So one odd layer, after which the
#    chain goes on where it was, makes no step. From here on the logarithm of the step counts.
# 2. **Look for outliers.** The largest step is taken out. How far does it lie above the others, in units of *their* spread? Then
#    the next one is taken out, and so on, up to six times or a third of the steps {cite:p}`rosner1983percentage`. The same is done with 9,999 chains of uneven steps
#    without a boundary. The $p$-value says how often such a chain has an outlier as clear.
# 3. **Name what stands out.** One step is a *jump*, and a single layer may stand apart at an end. Two or three in a row, with
#    slower steps on both sides, are a *transition*. Both are boundaries. A longer run, or a run of two and more that lasts to the end, is a *change of
#    speed*, and no boundary.
#
# Beside each boundary stands its *effect*: how many times as large the step is as the larger of the two steps beside it. Below 1.25 it
# does not count, however sure. The measure enters in its metric form, so that a measure and its square give the same groups.
# If layers are of several kinds, such as attention and MLP, each step is compared with steps into
# layers of its own kind. The kind is read from the layer's name, or given by `kinds=`.
#
# For the normalised map of Model 0 the number of groups is {glue:text}`n_blocks:d`, with
# $p$ = {glue:text}`p_value:.2f`. Its 31 layers are of many kinds, from keys to MLP, too many to compare each with its like. The library says so in
# a warning, which we switched off at the top of this page. All steps are then compared with all, and they are so uneven that {glue:text}`none_out`.
#
# The paper's alternative is spectral clustering with a given number
# of groups. It needs no order of layers and gives no $p$-value. Where does it cut?

# %%
spectral = {n: fs.spectral_partition(normalised, n, seed=seed) for n in (2, 3)}
note(spectral_groups=len(spectral[2].groups[1]))
starts_n = ", ".join(names[i] for i in groups.boundaries)
note(
    none_out=f"only the steps into {starts_n} stand out"
    if starts_n
    else "none of them stands out"
)
{n: found.boundaries for n, found in spectral.items()}

# %% [markdown]
# With two groups it puts {glue:text}`spectral_groups:d` layers in the second, the attention
# maps, and everything before *and after* into the first: groups need not be contiguous. "Apart
# from the attention maps the layers are alike" is another reading of the same picture than "a
# chain of groups". The first asks which layers are alike wherever they stand, the second where
# the computation changes.
#
# ## How far can the test be trusted?
#
# A test is judged on chains whose answer is known. The next cell makes some: thirteen layers, forty chains of each family. Four families have no boundary: even
# steps; uneven ones; a chain that is five times as fast in its last third; an untrained residual network. Three have one: a step four times as
# large as usual among uneven steps; a last layer ten times as far; two flat groups. Beside the test stand the rules that others use, among them the test of this book's first edition.

# %%
shown = {
    "even steps": "even",
    "uneven steps": "uneven .4",
    "five times as fast at the end": "speed-up x5",
    "untrained residual network": "residual network",
    "one step four times as large": "step x4 among .3",
    "last layer ten times as far": "last layer x10",
    "two flat groups": "two flat groups",
}
rules = {"this test": lambda m: fs.partition(m).boundaries} | RULES
trusted = found_by(rules, shown, n_chains, seed)
for key, share in zip("abcd", trusted["this test"].iloc[:4], strict=True):
    note(**{f"cut_{key}": 100 * share})
note(cut_before=100 * trusted.loc["uneven steps", "first edition"])
note(found_step=100 * trusted.loc["one step four times as large", "this test"])
note(found_last=100 * trusted.loc["last layer ten times as far", "this test"])
note(found_flat=100 * trusted.loc["two flat groups", "this test"])
note(n_chains=n_chains)
(100 * trusted).round().astype(int).T

# %% [markdown]
# In the first four columns a number is the share of chains that are cut, in per cent. It should be 5 or less. In the last three it is the share that is cut exactly where it should be, and
# 100 would be perfect. This test cuts {glue:text}`cut_a:.0f`, {glue:text}`cut_b:.0f`, {glue:text}`cut_c:.0f` and {glue:text}`cut_d:.0f` % of the chains without a boundary, and
# finds {glue:text}`found_step:.0f`, {glue:text}`found_last:.0f` and {glue:text}`found_flat:.0f` % of the boundaries. The test of the first edition cuts {glue:text}`cut_before:.0f` % of the chains of
# uneven steps: it knew noise in the distances, and took every uneven step for news. Rules that are made to cut, cut. Forty chains are few.
# [Page 06b](06b-how-good-is-the-test.ipynb) has 200 of each of 27 families, for 7 to 32 layers, and untrained transformers besides. It says what the test cannot see, and which other constructions were tried.
#
# ## What the paper says about this map
#
# It reports that the first major difference appears at layer 13, where the attention scores
# begin, and the second at layer 17, where the attention maps begin, and concludes that
# attention does the main work (section 5.1). Let us rank the steps from each layer to the next.


# %%
def steps(layer_map):
    """Distance from each layer to the next, named by the layer arrived at."""
    return pd.Series(np.diag(layer_map.values, k=1), index=names[1:])


ranked = pd.DataFrame({"raw": steps(raw), "normalised": steps(normalised)})
note(
    step_scores=ranked.normalised["attn_pre.0"],
    step_map=ranked.normalised["attn.0"],
    step_after=ranked.normalised["z.0"],
    step_keys=ranked.normalised["k.0"],
    step_relu=ranked.normalised["post"],
    rank_relu=int(ranked.normalised.rank(ascending=False)["post"]),
    n_steps_0=len(ranked),
    raw_largest=ranked.raw.idxmax(),
    raw_step=ranked.raw.max(),
)
entrance = normalised.values[0]
out = names.index("z.0")  # the layer before it is the last attention map
note(away=entrance[out - 1], back=entrance[out])
note(raw_away=raw.values[0, out - 1], raw_back=raw.values[0, out])
ranked.sort_values("normalised", ascending=False).head(8).round(3)

# %% [markdown]
# In the normalised map the steps into the attention scores ({glue:text}`step_scores:.2f`) and
# into the attention maps ({glue:text}`step_map:.2f`) are among the four largest, as the paper
# says. The other two are the step out of the attention maps again ({glue:text}`step_after:.2f`)
# and the very first, from the stream to the keys ({glue:text}`step_keys:.2f`), which the paper
# does not mention. In the raw map the largest step is the one into {glue:text}`raw_largest`, at
# {glue:text}`raw_step:.0f`, where the scale grows.
#
# Now recall where the answer becomes readable. In [chapter 01](01-functional-similarity.ipynb)
# a linear probe found it nowhere before the ReLU of the MLP and nearly always after it. The
# distance from before to after this ReLU, `post`, is {glue:text}`step_relu:.2f`, number
# {glue:text}`rank_relu:d` of the {glue:text}`n_steps_0:d` steps in size. The map shows changes of *shape*. The decisive step of the computation is
# not one of them. "Attention does the main work" does not follow from this map.
#
# ## One position or both?
#
# Whether a representation holds both token positions or only the last is not in the text we worked from.
# We have flattened both. The next cell takes the last one, on a smaller sample.

# %%
last = fs.capture(model_0.model, [model_0.pairs], pool="last").subsample(
    min(100, reps.n_samples), seed
)
last_map = fs.compare(last)
last_groups = fs.partition(last_map, seed=seed)
note(n_blocks_last=last_groups.n_groups, n_last=last.n_samples)
last_groups.to_frame()

# %% [markdown]
# The same map for the last position:

# %% tags=["fig"] mystnb={"image": {"alt": "Normalised layer map of Model 0 at the last position: the attention maps are unlike most layers but dark where they meet the keys."}}
last_map.plot(groups=last_groups, title="Model 0, last position only")

# %% [markdown]
# With {glue:text}`n_last:d` inputs and the last position alone the number of groups is
# {glue:text}`n_blocks_last:d` again. To the eye the attention
# maps still stand apart, but no longer from everything: they now resemble the keys. Both the position and the number of inputs changed here; fewer inputs alone keep
# the order of the distances (at the end of this chapter). So what the map says about the first half of the network
# depends on a choice that the text we worked from does not tell. It must be stated with every map.
#
# ## Model L: 93 representations, three functions
#
# Model L was trained layer by layer, so we know where its three functions meet: counted from 0,
# block 2 begins with representation 31 and block 3 with representation 62. This is
# the case in which the paper's reading of a map can be checked against the truth. We take the
# network with equal moduli, and the last position of each layer, where the answer is read.

# %%
map_l = maps.load("l", profile, seed)
names_l = [name.removeprefix("blocks.") for name in map_l.names]
print(maps.origin("l", profile, seed))
note(n_deep=map_l.n_samples, n_layers_l=len(names_l))
note(n_pairs_l=len(names_l) * (len(names_l) - 1) // 2)
map_l

# %% [markdown]
# That makes {glue:text}`n_layers_l:d` representations and {glue:text}`n_pairs_l:,d` pairs, each compared on
# {glue:text}`n_deep:d` inputs. Is the stored map the map that this code draws? The next cell
# compares a tenth of the layers again.

# %%
reps_l = MAPS["l"].representations(profile, seed).subsample(map_l.n_samples, seed)
some = reps_l.names[::10]
again = fs.compare(reps_l.select(some)).to_frame()
note(replay=float(np.abs(again - map_l.to_frame().loc[some, some]).max(axis=None)))

# %% [markdown]
# The largest difference is {glue:text}`replay:.1g`; here, too, the new search may end lower. One more check before we look: the stream that leaves one
# block *is* the stream that enters the next, so two entries of this map must be exactly 0.

# %%
per_block = len(names_l) // 3
doors = [(k * per_block - 1, k * per_block) for k in (1, 2)]
note(doors=max(float(map_l.values[door]) for door in doors))

# %% [markdown]
# They are {glue:text}`doors:g`. Now the map, with the groups that the test finds. It names
# both layers wherever you point at it, here on the page as well; arrow keys move the mark.

# %% tags=["paper-F03"]
groups_l = fs.partition(map_l, seed=seed)
interactive.explorer(
    map_l,
    "Layer map of Model L: dark but for two bright crosses, "
    "at the attention maps of the second and of the third block.",
    groups_l,
)

# %% [markdown]
# A few bright stripes and otherwise darkness. Which layers are the stripes?

# %%
frame_l = map_l.to_frame().set_axis(names_l).set_axis(names_l, axis=1)
far = frame_l.median().sort_values(ascending=False)
note(farthest=far.index[0], second=far.index[1])
note(far_1=far.iloc[0], far_2=far.iloc[1], far_typical=far.median())
far.head(4).round(2)

# %% [markdown]
# Half of all layers are farther than {glue:text}`far_1:.1f` from {glue:text}`farthest` and
# {glue:text}`far_2:.1f` from {glue:text}`second`, while the typical layer has a median of
# {glue:text}`far_typical:.2f`. These are attention maps. Look inside the farthest: what weight
# does it give to the first position, in how many cases?

# %%
layer = reps_l["blocks." + far.index[0]]
same = np.abs(layer - np.median(layer, axis=0)).max(axis=1) < 0.01
note(share_same=100 * float(same.mean()))

# %% [markdown]
# In {glue:text}`share_same:.0f` % of the inputs its weights agree to within 0.01: the head has
# *saturated*: it gives nearly the same weights to whatever it reads. A cloud of one heap and a few strays has a tiny mean distance, and divided by this mean
# the strays are very far away. Normalising took away the scale of the stream, and put
# the strays of a nearly constant layer in its place. A heat map shows whatever is largest.
#
# ## Three functions, how many groups?

# %% [markdown]
# The groups in words:

# %%
starts_l = [names_l[i] for i in groups_l.boundaries]
note(n_blocks_l=groups_l.n_groups, p_l=groups_l.p_value)
note(starts_l=", ".join(starts_l))
note(found_l=len({31, 62} & set(groups_l.boundaries)))
groups_l.to_frame()

# %% [markdown]
# The test returns {glue:text}`n_blocks_l:d` groups ($p$ = {glue:text}`p_l:.3f`); new ones start
# at {glue:text}`starts_l`, in front of and behind the saturated heads. Of the two true boundaries, 31 and 62, it finds {glue:text}`found_l:d`, and it would be strange if it found one: a boundary between groups is a step
# from one layer to the next, and at the two true boundaries the step is exactly 0, because the
# same tensor stands on both sides. What the map of all 93 representations shows is
# not three functions but the inner life of a transformer block, three times over. The paper does not say otherwise: its three groupings are no runs of neighbours. Two of them come back further on, the third is the two ends,
# and they match the three functions in number. Whether that is more than chance one network cannot tell.
#
# One can ask more kindly: are there three groups, and where do they meet, if we insist on three?

# %%
three = fs.partition_into(map_l, 3)
spectral_l = fs.spectral_partition(map_l, 3, seed=seed)
note(cuts_l=" and ".join(str(i) for i in three.boundaries))
note(spectral_l=", ".join(str(len(group)) for group in spectral_l.groups))
spectral_l.to_frame()

# %% [markdown]
# Forced into three contiguous groups, the map is cut at {glue:text}`cuts_l`; the truth is 31
# and 62. Spectral clustering, which need not be contiguous, makes groups of
# {glue:text}`spectral_l` layers: neither the right number of layers each, nor in the right order.
#
# What if we compare only what the blocks hand on? The next cell keeps the residual stream, each
# of its states once.

# %%
stream_map = maps.load("l-stream-100", profile, seed)
stream_names = [name.removeprefix("blocks.") for name in stream_map.names]
stream_groups = fs.partition(stream_map, seed=seed)
note(stream_blocks=stream_groups.n_groups, stream_p=stream_groups.p_value)
along = np.diag(stream_map.values, k=1)
note(along_first=along[0], along_last=along[-1])
stream_frame = stream_map.to_frame().set_axis(stream_names)
stream_frame.set_axis(stream_names, axis=1).round(2)

# %% [markdown]
# With seven points there is little to test: {glue:text}`stream_blocks:d` group, $p$ =
# {glue:text}`stream_p:.2f`. The eye finds no boundary either: the steps along the stream go from
# {glue:text}`along_first:.2f` at the first to {glue:text}`along_last:.2f` at the last, and none stands out. But seven layers are few for any test, and a test that finds
# nothing in seven layers has not shown that there is nothing.
#
# ## Groups that are functions, or groups that are widths?
#
# In the discussion with reviewers the authors describe the groups of Model L as kinds of layers: attention computations,
# MLP and residual layers, the ends. This agrees with what we see. Are these kinds alike because of
# what they *compute*? A layer of one head has 32 numbers, the stream 128, the MLP 512, and an attention map
# at the last position only two, which add up to one. A cloud on a line cannot resemble a cloud in
# 32 dimensions, whatever they compute.
#
# So we build a network in which nothing happens. Every layer is replaced by the *first* layer, projected
# at random to as many dimensions as there are directions in which the layer's samples differ. In this map every difference is a difference of
# width, or the luck of a projection. Beside it, Model L before training.

# %%
kinds = {
    "attention map": lambda n: ".attn." in n,
    "attention score": lambda n: "attn_pre" in n,
    "key, query, value, z": lambda n: n.split(".")[1] in "kqvz",
    "stream and MLP": lambda n: n.count(".") == 1,
}
members = {
    kind: [i for i, n in enumerate(names_l) if rule(n)]
    for kind, rule in kinds.items()
}
controls = {
    "trained": map_l,
    "width only": maps.load("l-width", profile, seed),
    "untrained": maps.load("l-untrained", profile, seed),
}

# %% [markdown]
# First by kind: the median distance of each kind of layer to the stream and the MLP.

# %%
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
maps_apart = by_kind.loc["attention map"]
note(apart_trained=maps_apart["trained"], apart_width=maps_apart["width only"])
note(apart_untrained=maps_apart["untrained"])
by_kind.round(2)

# %% [markdown]
# Attention maps are the kind farthest from the stream in all three; in the trained network at {glue:text}`apart_trained:.2f`, by width alone at
# {glue:text}`apart_width:.2f`, before training at {glue:text}`apart_untrained:.2f`. Then pair by pair: how well does the map of widths predict the map of the trained network?

# %%
upper = np.triu_indices(len(names_l), k=1)


def agreement(one, other):
    """Rank correlation of two maps of the same layers."""
    return spearmanr(one.values[upper], other.values[upper]).statistic


width_share = agreement(map_l, controls["width only"])
note(by_width=width_share, by_start=agreement(map_l, controls["untrained"]))
width_groups = fs.partition(controls["width only"], seed=seed)
note(n_blocks_width=width_groups.n_groups, p_width=width_groups.p_value)

# %% [markdown]
# The rank correlation between the trained map and the map in which only widths differ is
# {glue:text}`by_width:.2f`; with the untrained network it is {glue:text}`by_start:.2f`. So a large part of the map is there in a network in which *nothing
# happens*. (The number of groups in it is {glue:text}`n_blocks_width:d`, $p$ = {glue:text}`p_width:.2f`: the steps of width are many, and none stands out from the others.) That layers differ
# does not say that they differ in function. The same control for Model 0, whose attention maps stood apart (stored with its raw map):

# %%
widths_0 = maps.load("0-width", profile, seed)
groups_0 = fs.partition(widths_0, seed=seed)
inner_0 = np.triu_indices(len(names), k=1)
note(n_blocks_0=groups_0.n_groups, p_widths=groups_0.p_value)
note(starts_0=", ".join(names[i] for i in groups_0.boundaries) or "none")
note(
    by_width_0=spearmanr(
        widths_0.values[inner_0], normalised.values[inner_0]
    ).statistic
)

# %% [markdown]
# Widths alone make {glue:text}`n_blocks_0:d` groups there. A new one starts at {glue:text}`starts_0`, where the attention maps end; the rank correlation with the map of the
# trained network is {glue:text}`by_width_0:.2f`.
#
# ## Model E: the same architecture, end to end
#
# Model E has learned $c_3$ alone, all blocks at once. The same map for it:

# %% tags=["paper-F04"]
map_e = maps.load("e", profile, seed)
groups_e = fs.partition(map_e, seed=seed)
note(n_blocks_e=groups_e.n_groups)
interactive.explorer(
    map_e,
    "Layer map of Model E: bright crosses at the attention scores "
    "and attention maps of every block, dark elsewhere.",
    groups_e,
)

# %% [markdown]
# The test returns {glue:text}`n_blocks_e:d` groups; the bright crosses are attention scores and attention maps again.
# The paper reports two differences between the networks: from layer 64 on all layers of Model E
# are alike, and the distances of Model L are larger. The next cell takes the mean distance over all pairs,
# over the pairs from layer 64 on, and over all pairs without attention maps, with and without scale.


# %%
def means(layer_map):
    """The mean distance between layers, in three parts of a map."""
    size = np.arange(len(names_l))
    late = size >= 2 * per_block + 2
    calm = ~np.isin(size, members["attention map"])
    rows, columns = upper
    return {
        "all pairs": layer_map.values[upper].mean(),
        "from 64 on": layer_map.values[upper][late[rows]].mean(),
        "no attention maps": layer_map.values[upper][
            calm[rows] & calm[columns]
        ].mean(),
    }


raw_l, raw_e = (maps.load(f"{m}-raw", profile, seed) for m in "le")
compared = {"L": map_l, "E": map_e, "L, raw": raw_l, "E, raw": raw_e}
table = pd.DataFrame({name: means(m) for name, m in compared.items()})
note(mean_l=table["L"].iloc[0], mean_e=table["E"].iloc[0])
note(
    late_e=table["E"].iloc[1], calm_l=table["L"].iloc[2], calm_e=table["E"].iloc[2]
)
note(raw_l=table["L, raw"].iloc[0], raw_e=table["E, raw"].iloc[0])
note(raw_late_e=table["E, raw"].iloc[1])
table.round(2)

# %% [markdown]
# Without scale, the layers of Model E from 64 on are at a mean distance of {glue:text}`late_e:.2f`, all of its
# layers at {glue:text}`mean_e:.2f`: a little closer, which is not alike. With raw distances the late layers are further apart ({glue:text}`raw_late_e:.1f` against
# {glue:text}`raw_e:.1f`), because the stream has grown. Model L's mean is {glue:text}`mean_l:.2f`, but this comes from the saturated
# heads: without the attention maps the two networks have {glue:text}`calm_l:.2f` and {glue:text}`calm_e:.2f`.
# With raw distances the means are {glue:text}`raw_l:.1f` for L and {glue:text}`raw_e:.1f` for E, which says that Model L's stream is larger.
# Would other seeds say the same?
#
# ## Seeds and positions
#
# The same maps for networks of two more seeds, and for the first with both positions flattened. Every row is one map; the columns say how
# many groups the test finds, where the map is cut if we insist on three, and how well the
# map agrees with that of the first.

# %%
variants = {
    "first": "",
    "second": "-second",
    "third": "-third",
    "both positions": "-both",
}
rows = {}
for letter in "le":
    reference = maps.load(letter, profile, seed)
    for label, suffix in variants.items():
        m = maps.load(letter + suffix, profile, seed)
        rows[f"{letter.upper()}, {label}"] = {
            "groups": fs.partition(m, seed=seed).n_groups,
            "three cuts": fs.partition_into(m, 3).boundaries,
            "agreement": agreement(reference, m),
            **means(m),
        }
across = pd.DataFrame(rows).T
across.infer_objects().round(2)

# %% [markdown]
# How alike are the seeds, and does any cut fall on the truth?

# %%
seeds_l, seeds_e = (
    [rows[f"{m}, {k}"]["agreement"] for k in ("second", "third")] for m in "LE"
)
truth = {per_block, 2 * per_block}
hits = sum(
    len(truth & set(row["three cuts"])) for key, row in rows.items() if "L" in key
)
note(seeds_l=min(seeds_l), seeds_e=min(seeds_e), hits=hits)
each = ("first", "second", "third")
pairs_of = [(rows[f"L, {k}"], rows[f"E, {k}"]) for k in each]
calm = "no attention maps"
note(larger=sum(one["all pairs"] > other["all pairs"] for one, other in pairs_of))
note(calmer=sum(one[calm] > other[calm] for one, other in pairs_of))
note(alike=sum(e["from 64 on"] < e["all pairs"] for _, e in pairs_of))

# %% [markdown]
# The maps of the two other seeds of Model L agree with that of the first at a rank correlation of {glue:text}`seeds_l:.2f` or
# better, those of Model E at {glue:text}`seeds_e:.2f` or better. Of the eight cuts in the four maps of Model L,
# {glue:text}`hits:d` fall on a true boundary. Model L has the larger mean in {glue:text}`larger:d` of three seeds, and
# in {glue:text}`calmer:d` without the attention maps. In {glue:text}`alike:d` of three seeds the layers of Model E from 64
# on are closer to one another than all of its layers are.
#
# ## A network whose functions are necessary
#
# In Model L a later block may use whatever stands in the stream. The chains of [chapter 04](04-modular-sum-training.ipynb) are stricter: a part is given
# the *answer* of the part before and $b$, and nothing else. Here is the one with three functions in one block each, again 93 representations, and nested
# moduli. Its boundaries are at 31 and 62 again, and this time the step there is no copy: the stream ends, and a new embedding begins.

# %%
map_c = maps.load("chain", profile, seed)
groups_c = fs.partition(map_c, seed=seed)
note(n_blocks_c=groups_c.n_groups, p_c=groups_c.p_value)
interactive.explorer(
    map_c,
    "Layer map of a chain of three parts, with the groups that the test finds.",
    groups_c,
)

# %% [markdown]
# How large are the steps at the true boundaries, among all steps from a layer to the next, and where is the map cut if we insist on three groups?

# %%
steps_c = np.diag(map_c.values, k=1)
rank_c = (-steps_c).argsort().argsort() + 1
true_steps = [per_block - 1, 2 * per_block - 1]
cuts_c = fs.partition_into(map_c, 3).boundaries
note(ranks_c=" and ".join(str(rank_c[k]) for k in true_steps), n_steps=len(steps_c))
note(cuts_c=" and ".join(str(i) for i in cuts_c))
note(found_c=len(truth & set(groups_c.boundaries)))

# %% [markdown]
# The number of groups is {glue:text}`n_blocks_c:d` ($p$ = {glue:text}`p_c:.2f`); of the two true boundaries it finds
# {glue:text}`found_c:d`. Among the {glue:text}`n_steps:d` steps of the chain the two true ones rank {glue:text}`ranks_c`. Forced into three groups, the map is cut at {glue:text}`cuts_c`.
# So a boundary that is there for certain need not be a large step. This is one network; a fair test takes many, and the chains are there for it.
#
# ## Other measures
#
# Five other measures can compare layers of different widths. All of them answer the same
# question on the same inputs.

# %%
measured = {
    name: fs.compare(reps_l, measure=name, progress=False)
    for name in ("rsm", "rsa", "msid", "cka")
}
measured = {"gw": map_l, "agw": maps.load("l-agw", profile, seed)} | measured
by_measure = {}
for name, m in measured.items():
    found, forced = fs.partition(m, seed=seed), fs.partition_into(m, 3).boundaries
    by_measure[name] = {
        "groups": found.n_groups,
        "p": found.p_value,
        "true boundaries found": len(truth & set(found.boundaries)),
        "three cuts": forced,
        "true among them": len(truth & set(forced)),
    }
note(found_by_any=max(row["true boundaries found"] for row in by_measure.values()))
note(cut_by_any=max(row["true among them"] for row in by_measure.values()))
pd.DataFrame(by_measure).T

# %% [markdown]
# Of the two true boundaries no measure finds more than {glue:text}`found_by_any:d` by itself, and none cuts at more
# than {glue:text}`cut_by_any:d` of them when told that there are three groups. This is not the failure of one measure. A chain of all
# inner representations is the wrong object: it changes most inside the blocks. On this network no measure is better
# than another at a task that none can do; [chapter 03](03-ten-measures.ipynb) says in what they differ.
#
# ## What Gromov-Wasserstein cannot see
#
# GW is free to match any input with any other. Build two layers: one holds $a$ alone, the other
# $b$ alone, each number as a point on a circle.

# %%
pairs = model_0.pairs.numpy()
p = int(pairs.max()) + 1
chosen = np.random.default_rng(seed).permutation(p)[:10]
grid = pairs[np.isin(pairs, chosen).all(axis=1)]
angle = 2 * np.pi * grid / p
only_a, only_b = (
    np.stack([np.cos(angle[:, k]), np.sin(angle[:, k])], axis=1) for k in (0, 1)
)
circles = fs.Representations({"a": only_a, "b": only_b})
fixed = fs.compare(circles, measure="rsm", progress=False).values[0, 1]
note(free=fs.gw(only_a, only_b).distance, bound=float(fixed))

# %% [markdown]
# Nothing about $b$ can be learned from $a$. If every input is matched with itself, which is what RSM does, their distance is {glue:text}`bound:.2f`; the
# Gromov-Wasserstein distance is {glue:text}`free:.1g`. The relabelling $(a, b) \to (b, a)$ turns one layer into the other, and GW may relabel.
# To GW two layers are the same if they have the same *shape*, whatever the shape is made of.
#
# Does it happen in a trained network? For each pair of layers in Model L, compare the distance that GW returns with
# the distance at the identity, RSM.

# %%
fixed = measured["rsm"].values
apart = fixed[upper] > 0.01
share = 1 - (map_l.values[upper][apart] / fixed[upper][apart]) ** 2
note(
    share_median=100 * float(np.median(share)), share_most=100 * float(share.max())
)
note(share_over_half=100 * float((share > 0.5).mean()))

# %% [markdown]
# In the median pair, {glue:text}`share_median:.0f` % of the squared distance at the identity goes away when inputs may be
# relabelled; in {glue:text}`share_over_half:.0f` % of the pairs more than half. The next figure shows all pairs.

# %% tags=["fig"] mystnb={"image": {"alt": "Distance with free relabelling against distance with every input matched to itself, one dot per pair of layers: most dots lie far below the diagonal."}}
viz.scatter(
    fixed[upper],
    map_l.values[upper],
    xlabel="every input matched with itself",
    ylabel="Gromov-Wasserstein",
    diagonal=True,
)

# %% [markdown]
# A dot on the diagonal is a pair of layers for which the identity is the best matching. So "functionally similar" in this
# map means *equally shaped*, and two layers can be equally shaped and hold different things.
#
# ## How many inputs?
#
# The paper says that a subsample does no harm. Here are the seven states of Model L's stream, compared on 50 to 200 inputs, the smaller two maps with
# intervals from random halves, as in [chapter 03](03-ten-measures.ipynb); and on 1,000 and all {glue:text}`n_every:,d`, stored. For each number: how far the distances are from
# those on all inputs, in the median; whether their order is the same; how wide the 95 % interval for infinitely many inputs is, and in what share of the pairs
# it contains the distance on all; and the same of the spread, which tells of as many other inputs.

# %%
inner = np.triu_indices(len(stream_names), k=1)
stream_reps = MAPS["l-stream-3481"].representations(profile, seed)
distances = {
    n: maps.load(f"l-stream-{n}", profile, seed).values[inner] for n in (1000, 3481)
}
every = distances[3481]
few = {
    n: stream_reps.subsample(min(n, stream_reps.n_samples), seed)
    for n in (50, 100, 200)
}
distances[200] = fs.compare(few[200]).values[inner]
table = {}
for n in (50, 100):
    b = fs.intervals(few[n], n_draws=20, seed=seed, progress=False)
    value, low, high = (x[inner] for x in (b.map.values, b.low, b.high))
    beside = b.spread[inner]
    table[n] = {
        "interval (%)": 100 * float(np.median((high - low) / value)),
        "it holds that of all (%)": 100
        * float(((low <= every) & (every <= high)).mean()),
        "spread (%)": 100 * float(np.median(2 * beside / value)),
        "spread holds that of all (%)": 100
        * float((abs(value - every) <= beside).mean()),
    }
    distances[n] = value
against = {
    n: {
        "shift (%)": 100 * float(np.median(value / every) - 1),
        "rank correlation": spearmanr(value, every).statistic,
    }
    for n, value in distances.items()
}
table = pd.DataFrame(against).T.join(pd.DataFrame(table).T).sort_index()
table.rename_axis("inputs").round(2).astype(object).fillna("")

# %% [markdown]
# The numbers for the text:

# %%
note(n_every=stream_reps.n_samples)
for n in (50, 100, 200, 1000):
    note(**{f"shift_{n}": table["shift (%)"][n]})
    note(**{f"rank_{n}": table["rank correlation"][n]})
note(interval_100=table["interval (%)"][100])
note(holds_100=table["it holds that of all (%)"][100])
note(spread_100=table["spread (%)"][100])
note(spread_holds_100=table["spread holds that of all (%)"][100])

# %% [markdown]
# At 50 inputs the distances are {glue:text}`shift_50:+.0f` % off those on all, at 100 {glue:text}`shift_100:+.0f` %, at 200 {glue:text}`shift_200:+.0f` %, at 1,000
# {glue:text}`shift_1000:+.1f` %: with few
# inputs they come out larger. Their order is kept better, with rank correlations of {glue:text}`rank_50:.2f`, {glue:text}`rank_100:.2f`, {glue:text}`rank_200:.2f` and
# {glue:text}`rank_1000:.2f`. At 100 inputs the
# distance plus or minus its spread is {glue:text}`spread_100:.0f` % of the distance wide. It holds the distance on all inputs for {glue:text}`spread_holds_100:.0f` % of the pairs only, since it tells how much a distance would vary with other
# inputs, *as many as these*, and nothing of the shift. The interval reaches down to what the lower bound allows. It is {glue:text}`interval_100:.0f` % wide and holds the distance on all for {glue:text}`holds_100:.0f` % of the pairs. Compare maps only at the same number of inputs, and read no difference that is smaller than the spread.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A map of raw distances has a bright corner at the end of the network. What should be checked first?**
#
# <details><summary>a. Whether there are enough colours.</summary>No: more colours show the same numbers.</details>
# <details><summary>b. Whether another solver gives less.</summary>No: it may, by some percent. Scale can make a whole corner.</details>
# <details><summary>c. Whether the layers there are just larger.</summary>Right: divide each layer by its mean distance and look again.</details>
#
# **2. A layer encodes only a, another only b. How far apart are they under GW?**
#
# <details><summary>a. At distance 0: swapping a and b makes one the other.</summary>Right: so a distance of 0 does not mean that two layers do the same work on the same input.</details>
# <details><summary>b. It depends on the number of inputs.</summary>No: if all pairs are there, it is 0 for every number.</details>
# <details><summary>c. As far as can be: they share no information.</summary>No: GW does not ask about information on the same input.</details>
#
# ## Exercises
#
# :::{exercise} What scale would say
# :label: ex-06-scale
#
# *Difficulty 2 of 5, importance 5 of 5, 5 minutes.* Write `by_scale(layers)`: for a list of L clouds (n, d) the map (L, L) that one would guess if nothing counted but how far apart the points of each layer are, on average.
#
# ```{dropdown} Hint 1
# `mean_distance` and `pairwise_distances` are imported above.
# ```
# ```{dropdown} Hint 2
# One number per layer; the absolute difference for every pair.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def by_scale(layers):
    """Differences (L, L) of the mean distances of L clouds."""
    sizes = np.array([mean_distance(pairwise_distances(x)) for x in layers])
    return np.abs(sizes[:, None] - sizes[None])


check.by_scale(by_scale)

# %% [markdown]
# :::{exercise} Where an eye would cut
# :label: ex-06-step
#
# *Difficulty 1 of 5, importance 3 of 5, 5 minutes.* Write `new_group(values)`: for a map (L, L) the index of the layer that begins a group, if we cut where the step from a layer to the next is largest.
#
# ```{dropdown} Hint 1
# `np.diag(values, k=1)` are the steps. How many are there?
# ```
# ```{dropdown} Hint 2
# Step 0 leads to layer 1.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def new_group(values):
    """Index of the layer after the largest step of a map (L, L)."""
    return int(np.argmax(np.diag(values, k=1))) + 1


check.new_group(new_group)

# %% [markdown]
# :::{exercise} Scoring a partition
# :label: ex-06-f1
#
# *Difficulty 2 of 5, importance 4 of 5, 10 minutes.* If the true boundaries are known, how good are those that a test has found? Write `f1(found, true)` for two tuples of layers: two times the hits, divided by cuts and boundaries together; 1 if there are none of either.
#
# ```{dropdown} Hint 1
# A hit is in both. Sets have `&`.
# ```
# ```{dropdown} Hint 2
# Check that one cut too many and one too few both cost something.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def f1(found, true):
    """F1 of boundaries against the true ones, between 0 and 1."""
    together = len(found) + len(true)
    return 2 * len(set(found) & set(true)) / together if together else 1.0


check.f1(f1)

# %% [markdown]
# :::{exercise} What Gromov-Wasserstein forgets
# :label: ex-06-forgets
#
# *Difficulty 3 of 5, importance 5 of 5, 10 minutes.* Write `forgets(x)`: for a cloud (n, d) another one that has a Gromov-Wasserstein distance of nearly 0 from it, while CKA says that they have nothing in common.
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
    """A cloud (n, d) that only one of the two measures takes for the same."""
    return np.random.default_rng(0).permutation(x)


check.forgets(forgets)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C11: the map of Model L shows three groupings that match its three functions (5.1, Figure 3) | ours | undecided: the paper's groupings are not of neighbours, and match the functions in number alone; our test looks for neighbours | {glue:text}`n_blocks_l:d` groups of neighbours, none starts at 31 or 62; spectral clustering, told three, makes groups of {glue:text}`spectral_l` layers; the step at a true boundary is {glue:text}`doors:g` |
# | C12: the groups are kinds of layers, attention apart from MLP and stream (reviews) | ours | agrees to the eye, but much of the map is there by width alone | rank correlation with the map of widths {glue:text}`by_width:.2f` |
# | C13: Model E's layers from 64 on are alike (5.1, Figure 4) | ours | disagrees | mean distance {glue:text}`late_e:.2f` there and {glue:text}`mean_e:.2f` in all, smaller in {glue:text}`alike:d` of three seeds; raw {glue:text}`raw_late_e:.1f` and {glue:text}`raw_e:.1f` |
# | C13: distances of Model L are larger | ours | agrees, but for another reason than function | raw {glue:text}`raw_l:.1f` and {glue:text}`raw_e:.1f`; without scale larger in {glue:text}`larger:d` of three seeds, and in {glue:text}`calmer:d` once the saturated attention maps are left out |
# | C14: in Model 0, large changes at the attention scores and at the attention map (5.1, Figure 5) | ours | undecided: the steps are large without scale, but widths alone make groups, too | normalised steps {glue:text}`step_scores:.2f` and {glue:text}`step_map:.2f`, among the four largest of the {glue:text}`n_steps_0:d`; number of groups {glue:text}`n_blocks:d`; by widths alone a new one starts at {glue:text}`starts_0` |
# | C14: the one at the scores is the first | ours | disagrees | the step into the keys comes first, and is {glue:text}`step_keys:.2f` |
# | C14: so attention does the main work | ours | undecided: from the map it does not follow | the step at which the answer becomes readable is {glue:text}`step_relu:.2f`, number {glue:text}`rank_relu:d` of {glue:text}`n_steps_0:d` in size |
# | C15: distances do not grow monotonically with depth (5.1) | paper | agrees: one example is enough | in Model 0, from the entrance to the last attention map {glue:text}`raw_away:.2f`, to the layer after it, `z.0`, {glue:text}`raw_back:.2f`; without scale {glue:text}`away:.2f` and {glue:text}`back:.2f` |
# | C22: spectral clustering of the inverted map finds two groups (claimed for BERT, 5.2) | ours | agrees, as it must: it returns as many groups as it is asked for | in Model 0 the attention maps, {glue:text}`spectral_groups:d` layers, and the rest |
# | C06: subsampling does not change the finding | ours | agrees for the order of distances; their values shift | rank correlation {glue:text}`rank_100:.2f` and a shift of {glue:text}`shift_100:+.0f` % at 100 inputs |
# | C33: GW shows sub-networks more clearly than other measures (reviews) | ours | undecided on this network | of the two true boundaries no measure finds more than {glue:text}`found_by_any:d`: the step there is 0 under all of them |
# | C36: layers change abruptly, not smoothly (later version) | ours | undecided: the layers of Model 0 are of too many kinds to say which step is out of proportion | $p$ = {glue:text}`p_value:.2f`; for a map of widths alone $p$ = {glue:text}`p_widths:.3f` |
# | D11: how many groups, and who decides? | - | answered: a test with a stated null hypothesis decides how many, not what they are | number of groups: {glue:text}`n_blocks:d` in Model 0 ($p$ = {glue:text}`p_value:.2f`), {glue:text}`n_blocks_l:d` in Model L ($p$ = {glue:text}`p_l:.3f`), {glue:text}`n_blocks_width:d` where nothing happens |
# | D16: the figures are too dense to read | - | answered: here each entry names its layers and its value when you point at it | {glue:text}`n_layers_l:d` layers, {glue:text}`n_pairs_l:,d` pairs in one map |
# | D03: the correspondence is known | - | justified: the search throws away which input is which | in the median pair of layers {glue:text}`share_median:.0f` % of the squared distance goes away; $a$ alone and $b$ alone are at {glue:text}`free:.1g` |
#
# **Before you read a map**: divide each layer by its mean, and draw beside it the map of a null in which nothing happens but the widths.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
