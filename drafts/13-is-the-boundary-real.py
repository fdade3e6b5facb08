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
#     data: [boundaries, known]
# ---

# %% [markdown]
# # 13 Is the boundary real?
#
# A map shows a {term}`boundary`. Does a new function begin there? We ask networks in which we know the answer.
#
# ## In short
#
# We trained {glue:text}`n_networks:d` small networks of {glue:text}`n_designs:d` designs. In half of them one function follows another, and we know where. In the other half there is nothing to find. IN_SHORT
#
# :::{glue:figure} fig_in_short_13
# :name: fig-13-in-short
# :alt: ALT_SHORT
#
# CAPTION_SHORT
# :::
#
# :::{admonition} What you will learn
# - how to score a measure without choosing a threshold;
# - which measures find a boundary of function, with {term}`intervals <interval>` for all of them together;
# - how often a measure finds a boundary where there is none;
# - how to tell a boundary of function from one of architecture.
#
# **Time**: 18 minutes to read, half a minute to run.
# **In the paper**: section 5; the discussion of its reviews.
# **You need**: [chapter 03](03-ten-measures.ipynb) and [chapter 06](06-modular-sum-subnetworks.ipynb).
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
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

import funcsim as fs
from exercises import chapter_13 as check
from funcsim import viz
from replication.benchmark import judgement, scores
from replication.benchmark.precision import average_precision, skill
from replication.known import designs, networks

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Networks with a known answer
#
# Every network reads a few small numbers, or the picture of a digit, and computes with them. Its {term}`blocks <block>` read a {term}`stream` 48 numbers wide and add to it. Each function is learned by blocks of its own. So we know after which block a function is done. There are eight families:
#
# - *chains*: a part gets the answer of the part before as a number, and embeds it again.
# - *streams*: all functions follow one another in one stream. Nothing is embedded again, and no width changes.
# - *joined*: two networks were trained alone, and a small adapter joins their streams.
# - *readers*: {term}`convolutions <convolution>` read a digit from a picture, then blocks compute with it.
# - *handed-on*: built and trained as chains and streams, but after the first function nothing more is computed.
# - *one-function*, *untrained*, and *random-labels*: nothing to find in them.
#
# The next figure shows some of the designs.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Rows of squares, one row for each of sixteen designs. The colour of a square is the function that a block belongs to. Chains, streams, joined and readers change colour once to three times, the other four families never."}, "figure": {"name": "fig-13-designs", "caption": "Two designs of each family. A square is a block, and its colour is the function that it computes. A thick line is where a part ends and its answer is embedded again. The last four families have one function or none."}}
COLOURS = (viz.BLUE, viz.ORANGE, viz.GREEN, viz.GREY)
drawn = [
    (f"{family}, {name}", design)
    for family, chosen in designs.FAMILIES.items()
    for name, design in list(chosen.items())[:2]
]
fig, ax = plt.subplots(figsize=(6.2, 4.6), dpi=110, layout="constrained")
plt.close(fig)
for row, (_, design) in enumerate(drawn):
    stages = [n for part in design.blocks for n in part]
    functions = np.repeat(design.functions, stages)
    ax.barh(
        [row] * len(functions),
        0.9,
        left=np.arange(len(functions)),
        color=[COLOURS[k] for k in functions],
    )
    ends = np.cumsum([sum(part) for part in design.blocks])[:-1]
    ax.vlines(ends - 0.05, row - 0.45, row + 0.45, color="black", lw=3)
ax.set_yticks(range(len(drawn)), [name for name, _ in drawn])
ax.invert_yaxis()
ax.set(xlabel="block", xticks=[])
ax.spines[["top", "right", "bottom", "left"]].set_visible(False)
fig

# %% [markdown]
# The design of the study was written down before any network was trained: networks, scores, tests, and what each answer will follow from. It is a [file beside the code](https://github.com/functional-similarity/sub-networks/blob/main/lib/replication/benchmark/PROTOCOL.md).

# %%
rows = scores.load_rows(profile)
ends = rows[rows["layers"] == "ends"]

# %% tags=["remove-cell"]
REFERENCE = "gw" if "gw" in set(ends["entrant"]) else "rsm"
one_of_each = ends.drop_duplicates(["family", "network", "seed"])
note(n_networks=len(one_of_each))
note(n_designs=len(ends.drop_duplicates(["family", "network"])))
note(n_unlearned=int((~one_of_each["learned"]).sum()))
note(n_seeds=ends["seed"].nunique())

# %% [markdown]
# A network counts only if it has learned all its functions on inputs that it has not seen. {glue:text}`n_unlearned:d` of the {glue:text}`n_networks:d` networks have not, and are left out. Of each we kept the {term}`representations <representation>` of 100 inputs at the end of each block.
#
# ## One network, step by step
#
# Here is one network, in one stream. Its map under the {term}`Gromov-Wasserstein distance` (GW) is computed now.

# %%
family = networks.load("streams", profile)
name, known = next(iter(family.networks.items()))
known = known.only("ends")
layer_map = fs.compare(known.reps)
print(f"{name}: a new function begins with layer", known.starts)

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "ALT_MAP"}, "figure": {"name": "fig-13-map", "caption": "The GW map of one network, and the evidence for a boundary before each block. The dashed line is where the second function begins."}}
evidence = fs.boundary_evidence(layer_map)
fig, (left, right) = plt.subplots(
    1, 2, figsize=(7.2, 3.2), dpi=110, layout="constrained"
)
plt.close(fig)
left.imshow(layer_map.values, cmap=viz.CMAP)
left.set(title="GW map", xlabel="block", ylabel="block")
right.plot(range(1, len(evidence)), evidence[1:], "o-", color=viz.BLUE)
for start in known.starts:
    left.axvline(start - 0.5, color="white", dashes=(3, 2))
    right.axvline(start, color=viz.GREY, dashes=(3, 2))
right.set(title="evidence", xlabel="boundary before layer")
right.grid(alpha=0.3)
fig

# %% [markdown]
# The evidence says how much a step stands out from the other steps of the map. A measure is good if the place with the most evidence is the true one. We take the places in the order of their evidence, and average the precision at each true boundary: the *{term}`average precision`*. It needs no threshold. By chance it is not 0, so we subtract what random orders have. This *skill* is 0 by chance and 1 at best.

# %%
precision = average_precision(evidence, known.starts)
its_skill = skill(precision, len(evidence) - 1, known.starts)
print(f"average precision {precision:.2f}, skill {float(its_skill):.2f}")

# %% [markdown]
# ## Which measure finds the boundaries?
#
# The unit is the design. We average the skill over seeds, then over the {glue:text}`n_positive:d` designs with boundaries. The intervals hold for all entrants together.

# %% tags=["remove-cell"]
several = judgement.positive(ends)
found = judgement.means(several, "skill 0")
note(n_positive=int(found["designs"].max()))
best = found.index[0]
note(best_measure=best, best_skill=found.loc[best, "mean"])
note(gw_skill=found.loc[REFERENCE, "mean"], gw_low=found.loc[REFERENCE, "low"])
note(gw_high=found.loc[REFERENCE, "high"], gw_rank=1 + found.index.get_loc(REFERENCE))
note(n_entrants=len(found))


def dotted(table, column="skill"):
    """Values and intervals as the figures take them."""
    return tuple(
        table[[key]].set_axis([column], axis=1) for key in ("mean", "low", "high")
    )


keep_figure(
    "fig_in_short_13",
    viz.dots(
        *dotted(found),
        xlabel="skill (0 by chance, 1 at best)",
        reference=0.0,
        reference_label="chance",
    ),
)

# %% [markdown]
# {numref}`fig-13-in-short` shows them all. TEXT_BOARD
#
# Is the difference from GW sure? We take it design by design.

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT_AGAINST"}, "figure": {"name": "fig-13-against", "caption": "Skill of each entrant minus that of GW, over designs with boundaries. An interval that crosses the dashed line means: not told apart from GW."}}
gaps = judgement.against(ends, reference=REFERENCE)
viz.dots(
    *dotted(gaps, "minus GW"),
    xlabel="skill minus that of GW",
    reference=0.0,
    reference_label="GW",
)

# %% tags=["remove-cell"]
verdicts = gaps["verdict"].value_counts()
for verdict in ("better", "worse", "not told apart"):
    note(**{f"n_{verdict.split()[0]}": int(verdicts.get(verdict, 0))})
linear = gaps.loc["cka"]
note(cka_gap=linear["mean"], cka_low=linear["low"], cka_high=linear["high"])
note(cka_verdict=linear["verdict"], cka_needed=float(linear["needed"]))
note(needed=float(gaps["needed for 0.10"].median()))

# %% [markdown]
# TEXT_AGAINST
#
# ## Function or architecture?
#
# In the chains an answer is embedded again where a function ends. A measure may see the embedding and not the function. So there are networks built in the same way whose later parts compute nothing new. We score them *as if* the starts of their stages were boundaries. A measure that sees functions should have skill in the first kind, and none in the second.

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT_FUNCTION"}, "figure": {"name": "fig-13-function", "caption": "CAPTION_FUNCTION"}}
split = judgement.function_or_architecture(ends)
shown = pd.DataFrame(
    {
        f"{where}, {what}": table[column]
        for where, table in split.items()
        for what, column in {"computes": "computing", "hands on": "handing"}.items()
    }
)
viz.dots(shown, xlabel="skill", reference=0.0, reference_label="chance")

# %% [markdown]
# TEXT_FUNCTION
#
# ## Where there is nothing to find
#
# Half of the designs have no boundary of function. Here the test of [chapter 06](06-modular-sum-subnetworks.ipynb) should find one group. How often does it cut?

# %% tags=["hide-input"] mystnb={"image": {"alt": "ALT_ALARMS"}, "figure": {"name": "fig-13-alarms", "caption": "CAPTION_ALARMS"}}
false = judgement.alarms(ends)
viz.dots(
    *dotted(false, "alarms"),
    xlabel="share of networks without a boundary that are cut",
    reference=0.05,
    reference_label="level of the test",
)

# %% [markdown]
# TEXT_ALARMS
#
# ## Other rules
#
# A rule takes a map and returns groups. The table has the rules of others beside our test, all on GW maps.

# %% mystnb={"figure": {"name": "tab-13-rules", "caption": "Rules on GW maps. *Exact*: the share of networks with boundaries in which the groups are the true ones. *F1* and *ARI* score the groups. *Alarms*: the share of networks without a boundary that are cut."}}
board = pd.DataFrame(
    {
        score: judgement.by_design(several, score).mean()
        for score in ("exact", "f1", "ari")
    }
)
board["alarms"] = false["mean"]
on_gw = [name for name in board.index if name.endswith(", gw") or name == REFERENCE]
guesses = [name for name in ("one group", "new parts") if name in board.index]
board.loc[[*on_gw, *guesses]].sort_values("f1", ascending=False).round(2)

# %% [markdown]
# TEXT_RULES
#
# ## Take part
#
# A measure or a rule of your own takes part with one command. It gets the layers of each network, and returns distances, evidence or groups.
#
# ```
# python -m replication.benchmark --entry my_module:my_function --out my_scores
# ```
#
# [Page 13b](13b-ten-chains.ipynb) keeps the first study of this kind: ten chains whose parts are small transformers, with *{term}`stitching`*, which acts on a network instead of looking at it.
#
# ## What we found
#
# ROWS
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A measure finds the right boundary in every trained chain, and a boundary in every untrained one. What is it worth?**
#
# <details><summary>a. It is the best: it misses nothing.</summary>No: an alarm that always rings misses no thief.</details>
# <details><summary>b. Its findings say little: they do not depend on whether there is a function.</summary>Right: look at the null first.</details>
# <details><summary>c. Untrained chains have functions, too.</summary>No: before training no part computes its sum.</details>
#
# **2. A layer can be made from an earlier one by an affine map without any loss. What follows?**
#
# <details><summary>a. The layers in between do nothing.</summary>No: they may do something that is not needed, or something affine.</details>
# <details><summary>b. Nothing that is needed between the two is more than affine.</summary>Right: that is what stitching tests, no more and no less.</details>
# <details><summary>c. The two layers are at distance 0 under GW.</summary>No: an affine map may stretch, and GW sees that.</details>
#
# ## Exercises
#
# :::{exercise} Score a cut
# :label: ex-13-f1
#
# *Difficulty 1 of 5, importance 4 of 5, 5 minutes.* Write `f1_of_cuts(found, true)`, two tuples of places: the harmonic mean of precision and recall. What should it be if both are empty?
#
# ```{dropdown} Hint 1
# Precision: which share of what was found is true? Recall: which share of what is true was found?
# ```
# ```{dropdown} Hint 2
# Twice the number that both have, divided by the sum of their numbers.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def f1_of_cuts(found, true):
    """From 0 to 1; a cut that is one layer off is wrong."""
    if not found and not true:
        return 1.0
    return 2 * len(set(found) & set(true)) / (len(found) + len(true))


check.f1_of_cuts(f1_of_cuts)

# %% [markdown]
# :::{exercise} Make a layer from another
# :label: ex-13-made
#
# *Difficulty 2 of 5, importance 4 of 5, 10 minutes.* Write `made_from(source, target, rows)`: fit the best affine map from `source` (n, d) to `target` (n, e) on the samples where `rows` is true, and return what it makes of the others.
#
# ```{dropdown} Hint 1
# An affine map is a linear one with a shift: add a column of ones to the source.
# ```
# ```{dropdown} Hint 2
# `np.linalg.lstsq(a, b, rcond=None)[0]` are the weights; `~rows` are the others.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def made_from(source, target, rows):
    """The affine image (m, e) of the m samples that are not in rows."""
    ones = np.column_stack([source, np.ones(len(source))])
    weights = np.linalg.lstsq(ones[rows], target[rows], rcond=None)[0]
    return ones[~rows] @ weights


check.made_from(made_from)

# %% [markdown]
# :::{exercise} Which measure is better?
# :label: ex-13-gain
#
# *Difficulty 3 of 5, importance 5 of 5, 15 minutes.* Two measures were scored on the same chains. Write `gain(one, other, rng)`: the mean difference of their scores (n,), and both ends of its 95 % bootstrap interval, from 2,000 draws of n chains with `rng`.
#
# ```{dropdown} Hint 1
# Some chains are hard for both. If you draw a chain, draw both of its scores.
# ```
# ```{dropdown} Hint 2
# `rng.choice(one - other, (2000, n))` draws; then means, then `np.quantile`.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def gain(one, other, rng):
    """Mean difference, lower and upper end."""
    difference = one - other
    drawn = rng.choice(difference, (2000, len(difference))).mean(axis=1)
    return difference.mean(), *np.quantile(drawn, [0.025, 0.975])


check.gain(gain)

# %% [markdown]
# :::{exercise} Beyond depth
# :label: ex-13-depth
#
# *Difficulty 3 of 5, importance 5 of 5, 15 minutes.* Layers far apart differ more, and more is lost if one stands for the other. Write `beyond_depth(distance, lost, depth)`: the rank correlation of distance and loss when what depth explains of either is taken out.
#
# ```{dropdown} Hint 1
# Go over to ranks, fit a line over the ranks of depth to each, and keep what is left.
# ```
# ```{dropdown} Hint 2
# `stats.rankdata`, `np.polyfit(x, y, 1)`, `np.polyval`, and `stats.pearsonr` of what is left.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def beyond_depth(distance, lost, depth):
    """Partial rank correlation, between -1 and 1."""
    ranks = [stats.rankdata(x) for x in (distance, lost, depth)]
    one, other = (
        r - np.polyval(np.polyfit(ranks[2], r, 1), ranks[2]) for r in ranks[:2]
    )
    return stats.pearsonr(one, other).statistic


check.beyond_depth(beyond_depth)

# %% [markdown]
# ## Where the stored results come from

# %% tags=["hide-cell"]
print(family.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
