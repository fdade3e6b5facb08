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
# # 12b What the eye sees
#
# [Chapter 12](12-resnet-cifar10.ipynb) maps the layers of ResNet-9, and shows what becomes of a drawn ship. Does the map change where the pictures change? This page puts numbers on it. It also gives the steps of all measures of chapter 12, and those of {term}`AGW`.
#
# ## In short
#
# The authors write that the {term}`Gromov-Wasserstein distance` (GW) agrees best with how the layers look. By one rule for "looks alike" it does: the {term}`rank correlation` of its steps with the changes of the picture is {glue:text}`eye_gw:.2f`, and that of {term}`CKA` is {glue:text}`eye_cka:.2f`. By another rule the order turns round: GW has {glue:text}`signed_gw:.2f`, and CKA {glue:text}`signed_cka:.2f`. With {glue:text}`n_steps:d` steps and one picture we cannot decide.
#
# :::{glue:figure} fig_eye_12b
# :name: fig-12b-eye
# :alt: Rank correlation with the eye for six measures in the trained network, by two rules. Without the sign GW is highest with 0.54 and MSID lowest. With the sign MSID is highest and GW is below zero.
#
# How well the steps of each measure agree with the eye in the trained network, by two rules. Both compare two pictures by their correlation: one rule leaves out its sign, the other keeps it. The order of the measures depends on the rule.
# :::
#
# **Time**: 7 minutes to read, a minute to run.
# **In the paper**: Figures 9 and 18 in the discussion of its reviews.

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
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from funcsim import viz
from replication.models.resnet import ResNet9
from replication.vision import resnet9
from replication.vision.looks import alike, channel_means, ship
from replication.vision.maps import MEASURES, STATES, TITLES

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## The pictures
#
# Network, layers and ship are those of chapter 12. We need the picture of every layer: the mean over its {term}`channels <channel>`.

# %%
run = resnet9.load(profile, seed)
names = run.layers.names
networks = {"random": ResNet9(seed=seed).eval(), "trained": run.model}
picture = ship()
seen = {s: channel_means(m, picture, names) for s, m in networks.items()}

# %% [markdown]
# Here is the ship in all layers of the trained network, three for each {term}`convolution`.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "The drawn ship in all 24 layers of the trained network, three rows by eight columns: after each convolution, after each normalisation, after each ReLU. Convolution and normalisation look much alike; the ReLU keeps the bright parts."}, "figure": {"name": "fig-12b-ship", "caption": "The ship in all layers of the trained network: after each convolution, each batch normalisation and each ReLU. Normalisation hardly changes a picture. Each picture has its own scale from dark to bright."}}
rows = {}
for kind in ("Conv2d", "BatchNorm2d", "ReLU"):
    of_kind = [name for name in names if name.endswith(kind)]
    images = (seen["trained"][name] for name in of_kind)
    rows[kind] = {str(k): image for k, image in enumerate(images)}
columns = sorted(set.intersection(*(set(row) for row in rows.values())))
shown = {kind: {k: row[k] for k in columns} for kind, row in rows.items()}
viz.pictures(shown)

# %% [markdown]
# ## How much of the ship is left
#
# The authors write that the ship is nearly absent at `4.ReLU`. As a number we take the correlation of the ship's brightness with the picture after each {term}`ReLU`. The sign is left out.

# %% mystnb={"figure": {"name": "tab-12b-left", "caption": "Correlation of the drawing with the picture after each ReLU, without its sign."}}
relus = [name for name in names if name.endswith("ReLU")]
bright = ship().mean(axis=-1)
shape_left = {
    state: {name: abs(alike(bright, seen[state][name])) for name in relus}
    for state in STATES
}
shape_left = pd.DataFrame(shape_left)
shape_left.round(2)

# %% tags=["remove-cell"]
for state in STATES:
    note(**{f"before_{state}": shape_left[state].iloc[:4].mean()})
    note(**{f"from_4_{state}": shape_left[state].iloc[4:].mean()})

# %% [markdown]
# By this number the ship is hardly there in any layer. In the trained network the mean is {glue:text}`before_trained:.2f` over the first four ReLUs and {glue:text}`from_4_trained:.2f` over the others. In the random network it is {glue:text}`before_random:.2f` and {glue:text}`from_4_random:.2f`. The drawing consists of areas, and the trained network draws outlines. Our eye forgives this, and the correlation does not. So "nearly absent" remains a matter of looking.
#
# ## Does the map agree with the eye?
#
# We need a number for how much the picture changes from one layer to the next. Ours is 1 minus the correlation of the pixels of two pictures, after the larger one is shrunk to the size of the other. A picture and its negative look alike, so we leave out the sign of the correlation. We also leave out the normalisations, which hardly change a picture.

# %%
real = [k for k, name in enumerate(names[1:]) if "Norm" not in name]


def to_the_eye(state, sign=abs):
    """How much each picture differs from the one before."""
    images = [seen[state][name] for name in names]
    steps = [1 - sign(alike(*pair)) for pair in pairwise(images)]
    return np.array(steps)[real]


def stepwise(what, measure):
    """Distance of each layer to the one before."""
    m = run.maps[f"{what}/mean/{measure}"]
    values = np.diag(m.values, k=1)
    return 1 - values if m.is_similarity else values


# %% [markdown]
# These changes are the eye's steps. The agreement is their rank correlation with the steps of a measure.

# %% mystnb={"figure": {"name": "tab-12b-agree", "caption": "Rank correlation of the eye's steps with those of each measure, without the sign of the correlation of pictures."}}
eye = {state: to_the_eye(state) for state in STATES}


def agreement(state, measure, rows=slice(None)):
    """Rank correlation of the eye's steps and a measure's."""
    step = stepwise(state, measure)[real]
    return stats.spearmanr(eye[state][rows], step[rows]).statistic


agree = {s: {m: agreement(s, m) for m in MEASURES} for s in STATES}
pd.DataFrame(agree).round(2)

# %% tags=["remove-cell"]
note(eye_gw=agree["trained"]["gw"], eye_rsm=agree["trained"]["rsm"])
note(eye_cka=agree["trained"]["cka"])

# %% [markdown]
# In the trained network GW is first, as the authors say. Is this more than luck, with {glue:text}`n_steps:d` steps and one picture? We draw the steps again with replacement, and look at the agreement of GW minus that of {term}`RSM`, and minus that of CKA.

# %% mystnb={"figure": {"name": "tab-12b-lead", "caption": "How far GW leads the other two measures: 95 % intervals over steps drawn with replacement."}}
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
pd.DataFrame(lead, index=["from", "to"]).T.round(2)

# %% tags=["remove-cell"]
note(n_steps=len(real), over_rsm_from=lead["rsm"][0], over_rsm_to=lead["rsm"][1])
note(over_cka_from=lead["cka"][0], over_cka_to=lead["cka"][1])

# %% [markdown]
# GW minus RSM lies between {glue:text}`over_rsm_from:.2f` and {glue:text}`over_rsm_to:.2f`. GW minus CKA lies between {glue:text}`over_cka_from:.2f` and {glue:text}`over_cka_to:.2f`. Both {term}`intervals <interval>` reach 0.
#
# And our rule for the eye is one of several. By a second rule we keep the sign, so that a picture and its negative are as unlike as can be.

# %%
eye_signed = to_the_eye("trained", sign=float)
signed = {
    m: stats.spearmanr(eye_signed, stepwise("trained", m)[real])[0]
    for m in MEASURES
}

# %% tags=["remove-cell"]
note(signed_gw=signed["gw"], signed_cka=signed["cka"])
by_rule = {"without the sign": agree["trained"], "with the sign": signed}
keep_figure(
    "fig_eye_12b",
    viz.dots(
        pd.DataFrame(by_rule).rename(index=TITLES),
        xlabel="rank correlation with the eye, trained network",
        reference=0,
    ),
)

# %% [markdown]
# {numref}`fig-12b-eye` at the top of this page shows both rules. With the sign, GW has {glue:text}`signed_gw:.2f` and CKA {glue:text}`signed_cka:.2f`. Whoever judges a map by such pictures must first say what counts as alike. The order of the measures depends on it.
#
# ## All steps in numbers
#
# Each column is divided by its mean, so that columns can be compared.

# %% tags=["paper-R09", "hide-output"] mystnb={"figure": {"name": "tab-12b-steps", "caption": "Distance of each layer to the one before, under every measure, in the random and in the trained network. Each column has mean 1."}}
columns = [(measure, state) for measure in MEASURES for state in STATES]
table = {(m, state): stepwise(state, m) for m, state in columns}
table = {c: steps / steps.mean() for c, steps in table.items()}
table = pd.DataFrame(table, index=names[1:]).rename(columns=TITLES)
table.round(2)

# %% [markdown]
# The columns of GW and RSM are the same to two digits before training, and nearly the same after it. RSM is GW with each input picture matched with itself. So from one layer to the next the search hardly finds a better {term}`coupling` than that of each picture with itself. Is this so for layers farther apart? We ask by how much the search lowers the distance, over all pairs of layers.

# %% mystnb={"figure": {"name": "tab-12b-search", "caption": "By what share GW is lower than RSM, on average over all pairs of layers."}}
inner = np.triu_indices(len(names), k=1)
searched = {}
for state in STATES:
    gw, rsm = (run.maps[f"{state}/mean/{m}"].values for m in ("gw", "rsm"))
    searched[state] = 1 - gw[inner].mean() / rsm[inner].mean()
pd.Series(searched, name="lowered by").to_frame().round(3)

# %% tags=["remove-cell"]
note(searched_random=100 * searched["random"])
note(searched_trained=100 * searched["trained"])

# %% [markdown]
# In the random network the search lowers the distance by {glue:text}`searched_random:.0f` %, so there GW and RSM are nearly the same. In the trained network the search lowers the distance by {glue:text}`searched_trained:.0f` %. Neighbouring layers hardly add to this. So between layers farther apart another matching of pictures fits better than each with itself, as in [chapter 02](02-gromov-wasserstein.ipynb).
#
# ## AGW, by channels
#
# AGW matches features as well as images, and whole layers have too many features. So we take each layer by channels: each channel is replaced by its mean over the picture. The authors write that AGW shows changes in the final few layers only.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "AGW distance of each layer to the one before, divided by the mean step: the largest is at 4.Conv2d, followed by 3.Conv2d, 1.Conv2d and 2.Conv2d."}, "figure": {"name": "fig-12b-agw", "caption": "The AGW distance of each layer to the one before, divided by the mean of all steps (dashed line). The largest step is in the middle of the network, and the last six are below the mean on average."}}
agw = np.diag(run.maps["trained-channels/mean/agw"].values, k=1)
agw = pd.Series(agw / agw.mean(), names[1:], name="AGW, by channels")
viz.dots(
    agw.to_frame(),
    xlabel="AGW distance, over the mean step",
    reference=1,
)

# %% tags=["remove-cell"]
note(agw_late=agw.iloc[-6:].mean(), agw_largest=agw.max())

# %% [markdown]
# On average the last six steps are {glue:text}`agw_late:.2f` times the mean step. The largest step is {glue:text}`agw_largest:.2f` times the mean step, and lies in the middle of the network.
#
# ## What we found
#
# C marks a claim of the paper. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C34: the ship is nearly absent by `4.ReLU` | ours | undecided: to our eye it is, by a correlation it never was there | correlation with the drawing {glue:text}`before_trained:.2f` after the first four ReLUs, {glue:text}`from_4_trained:.2f` after the others |
# | C34: AGW shows changes in the final few layers only | ours | disagrees, by channels | its last six steps are {glue:text}`agw_late:.2f` of the mean; the largest step, {glue:text}`agw_largest:.2f`, is in the middle |
# | C34: GW agrees best with how the feature images look | ours | undecided | rank correlation {glue:text}`eye_gw:.2f` under GW, {glue:text}`eye_rsm:.2f` under RSM, {glue:text}`eye_cka:.2f` under CKA; GW minus CKA [{glue:text}`over_cka_from:.2f`, {glue:text}`over_cka_to:.2f`], minus RSM [{glue:text}`over_rsm_from:.2f`, {glue:text}`over_rsm_to:.2f`]; by another rule GW {glue:text}`signed_gw:.2f` and CKA {glue:text}`signed_cka:.2f`; one picture |
#
# ## Where the stored results come from
#
# The network was trained and its maps were computed before this page was run. The next cell shows the record.

# %% tags=["hide-cell"]
print(run.origin)
