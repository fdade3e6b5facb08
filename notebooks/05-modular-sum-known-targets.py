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
#     data: [model-l-equal/seed-0, model-e-equal/seed-0, known-targets, known-boundaries/1-1-1]
# ---

# %% [markdown]
# # 05 Known targets
#
# In the networks of [chapter 04](04-modular-sum-training.ipynb) we know what to look for: the
# intermediate sums $c_1$ and $c_2$ and the answer $c_3$. If somebody tells us the target, do we need the
# Gromov-Wasserstein distance at all? The paper's appendix B looks for the targets with probes, its Table 2 with
# GW, and concludes that they agree. This chapter does both, on Models L and E with equal moduli. The paper's moduli are not
# in the text we worked from; and our networks were trained for fewer epochs than its 26,000.
#
# :::{admonition} What you will learn
# - how to look for a known target by a linear probe, a two-layer probe and a distance;
# - why a probe must be judged on inputs that it has not seen, and what a control target is for;
# - why GW cannot tell $c_1$ from $c_2$ from $c_3$ when the moduli are equal, whatever the network.
#
# **Time**: 20 minutes to read, two minutes to run.
# **In the paper**: section 3.3, Table 2; appendix B, Table 3.
# **You need**: [chapter 01](01-functional-similarity.ipynb) and [chapter 04](04-modular-sum-training.ipynb).
# :::

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
# The imports:

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_05 as check
from funcsim import viz
from funcsim.probes import (
    linear_probe,
    linear_probe_r2,
    mlp_probe,
    probe_all,
)
from replication.modular_addition import known_targets, trained_networks
from replication.modular_addition.known_targets import targets_of, training_rows

# %% [markdown]
# ## Networks and targets
#
# Both networks, all 93 representations at the last position, for all pairs. Layers are named from 0, as the library does, where the paper counts
# from 1: its Resid-Post1 is `0.resid_post` here.


# %%
def load(letter):
    """A network, and what its layers say of all pairs at the last position."""
    trained = trained_networks.load(f"model-{letter.lower()}-equal", profile)
    print(trained.origin)
    return trained, fs.capture(trained.model, [trained.pairs], pool="last")


net_l, layers_l = load("L")
net_e, layers_e = load("E")
names = [name.removeprefix("blocks.") for name in layers_l.names]
ends = [f"{k}.resid_post" for k in range(3)]

# %% [markdown]
# The targets are $c_1$, $c_2$ and $c_3$, and a fourth: $c_1$ in a random order. This *control* {cite:p}`hewitt2019designing` cannot be computed from
# the pair, only learned by heart. So the score of a probe on it shows how much the probe learns by heart.

# %%
targets = targets_of(net_l, seed)
p = net_l.plan.p
pd.DataFrame(targets).sample(4, random_state=seed)

# %% [markdown]
# ## A linear probe
#
# A logistic regression from a layer to the target {cite:p}`alain2017understanding`: a linear map to one number per class, trained as the network's own readouts
# are. It is fitted on the pairs on which the network was trained, and judged on the others. We stop after fifty iterations: a
# target that is plainly there is found in fewer. For 93 layers, four targets and
# two networks that takes some minutes, so the scores are stored:

# %%
linear_l, origin = known_targets.load("linear-l", profile, seed)
print(origin)
linear_e, origin = known_targets.load("linear-e", profile, seed)
print(origin)
linear_l.shape  # layers, targets, seen or not

# %% [markdown]
# Is this what the code makes? The probes at the ends of the three blocks of Model L, fitted again:

# %%
few = layers_l.select([f"blocks.{end}" for end in ends])
again = probe_all(linear_probe, few, targets, training_rows(net_l), jobs=2)
then = linear_l[[names.index(end) for end in ends]]
note(linear_gap=100 * float(np.abs(again - then).max()))

# %% [markdown]
# The largest difference is {glue:text}`linear_gap:.2g` points.

# %% [markdown]
# The accuracy on pairs that the probe has not seen, along Model L:

# %% tags=["fig"] mystnb={"image": {"alt": "Held-out accuracy of linear probes along the 93 layers of Model L: c1 reaches 100 percent in the MLP of block 1, c2 in that of block 2, c3 at the very end; c1 and c2 drop again inside later blocks; the control stays near zero."}}
viz.curves(
    {name: 100 * linear_l[:, k, 1] for k, name in enumerate(targets)},
    x=range(len(names)),
    xlabel="layer of Model L",
    ylabel="held-out accuracy (%)",
)

# %% [markdown]
# Table 3 of the paper asks of each target whether some layer matches it perfectly, and which. Ours, with the criterion
# that no held-out pair is wrong:


# %% tags=["paper-T03"]
def table_3(scores):
    """For each target: layers without a mistake, and the best one."""
    frame = pd.DataFrame(100 * scores, names, list(targets))
    ended = [", ".join(e for e in ends if frame[t][e] == 100) for t in targets]
    return pd.DataFrame(
        {
            "perfect layers": (frame == 100).sum(),
            "block ends among them": ended,
            "best layer": frame.idxmax(),
            "its accuracy (%)": frame.max(),
        }
    )


table_l = table_3(linear_l[..., 1])
table_l.round(1)

# %% [markdown]
# As numbers for the text:

# %%
for target, row in table_l.drop("control").iterrows():
    note(**{f"l_{target}": int(row["perfect layers"])})
    note(**{f"l_among_{target}": row["block ends among them"] or "none"})

# %% [markdown]
# In Model L, {glue:text}`l_c1:d` layers hold $c_1$ without a mistake, {glue:text}`l_c2:d` hold $c_2$ and {glue:text}`l_c3:d` hold
# $c_3$. The paper has 22, 22 and 2. The layers that must hold them, because they were trained to, are among ours: {glue:text}`l_among_c1`
# for $c_1$, {glue:text}`l_among_c2` for $c_2$ and {glue:text}`l_among_c3` for $c_3$. The number of further layers is
# a matter of training: later blocks keep the old answer or write over it, as they like.
#
# Model E, which was asked for $c_3$ alone:

# %% tags=["paper-T03"]
table_e = table_3(linear_e[..., 1])
best_e, where_e = table_e["its accuracy (%)"], table_e["best layer"]
note(e_best_c1=float(best_e["c1"]), e_best_c2=float(best_e["c2"]))
note(e_where_c1=where_e["c1"], e_where_c2=where_e["c2"])
note(e_c3=int(table_e["perfect layers"]["c3"]))
note(e_control_seen=100 * float(linear_e[:, -1, 0].max()))
table_e.round(1)

# %% [markdown]
# No layer holds $c_1$ or $c_2$: the best held-out accuracies are {glue:text}`e_best_c1:.1f` % (at {glue:text}`e_where_c1`)
# and {glue:text}`e_best_c2:.1f` % (at {glue:text}`e_where_c2`). The answer itself is perfect in {glue:text}`e_c3:d` layers. On the pairs that it has seen,
# even a linear probe gets up to {glue:text}`e_control_seen:.0f` % of the *control* right: the 512 numbers of the MLP's hidden layer
# are enough to learn a part of a random list by heart.
#
# ## The paper's residual
#
# The paper fits its probes by linear *regression* and scores them by the residual error. That asks for more than that the right class
# wins: the layer must give the target's value itself. Which value is not in the text we worked from: the integer, or a list of zeros
# with a one at the right class. First the integer. The next cell fits all layers of both networks by least squares, and keeps for
# each target the best share of variance explained, $R^2$, on held-out pairs; 1 is a perfect match, and 1 minus it is the residual.

# %%
squares_l, squares_e = (
    probe_all(linear_probe_r2, layers, targets, training_rows(net), jobs=2)
    for net, layers in ((net_l, layers_l), (net_e, layers_e))
)
r2 = pd.DataFrame(
    {"Model L": squares_l[..., 1].max(0), "Model E": squares_e[..., 1].max(0)},
    index=list(targets),
)
note(r2_l=float(r2["Model L"].max()), r2_e=float(r2["Model E"].max()))
r2.round(2) + 0.0  # no minus before a zero

# %% [markdown]
# No layer of Model L gives more than $R^2$ = {glue:text}`r2_l:.2f` for any target, none of Model E more than
# {glue:text}`r2_e:.2f`. Now the classes, at the end of each block of Model L: least squares to the list
# of zeros and ones, and how often the largest of the 59 outputs is the right one.


# %%
def least_squares(layer, target, rows):
    """Accuracy of the largest output, on the rows not fitted on."""
    fitted = LinearRegression().fit(layer[rows], np.eye(p)[target][rows])
    return (fitted.predict(layer[~rows]).argmax(axis=1) == target[~rows]).mean()


rows_l = training_rows(net_l)
squares = {
    f"{t} at {end}": 100
    * least_squares(layers_l[f"blocks.{end}"], targets[t], rows_l)
    for t, end in zip(targets, ends, strict=False)
}
note(
    **{
        f"squares_{t}": float(v)
        for t, v in zip(targets, squares.values(), strict=False)
    }
)
pd.Series(squares, name="accuracy (%)").round(1).to_frame()

# %% [markdown]
# Where the network's own readout and a logistic regression are always right, least squares to the classes is right in {glue:text}`squares_c1:.0f` % of the
# cases for $c_1$, {glue:text}`squares_c2:.0f` % for $c_2$ and {glue:text}`squares_c3:.0f` % for $c_3$.
# The classes lie on circles of few dimensions. From these no linear map can make a one at one class and zeros at all others. So by the residual of a
# regression, as the paper describes it, our networks do not match perfectly. By accuracy of a classifier, they do.
#
# ## A probe with two layers
#
# The paper then takes scikit-learn's `MLPClassifier` with its default parameters, and finds that it predicts $c_1$ and $c_2$ perfectly from
# Model E. Fitting one takes some seconds, and there are 93 layers and four targets, so these are stored:

# %%
classifier, origin = known_targets.load("classifier", profile, seed)
print(origin)
seen, held_out = table_3(classifier[..., 0]), table_3(classifier[..., 1])

# %% [markdown]
# Is the stored table what this code makes? One probe, fitted again: $c_3$ at the end of block 1.

# %%
again = mlp_probe(
    layers_e["blocks.0.resid_post"], targets["c3"], training_rows(net_e), seed
)
then = classifier[names.index("0.resid_post"), list(targets).index("c3")]
note(probe_gap=100 * float(np.abs(again - then).max()))

# %% [markdown]
# They differ by {glue:text}`probe_gap:.2g` points. First on the pairs that the probe was fitted on:

# %%
note(mlp_seen_c1=int(seen["perfect layers"]["c1"]))
note(mlp_seen_c2=int(seen["perfect layers"]["c2"]))
note(mlp_seen_control=float(seen["its accuracy (%)"]["control"]))
seen.round(1)

# %% [markdown]
# This is the paper's picture: {glue:text}`mlp_seen_c1:d` layers match $c_1$ perfectly and {glue:text}`mlp_seen_c2:d` match $c_2$.
# But look at the last row. The *control*, a random list, is right in {glue:text}`mlp_seen_control:.1f` % of the pairs in its best layer. A probe
# that can do this will find whatever it is told to find. Now on the pairs it has not seen:

# %%
best, where = held_out["its accuracy (%)"], held_out["best layer"]
note(mlp_c1=float(best["c1"]), mlp_c2=float(best["c2"]))
note(mlp_where_c1=where["c1"], mlp_where_c2=where["c2"])
note(mlp_control=float(best["control"]))
held_out.round(1)

# %% [markdown]
# The best held-out accuracy is {glue:text}`mlp_c1:.1f` % for $c_1$ (at {glue:text}`mlp_where_c1`), {glue:text}`mlp_c2:.1f` % for $c_2$ (at
# {glue:text}`mlp_where_c2`), and {glue:text}`mlp_control:.1f` % for the control. Along the layers:

# %% tags=["fig"] mystnb={"image": {"alt": "Held-out accuracy of two-layer probes along the 93 layers of Model E: c3 rises to 100 percent at the end; c1 and c2 rise and fall below it; the control stays near zero."}}
viz.curves(
    {name: 100 * classifier[:, k, 1] for k, name in enumerate(targets)},
    x=range(len(names)),
    xlabel="layer of Model E",
    ylabel="held-out accuracy (%)",
)

# %% [markdown]
# The same with scikit-learn's regressor, which has the same hidden units and gives the integer:

# %%
r2_all, origin = known_targets.load("regressor", profile, seed)
print(origin)
regressor = pd.DataFrame(
    r2_all.max(axis=0),
    list(targets),
    ["best R^2, seen", "best R^2, unseen"],
)
for target in targets:
    note(**{f"reg_{target}": float(regressor.loc[target, "best R^2, unseen"])})
note(reg_control_seen=float(regressor.loc["control", "best R^2, seen"]))
regressor.round(2)

# %% [markdown]
# On unseen pairs its best $R^2$ is {glue:text}`reg_c3:.2f` for the answer $c_3$, {glue:text}`reg_c1:.2f` for $c_1$ and {glue:text}`reg_c2:.2f` for $c_2$;
# on the pairs that it was fitted on it explains {glue:text}`reg_control_seen:.2f` of the control.
#
# What a two-layer probe finds on unseen pairs is really in the layer, in the sense that it can be *computed* from it. That is not to say that the
# network computed it: $c_1 = (a + b) \bmod 59$ can be computed from the input as well, by any network that learns to add. A
# strong probe answers whether a target is still possible, not whether it is there.
#
# ## The distance to a target
#
# For GW a target must be a metric space: we must say how far 3 is from 5. The text we worked from does not. There are three natural ways: integers on a
# line, points on a circle, and classes that are all equally far from each other.


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

# %% [markdown]
# Before computing anything: how often does each value occur in each target, over all pairs?

# %%
counts = np.stack([np.bincount(targets[t], minlength=p) for t in known])
note(fewest=int(counts.min()), most=int(counts.max()))

# %% [markdown]
# Every one of the 59 values occurs at least {glue:text}`fewest:d` and at most {glue:text}`most:d` times, in $c_1$, in $c_2$ and in $c_3$. So as metric spaces
# the three targets are *the same space*: reorder the inputs, and one becomes the other. GW does not see the order of the inputs. It follows, without
# any experiment, that with equal moduli **every layer of every network is exactly as far from $c_1$ as from $c_2$ and from $c_3$**. On a sample of the
# inputs the three differ, by the luck of the sample. The next cell computes all distances on such a sample, for Model L.


# %%
rows = np.random.default_rng(seed).permutation(p * p)[:n_samples]


def to_targets(layers, spaces, measure="gw"):
    """From every layer to every target, on the sample."""
    few = (
        fs.Representations({k: x[rows] for k, x in r.items()})
        for r in (layers, spaces)
    )
    frame = fs.compare(*few, measure=measure, progress=False).to_frame()
    return frame.rename(index=lambda name: name.removeprefix("blocks."))


distances = to_targets(layers_l, spaces)

# %% [markdown]
# Table 2 of the paper, with the closest layer for each target in each of the three metrics; "ties" counts the layers that are at most
# 5 % farther than the closest.


# %% tags=["paper-T02"]
def table_2(distances, ends):
    """For each target: the closest layer, and the ends of the blocks."""
    table = pd.DataFrame(
        {"closest": distances.idxmin(), "distance": distances.min()}
    )
    table["ties"] = (distances <= 1.05 * distances.min()).sum() - 1
    table[ends] = distances.loc[ends].T
    return table


equal = table_2(distances, ends)
equal.round(3)

# %% [markdown]
# In how many metrics is the right layer the closest, and how much do the distances depend on the target at all?


# %%
def closer_layers(distances, ends):
    """For each target and metric: layers closer than the one trained for it."""
    holder = dict(zip(known, ends, strict=True))
    own = [distances[c][holder[c.split(" ")[0]]] for c in distances]
    return (distances < own).sum()


closer = closer_layers(distances, ends)
for target in known:
    note(**{f"gw_right_{target}": int((closer.filter(like=target) == 0).sum())})
by_kind = distances.T.groupby(lambda column: column.split(" ")[1])
between = by_kind.max() - by_kind.min()
note(between_targets=float(np.median(between)))
half = distances.quantile(0.75) - distances.quantile(0.25)
note(across_layers=float(half.median()))
line = [equal["closest"][f"{target} line"] for target in known]
note(line_c1=line[0], line_c2=line[1], line_c3=line[2])

# %% [markdown]
# The end of the block that was *trained* for $c_1$ is the closest to it in {glue:text}`gw_right_c1:d` of the three metrics, that for $c_2$ in {glue:text}`gw_right_c2:d` and that for $c_3$ in
# {glue:text}`gw_right_c3:d`. As they must, the columns hardly depend on the target: between $c_1$, $c_2$ and $c_3$ the distance of a layer changes by
# {glue:text}`between_targets:.3f` in the median, while the middle half of the layers spreads over {glue:text}`across_layers:.3f`.
#
# So the first two rows of the paper's Table 2, *different* closest layers for $c_1$ and $c_2$, cannot come from GW with equal moduli, unless by the luck of
# the sample. (Ours has different ones on the line, by just that: {glue:text}`line_c1`, {glue:text}`line_c2` and {glue:text}`line_c3`.) So its moduli differ, or the sample decided, or the coupling did not leave the
# identity. Do measures that keep every input with itself find the layers?

# %%
closest = pd.DataFrame()
closest["rsa"] = to_targets(layers_l, spaces, "rsa").idxmin()
closest["cka"] = to_targets(layers_l, spaces, "cka").idxmax()
for target in known:
    note(**{f"cka_{target}": closest["cka"][f"{target} classes"]})
note(rsa_ends=int(closest["rsa"].isin(ends).sum()))
closest

# %% [markdown]
# With classes, CKA puts {glue:text}`cka_c1` closest to $c_1$, {glue:text}`cka_c2` to $c_2$ and {glue:text}`cka_c3` to $c_3$. RSA finds the end of a block
# in {glue:text}`rsa_ends:d` of nine rows. So to keep every input in its place is necessary to tell the targets apart, but not enough to find the layer that was trained to hold them.
# A similarity asks how much of a layer *is* the target, a probe whether the target is in it.
#
# ## Targets that are not the same space
#
# With nested moduli the targets have 59, 31 and 17 values, so GW could tell them apart. Our Model L does not learn them, but
# [chapter 04](04-modular-sum-training.ipynb) has a chain with one block for each: its parts hand on nothing but $c_1$, $c_2$ and $c_3$, and so
# hold them at their ends. The same table for this chain:

# %% tags=["paper-T02"]
chain = trained_networks.load("known-boundaries/1-1-1", profile)
print(chain.origin)
layers_c = fs.capture(chain.model, [chain.pairs], pool="last")
moduli = [step.modulus for step in chain.plan.steps]
labels = dict(zip(known, chain.targets.numpy().T, strict=True))
apart = to_targets(layers_c, as_spaces(labels, moduli))
apart = apart.rename(
    index=lambda name: name.replace("parts.", "").replace(".blocks.0", "")
)
parts = [f"{k}.resid_post" for k in range(3)]
nested = table_2(apart, parts)
nested.round(3)

# %% [markdown]
# How many layers are closer to each target than the end of the part that holds it?

# %%
closer_c = closer_layers(apart, parts)
note(nested_right=int((closer_c == 0).sum()), nested_of=len(closer_c))
begin = [nested["closest"][f"{target} classes"] for target in known]
note(part_c1=begin[0], part_c2=begin[1], part_c3=begin[2])
closer_c.rename("layers closer than the right one").to_frame()

# %% [markdown]
# The end of the right part is the closest in {glue:text}`nested_right:d` of {glue:text}`nested_of:d` cases, and where it is, it is the closest to another target too.
# As classes, the closest are {glue:text}`part_c1` for $c_1$, {glue:text}`part_c2` for $c_2$ and {glue:text}`part_c3` for $c_3$, all of them layers with which a part *begins*: there stands $b$ alone, which has 59 equally frequent values just as $c_1$
# has. So in this chain it is not the moduli that keep GW from finding a target. It compares shapes, and other layers have the same shape.
# (Which of those layers comes first as classes may differ on your machine, see [how to use this book](../book/how-to-use.md).)
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A two-layer probe is right on every pair that it was fitted on, and so it is for random labels. What does it show?**
#
# <details><summary>a. The random labels were not random.</summary>No: they were drawn. With enough parameters any labels can be learned.</details>
# <details><summary>b. The layer holds the target.</summary>No: then it would also hold the random labels.</details>
# <details><summary>c. The probe learned by heart.</summary>Right: that is why it is judged on pairs it has not seen, and why there is a control.</details>
#
# **2. Three targets are sums modulo 59 in which every value occurs equally often. Why can GW not tell them apart?**
#
# <details><summary>a. The sums are too similar.</summary>No: as functions of a pair they are quite different. Only the names of the pairs tell them apart.</details>
# <details><summary>b. The search is not good enough.</summary>No: the best matching has the same cost for all three, and that can be proved.</details>
# <details><summary>c. As metric spaces they are one: relabel the pairs, and one becomes the other.</summary>Right: and GW is free to relabel.</details>
#
# ## Exercises
#
# :::{exercise} A control
# :label: ex-05-control
#
# *Difficulty 1 of 5, importance 5 of 5, 5 minutes.* Write `control(target, rng)`: a target that no input explains, but for which guessing is as easy as for the real one.
#
# ```{dropdown} Hint 1
# Who always answers the most frequent value should be right equally often for both.
# ```
# ```{dropdown} Hint 2
# So the values must be the same ones. Only their order is free.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def control(target, rng):
    """A target (n,) like the given one, of which nothing can be learned."""
    return rng.permutation(target)


check.control(control)

# %% [markdown]
# :::{exercise} A circle of remainders
# :label: ex-05-circle
#
# *Difficulty 1 of 5, importance 3 of 5, 5 minutes.* Write `on_a_circle(values, modulus)`: remainders (n,) as points (n, 2), so that the last remainder is as near to 0 as 1 is.
#
# ```{dropdown} Hint 1
# A full turn is $2\pi$, and belongs to one modulus.
# ```
# ```{dropdown} Hint 2
# Cosine and sine of $2 \pi v / m$.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def on_a_circle(values, modulus):
    """Points (n, 2) for remainders (n,)."""
    angle = 2 * np.pi * values / modulus
    return np.column_stack([np.cos(angle), np.sin(angle)])


check.on_a_circle(on_a_circle)

# %% [markdown]
# :::{exercise} Only the same or not
# :label: ex-05-classes
#
# *Difficulty 1 of 5, importance 3 of 5, 5 minutes.* Write `as_classes(values)`: distances (n, n) between labels of which nothing is known but whether they are the same.
#
# ```{dropdown} Hint 1
# There are only two distances.
# ```
# ```{dropdown} Hint 2
# `values[:, None] != values[None]`, as numbers.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def as_classes(values):
    """Distances (n, n) of labels (n,): 0 if they are the same, else 1."""
    return (values[:, None] != values[None]).astype(float)


check.as_classes(as_classes)

# %% [markdown]
# :::{exercise} When two targets are one
# :label: ex-05-one
#
# *Difficulty 3 of 5, importance 5 of 5, 10 minutes.* Gromov-Wasserstein sees neither the order of the inputs nor the names of the classes. Write `one_space(first, second)`: whether two lists of labels are one space to it, if classes are all equally far apart.
#
# ```{dropdown} Hint 1
# Take away the order, then take away the names. What is left of [0, 0, 0, 1, 1, 2]?
# ```
# ```{dropdown} Hint 2
# How large the classes are. `np.unique(..., return_counts=True)`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def one_space(first, second):
    """Whether the classes of two labellings (n,) have the same sizes."""
    sizes = [
        np.sort(np.unique(labels, return_counts=True)[1])
        for labels in (first, second)
    ]
    return np.array_equal(*sizes)


check.one_space(one_space)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C10, Table 2, row 1: $c_1$ is closest to Resid-Post1 | ours | disagrees, as it must with equal moduli: the three targets are one space | so in {glue:text}`gw_right_c1:d` of three metrics |
# | C10, Table 2, row 2: $c_2$ is closest to Resid-Post2 | ours | disagrees, for the same reason | so in {glue:text}`gw_right_c2:d` of three metrics |
# | C10, Table 2, row 3: $c_3$ is closest to Resid-Post2, Resid-Pre2, Resid-Post3 and 6 others | ours | undecided | Resid-Post3 is closest in {glue:text}`gw_right_c3:d` of three metrics; neither metric nor moduli are in the text we worked from |
# | C10 in general: GW finds the layer of each target | ours | disagrees, for equal moduli by a proof, for nested ones in one chain | the targets' values occur equally often, {glue:text}`most:d` times each; with nested moduli the right layer is closest in {glue:text}`nested_right:d` of {glue:text}`nested_of:d` cases |
# | C16, Table 3, Model L, $c_1$: Resid-Post1 and 21 others are perfect | ours | agrees for Resid-Post1, by a classifier; the number is another | {glue:text}`l_c1:d` layers, of the block ends {glue:text}`l_among_c1` |
# | C16, by the residual of a regression, as in the paper | ours | disagrees | least squares to the classes: {glue:text}`squares_c1:.0f` % right for $c_1$ |
# | C16, Table 3, Model L, $c_2$: Resid-Post2 and 21 others | ours | agrees for Resid-Post2, by a classifier; the number is another | {glue:text}`l_c2:d` layers, of the block ends {glue:text}`l_among_c2` |
# | C16, Table 3, Model L, $c_3$: Resid-Post3 and Post2 | ours | agrees for Resid-Post3, by a classifier | {glue:text}`l_c3:d` layers, of the block ends {glue:text}`l_among_c3` |
# | C17, Table 3, Model E, linear: no layer holds $c_1$ or $c_2$ | ours | agrees | held-out accuracy {glue:text}`e_best_c1:.1f` % and {glue:text}`e_best_c2:.1f` % at best |
# | C17, Table 3, Model E, two layers: $c_1$ and $c_2$ are found perfectly | ours | disagrees on unseen pairs | seen: {glue:text}`mlp_seen_c1:d` and {glue:text}`mlp_seen_c2:d` perfect layers, but the control has {glue:text}`mlp_seen_control:.1f` %; unseen: {glue:text}`mlp_c1:.1f` % and {glue:text}`mlp_c2:.1f` % at best |
# | D09: why these layers? | - | open for GW: with equal moduli there can be no reason, and the paper's moduli are not in the text we worked from | the right layer is closest in {glue:text}`gw_right_c1:d`, {glue:text}`gw_right_c2:d` and {glue:text}`gw_right_c3:d` of three metrics |
# | D09, for the probes | - | answered: those layers were trained to hold the target, and the layers after them have not lost it yet | {glue:text}`l_c1:d`, {glue:text}`l_c2:d` and {glue:text}`l_c3:d` layers without a mistake |
#
# No row tests the paper's own moduli. Where ours disagree, the moduli may be the reason.
#
# **Before you trust a probe**: give its accuracy on inputs that it was not fitted on, beside that for a control target. **Before you trust a nearest target**: check that the targets are not the same space.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
