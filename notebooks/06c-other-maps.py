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
#     data: [model-0/seed-0, model-l-equal/seed-0, modular-maps]
# ---

# %% [markdown]
# # 06c Other maps of the same networks
#
# [Chapter 06](06-modular-sum-subnetworks.ipynb) finds no functions in the {term}`layer map` of a network that adds three times. Would another map show them? We try other positions, layers, seeds and measures, and more inputs.
#
# ## In short
#
# None of the maps that we tried shows the functions. Six measures find {glue:text}`by_any_words` of the two places where a new function begins, also when they are given the number of {term}`groups <group>`. A network in which each part needs the answer of the part before does not show the functions either. Two more seeds of {term}`Model L <Model 0, Model E, Model L>` give similar maps, with a {term}`rank correlation` of {glue:text}`seeds_l:.2f` or better. Distances on few inputs are larger: on 100 inputs by {glue:text}`shift_100:.0f` %. They keep most of their order.
#
# :::{glue:figure} fig_inputs_06c
# :name: fig-06c-inputs
# :alt: Two lines over the number of inputs. The distances are larger by some six per cent at 50 and at 200 inputs, and by three per cent at 1,000. The rank correlation with the distances on all inputs rises from 0.83 at 50 to 0.98 at 1,000.
#
# How distances depend on the number of inputs, for the seven states of Model L's stream. Above: how much larger they are than on all 3,481 inputs, in the median. Below: the rank correlation with the distances on all inputs, which is 1 if the order is the same. Few inputs make distances larger, and keep most of their order.
# :::
#
# **Time**: 10 minutes to read, a minute to run.
# **In the paper**: sections 4.1, 5.1 and 5.2, Figures 3 to 5; the discussion of its reviews.

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
from scipy.stats import spearmanr

import funcsim as fs
from funcsim import viz
from funcsim.viz import interactive
from replication.modular_addition import maps, trained_networks
from replication.modular_addition.maps import MAPS

# %% tags=["remove-cell"]
# isort: split
import warnings

import matplotlib.pyplot as plt

from bookkit.glue import keep_figure, note
from funcsim.kinds import MixedKindsWarning

warnings.simplefilter("ignore", MixedKindsWarning)  # said in chapter 06

# %% [markdown]
# ## One position, or both?
#
# Chapter 06 takes the layers of Model 0 at both token positions. The text we worked from does not say whether the paper does so. Here is the last position alone, on a smaller sample.

# %%
model_0 = trained_networks.load("model-0", profile, seed)
last = fs.capture(model_0.model, [model_0.pairs], pool="last")
last = last.subsample(min(100, last.n_samples), seed)
last_map = fs.compare(last, progress=False)
last_groups = fs.partition(last_map, seed=seed)
last_groups.n_groups, last_groups.p_value

# %% tags=["remove-cell"]
normalised = maps.load("0", profile, seed)
note(n_blocks_last=last_groups.n_groups, n_last=last.n_samples)
note(n_blocks=fs.partition(normalised, seed=seed).n_groups)

# %% [markdown]
# The map:

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Normalised layer map of Model 0 at the last position: the attention maps are unlike most layers but dark where they meet the keys."}, "figure": {"name": "fig-06c-last", "caption": "The {term}`normalised` map of Model 0 at the last position alone. The attention maps are still unlike most layers. The map is dark where they meet the keys: these two are alike."}}
last_map.plot(groups=last_groups, title="Model 0, last position only")

# %% [markdown]
# The number of groups is {glue:text}`n_blocks_last:d`. With both positions it is {glue:text}`n_blocks:d`. To the eye the {term}`attention maps <attention score, attention map>` still stand apart, but no longer from everything: they now resemble the keys. The number of inputs changed as well, to {glue:text}`n_last:d`. Fewer inputs alone keep most of the order of the distances, as the end of this page shows for Model L. So what a map says about the attention, the first half of the network, depends on which positions are taken. This must be stated with every map.
#
# ## Groups without an order
#
# The paper's alternative to the eye is {term}`spectral clustering` with a given number of groups. It needs no order of layers and gives no {term}`p-value`. Where does it cut the map of Model 0?

# %%
spectral = fs.spectral_partition(normalised, 2, seed=seed)
in_three = fs.spectral_partition(normalised, 3, seed=seed)
spectral.boundaries, in_three.boundaries

# %% tags=["remove-cell"]
note(spectral_groups=len(spectral.groups[1]))

# %% [markdown]
# With two groups it puts {glue:text}`spectral_groups:d` layers into the second. These are the attention maps. All layers before *and after* them are the first group. So the same picture can be read in two ways: as a row of groups, or as layers that are all alike except the attention maps. Spectral clustering asks which layers are alike, wherever they stand. The test asks where the computation changes.
#
# Chapter 06 also asks for three groups in Model L. Here they are, with their layers.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-06c-spectral", "caption": "Three groups of Model L by spectral clustering, as runs of layers. The three saturated attention maps of the second block are two groups, all other layers are one."}}
map_l = maps.load("l", profile, seed)
fs.spectral_partition(map_l, 3, seed=seed).to_frame()

# %% [markdown]
# ## The stream alone
#
# In Model L the inner layers of a {term}`block` differ most, and at the two true places the step is 0. What if we compare only what leaves each half of a block? The next map keeps the {term}`residual stream`, each of its states once.

# %% mystnb={"figure": {"name": "tab-06c-stream", "caption": "The map of the seven states of Model L's stream, under GW and without {term}`scale`, on 100 inputs. The second block begins after `0.resid_post`, the third after `1.resid_post`. No step along the diagonal stands out."}}
stream_map = maps.load("l-stream-100", profile, seed)
stream_names = [name.removeprefix("blocks.") for name in stream_map.names]
stream_groups = fs.partition(stream_map, seed=seed)
stream_frame = stream_map.to_frame().set_axis(stream_names)
stream_frame.set_axis(stream_names, axis=1).round(2)

# %% tags=["remove-cell"]
note(stream_blocks=stream_groups.n_groups, stream_p=stream_groups.p_value)
along = np.diag(stream_map.values, k=1)
note(along_first=along[0], along_last=along[-1])

# %% [markdown]
# The test finds {glue:text}`stream_blocks:d` group ($p$ = {glue:text}`stream_p:.2f`). The eye finds no {term}`boundary` either. The steps along the stream go from {glue:text}`along_first:.2f` at the first to {glue:text}`along_last:.2f` at the last, and none stands out. But seven layers are few for any test. A test that finds nothing in seven layers has not shown that there is nothing.
#
# ## A network that needs its parts
#
# In Model L a later block may use whatever stands in the stream. The {term}`chains <chain>` of [chapter 04](04-modular-sum-training.ipynb) are stricter: a part receives $b$ and the *answer* of the part before, and nothing else. Here is the chain of three functions, each in a block of its own. It has 93 {term}`representations <representation>` and nested {term}`moduli <moduli, equal and nested>`. Its boundaries are at layers 31 and 62, as in Model L. At these boundaries the next layer is not a copy of the layer before, because the stream ends and a new embedding begins.

# %%
map_c = maps.load("chain", profile, seed)
groups_c = fs.partition(map_c, seed=seed)
cuts_c = fs.partition_into(map_c, 3).boundaries
groups_c.boundaries, cuts_c

# %% tags=["remove-cell"]
per_block = len(map_c.names) // 3
truth = {per_block, 2 * per_block}
steps_c = np.diag(map_c.values, k=1)
rank_c = (-steps_c).argsort().argsort() + 1
true_steps = [per_block - 1, 2 * per_block - 1]
note(n_blocks_c=groups_c.n_groups, p_c=groups_c.p_value)
note(ranks_c=" and ".join(str(rank_c[k]) for k in true_steps))
note(n_steps=len(steps_c), cuts_c=" and ".join(str(i) for i in cuts_c))
hits_c = len(truth & set(groups_c.boundaries))
note(found_c=hits_c, found_c_words=("none", "one", "both")[hits_c])

# %% [markdown]
# The map of the chain can be explored with a pointer or the arrow keys.

# %% tags=["widget", "hide-input"]
short = [name.replace(".blocks.0", "") for name in map_c.names]
interactive.explorer(
    map_c.renamed(short),
    "Layer map of a chain of three parts: bright crosses inside each part, "
    "and no line where a part begins.",
    groups_c,
)

# %% [markdown]
# The number of groups is {glue:text}`n_blocks_c:d` ($p$ = {glue:text}`p_c:.2f`), so the test finds {glue:text}`found_c_words` of the two true boundaries. If the {glue:text}`n_steps:d` steps are sorted from the largest down, the two true ones have ranks {glue:text}`ranks_c`. If we force three groups, the map is cut at {glue:text}`cuts_c`. So a boundary that is there for certain need not be a large step. This is one network. [Chapter 13](13-is-the-boundary-real.ipynb) takes many.
#
# ## Seeds and positions
#
# Chapter 06 shows the maps of one seed of Models L and E. The next table adds two more of each, and for the first seed the map of both positions flattened and the raw map. How many groups does the test find? Where is the map cut if we force three? And how well does it agree with the map of the first seed?


# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-06c-seeds", "caption": "Maps of Models L and E by seeds and positions, and the raw maps. For each: groups that the test finds, cuts into three, and rank correlation with the first map. Then mean distances over all pairs, over pairs from layer 64 on, and over pairs without attention maps."}}
def agreement(one, other):
    """Rank correlation of two maps of the same layers."""
    inner = np.triu_indices(len(one.names), k=1)
    return spearmanr(one.values[inner], other.values[inner]).statistic


def means(layer_map):
    """Mean distance between layers: all, late ones, no attention maps."""
    rows, columns = np.triu_indices(len(layer_map.names), k=1)
    values = layer_map.values[rows, columns]
    other = np.array([".attn." not in name for name in layer_map.names])
    late = rows >= 2 * per_block + 2
    return {
        "all pairs": values.mean(),
        "from 64 on": values[late].mean(),
        "no attention maps": values[other[rows] & other[columns]].mean(),
    }


OTHERS = ("first", "second", "third", "both positions", "raw")
SUFFIX = ("", "-second", "-third", "-both", "-raw")
across = {}
for letter in "le":
    for label, suffix in zip(OTHERS, SUFFIX, strict=True):
        m = maps.load(letter + suffix, profile, seed)
        across[f"{letter.upper()}, {label}"] = {
            "groups": fs.partition(m, seed=seed).n_groups,
            "three cuts": fs.partition_into(m, 3).boundaries,
            "agreement": agreement(maps.load(letter, profile, seed), m),
            **means(m),
        }
pd.DataFrame(across).T.infer_objects().round(2)

# %% tags=["remove-cell"]
of_seeds = {
    m: [across[f"{m}, {k}"]["agreement"] for k in ("second", "third")] for m in "LE"
}
note(seeds_l=min(of_seeds["L"]), seeds_e=min(of_seeds["E"]))
cut_l = [across[f"L, {label}"]["three cuts"] for label in OTHERS[:4]]
hits = sum(len(truth & set(cuts)) for cuts in cut_l)
note(hits=hits, n_cuts=sum(len(cuts) for cuts in cut_l))
note(hits_words=str(hits or "none"))

# %% [markdown]
# The maps of the two other seeds of Model L agree with that of the first at a rank correlation of {glue:text}`seeds_l:.2f` or better. For Model E it is {glue:text}`seeds_e:.2f` or better. Of the {glue:text}`n_cuts:d` cuts in the four maps of Model L without {term}`scale`, {glue:text}`hits_words` fall on a true boundary.
#
# The map of Model E can be explored here.

# %% tags=["paper-F04", "widget", "hide-input"]
map_e = maps.load("e", profile, seed)
interactive.explorer(
    map_e,
    "Layer map of Model E: bright crosses at the attention scores "
    "and attention maps of every block, dark elsewhere.",
    fs.partition(map_e, seed=seed),
)

# %% [markdown]
# ## Other measures
#
# We take five other measures that can compare layers of different widths: {term}`AGW`, {term}`RSM`, {term}`RSA`, {term}`MSID` and {term}`CKA`. Do they find the functions of Model L, on the same inputs? The map of AGW is stored.

# %%
reps_l = MAPS["l"].representations(profile, seed)
measured = {"gw": map_l, "agw": maps.load("l-agw", profile, seed)}
for name in ("rsm", "rsa", "msid", "cka"):
    measured[name] = fs.compare(reps_l, measure=name, progress=False)

# %% [markdown]
# The table has for each measure the groups that the test finds, and the cuts if we force three.

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-06c-measures", "caption": "Model L under six measures: groups, p-value, how many of the two true boundaries the test finds, where the map is cut into three, and how many of these cuts are true."}}
by_measure = {}
for name, m in measured.items():
    tested = fs.partition(m, seed=seed)
    forced = fs.partition_into(m, 3).boundaries
    by_measure[name.upper()] = {
        "groups": tested.n_groups,
        "p": round(tested.p_value, 3),
        "true boundaries found": len(truth & set(tested.boundaries)),
        "three cuts": forced,
        "true among them": len(truth & set(forced)),
    }
pd.DataFrame(by_measure).T

# %% tags=["remove-cell"]
by_any = max(row["true boundaries found"] for row in by_measure.values())
cut_any = max(row["true among them"] for row in by_measure.values())
note(found_by_any=by_any, cut_by_any=cut_any)
in_words = ("none", "one", "both")
note(found_any_words=in_words[by_any], cut_any_words=in_words[cut_any])
note(by_any_words=in_words[max(by_any, cut_any)])

# %% [markdown]
# Of the two true boundaries the best measure finds {glue:text}`found_any_words`. If we force three groups, {glue:text}`cut_any_words` of the two are among the cuts of the best measure. This is not the failure of one measure. The inner layers may be the wrong layers to compare: the largest steps lie inside the blocks, and none lies between them. On this network no measure is better than another at a task that none can do. [Chapter 03](03-ten-measures.ipynb) says in what they differ.
#
# ## How many inputs?
#
# The paper says that a sample of the inputs does no harm. We take the seven states of Model L's stream once more. The maps on few inputs are computed here. Those on 1,000 and on all {glue:text}`n_every:,d` are stored. For 50 and 100 inputs we also ask how sure each distance is, as in [chapter 03](03b-how-sure-is-a-map.ipynb).

# %%
stream_reps = MAPS["l-stream-3481"].representations(profile, seed)
inner = np.triu_indices(len(stream_names), k=1)
distances = {}
for n in (1000, 3481):
    distances[n] = maps.load(f"l-stream-{n}", profile, seed).values[inner]
few = {
    n: stream_reps.subsample(min(n, stream_reps.n_samples), seed)
    for n in (50, 100, 200)
}
distances[200] = fs.compare(few[200], progress=False).values[inner]
sure = {}
for n in (50, 100):
    sure[n] = fs.intervals(few[n], n_draws=20, seed=seed, progress=False)

# %% [markdown]
# How far are the distances from those on all inputs, and is their order the same?

# %% tags=["hide-input"] mystnb={"figure": {"name": "tab-06c-inputs", "caption": "Distances on few inputs beside those on all. Shift: how much larger they are, in the median. *Interval* and *spread*: the width of each range as a share of the distance. *Holds that of all*: the share of pairs in which the distance on all inputs lies in the range."}}
every = distances[3481]
table = {}
for n, one in sure.items():
    value, beside = one.map.values[inner], one.spread[inner]
    low, high = one.low[inner], one.high[inner]
    held = (low <= every) & (every <= high)
    table[n] = {
        "interval (%)": 100 * float(np.median((high - low) / value)),
        "it holds that of all (%)": 100 * float(held.mean()),
        "spread (%)": 100 * float(np.median(2 * beside / value)),
        "spread holds that of all (%)": 100
        * float((abs(value - every) <= beside).mean()),
    }
    distances[n] = value
against = {
    n: {
        "shift (%)": 100 * float(np.median(value / every) - 1),
        "rank correlation": spearmanr(value, every).statistic,
    }
    for n, value in distances.items()
}
table = pd.DataFrame(against).T.join(pd.DataFrame(table).T).sort_index()
table.rename_axis("inputs").round(2).astype(object).fillna("")

# %% tags=["remove-cell"]
note(n_every=stream_reps.n_samples)
for n in (50, 100, 200, 1000):
    note(**{f"shift_{n}": table["shift (%)"][n]})
    note(**{f"rank_{n}": table["rank correlation"][n]})
note(interval_100=table["interval (%)"][100])
note(holds_100=table["it holds that of all (%)"][100])
note(spread_100=table["spread (%)"][100])
note(spread_holds_100=table["spread holds that of all (%)"][100])
fig, axes = plt.subplots(
    2, 1, figsize=(6.0, 4.2), dpi=110, layout="constrained", sharex=True
)
plt.close(fig)
axes[0].plot(table.index, table["shift (%)"], "-o", color=viz.BLUE)
axes[0].axhline(0, color=viz.GREY, lw=1, ls="--")
axes[0].set(ylabel="shift (%)")
axes[1].plot(table.index, table["rank correlation"], "--s", color=viz.ORANGE)
axes[1].set(
    ylabel="rank correlation", ylim=(0, 1.05), xlabel="inputs", xscale="log"
)
axes[1].set_xticks(list(table.index), [f"{n:,}" for n in table.index])
axes[1].minorticks_off()
for ax in axes:
    ax.grid(alpha=0.3)
keep_figure("fig_inputs_06c", fig)

# %% [markdown]
# Distances on few inputs come out larger. On 50 inputs the shift is {glue:text}`shift_50:+.0f` %. On 100 it is {glue:text}`shift_100:+.0f` %. On 200 it is {glue:text}`shift_200:+.0f` %. On 1,000 it is still {glue:text}`shift_1000:+.1f` %. The order changes, too, but less with more inputs. On 50 inputs the rank correlation with the distances on all inputs is {glue:text}`rank_50:.2f`. On 100 inputs it is {glue:text}`rank_100:.2f`. On 200 inputs it is {glue:text}`rank_200:.2f`. On 1,000 inputs it is {glue:text}`rank_1000:.2f`.
#
# How sure is a distance on 100 inputs? Take the range from the distance minus its {term}`spread` to the distance plus its spread. It is {glue:text}`spread_100:.0f` % of the distance wide. The distance on all inputs lies in this range for {glue:text}`spread_holds_100:.0f` % of the pairs only. The spread says how much a distance would vary with other inputs, *as many as these*. It says nothing of the shift. The {term}`interval` reaches down to the {term}`lower bound` and a little below. The interval is {glue:text}`interval_100:.0f` % of the distance wide, and holds the distance on all inputs for {glue:text}`holds_100:.0f` % of the pairs.
#
# So compare maps only at the same number of inputs, and read no difference that is smaller than the spread.
#
# ## What we found
#
# C marks a claim of the paper. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C22: spectral clustering of the map, with distances turned into similarities, finds two groups (claimed for BERT, 5.2) | ours | agrees, as it must: it returns as many groups as it is asked for | in Model 0 one group is the {glue:text}`spectral_groups:d` attention maps, the other is the rest |
# | C06: subsampling does not change the finding | ours | agrees for the order of distances; their values shift | rank correlation {glue:text}`rank_100:.2f` and a shift of {glue:text}`shift_100:+.0f` % at 100 inputs |
# | C33: GW shows sub-networks more clearly than other measures (reviews) | ours | undecided on this network | of the two true boundaries no measure finds more than {glue:text}`found_by_any:d`: the step there is 0 under all of them |
#
# ## Where the stored results come from
#
# The next cell shows the records of the network and of the stored maps.

# %% tags=["hide-cell"]
print(model_0.origin)
print(maps.origin("0", profile, seed))
print(maps.origin("l", profile, seed))
