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
#     data: []
# ---

# %% [markdown]
# # 14 Your own model
#
# Which layers of *your* network work together? Everything so far was about networks that we chose.
#
# ## In short
#
# Three lines map any PyTorch network: capture its layers, compare them, {term}`partition <partition>` the {term}`layer map`. The example of this chapter is a network of six {term}`blocks <block>` that reads digits. It gets {glue:text}`right:.0f` % of new digits right. Training made the step from its first block to the second larger, and the later steps smaller. The test finds {glue:text}`n_blocks:d` {term}`groups <group>` after training and {glue:text}`n_before:d` before. One command writes all of this into a report, with the checks that a map needs before you show it to anyone.
#
# :::{glue:figure} fig_in_short_14
# :name: fig-14-in-short
# :alt: Two maps of six blocks of a small network, before and after training on digits. Before training all steps are of similar size; afterwards the first block is far from all others.
#
# The six blocks of a small network before and after training. Bright means different. Training moved the first block away from the others.
# :::
#
# :::{admonition} What you will learn
# - how to map a network of your own in three lines;
# - how to record maps in your own training loop;
# - what to do with recurrent networks and with decoders;
# - how to write a report, and what to put beside a map.
#
# **Time**: 15 minutes to read, one minute to run.
# **In the paper**: nothing; this chapter shows what its method is good for.
# **You need**: [chapter 01](01-functional-similarity.ipynb) and [chapter 06](06-modular-sum-subnetworks.ipynb).
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
import copy
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from transformers import GPT2Config, GPT2Model

import funcsim as fs
from exercises import chapter_14 as check
from funcsim import viz
from funcsim.report import analyse, default_layers, write_report
from funcsim.report.tables import checks_table
from funcsim.viz.interactive import stepper

small = profile == "smoke"

# %% tags=["remove-cell"]
# isort: split
import pandas as pd

from bookkit.glue import keep_figure, note

pd.set_option("display.max_colwidth", None)  # the report's checks are sentences

# %% [markdown]
# ## A network to map
#
# We need a network and some inputs. The inputs are 1,797 pictures of digits, which come with scikit-learn. Each has 8 by 8 pixels. The network has six blocks of a linear layer and a {term}`ReLU`, and a classifier on top.

# %%
torch.manual_seed(seed)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
widths = [64] + 6 * [48]
linear = [nn.Linear(a, b) for a, b in pairwise(widths)]
blocks = [nn.Sequential(layer, nn.ReLU()) for layer in linear]
model = nn.Sequential(*blocks, nn.Linear(48, 10))

# %% [markdown]
# The training loop is the plainest one. It calls `look`, which we write below, before the first epoch and after some of the epochs. To record maps in a loop of your own, add this one call.


# %%
def train(model, epochs, look):
    """Full batches of the first 1,400 digits."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    look(0)
    for epoch in range(1, epochs + 1):
        loss = nn.functional.cross_entropy(model(x[:1400]), y[:1400])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if epoch in {1, 3, 10, 30, 100}:
            look(epoch)


# %% [markdown]
# ## Three lines
#
# `look` captures the blocks on 200 pictures that are not used for training, and compares them. `default_layers` finds the blocks, which are the parts that a network repeats.

# %%
shown = x[1400 : 1430 if small else 1600]
maps = {}


def look(epoch):
    """Keep the map of this moment."""
    layers = default_layers(model, shown)
    reps = fs.capture(model, [shown], layers, progress=False)
    maps[epoch] = fs.compare(reps, progress=False)


train(model, 3 if small else 100, look)

# %% tags=["remove-cell"]
right = (model(x[1600:]).argmax(1) == y[1600:]).double().mean()
note(right=100 * float(right), n_shown=len(shown))
first, last = maps[0], maps[max(maps)]
keep_figure(
    "fig_in_short_14",
    viz.map_grid({"GW": {"before training": first, "after training": last}}),
)

# %% [markdown]
# The figure below steps through the training. Press play, or move the slider.

# %% tags=["widget", "hide-input"]
top = max(m.values.max() for m in maps.values())
names = [f"block {k + 1}" for k in range(len(blocks))]
figures = [
    viz.layer_map(m.renamed(names), title=f"after epoch {epoch}", vmax=top)
    for epoch, m in maps.items()
]
alts = [f"Layer map after epoch {epoch}" for epoch in maps]
stepper(figures, alts, "look")

# %% [markdown]
# How far is it from each block to the next? The next figure shows these steps before and after training.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Distance from each block to the next, before and after training: the first step has grown, the later steps have become smaller."}, "figure": {"name": "fig-14-steps", "caption": "The distance from each block to the next. Training made the first step larger and the later ones smaller."}}
steps = {"before training": first, "after training": last}
viz.curves(
    {name: np.diag(m.values, k=1) for name, m in steps.items()},
    xlabel="step into block",
    ylabel="GW distance",
    x=np.arange(2, len(first.names) + 1),
)

# %% tags=["remove-cell"]
begun, ended = (np.diag(m.values, k=1) for m in (first, last))
note(first_begun=begun[0], first_ended=ended[0])
note(later_begun=begun[1:].mean(), later_ended=ended[1:].mean())

# %% [markdown]
# Before training every block bends the cloud a little. Training makes the first step larger: it goes from {glue:text}`first_begun:.2f` to {glue:text}`first_ended:.2f`. The later steps become smaller, on average from {glue:text}`later_begun:.2f` to {glue:text}`later_ended:.2f`. The map does not say what the later blocks compute.
#
# We have captured and compared. Now the third line: `fs.partition` asks whether one step is out of proportion to the others.

# %% mystnb={"figure": {"caption": "The groups that the test finds after training."}}
groups = fs.partition(last, seed=seed)
groups.to_frame()

# %% tags=["remove-cell"]
note(n_blocks=groups.n_groups, p_value=groups.p_value)
before = fs.partition(first, seed=seed)
note(n_before=before.n_groups, p_before=before.p_value)

# %% [markdown]
# After training the first block stands apart from the rest, with a {term}`p-value` of {glue:text}`p_value:.3f`. Before training there is no such {term}`boundary` (p-value {glue:text}`p_before:.2f`). Five steps are the fewest that the test takes. Give the test about twelve layers if you can, such as all linear layers and all ReLUs.
#
# ## Recurrent networks and decoders
#
# A recurrent layer of PyTorch returns a vector for every step, and its state. `fs.capture` takes the first tensor that a layer returns. Then `pool="last"` lets the last step stand for the sequence. This kind of reduction is called {term}`pooling`.


# %%
class Reader(nn.Module):
    """Three recurrent layers, each reading the one before."""

    def __init__(self):
        super().__init__()
        self.first = nn.LSTM(8, 24, batch_first=True)
        self.second = nn.LSTM(24, 24, batch_first=True)
        self.third = nn.LSTM(24, 24, batch_first=True)

    def forward(self, rows):
        """Read a picture row by row."""
        return self.third(self.second(self.first(rows)[0])[0])[0]


# %% [markdown]
# The inputs are the same digits, as eight rows of eight pixels. The network is not trained.

# %% mystnb={"figure": {"caption": "The map of three recurrent layers with random weights."}}
rows = shown.reshape(-1, 8, 8)
read = fs.capture(Reader(), [rows], pool="last", progress=False)
between = fs.compare(read, progress=False).to_frame()
between.round(3)

# %% tags=["remove-cell"]
note(lstm_near=between.loc["second", "third"])
note(lstm_far=between.loc["first", "third"])

# %% [markdown]
# The second layer and the third are {glue:text}`lstm_near:.2f` apart. The first and the third are {glue:text}`lstm_far:.2f` apart. Each layer bends the cloud once more, without having learned anything.
#
# Models of the transformers library take dictionaries. `fs.capture` uses the mask in such a dictionary, so padding does not count. The next model is made from a configuration and has random weights. Yours would be `AutoModel.from_pretrained(...)`.

# %%
ends = {"bos_token_id": 0, "eos_token_id": 0}
shape = {"n_layer": 6, "n_embd": 48, "n_head": 4, "vocab_size": 17}
decoder = GPT2Model(GPT2Config(**shape, **ends))
batches = [
    {"input_ids": part, "attention_mask": torch.ones_like(part)}
    for part in (16 * shown).long().split(50)
]
layers = default_layers(decoder, batches[0])
decoded = fs.capture(decoder, batches, layers, "last", progress=False)
decoded

# %% [markdown]
# A network that has learned nothing is the best first thing to map. Whatever its map shows is not function.

# %% mystnb={"figure": {"caption": "The groups of a decoder with random weights."}}
found = fs.partition(fs.compare(decoded, progress=False), seed=seed)
found.to_frame()

# %% tags=["remove-cell"]
note(nothing_blocks=found.n_groups, nothing_p=found.p_value)

# %% [markdown]
# The decoder is one group, with a p-value of {glue:text}`nothing_p:.2f`. That is as it should be, though six layers are few. Keep the map of the untrained network beside that of the trained one. `fs.untrained_twin` makes many such copies at once.
#
# ## A report
#
# `analyse` does what a careful reader of this book would do by hand. It maps the layers, with {term}`intervals <interval>` from random halves of the inputs. It runs the test, and counts in how many of these halves each boundary comes back. It asks what widths alone would show, and what {term}`CKA` shows. And it repeats the map with raw distances, features of equal variance and fewer inputs, and with other poolings if you give it these. `write_report` puts all this into a folder.

# %% mystnb={"figure": {"caption": "What would change the answer: each check of the report, and whether the finding survives it."}}
layers = default_layers(model, shown)
reps = fs.capture(model, [shown], layers, progress=False)
n_draws = 4 if small else 20
findings = analyse(reps, n_draws=n_draws, seed=seed, progress=False)
checks_table(findings)

# %% [markdown]
# The report is one page that can be read offline, and the same results as data files:

# %%
folder = Path(tempfile.mkdtemp())
title = "Six blocks on digits"
paths = write_report(folder, findings, title, {"seed": seed})
[path.name for path in paths]

# %% [markdown]
# The command line does the same. It takes a model of the transformers library by its name or its folder, or a function of yours that returns a network:
#
# ```bash
# funcsim map --model folder_with_model --texts lines.txt --out report
# funcsim map --model my_module:my_network --images folder --out other
# ```
#
# With `--dry-run` it only says which layers, how much memory and how much time. `fs.estimate_cost` gives the same estimates if you know only the shapes of the layers. With `--twin 19` the report sets 19 copies with fresh weights beside the network.
#
# ## Before you show a map to anyone
#
# 1. **Say your choices.** Which layers, which inputs, how many, how pooled, how scaled? Chapters [06](06-modular-sum-subnetworks.ipynb) and [08](08-bert-subnetworks.ipynb) show that the map changes with each of them.
# 2. **Show two maps beside yours.** One is the map of the untrained network (`--twin` adds its steps). The other is the map of one cloud, projected to the width of each layer (`analyse` tests it if the widths differ). A pattern that these maps also have is not function.
# 3. **Trust the test, not the eye.** {term}`Spectral clustering <spectral clustering>` returns as many groups as it is asked for {cite:p}`luxburg2007tutorial`. [Page 06b](06b-how-good-is-the-test.ipynb) says how far the test can be trusted.
# 4. **Repeat it.** Take another seed, another half of the inputs, another learning rate.
# 5. **Put CKA {cite:p}`kornblith2019similarity` or {term}`RSM` beside GW.** Where they disagree, ask what each of them ignores ([chapter 03](03-ten-measures.ipynb)).
# 6. **Add something that does not come from the map.** Take a probe, leave a block out, freeze one. A map is a guess about function. Only a second experiment can make the guess a finding.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The [scorecard](../book/scorecard.md) combines all rows about a doubt into one answer.
#
# | doubt | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | D07: only transformers, only sentiment: does the method take other networks? | - | answered: it takes any network | a perceptron that reads {glue:text}`right:.0f` % of new digits right, recurrent layers and a decoder are mapped here |
# | D07: do the findings hold elsewhere? | - | open | the untrained decoder has {glue:text}`nothing_blocks:d` group, the trained perceptron {glue:text}`n_blocks:d` |
#
# **On Monday**: map a network of yours before and after training, under two measures and with some 200 inputs. Let the test say how many groups there are. Write down what the groups predict, and only then act on them.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Which of these should stand beside a map of your network before anyone sees it?**
#
# <details><summary>a. The name of the paper.</summary>No: that tells where the idea is from, not whether the map means something.</details>
# <details><summary>b. The same map before training.</summary>Right: and the number of inputs, the pooling, the scale, and the test.</details>
# <details><summary>c. A map in brighter colours.</summary>No: it says the same.</details>
#
# To read again: [Before you show a map to anyone](#before-you-show-a-map-to-anyone)
#
# **2. A recurrent cell that is called in a loop runs once for each token. What is a layer, then?**
#
# <details><summary>a. The mean over all weights.</summary>No: layers are compared by what they say, not by their weights.</details>
# <details><summary>b. Each call is one: you choose which to compare, and say so.</summary>Right: or take the state after the last token, as one layer.</details>
# <details><summary>c. Such networks cannot be mapped.</summary>No: `fs.capture` names the calls `cell`, `cell#2` and so on.</details>
#
# To read again: [Recurrent networks and decoders](#recurrent-networks-and-decoders)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} How often does it come back?
# :label: ex-14-often
#
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* Write `how_often(cuts, n_layers)`: `cuts` is a list with one tuple for each random half of the inputs: the boundaries found in it. Return, for each layer, the share of halves in which it begins a group.
#
# ```{dropdown} Hint 1
# A half in which no boundary was found counts as well.
# ```
# ```{dropdown} Hint 2
# `np.bincount(..., minlength=n_layers)`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def how_often(cuts, n_layers):
    """Share (n_layers,) of repetitions in which a layer begins a group."""
    found = [k for one in cuts for k in one]
    counts = np.bincount(found, minlength=n_layers)
    return counts / len(cuts)


check.how_often(how_often)

# %% [markdown]
# :::{exercise} The last real token
# :label: ex-14-last
#
# *Difficulty 2 of 4, importance 4 of 5, 10 minutes.* Write `last_real(states, mask)`. For states (n, tokens, d) and a mask (n, tokens) it returns the state at the last real token of every text, (n, d). The padding may be on the right or on the left.
#
# ```{dropdown} Hint 1
# The last place at which the mask is 1. How many tokens there are does not tell where they are.
# ```
# ```{dropdown} Hint 2
# `np.argmax` of a reversed mask is the distance of the last 1 from the end.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def last_real(states, mask):
    """States (n, d) at the last place of each row of the mask that is 1."""
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    return states[np.arange(len(states)), last]


check.last_real(last_real)

# %% [markdown]
# :::{exercise} The same network, untrained
# :label: ex-14-untrained
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* Write `untrained(model, seed)`: a copy of a model with the random weights with which PyTorch begins; the model itself stays as it is.
#
# ```{dropdown} Hint 1
# Most layers of PyTorch have a method `reset_parameters`.
# ```
# ```{dropdown} Hint 2
# `model.modules()` goes through all of them, `model.children()` only through the outermost.
# ```
#
# Afterwards, look whether every parameter has changed. Some models of the transformers library, such as GPT-2, have layers without this method. Make such models anew from their configuration.
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def untrained(model, seed):
    """A copy of a model with fresh weights."""
    torch.manual_seed(seed)
    fresh = copy.deepcopy(model)
    for module in fresh.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    return fresh


check.untrained(untrained)

# %% [markdown]
# :::{exercise} Predict the groups of your own network
# :label: ex-14-predict
#
# *Difficulty 2 of 4, importance 5 of 5, 15 minutes.* Build a network of 8 to 16 modules for rows of 16 numbers, as `own_network()`, an `nn.Sequential`. Train it or leave it as it is. How many groups will the test find in its map? Write the number into `predicted()`. Only then write `starts(model, x)`: capture, compare, partition; return the layers at which a new group starts, as a list of whole numbers, empty for one group. The check draws new random weights three times and counts their groups as well. Then compare. Could you have told your network from these three by its groups?
#
# ```{dropdown} Hint 1
# The three lines of this chapter. A `Partition` has `boundaries`. In a network of linear layers and ReLUs the steps are of two kinds; the library warns, and `kinds=` tells it which is which.
# ```
# ```{dropdown} Hint 2
# `fs.partition(fs.compare(fs.capture(model, [x]))).boundaries`
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """How many groups the test will find."""
    return 1


def own_network():
    """A network of 8 to 16 modules."""
    return nn.Sequential(*(nn.Linear(16, 16) for _ in range(9)))


def starts(model, x):
    """Layers at which a new group starts."""
    layer_map = fs.compare(fs.capture(model, [x]))
    return list(fs.partition(layer_map).boundaries)


check.predicted(predicted, own_network, starts)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
