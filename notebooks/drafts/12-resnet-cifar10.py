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
#     data: [resnet9]
# ---

# %% [markdown]
# # ResNet-9 on CIFAR-10
#
# Until now all networks were transformers. The reviewers asked for another kind of network and another kind of data, and the authors answered with a small residual network on pictures: under the Gromov-Wasserstein distance, they write,
# it falls into four sub-networks, with changes at three named layers, which one also sees in the pictures of its activations, and which other measures do not show. This chapter trains the same architecture, and
# asks each of these things for a number.
#
# **What is smaller here.** The network is the original one; the data are 20,000 of the 50,000 training pictures, and it is trained for {glue:text}`n_epochs:d` epochs. It reaches {glue:text}`accuracy:.1f` %
# where the paper's reaches 91.63 %.
#
# :::{admonition} What you will learn
# - how convolutional layers are captured and compared, and why in-place operations are a trap;
# - how a map of a random network differs from that of a trained one;
# - whether there are four sub-networks, and whether their borders are those of the shapes;
# - what early and late layers know, by readouts;
# - what it takes to replace "as one can see".
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: not in the first version; the discussion of its reviews, with the figures on vision.
# **You need**: [chapter 03](03-ten-measures.ipynb) and [chapter 06](06-modular-sum-subnetworks.ipynb).
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0

# %% [markdown]
# The imports:

# %%
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from scipy import stats

import funcsim as fs
from bookkit.notes import note
from funcsim import viz
from funcsim.checks import chapter_12 as check
from funcsim.experiments import vision
from funcsim.experiments.vision_maps import MEASURES
from funcsim.models.resnet import ResNet9
from funcsim.partition import cut_into
from funcsim.widgets import explorer

# %% [markdown]
# ## The network
#
# Eight convolutions, each followed by batch normalisation and a ReLU; two additions of an earlier layer; two poolings. The 24 layers are named as the authors name them: the number of the
# convolution, counted from 0, and the kind.

# %%
run = vision.load(profile, seed)
print(run.origin)
names = run.layers.names
note(n_epochs=len(run.curves["test_accuracy"]), n_images=run.layers.n_samples)
note(accuracy=100 * run.curves["test_accuracy"][-1])
list(names[:4])

# %% [markdown]
# The ReLU writes its result over what it was given. Who keeps the tensor that batch normalisation returned finds the ReLU's values in it later, and a published map may compare a layer with itself without anyone noticing. `fs.capture` clones at once:

# %%
noise = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
reps = fs.capture(run.model, [noise], progress=False)
negative = float((reps["0.BatchNorm2d"] < 0).mean())
note(negative=100 * negative)
print(f"{100 * negative:.0f} % of the normalised values are negative")

# %% [markdown]
# Accuracy on the test pictures, epoch by epoch:

# %% tags=["fig"] mystnb={"image": {"alt": "(OBSERVE-alt-curve) Test accuracy over the epochs."}}
viz.curves(
    {"test accuracy (%)": 100 * run.curves["test_accuracy"]},
    xlabel="epoch",
    ylabel="test accuracy (%)",
)

# %% [markdown]
# (OBSERVE-training)
#
# ## What it looks like inside
#
# The authors show pictures of activations of a ship, and read the same four groups from them. Pictures of the data set are not part of this book, so we draw a ship: a hull, a mast and a sail on water.


# %%
def ship():
    """A ship of 32 by 32 pixels, red, green and blue from 0 to 255."""
    picture = np.full((32, 32, 3), (150, 190, 230), dtype=np.uint8)
    picture[22:] = (30, 70, 120)
    for row in range(18, 24):
        picture[row, 6 + row - 18 : 27 - (row - 18)] = (110, 60, 40)
    picture[5:18, 15] = (70, 50, 40)
    for row in range(6, 17):
        picture[row, 16 : 16 + (row - 4)] = (240, 240, 235)
    return picture


# %% [markdown]
# The mean over the channels of a layer is a picture again. For the trained and for the random network:

# %%
from funcsim.tasks.images import Images

boat = Images(ship()[None], np.array([8]), "a drawing").tensor()
networks = {"random": ResNet9(seed=seed).eval(), "trained": run.model}


def pictures(model):
    """The mean over channels of every layer, one picture each."""
    found = {}
    for name in names:
        module = model.get_submodule(name)
        hook = module.register_forward_hook(
            lambda m, i, out, name=name: found.update(
                {name: out[0].mean(0).clone()}
            )
        )
        with torch.no_grad():
            model(boat)
        hook.remove()
    return {name: image.numpy() for name, image in found.items()}


# %% [markdown]
# The last layer of each of the eight steps:

# %% tags=["fig"] mystnb={"image": {"alt": "(OBSERVE-alt-ship) Mean activation of eight layers for a drawn ship, in the random and in the trained network."}}
seen = {state: pictures(model) for state, model in networks.items()}
shown = [name for name in names if name.endswith("ReLU")]
viz.pictures({state: {name: seen[state][name] for name in shown} for state in seen})

# %% [markdown]
# (OBSERVE-ship)
#
# Does the map agree with the eye? A number for the eye: how alike the pictures of a layer and of the layer before it are, as the correlation of their pixels when both are brought to the same size.


# %%
def alike(one, other):
    """Correlation of two pictures, the larger brought to the size of the smaller."""
    small = min(one.shape[0], other.shape[0])
    shrunk = [
        torch.nn.functional.adaptive_avg_pool2d(
            torch.tensor(x)[None], small
        ).flatten()
        for x in (one, other)
    ]
    return float(np.corrcoef(*(x.numpy() for x in shrunk))[0, 1])


def to_the_eye(state):
    """One minus that, for every layer and the one before."""
    images = [seen[state][name] for name in names]
    return np.array([1 - alike(a, b) for a, b in pairwise(images)])


steps = {state: np.diag(run.maps[f"{state}/mean/gw"].values, k=1) for state in seen}
agree = {
    state: stats.spearmanr(to_the_eye(state), steps[state]).statistic
    for state in seen
}
note(eye_trained=agree["trained"], eye_random=agree["random"])
pd.Series(agree, name="rank correlation").to_frame().round(2)

# %% [markdown]
# (OBSERVE-eye)
#
# ## From layer to layer
#
# Figure 9 of the revised paper: the distance of each layer to the one before, under every measure, before and after training. Similarities are turned into distances. Each row divided by its mean, so that the rows can be compared:


# %%
def stepwise(what, measure):
    """Distance of each layer to the one before."""
    m = run.maps[f"{what}/mean/{measure}"]
    values = np.diag(m.values, k=1)
    return 1 - values if m.larger_is_similar else values


table = {
    (measure, state): stepwise(state, measure) / stepwise(state, measure).mean()
    for measure in MEASURES
    for state in ("random", "trained")
}
table = pd.DataFrame(table, index=names[1:])
table.round(2)

# %% [markdown]
# Under GW, the two networks as lines:

# %% tags=["fig"] mystnb={"image": {"alt": "(OBSERVE-alt-steps) GW distance of each layer to the one before, in the random and in the trained network."}}
viz.curves(
    {state: steps[state] for state in ("random", "trained")},
    xlabel="layer",
    ylabel="GW distance to the layer before",
)

# %% [markdown]
# (OBSERVE-steps)
#
# ## Maps
#
# All measures, random above and trained below (Figures 18 and 20):

# %% tags=["fig"] mystnb={"image": {"alt": "(OBSERVE-alt-maps) Maps of 24 layers under six measures, for the random and for the trained network."}}
viz.map_grid(
    {
        measure: {
            state: run.maps[f"{state}/mean/{measure}"]
            for state in ("random", "trained")
        }
        for measure in MEASURES
    }
)

# %% [markdown]
# The trained network under GW, with the blocks that the test finds. The frozen map is first drawn again in part, from the frozen layers:

# %%
gw = run.maps["trained/mean/gw"]
some = names[::5]
again = fs.compare(run.layers.select(some), progress=False).to_frame()
note(
    replay=float(
        np.abs(again - gw.to_frame().loc[list(some), list(some)]).max(axis=None)
    )
)
blocks = fs.partition(gw, seed=seed)
explorer(
    gw, "(OBSERVE-alt-explorer) Map of ResNet-9, trained, with its blocks.", blocks
)

# %% [markdown]
# (OBSERVE-map)
#
# ## Four sub-networks?
#
# For every measure: how many blocks the test finds, where they start, and where the map is cut if we insist on four. The paper's borders are `2.ReLU`, `4.Conv2d` and `7.Conv2d`.

# %%
paper = {
    names.index(name)
    for name in ("2.ReLU", "4.Conv2d", "7.Conv2d")
    if name in names
}
found = {}
for measure in MEASURES:
    for state in ("random", "trained"):
        m = run.maps[f"{state}/mean/{measure}"]
        p, four = fs.partition(m, seed=seed), cut_into(m, min(4, len(names) // 2))
        found[measure, state] = {
            "blocks": p.n_blocks,
            "p": p.p_value,
            "start at": ", ".join(names[k] for k in p.boundaries),
            "cut into four at": ", ".join(names[k] for k in four.boundaries),
            "of the paper's": len(paper & set(four.boundaries)),
        }
found = pd.DataFrame(found).T
pd.set_option("display.max_colwidth", None)
found

# %% [markdown]
# And in random halves of the pictures, how often does a block start at each layer?

# %%
frequency = pd.DataFrame(
    {state: run.frequency[state] for state in ("random", "trained")}, index=names
)
frequency[frequency.max(axis=1) > 0.2].round(2)

# %% [markdown]
# (OBSERVE-four)
#
# ## Borders of function, or of shape?
#
# At four places the shape of the layers changes: at `1.Conv2d` the pictures are halved, at `4.Conv2d` the channels are doubled, before `5.Conv2d` the pictures are halved again, and at `7.Conv2d` they shrink and lose half of
# their channels. A layer with another spectrum is another cloud, whatever it computes. Two nulls: a Gaussian cloud of the same spectrum in place of every layer; and, by channels, the first layer projected to as many.

# %%
nulls = {
    "trained": run.maps["trained/mean/gw"],
    "spectrum only": run.maps["twins/mean/gw"],
    "trained, by channels": run.maps["trained-channels/mean/gw"],
    "width only, by channels": run.maps["width/mean/gw"],
}
rows = {}
inner = np.triu_indices(len(names), k=1)
for name, m in nulls.items():
    p = fs.partition(m, seed=seed)
    rows[name] = {
        "blocks": p.n_blocks,
        "p": p.p_value,
        "start at": ", ".join(names[k] for k in p.boundaries),
        "agreement with trained": stats.spearmanr(
            m.values[inner], gw.values[inner]
        ).statistic,
    }
pd.DataFrame(rows).T

# %% [markdown]
# (OBSERVE-nulls)
#
# ## What the layers know
#
# "Early blocks hold local statistics, late ones the class." From the means over the four quarters of the picture in every layer, a linear readout of the class, and of two things that are local: how red the upper left quarter is, and whether its edges stand or
# lie. On pictures that were not fitted.

# %% tags=["fig"] mystnb={"image": {"alt": "(OBSERVE-alt-readouts) Class, colour and edges as read from each layer of the trained network."}}
known = dict(zip(run.targets, run.readouts[1], strict=True))
viz.curves(
    {
        "class (accuracy)": known["class"],
        "colour (R²)": np.maximum(known["colour"], 0),
        "edges (R²)": np.maximum(known["edges"], 0),
    },
    xlabel="layer",
    ylabel="read from the layer",
)

# %% [markdown]
# And the random network beside it, at the ends of the steps:

# %%
ends = [k for k, name in enumerate(names) if name.endswith("ReLU")]
readouts = pd.DataFrame(
    {
        (state, target): run.readouts[s][t][ends]
        for s, state in enumerate(("random", "trained"))
        for t, target in enumerate(run.targets)
    },
    index=[names[k] for k in ends],
)
readouts.round(2)

# %% [markdown]
# (OBSERVE-readouts)
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. The output of a batch normalisation was kept, and holds no negative number. What happened?**
#
# <details><summary>a. A ReLU in place has written over it.</summary>Right: copy at once, or you compare a layer with itself.</details>
# <details><summary>b. Batch normalisation makes numbers positive.</summary>No: it makes their mean zero, so about half of them are negative.</details>
# <details><summary>c. The images are positive.</summary>No: a convolution of positive numbers has both signs.</details>
#
# **2. A map has a border where the image is halved. Is it a border of function?**
#
# <details><summary>a. Yes: halving is what the layer does.</summary>No: a cloud of another spectrum is another cloud, whatever it computes.</details>
# <details><summary>b. No: shapes are never functions.</summary>No: it may be both. The map alone does not say.</details>
# <details><summary>c. First ask whether a cloud of the same spectrum, or a random network, has it too.</summary>Right.</details>
#
# ## Exercises
#
# :::{exercise} A number for each channel
# :label: ex-12-places
#
# *Difficulty 1 of 5, importance 4 of 5, 5 minutes.* Write `over_places(layer)`: from what a convolution returns, (n, c, h, w), the mean over the image of each channel, (n, c).
#
# ```{dropdown} Hint 1
# Which axes are places?
# ```
# ```{dropdown} Hint 2
# `mean` takes a tuple of axes.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def over_places(layer):
    """Means (n, c) over the last two axes."""
    return layer.mean(axis=(2, 3))


check.over_places(over_places)

# %% [markdown]
# :::{exercise} The same distances in few numbers
# :label: ex-12-few
#
# *Difficulty 3 of 5, importance 5 of 5, 15 minutes.* 300 images are 300 points, in a layer of 65,536 numbers. Write `few_numbers(x)`: for points (n, d) other points with at most n numbers each that have the same distances.
#
# ```{dropdown} Hint 1
# n points and their mean lie in a space of less than n dimensions. What are good axes in it?
# ```
# ```{dropdown} Hint 2
# The singular value decomposition of what is left when the mean is taken off: left vectors times singular values.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def few_numbers(x):
    """Coordinates (n, at most n) along principal axes."""
    left, sizes, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    return left * sizes


check.few_numbers(few_numbers)

# %% [markdown]
# :::{exercise} Something local
# :label: ex-12-red
#
# *Difficulty 1 of 5, importance 3 of 5, 5 minutes.* Write `redness(images)`: from bytes (n, 32, 32, 3) the mean of red in the upper left quarter of each image, (n,).
#
# ```{dropdown} Hint 1
# The axes are image, row from above, column from the left, and colour.
# ```
# ```{dropdown} Hint 2
# `images[:, :16, :16, 0]`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def redness(images):
    """Means (n,) between 0 and 255."""
    return images[:, :16, :16, 0].mean(axis=(1, 2))


check.redness(redness)

# %% [markdown]
# :::{exercise} Rise and fall
# :label: ex-12-rate
#
# *Difficulty 2 of 5, importance 3 of 5, 10 minutes.* Write `rise_and_fall(step, steps, peak, highest)`: a learning rate that rises on a line from 0 to `highest`, which it reaches after a share `peak` of the steps, and falls on a line to 0 at the end.
#
# ```{dropdown} Hint 1
# Three points and the lines between them.
# ```
# ```{dropdown} Hint 2
# `np.interp(step, [...], [0, 1, 0])`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def rise_and_fall(step, steps, peak, highest):
    """The rate after so many of all steps."""
    return highest * np.interp(step, [0, peak * steps, steps], [0, 1, 0])


check.rise_and_fall(rise_and_fall)

# %% [markdown]
# ## What we found
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
