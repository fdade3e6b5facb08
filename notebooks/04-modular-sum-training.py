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
#     data: [model-0, model-e-equal, model-e-equal-unclipped, model-l-equal]
# ---

# %% [markdown]
# # Networks that add
#
# A method that finds the parts of a network should first be tried on networks whose parts
# are known. The paper takes three, and all of them add: given two integers $a$ and $b$,
# **Model 0** says $(a + b) \bmod p$, and **Models E and L** add three times, one sum on top
# of the other. This chapter trains them and checks them; the maps come in
# [chapter 06](06-modular-sum-subnetworks.ipynb). Two things are smaller here than in the
# paper: training stops after a few thousand epochs where the paper takes 26,000, because
# the networks answer all they will answer long before; and there are three seeds of each,
# where the paper shows one.
#
# :::{admonition} What you will learn
# - the tasks, the networks and how they are trained, with every number in its place;
# - what grokking and slingshots look like, and what they have to do with a learning rate;
# - what it means to train a network layer by layer;
# - why the moduli decide whether a network *needs* its intermediate answers.
#
# **Time**: 20 minutes to read, one minute to run.
# **In the paper**: section 5.1, appendix A.
# **You need**: [chapter 01](01-functional-similarity.ipynb); it helps to have seen a transformer.
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0

# %% [markdown]
# The imports:

# %%
import numpy as np
import pandas as pd

from bookkit.notes import note
from funcsim import viz
from funcsim.experiments import modular_sum
from funcsim.experiments.plans import PAPER
from funcsim.models.modular_transformer import ModularTransformer
from funcsim.tasks.modular_sum import EQUAL, NESTED, all_pairs, levels
from funcsim.training.modular import TrainingConfig, train

# %% [markdown]
# ## The tasks
#
# The inputs are all pairs $(a, b)$ of integers below $p = 59$. The paper's first data set asks
# for one sum. The second has three levels, each a sum modulo something of the level before
# and $b$:
#
# $$c_1 = (a + b) \bmod p_1, \qquad c_2 = (c_1 + b) \bmod p_2, \qquad c_3 = (c_2 + b) \bmod p_3 .$$
#
# The text of the paper that we have lost its formulas, so we do not know its moduli. We take
# two variants and name them everywhere. **Equal**: 59, 59, 59. **Nested**: 59, 31, 17. The next cell
# computes all levels of both for four pairs.

# %%
pairs = all_pairs(59)
table = pd.DataFrame(pairs.numpy(), columns=["a", "b"])
for name, steps in {"equal": EQUAL, "nested": NESTED}.items():
    columns = [f"c{k} {name}" for k in (1, 2, 3)]
    table[columns] = levels(pairs, steps).numpy()
table.sample(4, random_state=seed)

# %% [markdown]
# The choice is no detail. With equal moduli the three levels collapse into one: $c_3 = (a + 3b)
# \bmod 59$, a single sum in which $b$ counts three times, and nobody needs $c_1$ or $c_2$ on the
# way. With nested moduli the inner remainders leave their traces. The next cell tests it: in an
# affine sum, one more $a$ always adds the same.


# %%
def increments(column, modulus):
    """How many different amounts one more a can add to a level."""
    grid = table[column].to_numpy().reshape(59, 59)
    return len(np.unique(np.diff(grid, axis=0) % modulus))


note(
    increments_equal=increments("c3 equal", 59),
    increments_nested=increments("c3 nested", 17),
)

# %% [markdown]
# With equal moduli one more $a$ adds {glue:text}`increments_equal:d` amount, always the same; with
# nested moduli {glue:text}`increments_nested:d` different ones, according to which inner sums
# wrap around. Keep this in mind when we ask whether a network contains $c_1$: with equal moduli it
# may have no reason to.
#
# ## The network
#
# One to three transformer blocks: an embedding for each number and each position, four attention
# heads, an MLP with 512 hidden units, no layer normalisation, and the answer read at the second
# position. The architecture and the settings are those of {cite:t}`zhong2023clock`, whose
# choice of $p$ and of the split is also the paper's; they vary the network of
# {cite:t}`nanda2023progress`. The paper says that it follows both, and where they differ it does
# not say which. One difference is the causal mask, which keeps the first position from seeing the
# second: Nanda et al. have it, Zhong et al. do not. For one block it does not matter, because only the second
# position is asked, and that sees both numbers either way. Deeper it does, as we shall see. Model 0 has no mask here, Models E and L have one.

# %%
networks = {
    name: modular_sum.load(name, profile, seed)
    for name in PAPER
    if name != "model-e-equal-unclipped"
}
for trained in networks.values():
    print(trained.origin)

# %% [markdown]
# Each line is the record of one frozen network: what it is, on what it was trained and for how
# long, by which version of the code, and the command that makes it again. The loader refuses
# files that differ from their record. How large are the networks, and how many pairs do they see?

# %%
model_0, model_e = networks["model-0"], networks["model-e-equal"]
split = model_0.split
note(n_train=len(split.train_inputs), n_val=len(split.val_inputs))
note(
    size_0=sum(w.numel() for w in model_0.model.parameters()),
    size_e=sum(w.numel() for w in model_e.model.parameters()),
)

# %% [markdown]
# Model 0 has {glue:text}`size_0:,d` parameters, Model E {glue:text}`size_e:,d`. Of all pairs,
# {glue:text}`n_train:d` are for training and {glue:text}`n_val:d` for validation, drawn at random
# once for each seed. The validation pairs are new, but their parts are not: every number has been seen in
# other pairs.
#
# ## Model 0: one sum, one block
#
# AdamW, learning rate 0.001, all training pairs in every step; the loss is computed in double
# precision, because its tail decides whether the network generalises. The next figure shows the
# loss on both sets.

# %% tags=["fig"] mystnb={"image": {"alt": "Training and validation loss of Model 0 over epochs on a logarithmic axis: training loss falls first, validation loss rises, then follows hundreds of epochs later."}}
curves = model_0.history.curves()
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
again = ModularTransformer(model_0.model.config, model_0.seed)
twenty = train(again, split, TrainingConfig(epochs=20), progress=False).curves()
gap = np.abs(twenty["train_loss"] / curves["train_loss"][:20] - 1).max()
note(replay_gap=gap)

# %% [markdown]
# The losses agree within a relative {glue:text}`replay_gap:.1g`. (On the machine that froze
# them they agree to the last bit; other processors add in other orders.)
#
# ## Model L: three sums, layer by layer
#
# Model L has three blocks, one for each sum. They are trained one after the other:
#
# 1. embeddings, block 1 and a linear readout of its own learn $c_1$;
# 2. all of that is frozen; block 2 and a readout of its own learn $c_2$, from the stream that
#    block 1 passes on;
# 3. the same once more: block 3 and its readout learn $c_3$.
#
# So we *know* where each intermediate answer stands: $c_1$ can be read off the end of block 1
# by a line, and $c_2$ off the end of block 2. In the code a part of the network with its readout
# is a *stage*. The next cell asks each stage for its answer, on training and validation pairs.

# %%
model_l = networks["model-l-equal"]
pd.DataFrame(
    100 * np.array(model_l.stage_accuracies()),
    index=["c1 after block 1", "c2 after block 2", "c3 after block 3"],
    columns=["training (%)", "validation (%)"],
)

# %% [markdown]
# The validation accuracy of the three stages, each counted from its own first epoch:

# %% tags=["fig"] mystnb={"image": {"alt": "Validation accuracy of the three stages of Model L over epochs: each stage rises from chance to 100 percent."}}
stages = {
    f"block {k}": 100 * history.curves()["val_accuracy"]
    for k, history in enumerate(model_l.histories, 1)
}
longest = max(map(len, stages.values()))
viz.curves(
    {k: np.pad(v, (0, longest - len(v)), mode="edge") for k, v in stages.items()},
    xlabel="epoch of the stage",
    ylabel="validation accuracy (%)",
)

# %% [markdown]
# Every stage answers everything, in training and in validation. To freeze is to freeze: the
# tests of this book compare the finished blocks bit by bit before and after the later stages.
#
# ## Model E: three sums at once
#
# Model E has the same three blocks, but it is asked for $c_3$ alone, and all of it learns at once,
# end to end. Nothing says where $c_1$ and $c_2$ should be, or that they should be anywhere.
#
# The recipe that serves a single block fails here. The next figure shows the validation accuracy
# of Model E (equal moduli) with that recipe, and with two changes: no gradient is longer than 1
# (clipping), and the constant $\epsilon$ in the denominator of AdamW is $10^{-6}$ instead of $10^{-8}$.

# %% tags=["fig"] mystnb={"image": {"alt": "Validation accuracy of Model E over epochs: with the unchanged recipe it rises and then falls back again and again; with clipped gradients it rises later and stays near 100 percent."}}
unclipped = modular_sum.load("model-e-equal-unclipped", profile).history.curves()
model_e = networks["model-e-equal"]
clipped = model_e.history.curves()
shown = min(len(c["val_accuracy"]) for c in (unclipped, clipped))
viz.curves(
    {
        "recipe unchanged": 100 * unclipped["val_accuracy"][:shown],
        "clipped, larger epsilon": 100 * clipped["val_accuracy"][:shown],
    },
    xlabel="epoch",
    ylabel="validation accuracy (%)",
)

# %% [markdown]
# With the unchanged recipe the network learns the rule and loses it again, over and over. Jumps
# like these are known from optimisers that divide by a running estimate of the gradient's size, as
# AdamW does, and a larger $\epsilon$ is known to suppress them {cite:p}`thilak2022slingshot`. Let us
# count.


# %%
def falls(curve, percent=10):
    """How often accuracy falls by so many points within fifty epochs, once above 90 %."""
    after = 100 * curve[np.argmax(curve > 0.9) :]
    windows = after[: len(after) // 50 * 50].reshape(-1, 50)
    return int((windows.max(axis=1) - windows.min(axis=1) > percent).sum())


note(
    falls_unclipped=falls(unclipped["val_accuracy"]),
    falls_clipped=falls(clipped["val_accuracy"]),
    end_unclipped=100 * float(unclipped["val_accuracy"][-1]),
    best_unclipped=100 * float(unclipped["val_accuracy"].max()),
    epochs_clipped=len(clipped["val_accuracy"]),
)

# %% [markdown]
# Once it has been above 90 %, the unchanged recipe has {glue:text}`falls_unclipped:d` windows of
# fifty epochs in which more than ten points are lost or regained; the changed one has
# {glue:text}`falls_clipped:d`. The best epoch of the unchanged recipe reaches
# {glue:text}`best_unclipped:.1f` %, the last one {glue:text}`end_unclipped:.1f` %. The changed recipe is stopped after {glue:text}`epochs_clipped:d`
# epochs, when all validation pairs have been right for a hundred epochs in a row. The
# paper reports 100 % and does not mention the problem; with 26,000 epochs and the right
# moment to stop, it may not have met it.

# %% [markdown]
# ## All seeds
#
# One network is one observation. The table loads every frozen network and asks it again: three
# seeds, which decide the initial weights and the split.

# %%
seeds = (seed,) if profile == "smoke" else (0, 1, 2)
rows = []
for name in networks:
    for s in seeds:
        trained = modular_sum.load(name, profile, s)
        at_train, at_val = (100 * x for x in trained.accuracies())
        epochs = sum(map(len, trained.histories))
        rows.append((name, s, epochs, at_train, at_val))
headings = ["network", "seed", "epochs", "training (%)", "validation (%)"]
accuracy = pd.DataFrame(rows, columns=headings).set_index(["network", "seed"])
accuracy.round(2)

# %% [markdown]
# The lowest validation accuracy of each kind:

# %%
lowest = accuracy["validation (%)"].groupby("network").min()
note(**{"low_" + name.replace("-", "_"): float(x) for name, x in lowest.items()})
note(cost=sum(t.record.seconds if t.record else 0 for t in networks.values()) / 60)
lowest.round(2)

# %% [markdown]
# Models 0 and L are perfect in every seed. Model E with equal moduli reaches at least
# {glue:text}`low_model_e_equal:.1f` %. With nested moduli, where no short cut exists, it reaches
# {glue:text}`low_model_e_nested:.1f` % at worst: all training pairs right does not mean that the rule was
# found. Training one seed of every kind took {glue:text}`cost:.0f` minutes on the machine that froze them.
#
# ## What we found
#
# | claim | our answer | evidence on this page |
# | --- | --- | --- |
# | C09: all modular models reach 100 % accuracy (5.1) | holds for Models 0 and L | lowest validation accuracy over three seeds {glue:text}`low_model_0:.1f` % and {glue:text}`low_model_l_nested:.1f` % (nested), {glue:text}`low_model_l_equal:.1f` % (equal) |
# | C09, for Model E with equal moduli | holds with a changed recipe | {glue:text}`low_model_e_equal:.1f` % at worst; unchanged, the last epoch has {glue:text}`end_unclipped:.1f` % |
# | C09, for Model E with nested moduli | differs | {glue:text}`low_model_e_nested:.1f` % at worst |
#
# To doubt D10, whether 100 % means training or validation data: both are in the table. To doubt
# D06, whether one seed is enough: three seeds are there, and the next chapters use them.
#
# Where the paper is vague: it gives neither its moduli (in the text we have), nor its weight decay, nor
# whether attention is masked. With equal moduli a network has no need of $c_1$ and $c_2$; whoever
# looks for three functions in Model E must know which moduli it was trained with.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
