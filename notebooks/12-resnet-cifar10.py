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
#     data: [resnet9, resnet9-longer]
# ---

# %% [markdown]
# # 12 ResNet-9 on CIFAR-10
#
# All networks so far were transformers that read texts or numbers. Does the same method find {term}`groups <group>` of layers in a network of another kind, which looks at images?
#
# ## In short
#
# The reviewers asked this question. The authors answered with a small network of {term}`convolutions <convolution>`: under the {term}`Gromov-Wasserstein distance` (GW), they write, it has four sub-networks. We trained the same architecture, ResNet-9, three times on less data. Our networks get {glue:text}`accuracy_from:.1f` to {glue:text}`accuracy_to:.1f` % of the test images right; the authors' network gets 91.63 %. Our test finds four groups in none of them. It finds {glue:text}`groups_words`. Where there are two, the first convolution stands apart from all other layers. But take clouds of random points that share the {term}`spectra <spectrum>` of our layers. There the first cloud is about as far from the other clouds as our first layer is from the other layers. So this {term}`boundary` need not be one of function. In all three networks, the layers at which the authors see changes stand out more *before* training than after it. And the class becomes readable by degrees, from {glue:text}`class_first:.2f` to {glue:text}`class_last:.2f`, without a boundary.
#
# :::{glue:figure} fig_in_short_12
# :name: fig-12-in-short
# :alt: GW distance of each layer to the layer before, before and after training. Both lines go up and down in threes. After training the largest distance is the first one. Before training the largest ones are at 7.Conv2d, 0.ReLU, 5.Conv2d and 4.Conv2d.
#
# The GW distance of each layer to the layer before, in the first of our three networks. Dotted lines mark the three layers that the authors name. After training the largest step is the very first one, and the three named layers rank lower among all steps than before training. The low points between the layer names on the axis are normalisations.
# :::
#
# :::{admonition} What you will learn
# - how convolutional layers are captured and compared, and why in-place operations are a trap;
# - why a map must be compared with that of an untrained network;
# - how to tell a boundary of function from a change of shape;
# - what early and late layers hold, by {term}`readouts <readout>`.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: not in the first version; Figures 9, 18 and 20 in the discussion of its reviews.
# **You need**: [chapter 03](03-ten-measures.ipynb) and [chapter 06](06-modular-sum-subnetworks.ipynb).
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
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy import stats
from torch import nn

import funcsim as fs
from exercises import chapter_12 as check
from funcsim import viz
from funcsim.viz.interactive import explorer
from replication.models.resnet import ResNet9
from replication.vision import resnet9
from replication.vision.looks import channel_means, ship
from replication.vision.maps import MEASURES, STATES, TITLES

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## A network of convolutions
#
# ResNet-9 has eight convolutions. {term}`Batch normalisation` and a {term}`ReLU` follow each of them. In two places the input of a pair of convolutions is added to their output. Convolutions, normalisations and ReLUs together make 24 layers. We name them as the authors do: the number of the convolution, counted from 0, and the kind of layer.

# %%
run = resnet9.load(profile, seed)
names = run.layers.names
list(names[:4])

# %% tags=["remove-cell"]
note(n_epochs=len(run.curves["test_accuracy"]))
note(train_loss=run.curves["train_loss"][-1], test_loss=run.curves["test_loss"][-1])

# %% [markdown]
# The architecture is that of the authors {cite:p}`park2023trak`. The data are CIFAR-10 {cite:p}`krizhevsky2009learning`. The training is shorter than theirs: 20,000 of the 50,000 training images, for {glue:text}`n_epochs:d` epochs. This network has seed 0. Two more follow at the [end of this page](#longer-training-other-seeds).

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Test accuracy over 16 epochs: from 35 % it rises to about 75 %, falls back twice on the way while the learning rate is high, and ends at 84 % when the rate has gone to zero."}, "figure": {"name": "fig-12-training", "caption": "Accuracy on test images, epoch by epoch. The learning rate rises for a fifth of the training and then falls to zero. While it is high, accuracy goes up and down."}}
viz.curves(
    {"test accuracy (%)": 100 * run.curves["test_accuracy"]},
    xlabel="epoch",
    ylabel="test accuracy (%)",
)

# %% [markdown]
# At the end the loss is {glue:text}`train_loss:.2f` on the training images and {glue:text}`test_loss:.2f` on test images. So the network has nearly memorised its training images.
#
# **A trap.** The ReLU of this network works in place: it overwrites its input. If a hook keeps the output of batch normalisation without a copy, it later finds the ReLU's output there. The ReLU is then compared with itself, and nobody notices. `fs.capture` copies at once. We can check it: a ReLU leaves no negative number, and batch normalisation should give many.

# %%
generator = torch.Generator().manual_seed(seed)
noise = torch.randn(4, 3, 32, 32, generator=generator)
reps = fs.capture(run.model, [noise], progress=False)
negative = float((reps["0.BatchNorm2d"] < 0).mean())
print(f"{100 * negative:.0f} % of the normalised values are negative")

# %% [markdown]
# More than half of the values are negative, so the layer was not overwritten.
#
# ## What becomes of a ship
#
# The authors show the image of a ship as each layer has it. They see the same four groups in these pictures as in the map. The images of CIFAR-10 are not part of this book, so we draw a ship of our own. The mean over the {term}`channels <channel>` of a layer is a picture again. We take it in the trained network, and in the same network before training.

# %%
networks = {"random": ResNet9(seed=seed).eval(), "trained": run.model}
relus = [name for name in names if name.endswith("ReLU")]
picture = ship()
seen = {s: channel_means(m, picture, relus) for s, m in networks.items()}

# %% [markdown]
# Here is the ship after each of the eight ReLUs.

# %% tags=["fig", "wide", "paper-R09", "hide-input"] mystnb={"image": {"alt": "A drawn ship after each of the eight ReLUs, as the mean over channels. In the random network sail and hull can be seen up to the fifth, 4.ReLU; in the trained one mast and hull up to the third, and hardly anything in the fifth. After the pooling, on 8 by 8 points, neither shows a ship."}, "figure": {"name": "fig-12-ship", "caption": "A drawn ship after each of the eight ReLUs. The trained network draws outlines where the random one keeps areas. Before training sail and hull can be seen until `4.ReLU`. After training hardly anything of the ship is left there."}}
viz.pictures(seen)

# %% [markdown]
# The authors write that the ship is nearly absent at `4.ReLU`. To our eye it is. But it would soon be gone without training too. In the random network the ship disappears one convolution later, after {term}`pooling` has shrunk the pictures to 8 by 8 points. So training removes the ship a little earlier, and pooling would remove it anyway.
#
# Do these pictures change where the map changes? The authors say so. [Going deeper: what the eye sees](12b-what-the-eye-sees.ipynb) puts numbers on it. The answer depends on which rule we choose for "looks alike".
#
# ## From layer to layer
#
# Figure 9 of the revised paper shows how far each layer is from the one before. A similarity such as {term}`CKA` is subtracted from 1, so that it becomes a distance.


# %%
def stepwise(state, measure, run=run):
    """Distance of each layer to the one before."""
    m = run.maps[f"{state}/mean/{measure}"]
    values = np.diag(m.values, k=1)
    return 1 - values if m.is_similarity else values


# %% tags=["remove-cell"]
PAPER = [name for name in ("2.ReLU", "4.Conv2d", "7.Conv2d") if name in names]
steps_drawn = viz.curves(
    {state: stepwise(state, "gw") for state in STATES},
    x=range(1, len(names)),
    xlabel="layer",
    ylabel="GW distance to the layer before",
)
ax = steps_drawn.axes[0]
labelled = [k for k, n in enumerate(names) if k == 1 or (k and "Norm" not in n)]
ax.set_xticks(labelled, [names[k] for k in labelled], rotation=90, fontsize=8)
for name in PAPER:
    ax.axvline(names.index(name), color=viz.GREY, lw=1, ls=":")
keep_figure("fig_in_short_12", steps_drawn)

# %% [markdown]
# {numref}`fig-12-in-short` at the top of this page draws these steps for GW. Two things can be seen:
#
# - **Both lines are saws.** They fall at every normalisation. The only exception is the first normalisation of the trained network. In the random network normalisation changes nothing, because it has not seen any data yet. In the trained network the later normalisations change little.
# - **No step stands far above all others**, neither at the three layers of the paper nor elsewhere. But the first step of the trained network is large for its kind: no other normalisation changes its input so much.
#
# The authors see changes at `2.ReLU`, `4.Conv2d` and `7.Conv2d`. We rank all steps, 1 for the largest. How special are the ranks of these three? We look at all choices of three layers. We report the share of choices whose mean rank is as near to 1 as theirs, or nearer. A small share means that the authors' three layers stand out.


# %% tags=["paper-R09"]
def stands_out(values):
    """Share of triples that rank as high as the paper's, or higher."""
    rank = stats.rankdata(-values)
    theirs = rank[[names.index(name) - 1 for name in PAPER]].mean()
    threes = np.array(list(combinations(rank, len(PAPER)))).mean(axis=1)
    return (threes <= theirs + 1e-9).mean()


columns = [(measure, state) for measure in MEASURES for state in STATES]
step_table = {c: stepwise(c[1], c[0]) for c in columns}
rank = {c: stats.rankdata(-values) for c, values in step_table.items()}
rank = pd.DataFrame(rank, index=names[1:])
share = pd.Series({c: stands_out(step_table[c]) for c in columns})

# %% tags=["remove-cell"]
note(stand_random=share["gw", "random"], stand_trained=share["gw", "trained"])
note(stand_cka=share["cka", "random"])

# %% [markdown]
# The next figure shows these shares.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "For each of six measures, the share of triples of layers that rank as high as the paper's three, in the random and in the trained network. Under every measure but MSID the share is smaller in the random network."}, "figure": {"name": "fig-12-triples", "caption": "How many choices of three layers rank as high as the three of the paper. Left means that the three layers stand out. Under all measures but MSID they stand out more in the random network than in the trained one."}}
viz.dots(
    share.unstack()[list(STATES)].loc[list(MEASURES)].rename(index=TITLES),
    xlabel="share of triples that rank as high or higher",
)

# %% [markdown]
# The ranks behind these shares are in this table.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-12-ranks", "caption": "Ranks of the three layers of the paper among all steps, 1 for the largest, and the share of triples that rank as high."}}
rank.loc[PAPER].T.astype(int).assign(share=share.round(3))

# %% [markdown]
# In the *random* network the three layers do stand out. There the share is {glue:text}`stand_random:.3f` under GW and {glue:text}`stand_cka:.3f` under CKA. In the trained network the share under GW is {glue:text}`stand_trained:.2f`.
#
# Why do these layers stand out, although nothing was learned in them? Two of the three change the shape of the data. At `4.Conv2d` the number of channels doubles. At `7.Conv2d` it is halved, and the rim of the pictures is cut off. So a large step can come from the architecture alone. After training these steps stand out less.
#
# The steps under all measures are in a table on the page that [goes deeper](12b-what-the-eye-sees.ipynb).
#
# ## All measures
#
# Figures 18 and 20 of the revised paper show {term}`layer maps <layer map>` under several measures. Here are ours, before and after training.

# %% tags=["fig", "wide", "paper-R18", "paper-R20", "hide-input"] mystnb={"image": {"alt": "Maps of 24 layers under six measures, for the random and for the trained network. In the trained network GW and RSM show bright first rows and else a fine pattern of single layers; RSA, CKA and MSID show two or three squares along the diagonal, cut at layers 16 and 22."}, "figure": {"name": "fig-12-maps", "caption": "Maps of the 24 layers under six measures, in the random and in the trained network. Bright means different. After training RSA, MSID and CKA show squares along the diagonal. GW and RSM show a first layer that is far from everything."}}
maps = {
    TITLES[measure]: {s: run.maps[f"{s}/mean/{measure}"] for s in STATES}
    for measure in MEASURES
}
viz.map_grid(maps)

# %% [markdown]
# The eye sees squares under {term}`RSA`, {term}`MSID` and CKA, and none under GW and {term}`RSM`. This is the opposite of what the authors report, who see groups under GW and not under other measures. But an eye sees squares easily. The next section tests them.
#
# ## Four sub-networks?
#
# We apply the test of [chapter 06](06-modular-sum-subnetworks.ipynb) to every map. It compares steps of the same kind: into a convolution, into a normalisation, into a ReLU. A test may be too strict. So we also force each map into four groups, by the best three boundaries. Then we count how many of these three are also the paper's.


# %%
def groups_of(m):
    """Groups by the test; boundaries if we force four groups."""
    tested = fs.partition(m, seed=seed)
    forced = fs.partition_into(m, min(4, len(names) // 2))
    start = [names[k] for k in tested.boundaries]
    cuts = [names[k] for k in forced.boundaries]
    return {
        "groups": tested.n_groups,
        "p": tested.p_value,
        "start at": ", ".join(start),
        "forced into four at": ", ".join(cuts),
        "of the paper's": len(set(PAPER) & set(cuts)),
    }


found = {c: groups_of(run.maps[f"{c[1]}/mean/{c[0]}"]) for c in columns}
found = pd.DataFrame(found).T.infer_objects()

# %% [markdown]
# First the trained network.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-12-trained", "caption": "The trained network under each measure: groups that the test finds, the p-value of the boundary, where the second group starts, and where the map is cut if we force four groups."}}
found.xs("trained", level=1).rename(index=TITLES).round(4)

# %% [markdown]
# Then the random one.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-12-random", "caption": "The same for the network before training. The test finds one group under every measure."}}
found.xs("random", level=1).rename(index=TITLES).round(4)

# %% tags=["remove-cell"]
gw = run.maps["trained/mean/gw"]
groups = fs.partition(gw, seed=seed)
for measure in ("gw", "cka", "rsm", "rsa", "msid"):
    row = found.loc[(measure, "trained")]
    note(**{f"blocks_{measure}": row["groups"], f"p_{measure}": row["p"]})
p_gw = found.loc[("gw", "trained"), "p"]
note(p_gw_words="p < 0.001" if p_gw < 0.001 else f"p = {p_gw:.3f}")
note(start_gw=found.loc[("gw", "trained"), "start at"] or "none")
note(effect_gw=max((c.effect for c in groups.boundary_changes), default=0.0))
alone = found.xs("trained", level=1)["start at"]
note(same_start=int((alone == alone["gw"]).sum()), n_measures=len(alone))
note(paper_cuts=found.loc[("gw", "trained"), "of the paper's"])
note(best_cuts=found.xs("trained", level=1)["of the paper's"].max())

# %% [markdown]
# Under GW the trained network has {glue:text}`blocks_gw:d` groups ({glue:text}`p_gw_words`). The second group starts at {glue:text}`start_gw`, so the first convolution stands alone. The step into the first normalisation is large. It is {glue:text}`effect_gw:.1f` times the larger of the next two steps into a normalisation. Under {glue:text}`same_start:d` of {glue:text}`n_measures:d` measures the test finds this boundary, and only this one. Before training none of them finds a boundary.
#
# The test does not find the four sub-networks of the paper under any measure. If we force four groups under GW, we get three boundaries. Of these, {glue:text}`paper_cuts:d` is also in the paper, the one at `7.Conv2d`.
#
# Explore the map under GW. Point at a cell, or use the arrow keys, to read the pair of layers and its distance.

# %% tags=["widget", "hide-input"]
explorer(
    gw,
    "Map of ResNet-9, trained, under GW; the first layer stands apart.",
    groups,
)

# %% [markdown]
# Why is the boundary there? Our guess is that the channels are the reason. The output of a convolution has channels of very different size, and normalisation makes them equal. Later convolutions read channels that are already equal, so their outputs would differ less in size. Then the boundary would be a change in the {term}`scale` of single channels. The map divides the whole layer by *one* number, which does not remove it. We did not test this.
#
# ## Function, or shape?
#
# At four places the layers change their shape.
#
# - At `1.Conv2d` the pictures are halved and the channels doubled.
# - At `4.Conv2d` the channels are doubled again.
# - Before `5.Conv2d` the pictures are halved again.
# - At `7.Conv2d` the pictures lose their rim and half of their channels.
#
# When the shape of a layer changes, its cloud of points changes as well, whatever the layer computes. So we need a {term}`null`, a map of layers that change their shape and nothing else. We take two of them. The first replaces every layer by a {term}`surrogate`: a Gaussian cloud of the same spectrum, the variances along its principal axes. The second is for layers *by channels*, in which each channel is replaced by its mean over the picture. This null projects the first layer at random to as many channels as each layer has.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Four GW maps. Left: the trained network, with layers taken whole and by channels. Right: Gaussian clouds of the same spectra, and random projections to the same widths. The first row is bright in the trained network and in the clouds of the same spectra, and not in the random projections."}, "figure": {"name": "fig-12-nulls", "caption": "The trained network (left) and what shape alone makes (right), under GW. Above, layers are taken whole, and the null shares only the spectrum with each layer. Below, layers are taken by channels, and the null shares only their number. Each row has its own colours. The spectrum alone already sets the first layer apart; the width alone does not."}}
nulls = {
    "trained": run.maps["trained/mean/gw"],
    "same spectra": run.maps["twins/mean/gw"],
    "by channels": run.maps["trained-channels/mean/gw"],
    "same widths": run.maps["width/mean/gw"],
}
maps = list(nulls.values())
viz.map_grid(
    {
        "whole layers": {"trained": maps[0], "shape alone": maps[1]},
        "by channels": {"trained": maps[2], "shape alone": maps[3]},
    }
)

# %% [markdown]
# What does the test find in these four maps, and how much do they agree?

# %% mystnb={"figure": {"name": "tab-12-nulls", "caption": "Groups that the test finds in each of the four maps, the p-value, and the rank correlation of its distances with those of the trained network."}}
inner = np.triu_indices(len(names), k=1)
rows = {}
for name, m in nulls.items():
    p = fs.partition(m, seed=seed)
    like = stats.spearmanr(m.values[inner], gw.values[inner]).statistic
    rows[name] = [p.n_groups, p.p_value, like]
rows = pd.DataFrame(rows, index=["groups", "p", "agreement with trained"]).T
rows.round(2).astype({"groups": int})

# %% tags=["remove-cell"]
like = rows["agreement with trained"]
first_rows = {name: m.values[0, 1:].mean() for name, m in nulls.items()}
note(first_trained=first_rows["trained"])
note(first_spectrum=first_rows["same spectra"])
note(like_spectrum=like["same spectra"], like_channels=like["by channels"])
note(like_width=like["same widths"])

# %% [markdown]
# The test finds no boundary in either null. But this does not settle the matter. The first null shows the same bright first row ({numref}`fig-12-nulls`). On average its first layer is at {glue:text}`first_spectrum:.2f` from the others, and in the trained network at {glue:text}`first_trained:.2f`. So the spectrum of the first convolution is enough to set it this far apart.
#
# The random clouds differ from the layers in one more way. They are drawn independently, so each normalisation is a step like any other. In the trained network all normalisations are small steps, except the first. This is why the test sees a boundary there.
#
# Spectra explain the rest of the map only in part. The {term}`rank correlation` of the trained map and that of the clouds is {glue:text}`like_spectrum:.2f`. Between the trained map and the map of widths alone it is {glue:text}`like_width:.2f`. Between the trained maps of whole layers and of layers by channels it is {glue:text}`like_channels:.2f`, so this choice changes the map less than either null does.
#
# ## What the layers hold
#
# The authors write that early layers hold local statistics and late ones the class. We ask each layer by a readout, a linear {term}`probe <linear probe>` on the means over the four quarters of the picture. It reads the class, and two local things. *Colour* is how much more red than blue there is in the upper left quarter. *Edges* says whether the edges in this quarter are mostly vertical or horizontal. The readouts are fitted on {glue:text}`n_learned:d` training images and judged on {glue:text}`n_read:d` test images.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Readouts along the 24 layers, before and after training. Class: rises from 0.35 to 0.82 in the trained network and stays below 0.5 in the random one. Colour: falls to 0.73 in the trained network and stays near 1 in the random one. Edges: both jump to 0.8 at the first ReLU; the trained network falls to 0.64, the random one to 0.29."}, "figure": {"name": "fig-12-readouts", "caption": "What can be read from each layer: accuracy of the class, and explained variance (R²) of colour and edges, negative values drawn as 0. The first ReLU makes class and edges easier to read. In later layers training makes the class readable by degrees, gives up colour, and keeps edges that the random network loses."}}
fig, axes = plt.subplots(
    1, 3, figsize=(6.4, 2.6), dpi=110, layout="constrained", sharey=True
)
plt.close(fig)
titles = {
    "class": "class (accuracy)",
    "colour": "colour (R²)",
    "edges": "edges (R²)",
}
lines = {"random": ("-", viz.BLUE), "trained": ("--", viz.ORANGE)}
for ax, target in zip(axes, titles, strict=True):
    for state, scores in zip(STATES, run.readouts, strict=True):
        line, colour = lines[state]
        values = np.maximum(scores[list(run.targets).index(target)], 0)
        layers = range(1, len(names) + 1)
        ax.plot(layers, values, line, color=colour, lw=2, label=state)
    ax.set_title(titles[target], fontsize=9)
    ax.set(xlabel="layer", ylim=(0, 1.03))
    ax.grid(alpha=0.3)
axes[0].legend(frameon=False, fontsize=8, loc="lower right")
fig

# %% [markdown]
# The numbers after each ReLU are in this table.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-12-readouts", "caption": "The same after each ReLU, in numbers."}}
ends = [k for k, name in enumerate(names) if name.endswith("ReLU")]
readouts = pd.DataFrame(
    run.readouts[:, :, ends].reshape(6, -1).T,
    index=[names[k] for k in ends],
    columns=pd.MultiIndex.from_product([STATES, run.targets]),
)
readouts.round(2)

# %% tags=["remove-cell"]
told = run.record.parameters
note(n_learned=told["n_learned"], n_read=told["n_read"])
first, last = readouts["trained", "class"].iloc[[0, -1]]
error = np.sqrt((first * (1 - first) + last * (1 - last)) / told["n_read"])
note(class_first=first, class_last=last, gain_class=last - first)
note(gain_from=last - first - 1.96 * error, gain_to=last - first + 1.96 * error)
for column in readouts:
    ends_of = zip("ab", readouts[column].iloc[[0, -1]], strict=True)
    note(**{f"{column[1]}_{column[0]}_{k}": value for k, value in ends_of})
note(class_random=run.readouts[0, 0].max())

# %% [markdown]
# **The class** is read better and better, from {glue:text}`class_first:.2f` at the first ReLU to {glue:text}`class_last:.2f` at the last. The gain is {glue:text}`gain_class:.2f`. Its {term}`interval` (95 %) goes from {glue:text}`gain_from:.2f` to {glue:text}`gain_to:.2f`. (The interval treats the two accuracies as independent. If anything, this makes it too wide.) Without training the class is read with at most {glue:text}`class_random:.2f`. From the first ReLU on, the trained network makes it readable little by little, and not at a boundary.
#
# **Colour** becomes harder to read. The score falls to {glue:text}`colour_trained_b:.2f` in the trained network, and to {glue:text}`colour_random_b:.2f` in the random one. So training gives colour up.
#
# **Edges** become harder to read in the trained network too, but only in its late layers. The score falls from {glue:text}`edges_trained_a:.2f` at the first ReLU to {glue:text}`edges_trained_b:.2f` at the last. Without training the score falls from {glue:text}`edges_random_a:.2f` to {glue:text}`edges_random_b:.2f`. Here training *keeps* what untrained layers would have lost.
#
# ## Longer training, other seeds
#
# Is all this an accident of one network? Two more learned the images from other seeds, for {glue:text}`longer_epochs:d` epochs, as many as the authors' recipe has. Their weights are not stored.
#
# What would count was written down before. The claim agrees if both have four groups by the test under GW, and if in both the three layers stand out after training, with a share of at most 5 %. "It disagrees if neither has; else it is undecided", says our rule.
#
# All three networks, before and after training:


# %% mystnb={"figure": {"name": "tab-12-seeds", "caption": "Three networks, by their seeds. Groups are those that the test finds, with the layers at which the later ones start. *Share* is the share of triples of layers that rank as high as the three of the paper. *Class read* is the accuracy of the readout after the last ReLU."}}
def summary(one):
    """A network in one column."""
    right = one.curves["test_accuracy"]
    accuracy = round(100 * right[-1], 1)
    column = {"epochs": len(right), "accuracy (%)": accuracy}
    for s in STATES:
        for measure in ("gw", "cka"):
            answer = groups_of(one.maps[f"{s}/mean/{measure}"])
            column[f"{s}: groups, {TITLES[measure]}"] = answer["groups"]
            if measure == "gw":
                column[f"{s}: they start at"] = answer["start at"] or "-"
        share = stands_out(stepwise(s, "gw", one))
        column[f"{s}: share, GW"] = round(float(share), 3)
    column["trained: class read"] = round(one.readouts[1, 0, ends[-1]], 2)
    return column


runs = {seed: run}
runs |= {s: resnet9.load(profile, s, resnet9.LONGER) for s in (1, 2)}
seeds = {f"seed {s}": summary(one) for s, one in runs.items()}
seeds = pd.DataFrame(seeds)
seeds

# %% tags=["remove-cell"]
words = "{}, {} and {}".format
note(longer_epochs=int(seeds.loc["epochs"].iloc[1:].min()))
note(accuracy_from=float(seeds.loc["accuracy (%)"].min()))
note(accuracy_to=float(seeds.loc["accuracy (%)"].max()))
note(groups_words=words(*seeds.loc["trained: groups, GW"]))
note(cka_words=words(*seeds.loc["trained: groups, CKA"]))
for s, column in zip(runs, seeds, strict=True):
    for state in STATES:
        note(**{f"share_{state}_{s}": seeds.loc[f"{state}: share, GW", column]})
note(random_groups=int(seeds.loc["random: groups, GW", "seed 2"]))
note(random_starts=seeds.loc["random: they start at", "seed 2"])

# %% [markdown]
# The rule does not say whether "has" means the groups or the layers, so we judge each alone.
#
# **Four groups?** Neither of the two networks has them. Seed 1 has one group. Seed 2 has two: the first convolution is apart, as in the first network. So our networks disagree with the claim.
#
# **The three layers?** After training they stand out in seed 2 ({glue:text}`share_trained_2:.3f`), but not in seed 1 ({glue:text}`share_trained_1:.3f`). We leave this part undecided. In all three networks these layers stand out more *before* training.
#
# **A warning.** In seed 2 the test finds {glue:text}`random_groups:d` groups before training. The second and third start at {glue:text}`random_starts`. Nothing was learned there, so no function can be the reason.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C34: under GW a trained ResNet-9 has four sub-networks (reviews, Figure 18) | ours | disagrees in three networks on fewer images; the test may have missed them | {glue:text}`groups_words` groups; accuracy at most {glue:text}`accuracy_to:.1f` %, the authors' has 91.63 % |
# | C34: they change at `2.ReLU`, `4.Conv2d` and `7.Conv2d` (Figure 9) | ours | undecided: these steps stand out before training in all three networks, after it in one | share of triples that rank as high: {glue:text}`share_random_0:.3f`, {glue:text}`share_random_1:.3f` and {glue:text}`share_random_2:.3f` random, {glue:text}`share_trained_0:.3f`, {glue:text}`share_trained_1:.3f` and {glue:text}`share_trained_2:.3f` trained |
# | C34: other measures do not find them | ours | agrees in the first network: no measure has all three boundaries | {glue:text}`blocks_rsm:d`, {glue:text}`blocks_rsa:d`, {glue:text}`blocks_cka:d` and {glue:text}`blocks_msid:d` groups under RSM, RSA, CKA and MSID; at most {glue:text}`best_cuts:d` of the paper's three boundaries under any measure |
# | C33: on images GW shows sub-networks more clearly than RSM, RSA, CKA and MSID (reviews) | ours | disagrees on these networks | {glue:text}`groups_words` groups under GW, {glue:text}`cka_words` under CKA |
# | C35: early blocks hold local statistics (reviews) | ours | agrees; without training edges are lost even more | colour {glue:text}`colour_trained_a:.2f` to {glue:text}`colour_trained_b:.2f`, edges {glue:text}`edges_trained_a:.2f` to {glue:text}`edges_trained_b:.2f`; untrained {glue:text}`edges_random_a:.2f` to {glue:text}`edges_random_b:.2f` |
# | C35: late ones the class | ours | agrees, by degrees | {glue:text}`class_first:.2f` to {glue:text}`class_last:.2f`, gain {glue:text}`gain_class:.2f` [{glue:text}`gain_from:.2f`, {glue:text}`gain_to:.2f`] |
# | D07: other architectures and other kinds of data? | - | open: three networks of one architecture | {glue:text}`groups_words` groups under GW |
# | D05: CKA looks the same; what is gained? | - | open: by the test they find as many groups here | {glue:text}`cka_words` groups under CKA, {glue:text}`groups_words` under GW |
#
# Three more parts of claim C34 are about what the eye sees and about {term}`AGW`. They are answered on the [page that goes deeper](12b-what-the-eye-sees.ipynb).
#
# These are three networks of one architecture. They were trained on less than half of the images, and they answer less well than the authors' own. So no row tests the paper's own condition. If a boundary appears only with more images, our networks cannot show it.
#
# **Before you call a step in a map a boundary of function**: look at the same network before training, and at where its shapes change.
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
# To read again: [A network of convolutions](#a-network-of-convolutions)
#
# **2. A map has a boundary where the image is halved. Is it a boundary of function?**
#
# <details><summary>a. Yes: halving is what the layer does.</summary>No: halving changes the spectrum, and with it the distances, whatever the layer computes.</details>
# <details><summary>b. No: shapes are never functions.</summary>No: it may be both. The map alone does not say.</details>
# <details><summary>c. First ask whether a cloud of the same spectrum, or a random network, has it too.</summary>Right.</details>
#
# To read again: [Function, or shape?](#function-or-shape)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} A number for each channel
# :label: ex-12-places
#
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* Write `over_places(layer)`: from what a convolution returns, (n, c, h, w), the mean of each channel over the image, (n, c).
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
# :::{exercise} Something local
# :label: ex-12-red
#
# *Difficulty 1 of 4, importance 3 of 5, 5 minutes.* Write `redness(images)`: from bytes (n, 32, 32, 3) the mean of red in the upper left quarter of each image, (n,).
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
# :::{exercise} The same distances in few numbers
# :label: ex-12-few
#
# *Difficulty 3 of 4, importance 5 of 5, 15 minutes.* 300 images are 300 points, in a layer of 65,536 numbers. Write `few_numbers(x)`: for points (n, d) other points with at most n numbers each that have the same distances.
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
# :::{exercise} Predict the largest step before training
# :label: ex-12-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 20 minutes.* Build a convolutional network of 4 to 12 modules for images (n, 1, 8, 8), as `own_network()`, an `nn.Sequential`. It is not trained. Between which neighbours will the Gromov-Wasserstein distance be largest? Write the name of the later one, such as `"3"`, into `predicted()`. Only then write `steps(model, images)`: the distance from each module to the next, of whole outputs divided by their mean distance, as a dictionary from the name of the later module. Then compare. What would you have said of this step in a trained network?
#
# ```{dropdown} Hint 1
# `fs.capture(model, [images])` flattens if no `pool` is given. The steps lie beside the diagonal of the map.
# ```
# ```{dropdown} Hint 2
# `np.diag(fs.compare(reps).values, k=1)`, and `list(reps)[1:]` for the names.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Name of the module into which the step is largest."""
    return "3"


def own_network():
    """A network of 4 to 12 modules."""
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(inplace=True),
    )


def steps(model, images):
    """Distance of each module from the one before it, by name."""
    reps = fs.capture(model, [images])
    values = np.diag(fs.compare(reps).values, k=1)
    return dict(zip(list(reps)[1:], values, strict=True))


check.predicted(predicted, own_network, steps)

# %% [markdown]
# ## Where the stored results come from
#
# The networks were trained and their maps were computed before this page was run. We compute a part of the first network's trained GW map again, from its stored layers. The largest difference is {glue:text}`replay:.1g`. Layers are stored in half precision, and the search has become better since. The next cell shows the record.

# %% tags=["hide-cell"]
some = list(names[::5])
again = fs.compare(run.layers.select(some), progress=False).to_frame()
gap = (again - gw.to_frame().loc[some, some]).abs().max(axis=None)
note(replay=float(gap))
print(*(one.origin for one in runs.values()), sep="\n")

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
