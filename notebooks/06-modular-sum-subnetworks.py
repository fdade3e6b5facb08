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
#     data: [model-0/seed-0, model-e-equal/seed-0, model-l-equal/seed-0]
# ---

# %% [markdown]
# # Maps of networks that add
#
# The networks of [chapter 04](04-modular-sum-training.ipynb) are trained. Now we ask the
# paper's question: does the map of distances between layers show where one job ends and the
# next begins? First **Model 0**, one block and 31 representations (Figure 5 of the paper), then
# **Models L and E**, three blocks and 93 (Figures 3 and 4). Two things are smaller here than in
# the paper: the networks were trained for fewer epochs, because they answer all pairs long
# before, and we compare layers on a sample of the 3,481 inputs, as the paper also does.
#
# :::{admonition} What you will learn
# - what a layer map is, and how to draw one of your own in three lines;
# - how much of a raw map is scale, and what is left without it;
# - how blocks are read off a map by a test instead of by eye;
# - whether the map of a network of three functions shows three parts.
#
# **Time**: 20 minutes to read, two minutes to run.
# **In the paper**: section 5.1, Table 1, Figures 3 to 5.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb) and [chapter 04](04-modular-sum-training.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_samples = 200
n_deep = 100

# %% [markdown]
# The imports:

# %%
import numpy as np
import pandas as pd

import funcsim as fs
from bookkit.notes import note
from funcsim import viz, widgets
from funcsim.experiments import modular_sum
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.partition import cut_into

# %% [markdown]
# ## Model 0: 31 representations
#
# We run all pairs through Model 0 and keep what its 31 named points return, both
# positions flattened into one row. [Chapter 01](01-functional-similarity.ipynb) explains
# the names.

# %%
model_0 = modular_sum.load("model-0", profile, seed)
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
# {glue:text}`n_used:d` inputs. First with raw distances, as
# the paper does it, so far as it says.

# %%
raw = fs.compare(sample, normalize=None)
raw_blocks = fs.partition(raw, seed=seed)
raw_blocks.boundaries, raw_blocks.p_value

# %% [markdown]
# Dark means alike, bright means different. White frames are the blocks that the test below
# finds.

# %% tags=["fig"] mystnb={"image": {"alt": "Raw layer map of Model 0: the last four layers, the MLP and the exit, are bright against everything else, which is uniformly dark."}}
raw.plot(blocks=raw_blocks, title="Model 0, raw distances")

# %% [markdown]
# The map is nearly black but for the last rows. (That frames appear in the black is no mistake:
# the test compares each step with the steps around it, large or small.) It is the picture of the previous section
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
# left, and compare again. These are the three lines that you need for a network of your own:
# capture, compare, partition.

# %%
normalised = fs.compare(sample)
blocks = fs.partition(normalised, seed=seed)
note(n_blocks=blocks.n_blocks, p_value=blocks.p_value)
blocks.to_frame()

# %% [markdown]
# The map, with the blocks framed:

# %% tags=["fig"] mystnb={"image": {"alt": "Normalised layer map of Model 0: the four attention maps form a bright cross, alike among themselves and unlike all other layers; five blocks are framed."}}
normalised.plot(
    blocks=blocks, title="Model 0, each layer divided by its mean distance"
)

# %% [markdown]
# A different picture. The four attention maps stand apart from everything, and are alike
# among themselves. Keys go with attention scores, head by head: the small dark squares off the
# diagonal. Values go with the stream that enters. Attention output, stream and MLP form a
# dark square before the exit.
#
# ## Blocks by a test, not by eye
#
# The paper reads its maps by eye. A later version claims that the layers change abruptly. But in
# any deep network neighbours are alike and distant layers differ, so any chain can be cut
# somewhere. What must be ruled out is *smooth drift*. `fs.partition` asks at every cut whether
# the step there exceeds the steps around it, in windows of up to eight layers on each side
# {cite:p}`baranowski2019narrowest`; a step counts as a boundary if it is more than twice the drift
# around it. The strongest such step is compared with the strongest in 999 maps of layers that
# are all equally far apart, but for noise. If they have steps as strong, the answer is *one
# block*. Otherwise the cuts are chosen by dynamic programming, for all numbers of blocks at
# once. A block has at least two layers: one odd layer is not a block.
#
# For the normalised map the answer is {glue:text}`n_blocks:d` blocks, with
# $p$ = {glue:text}`p_value:.3f`; 0.001 is the smallest value that 999 null maps can give. New
# blocks start at {glue:text}`new_blocks`. Nobody told the test what these layers are, and still
# every boundary stands between two *kinds* of representation, never inside one: keys and
# queries, values, scores, maps, and everything after. (The weakest boundary has a $p$ of its own
# of {glue:text}`weakest:.3f`.) The paper's alternative, spectral clustering with a given number
# of groups, needs no order of layers and gives no $p$-value. Where does it cut?

# %%
spectral = {n: fs.spectral_partition(normalised, n, seed) for n in (2, 3)}
note(spectral_groups=len(spectral[2].blocks[1]))
note(new_blocks=", ".join(names[i] for i in blocks.boundaries))
note(weakest=max(blocks.boundary_p_values, default=1.0))
{n: found.boundaries for n, found in spectral.items()}

# %% [markdown]
# With two groups it puts {glue:text}`spectral_groups:d` layers in the second, the attention
# maps, and everything before *and after* into the first: groups need not be contiguous. "Apart
# from the attention maps the layers are alike" is another reading of the same picture than "a
# chain of blocks". The first asks which layers are alike wherever they stand, the second where
# the computation changes.
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
)
ranked.sort_values("normalised", ascending=False).head(8).round(3)

# %% [markdown]
# In the normalised map the steps into the attention scores ({glue:text}`step_scores:.2f`) and
# into the attention maps ({glue:text}`step_map:.2f`) are among the four largest, as the paper
# says. The other two are the step out of the attention maps again ({glue:text}`step_after:.2f`)
# and the very first, from the stream to the keys ({glue:text}`step_keys:.2f`), which the paper
# does not mention. In the raw map the largest steps are in the MLP, where the scale grows.
#
# Now recall where the answer becomes readable. In [chapter 01](01-functional-similarity.ipynb)
# a linear probe found it nowhere before the ReLU of the MLP and nearly always after it. The
# distance from before to after this ReLU, `post`, is {glue:text}`step_relu:.2f`: one of the
# smallest in the map. The map shows changes of *shape*. The decisive step of the computation is
# not one of them. "Attention does the main work" does not follow from this map.
#
# ## One position or both?
#
# The paper does not say whether a representation holds both token positions or only the last.
# We have flattened both. The next cell takes the last one, on a smaller sample.

# %%
last = fs.capture(model_0.model, [model_0.pairs], pool="last").subsample(
    min(100, reps.n_samples), seed
)
last_map = fs.compare(last)
last_blocks = fs.partition(last_map, seed=seed)
note(n_blocks_last=last_blocks.n_blocks, n_last=last.n_samples)
note(new_blocks_last=", ".join(names[i] for i in last_blocks.boundaries))
last_blocks.to_frame()

# %% [markdown]
# The same map for the last position:

# %% tags=["fig"] mystnb={"image": {"alt": "Normalised layer map of Model 0 at the last position: the attention maps are unlike most layers but dark where they meet the keys; four blocks are framed."}}
last_map.plot(blocks=last_blocks, title="Model 0, last position only")

# %% [markdown]
# With {glue:text}`n_last:d` inputs and the last position alone there are
# {glue:text}`n_blocks_last:d` blocks, which start at {glue:text}`new_blocks_last`. The attention
# maps are still a block, but no longer unlike everything: they now resemble the keys. What the map says about the first half of the network
# depends on a choice that the paper does not report. It must be stated with every map.
#
# ## Model L: 93 representations, three functions
#
# Model L was trained layer by layer, so we know where its three functions meet: counted from 0,
# block 2 begins with representation 31 and block 3 with representation 62. This is
# the case in which the paper's reading of a map can be checked against the truth. We take the
# network with equal moduli, and the last position of each layer, where the answer is read.


# %%
def last_position(name):
    """All representations of a network at the last position, for a sample of pairs."""
    trained = modular_sum.load(name, profile, seed)
    print(trained.origin)
    layers = fs.capture(trained.model, [trained.pairs], pool="last", progress=False)
    return layers.subsample(min(n_deep, layers.n_samples), seed)


reps_l = last_position("model-l-equal")
map_l = fs.compare(reps_l)
names_l = [name.removeprefix("blocks.") for name in reps_l.names]
note(n_deep=reps_l.n_samples, n_layers_l=len(reps_l))

# %% [markdown]
# That makes {glue:text}`n_layers_l:d` representations and 4,278 pairs, each compared on
# {glue:text}`n_deep:d` inputs. A check before we look: the stream that leaves one
# block *is* the stream that enters the next, so two entries of this map must be exactly 0.

# %%
per_block = len(reps_l) // 3
doors = [(k * per_block - 1, k * per_block) for k in (1, 2)]
note(doors=max(float(map_l.values[door]) for door in doors))

# %% [markdown]
# They are {glue:text}`doors:g`. Now the map, with the blocks that the test finds. It names
# both layers wherever you point at it, here on the page as well; arrow keys move the mark.

# %%
blocks_l = fs.partition(map_l, seed=seed)
widgets.explorer(
    map_l,
    "Layer map of Model L: the pattern of one block, three times over; attention maps form bright crosses.",
    blocks_l,
)

# %% [markdown]
# The blocks in words:

# %%
starts_l = [names_l[i] for i in blocks_l.boundaries]
note(n_blocks_l=blocks_l.n_blocks, p_l=blocks_l.p_value)
note(starts_l=", ".join(starts_l))
blocks_l.to_frame()

# %% [markdown]
# The test finds {glue:text}`n_blocks_l:d` blocks ($p$ = {glue:text}`p_l:.3f`); new ones start
# at {glue:text}`starts_l`. None starts at 31 or 62, and none *could*: a block boundary is a step
# from one layer to the next, and at the two true boundaries the step is exactly 0, because the
# same tensor stands on both sides. What the map of all 93 representations shows is
# not three functions but three times the inner life of a transformer block.
#
# One can ask more kindly: are there three groups, and where do they meet, if we insist on three?

# %%
three = cut_into(map_l, 3)
spectral_l = fs.spectral_partition(map_l, 3, seed)
note(cuts_l=" and ".join(str(i) for i in three.boundaries))
note(spectral_l=", ".join(str(len(block)) for block in spectral_l.blocks))
spectral_l.to_frame()

# %% [markdown]
# Forced into three contiguous blocks, the map is cut at {glue:text}`cuts_l`; the truth is 31
# and 62. Spectral clustering, which need not be contiguous, makes groups of
# {glue:text}`spectral_l` layers.
#
# What if we compare only what the blocks hand on? The next cell keeps the residual stream, three
# points per block.

# %%
stream = [
    name
    for name in reps_l.names
    if "resid" in name and name != "blocks.0.resid_pre"
]
stream_map = fs.compare(reps_l.select(stream))
stream_map.to_frame().round(2).iloc[:, [0, 1, 4, 7]]

# %% [markdown]
# ## Model E: the same architecture, end to end
#
# Model E has learned $c_3$ alone, all blocks at once. The same map for it:

# %%
reps_e = last_position("model-e-equal")
map_e = fs.compare(reps_e)
blocks_e = fs.partition(map_e, seed=seed)
widgets.explorer(
    map_e,
    "Layer map of Model E: the pattern of one block repeated, with dark areas from the end of the second block on.",
    blocks_e,
)

# %% [markdown]
# The paper reports two differences between the networks: from layer 64 on all layers of Model E
# are alike, and the distances of Model L are larger. We compare the mean distance between layers, in all
# of the map and from layer 64 on.

# %%
upper = np.triu_indices(len(names_l), k=1)
late = tuple(i[upper[0] >= 2 * per_block + 2] for i in upper)
means = pd.DataFrame(
    {
        name: {
            "all pairs": m.values[upper].mean(),
            "from 64 on": m.values[late].mean(),
        }
        for name, m in {"Model L": map_l, "Model E": map_e}.items()
    }
)
note(mean_l=means["Model L"]["all pairs"], mean_e=means["Model E"]["all pairs"])
note(late_l=means["Model L"]["from 64 on"], late_e=means["Model E"]["from 64 on"])
means.round(3)

# %% [markdown]
# TODO
#
# ## What we found
#
# | claim | our answer | evidence on this page |
# | --- | --- | --- |
# | C14: in Model 0, large changes at the attention scores and at the attention map (5.1, Figure 5) | holds without scale | blocks start at {glue:text}`new_blocks`; normalised steps {glue:text}`step_scores:.2f` and {glue:text}`step_map:.2f`, among the four largest |
# | C14: the one at the scores is the first | differs | the step into the keys comes first, and is {glue:text}`step_keys:.2f` |
# | C14: so attention does the main work | differs | it does not follow: the step at which the answer becomes readable is {glue:text}`step_relu:.2f` |
# | C15: distances do not grow monotonically with depth (5.1) | holds without scale | the step out of the attention maps leads back to layers near the entrance |
# | C22: spectral clustering of the inverted map finds two groups (claimed for BERT, 5.2) | cannot tell: it returns as many groups as it is asked for | in Model 0 the attention maps, {glue:text}`spectral_groups:d` layers, and the rest |
# | C36: layers change abruptly, not smoothly (later version) | holds for Model 0 and this definition of abrupt | $p$ = {glue:text}`p_value:.3f` against smooth drift |
#
# To doubt D11, who decides on the number of groups: a test with a stated null hypothesis.
#
# Open: one network and one seed are one observation. And an attention map has four numbers
# per input of which two are free, against 128 and more elsewhere; whether the block is made by
# the function or by the width needs a control that comes later.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
