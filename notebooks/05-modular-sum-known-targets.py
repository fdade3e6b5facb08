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
#     data: [model-l-equal/seed-0, model-e-equal/seed-0, model-e-nested-long, known-targets, known-boundaries/1-1-1]
# ---

# %% [markdown]
# # 05 Known targets
#
# In a network that we trained ourselves we know which numbers it should compute on the way. If we know the target, do we need a distance between layers at all? And when a probe finds the target, can we believe it?
#
# ## In short
#
# A strong probe finds whatever it is asked for. A probe with two layers gets {glue:text}`mlp_seen_control:.1f` % of a *random list* of answers right on the pairs of numbers on which it was fitted. On other pairs it gets {glue:text}`mlp_control:.1f` % right. So a probe must be judged on inputs that it has not seen. Its score must be compared with that on such a list, a {term}`control target`. The {term}`Gromov-Wasserstein distance` (GW) needs no fit, but it has a limit of its own. If the three sums of our task have the same modulus, they are one and the same space for GW. It cannot tell them apart in any network, and to know this we need no experiment.
#
# :::{glue:figure} fig_in_short_05
# :name: fig-05-in-short
# :alt: Best accuracy of a two-layer probe over the layers of Model E, for three sums and a random control, on the pairs it was fitted on and on others. On fitted pairs all four are high; on unseen pairs the control is near zero.
#
# A two-layer probe on Model E: its accuracy in the best of 93 layers. On the pairs on which it was fitted it finds every target, even the control, which is a random list. Only unseen pairs show what the layers hold.
# :::
#
# :::{admonition} What you will learn
# - how to look for a known target by a {term}`linear probe`, a two-layer probe and a distance;
# - why a probe must be judged on inputs that it has not seen, and what a control target is for;
# - why GW cannot tell $c_1$ from $c_2$ from $c_3$ when the {term}`moduli <moduli, equal and nested>` are equal, whatever the network.
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
# The imports come first.

# %%
import numpy as np
import pandas as pd

import funcsim as fs
from exercises import chapter_05 as check
from funcsim import viz
from funcsim.probes import linear_probe, mlp_probe, probe_all
from replication.modular_addition import known_targets, trained_networks
from replication.modular_addition.known_targets import (
    targets_of,
    training_rows,
)

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Networks and targets
#
# The paper looks for the intermediate sums twice. Its appendix B uses probes, and its Table 2 uses GW. It concludes that the two agree. We take {term}`Models L and E <Model 0, Model E, Model L>` with equal moduli. We use probes on both, and GW on Model L. The paper's moduli are not in the text we worked from, and our networks were trained for fewer epochs than its 26,000. One more, a Model E with nested moduli, was trained for as many. We use a linear probe on it.
#
# Each network has three {term}`blocks <block>` and 93 {term}`representations <representation>`. We take all of them at the last position, for all pairs. Layers are named from 0, as in the library. The paper counts from 1, so its Resid-Post1 is `0.resid_post` here.


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

# %% [markdown]
# The targets are the sums $c_1$, $c_2$ and $c_3$ of chapter 04, and a fourth: $c_1$ in a random order. This *control* {cite:p}`hewitt2019designing` cannot be computed from the pair. It can only be memorised. So the score of a probe on the control shows how much the probe memorises.

# %% mystnb={"figure": {"name": "tab-05-targets", "caption": "Four pairs with their targets. The control is a value of $c_1$ that belongs to another pair."}}
targets = targets_of(net_l, seed)
p = net_l.plan.p
pd.DataFrame(targets).sample(4, random_state=seed)

# %% [markdown]
# ## A linear probe
#
# A linear probe is a logistic regression from a layer to the target {cite:p}`alain2017understanding`. It has one output per class, like the last layer of the network itself. We fit it on the pairs on which the network was trained, and judge it on the others. For 93 layers, four targets and two networks this takes some minutes, so the scores are stored. (We stop after fifty iterations. A target that is plainly there is found in fewer.)

# %%
linear_l, record_l = known_targets.load("linear-l", profile, seed)
linear_e, record_e = known_targets.load("linear-e", profile, seed)
linear_l.shape  # layers, targets, seen or not

# %% [markdown]
# Does our code still give the stored numbers? We fit the probes at the ends of the three blocks of Model L again.

# %%
few = layers_l.select([f"blocks.{end}" for end in ends])
again = probe_all(linear_probe, few, targets, training_rows(net_l), jobs=2)
then = linear_l[[names.index(end) for end in ends]]
float(np.abs(again - then).max())

# %% tags=["remove-cell"]
note(linear_gap=100 * float(np.abs(again - then).max()))


# %% tags=["remove-cell"]
def along_the_layers(scores, layers_of):
    """Accuracy of each target along the layers; lines where blocks begin."""
    lines = {name: 100 * scores[:, k, 1] for k, name in enumerate(targets)}
    fig = viz.curves(
        lines,
        x=range(len(names)),
        xlabel=f"layer of {layers_of}",
        ylabel="accuracy on unseen pairs (%)",
    )
    for begins in (31, 62):
        fig.axes[0].axvline(begins, color=viz.GREY, lw=1, ls=":")
    return fig


# %% [markdown]
# The largest difference is {glue:text}`linear_gap:.2g` points. The figure shows the stored scores along Model L. Dotted lines mark where blocks 2 and 3 begin.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Held-out accuracy of linear probes along the 93 layers of Model L: c1 reaches 100 percent in the MLP of block 1, c2 at the end of block 2, c3 at the very end; c1 and c2 drop again inside later blocks; the control stays near zero."}, "figure": {"name": "fig-05-linear", "caption": "Linear probes along the layers of Model L, judged on unseen pairs. Each sum becomes readable in the block that was trained for it. The control stays near zero everywhere."}}
along_the_layers(linear_l, "Model L")

# %% [markdown]
# Table 3 of the paper asks of each target which layers match it perfectly. Our criterion is that no unseen pair is wrong.


# %% tags=["paper-T03", "hide-input"] mystnb={"figure": {"name": "tab-05-l", "caption": "Linear probes on Model L: for each target, the number of layers without a mistake on unseen pairs, the block ends among them, and the best layer."}}
def table_3(scores):
    """For each target: layers without a mistake, and the best one."""
    frame = pd.DataFrame(100 * scores, names, list(targets))
    perfect = frame == 100
    ended = [", ".join(e for e in ends if perfect[t][e]) for t in targets]
    return pd.DataFrame(
        {
            "perfect layers": perfect.sum(),
            "block ends among them": ended,
            "best layer": frame.idxmax(),
            "its accuracy (%)": frame.max(),
        }
    )


table_l = table_3(linear_l[..., 1])
table_l.round(1)

# %% tags=["remove-cell"]
for target, row in table_l.drop("control").iterrows():
    note(**{f"l_{target}": int(row["perfect layers"])})
    note(**{f"l_among_{target}": row["block ends among them"] or "none"})

# %% [markdown]
# {numref}`tab-05-counts` sets our layers beside the paper's. In our network, the block end that was trained for a sum always gives it without a mistake.
#
# :::{table} Layers of Model L that give a sum without a mistake, in our network and in the paper's.
# :name: tab-05-counts
#
# | target | our layers | the paper's layers | block ends among ours |
# | --- | --- | --- | --- |
# | $c_1$ | {glue:text}`l_c1:d` | 22 | {glue:text}`l_among_c1` |
# | $c_2$ | {glue:text}`l_c2:d` | 22 | {glue:text}`l_among_c2` |
# | $c_3$ | {glue:text}`l_c3:d` | 2 | {glue:text}`l_among_c3` |
# :::
#
# How many other layers give a sum may depend on the training, because later blocks can keep the old answer or overwrite it.
#
# Model E was trained for $c_3$ alone.

# %% tags=["paper-T03"] mystnb={"figure": {"name": "tab-05-e", "caption": "Linear probes on Model E, judged on unseen pairs. No layer gives $c_1$ or $c_2$ without a mistake."}}
table_e = table_3(linear_e[..., 1])
table_e.round(1)

# %% tags=["remove-cell"]
best_e, where_e = table_e["its accuracy (%)"], table_e["best layer"]
note(e_best_c1=float(best_e["c1"]), e_best_c2=float(best_e["c2"]))
note(e_where_c1=where_e["c1"], e_where_c2=where_e["c2"])
note(e_c3=int(table_e["perfect layers"]["c3"]))
note(e_control_seen=100 * float(linear_e[:, -1, 0].max()))

# %% [markdown]
# No layer of Model E gives $c_1$ or $c_2$ without a mistake. The best accuracies are {glue:text}`e_best_c1:.1f` % (at {glue:text}`e_where_c1`) and {glue:text}`e_best_c2:.1f` % (at {glue:text}`e_where_c2`). The answer $c_3$ is perfect in {glue:text}`e_c3:d` layers. On the pairs on which it was fitted, even a linear probe gets up to {glue:text}`e_control_seen:.0f` % of the *control* right. The hidden layer of the {term}`MLP` has 512 numbers, enough to memorise a part of a random list.
#
# With equal moduli Model E may not need $c_1$ and $c_2$, because $c_3$ is a single sum. With nested moduli it is not. [Page 04b](04b-how-training-goes.ipynb#as-long-as-the-paper-trains) trains such a Model E for as many epochs as the paper has, and it gets {glue:text}`long_val:.1f` % of its unseen pairs right. Does it hold the sums on the way?

# %% tags=["paper-T03"] mystnb={"figure": {"name": "tab-05-e-nested", "caption": "Linear probes on Model E with nested moduli, judged on unseen pairs."}}
linear_n, record_n = known_targets.load("linear-e-nested", profile, seed)
table_n = table_3(linear_n[..., 1])
table_n.round(1)

# %% tags=["remove-cell"]
net_n = trained_networks.load("model-e-nested-long", profile)
note(long_val=100 * net_n.accuracies()[1])
best_n, where_n = table_n["its accuracy (%)"], table_n["best layer"]
for k in ("c1", "c2", "c3"):
    note(**{f"n_best_{k}": float(best_n[k]), f"n_where_{k}": where_n[k]})

# %% [markdown]
# A linear probe reads neither of them well from any layer. The best accuracies are {glue:text}`n_best_c1:.0f` % for $c_1$ and {glue:text}`n_best_c2:.0f` % for $c_2$. A linear probe gets {glue:text}`n_best_c3:.1f` % of the answer $c_3$ right, about as much as the network itself. So even with moduli that make the sums on the way matter, a linear probe does not find them in Model E.
#
# The paper does not judge by accuracy but by the residual of a linear regression. Our networks do not match perfectly by that criterion. [Going deeper: other ways to look](05b-other-ways-to-look.ipynb) shows why.
#
# ## A probe with two layers
#
# The paper then takes scikit-learn's `MLPClassifier` with its default parameters. It finds that this probe predicts $c_1$ and $c_2$ perfectly from Model E. One fit takes some seconds, so these scores are stored as well.

# %%
classifier, record_c = known_targets.load("classifier", profile, seed)
seen, held_out = table_3(classifier[..., 0]), table_3(classifier[..., 1])

# %% [markdown]
# We fit one probe again, $c_3$ at the end of the first block, to see that the code still gives the stored number.

# %%
layer = layers_e["blocks.0.resid_post"]
again = mlp_probe(layer, targets["c3"], training_rows(net_e), seed)
then = classifier[names.index("0.resid_post"), list(targets).index("c3")]
float(np.abs(again - then).max())

# %% tags=["remove-cell"]
note(probe_gap=100 * float(np.abs(again - then).max()))

# %% [markdown]
# The difference is {glue:text}`probe_gap:.2g` points. First we look at the pairs on which the probe was fitted.

# %% mystnb={"figure": {"name": "tab-05-seen", "caption": "Two-layer probes on Model E, judged on the pairs on which they were fitted. Even the control is found."}}
seen.round(1)

# %% tags=["remove-cell"]
note(mlp_seen_c1=int(seen["perfect layers"]["c1"]))
note(mlp_seen_c2=int(seen["perfect layers"]["c2"]))
note(mlp_seen_control=float(seen["its accuracy (%)"]["control"]))

# %% [markdown]
# On these pairs we see what the paper reports: {glue:text}`mlp_seen_c1:d` layers match $c_1$ perfectly, and {glue:text}`mlp_seen_c2:d` match $c_2$. But look at the last row. In the best layer the probe gets {glue:text}`mlp_seen_control:.1f` % of the control right, and the control is a random list. A probe that can do this will find whatever it is asked for. Now the pairs that it has not seen.

# %% mystnb={"figure": {"name": "tab-05-unseen", "caption": "The same probes, judged on unseen pairs. The control is no longer found, and no layer gives $c_1$ or $c_2$ without a mistake."}}
held_out.round(1)

# %% tags=["remove-cell"]
best, where = held_out["its accuracy (%)"], held_out["best layer"]
note(mlp_c1=float(best["c1"]), mlp_c2=float(best["c2"]))
note(mlp_where_c1=where["c1"], mlp_where_c2=where["c2"])
note(mlp_control=float(best["control"]))
in_short, ax = viz.new_figure(6.0, 3.4)
places = np.arange(len(targets))
for shift, frame, label, colour in (
    (-0.2, seen, "pairs on which it was fitted", viz.ORANGE),
    (0.2, held_out, "unseen pairs", viz.BLUE),
):
    drawn = ax.bar(
        places + shift, frame["its accuracy (%)"], 0.4, color=colour, label=label
    )
    ax.bar_label(drawn, fmt="%.0f", padding=2, fontsize=9)
ax.set(xticks=places, ylabel="accuracy in the best layer (%)", ylim=(0, 112))
ax.set_xticklabels(["sum 1", "sum 2", "sum 3, the answer", "control"])
ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
keep_figure("fig_in_short_05", in_short)

# %% [markdown]
# The best accuracy on unseen pairs is {glue:text}`mlp_c1:.1f` % for $c_1$ (at {glue:text}`mlp_where_c1`). It is {glue:text}`mlp_c2:.1f` % for $c_2$ (at {glue:text}`mlp_where_c2`), and {glue:text}`mlp_control:.1f` % for the control. The next figure shows it along the layers.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Held-out accuracy of two-layer probes along the 93 layers of Model E: c3 rises to 100 percent at the end; c1 and c2 rise and fall and never reach 100; the control stays near zero."}, "figure": {"name": "fig-05-two-layers", "caption": "Two-layer probes along the layers of Model E, judged on unseen pairs. The sums $c_1$ and $c_2$ can partly be computed from some layers, most of them late in a block. The control stays near zero."}}
along_the_layers(classifier, "Model E")

# %% [markdown]
# If a two-layer probe finds a target on unseen pairs, the target can be *computed* from the layer. This does not say that the network computed it. The sum $c_1 = (a + b) \bmod 59$ can be computed from the input as well, by any network that learns to add. A strong probe says whether a target can still be computed, not whether it has been.
#
# ## The distance to a target
#
# Table 2 of the paper looks for the targets with GW. For this a target must be a metric space: we must say how far 3 is from 5. The text we worked from does not say it. There are three natural ways: integers on a line, points on a circle, and classes that are all equally far from each other.


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
# Before we compute any distance, we count. How often does each value occur in each target, over all pairs?

# %%
counts = np.stack([np.bincount(targets[t], minlength=p) for t in known])
int(counts.min()), int(counts.max())

# %% tags=["remove-cell"]
note(fewest=int(counts.min()), most=int(counts.max()))

# %% [markdown]
# Each of the 59 values occurs at least {glue:text}`fewest:d` and at most {glue:text}`most:d` times in $c_1$, in $c_2$ and in $c_3$. So as metric spaces the three targets are *the same space*: reorder the inputs, and one becomes the other. GW does not see the order of the inputs. So with equal moduli **every layer of every network is exactly as far from $c_1$ as from $c_2$ and from $c_3$**. This is a proof. It needs no experiment.
#
# ## What a sample shows
#
# On a sample of the inputs the three targets do differ, by the luck of the sample. We compute all distances on such a sample, for Model L.


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
# The next table is like Table 2 of the paper, with the closest layer for each target in each of the three metrics. "Ties" counts the layers that are at most 5 % farther than the closest.


# %% tags=["paper-T02", "hide-input"] mystnb={"figure": {"name": "tab-05-gw", "caption": "The GW distance from the layers of Model L to each target, on a sample: the closest layer, its distance, ties, and the distances of the three block ends. The rows hardly depend on which sum is the target."}}
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
# For each target one block end was trained to hold it. How many layers are closer to the target than this block end? We count them in each metric.


# %%
def closer_layers(distances, ends):
    """How many layers are closer to a target than the right one."""
    holder = dict(zip(known, ends, strict=True))
    own = [distances[c][holder[c.split(" ")[0]]] for c in distances]
    return (distances < own).sum()


closer = closer_layers(distances, ends)

# %% tags=["remove-cell"]
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
# Is the block end that was *trained* for a target also the closest layer to it? For $c_1$ it is in {glue:text}`gw_right_c1:d` of the three metrics, for $c_2$ in {glue:text}`gw_right_c2:d`, and for $c_3$ in {glue:text}`gw_right_c3:d`. As the proof leads us to expect, on this sample too the distances hardly depend on the target. Take one layer and measure its distance to $c_1$, to $c_2$ and to $c_3$. The largest and the smallest of the three differ by {glue:text}`between_targets:.3f` in the median. Between layers the distances differ by far more. The middle half of the layers covers a range of {glue:text}`across_layers:.3f`.
#
# The first two rows of the paper's Table 2 name *different* closest layers for $c_1$ and $c_2$. With equal moduli, GW on all pairs cannot do this. We see three possible explanations. The paper's moduli are not equal, or its sample decided, or its {term}`coupling` stayed at the identity. In our sample, too, the closest layers differ on the line ({glue:text}`line_c1`, {glue:text}`line_c2` and {glue:text}`line_c3`).
#
# A measure that keeps each input matched with itself can tell the targets apart. [Going deeper](05b-other-ways-to-look.ipynb) shows that a measure must do this to find the right layers, and that this alone is not enough. A similarity asks how much of a layer *is* the target, a probe whether the target is in it.
#
# ## Targets that are not the same space
#
# With nested moduli the targets have 59, 31 and 17 values, so GW could tell them apart. Our Model L does not learn them. But [chapter 04](04-modular-sum-training.ipynb) has a {term}`chain` of networks with one block for each sum. A part receives nothing from the part before it but its answer, so we know where each sum is.

# %% tags=["paper-T02", "hide-output"] mystnb={"figure": {"name": "tab-05-chain", "caption": "The GW distance from the layers of the chain to each target with nested moduli, as in the table above."}}
chain = trained_networks.load("known-boundaries/1-1-1", profile)
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

# %% mystnb={"figure": {"name": "tab-05-closer", "caption": "For each target and metric, the number of layers of the chain that are closer to it than the right layer. Zero would mean that GW finds the right one."}}
closer_c = closer_layers(apart, parts)
closer_c.rename("layers closer than the right one").to_frame()

# %% tags=["remove-cell"]
note(nested_right=int((closer_c == 0).sum()), nested_of=len(closer_c))
begin = [nested["closest"][f"{target} classes"] for target in known]
note(part_c1=begin[0], part_c2=begin[1], part_c3=begin[2])

# %% [markdown]
# In {glue:text}`nested_right:d` of {glue:text}`nested_of:d` cases the layer that holds the target is the closest one. But the same layer is also the closest to another target, so this says little. With the targets as classes, the closest layers are {glue:text}`part_c1` for $c_1$, {glue:text}`part_c2` for $c_2$ and {glue:text}`part_c3` for $c_3$. Each of these layers lies where a part *begins*. At the last position such a layer contains $b$ alone. Like $c_1$, the number $b$ has 59 equally frequent values, so GW cannot tell these two apart. This does not explain the layers for $c_2$ and $c_3$.
#
# So in this chain GW does not find the targets, although their moduli differ. GW compares shapes, and other layers can be closer to a target in shape than the layer that holds it. (Which of these layers comes first may differ on your machine, see [how to use this book](../book/how-to-use.md).)
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C10, Table 2, row 1: $c_1$ is closest to Resid-Post1 | ours | disagrees, as it must with equal moduli: the three targets are one space | Resid-Post1 is closest in {glue:text}`gw_right_c1:d` of three metrics |
# | C10, Table 2, row 2: $c_2$ is closest to Resid-Post2 | ours | disagrees, for the same reason | Resid-Post2 is closest in {glue:text}`gw_right_c2:d` of three metrics |
# | C10, Table 2, row 3: $c_3$ is closest to Resid-Post2, Resid-Pre2, Resid-Post3 and 6 others | ours | undecided | Resid-Post3 is closest in {glue:text}`gw_right_c3:d` of three metrics; neither metric nor moduli are in the text we worked from |
# | C10 in general: GW finds the layer of each target | ours | disagrees, for equal moduli by a proof, for nested ones in one chain | the targets' values occur equally often, {glue:text}`most:d` times each; with nested moduli the right layer is closest in {glue:text}`nested_right:d` of {glue:text}`nested_of:d` cases |
# | C16, Table 3, Model L, $c_1$: Resid-Post1 and 21 others are perfect | ours | agrees for Resid-Post1, by a classifier; the number of layers differs | {glue:text}`l_c1:d` layers, block ends among them: {glue:text}`l_among_c1` |
# | C16, Table 3, Model L, $c_2$: Resid-Post2 and 21 others | ours | agrees for Resid-Post2, by a classifier; the number of layers differs | {glue:text}`l_c2:d` layers, block ends among them: {glue:text}`l_among_c2` |
# | C16, Table 3, Model L, $c_3$: Resid-Post3 and Post2 | ours | agrees for Resid-Post3, by a classifier | {glue:text}`l_c3:d` layers, block ends among them: {glue:text}`l_among_c3` |
# | C17, Table 3, Model E, linear: no layer holds $c_1$ or $c_2$ | ours | agrees | held-out accuracy {glue:text}`e_best_c1:.1f` % and {glue:text}`e_best_c2:.1f` % at best |
# | C17, Table 3, Model E, linear, with nested moduli and 26,000 epochs: no layer holds $c_1$ or $c_2$ | ours | agrees; the network has {glue:text}`long_val:.1f` % on unseen pairs | held-out accuracy {glue:text}`n_best_c1:.1f` % and {glue:text}`n_best_c2:.1f` % at best |
# | C17, Table 3, Model E, two layers: $c_1$ and $c_2$ are found perfectly | ours | disagrees on unseen pairs | seen: {glue:text}`mlp_seen_c1:d` and {glue:text}`mlp_seen_c2:d` perfect layers, but the control has {glue:text}`mlp_seen_control:.1f` %; unseen: {glue:text}`mlp_c1:.1f` % and {glue:text}`mlp_c2:.1f` % at best |
# | D09: why these layers? | - | open for GW: with equal moduli there can be no reason, and the paper's moduli are not in the text we worked from | the right layer is closest in {glue:text}`gw_right_c1:d`, {glue:text}`gw_right_c2:d` and {glue:text}`gw_right_c3:d` of three metrics |
# | D09, for the probes | - | answered: those layers were trained to hold the target, and the layers after them have not lost it yet | {glue:text}`l_c1:d`, {glue:text}`l_c2:d` and {glue:text}`l_c3:d` layers without a mistake |
#
# Claim C16 by the residual of a regression, as in the paper, is answered on the [page that goes deeper](05b-other-ways-to-look.ipynb).
#
# No row tests the paper's own moduli. Where our results disagree with the paper's, the moduli may be the reason.
#
# **Before you trust a probe**: give its accuracy on inputs that it was not fitted on, beside that for a control target. **Before you trust a nearest target**: check that the targets are not the same space.
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
# To read again: [A probe with two layers](#a-probe-with-two-layers)
#
# **2. Three targets are sums modulo 59 in which every value occurs equally often. Why can GW not tell them apart?**
#
# <details><summary>a. The sums are too similar.</summary>No: as functions of a pair they are quite different. They differ only in which pair has which value.</details>
# <details><summary>b. The search is not good enough.</summary>No: the best matching has the same cost for all three, and that can be proved.</details>
# <details><summary>c. As metric spaces they are one: relabel the pairs, and one becomes the other.</summary>Right: and GW is free to relabel.</details>
#
# To read again: [The distance to a target](#the-distance-to-a-target)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} A control
# :label: ex-05-control
#
# *Difficulty 1 of 4, importance 5 of 5, 5 minutes.* Write `control(target, rng)`: a target that no input explains, but for which guessing is as easy as for the real one.
#
# ```{dropdown} Hint 1
# A probe that always answers the most frequent value should be right equally often for both.
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
# :::{exercise} When two targets are one
# :label: ex-05-one
#
# *Difficulty 3 of 4, importance 5 of 5, 10 minutes.* Gromov-Wasserstein sees neither the order of the inputs nor the names of the classes. Write `one_space(first, second)`: whether two lists of labels are one space to it, if classes are all equally far apart.
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
# :::{exercise} A linear probe by hand
# :label: ex-05-readout
#
# *Difficulty 3 of 4, importance 5 of 5, 20 minutes.* Write `readout(layer, labels, fitted_on)` with NumPy alone: fit a linear map from the rows (n, d) that `fitted_on` marks with `True` to their labels, and return the labels that it reads off the *other* rows. Labels are names, so their order and size mean nothing. A layer may lie far from 0 or have equal columns.
#
# ```{dropdown} Hint 1
# One column of zeros and ones for each label. Which of the predicted columns wins?
# ```
# ```{dropdown} Hint 2
# Append a column of ones to the layer. `np.linalg.lstsq` fits all columns at once, and `np.unique(..., return_inverse=True)` leads from labels to numbers and back.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def readout(layer, labels, fitted_on):
    """Labels of the rows (n, d) that were not fitted on."""
    names, which = np.unique(labels[fitted_on], return_inverse=True)
    wide = np.column_stack([layer, np.ones(len(layer))])
    columns = np.eye(len(names))[which]
    weights = np.linalg.lstsq(wide[fitted_on], columns)[0]
    return names[(wide[~fitted_on] @ weights).argmax(axis=1)]


check.readout(readout)

# %% [markdown]
# :::{exercise} Predict which targets are one space
# :label: ex-05-predict
#
# *Difficulty 3 of 4, importance 5 of 5, 20 minutes.* Choose at least four targets of your own: functions of $a$ and $b$, both below 5, written as `targets(a, b)`, a dictionary from names to labels (25,). Which pairs of them are at a Gromov-Wasserstein distance of 0, if labels are classes that are all equally far apart? Write these pairs of names into `predicted()`, as a set of tuples. Only then write `apart(first, second)`, the distance of two labellings. Then compare. Some pairs must be one space and some not.
#
# ```{dropdown} Hint 1
# How often does each value occur? Count before you run. Products have more zeros than sums.
# ```
# ```{dropdown} Hint 2
# As a layer, a labelling is a matrix with a column of zeros and ones for each class. `fs.gw` does the rest.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Pairs of targets that are at distance 0."""
    return {("a", "a + b"), ("a", "a + 2b"), ("a + b", "a + 2b")}


def targets(a, b):
    """Labels (25,) by name."""
    sums = {"a": a, "a + b": (a + b) % 5, "a + 2b": (a + 2 * b) % 5}
    return sums | {"ab": (a * b) % 5}


def apart(first, second):
    """Gromov-Wasserstein distance of two labellings (n,), as classes."""
    points = [
        (labels[:, None] == np.unique(labels)).astype(float)
        for labels in (first, second)
    ]
    return fs.gw(*points).distance


check.predicted(predicted, targets, apart)

# %% [markdown]
# ## Where the stored results come from
#
# The next cell shows the records of the networks and of the stored scores.

# %% tags=["hide-cell"]
for one in (net_l, net_e, chain):
    print(one.origin)
print(record_l, record_e, record_n, record_c, net_n.origin, sep="\n")

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
