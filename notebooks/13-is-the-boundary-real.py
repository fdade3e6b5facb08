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
# A map of layers shows a {term}`boundary`, and {cite:t}`gao2024identifying` read functions from it. Does a new function begin there? We ask networks in which we know the answer.
#
# ## In short
#
# We trained {glue:text}`n_networks:d` small networks of {glue:text}`n_designs:d` designs, one function after another. In half of the designs new functions begin at places that we know, the *true* boundaries. In *chains* each part of the network receives the answer of the part before as a number and embeds it again. There cosine distance finds the true boundaries: its {term}`skill` is {glue:text}`cosine_chain:.2f`, where chance is 0 and the best is 1. But its skill is {glue:text}`cosine_handed:.2f` as well if the next part only passes the answer on. In other networks all functions share one {term}`stream <residual stream>`. No measure of this book is better than chance for sure there. The {term}`Gromov-Wasserstein distance` (GW) has a skill of {glue:text}`gw_stream:.2f`. So a boundary on a map shows where much changes. A function need not begin there.
#
# :::{glue:figure} fig_in_short_13
# :name: fig-13-in-short
# :alt: Skill of nineteen measures and two guesses. In chains, Euclidean and cosine distance and CCA are at 1, and they are at 1 where an answer is only passed on. GW is near 0 in chains, and higher where an answer is only passed on. In one stream nearly all measures lie below 0.
#
# Skill of measures and of two guesses in finding true boundaries. In each kind of network the 95 % {term}`intervals <interval>` of all measures and guesses hold at once. Circles: chains, in which a function ends and its answer is embedded again. Squares: chains whose later parts only pass the answer on, scored as if a function began with each part. Triangles: networks whose functions share one stream. A measure that sees functions and nothing else would have its circle and its triangle at 1, and its square at 0 or below.
# :::
#
# :::{admonition} What you will learn
# - how to score a measure without choosing a threshold;
# - which measures find a boundary of function, and how sure that is;
# - how to tell a boundary of function from one of architecture;
# - how often a method finds a boundary where there is none.
#
# **Time**: 20 minutes to read, half a minute to run.
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
from torch import nn

import funcsim as fs
from exercises import chapter_13 as check
from funcsim import viz
from replication.benchmark import judgement, scores
from replication.benchmark.answers import answers
from replication.benchmark.precision import average_precision, skill
from replication.known import designs, networks

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## Networks with a known answer
#
# Every network reads a few small numbers and computes with them. In some networks a picture of a digit takes the place of the first number. A function is, for example, the sum of two numbers, or the entry that a random table has for them. The {term}`blocks <block>` stand one after another. Each reads a vector of 48 numbers, the stream, and adds to it. The functions are learned one after another, each by blocks of its own, and the blocks before them stay as they are. So we know with which block a function begins: this is the *true boundary*. Networks that learned several functions at once are not tested here. There are eight families:
#
# - *chains*: a part gets the answer of the part before as a number, and embeds it again.
# - *streams*: all functions follow one another in one stream. Nothing is embedded again, and no width changes.
# - *joined*: two or three networks were trained on their own, and small adapters join their streams.
# - *readers*: {term}`convolutions <convolution>` read a digit from a picture, then blocks compute with it.
# - *handed-on*: built and trained as chains and streams, but after the first function the answer is only *passed on*. The later blocks learn to repeat it, or to rename it.
# - *one-function*, *untrained*, and *random-labels*: no second function begins in them.
#
# The next figure shows some of the designs.

# %% tags=["wide", "hide-input"] mystnb={"image": {"alt": "Rows of squares, one row for each of sixteen designs. The number and the colour of a square say to which function a block belongs. The rows of chains, streams, joined and readers change once, those of the other four families never."}, "figure": {"name": "fig-13-designs", "caption": "Two designs of each family. A square is a block, and its number is the function that it helps to compute. A thick line is where a part ends. There its answer is embedded again, or, in joined networks, an adapter leads to the next part. In the last four families no new function begins."}}
drawn = [
    (f"{family}, {name}", design)
    for family, chosen in designs.FAMILIES.items()
    for name, design in list(chosen.items())[:2]
]
centred = {"color": "white", "ha": "center", "va": "center"}
fig, ax = viz.new_figure(6.2, 4.6)
for row, (_, design) in enumerate(drawn):
    blocks = [n for part in design.blocks for n in part]
    for at, function in enumerate(np.repeat(design.functions, blocks)):
        ax.barh(row, 0.9, left=at, color=viz.LINES[function][0])
        ax.text(at + 0.45, row, function + 1, **centred)
    parts = np.cumsum([sum(part) for part in design.blocks])[:-1]
    ax.vlines(parts - 0.05, row - 0.45, row + 0.45, color="black", lw=3)
ax.set_yticks(range(len(drawn)), [name for name, _ in drawn])
ax.invert_yaxis()
ax.set(xlabel="block", xticks=[])
ax.spines[["top", "right", "bottom", "left"]].set_visible(False)
fig

# %% [markdown]
# The plan of the study was written down before any of these networks was trained. It fixes networks, scores, tests, and the rules that decide about the claims. This *protocol* is a [file beside the code](https://github.com/functional-similarity/sub-networks/blob/main/lib/replication/benchmark/PROTOCOL.md), and its last section lists what was changed or added later.

# %%
rows = scores.load_rows(profile)
ends = rows[rows["layers"] == "ends"]
ends = ends[ends["sort"] != "variant"]  # those are on page 13b

# %% tags=["remove-cell"]
REFERENCE = "gw" if "gw" in set(ends["entrant"]) else "rsm"
one_of_each = ends.drop_duplicates(["family", "network", "seed"])
note(n_networks=len(one_of_each))
note(n_designs=len(ends.drop_duplicates(["family", "network"])))
n_unlearned = int((~one_of_each["learned"]).sum())
note(unlearned_words=str(n_unlearned) if n_unlearned else "None")
note(n_seeds=ends["seed"].nunique())


TITLES = {name: measure.title for name, measure in fs.measures().items()}


def dotted(table, column="skill"):
    """Values and intervals as the figures take them."""
    named = table.rename(index=TITLES)
    return tuple(
        named[[key]].set_axis([column], axis=1) for key in ("mean", "low", "high")
    )


# %% [markdown]
# A trained network counts only if each of its functions is right on at least 90 % of the inputs that it was not trained on. A network of random labels must be right on the inputs that it was trained on. {glue:text}`unlearned_words` of the {glue:text}`n_networks:d` networks failed this. We kept what each layer outputs for 100 inputs. On this page the layers are the ends of {term}`blocks <block>`, and of convolutions.
#
# ## One network, step by step
#
# Here is one network, in which two functions share one stream. We compute its GW map. Layers are counted from 0.

# %%
family = networks.load("streams", profile)
name, known = next(iter(family.networks.items()))
known = known.only("ends")
layer_map = fs.compare(known.reps)
print(f"{name}: a new function begins with layer", known.starts)

# %% [markdown]
# The map, and the evidence for a boundary before each block:

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Left: a map of eight blocks, darkest near the diagonal. A dashed line before the fifth block marks where the second function begins; nothing in the map changes there. Right: the evidence for a boundary is lowest at that place."}, "figure": {"name": "fig-13-map", "caption": "The GW map of one network, and the evidence for a boundary before each block. Blocks are counted from 0, and bright is different. The dashed line is where the second function begins. The evidence there is the lowest of all."}}
evidence = fs.boundary_evidence(layer_map)
fig, (left, right) = plt.subplots(
    1, 2, figsize=(7.2, 3.2), dpi=110, layout="constrained"
)
plt.close(fig)
left.imshow(layer_map.values, cmap=viz.COLOURS)
left.set(title="GW map", xlabel="block", ylabel="block")
right.plot(range(1, len(evidence)), evidence[1:], "o-", color=viz.BLUE)
for start in known.starts:
    left.axvline(start - 0.5, color="white", dashes=(3, 2))
    right.axvline(start, color=viz.GREY, dashes=(3, 2))
right.set(title="evidence", xlabel="boundary before layer")
right.grid(alpha=0.3)
fig

# %% [markdown]
# A *step* is the distance between two neighbouring blocks. The *evidence* for a boundary before a block says how far the step into it stands out from the other steps. A measure is good if the places with the most evidence are the true boundaries. So we take the places in the order of their evidence. At each true boundary we note the precision: of all places up to this one, the share that are true boundaries. The mean of these precisions is the *{term}`average precision`*. It needs no threshold. Random orders have an average precision above 0, too. We subtract their mean, and divide so that the best order has 1. This is the *skill*.

# %%
precision = average_precision(evidence, known.starts)
its_skill = skill(precision, len(evidence) - 1, known.starts)
print(f"average precision {precision:.2f}, skill {float(its_skill):.2f}")

# %% [markdown]
# Here the true boundary comes last in the order, so the skill is below 0. Is this network an exception?
#
# ## Which measure finds the boundaries?
#
# We average the skill over the {glue:text}`n_seeds:d` seeds of a design, then over the {glue:text}`n_positive:d` designs with true boundaries. Beside the measures stand two guesses that look at no activation. Measures and guesses are the *entrants*, and the {term}`intervals <interval>` hold for all of them together. *Middle first* puts the middle of the network first. *New parts* names the places at which a part of the architecture begins.

# %%
looking = ends[ends["sort"] != "rule"]
found = judgement.means(judgement.positive(looking), "skill 0")

# %% [markdown]
# All entrants, the best first:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Skill of all entrants. Mean CCA and the guess that knows the parts are near 0.5, cosine and Euclidean distance near 0.35, linear CKA near 0.1, GW near -0.1."}, "figure": {"name": "fig-13-board", "caption": "Skill of all measures and of two guesses, over all designs with boundaries. The guess that only knows where a part begins is near the top. GW stands at the lower end, with a mean skill below 0."}}
viz.dots(
    *dotted(found),
    xlabel="skill (0 by chance, 1 at best)",
    reference=0.0,
    reference_label="chance",
)

# %% tags=["remove-cell"]
note(n_positive=int(found["designs"].max()))
only = found[found.index.isin(ends.loc[ends["sort"] == "measure", "entrant"])]
note(best_measure=TITLES[only.index[0]], best_skill=only["mean"].iloc[0])
note(gw_skill=found.loc[REFERENCE, "mean"], gw_low=found.loc[REFERENCE, "low"])
note(gw_high=found.loc[REFERENCE, "high"], n_entrants=len(only))
note(gw_rank=1 + only.index.get_loc(REFERENCE))
note(parts_skill=found.loc["new parts", "mean"])

# %% [markdown]
# GW has {glue:text}`gw_skill:.2f` [{glue:text}`gw_low:.2f`, {glue:text}`gw_high:.2f`]. It stands at place {glue:text}`gw_rank:d` of {glue:text}`n_entrants:d` measures. The highest skill is that of {glue:text}`best_measure`, {glue:text}`best_skill:.2f`. The guess that only knows where parts begin has {glue:text}`parts_skill:.2f`.
#
# Which measures are better than GW for sure? We take the difference in skill design by design.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Difference in skill from GW. Thirteen measures, from CCA with 0.66 to RSM with 0.12, lie above 0 with their intervals. None lies below."}, "figure": {"name": "fig-13-against", "caption": "Skill of each measure minus that of GW, over designs with boundaries. A measure whose interval crosses the dashed line cannot be distinguished from GW."}}
measures = ends[ends["sort"] == "measure"]
gaps = judgement.against(measures, reference=REFERENCE)
viz.dots(
    *dotted(gaps, "minus GW"),
    xlabel="skill minus that of GW",
    reference=0.0,
    reference_label="GW",
)

# %% tags=["remove-cell"]
verdicts = gaps["verdict"].value_counts()
for verdict in ("better", "worse"):
    note(**{f"n_{verdict}": int(verdicts.get(verdict, 0))})
linear = gaps.loc["cka"]
note(cka_gap=linear["mean"], cka_low=linear["low"], cka_high=linear["high"])
note(needed=float(gaps["needed for 0.10"].median()))
note(needed_cka=float(linear["needed"]), n_gaps=len(gaps))

# %% [markdown]
# Of the {glue:text}`n_gaps:d` other measures {glue:text}`n_better:d` are better than GW for sure, and {glue:text}`n_worse:d` are worse. The others cannot be distinguished from GW. {term}`Linear CKA <CKA>` minus GW is {glue:text}`cka_gap:.2f` [{glue:text}`cka_low:.2f`, {glue:text}`cka_high:.2f`]. How many designs would it take to detect a difference of 0.10? Half of the measures need at most {glue:text}`needed:.0f` to detect it in 80 % of cases, corrected for the number of measures.
#
# ## Function or architecture?
#
# In the chains an answer is embedded again where a function ends. A measure may see the embedding, and not the function. So some of the handed-on networks are built like chains, but their later parts only pass the answer on. We score these networks *as if* a function began with each part. A measure that sees functions and nothing else should have skill in the chains, and none in the handed-on networks.

# %% tags=["remove-cell"]
handed = looking[looking["family"] == "handed-on"]
kinds = {
    "chain, a new function": looking[looking["family"] == "chains"],
    "chain, only passed on": handed[handed["parts"] > 1],
    "one stream, a new function": looking[looking["family"] == "streams"],
}
by_kind = {
    what: judgement.means(rows_of, "skill 0")
    for what, rows_of in kinds.items()
    if rows_of["skill 0"].notna().any()
}
order = by_kind["chain, a new function"].index
mean, low, high = (
    pd.DataFrame({what: table[key] for what, table in by_kind.items()}).loc[order]
    for key in ("mean", "low", "high")
)
in_short = viz.dots(
    *(table.rename(index=TITLES) for table in (mean, low, high)),
    xlabel="skill (0 by chance, 1 at best)",
    reference=0.0,
    reference_label="chance",
)
keep_figure("fig_in_short_13", in_short)
at = mean.reindex(columns=list(kinds))
for name, short in ((REFERENCE, "gw"), ("cosine", "cosine"), ("cka", "cka")):
    values = at.loc[name] if name in at.index else at.iloc[0] * np.nan
    for what, key in zip(kinds, ("chain", "handed", "stream"), strict=True):
        note(**{f"{short}_{key}": values[what]})
measured = at.drop(index=["middle first", "new parts"])[
    "one stream, a new function"
]
note(stream_best=measured.max(), stream_best_name=TITLES.get(measured.idxmax()))
note(middle_stream=at.loc["middle first", "one stream, a new function"])
chance = judgement.beyond_chance(kinds["one stream, a new function"])
sure = chance.index[chance["p corrected"] < judgement.LEVEL]
note(n_beyond_stream=len(sure.drop(["middle first", "new parts"], errors="ignore")))

# %% [markdown]
# {numref}`fig-13-in-short` at the top of this page shows the outcome. In the chains cosine distance has a skill of {glue:text}`cosine_chain:.2f`. Where the answer is only passed on, cosine distance has {glue:text}`cosine_handed:.2f`. So a new embedding is enough for it, and its skill in the chains does not show that it sees functions. GW has {glue:text}`gw_chain:.2f` in the chains, and {glue:text}`gw_handed:.2f` where the answer is only passed on. Why is GW higher there? A part that only passes an answer on may change its input little. Then the steps inside this part are small, and the step into it stands out. We did not test this reason.
#
# The triangles are the harder test. In one stream nothing is embedded again, and no width changes. GW has {glue:text}`gw_stream:.2f`, and linear CKA {glue:text}`cka_stream:.2f`. The best measure is {glue:text}`stream_best_name` with {glue:text}`stream_best:.2f`. Corrected for the number of entrants, {glue:text}`n_beyond_stream:d` of the measures are better than chance. The guess that starts in the middle has {glue:text}`middle_stream:.2f`, because many of these designs change function near the middle.
#
# For each measure we subtract the skill where an answer is only passed on from the skill where a new function begins:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Skill where a new function begins minus skill where an answer is only passed on. In chains all intervals include 0 or lie below it. In one stream most include 0, and some lie below it."}, "figure": {"name": "fig-13-function", "caption": "Skill where a new function begins minus skill where an answer is only passed on. *Embedded again*: in chains. *One stream*: in networks of one stream. A measure that sees functions lies to the right of the dashed line in both."}}
split = judgement.function_or_architecture(measures)
gap = {
    key: pd.DataFrame({what: t[key] for what, t in split.items()})
    for key in ("mean", "low", "high")
}
order = next(iter(split.values())).index
gap = {key: t.loc[order].rename(index=TITLES) for key, t in gap.items()}
viz.dots(
    gap["mean"],
    gap["low"],
    gap["high"],
    xlabel="skill, computing minus passing on",
    reference=0.0,
    reference_label="no difference",
)

# %% tags=["remove-cell"]
for what, short in (("embedded again", "again"), ("one stream", "shared")):
    table = split.get(what)
    for key in ("mean", "low", "high"):
        value = np.nan if table is None else table.loc[REFERENCE, key]
        note(**{f"gw_{short}_{key}": value})
above = {what: int((table["low"] > 0).sum()) for what, table in split.items()}
note(n_above_again=above.get("embedded again", 0))
note(n_above_shared=above.get("one stream", 0))
note(quiet_seed=seed)

# %% [markdown]
# For GW the difference is {glue:text}`gw_again_mean:.2f` [{glue:text}`gw_again_low:.2f`, {glue:text}`gw_again_high:.2f`] in chains. In one stream it is {glue:text}`gw_shared_mean:.2f` [{glue:text}`gw_shared_low:.2f`, {glue:text}`gw_shared_high:.2f`]. The number of measures that lie above 0 for sure is {glue:text}`n_above_again:d` in chains and {glue:text}`n_above_shared:d` in one stream. A measure that is at 1 in both kinds of chains has a difference of 0. The handed-on networks are few: six designs built like chains, and four of one stream.
#
# ## Where the large steps are
#
# A skill below 0 means that wrong places come first more often than by chance. Which places? We take the steps between neighbouring blocks in the networks of one stream, and line them up at the true boundary. We looked at these steps after we had seen the scores, and at seed {glue:text}`quiet_seed:d` alone. So the figure is an observation, and not a test.

# %%
MEASURES = {"gw": "GW", "cka": "linear CKA", "cosine": "cosine distance"}
steps = []
for net in networks.load("streams", profile, seed).networks.values():
    ends_of = net.only("ends")
    for measure, words in MEASURES.items():
        m = fs.compare(ends_of.reps, measure=measure, progress=False)
        step = np.diag(fs.metric_distances(m), k=1)
        for start in ends_of.starts:
            place = np.arange(1, len(step) + 1) - start
            steps += zip(
                [words] * len(step), place, step / step.mean(), strict=True
            )

# %% [markdown]
# The mean step at each place:

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Three lines over the places from -3 to 3. All are lowest at 0 and higher on both sides."}, "figure": {"name": "fig-13-quiet", "caption": "Steps between neighbouring blocks, each divided by the mean step of its network, as a mean over the true boundaries of twelve networks of one stream. At 0 is the step into the first block of the next function, and this step is the smallest. The steps at the end of a function are larger. Not every function is long enough for all places."}}
table = pd.DataFrame(steps, columns=["measure", "place", "step"])
table = table[table["place"].abs() <= 3]
lines = table.pivot_table(index="place", columns="measure", values="step")
fig, ax = viz.new_figure(5.6, 3.2)
for words, (colour, style) in zip(lines, viz.LINES, strict=False):
    lines[words].plot(ax=ax, style=style, marker="o", color=colour)
ax.axvline(0, color=viz.GREY, lw=0.8)
ax.set(xlabel="place, counted from the boundary", ylabel="step (mean = 1)")
ax.legend(frameon=False)
fig

# %% tags=["remove-cell"]
for words, short in (("GW", "gw"), ("linear CKA", "cka")):
    line = lines[words]
    note(
        **{
            f"{short}_at": line.get(0, np.nan),
            f"{short}_before": line.get(-2, np.nan),
        }
    )

# %% [markdown]
# Under GW the step into the next function is {glue:text}`gw_at:.2f` times the mean step, and the step two places before it is {glue:text}`gw_before:.2f`. Under linear CKA the two are {glue:text}`cka_at:.2f` and {glue:text}`cka_before:.2f`. The steps are large in the last blocks of a function, where its answer is formed. The first block of the next function starts from this answer and changes little. Our training may favour this, because each function was learned with a {term}`readout` at its last block. A rule that places boundaries at the largest steps then begins its {term}`groups <group>` *inside* a function. The true boundary lies inside a group.
#
# ## Where there is nothing to find
#
# In half of the designs no second function begins. Here the test of [chapter 06](06-modular-sum-subnetworks.ipynb) should find one group. How often does it find more?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Shares between 0.13 and 0.20 for all measures, with intervals from about 0.03 to 0.34."}, "figure": {"name": "fig-13-alarms", "caption": "The share of networks without a boundary in which the test finds one, by measure. The dashed line is the level of the test."}}
false = judgement.alarms(measures)
viz.dots(
    *dotted(false, "alarms"),
    xlabel="share of networks with a false alarm",
    reference=0.05,
    reference_label="level of the test",
)

# %% tags=["remove-cell"]
note(gw_alarms=100 * false.loc[REFERENCE, "mean"])
note(gw_alarms_high=100 * false.loc[REFERENCE, "high"])
note(n_negative=int(false["designs"].max()))
gw_single = judgement.negative(measures).query("entrant == @REFERENCE")
never = gw_single["family"] == "untrained"
note(gw_alarms_never=100 * gw_single.loc[never, "alarm"].astype(float).mean())
note(gw_alarms_rest=100 * gw_single.loc[~never, "alarm"].astype(float).mean())

# %% [markdown]
# On GW maps the test finds a boundary in {glue:text}`gw_alarms:.1f` % of these networks. Such a finding is a *false alarm*. Among the untrained networks the share is {glue:text}`gw_alarms_never:.0f` %, and among all others {glue:text}`gw_alarms_rest:.1f` %. An untrained network computes no function. So what the test finds there is chance or architecture, such as a new embedding. With {glue:text}`n_negative:d` designs the interval reaches {glue:text}`gw_alarms_high:.0f` %. The limit in the protocol is 10 %. Even for a measure without any false alarm the interval would reach above this limit, as the last section of the protocol says.
#
# ## Other rules
#
# A *rule* takes a map and returns groups. The figure compares our test with other rules, all on GW maps.

# %% tags=["remove-cell"]
several, single = judgement.positive(ends), judgement.negative(ends)
board = pd.DataFrame(
    {
        score: judgement.by_design(several, score).mean()
        for score in ("f1", "exact", "ari")
    }
)
board["alarms"] = judgement.by_design(single, "alarm").mean()
guesses = [name for name in ("one group", "new parts") if name in board.index]
on_gw = [name for name in board.index if name.endswith(f", {REFERENCE}")]
board = board.loc[[REFERENCE, *on_gw, *guesses]]
board.index = board.index.str.removesuffix(f", {REFERENCE}")
board = board.rename(index={REFERENCE: "the test of this book"})
note(our_f1=board.loc["the test of this book", "f1"])
of_rules = board.iloc[1 : -len(guesses)]
note(best_rule=str(of_rules["f1"].idxmax()) if len(of_rules) else "none")
note(best_rule_f1=of_rules["f1"].max())
note(
    best_rule_alarms=100 * of_rules["alarms"].get(of_rules["f1"].idxmax(), np.nan)
    if len(of_rules)
    else np.nan
)
note(parts_f1=board.loc["new parts", "f1"])

# %% [markdown]
# How well they find boundaries, and how often they raise a false alarm:

# %% tags=["hide-input"] mystnb={"image": {"alt": "F1 and share of false alarms for nine rules on GW maps and two guesses. Rules with a high F1 cut nearly all networks without a boundary; the test of this book finds nearly nothing."}, "figure": {"name": "fig-13-rules", "caption": "Rules on GW maps, and two guesses. Circles: F1 of the boundaries in networks that have some. Squares: the share of networks without a true boundary in which a rule finds one. A good rule has its circle at the right and its square at the left."}}
viz.dots(
    board[["f1", "alarms"]].set_axis(["F1", "false alarms"], axis=1),
    xlabel="F1, and share of false alarms",
)

# %% [markdown]
# The table adds two scores for the groups.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-13-rules", "caption": "Rules on GW maps. *Exact*: the share of networks with boundaries in which the groups are the true ones. *F1* scores the boundaries. *ARI*, the adjusted Rand index, scores the groups. *Alarms*: the share of networks without a true boundary in which a rule finds one."}}
board.sort_values("f1", ascending=False).round(2)

# %% [markdown]
# Our test finds none of the true boundaries here: its {term}`F1` is {glue:text}`our_f1:.2f`. Networks of eight blocks are short for it, as [page 06b](06b-how-good-is-the-test.ipynb) shows. The rule with the highest F1 is *{glue:text}`best_rule`* with {glue:text}`best_rule_f1:.2f`, and it finds boundaries in {glue:text}`best_rule_alarms:.0f` % of the networks that have none. The guess that knows where parts begin has an F1 of {glue:text}`parts_f1:.2f`. No rule can find in a map what the map does not show.
#
# ## Take part
#
# You can score a measure or a rule of your own with one command. Your function is given the layers of each network, and returns distances, evidence or groups.
#
# ```
# python -m replication.benchmark --entry my_module:my_function --out my_scores
# ```
#
# The [page of the benchmark](../book/benchmark.md) has a complete example, and says what it takes to be listed. [Page 13b](13b-cut-and-stitch.ipynb) replaces layers of the same networks, and asks which answers are lost. [Page 13c](13c-a-trained-decoder.ipynb) leaves blocks out of a small language model.
#
# ## What we found
#
# C numbers the paper's claims, D the doubts of its reviewers. *ours*: on networks of our own. For C33, C36, D04, D05 and D11 the protocol has a rule that gives the answer. The cell below applies these rules. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.

# %% tags=["hide-input"]
found_answers = answers(rows) if profile != "smoke" else {}
for claim, answer in found_answers.items():
    print(f"{claim}: {answer}")

# %% [markdown]
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C33: GW shows sub-networks more clearly than other measures (reviews), where they are known | ours | disagrees: linear CKA and most other measures find more, and none finds less for sure | skill {glue:text}`gw_skill:.2f` [{glue:text}`gw_low:.2f`, {glue:text}`gw_high:.2f`]; {glue:text}`n_better:d` of {glue:text}`n_gaps:d` measures are better |
# | C36: what a network computes changes abruptly from one block to the next (abstract of the later version), where the functions share one stream | ours | disagrees: under GW the next function begins at a small step | skill {glue:text}`gw_stream:.2f` in one stream, no better than chance; the step is {glue:text}`gw_at:.2f` times the mean step (seed {glue:text}`quiet_seed:d`) |
# | D01: can the method give a number? | - | answered: it can | scores against a known truth, with intervals over {glue:text}`n_positive:d` designs |
# | D02: established measures are missing | - | answered: all are scored here | GW is at place {glue:text}`gw_rank:d` of {glue:text}`n_entrants:d` measures |
# | D04: nothing shows that a group is a function | - | justified: where functions share one stream GW does not find them, and where an answer is embedded again it does not distinguish function from architecture | skill for a new function minus skill for an answer passed on: {glue:text}`gw_again_mean:.2f` [{glue:text}`gw_again_low:.2f`, {glue:text}`gw_again_high:.2f`] in chains, {glue:text}`gw_shared_mean:.2f` [{glue:text}`gw_shared_low:.2f`, {glue:text}`gw_shared_high:.2f`] in one stream |
# | D05: CKA looks the same | - | answered: the two can be distinguished, and linear CKA finds more | linear CKA minus GW {glue:text}`cka_gap:.2f` [{glue:text}`cka_low:.2f`, {glue:text}`cka_high:.2f`]; {glue:text}`needed_cka:.0f` designs would be needed to detect a difference of this size in 80 % of cases |
# | D11: how many groups, and who decides? | - | justified: on these short networks the test finds fewer boundaries than a guess that knows the parts | F1 {glue:text}`our_f1:.2f` against {glue:text}`parts_f1:.2f`; {glue:text}`gw_alarms:.1f` % false alarms |
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. A measure finds the right boundary in every trained chain, and a boundary in every untrained one. What is it worth?**
#
# <details><summary>a. It is the best: it misses nothing.</summary>No: an alarm that always rings misses no thief.</details>
# <details><summary>b. Its findings say little: they do not depend on whether there is a function.</summary>Right: look at untrained networks first.</details>
# <details><summary>c. Untrained chains have functions, too.</summary>No: before training no part computes its sum.</details>
#
# **2. In networks of one stream a measure has a skill of -0.3. What follows?**
#
# <details><summary>a. Nothing: it is below 0 by chance.</summary>No: over twelve designs and five seeds chance would stay much nearer to 0.</details>
# <details><summary>b. Its evidence is largest at other places, again and again.</summary>Right: in these networks the largest steps lie inside the functions.</details>
# <details><summary>c. The measure has a bug.</summary>No: the measure finds the large steps. They are not at the true boundary.</details>
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} Score boundaries
# :label: ex-13-f1
#
# *Difficulty 1 of 4, importance 4 of 5, 5 minutes.* Write `f1_of_cuts(found, true)`. Both are tuples of the layers at which a new group begins, without layer 0. Either may be empty. The function returns {term}`F1`, the harmonic mean of precision and recall. A boundary that is one layer off is wrong. What should the score be if both tuples are empty?
#
# ```{dropdown} Hint 1
# Precision: which share of what was found is true? Recall: which share of what is true was found?
# ```
# ```{dropdown} Hint 2
# Twice the number of layers that are in both tuples, divided by the sum of the two lengths.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def f1_of_cuts(found, true):
    """From 0 to 1; 1 if nothing was there and nothing was found."""
    if not found and not true:
        return 1.0
    return 2 * len(set(found) & set(true)) / (len(found) + len(true))


check.f1_of_cuts(f1_of_cuts)

# %% [markdown]
# :::{exercise} An alarm that always rings
# :label: ex-13-rings
#
# *Difficulty 2 of 4, importance 5 of 5, 10 minutes.* A test rings when it finds a boundary. It rings in the share `hits` of the networks that have one, and in the share `alarms` of those that have none. Of all networks the share `share` has a boundary. Write `when_it_rings(hits, alarms, share)`: if the test rings for a network, what is the chance that there is a boundary?
#
# ```{dropdown} Hint 1
# Take 1,000 networks and count: how many have a boundary and ring, and how many ring at all?
# ```
# ```{dropdown} Hint 2
# The share `hits * share` rings and is right. The share `alarms * (1 - share)` rings and is wrong.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def when_it_rings(hits, alarms, share):
    """The chance of a boundary in a network where one was found."""
    right, wrong = hits * share, alarms * (1 - share)
    return right / (right + wrong)


check.when_it_rings(when_it_rings)

# %% [markdown]
# :::{exercise} Average precision of evidence
# :label: ex-13-precision
#
# *Difficulty 3 of 4, importance 5 of 5, 25 minutes.* Build the score of this chapter. Write `precision_of(evidence, true, rng)`: `evidence` (L,) has an entry for a boundary before each layer, `true` is a tuple of the layers with which a new function begins. Take the places from the most evidence to the least. At each true place note the precision: which share of the places so far is true? Return the mean of these. Before layer 0 there is no place. Places with equal evidence come in random order: draw 500 orders with the generator `rng`, and average over them.
#
# ```{dropdown} Hint 1
# `evidence[1:]` has the places 1 to L - 1. With `hit`, a boolean for each place of the order, `np.cumsum(hit)` counts the true ones so far.
# ```
# ```{dropdown} Hint 2
# `np.lexsort((rng.random(n), -evidence[1:]))` sorts by falling evidence, and equal entries at random. Add 1 to get places.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def precision_of(evidence, true, rng):
    """Mean precision at the true places, averaged over ties."""
    places, found = -np.asarray(evidence)[1:], []
    for _ in range(500):
        order = 1 + np.lexsort((rng.random(len(places)), places))
        hit = np.isin(order, true)
        precision = np.cumsum(hit) / np.arange(1, len(order) + 1)
        found.append(precision[hit].mean())
    return np.mean(found)


check.precision_of(precision_of)

# %% [markdown]
# :::{exercise} Predict where the evidence lies
# :label: ex-13-predict
#
# *Difficulty 4 of 4, importance 5 of 5, 30 minutes.* Build a network whose boundary you know. Write `own_network()`. It returns an `nn.Sequential` of 8 to 12 modules from (n, 32) to (n, 32), and how many of its first modules will compute the first function. `check.block()` makes a residual block. The check trains the network. Its first modules learn to add two numbers modulo 5, and to keep a third number. Then the others learn a table of the sum and the third number. This takes some seconds. Write into `predicted()` a dictionary of two guesses: `"place"`, the module before which the evidence for a boundary will be largest under GW, counted from 0; and `"groups"`, how many groups the test will find. Only then write `told(model, x)`, which returns such a dictionary for any network, from its normalised GW map. Then compare. Is the place the true one? What does `told` return for the same network before training?
#
# ```{dropdown} Hint 1
# `fs.compare(fs.capture(model, [x]))` is the map. Both answers are read from it.
# ```
# ```{dropdown} Hint 2
# `fs.boundary_evidence` has an entry for each module, the first of them minus infinity. `fs.partition(...).n_groups` is what the test finds.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """Where the most evidence lies, and how many groups are found."""
    return {"place": 4, "groups": 2}


def own_network():
    """Eight blocks, of which four compute the first function."""
    return nn.Sequential(*(check.block() for _ in range(8))), 4


def told(model, x):
    """Place of the most evidence, and groups of the test."""
    layer_map = fs.compare(fs.capture(model, [x]))
    return {
        "place": int(np.argmax(fs.boundary_evidence(layer_map))),
        "groups": fs.partition(layer_map).n_groups,
    }


check.predicted(predicted, own_network, told)

# %% [markdown]
# ## Where the stored results come from

# %% tags=["hide-cell"]
print(family.origin, scores.origins(profile), sep="\n")

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
