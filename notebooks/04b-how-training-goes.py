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
#     data: [model-0/seed-0, model-0-decay-1, model-e-equal/seed-0, model-e-equal-unclipped, model-e-nested/seed-0, model-e-nested-long, model-l-nested, model-l-nested-long, second-sum]
# ---

# %% [markdown]
# # 04b How training goes
#
# [Chapter 04](04-modular-sum-training.ipynb) trains networks that add. What do {term}`weight decay`, {term}`slingshots <slingshot>`, the input of a {term}`block` and more time change? This page goes deeper. Nothing later needs it.
#
# **Time**: 8 minutes to read, half a minute to run.
# **In the paper**: section 5.1, appendix A.

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
# The imports come first.

# %%
import numpy as np
import pandas as pd

from funcsim import viz
from replication.data.modular_addition import levels
from replication.models.modular_transformer import ModularTransformer
from replication.modular_addition import second_stage, trained_networks
from replication.training.modular import TrainingConfig, train

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import note

# %% [markdown]
# ## Half the weight decay
#
# {term}`Model 0 <Model 0, Model E, Model L>` is trained with weight decay 2.0. Here is a second network with weight decay 1.0. Nothing else is changed but the number of epochs.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Validation accuracy of Model 0 over epochs with weight decay 2 and 1: with 1 it reaches 100 percent much later."}, "figure": {"name": "fig-04b-decay", "caption": "Validation accuracy of Model 0 with two values of the weight decay. With half the weight decay the last pairs become right later."}}
model_0 = trained_networks.load("model-0", profile, seed)
halved = trained_networks.load("model-0-decay-1", profile)
curves = model_0.history.curves()
decay_1 = halved.history.curves()["val_accuracy"]
viz.curves(
    {
        "weight decay 2.0": 100 * curves["val_accuracy"],
        "weight decay 1.0": 100 * decay_1,
    },
    xlabel="epoch",
    ylabel="validation accuracy (%)",
)

# %% tags=["remove-cell"]
note(full_val=int(np.argmax(curves["val_accuracy"] == 1)))
note(full_val_decay_1=int(np.argmax(decay_1 == 1)))

# %% [markdown]
# With weight decay 2.0 all validation pairs are right for the first time after {glue:text}`full_val:d` epochs. With weight decay 1.0 this takes {glue:text}`full_val_decay_1:d` epochs.
#
# ## Does this code repeat the stored training?
#
# We train a new network for twenty epochs from the same seed and compare the losses.

# %%
again = ModularTransformer(model_0.model.config, model_0.seed)
split, config = model_0.split, TrainingConfig(epochs=20)
twenty = train(again, split, config, progress=False).curves()
gap = np.abs(twenty["train_loss"] / curves["train_loss"][:20] - 1).max()
float(gap)

# %% tags=["remove-cell"]
note(replay_gap=gap)

# %% [markdown]
# The losses agree within a relative {glue:text}`replay_gap:.1g`. On the machine that stored them they agree to the last bit. Other processors add in another order.
#
# ## Block 2 of Model L in eight ways
#
# With {term}`nested moduli <moduli, equal and nested>` block 2 of Model L does not learn its sum. Chapter 04 retrains it in eight ways. In four of them the {term}`residual stream` is rescaled to length 1. In the others it is long, as it was. In six of the eight, $c_1$, $b$ or both get a fresh embedding, added at the second position. The $c_1$ is the first stage's answer. The first stage is the same in all eight ways. In each way block 2 is trained for at most 1,500 epochs.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-04b-ways", "caption": "Validation accuracy of block 2 at the end, in per cent, from three choices of its initial weights."}}
READ_AS = {
    "as handed on": "long",
    "length 1": "rescaled",
    "nothing anew": "nothing fresh",
    "c1 anew": "fresh c1",
    "b anew": "fresh b",
    "both anew": "fresh c1 and b",
}


def load_ways(start):
    """The curves of each way by its name on this page, and the record."""
    ways, record = second_stage.load(profile, start)
    as_read = {
        ", ".join(READ_AS[word] for word in name.split(", ")): way
        for name, way in ways.items()
    }
    return as_read, record


ways, record_w = load_ways(seed)
ended = {}
for s in (seed,) if profile == "smoke" else (0, 1, 2):
    loaded = load_ways(s)[0]
    val = {name: 100 * way["val"][-1] for name, way in loaded.items()}
    ended[f"start {s}"] = val
pd.DataFrame(ended).round(1)

# %% [markdown]
# The next figure shows the four ways with a rescaled stream, epoch by epoch.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Validation accuracy of block 2 over epochs on the rescaled stream: with both numbers fresh it is close to 100 percent within two hundred epochs; with one of them it climbs slowly to about 90; with neither it ends below 30."}, "figure": {"name": "fig-04b-ways", "caption": "Validation accuracy of block 2 on the rescaled stream, from the first choice of initial weights. Both fresh embeddings together make the sum easy."}}
viz.curves(
    {
        name.removeprefix("rescaled, "): 100 * way["val"]
        for name, way in ways.items()
        if name.startswith("rescaled")
    },
    xlabel="epoch",
    ylabel="validation accuracy (%)",
)

# %% tags=["remove-cell"]
both = ways["rescaled, fresh c1 and b"]["val"]
note(both_at=int(np.argmax(both == 1)))
nested = trained_networks.load("model-l-nested", profile, seed)
once = nested.histories[1].curves()["val_accuracy"]
again = ways["long, nothing fresh"]["val"]
note(again=100 * float(np.abs(again - once).max()))

# %% [markdown]
# On the rescaled stream with both fresh embeddings, all validation pairs are right for the first time after {glue:text}`both_at:d` epochs. In one of the eight ways nothing is changed, so it only trains the second stage once more. The curve of this way is at most {glue:text}`again:.1f` points away from that of the second stage in chapter 04.
#
# ## Do slingshots help?
#
# Model E with equal moduli is trained by two recipes. *Unchanged* is the recipe of Model 0. *Clipped* limits the gradient to length 1, has a larger $\epsilon$ in AdamW, and stops when all validation pairs have been right for a hundred epochs in a row.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Training and validation accuracy of Model E over epochs: training accuracy is full early but falls sharply every few hundred epochs; validation accuracy climbs in steps, one after each fall."}, "figure": {"name": "fig-04b-recipes", "caption": "Accuracy of Model E with both recipes. Both have slingshots. The clipped recipe learns later and is stopped when it is right."}}
model_e = trained_networks.load("model-e-equal", profile, seed)
unchanged = trained_networks.load("model-e-equal-unclipped", profile)
deep = {
    "clipped": model_e.history.curves(),
    "unchanged": unchanged.history.curves(),
}
lines = {
    f"{name}, {part}": 100 * recipe[f"{part}_accuracy"]
    for name, recipe in deep.items()
    for part in ("train", "val")
}
viz.curves(lines, xlabel="epoch", ylabel="accuracy (%)")

# %% [markdown]
# A slingshot begins where the training accuracy falls below 95 % after it was full. For each one we compare the mean validation accuracy over the fifty epochs before and over epochs 50 to 100 after.


# %%
def slingshots(curves):
    """Where training accuracy falls below 95 % after it was full."""
    full = np.argmax(curves["train_accuracy"] == 1)
    low = np.flatnonzero(curves["train_accuracy"] < 0.95)
    low = low[low > full]
    return low[np.diff(low, prepend=-100) > 50]


def gains(curves):
    """Validation accuracy (%) before and after each slingshot."""
    val, found = 100 * curves["val_accuracy"], slingshots(curves)
    around = [
        (k, val[k - 50 : k].mean(), val[k + 50 : k + 100].mean())
        for k in found
        if k + 100 <= len(val)
    ]
    columns = ["epoch", "before (%)", "after (%)"]
    return pd.DataFrame(around, columns=columns)


gained = {name: gains(c) for name, c in deep.items()}

# %% [markdown]
# The last six slingshots of the clipped recipe:

# %% mystnb={"figure": {"name": "tab-04b-gains", "caption": "Model E, clipped recipe: mean validation accuracy in the fifty epochs before each of the last six slingshots, and in epochs 50 to 100 after its beginning."}}
gained["clipped"].tail(6).round(1)

# %% tags=["remove-cell"]
for name, g in gained.items():
    helped = int((g["after (%)"] > g["before (%)"]).sum())
    note(**{f"n_{name}": len(g), f"helped_{name}": helped})

# %% [markdown]
# With the clipped recipe, validation accuracy is higher after {glue:text}`helped_clipped:d` of {glue:text}`n_clipped:d` slingshots. With the unchanged recipe it is higher after {glue:text}`helped_unchanged:d` of {glue:text}`n_unchanged:d`. But validation accuracy rises over the whole run, so this alone does not show that slingshots cause the rise.
#
# ## Where Model E errs
#
# With nested moduli nearly all errors of Model E look like one missed 31. Suppose that the network cannot tell whether the second sum has passed 31. Then it should be wrong most often where this sum, before its remainder is taken, is close to a multiple of 31. For the network of seed 0 we take the pairs whose second sum is at most 2 away from a multiple, and compare them with all others.

# %%
nested_e = trained_networks.load("model-e-nested", profile, seed)
_, second, last = nested_e.plan.steps
inputs, labels = nested_e.split.val_inputs, nested_e.split.val_labels
off = (nested_e.at(nested_e.predictions[-1], inputs) != labels).numpy()
c1 = levels(inputs, nested_e.plan.steps)[:, 0]
rest = (c1 + inputs[:, 1]).numpy() % second.modulus
near = np.minimum(rest, second.modulus - rest) <= second.modulus // 15
100 * float(off[near].mean()), 100 * float(off[~near].mean())

# %% tags=["remove-cell"]
note(wrong_near=100 * float(off[near].mean()))
note(wrong_far=100 * float(off[~near].mean()))

# %% [markdown]
# Close to a multiple of 31, {glue:text}`wrong_near:.0f` % of the answers are wrong. Elsewhere {glue:text}`wrong_far:.0f` % are wrong. A missed 59 in the first sum nearly always gives errors of the same size, so their size does not tell which sum is the reason.
#
# ## As long as the paper trains
#
# Do Models L and E fail with nested moduli only because we stopped them too early? We train one more of each with the same recipes, for up to {glue:text}`long_epochs:,d` epochs, as many as the paper has. Each stage of Model L may use as many.

# %%
long_l = trained_networks.load("model-l-nested-long", profile)
long_e = trained_networks.load("model-e-nested-long", profile)
long_curves = {
    "Model E": long_e.history,
    "Model L, block 2": long_l.histories[1],
    "Model L, block 3": long_l.histories[2],
}

# %% [markdown]
# How do they learn?

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Validation accuracy over 26,000 epochs with nested moduli. Model E climbs from near 65 to 94 per cent, with many dips. Block 2 of Model L stays near 12 per cent until about epoch 18,000, rises steeply near 20,000, and ends near 40. Block 3 of Model L stays near 5."}, "figure": {"name": "fig-04b-long", "caption": "Validation accuracy of Model E, and of blocks 2 and 3 of Model L, with nested moduli and long training. Model E goes on learning to the end. Block 2 of Model L begins late. Block 3 builds on block 2 and stays at chance."}}
viz.curves(
    {k: 100 * h.curves()["val_accuracy"] for k, h in long_curves.items()},
    xlabel="epoch",
    ylabel="validation accuracy (%)",
)

# %% [markdown]
# The table shows where each stage ends.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-04b-long", "caption": "Models L and E with nested moduli after long training: epochs, accuracy at the end, and the highest validation accuracy of any epoch."}}
rows = {}
for name, trained in {"Model L": long_l, "Model E": long_e}.items():
    end = 100 * np.array(trained.stage_accuracies())
    sums = ("c1", "c2", "c3")[-len(end) :]
    for k, at_end, h in zip(sums, end, trained.histories, strict=True):
        best = 100 * max(h.val_accuracy)
        rows[f"{name}, {k}"] = [len(h), *at_end, best]
columns = ["epochs", "training (%)", "validation (%)", "highest (%)"]
ended_at = pd.DataFrame(rows, index=columns).T.astype({"epochs": int})
ended_at.round(1)

# %% tags=["remove-cell"]
long_labels = long_e.split.val_labels
answers = long_e.at(long_e.predictions[-1], long_e.split.val_inputs)
missed = (answers - long_labels).remainder(last.modulus)
missed = missed[answers != long_labels]
note(long_off=100 * float(((missed == 3) | (missed == 14)).double().mean()))
note(long_epochs=int(ended_at["epochs"].max()), guess_c3=100 / last.modulus)
note(short_e=100 * nested_e.accuracies()[1])
note(long_e=ended_at.loc["Model E, c3", "validation (%)"])
note(long_c2=ended_at.loc["Model L, c2", "validation (%)"])
note(long_c3=ended_at.loc["Model L, c3", "validation (%)"])
a_fifth = np.array(long_l.histories[1].val_accuracy) >= 0.2
note(long_begins=int(np.argmax(a_fifth)))

# %% [markdown]
# **Model E goes on learning.** In chapter 04 the network of seed 0 was stopped after 4,000 epochs, with {glue:text}`short_e:.0f` % of its validation pairs right. This one has {glue:text}`long_e:.1f` %. So it lacked time. Of its wrong answers {glue:text}`long_off:.0f` % still look like one missed 31.
#
# **Model L does not get there.** Block 2 first memorises a part of its training pairs. It needs {glue:text}`long_begins:,d` epochs to get a fifth of the validation pairs right. From then on it learns both kinds of pairs, and it ends at {glue:text}`long_c2:.0f` % of the validation pairs. Block 3 builds on it and is right in {glue:text}`long_c3:.0f` %, where a guess would be right in {glue:text}`guess_c3:.0f` %.
#
# So with these moduli neither reaches 100 % in {glue:text}`long_epochs:,d` epochs, in one seed of each. Model E may get there with more time.
#
# ## Where the stored results come from
#
# The next cell shows the records.

# %% tags=["hide-cell"]
for one in (model_0, halved, nested, long_l, model_e, unchanged):
    print(one.origin)
for one in (nested_e, long_e):
    print(one.origin)
print(record_w)
