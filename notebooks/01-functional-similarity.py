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
# # 01 Functional similarity
#
# Two layers of a network have different widths and hold different numbers. Can they still do the same work? And how would we find out, if nobody tells us what the work is?
#
# ## In short
#
# Each layer is a function of the input, so two layers can be compared as functions. The score that compares them decides what counts as similar. A score that fits only straight lines can miss strong similarity. On unseen numbers the best line explains a share of {glue:text}`r2_line:.3f` of a parabola's variance, no more than guessing the mean. A small network explains {glue:text}`r2_network:.4f`, nearly everything. The same happens inside a trained network that adds two numbers. Before one {term}`ReLU` a {term}`linear probe` finds the sum for {glue:text}`probe_pre:.1f` % of the inputs. After this ReLU it finds the sum for {glue:text}`probe_post:.1f` %. A probe needs a target, and for most networks we have none. So this book compares layers *with one another*.
#
# :::{glue:figure} fig_in_short_01
# :name: fig-01-in-short
# :alt: Left, a parabola and the flat line that fits it best. Right, how often a linear probe reads the sum off six layers of a small transformer, nearly never before the ReLU and nearly always after it.
#
# What a straight line can and cannot see. Left: the best line through a parabola is flat, although the layer output $z$ determines the target. Right: six layers of a network that adds. All of them determine the sum, but a linear probe finds it only from the ReLU on.
# :::
#
# :::{admonition} What you will learn
# - why a layer can be read as a function, and what it means for two functions to be similar;
# - an example in which a linear probe sees nothing and a non-linear one sees everything;
# - how to read the {term}`representations <representation>` out of any PyTorch model, and the trap in doing so;
# - why probes do not help when the target is unknown.
#
# **Time**: 15 minutes to read, under a minute to run.
# **In the paper**: section 3, appendix B.
# **You need**: Python with NumPy, linear regression, and for the second half the rough plan of a transformer.
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
# The imports come first. `fs` is the small library that goes with this book.

# %%
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, RidgeClassifier
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import funcsim as fs
from exercises import chapter_01 as check
from funcsim import viz
from replication.modular_addition import trained_networks

# %% tags=["remove-cell"]
# isort: split
import matplotlib.pyplot as plt

from bookkit.glue import keep_figure, note

# %% [markdown]
# ## A layer is a function
#
# Neighbouring layers of a network often do nearly the same job. At some layers the job changes. Gao et al. {cite:p}`gao2024identifying` ask whether these changes can be found without knowing what the jobs are. To ask this, we must first say what "nearly the same job" means.
#
# Feed $n$ inputs to a network and stop after some layer. The result is a table with one row per input: the *representation* at that layer. The layer is a function of the input, and the table lists the values of this function.
#
# :::{prf:definition} Functional similarity
# :label: def-functional-similarity
#
# Let $x_1, \dots, x_n$ be inputs, and let $f$ and $g$ be two functions of them with values in
# $\mathbb{R}^{d_f}$ and $\mathbb{R}^{d_g}$. Write $F \in \mathbb{R}^{n \times d_f}$ for the
# matrix with rows $f(x_i)$, and $G \in \mathbb{R}^{n \times d_g}$ likewise. The functional
# similarity of $f$ and $g$ on these inputs is a score $s(F, G)$ of the two matrices.
# :::
#
# The score decides which differences count and which do not. The rest of this book compares scores. The paper writes $f$ both for the function and for its values. We use capital letters for matrices of values, here and in the [notation](../book/notation.md).
#
# ## A similarity that no line can see
#
# A common score is a linear probe. Fit a linear map from $F$ to $G$, and report how much of the variance of $G$ it explains. The paper warns that a linear map can miss strong similarity. Here is the simplest case that we know.
#
# A layer outputs a number $z$ between $-1$ and $1$, and the function that we look for is $z^2$. The layer determines the target exactly. We draw a thousand such numbers and keep a part of them for testing.

# %%
rng = np.random.default_rng(seed)
z = rng.uniform(-1, 1, size=(1000, 1))
target = z[:, 0] ** 2
split = train_test_split(z, target, random_state=seed)
z_fit, z_test, t_fit, t_test = split

# %% [markdown]
# We fit two probes: a line, and a small network with two hidden layers. Both are judged on numbers that they have not seen.

# %%
line = LinearRegression().fit(z_fit, t_fit)
network = MLPRegressor(
    hidden_layer_sizes=[32, 32], solver="lbfgs", random_state=seed
)
network.fit(z_fit, t_fit)
line.score(z_test, t_test), network.score(z_test, t_test)

# %% tags=["remove-cell"]
note(r2_line=line.score(z_test, t_test))
note(r2_network=network.score(z_test, t_test))

# %% [markdown]
# The two numbers are shares of explained variance. The line explains {glue:text}`r2_line:.3f`, which is nothing. (The share is below zero if the line predicts the unseen numbers worse than their mean does.) The network explains {glue:text}`r2_network:.4f`, which is nearly everything.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Target against layer output: the true parabola and the non-linear probe coincide, while the linear probe is a flat line."}, "figure": {"name": "fig-01-parabola", "caption": "The target $z^2$ and two probes for it. The non-linear probe lies on the parabola. The linear probe is flat: the rise on the right cancels the fall on the left."}}
grid = np.linspace(-1, 1, 101)[:, None]
fits = {"target": grid[:, 0] ** 2, "linear probe": line.predict(grid)}
fits["non-linear probe"] = network.predict(grid)
viz.curves(fits, grid[:, 0], xlabel="layer output z", ylabel="target")

# %% [markdown]
# {numref}`fig-01-parabola` shows why. The best line through a parabola is flat. So a layer may determine a function completely while a linear probe finds nothing.
#
# Stronger probes bring another problem. A probe that is strong enough to compute the target by itself finds it in every layer. [Chapter 05](05-modular-sum-known-targets.ipynb) returns to this.
#
# ## Read a layer out of any network
#
# Which tables $F$ does a network offer? Each of its modules has an output, and these outputs are the tables. To have something to look at, we train a small network to read handwritten digits of 8 by 8 pixels.

# %%
images, digits = (torch.tensor(a) for a in load_digits(return_X_y=True))
images = images.float() / 16
torch.manual_seed(seed)
mlp = nn.Sequential(
    nn.Linear(64, 32),
    nn.ReLU(inplace=True),
    nn.Linear(32, 32),
    nn.ReLU(inplace=True),
    nn.Linear(32, 10),
)
optimizer = torch.optim.Adam(mlp.parameters(), lr=0.01)
for _ in range(20 if profile == "smoke" else 200):
    loss = nn.functional.cross_entropy(mlp(images[:1400]), digits[:1400])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% [markdown]
# The network was trained on the first 1,400 images. How well does it read the other 397?

# %%
with torch.no_grad():
    guesses = mlp(images[1400:]).argmax(1)
correct = (guesses == digits[1400:]).float().mean()
correct.item()

# %% tags=["remove-cell"]
note(digits_accuracy=100 * float(correct))

# %% [markdown]
# The network reads {glue:text}`digits_accuracy:.1f` % of the other images correctly. To see a layer's output, PyTorch lets us hang a *hook* on a module: a function that is called with every output. Here is the obvious way to write one.

# %%
seen = {}
handle = mlp[0].register_forward_hook(
    lambda module, inputs, output: seen.update(first=output)
)
with torch.no_grad():
    mlp(images)
handle.remove()
lowest = float(seen["first"].min())
lowest

# %% tags=["remove-cell"]
note(lowest=lowest)

# %% [markdown]
# The first module is linear, so about half of its outputs should be negative. Yet the lowest value that we recorded is {glue:text}`lowest:.1f`. What happened?
#
# The ReLU behind it works *in place*. Our hook kept the tensor itself, not a copy. The ReLU then overwrote that tensor. We asked for the linear layer and got the ReLU. Any tool whose hook stores the tensor itself, and not a copy, has this bug wherever a module works in place.
#
# `fs.capture` copies inside the hook and runs the model in evaluation mode. It removes the hooks even if the model fails. It returns the layers in the order in which they ran.

# %%
reps = fs.capture(mlp, [images])
true_lowest = float(reps["0"].min())
{name: array.shape for name, array in reps.items()}

# %% tags=["remove-cell"]
note(true_lowest=true_lowest)

# %% [markdown]
# Now the lowest output of the first module is {glue:text}`true_lowest:.1f`, as it should be. The result is a dictionary from layer names to arrays with one row per image. The arrays have different widths, as in most networks.
#
# ## The layers of a transformer
#
# The first network of the paper is {term}`Model 0 <Model 0, Model E, Model L>`. It is a transformer of one {term}`block`, and it adds two numbers modulo 59. [Chapter 04](04-modular-sum-training.ipynb) trains it. Here we load it and feed it all pairs $(a, b)$.

# %% tags=["paper-T01"]
trained = trained_networks.load("model-0", profile, seed)
pairs = trained.pairs
answers = pairs.sum(dim=1).numpy() % trained.model.config.p
layers = fs.capture(trained.model, [pairs])
layers

# %% tags=["remove-cell"]
widths = {array.shape[1] for array in layers.values()}
note(n_pairs=layers.n_samples, n_layers=len(layers), n_widths=len(widths))

# %% [markdown]
# The network has {glue:text}`n_layers:d` representations of {glue:text}`n_pairs:d` pairs. The paper lists the same representations in its Table 1. {numref}`tab-01-model-0` says what their names mean.
#
# :::{table} The representations of Model 0, in the order of computation. Each input has two tokens, $a$ and $b$.
# :name: tab-01-model-0
#
# | name | what it is | numbers per token |
# | --- | --- | --- |
# | `resid_pre` | the residual stream that enters the block | 128 |
# | `k`, `q`, `v` | keys, queries and values of each of four heads | 32 |
# | `attn_pre`, `attn` | attention scores and attention map of each head | 2 |
# | `z` | values weighted by attention, of each head | 32 |
# | `attn_out` | what attention adds to the stream | 128 |
# | `resid_mid` | the stream between attention and MLP | 128 |
# | `pre`, `post` | hidden layer of the MLP, before and after ReLU | 512 |
# | `mlp_out` | what the MLP adds to the stream | 128 |
# | `resid_post` | the stream that leaves the block | 128 |
# :::
#
# We put the numbers of both tokens into one row. So the {term}`attention map <attention score, attention map>` of a {term}`head` has four numbers per input. Only two of them are free, because the attention of each token sums to one. Remember this when we compare it with layers of a thousand numbers.
#
# ## Where is the answer?
#
# We know what this network computes: $c = (a + b) \bmod 59$. So we look for $c$ with a linear probe. The probe is a ridge classifier, fitted on four fifths of the pairs and judged on the rest.


# %%
def linear_probe(name):
    """Share of unseen pairs whose answer a linear classifier finds."""
    fit, test = train_test_split(
        np.arange(layers.n_samples), test_size=0.2, random_state=seed
    )
    probe = make_pipeline(StandardScaler(), RidgeClassifier()).fit(
        layers[name][fit], answers[fit]
    )
    return probe.score(layers[name][test], answers[test])


parts = ["resid_pre", "attn_out", "resid_mid", "pre", "post", "resid_post"]
accuracy = {part: linear_probe(f"blocks.0.{part}") for part in parts}

# %% tags=["remove-cell"]
note(**{f"probe_{part}": 100 * share for part, share in accuracy.items()})
note(chance=100 / trained.model.config.p)

# %% [markdown]
# How well can the answer be read off each layer?

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Held-out accuracy of a linear probe for the answer, by layer of Model 0: a few per cent at most up to the MLP's hidden layer, nearly 100 % from its ReLU on."}, "figure": {"name": "fig-01-probe", "caption": "Held-out accuracy of a linear probe for the sum, at six layers of Model 0. The answer becomes readable at one place: the ReLU between `pre` and `post`."}}
viz.bars(
    {part: 100 * share for part, share in accuracy.items()},
    ylabel="held-out accuracy (%)",
)

# %% [markdown]
# At the input of the block the probe is right for {glue:text}`probe_resid_pre:.1f` % of the pairs. Between attention and {term}`MLP` it is right for {glue:text}`probe_resid_mid:.1f` %. In the hidden layer of the MLP it is right for {glue:text}`probe_pre:.1f` % before the ReLU, and for {glue:text}`probe_post:.1f` % after it. Guessing would be right for {glue:text}`chance:.1f` %. (A share below this is possible. An answer that is frequent among the test pairs is rarer among the pairs for fitting, so the probe chooses it less often.)
#
# One simple non-linearity turns "almost never" into "nearly always". Each of these six layers contains enough information to compute the answer: no two pairs with different answers give the same output. What changes along the network is *how easy the answer is to read*.
#
# ## When the target is unknown
#
# This search worked because we knew $c$. In a language model we do not know the intermediate functions, and we cannot try them all. But we can ask a simpler question: which layers are functionally similar *to one another*? Where similarity ends, one job may end and another begin. For this we need a score with three properties:
#
# - it compares tables of different widths, with no map fitted between them;
# - it ignores what does not matter, such as a rotation of the coordinates;
# - it does not need a target.
#
# Distances *within* each layer offer a way. If two rows are close in one layer and far apart in another, something happened in between. [Chapter 02](02-gromov-wasserstein.ipynb) builds a distance between layers from this idea: the {term}`Gromov-Wasserstein distance`.

# %% tags=["remove-cell"]
in_short, (left, right) = plt.subplots(
    1, 2, figsize=(7.2, 3.3), dpi=110, layout="constrained"
)
plt.close(in_short)
left.plot(grid[:, 0], fits["target"], color=viz.BLUE, lw=2, label="target")
left.plot(
    grid[:, 0],
    fits["linear probe"],
    "--",
    color=viz.ORANGE,
    lw=2,
    label="best line",
)
left.set(xlabel="layer output z", ylabel="target")
left.legend(frameon=False)
colours = [viz.ORANGE] * 4 + [viz.BLUE] * 2
shown = [100 * share for share in accuracy.values()]
bars = right.barh(parts[::-1], shown[::-1], color=colours[::-1])
right.bar_label(bars, fmt="%.1f", padding=2, fontsize=9)
right.set(xlabel="sum found by a linear probe (%)", xlim=(0, 118))
keep_figure("fig_in_short_01", in_short)

# %% [markdown]
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim of the paper | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C01: a linear map can miss strong functional similarity (3.1) | paper | agrees: it can happen, as one example shows | explained variance {glue:text}`r2_line:.3f` (linear) against {glue:text}`r2_network:.4f` (two hidden layers) |
# | C02: layers of different widths cannot be compared point by point (4) | paper | agrees | the {glue:text}`n_layers:d` layers of Model 0 have {glue:text}`n_widths:d` widths: there is nothing to subtract |
#
# Both answers rest on single examples. They show that something can happen, not how often it does. The paper has an example of its own, but its formula is lost in the text that we worked from. So the parabola is ours.
#
# **Before you say that two layers do the same**: say which differences you would ignore. A linear probe tests only for linear relations.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A linear probe reads nothing about a target from a layer. What follows?**
#
# <details><summary>a. The layer holds nothing about the target.</summary>No: the parabola of this chapter is a function of the layer, and no line sees it.</details>
# <details><summary>b. No line leads from the layer to the target.</summary>Right: that is all a linear probe can say. A bend may still lead there.</details>
# <details><summary>c. The target is noise.</summary>No: noise would give the same number, and so would a bent curve. The probe cannot tell them apart.</details>
#
# To read again: [A similarity that no line can see](#a-similarity-that-no-line-can-see)
#
# **2. Why is a captured tensor copied at once?**
#
# <details><summary>a. Copies can be compared faster.</summary>No: a copy costs time and memory.</details>
# <details><summary>b. A later operation may write its result over it.</summary>Right: an in-place ReLU does. Then the layer before it seems to equal the ReLU.</details>
# <details><summary>c. PyTorch forgets outputs after the forward pass.</summary>No: a tensor lives as long as someone holds it. What it holds may change.</details>
#
# To read again: [Read a layer out of any network](#read-a-layer-out-of-any-network)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} A share of variance
# :label: ex-01-explained
#
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* The score of the first probe was the share of variance that it explains. Write `explained(target, predicted)` for two arrays of the same length, with NumPy alone.
#
# ```{dropdown} Hint 1
# What would you predict if you had seen the targets, but no layer? That is what every prediction is measured against.
# ```
# ```{dropdown} Hint 2
# One minus a quotient: squared errors of the prediction, squared deviations of the target from its mean.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def explained(target, predicted):
    """Share of the variance of the target that a prediction explains."""
    errors = ((target - predicted) ** 2).sum()
    return 1 - errors / ((target - target.mean()) ** 2).sum()


check.explained(explained)

# %% [markdown]
# :::{exercise} Invisible to a line
# :label: ex-01-invisible
#
# *Difficulty 2 of 4, importance 3 of 5, 5 minutes.* Find a function of $z$, other than a parabola, of which a line explains less than 2 % when $z$ is uniform between $-1$ and $1$. Write it as `invisible(z)`.
#
# ```{dropdown} Hint 1
# The slope of the best line is the mean of $z\,f(z)$, up to a factor. When does it vanish?
# ```
# ```{dropdown} Hint 2
# If $f(-z) = f(z)$, the two halves cancel.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def invisible(z):
    """Values (n,) at z (n,), between -1 and 1."""
    return np.cos(2 * np.pi * z)


check.invisible(invisible)

# %% [markdown]
# :::{exercise} All layers, and no trace
# :label: ex-01-hook
#
# *Difficulty 3 of 4, importance 5 of 5, 15 minutes.* Build the core of `fs.capture`. Write `read_layers(model, x)` for an `nn.Sequential`: a dictionary from the names of its modules to what they return, read by forward hooks in evaluation mode. Some modules work in place. Afterwards the model is as you found it, even if it failed on `x`.
#
# ```{dropdown} Hint 1
# A hook gets a reference to a tensor that may be overwritten a moment later. `model.named_children()` gives names and modules, `model.training` the mode.
# ```
# ```{dropdown} Hint 2
# `output.clone()` in the hook. Put the call of the model into `try`, and into `finally` what removes the hooks and sets the mode back.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def read_layers(model, x):
    """What each module (n, ...) returns for x, by its name."""
    kept, mode = {}, model.training

    def keep(name):
        return lambda module, inputs, output: kept.update(
            {name: output.detach().clone()}
        )

    handles = [
        module.register_forward_hook(keep(name))
        for name, module in model.named_children()
    ]
    try:
        model.eval()
        with torch.no_grad():
            model(x)
    finally:
        model.train(mode)
        for handle in handles:
            handle.remove()
    return kept


check.read_layers(read_layers)

# %% [markdown]
# :::{exercise} Predict what an untrained network knows
# :label: ex-01-predict
#
# *Difficulty 2 of 4, importance 5 of 5, 20 minutes.* Take the network for digits before its training. How many per cent of the unseen digits does a linear probe read off its last hidden layer, the second ReLU? Write your answer into `predicted()` as a range: its lower and upper end, at most 20 apart. Only then write `probed(model, images, digits)`: capture the layers, fit a linear probe of each on the first 1,400 images, and return its accuracy on the others in per cent, by module. Then compare. Probe the trained network, too: what does training add?
#
# ```{dropdown} Hint 1
# The chapter has all parts: `fs.capture`, and a ridge classifier behind a `StandardScaler`.
# ```
# ```{dropdown} Hint 2
# `probe.fit(layer[:1400], digits[:1400])`, and `100 * probe.score(layer[1400:], digits[1400:])`, for each name and layer of `fs.capture(model, [images]).items()`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Per cent, the lower end and the upper end, before the run."""
    return 70, 90


def probed(model, images, digits):
    """Accuracy (%) on unseen images of a linear probe of each module."""
    shares = {}
    for name, layer in fs.capture(model, [images]).items():
        probe = make_pipeline(StandardScaler(), RidgeClassifier())
        probe.fit(layer[:1400], digits[:1400])
        shares[name] = 100 * probe.score(layer[1400:], digits[1400:])
    return shares


check.predicted(predicted, probed)

# %% [markdown]
# ## Where the stored results come from
#
# Model 0 was trained before this page was run. The next cell shows its record.

# %% tags=["hide-cell"]
print(trained.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
