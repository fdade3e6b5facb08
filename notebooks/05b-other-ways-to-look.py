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
#     data: [model-l-equal/seed-0, model-e-equal/seed-0, known-targets]
# ---

# %% [markdown]
# # 05b Other ways to look
#
# [Chapter 05](05-modular-sum-known-targets.ipynb) looks for known targets with classifiers and with GW. What do a regression, {term}`RSA` and {term}`CKA` find? This page goes deeper. Nothing later needs it.
#
# **Time**: 6 minutes to read, about a minute to run.
# **In the paper**: appendix B, Table 3.

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_samples = 100

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
# The imports come first.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

import funcsim as fs
from funcsim.probes import linear_probe_r2, probe_all
from replication.modular_addition import known_targets, trained_networks
from replication.modular_addition.known_targets import (
    targets_of,
    training_rows,
)

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import note

# %% [markdown]
# The networks, layers and targets are those of chapter 05: {term}`Models L and E <Model 0, Model E, Model L>` with equal {term}`moduli <moduli, equal and nested>`, the sums $c_1$, $c_2$ and $c_3$, and a control.


# %%
def load(letter):
    """A network, and its layers for all pairs at the last position."""
    name = f"model-{letter.lower()}-equal"
    trained = trained_networks.load(name, profile)
    return trained, fs.capture(trained.model, [trained.pairs], pool="last")


net_l, layers_l = load("L")
net_e, layers_e = load("E")
names = [name.removeprefix("blocks.") for name in layers_l.names]
ends = [f"{k}.resid_post" for k in range(3)]
targets = targets_of(net_l, seed)
p = net_l.plan.p

# %% [markdown]
# ## The paper's residual
#
# The paper fits its probes by linear *regression* and scores them by the residual error. This is stricter than classification: the layer must give the value of the target itself. The text we worked from does not say which value. It may be the integer, or a list of zeros with a one at the right class.
#
# We begin with the integer. We fit all layers of both networks by least squares, and keep for each target the best share of variance explained, $R^2$, on unseen pairs. A perfect match has $R^2 = 1$, and one minus $R^2$ is the residual.

# %% mystnb={"figure": {"name": "tab-05b-r2", "caption": "The best $R^2$ of a linear regression to the integer over all layers, on unseen pairs. No layer comes near a perfect match."}}
squares_l, squares_e = (
    probe_all(linear_probe_r2, layers, targets, training_rows(net), jobs=2)
    for net, layers in ((net_l, layers_l), (net_e, layers_e))
)
best_of = {"Model L": squares_l[..., 1].max(0)}
best_of["Model E"] = squares_e[..., 1].max(0)
r2 = pd.DataFrame(best_of, index=list(targets))
r2.round(2) + 0.0  # no minus before a zero

# %% tags=["remove-cell"]
note(r2_l=float(r2["Model L"].max()), r2_e=float(r2["Model E"].max()))

# %% [markdown]
# No layer of Model L reaches more than $R^2$ = {glue:text}`r2_l:.2f` for any target, and none of Model E more than {glue:text}`r2_e:.2f`. Now we take the classes, at the end of each {term}`block` of Model L. We fit least squares to the list of zeros and ones, and count how often the largest of the 59 outputs is the right one.


# %% mystnb={"figure": {"name": "tab-05b-squares", "caption": "Least squares to the classes, at the end of each block of Model L: share of unseen pairs for which the largest output is the right one."}}
def least_squares(layer, target, rows):
    """Accuracy of the largest output, on the rows not fitted on."""
    fitted = LinearRegression().fit(layer[rows], np.eye(p)[target][rows])
    chosen = fitted.predict(layer[~rows]).argmax(axis=1)
    return (chosen == target[~rows]).mean()


rows_l = training_rows(net_l)
squares = {}
for target, end in zip(targets, ends, strict=False):
    layer = layers_l[f"blocks.{end}"]
    share = least_squares(layer, targets[target], rows_l)
    squares[f"{target} at {end}"] = 100 * share
pd.Series(squares, name="accuracy (%)").round(1).to_frame()

# %% tags=["remove-cell"]
for target, value in zip(targets, squares.values(), strict=False):
    note(**{f"squares_{target}": float(value)})

# %% [markdown]
# From these outputs of blocks, the network's own {term}`readouts <readout>` and the logistic regressions of chapter 05 always find the right class. Least squares to the classes is right for {glue:text}`squares_c1:.0f` % of the pairs for $c_1$, {glue:text}`squares_c2:.0f` % for $c_2$ and {glue:text}`squares_c3:.0f` % for $c_3$. The classes lie on a few circles, which together have few dimensions. No linear map of these circles gives a one at one class and zeros at all others. The paper describes the residual of a regression. By this residual the block ends of Model L do not match their targets perfectly, but by the accuracy of a classifier they do.
#
# ## A regressor with two layers
#
# scikit-learn's two-layer regressor has as many hidden units as the classifier of chapter 05, and it gives the integer. Its scores are stored.

# %% mystnb={"figure": {"name": "tab-05b-regressor", "caption": "The best $R^2$ of a two-layer regressor over the layers of Model E, on the pairs on which it was fitted and on unseen pairs."}}
r2_all, record_r = known_targets.load("regressor", profile, seed)
columns = ["on seen pairs", "on unseen pairs"]
regressor = pd.DataFrame(r2_all.max(axis=0), list(targets), columns)
regressor.round(2)

# %% tags=["remove-cell"]
for target in targets:
    note(**{f"reg_{target}": float(regressor.loc[target, "on unseen pairs"])})
note(reg_control_seen=float(regressor.loc["control", "on seen pairs"]))

# %% [markdown]
# On unseen pairs the best $R^2$ of the regressor is {glue:text}`reg_c3:.2f` for the answer $c_3$, {glue:text}`reg_c1:.2f` for $c_1$ and {glue:text}`reg_c2:.2f` for $c_2$. On the pairs on which the regressor was fitted it explains {glue:text}`reg_control_seen:.2f` of the variance of the control.
#
# ## Measures that keep each input in its place
#
# GW cannot tell the three sums apart, because it may match any input with any other. RSA and CKA match each input with itself. Do they find the right layers?


# %%
def as_spaces(labels, moduli):
    """Each target as points on a line, on a circle, and as classes."""
    spaces = {}
    for (target, values), m in zip(labels.items(), moduli, strict=True):
        angle = 2 * np.pi * values / m
        spaces[f"{target} line"] = values[:, None].astype(float)
        spaces[f"{target} circle"] = np.c_[np.cos(angle), np.sin(angle)]
        spaces[f"{target} classes"] = np.eye(m)[values]
    return fs.Representations(spaces)


known = ("c1", "c2", "c3")
spaces = as_spaces({t: targets[t] for t in known}, (p, p, p))
rows = np.random.default_rng(seed).permutation(p * p)[:n_samples]


def to_targets(layers, spaces, measure="gw"):
    """From every layer to every target, on the sample."""
    few = (
        fs.Representations({k: x[rows] for k, x in r.items()})
        for r in (layers, spaces)
    )
    frame = fs.compare(*few, measure=measure, progress=False).to_frame()
    return frame.rename(index=lambda name: name.removeprefix("blocks."))


closest = pd.DataFrame()
closest["rsa"] = to_targets(layers_l, spaces, "rsa").idxmax()
closest["cka"] = to_targets(layers_l, spaces, "cka").idxmax()

# %% [markdown]
# The closest layer of Model L to each target, under both measures:

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-05b-closest", "caption": "The layer of Model L that is closest to each target, under RSA and under CKA. A target stands as points on a line, on a circle, or as classes."}}
closest

# %% tags=["remove-cell"]
for target in known:
    note(**{f"cka_{target}": closest["cka"][f"{target} classes"]})
note(rsa_ends=int(closest["rsa"].isin(ends).sum()))

# %% [markdown]
# With the targets as classes, CKA finds {glue:text}`cka_c1` closest to $c_1$, {glue:text}`cka_c2` to $c_2$ and {glue:text}`cka_c3` to $c_3$. Under RSA the closest layer is the end of a block in {glue:text}`rsa_ends:d` of the nine rows. To tell the targets apart, a measure must keep each input in its place. These results show that this alone does not lead to the layer trained for each target.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C16: linear probes read the sums of Model L perfectly, by the residual of a regression as in the paper | ours | disagrees | least squares to the classes: {glue:text}`squares_c1:.0f` % right for $c_1$ |
#
# ## Where the stored results come from
#
# The next cell shows the records of the networks and of the stored scores.

# %% tags=["hide-cell"]
for one in (net_l, net_e):
    print(one.origin)
print(record_r)
