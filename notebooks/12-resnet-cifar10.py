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
# # 12 ResNet-9 on CIFAR-10
#
# Is it the same in a network of another kind, on data of another kind? Until now all networks were transformers that read texts or numbers. The reviewers asked this, and the authors answered with a small residual network on pictures: under the Gromov-Wasserstein distance, they write,
# it falls into four sub-networks, with changes at three named layers, which one also sees in the pictures of its activations, and which other measures do not show. This chapter trains the same architecture, and
# asks each of these things for a number.
#
# **What is smaller here.** The architecture is theirs {cite:p}`park2023trak`. The data are 20,000 of the 50,000 training pictures of CIFAR-10 {cite:p}`krizhevsky2009learning`, and it is trained for {glue:text}`n_epochs:d` epochs, from one seed. It reaches
# {glue:text}`accuracy:.1f` % on test pictures, where the authors' reaches 91.63 %.
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
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import torch
from scipy import stats

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_12 as check
from funcsim import viz
from funcsim.viz.interactive import explorer
from replication.data.images import Images
from replication.models.resnet import ResNet9
from replication.vision import resnet9
from replication.vision.maps import MEASURES

# %% [markdown]
# ## The network
#
# Eight convolutions, each followed by batch normalisation and a ReLU; in two places what went into a pair of steps is added to what comes out of it; two poolings. The 24 layers are named as the authors name them: the number of the
# convolution, counted from 0, and the kind.

# %%
run = resnet9.load(profile, seed)
print(run.origin)
names = run.layers.names
note(n_epochs=len(run.curves["test_accuracy"]))
note(accuracy=100 * run.curves["test_accuracy"][-1])
note(train_loss=run.curves["train_loss"][-1], test_loss=run.curves["test_loss"][-1])
list(names[:4])

# %% [markdown]
# The ReLU of this network writes its result over what it was given. Who keeps the tensor that batch normalisation returned finds the ReLU's values in it later, and compares a layer with itself without noticing. `fs.capture` copies at once. If it did not, no number in a normalised layer could be negative:

# %%
noise = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(seed))
reps = fs.capture(run.model, [noise], progress=False)
negative = float((reps["0.BatchNorm2d"] < 0).mean())
print(f"{100 * negative:.0f} % of the normalised values are negative")

# %% [markdown]
# Most of them are below zero, as they should be: none was overwritten.
#
# Accuracy on the test pictures, epoch by epoch:

# %% tags=["fig"] mystnb={"image": {"alt": "Test accuracy over 16 epochs: from 35 % it rises to about 75 %, falls back twice on the way while the learning rate is high, and ends at 84 % when it has gone to nothing."}}
viz.curves(
    {"test accuracy (%)": 100 * run.curves["test_accuracy"]},
    xlabel="epoch",
    ylabel="test accuracy (%)",
)

# %% [markdown]
# The rate rises for a fifth of the training and then falls to nothing. While it is high accuracy goes up and down; the last points come when it is small. On the pictures that it learned from, the loss at the end is {glue:text}`train_loss:.2f`, on test pictures {glue:text}`test_loss:.2f`: it knows its training pictures nearly by heart.
#
# ## What it looks like inside
#
# The authors show a picture of a ship as each layer has it, and read the same groups from these as from the map. Pictures of the data set are not part of this book, so we draw a ship: a hull, a mast and a sail on water.


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
# The mean over the channels of a layer is a picture again. For the trained and for the random network, and with the mirrored ship beside it, because `fs.capture` wants at least two inputs:

# %%
both = np.stack([ship(), ship()[:, ::-1]])
boats = Images(both, np.array([8, 8]), "drawings").tensor()
networks = {"random": ResNet9(seed=seed).eval(), "trained": run.model}


def pictures(model):
    """The mean over channels of every layer, one square picture each."""
    flat = fs.capture(
        model, [boats], names, lambda x: x.mean(1).flatten(1), progress=False
    )
    side = {name: round(len(row[0]) ** 0.5) for name, row in flat.items()}
    return {name: row[0].reshape(side[name], -1) for name, row in flat.items()}


# %% [markdown]
# The last layer of each of the eight steps:

# %% tags=["fig", "wide", "paper-R09"] mystnb={"image": {"alt": "A drawn ship after each of the eight steps, as the mean over channels. In the random network sail and hull can be seen up to the fifth step, 4.ReLU; in the trained one mast and hull up to the third, and hardly anything in the fifth. After the pooling, on 8 by 8 points, neither shows a ship."}}
seen = {state: pictures(model) for state, model in networks.items()}
shown = [name for name in names if name.endswith("ReLU")]
viz.pictures({state: {name: seen[state][name] for name in shown} for state in seen})

# %% [markdown]
# The trained network draws outlines where the random one keeps areas. By `4.ReLU` hardly anything of the ship is left in the trained network, as the authors say. The random one still shows sail and hull there, and loses them where the pictures shrink to 8 by 8 points. So training takes a part of the ship away, and the pooling the rest.
#
# ## From layer to layer
#
# Figure 9 of the revised paper has the distance of each layer to the one before, under every measure. Similarities are turned into distances, and each column is divided by its mean, so that columns can be compared:


# %%
def stepwise(what, measure):
    """Distance of each layer to the one before."""
    m = run.maps[f"{what}/mean/{measure}"]
    values = np.diag(m.values, k=1)
    return 1 - values if m.is_similarity else values


# %% [markdown]
# One row for each layer:

# %% tags=["paper-R09"]
STATES = ("random", "trained")
table = {
    (measure, state): stepwise(state, measure) / stepwise(state, measure).mean()
    for measure in MEASURES
    for state in STATES
}
table = pd.DataFrame(table, index=names[1:])
table.round(2)

# %% [markdown]
# Under GW, the two networks as lines:

# %% tags=["fig", "paper-R09"] mystnb={"image": {"alt": "GW distance of each layer to the one before, in the random and in the trained network: both lines go up and down in threes, with a step of nearly nothing at every normalisation, and have no plateau and no single peak."}}
viz.curves(
    {state: stepwise(state, "gw") for state in STATES},
    x=range(2, len(names) + 1),
    xlabel="layer",
    ylabel="GW distance to the layer before",
)

# %% [markdown]
# Three things can be read here. In the random network normalisation changes nothing at all, since it has not seen a batch yet; in the trained one it changes little, except for the first. The columns of GW and of RSM, which compares distances input by input, are the same to two digits before training and nearly the same after it: from one layer to the next the search finds little better than to leave
# each picture with itself. And both lines are saws: no step stands far above all others.
#
# AGW couples features as well as pictures, and whole layers have too many of them; so it is taken by channels, the mean over the picture. The authors write that it shows changes in the final few layers only. Its steps, over their mean:

# %%
agw = np.diag(run.maps["trained-channels/mean/agw"].values, k=1)
agw = pd.Series(agw / agw.mean(), names[1:], name="AGW, by channels")
note(agw_late=agw.iloc[-6:].mean(), agw_largest=agw.max())
agw.nlargest(5).to_frame().round(2)

# %% [markdown]
# The last six steps are {glue:text}`agw_late:.2f` of the mean; the largest, {glue:text}`agw_largest:.2f` of it, is in the middle of the network.
#
# Do the paper's three layers, `2.ReLU`, `4.Conv2d` and `7.Conv2d`, stand out? Their ranks among all steps, 1 for the largest, and the share of all choices of three layers that rank as high or higher on average:

# %%
PAPER = [name for name in ("2.ReLU", "4.Conv2d", "7.Conv2d") if name in names]
rank = {column: stats.rankdata(-table[column]) for column in table}
rank = pd.DataFrame(rank, index=names[1:])
ours = rank.loc[PAPER].mean()
threes = [list(c) for c in combinations(range(len(rank)), len(PAPER))]
means = np.stack([rank.to_numpy()[c].mean(axis=0) for c in threes])
share = pd.Series((means <= ours.to_numpy() + 1e-9).mean(axis=0), rank.columns)
note(stand_random=share["gw", "random"], stand_trained=share["gw", "trained"])
note(stand_cka=share["cka", "random"])
rank.loc[PAPER].T.astype(int).assign(share=share.round(3))

# %% [markdown]
# In the *random* network they do: {glue:text}`stand_random:.3f` of all triples rank as high under GW, {glue:text}`stand_cka:.3f` under CKA. In the trained network it is {glue:text}`stand_trained:.2f` under GW. So two of the three layers are places where distances jump before anything was learned: the channels are doubled at `4.Conv2d`, and halved at
# `7.Conv2d`, which also cuts off the rim. After training they stand out less.
#
# Does the map agree with the eye? A number for the eye: the correlation of the pixels of a picture with those of the one before, when both are brought to the same size. A picture and its negative look alike, so its sign is left out; and so are the normalisations, which change nothing.


# %%
def alike(one, other):
    """Correlation of two pictures, brought to one size."""
    side = min(len(one), len(other))
    shrink = torch.nn.functional.adaptive_avg_pool2d
    small = [shrink(torch.tensor(x)[None], side).flatten() for x in (one, other)]
    return np.corrcoef(*(x.numpy() for x in small))[0, 1]


real = [k for k, name in enumerate(names[1:]) if "Norm" not in name]


def to_the_eye(state, sign=abs):
    """How much each picture differs from the one before."""
    images = [seen[state][name] for name in names]
    return np.array([1 - sign(alike(*pair)) for pair in pairwise(images)])[real]


# %% [markdown]
# By the same rule, how much of the ship itself is left: the correlation of its brightness with the last picture of each step.

# %%
bright = ship().mean(axis=-1)
shape_left = {
    state: {name: abs(alike(bright, seen[state][name])) for name in shown}
    for state in STATES
}
shape_left = pd.DataFrame(shape_left)
for state in STATES:
    note(**{f"before_{state}": shape_left[state].iloc[:4].mean()})
    note(**{f"from_4_{state}": shape_left[state].iloc[4:].mean()})
shape_left.round(2)

# %% [markdown]
# By this number the ship is hardly there in any layer: {glue:text}`before_trained:.2f` in the first four steps of the trained network, {glue:text}`from_4_trained:.2f` in the others ({glue:text}`before_random:.2f` and {glue:text}`from_4_random:.2f` in the random one). A network that draws outlines does not paint areas; our eye forgives that, and the correlation does not. So "nearly absent" stays a matter of looking.
#
# The rank correlation of the eye's steps with those of every measure:


# %%
eye = {state: to_the_eye(state) for state in STATES}


def agreement(state, measure, rows=slice(None)):
    """Rank correlation of the eye's steps and a measure's."""
    step = stepwise(state, measure)[real]
    return stats.spearmanr(eye[state][rows], step[rows]).statistic


agree = {s: {m: agreement(s, m) for m in MEASURES} for s in STATES}
note(eye_gw=agree["trained"]["gw"], eye_rsm=agree["trained"]["rsm"])
note(eye_cka=agree["trained"]["cka"])
pd.DataFrame(agree).round(2)

# %% [markdown]
# For the trained network GW is first, as the authors say. With {glue:text}`n_steps:d` steps and one picture, is that more than luck? We draw the steps again with replacement, and look at GW less RSM and GW less CKA:

# %%
rng = np.random.default_rng(seed)
draws = rng.integers(0, len(real), (500, len(real)))
draws = [d for d in draws if len(set(d)) > 2]  # fewer have no ranks
lead = {}
for other in ("rsm", "cka"):
    gaps = [
        agreement("trained", "gw", d) - agreement("trained", other, d)
        for d in draws
    ]
    lead[other] = np.nanquantile(gaps, [0.025, 0.975])
note(n_steps=len(real), over_rsm_from=lead["rsm"][0], over_rsm_to=lead["rsm"][1])
note(over_cka_from=lead["cka"][0], over_cka_to=lead["cka"][1])
pd.DataFrame(lead, index=["from", "to"]).T.round(2)

# %% [markdown]
# GW minus RSM lies between {glue:text}`over_rsm_from:.2f` and {glue:text}`over_rsm_to:.2f`, GW minus CKA between {glue:text}`over_cka_from:.2f` and {glue:text}`over_cka_to:.2f`. And our rule for the eye is one of several. The same with the sign, so that a picture and its negative are as unlike as can be:

# %%
signed = to_the_eye("trained", sign=float)
signed = {
    m: stats.spearmanr(signed, stepwise("trained", m)[real])[0] for m in MEASURES
}
note(signed_gw=signed["gw"], signed_cka=signed["cka"])
pd.Series(signed, name="with the sign").to_frame().round(2)

# %% [markdown]
# Now GW has {glue:text}`signed_gw:.2f` and CKA {glue:text}`signed_cka:.2f`. Who looks at such pictures must first say what counts as alike, and the order of the measures depends on that.
#
# ## Maps
#
# All measures (Figures 18 and 20), the random network on the left, the trained one on the right:

# %% tags=["fig", "paper-R18", "paper-R20"] mystnb={"image": {"alt": "Maps of 24 layers under six measures, for the random and for the trained network. Trained, GW and RSM show bright first rows and a grain of single layers; RSA, CKA and MSID show two or three squares along the diagonal, cut at layers 16 and 22."}}
viz.map_grid(
    {
        m: {state: run.maps[f"{state}/mean/{m}"] for state in STATES}
        for m in MEASURES
    }
)

# %% [markdown]
# To the eye there are squares along the diagonal under RSA, MSID and CKA, and none under GW and RSM, which see a trained network whose first layer is far from everything and whose other layers are each at some distance. The test below agrees for MSID and CKA, not for RSA.
#
# By how much does the search for a coupling lower the distance that RSM has, over all pairs of layers?

# %%
inner = np.triu_indices(len(names), k=1)
searched = {}
for state in STATES:
    values = {m: run.maps[f"{state}/mean/{m}"].values[inner] for m in ("gw", "rsm")}
    searched[state] = 1 - values["gw"].mean() / values["rsm"].mean()
note(
    searched_random=100 * searched["random"],
    searched_trained=100 * searched["trained"],
)
pd.Series(searched, name="lowered by").to_frame().round(3)

# %% [markdown]
# In the random network by {glue:text}`searched_random:.0f` %: there GW is RSM. In the trained one by {glue:text}`searched_trained:.0f` %: between distant layers another match of pictures fits better than each with itself, as in [chapter 02](02-gromov-wasserstein.ipynb).
#
# The trained network under GW, with a part of the map computed again from the stored layers:

# %%
gw = run.maps["trained/mean/gw"]
some = list(names[::5])
again = fs.compare(run.layers.select(some), progress=False).to_frame()
gap = (again - gw.to_frame().loc[some, some]).abs().max(axis=None)
note(replay=float(gap))
groups = fs.partition(gw, seed=seed)
explorer(
    gw,
    "Map of ResNet-9, trained, under GW; the first convolution stands apart.",
    groups,
)

# %% [markdown]
# The largest difference of the part that was computed again is {glue:text}`replay:.0e`; layers are stored in half precision, and the search has become better since.
#
# ## Four sub-networks?
#
# For every measure: how many groups the test of [chapter 06](06-modular-sum-subnetworks.ipynb) finds, and where they start. Steps are compared with their like: into a convolution, into a normalisation, into a ReLU. And since a test may be too strict, where the map is cut if we insist on four groups, and how many of these three cuts are the paper's.

# %%
found = {}
for key in [(measure, state) for measure in MEASURES for state in STATES]:
    m = run.maps[f"{key[1]}/mean/{key[0]}"]
    p, four = (
        fs.partition(m, seed=seed),
        fs.partition_into(m, min(4, len(names) // 2)),
    )
    start, cuts = ([names[k] for k in q.boundaries] for q in (p, four))
    told = [p.n_groups, p.p_value, ", ".join(start), ", ".join(cuts)]
    found[key] = [*told, len(set(PAPER) & set(cuts))]
columns = ["groups", "p", "start at", "cut into four at", "of the paper's"]
found = pd.DataFrame.from_dict(found, orient="index", columns=columns)
found.index = pd.MultiIndex.from_tuples(found.index)
found.round(3)

# %% [markdown]
# Keep what the text below says of it:

# %%
for measure in ("gw", "cka", "rsm", "rsa", "msid"):
    row = found.loc[(measure, "trained")]
    note(**{f"blocks_{measure}": row["groups"], f"p_{measure}": row["p"]})
p_gw = found.loc[("gw", "trained"), "p"]
note(p_gw_words="$p$ < 0.001" if p_gw < 0.001 else f"$p$ = {p_gw:.3f}")
note(start_gw=found.loc[("gw", "trained"), "start at"] or "none")
note(effect_gw=max((c.effect for c in groups.boundary_changes), default=0.0))
alone = found.xs("trained", level=1)["start at"]
note(same_start=int((alone == alone["gw"]).sum()), n_measures=len(alone))
note(paper_cuts=found.loc[("gw", "trained"), "of the paper's"])
note(best_cuts=found.xs("trained", level=1)["of the paper's"].max())

# %% [markdown]
# Under GW the trained network has {glue:text}`blocks_gw:d` groups, with {glue:text}`p_gw_words`. A new one starts at {glue:text}`start_gw`: the first convolution stands apart. The step from it to its batch normalisation is {glue:text}`effect_gw:.1f` times
# as large as the next step of this kind. {glue:text}`same_start:d` of the {glue:text}`n_measures:d` measures find this boundary and no other, and none of them finds it before training. The four sub-networks of the paper are not among the answers. Told to make four, GW has {glue:text}`paper_cuts:d` of the paper's three boundaries.
#
# Why there? What a convolution returns has channels of very different spread, and normalisation makes them equal. Later convolutions read channels that are alike already. So this is a change of scale inside the layer, and dividing the layer by *one* number does not undo it.
#
# ## Borders of function, or of shape?
#
# At four places the shape of the layers changes: at `1.Conv2d` the pictures are halved and the channels doubled, at `4.Conv2d` the channels are doubled again, before `5.Conv2d` the pictures are halved again, and at `7.Conv2d` they lose their rim and half of their channels. A layer of another shape is another cloud, whatever it computes. Two nulls: a surrogate, which is a Gaussian cloud of
# the same spectrum in place of every layer; and, for layers taken by channels, the first layer, projected at random to as many channels as each layer has.

# %%
nulls = {
    "trained": run.maps["trained/mean/gw"],
    "spectrum only": run.maps["twins/mean/gw"],
    "trained, by channels": run.maps["trained-channels/mean/gw"],
    "width only, by channels": run.maps["width/mean/gw"],
}
rows = {}
for name, m in nulls.items():
    p = fs.partition(m, seed=seed)
    like = stats.spearmanr(m.values[inner], gw.values[inner]).statistic
    rows[name] = [p.n_groups, p.p_value, like]
rows = pd.DataFrame(rows, index=["groups", "p", "agreement with trained"]).T
note(
    like_spectrum=rows.iloc[1, 2],
    like_channels=rows.iloc[2, 2],
    like_width=rows.iloc[3, 2],
)
rows.round(2)

# %% [markdown]
# Neither null has a boundary: the one of the trained network is not made by spectra or widths alone. What the map has besides, clouds of the same spectrum have in part: their distances agree with the trained ones with a rank correlation of {glue:text}`like_spectrum:.2f`, those of the widths alone with {glue:text}`like_width:.2f`. Whether layers are taken whole or by channels matters less ({glue:text}`like_channels:.2f`).
#
# ## What the layers know
#
# "Early blocks hold local statistics, late ones the class." From the means over the four quarters of the picture in every layer, a linear readout of the class, and of two things that are local: how much more red than blue there is in the upper left quarter, and whether its edges stand or
# lie. Fitted on {glue:text}`n_learned:d` training pictures, measured on {glue:text}`n_read:d` test pictures.

# %% tags=["fig"] mystnb={"image": {"alt": "Readouts from each layer of the trained network: accuracy of the class rises from 0.35 to 0.82, steadily; colour falls from 1 to 0.73, most of it after layer 15; edges jump to 0.83 at the first ReLU, stay, and fall to 0.64 at the end."}}
known = dict(zip(run.targets, np.maximum(run.readouts[1], 0), strict=True))
viz.curves(
    {
        "class (accuracy)": known["class"],
        "colour (R²)": known["colour"],
        "edges (R²)": known["edges"],
    },
    xlabel="layer",
    ylabel="read from the layer",
)

# %% [markdown]
# And the random network beside it, at the end of each step:

# %%
ends = [k for k, name in enumerate(names) if name.endswith("ReLU")] or [0, -1]
readouts = pd.DataFrame(
    run.readouts[:, :, ends].reshape(6, -1).T,
    index=[names[k] for k in ends],
    columns=pd.MultiIndex.from_product([STATES, run.targets]),
)
readouts.round(2)

# %% [markdown]
# How sure are these accuracies? Each is a share of {glue:text}`n_read:d` pictures; the interval of what the class gains from the first step to the last, as for two independent shares, which makes it too wide rather than too narrow:

# %%
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
# From the first step to the last the class gains {glue:text}`gain_class:.2f` (95 % interval {glue:text}`gain_from:.2f` to {glue:text}`gain_to:.2f`), from {glue:text}`class_first:.2f` to {glue:text}`class_last:.2f`; without training it is above {glue:text}`class_random:.2f` in no layer. It comes little by little, in every step, and not at a border.
#
# What is local is lost, but not all of it by learning. Colour falls to {glue:text}`colour_trained_b:.2f` in the trained network, and to {glue:text}`colour_random_b:.2f` in the random one: training gives it up. Edges fall from {glue:text}`edges_trained_a:.2f` to {glue:text}`edges_trained_b:.2f`, but without training from {glue:text}`edges_random_a:.2f` to {glue:text}`edges_random_b:.2f`: there
# training keeps what pooling and mixing would have lost.
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
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C34: under GW a trained ResNet-9 has four sub-networks (reviews, Figure 18) | ours | undecided: one network, one seed, trained less; that a test does not find them does not show that they are not there | {glue:text}`blocks_gw:d` groups, the first convolution apart, {glue:text}`p_gw_words`; accuracy {glue:text}`accuracy:.1f` %, the authors' has 91.63 % |
# | C34: they change at `2.ReLU`, `4.Conv2d` and `7.Conv2d` (Figure 9) | ours | disagrees under GW: these steps stand out before training, not after it | share of triples that rank as high {glue:text}`stand_random:.3f` random, {glue:text}`stand_trained:.2f` trained; of the best cuts into four, {glue:text}`paper_cuts:d` is theirs |
# | C34: other measures do not find them | ours | agrees: none has all three | {glue:text}`blocks_rsm:d`, {glue:text}`blocks_rsa:d`, {glue:text}`blocks_cka:d` and {glue:text}`blocks_msid:d` groups under RSM, RSA, CKA and MSID; at most {glue:text}`best_cuts:d` of the paper's three borders under any measure |
# | C34: the ship is nearly absent by `4.ReLU` | ours | undecided: to our eye it is, by a correlation it never was there | correlation with the drawing {glue:text}`before_trained:.2f` in the first four steps, {glue:text}`from_4_trained:.2f` after them |
# | C34: AGW shows changes in the final few layers only | ours | disagrees, by channels | its last six steps are {glue:text}`agw_late:.2f` of the mean, the largest {glue:text}`agw_largest:.2f` is in the middle |
# | C34: GW agrees best with how the feature images look | ours | undecided | rank correlation {glue:text}`eye_gw:.2f` under GW, {glue:text}`eye_rsm:.2f` under RSM, {glue:text}`eye_cka:.2f` under CKA; GW minus CKA [{glue:text}`over_cka_from:.2f`, {glue:text}`over_cka_to:.2f`], minus RSM [{glue:text}`over_rsm_from:.2f`, {glue:text}`over_rsm_to:.2f`]; by another rule {glue:text}`signed_gw:.2f` and {glue:text}`signed_cka:.2f`; one picture |
# | C33: on images GW shows sub-networks more clearly than RSM, RSA, CKA and MSID (reviews) | ours | disagrees on this network | {glue:text}`blocks_gw:d` groups under GW, {glue:text}`blocks_cka:d` under CKA, with the same boundary |
# | C35: early blocks hold local statistics (reviews) | ours | agrees; for edges more so without training | colour {glue:text}`colour_trained_a:.2f` to {glue:text}`colour_trained_b:.2f`, edges {glue:text}`edges_trained_a:.2f` to {glue:text}`edges_trained_b:.2f`; untrained {glue:text}`edges_random_a:.2f` to {glue:text}`edges_random_b:.2f` |
# | C35: late ones the class | ours | agrees, by degrees | {glue:text}`class_first:.2f` to {glue:text}`class_last:.2f`, gain {glue:text}`gain_class:.2f` [{glue:text}`gain_from:.2f`, {glue:text}`gain_to:.2f`] |
# | D07: other architectures and other kinds of data? | - | open: one network, one seed | accuracy {glue:text}`accuracy:.1f` %, {glue:text}`blocks_gw:d` groups under GW |
# | D05: CKA looks the same; what is gained? | - | open: by the test they find the same boundary here | {glue:text}`blocks_cka:d` groups under CKA, {glue:text}`blocks_gw:d` under GW |
#
# What this cannot say: it is one network, trained from one seed on less than half of the pictures, and it answers less well than the authors' own. So no row tests the paper's own condition. A border that appears only with more training would not be here.
#
# **Before you call a step in a map a function**: look at the same network before training, and at where its shapes change.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
