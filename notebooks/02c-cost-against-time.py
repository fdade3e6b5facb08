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
#     data: [search, search-large, model-0]
# ---

# %% [markdown]
# # 02c Which solver ends lowest, and how long does it take?
#
# The {term}`Gromov-Wasserstein distance` is the root of the lowest {term}`cost` of all {term}`couplings <coupling>`. Every solver only searches for this lowest cost. [Page 02b](02b-search-and-bounds.ipynb) shows how our search works. How good is it beside the solvers that others use?
#
# **Time**: 6 minutes to read, seconds to run.
#
# ## In short
#
# We gave {glue:text}`n_pairs:d` pairs of layers to {glue:text}`n_solvers:d` searches. The pairs have {glue:text}`least_n:d` to {glue:text}`most_n:,d` inputs. The library has three *efforts*, from quick to thorough. On these pairs none of the three efforts ever ended above {term}`POT`. We compare each search with the lowest cost that any of them found. At the default effort the library is within 0.1 % of this cost in {glue:text}`usual_all:.0f` % of the pairs. If our own slowest effort is left out of the comparison, the share is {glue:text}`usual_lowest:.0f` %. POT, the solver of the paper, ends {glue:text}`pot_above:.0f` % above the lowest known cost on average. For small pairs POT is much faster: with {glue:text}`least_n:d` inputs our default takes {glue:text}`usual_small:.0f` times as long. With {glue:text}`shown_n:d` inputs it takes {glue:text}`usual_median:.1f` of POT's time.
#
# :::{glue:figure} fig_price_02c
# :name: fig-02c-price
# :alt: For each kind of layers, time against cost, one mark for each solver. Those of the library lie lowest; those of other solvers lie higher at the same time, or far to the right.
#
# How long a search takes and what it finds, for pairs of {glue:text}`shown_n:d` inputs. To the left is faster, downwards is better. The horizontal axis is the time in units of POT's time on the same pair, the vertical axis is the cost above the lowest that any solver found. The time is the median over the pairs, the cost the mean. A mark at the upper edge stands for a cost above the picture.
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
import numpy as np
import pandas as pd

import funcsim as fs
from funcsim import viz
from funcsim.gromov.solver import solve
from replication.modular_addition import trained_networks
from replication.search import exhaustive, measured, pictures, tables
from replication.search.layers import sources

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## What was measured
#
# Each pair went to every solver in turn, in one process and on one thread. So for each pair all solvers ran on the same machine, one right after the other. The times are processor time, in seconds. Solvers that would take minutes were given the smaller pairs only.

# %%
result = measured.load(profile, seed)
pairs = result.pairs
solvers = tables.names_of(pairs)
print(len(pairs), "pairs;", ", ".join(solvers))

# %% tags=["remove-cell"]
n_of = sorted(set(pairs["n"]))
shown_n = 512 if 512 in n_of else n_of[-1]
note(n_pairs=len(pairs), n_solvers=len(solvers), least_n=n_of[0], most_n=n_of[-1])
note(shown_n=shown_n)

# %% [markdown]
# The layers are of these kinds:
#
# - *{term}`Model 0 <Model 0, Model E, Model L>`*: the network of chapter 04, which adds two numbers.
# - *{term}`ReLU` chain*: twelve layers of random weights, each with a ReLU and a little noise.
# - *tanh*: Gaussian clouds, and what a tanh layer with noise makes of them.
# - *ties*: the same, rounded to whole numbers, so that many distances are equal.
# - *ResNet-9, CIFAR-10*: the network of [chapter 12](12-resnet-cifar10.ipynb) on real images.
# - *MPNet, SST-2*: the twelve {term}`blocks <block>` of a pre-trained encoder on real sentences.
#
# {term}`POT` is in the list of solvers twice. It starts once from its own start, which is the paper's, and once from the matching of each input with itself. SciPy's FAQ and CAJAL use the same descent as POT, in other programs. SciPy's {term}`2-opt` exchanges partners one pair at a time. The solver of ott-jax is *entropic*: it smooths the coupling. The number in its name is how much it smooths, relative to the mean cost. The solver of torchgw draws samples of the distances. A smoothed coupling is not a matching. So we also make a matching of each smoothed coupling, and count the lower of the two costs.

# %% [markdown]
# ## How low each search ends

# %% mystnb={"figure": {"name": "tab-02c-overall", "caption": "Each row is over all pairs that the solver was given. All columns but the last are in per cent. SciPy's solvers, torchgw and ott-jax at 1e-3 were given no pairs of 1,000 inputs, so their means are over smaller pairs. *Above the lowest*: the mean excess over the lowest cost that any solver found on the pair. *Lowest*: how often a solver is within 0.1 % of it. *Lowest but thorough*: the same, with our slowest effort left out. *Never above POT*: how often a solver ends no higher than POT. The last column is the median of the time, with POT's as 1."}}
overall = tables.overall(pairs).set_index("solver").rename_axis(None)
percent = [
    "above the lowest by",
    "lowest of all",
    "lowest but thorough",
    "never above POT",
]
shown = (100 * overall[percent]).round(1)
shown["time / POT"] = overall["time / POT"].round(2)
shown

# %% tags=["remove-cell"]
note(usual_lowest=100 * overall.loc["usual", "lowest but thorough"])
note(usual_all=100 * overall.loc["usual", "lowest of all"])
note(usual_above=100 * overall.loc["usual", "above the lowest by"])
note(thorough_lowest=100 * overall.loc["thorough", "lowest of all"])
note(pot_above=100 * overall.loc["POT", "above the lowest by"])
note(quick_below=100 * overall.loc["quick", "never above POT"])
note(usual_below=100 * overall.loc["usual", "never above POT"])
rest = overall.drop(index=["quick", "usual", "thorough"])
best_rival = rest["above the lowest by"].idxmin()
note(
    best_rival=best_rival,
    best_rival_above=100 * rest.loc[best_rival, "above the lowest by"],
)

# %% [markdown]
# The best of the other solvers is {glue:text}`best_rival`. It ends {glue:text}`best_rival_above:.1f` % above the lowest cost on average. Our default effort ends {glue:text}`usual_above:.1f` % above the lowest cost, and `effort="thorough"` finds the lowest cost in {glue:text}`thorough_lowest:.0f` % of the pairs. Nobody knows the true minimum of a large pair. "Lowest" means the lowest that any of these searches has found.
#
# ## How long an effort takes
#
# The library has three efforts. The next table gives the time of each for every kind of layers, with POT's as 1.

# %% mystnb={"figure": {"name": "tab-02c-efforts", "caption": "The median time of each effort, with POT's time on the same pair as 1. It includes the lower bounds, which POT does not compute."}}
table = tables.solvers(pairs)
large = table[table["n"] >= min(256, n_of[-1])]
efforts = large[large["solver"].isin(["quick", "usual", "thorough"])]
rows = ["layers", "n"]
times = efforts.pivot(index=rows, columns="solver", values="time / POT")
times = times[["quick", "usual", "thorough"]].reset_index()
AS_A_FRAME = 'class="dataframe"'  # looks like any other table
styled = times.style.set_table_attributes(AS_A_FRAME).hide(axis="index")
styled.format(precision=2)

# %% tags=["remove-cell"]
at_shown = table[(table["n"] == shown_n) & table["solver"].isin(["quick", "usual"])]
by_kind = at_shown.pivot(index="layers", columns="solver", values="time / POT")
note(
    quick_slowest=by_kind["quick"].max(), quick_slowest_is=by_kind["quick"].idxmax()
)
small = table[(table["n"] == n_of[0]) & (table["solver"] == "usual")]
note(usual_small=small["time / POT"].median())
note(quick_median=by_kind["quick"].median(), usual_median=by_kind["usual"].median())
note(
    usual_slowest=by_kind["usual"].max(), usual_slowest_is=by_kind["usual"].idxmax()
)
note(n_slower=int((by_kind["usual"] > 1).sum()), n_kinds=len(by_kind))

# %% [markdown]
# With {glue:text}`shown_n:d` inputs `effort="quick"` takes {glue:text}`quick_median:.2f` of POT's time, as a median over the kinds of layers. The slowest kind is {glue:text}`quick_slowest_is`, with {glue:text}`quick_slowest:.2f`. The default takes {glue:text}`usual_median:.2f` of POT's time, and more than POT in {glue:text}`n_slower:d` of {glue:text}`n_kinds:d` kinds.
#
# Where POT is faster, it has stopped at the first minimum that it met, which may be high. So a fairer question is this: how long does our search take until its cost is as low as the one that POT ends with? And how long until it reaches the lowest cost that is known?

# %% mystnb={"figure": {"name": "tab-02c-way", "caption": "How long the library takes until its cost is as low as the one that POT ends with, and until it is within 0.1 % of the lowest cost known. POT's time is 1. *inf*: in half of the pairs or more it never gets there. *Reach that*: the share of pairs in which it gets within 0.1 %."}}
way = tables.on_the_way(pairs)
way = way[way["n"] == shown_n].drop(columns=["n", "reach it"]).round(2)
styled = way.style.set_table_attributes(AS_A_FRAME).hide(axis="index")
styled.format(precision=2)

# %% [markdown]
# ## How the time grows
#
# Running all solvers on one of the largest pairs takes minutes. So there is one pair of {glue:text}`large_n:,d` inputs for each kind of layers, measured in a run of its own.

# %%
large_pairs = measured.load(profile, seed, measured.LARGE)
both = pd.concat([pairs, large_pairs.pairs], ignore_index=True)

# %% [markdown]
# The figure has the median time of four solvers, from the smallest pairs to these largest ones.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Seconds against the number of inputs on logarithmic axes, one line each for POT, CAJAL, ott-jax and the library. The lines are nearly straight. At the right end the library lies below POT."}, "figure": {"name": "fig-02c-growth", "caption": "Seconds for one pair against the number of inputs: for each kind of layers the median, then the mean over the kinds. Both axes are logarithmic. *usual* is the default effort of the library."}}
drawn = [name for name in pictures.DRAWN if name in solvers]
medians = both.groupby(["layers", "n"])[
    [f"{name}: seconds" for name in drawn]
].median()
kinds = both.groupby("n")["layers"].nunique()
complete = kinds == kinds.max()
growth = medians.groupby("n").mean()[complete].set_axis(drawn, axis=1)
viz.curves(
    {name: growth[name].to_numpy() for name in drawn},
    growth.index.to_numpy(),
    xlabel="inputs n",
    ylabel="seconds",
    xscale="log",
    yscale="log",
)

# %% tags=["remove-cell"]
powers = pd.DataFrame(tables.exponents(both)).T[["POT", "usual"]]
note(power_pot=powers["POT"].median(), power_usual=powers["usual"].median())
note(large_n=int(large_pairs.pairs["n"].max()))

# %% [markdown]
# POT's time grows as $n$ to the power {glue:text}`power_pot:.1f`, ours at the default effort as $n$ to the power {glue:text}`power_usual:.1f`. (These are medians over the kinds of layers. Part of the time of a small pair does not depend on $n$, so very large pairs may have other powers.)

# %% mystnb={"figure": {"name": "tab-02c-large", "caption": "One large pair of each kind of layers. The time of each effort, with POT's as 1, and by how many per cent POT, CAJAL and ott-jax end above the lowest cost of all."}}
at_large = tables.solvers(large_pairs.pairs)
at_large = at_large[at_large["n"] == at_large["n"].max()]
efforts = at_large[at_large["solver"].isin(["quick", "usual", "thorough"])]
ratio = "time / POT"
columns = efforts.pivot(index="layers", columns="solver", values=ratio)
columns = columns[["quick", "usual", "thorough"]].round(2)
for name in [name for name in pictures.DRAWN if name != "usual"]:
    of = at_large[at_large["solver"] == name].set_index("layers")
    columns[f"{name}, above"] = (100 * of["above the lowest by"]).round(1)
columns.rename_axis(index=None, columns=None)

# %% tags=["remove-cell"]
note(large_quick=columns["quick"].median(), large_usual=columns["usual"].median())
note(large_usual_most=columns["usual"].max())
note(large_usual_is=columns["usual"].idxmax())
note(large_pot=columns["POT, above"].mean())
over = large_pairs.pairs["usual: cost"] / large_pairs.pairs["POT: cost"] - 1
quick_over = large_pairs.pairs["quick: cost"] / large_pairs.pairs["POT: cost"] - 1
note(n_over=int((over > tables.SAME).sum()), n_large=len(over))
note(most_over=100 * over.max(), quick_over=100 * quick_over.max())
worst = large_pairs.pairs.loc[over.idxmax()]
cajal_over = worst.get("CAJAL: cost", np.nan) / worst["POT: cost"] - 1
note(cajal_over=100 * cajal_over)
best = large_pairs.pairs["thorough: cost"] / large_pairs.pairs["usual: cost"] - 1
note(thorough_over=100 * best.max())

# %% [markdown]
# With {glue:text}`large_n:,d` inputs `effort="quick"` takes {glue:text}`large_quick:.2f` of POT's time, and the default {glue:text}`large_usual:.2f`, as medians over the kinds. The slowest kind for the default is {glue:text}`large_usual_is`, with {glue:text}`large_usual_most:.2f`. POT ends {glue:text}`large_pot:.0f` % above the lowest cost on average.
#
# For pairs of this size the library can end above POT. In {glue:text}`n_over:d` of {glue:text}`n_large:d` pairs the default does so, by at most {glue:text}`most_over:.4f` %. The largest excess of `quick` over POT is {glue:text}`quick_over:.2f` %. POT solves a linear program in each step. At this size POT warns that some of these programs stop at their limit of iterations. So POT may take another way down than we do, and may end lower. CAJAL, too, ends {glue:text}`cajal_over:.2f` % above POT on the pair where our default ends farthest above it. Our slowest effort is not always the lowest of the three. Its cost is at most {glue:text}`thorough_over:.3f` % above that of the default.
#
# ## How much memory
#
# A distance matrix of {glue:text}`remembered:,d` inputs takes {glue:text}`matrix:.0f` MiB. A solver is given two of them. The next table shows what it takes beyond these, for this size and for {glue:text}`large_n:,d` inputs. Each solver ran in a process of its own.

# %% mystnb={"figure": {"name": "tab-02c-memory", "caption": "Memory for one pair beyond its two distance matrices, in MiB. Solvers that were given no pairs of these sizes are missing. The solver of ott-jax is compiled during the measurement."}}
memory = pd.Series(result.memory, dtype=float).sort_values()
held = pd.DataFrame(
    {
        f"{one.record.parameters['remembered']:,} inputs": one.memory
        for one in (result, large_pairs)
    }
)
styled = held.loc[memory.index].style.set_table_attributes(AS_A_FRAME)
styled.format(precision=0, na_rep="")

# %% tags=["remove-cell"]
remembered = result.record.parameters["remembered"]
note(remembered=remembered, matrix=8 * remembered**2 / 2**20)
note(mib_usual=memory["usual"], mib_pot=memory["POT"])

# %% [markdown]
# The default effort takes {glue:text}`mib_usual:.0f` MiB, and POT {glue:text}`mib_pot:.0f` MiB. All solvers in the table hold several matrices of this size at once. None of them needs more than a common machine has.
#
# ## How much lower could the cost still be?
#
# No search can go below a {term}`lower bound`. Our bound is far below the distance found.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "The best lower bound as a share of the lowest distance found, for each kind of layers and number of inputs."}, "figure": {"name": "fig-02c-bounds", "caption": "The best lower bound, as a share of the lowest distance found. At 100 % the distance found would be proven to be the true one."}}
share = tables.bounds(pairs).pivot(
    index="layers", columns="n", values="bound / distance"
)
share = 100 * share.loc[:, share.notna().all()].iloc[:, -4:]
share.columns = [f"{n} inputs" for n in share.columns]
viz.dots(share.rename_axis(None), xlabel="bound / distance (%)")

# %% tags=["remove-cell"]
every = (pairs["lower_bound"] / np.sqrt(pairs["thorough: cost"])).quantile(
    [0.1, 0.9]
)
note(loose=100 * every.iloc[0], tight=100 * every.iloc[1])

# %% [markdown]
# In most pairs the bound lies between {glue:text}`loose:.0f` % and {glue:text}`tight:.0f` % of the distance. Does the search end too high, or is the bound too low? For a few points we can try every matching, and then we know the true distance.


# %%
def gaps(kind, draw, n=6 if profile == "smoke" else 8):
    """Bound and distance found, as shares of the true distance."""
    few = measured.chosen_pairs(kind, draw, n, 10, seed)
    for _, (D1, D2) in few:
        found = solve(D1, D2)
        true = exhaustive.true_distance(D1, D2)
        yield kind, found.lower_bound / true, found.distance / true


kinds, _ = sources(False, profile, seed, 8)
known = [row for kind, draw in kinds.items() for row in gaps(kind, draw)]
known = pd.DataFrame(known, columns=["layers", "bound", "found"])

# %% [markdown]
# Of each kind we look at the median of the bound, and at the largest distance found.

# %% mystnb={"figure": {"name": "tab-02c-known", "caption": "Ten pairs of each kind of layers with eight inputs, where the true distance is known. Bound and distance found, in per cent of the truth: the median of the bound, and the largest distance found."}}
groups = known.groupby("layers", sort=False)
shown = groups.agg(bound=("bound", "median"), found=("found", "max"))
(100 * shown).round(1).rename_axis(None)

# %% tags=["remove-cell"]
note(
    known_bound=100 * known["bound"].median(),
    known_found=100 * known["found"].max(),
)
note(n_known=len(known), n_exact=int((known["found"] < 1 + 1e-6).sum()))

# %% [markdown]
# The search finds the truth in {glue:text}`n_exact:d` of {glue:text}`n_known:d` pairs, while the bound stays at {glue:text}`known_bound:.0f` % of it. So with eight inputs the gap is there mostly because the bound is low. Can a third layer close it? Take the lower bound between the first layer and the third, and subtract the distance found between the third and the second. By the triangle inequality the distance of the two layers is at least this difference.

# %%
trained = trained_networks.load("model-0", profile, seed)
reps = fs.capture(trained.model, [trained.pairs])
reps = reps.subsample(min(64, reps.n_samples), seed)
layer_map = fs.compare(reps.select(list(reps.names)[::4]))
raised = exhaustive.through_third(layer_map.lower, layer_map.values)
n_raised = int((raised > layer_map.lower * 1.001).sum()) // 2
print(n_raised, "of", len(raised) * (len(raised) - 1) // 2, "bounds rise")

# %% tags=["remove-cell"]
note(n_raised=n_raised, n_triangle=len(raised) * (len(raised) - 1) // 2)

# %% [markdown]
# A third layer raises {glue:text}`n_raised:d` of {glue:text}`n_triangle:d` bounds. Better bounds of the {term}`quadratic assignment problem` exist, but each of their steps solves $n^2$ assignment problems. With 512 inputs these are 262,144 problems. So we keep the cheap bound. It does not prove that a search has ended well. It serves another purpose: it decides which pairs are certainly far apart.

# %% tags=["remove-cell"]
keep_figure("fig_price_02c", pictures.price(table[table["n"] == shown_n]))

# %% [markdown]
# ## Measure it yourself
#
# `make bench ONLY=gw` repeats all of this. The other solvers come with the extra `bench`; one that is missing is skipped, and the output says so. An interrupted run continues where it stopped. The real images and sentences need `FUNCSIM_DATA` and `FUNCSIM_MODELS`, as in chapters 12 and 07.
#
# ## What we found
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | D03: is the correspondence found? | - | justified: POT stops far above the lowest cost | POT ends {glue:text}`pot_above:.0f` % above the lowest cost known on average; the library never above POT, with up to {glue:text}`most_n:,d` inputs |
#
# ## Where the stored results come from

# %% tags=["hide-cell"]
print(result.origin)
print(large_pairs.origin)
for name, why in result.skipped.items():
    print("not measured:", name, "-", why)
