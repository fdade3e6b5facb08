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
#     data: [model-0/seed-0]
# ---

# %% [markdown]
# # Model 0: a network that adds
#
# A network small enough to train in a minute, on a task that we understand completely: given
# $a$ and $b$, say $(a + b) \bmod 59$. This is **Model 0** of the paper, and the first layer map
# of this book (Figure 5 of the paper). Two things are smaller here than there: we train for
# 1,000 epochs instead of 26,000, because the network answers all pairs long before, and we
# compare layers on a sample of the 3,481 inputs, as the paper also does.
#
# :::{admonition} What you will learn
# - the data, the network and how it is trained, with every number in its place;
# - what a layer map is, and how to draw one of your own in three lines;
# - how much of a raw map is scale, and what is left without it;
# - how blocks are read off a map by a test instead of by eye.
#
# **Time**: 20 minutes to read, two minutes to run.
# **In the paper**: section 5.1, appendix A, Table 1, Figure 5.
# **You need**: [chapter 02](02-gromov-wasserstein.ipynb); it helps to have seen a transformer.
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_samples = 200

# %% [markdown]
# The imports:

# %%
import numpy as np
import pandas as pd

import funcsim as fs
from bookkit.notes import note
from funcsim import viz
from funcsim.experiments import modular_sum
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.models.modular_transformer import ModularTransformer
from funcsim.training.modular import TrainingConfig, train

# %% [markdown]
# ## Loading, and not believing
#
# The trained network lies in the repository's `data/` folder. Beside it is a record that says
# where it came from; the loader refuses files that differ from it.

# %%
trained = modular_sum.load("model-0", profile, seed)
model, split, history = trained.model, trained.split, trained.history
print(trained.origin)

# %% [markdown]
# That is the whole story in one line: what was trained, on what, with which seed, for how
# long, by which version of the code, and the command that makes it again.
#
# ## The data
#
# All pairs $(a, b)$ are the data; four fifths are for training and the rest for validation,
# drawn at random once.

# %%
p = model.config.p
note(p=p, n_train=len(split.train_inputs), n_val=len(split.val_inputs))
examples = pd.DataFrame(split.train_inputs[:4].numpy(), columns=["a", "b"])
examples.assign(answer=split.train_labels[:4].numpy())

# %% [markdown]
# With $p$ = {glue:text}`p:d` there are {glue:text}`n_train:d` pairs for training and
# {glue:text}`n_val:d` for validation. The validation pairs are new, but their parts are not:
# every number has been seen in other pairs.
#
# ## The network
#
# One transformer block: an embedding for each number and each position, four attention heads,
# an MLP with 512 hidden units, no layer normalisation, and the answer read at the second
# position. The architecture and all settings are those of {cite:t}`zhong2023clock`, whose
# choice of $p$ and of the split is also the paper's; they vary the network of
# {cite:t}`nanda2023progress`. The paper says that it follows both, and where they differ it does
# not say which. We took no causal mask and a weight decay of 2.

# %%
note(n_parameters=sum(weights.numel() for weights in model.parameters()))
model.config

# %% [markdown]
# It has {glue:text}`n_parameters:,d` parameters. Does it do its job? We let it answer all pairs,
# now, rather than trust the record.

# %%
at_train, at_validation = trained.accuracies()
note(at_train=100 * at_train, at_validation=100 * at_validation)

# %% [markdown]
# {glue:text}`at_train:.1f` % of the training pairs and {glue:text}`at_validation:.1f` % of the
# validation pairs are right.
#
# ## The training
#
# AdamW, learning rate 0.001, all training pairs in every step. The next figure shows the loss
# on both sets.

# %% tags=["fig"] mystnb={"image": {"alt": "Training and validation loss over epochs on a logarithmic axis: training loss falls first, validation loss rises, then follows hundreds of epochs later."}}
curves = history.curves()
viz.curves(
    {"training": curves["train_loss"], "validation": curves["val_loss"]},
    xlabel="epoch",
    ylabel="cross-entropy (nats)",
    yscale="log",
)

# %% [markdown]
# The next cell finds the epochs at which each accuracy first reaches 100 %, and the worst
# validation loss.

# %%
first_full = {
    name: int(np.argmax(curves[f"{name}_accuracy"] == 1))
    for name in ("train", "val")
}
worst = int(np.argmax(curves["val_loss"]))
note(
    full_train=first_full["train"],
    full_val=first_full["val"],
    val_then=100 * float(curves["val_accuracy"][first_full["train"]]),
    worst_loss=curves["val_loss"][worst],
    worst_epoch=worst,
)

# %% [markdown]
# At first the network learns its training pairs by heart and gets worse on the others: after
# {glue:text}`worst_epoch:d` epochs the validation loss is {glue:text}`worst_loss:.1f`, while even
# odds for all 59 answers give 4.1. All training pairs are right after
# {glue:text}`full_train:d` epochs, and {glue:text}`val_then:.0f` % of the validation pairs; it
# takes {glue:text}`full_val:d` epochs to get those right as well. This delay is a mild form of
# *grokking* {cite:p}`power2022grokking`.
#
# Is the frozen curve the curve that this code draws? The next cell trains a new network for
# twenty epochs from the same seed and compares.

# %%
again = ModularTransformer(model.config, seed)
twenty = train(again, split, TrainingConfig(epochs=20), progress=False).curves()
gap = np.abs(twenty["train_loss"] / curves["train_loss"][:20] - 1).max()
note(replay_gap=gap)

# %% [markdown]
# The losses agree within a relative {glue:text}`replay_gap:.1g`. (On the machine that froze
# them they agree to the last bit; other processors add in other orders.)
#
# ## The 31 representations
#
# We run all pairs through the network and keep what its 31 named points return, both
# positions flattened into one row. [Chapter 01](01-functional-similarity.ipynb) explains
# the names.

# %%
reps = fs.capture(model, [trained.pairs])
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
last = fs.capture(model, [trained.pairs], pool="last").subsample(
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
# ## What we found
#
# | claim | our answer | evidence on this page |
# | --- | --- | --- |
# | C09: the modular models reach 100 % accuracy (5.1) | holds for Model 0, one seed | {glue:text}`at_train:.1f` % in training, {glue:text}`at_validation:.1f` % in validation |
# | C14: large changes at the attention scores and at the attention map (5.1, Figure 5) | holds without scale | blocks start at {glue:text}`new_blocks`; normalised steps {glue:text}`step_scores:.2f` and {glue:text}`step_map:.2f`, among the four largest |
# | C14: the one at the scores is the first | differs | the step into the keys comes first, and is {glue:text}`step_keys:.2f` |
# | C14: so attention does the main work | differs | it does not follow: the step at which the answer becomes readable is {glue:text}`step_relu:.2f` |
# | C15: distances do not grow monotonically with depth (5.1) | holds without scale | the step out of the attention maps leads back to layers near the entrance |
# | C36: layers change abruptly, not smoothly (later version) | holds for this network and this definition of abrupt | $p$ = {glue:text}`p_value:.3f` against smooth drift |
# | C22: spectral clustering of the inverted map finds two groups (claimed for BERT, 5.2) | cannot tell: it returns as many groups as it is asked for | here the attention maps, {glue:text}`spectral_groups:d` layers, and the rest |
#
# To doubt D10, whether 100 % means training or validation data: both, here.
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
