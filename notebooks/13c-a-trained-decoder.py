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
#     data: [decoder]
# ---

# %% [markdown]
# # 13c A trained decoder
#
# [Chapter 13](13-is-the-boundary-real.ipynb) asks small networks whose functions are known. A language model has no list of its functions. But we can leave blocks out and measure what is lost. Does its map say which blocks can go?
#
# ## In short
#
# IN SHORT
#
# :::{glue:figure} fig_in_short_13c
# :name: fig-13c-in-short
# :alt: ALT
#
# CAPTION
# :::
#
# **Time**: 7 minutes to read, half a minute to run.
# **In the paper**: the abstract of its later version; the discussion of its reviews.

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
import numpy as np
import pandas as pd

import funcsim as fs
from funcsim import viz
from replication.decoder import experiment, proposals
from replication.decoder.proposals import candidates, predictions, proposal

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## A small language model
#
# The model is a decoder: it reads a text from left to right and predicts the next token. It is built like GPT-2, with {glue:text}`n_blocks:d` {term}`blocks <block>` {glue:text}`width:d` numbers wide. It was trained for this book, on the sentences of SST-2 and the reviews of Yelp. It is small, and it has read little.

# %%
decoder = experiment.load(profile)
print(decoder.record.encoder)
print(f"perplexity on new texts: {np.exp(decoder.whole.mean()):.0f}")

# %% tags=["remove-cell"]
note(n_blocks=len(decoder.maps["a/mean/gw"].names))
sizes = decoder.record.parameters["sizes"]
note(width=sizes["width"], perplexity=float(np.exp(decoder.whole.mean())))
note(vocabulary=sizes["vocabulary"])
recipe = decoder.record.parameters["recipe"]
note(n_tokens=1e-6 * recipe["steps"] * recipe["batch"] * sizes["window"])
note(n_judged=len(decoder.whole))

# %% [markdown]
# Its *perplexity* is {glue:text}`perplexity:.0f`: in the mean it is as unsure of the next token as if it chose among so many tokens of equal chance. Before training the number would be about {glue:text}`vocabulary:d`, the size of its vocabulary. It was trained on {glue:text}`n_tokens:.1f` million tokens.
#
# What we ask of this model, and which answers follow, was written down before any block was left out. This *protocol* is a [file beside the code](https://github.com/functional-similarity/sub-networks/blob/main/lib/replication/decoder/PROTOCOL.md).
#
# ## Its map
#
# Here is the map of its blocks, beside the same model before training. Compared are {glue:text}`n_mapped:d` new texts, in the mean over tokens.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "ALT"}, "figure": {"name": "fig-13c-map", "caption": "CAPTION"}}
twin = decoder.twin()
trained = decoder.maps["a/mean/gw"]
untrained = fs.LayerMap(
    twin.maps[0],
    trained.names,
    trained.names,
    measure="gw",
    normalize="mean",
    is_similarity=False,
    n_samples=trained.n_samples,
)
viz.map_grid({"GW": {"trained": trained, "untrained": untrained}})

# %% tags=["remove-cell"]
note(n_mapped=trained.n_samples)

# %% [markdown]
# The test of [chapter 06](06-modular-sum-subnetworks.ipynb) looks for groups in it. Beside it stand untrained copies.

# %%
for draw in ("a", "b"):
    groups = fs.partition(decoder.maps[f"{draw}/mean/gw"], twin=twin)
    n, p = groups.n_groups, groups.p_value
    print(f"texts {draw}: {n} groups, p = {p:.3f}")
of_copies = np.array(groups.twin_p_values)
print("untrained copies with p < 0.05:", (of_copies < 0.05).sum())

# %% tags=["remove-cell"]
for draw in ("a", "b"):
    groups = fs.partition(decoder.maps[f"{draw}/mean/gw"], twin=twin)
    note(**{f"groups_{draw}": groups.n_groups, f"p_{draw}": groups.p_value})
note(n_twins=len(of_copies), twins_cut=int((of_copies < 0.05).sum()))

# %% [markdown]
# TEXT
#
# ## What it costs to leave blocks out
#
# We leave out every run of one to six neighbouring blocks, one run at a time. The first block always stays. Nothing is trained again. The cost is what the loss gains on {glue:text}`n_judged:d` other texts.

# %%
lengths = proposals.LENGTHS if profile != "smoke" else (1, 2)
cost = proposals.costs(decoder).mean(axis=1)
runs = pd.DataFrame(decoder.runs, columns=["first", "stop"])
runs["blocks"] = runs["stop"] - runs["first"]
runs["perplexity"] = np.exp(decoder.whole.mean() + cost)

# %% [markdown]
# Each dot is one run:

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT"}, "figure": {"name": "fig-13c-runs", "caption": "CAPTION"}}
judged = runs[candidates(decoder, lengths)]
fig, ax = viz.new_figure(6.2, 3.6)
for n, group in judged.groupby("blocks"):
    at, height = group["first"], group["perplexity"]
    ax.plot(at, height, "o-", label=n, color=viz.LINES[n - 1][0])
ax.set(xlabel="first block that is left out", yscale="log")
ax.set_ylabel("perplexity")
ax.axhline(np.exp(decoder.whole.mean()), color=viz.GREY, dashes=(3, 2))
ax.legend(title="blocks", ncols=2, fontsize=8)
ax.grid(alpha=0.3)
fig

# %% tags=["remove-cell"]
one = judged[judged["blocks"] == 1].set_index("first")["perplexity"]
note(cheapest_block=int(one.idxmin()), cheapest=one.min())
note(dearest_block=int(one.idxmax()), dearest=one.max())

# %% [markdown]
# TEXT
#
# ## Which run would you leave out?
#
# A *proposal* picks, for each length, one run. A map proposes the run whose two ends are closest on it. The *state cosine* proposes the run that turns the stream the least. *Block influence* adds up how much each block turns the stream {cite:p}`men2025shortgpt`. Groups propose runs inside a group. *Late first* looks at nothing and proposes the last blocks.
#
# The score of a proposal is 0 if it costs as much as the mean run of its length, and 1 if no run of this length is cheaper. We average it over the six lengths.

# %%
tables = {
    draw: proposals.scores(decoder, draw, seed, lengths)
    for draw in ("a", "b")
}
found = {
    key: pd.DataFrame({f"texts {d}": tables[d][key] for d in tables})
    for key in ("score", "low", "high")
}

# %% [markdown]
# All rules, with both draws of texts to look at:

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT"}, "figure": {"name": "fig-13c-scores", "caption": "CAPTION"}}
TITLES = {name: measure.title for name, measure in fs.measures().items()}
order = found["score"].mean(axis=1).sort_values(ascending=False).index
viz.dots(
    *(table.loc[order].rename(index=TITLES) for table in found.values()),
    xlabel="score (0 like the mean run, 1 the best)",
    reference=0.0,
    reference_label="mean run",
)

# %% tags=["remove-cell"]
SHORT = {"gw": "gw", "cka-debiased": "cka", "state cosine": "state"}
SHORT |= {"late first": "late", "block influence": "influence"}
for name, short in SHORT.items():
    for d, t in tables.items():
        for key in ("score", "low", "high", "p"):
            note(**{f"{short}_{key}_{d}": t.loc[name, key]})

# %% [markdown]
# TEXT
#
# ## What we found
#
# C numbers the paper's claims, D the doubts of its reviewers. *ours*: a small decoder of our own. The protocol has a rule for each answer, and the next cell applies these rules.

# %% tags=["hide-input"]
if profile != "smoke":
    for claim, answer in proposals.answers(decoder, seed).items():
        print(f"{claim}: {answer}")

# %% [markdown]
# TABLE
#
# ## Where the stored results come from

# %% tags=["hide-cell"]
print(decoder.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
