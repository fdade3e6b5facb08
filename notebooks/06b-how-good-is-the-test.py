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
#     data: [level-and-power]
# ---

# %% [markdown]
# # 06b How good is the test of groups?
#
# [Chapter 06](06-modular-sum-subnetworks.ipynb) cuts {term}`layer maps <layer map>` into {term}`groups <group>` by a test. How often does this test find a {term}`boundary` where there is none? And how often does it miss one that is there?
#
# **Time**: 11 minutes to read, half a minute to run.
#
# ## In short
#
# We ran the test on maps whose answer is known: {glue:text}`n_families:d` families of simulated chains of layers, and transformers that were never trained. We test each family at several lengths. In {glue:text}`n_level:d` combinations of family and length there is no boundary. In {glue:text}`n_above:d` of these the share of chains that are cut is above the level of 5 % by more than two standard errors. A step four times as large as usual is found in {glue:text}`power_7:.0f` % of short chains (7 layers). In chains of 13 layers it is found in {glue:text}`power_13:.0f` %. Of nine rules only this test stays below the level and still finds a high share of the boundaries.
#
# :::{glue:figure} fig_rivals_06b
# :name: fig-06b-rivals
# :alt: For nine rules, the share of chains that are cut although they have no boundary, and the share of boundaries that are found exactly. Only the test of this book is below five per cent with a high share of found boundaries.
#
# Nine rules on the same maps. A good rule has its circle at the left and its square at the right. Circles: chains without a boundary that are cut, the mean over all such families. Squares: chains whose boundary is found exactly where it is, the mean over three families. The first has a step four times as large as usual, the second a step ten times as large into the last layer. The third has two groups without drift.
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_chains = 20_000

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

from funcsim import viz
from funcsim.simulated_maps import DRIFTS, PLANTED
from replication.benchmark import level_and_power
from replication.benchmark.known_chains import found_by
from replication.benchmark.rules import RULES

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## How the test works
#
# `fs.partition` makes three moves. Chapter 06 gives the idea of each. Here are the rules.
#
# 1. **Measure the steps.** Take a layer and the layer before it. Their distance is the first of three candidates for the step. The second candidate starts one layer earlier, the third ends one layer later. The step is the least of the three. So a single odd layer makes no step if its two neighbours are alike. From here on we use the logarithm of the step.
# 2. **Look for {term}`outliers <outlier>`.** The largest step is taken out. How far does it lie above the others, in units of *their* spread? Then the next one is taken out, and so on, for at most six steps and at most a third of all {cite:p}`rosner1983percentage`. The same is done with 9,999 chains of uneven steps without a boundary. The {term}`p-value` is the share of these chains with an outlier at least as clear.
# 3. **Name what stands out.** One large step is a *jump*, also if it sets apart only the first or the last layer. Two or three large steps in a row, with smaller steps on both sides, are a *transition*. Both are boundaries. A longer run is a *change of speed*, and no boundary. A run of two or more that holds the first or the last step of the chain is a change of speed, too.
#
# Each boundary has an *effect*: its step divided by the larger of the two steps beside it. A step with an effect below 1.25 does not count, however small its p-value is. Before the test, each measure is brought to a *metric form*, a distance that adds up along a straight path of layers. A measure and its square have the same metric form, so they give the same groups.
#
# If layers are of several kinds, such as attention and {term}`MLP`, each step is compared with steps into layers of its own kind. The kind is read from the layer's name, or given by `kinds=`. If there are too many kinds, each step is compared with all others, and the library warns of this.
#
# ## What was measured
#
# Each row of the stored table is one rule on one family of chains of one length. The column "cut" is the share of chains that the rule cuts at all. The column "exact" is the share that it cuts exactly at the true boundary.

# %% mystnb={"figure": {"caption": "Some rows of the stored table, for the test of this book, on chains with one step twice as large as usual."}}
rates, origin = level_and_power.load(profile)
ours = rates[rates["rule"] == level_and_power.OURS]
some = ours[ours["exact"].notna()].rename(columns={"n_maps": "chains"})
some.set_index("family")[["layers", "chains", "cut", "exact"]].head(4)

# %% tags=["remove-cell"]
level = ours[ours["exact"].isna()]
note(n_families=len(DRIFTS) + len(PLANTED), n_level=len(level))
note(n_drifts=len(DRIFTS), n_planted=len(PLANTED))
note(n_above=int(level["above level"].sum()))
note(n_maps=int(ours["n_maps"].max()))


def by_size(table, column, families):
    """One row per family, one column per number of layers."""
    chosen = table[table["family"].isin(families)]
    wide = chosen.pivot(index="family", columns="layers", values=column)
    return wide.reindex(families)


# %% [markdown]
# ## Chains without a boundary
#
# {glue:text}`n_drifts:d` families have no boundary. Their steps are even, or grow, or follow an arc. Some come from random networks. In others each step is drawn independently, and the number in the name is the standard deviation of its logarithm. "Speed-up" chains become faster at some layer and stay fast. "Two kinds" alternate between two kinds of layers.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Share of chains without a boundary that the test cuts, by family and by length: nearly all near or below five per cent, one near eight."}, "figure": {"name": "fig-06b-level", "caption": "How often chains without a boundary are cut. The dashed line is the level, 5 %. Each dot stands for 200 chains, so it may lie up to 3 points to the right of the line by chance."}}
shown = [size for size in (7, 12, 24, 32) if size in set(ours["layers"])]
cut = 100 * by_size(ours, "cut", list(DRIFTS))[shown]
cut.columns = [f"{size} layers" for size in shown]
viz.dots(
    cut,
    xlabel="chains that are cut (%)",
    reference=5,
    reference_label="level",
)

# %% [markdown]
# Chains of even steps are never cut. Chains of uneven steps are cut about as often as the level says, and the spread of the steps matters little. Chains that speed up are hardly ever cut, because a change of speed is not counted as a boundary.
#
# Networks that have learned nothing are hardly ever cut either. We drew random weights for BERT, GPT-2 and Llama, and for small transformers for one sum, like those of [chapter 04](04-modular-sum-training.ipynb).

# %% tags=["remove-cell"]
untrained = ours[ours["family"].str.startswith("untrained")]
n_untrained = int(untrained["n_maps"].sum())
n_cut = int((untrained["cut"] * untrained["n_maps"]).round().sum())
first = rates[rates["rule"] == "first edition"]
first = first[first["family"].str.startswith("untrained")]
n_before = int((first["cut"] * first["n_maps"]).round().sum())
note(n_untrained=n_untrained, n_untrained_cut=n_cut, n_untrained_before=n_before)

# %% [markdown]
# The test cuts {glue:text}`n_untrained_cut:d` of {glue:text}`n_untrained:d` such maps. The test of this book's first edition cut {glue:text}`n_untrained_before:d` of them.
#
# ## Chains with a boundary
#
# {glue:text}`n_planted:d` families have boundaries. "Step x4 among .3" is one step four times as large as usual, among steps whose logarithms have a standard deviation of 0.3. A "transition" spreads a boundary over two steps.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Share of chains whose boundaries are found exactly, by family and by length: a step ten times as large, last layers and flat groups nearly always, a step four times as large in six to nine of ten chains, or in three of ten if the other steps are very uneven, a step twice as large rarely."}, "figure": {"name": "fig-06b-power", "caption": "How often boundaries are found exactly where they are. A last layer ten times as far is found nearly always. A step twice as large looks like any other among uneven steps."}}
exact = 100 * by_size(ours, "exact", list(PLANTED))[shown]
exact.columns = [f"{size} layers" for size in shown]
viz.dots(exact, xlabel="boundaries found exactly (%)")

# %% tags=["remove-cell"]
step = by_size(ours, "exact", ["step x4 among .3"]).iloc[0]
asked = by_size(ours, "cut", ["step x4 among .3"]).iloc[0]
for size in (7, 12, 13, 24, 32):
    note(**{f"power_{size}": 100 * step.get(size, np.nan)})
    note(**{f"cut_{size}": 100 * asked.get(size, np.nan)})

# %% [markdown]
# Short chains are hard. With seven layers there are six steps, and five of them must tell how uneven steps are. A transition needs still more steps around it.
#
# ## Could a test find more?
#
# Take the easiest case. Suppose we knew that at most one step stands out, and that logarithms of steps are normal. Then the best statistic is how far the largest step lies above the mean of the others, in their standard deviations. We simulate a test by this statistic, with the same level.


# %%
def largest(logs):
    """How far the largest lies above the mean of the others."""
    top = logs.max(axis=1)
    rest = np.sort(logs, axis=1)[:, :-1]
    return (top - rest.mean(axis=1)) / rest.std(axis=1, ddof=1)


# %% [markdown]
# The logarithms of the steps are drawn, and one step is made four times as large:

# %% mystnb={"figure": {"caption": "How often chains with a step four times as large are cut, in per cent. The first test may assume that at most one step stands out, the test of this book may not."}}
rng = np.random.default_rng(seed)
easiest = {}
for size in (7, 12, 13, 24, 32):
    usual, changed = rng.normal(scale=0.3, size=(2, n_chains, size - 1))
    critical = np.quantile(largest(usual), 0.95)
    changed[:, 0] += np.log(4)
    easiest[size] = 100 * (largest(changed) > critical).mean()
columns = {"one outlier at most": easiest, "this test": 100 * asked}
possible = pd.DataFrame(columns).rename_axis("layers")
possible.round(0).dropna().astype(int)

# %% tags=["remove-cell"]
note(easiest_13=easiest[13])

# %% [markdown]
# With 13 layers even the test that may assume one outlier finds only {glue:text}`easiest_13:.0f` %. Our test cuts {glue:text}`cut_13:.0f` % of these chains, and it also looks for several boundaries and for transitions. So a better test could gain little here. Where the table shows less than 80 %, the main reason is the number of layers.
#
# ## Other rules on the same maps
#
# Eight rules stand beside the test. Kernel {term}`change points <change point>`, agglomeration ("linkage") with a gap statistic, {term}`spectral clustering` with an eigengap, and Fisher's optimal segmentation with Hartigan's rule are general methods. SGLP and LoRP are rules for merging and {term}`pruning` layers. We built them from public code and descriptions, so they need not be what their authors run. The last two are the test of this book's first edition, and the plain rule "cut at the largest step". This rule cuts only if that step is at least twice the median step.

# %% tags=["remove-cell"]
ROLES = {"a cut without a boundary": "cut", "a boundary found exactly": "exact"}
DECISIVE = ["step x4 among .3", "last layer x10", "two flat groups"]
simulated = rates[~rates["family"].str.startswith("untrained")]
without = simulated[simulated["family"].isin(DRIFTS)].groupby("rule")["cut"].mean()
found = (
    simulated[simulated["family"].isin(DECISIVE)].groupby("rule")["exact"].mean()
)
rivals = 100 * pd.DataFrame({"cut without a boundary": without, "found": found})
rivals = rivals.sort_values("cut without a boundary")
keep_figure(
    "fig_rivals_06b",
    viz.dots(
        rivals.rename(index={level_and_power.OURS: "this test"}),
        xlabel="chains (%)",
        reference=5,
        reference_label="level",
    ),
)
note(linkage=100 * without["linkage, gap statistic"])
note(largest_step=100 * without["largest step"])

# %% [markdown]
# {numref}`fig-06b-rivals` at the top of this page shows the outcome. Most of the other rules are built to return several groups, and cut more than half of the chains without a boundary. Of the general methods, agglomeration with a gap statistic cuts the fewest, {glue:text}`linkage:.0f` %. "Cut at the largest step" finds nearly every large step that stands alone, and no boundary between flat groups. It cuts {glue:text}`largest_step:.0f` % of the chains that have none.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "All rules and all families, in per cent, as means over the lengths. For families without a boundary the number is the share that is cut, for the others the share that is cut exactly."}}
table = simulated.assign(rate=simulated["exact"].fillna(simulated["cut"]))
table = table.pivot_table("rate", "family", "rule", sort=False)
(100 * table).round().astype(int).T.rename_axis(None)

# %% [markdown]
# ## Seven families, computed here
#
# Does the code still give the stored numbers? We make the chains of seven families again, {glue:text}`n_again:d` of each, and let all nine rules cut them.

# %%
shown_again = {
    "even steps": "even",
    "uneven steps": "uneven .4",
    "five times as fast at the end": "speed-up x5",
    "untrained residual network": "residual network",
    "one step four times as large": "step x4 among .3",
    "last layer ten times as far": "last layer x10",
    "two flat groups": "two flat groups",
}
ours_again = {"this test": level_and_power.ours}
one_size = 13 if 13 in set(rates["layers"]) else int(rates["layers"].max())
stored = rates[rates["layers"] == one_size]
n_again = int(stored[stored["rule"] == "largest step"]["n_maps"].max())
again = found_by(ours_again | RULES, shown_again, n_again, seed, one_size)

# %% [markdown]
# The table has shares in per cent. In the first four columns they should be 5 or less, in the last three 100.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-06b-again", "caption": "Nine rules on seven families of chains, computed on this page. First four columns: the share of chains that are cut. Last three: the share that is cut exactly where it should be."}}
(100 * again).round().astype(int).T

# %% tags=["remove-cell"]
stored = stored.assign(share=stored["exact"].fillna(stored["cut"]))
stored = stored.pivot_table(index="family", columns="rule", values="share")
stored = stored.loc[list(shown_again.values())]
gap_rivals = np.abs(again[list(RULES)].to_numpy() - stored[list(RULES)].to_numpy())
n_stored = int(ours["n_maps"].max())
all_again = found_by(ours_again, shown_again, n_stored, seed, one_size)
gap_ours = np.abs(all_again["this test"].to_numpy() - stored[level_and_power.OURS])
note(replay_rivals=100 * float(gap_rivals.max()))
note(replay_ours=100 * float(gap_ours.max()), n_stored=n_stored)
note(n_again=n_again, size_again=one_size)
mine = 100 * again["this test"]
for key, one in zip("abcd", mine.iloc[:4], strict=True):
    note(**{f"cut_{key}": one})
note(cut_before=100 * again.loc["uneven steps", "first edition"])
note(found_step=mine["one step four times as large"])
note(found_last=mine["last layer ten times as far"])
note(found_flat=mine["two flat groups"])

# %% [markdown]
# For the eight other rules the largest difference from the stored shares is {glue:text}`replay_rivals:.1g` points. The stored shares of our test come from {glue:text}`n_stored:d` chains of each family. We made all of these again, and the difference is {glue:text}`replay_ours:.1g` points.
#
# On the {glue:text}`n_again:d` chains of each family our test cuts {glue:text}`cut_b:.0f` % of those with uneven steps. It cuts {glue:text}`cut_a:.0f` % of those with even steps, {glue:text}`cut_c:.0f` % of those that speed up, and {glue:text}`cut_d:.0f` % of the untrained networks. It finds {glue:text}`found_step:.0f` % of the large steps, {glue:text}`found_last:.0f` % of the far last layers, and {glue:text}`found_flat:.0f` % of the boundaries between flat groups. The test of the first edition cuts {glue:text}`cut_before:.0f` % of the chains of uneven steps, because it took uneven steps for boundaries.
#
# ## What the test cannot see
#
# - *Two boundaries close to each other in a short chain.* With 13 layers there are too few steps between them.
# - *A boundary among very uneven steps.* Take steps whose logarithms have a standard deviation of 0.5. Among these a step four times as large is found in a quarter to a third of the chains.
# - *A boundary in fewer than six layers.* The test then answers "one group" without testing anything.
#
# ## What else was tried
#
# We tried two other constructions on the same chains, and use neither. The first fits a line with a jump in a window {cite:p}`baranowski2019narrowest`. It cuts chains of uneven steps that have no boundary. The other takes out a trend and looks at the largest $t$-value. It sees no transition, because each of the two steps of a transition hides the other.
#
# ## Where the numbers come from

# %% tags=["hide-input"]
print(origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
