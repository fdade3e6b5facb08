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
# [Chapter 13](13-is-the-boundary-real.ipynb) looks at small networks whose functions are known. For a language model nobody knows them. But we can leave {term}`blocks <block>` out and measure what is lost. Does its {term}`layer map` say which blocks can go?
#
# ## In short
#
# For a small decoder of our own, the map under the {term}`Gromov-Wasserstein distance` (GW) does not say which blocks can go. Our test finds one {term}`group` and no {term}`boundary` in it. We then look for the run of neighbouring blocks that changes least on the map: its last block is closest to the block before the run. For a run of four blocks, GW proposes the last four. Without them the {term}`perplexity` rises from {glue:text}`perplexity:.0f` to {glue:text}`gw_four:.0f`. The *mean run* is our yardstick: with the loss averaged over all runs of four blocks, the perplexity is {glue:text}`mean_four:.0f`. {term}`CKA` proposes the same runs as GW. The map of cosine distances proposes runs that are nearly the cheapest. This is one small model, so another measure may be best in others.
#
# :::{glue:figure} fig_in_short_13c
# :name: fig-13c-in-short
# :alt: Perplexity against the number of blocks that are left out, from one to six. The cheapest runs rise slowly, and cosine distance follows them. The mean run lies a little higher. GW and CKA lie between the two for one, two and three blocks, far above the mean run for four and five, and at the cheapest run for six.
#
# What is lost without one to six neighbouring blocks, chosen in four ways. Cosine distance stays near the cheapest run. GW, which here proposes the same runs as CKA, is much worse than the mean run for four and five blocks.
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
import matplotlib.pyplot as plt
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
# The model reads a text from left to right and predicts the next token. It is built like GPT-2, with {glue:text}`n_blocks:d` blocks, each {glue:text}`width:d` numbers wide. It was trained on the sentences of SST-2 and the reviews of Yelp. It is small, and it has read little.

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
# Its *perplexity* is {glue:text}`perplexity:.0f`: on average it is as unsure of the next token as if it chose among that many equally likely tokens. Before training the number would be about {glue:text}`vocabulary:d`, the size of its vocabulary. It was trained on {glue:text}`n_tokens:.1f` million tokens.
#
# Before we left out any block, we wrote down our questions, and which result gives which answer. This *protocol* is a [file beside the code](https://github.com/functional-similarity/sub-networks/blob/main/lib/replication/decoder/PROTOCOL.md).
#
# ## Its map
#
# Here is the map of its blocks, beside that of an untrained copy with random weights of its own. We compare the blocks on {glue:text}`n_mapped:d` *windows*, pieces of equal length cut from new texts. Each window is the mean over its tokens.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Two maps of twelve blocks. Both are dark along the diagonal and brighter away from it. The trained map is brighter, and has small dark squares, such as that of the last two blocks. The untrained map brightens evenly."}, "figure": {"name": "fig-13c-map", "caption": "The GW map of the trained decoder, and of an untrained copy. Dark means alike. In both maps, two blocks are the farther apart the more blocks lie between them. Training adds small dark squares, but none that the test takes for a group."}}
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
# The test of [chapter 06](06-modular-sum-subnetworks.ipynb) looks for groups in the trained map, and in those of untrained copies.

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
usual = {"a/mean/gw", "b/mean/gw"}
others = {k: fs.partition(m) for k, m in decoder.maps.items() if k not in usual}
note(n_others=len(others), cut=sum(g.n_groups > 1 for g in others.values()))
at_last = [others[f"{draw}/last/gw"] for draw in "ab"]
note(last_p=max(g.p_value for g in at_last))
if profile != "smoke":
    assert all(g.boundaries == (1,) for g in at_last)  # as the text says

# %% [markdown]
# We drew texts twice, and the test finds one group both times. Of {glue:text}`n_twins:d` untrained copies it divides {glue:text}`twins_cut:d`. One group means that no distance from one block to the next stands out. Twelve blocks are few for the test, as [page 06b](06b-how-good-is-the-test.ipynb) shows.
#
# We also ran the test on the maps of other measures, and on those of the last token in place of the mean. Of these {glue:text}`n_others:d` maps it divides {glue:text}`cut:d`. Under GW at the last token it sets the first block apart, with p up to {glue:text}`last_p:.2f`. The protocol says in advance that these maps do not count for the answer.
#
# ## The price of leaving blocks out
#
# We leave out every run of one to six neighbouring blocks, one run at a time. The first block always stays. Nothing is trained again. The *price* of a run is how much the loss grows without it, on {glue:text}`n_judged:d` other windows.

# %%
lengths = proposals.LENGTHS if profile != "smoke" else (1, 2)
cost = proposals.costs(decoder).mean(axis=1)
runs = pd.DataFrame(decoder.runs, columns=["first", "stop"])
runs["blocks"] = runs["stop"] - runs["first"]
runs["perplexity"] = np.exp(decoder.whole.mean() + cost)

# %% [markdown]
# Each dot is one run:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six curves of perplexity against the first block that is left out. All are high at block 2. Those of three and more blocks are lowest in the middle and rise steeply at the right. The longer the run, the higher the curve."}, "figure": {"name": "fig-13c-runs", "caption": "Perplexity without each run of blocks, by its first block and its length. The dashed line is the whole decoder. Blocks are counted from 1. Runs in the middle have the lowest price, and long runs that reach the end the highest."}}
judged = runs[candidates(decoder, lengths)]
shades = plt.get_cmap(viz.COLOURS)
fig, ax = viz.new_figure(6.2, 3.6)
for n, group in judged.groupby("blocks"):
    at, height = 1 + group["first"], group["perplexity"]
    ax.plot(at, height, "o-", label=n, color=shades((n - 0.5) / 7))
ax.set(xlabel="first block that is left out", yscale="log")
ax.set_ylabel("perplexity")
ax.set_yticks([125, 150, 200, 250, 300], [125, 150, 200, 250, 300])
ax.minorticks_off()
ax.axhline(np.exp(decoder.whole.mean()), color=viz.GREY, dashes=(3, 2))
ax.legend(title="blocks", ncols=2, fontsize=8)
ax.grid(alpha=0.3)
fig

# %% tags=["remove-cell"]
one = judged[judged["blocks"] == 1].set_index("first")["perplexity"]
note(cheapest_block=1 + int(one.idxmin()), cheapest=one.min())
note(dearest_block=1 + int(one.idxmax()), dearest=one.max())
longest = judged[judged["blocks"] == lengths[-1]].set_index("first")["perplexity"]
note(six_best=1 + int(longest.idxmin()), six_low=longest.min())
note(six_late=longest.iloc[-1])

# %% [markdown]
# Single blocks have a low price. Without block {glue:text}`cheapest_block:d` the perplexity is {glue:text}`cheapest:.0f`. Block {glue:text}`dearest_block:d` has the highest price: without it the perplexity is {glue:text}`dearest:.0f`. Without the six blocks from block {glue:text}`six_best:d` on it is {glue:text}`six_low:.0f`, but without the last six {glue:text}`six_late:.0f`. So the place matters more and more with the length of the run.
#
# ## Which run would you leave out?
#
# A *proposal* picks, for each length, one run. A map proposes the run for which the block before it and its last block are closest. The *state cosine* proposes the run that changes the direction of the {term}`residual stream` the least. *Block influence* adds up how much each block of the run changes this direction {cite:p}`men2025shortgpt`. *Groups* propose the runs with the fewest boundaries inside. They come from our test, and from the rules LoRP and SGLP of [page 06b](06b-how-good-is-the-test.ipynb). If runs tie, we take their mean price. Our test finds one group, so all runs tie and its price is their mean. *Late first* is a guess: it looks at neither map nor model and proposes the last blocks.
#
# The score of a proposal is 0 if its price is the mean price of all runs of its length, and 1 if no run of this length is cheaper. Above the mean price it is negative. We average it over the six lengths.

# %%
tables = {}
for draw in "ab":
    tables[draw] = proposals.scores(decoder, draw, seed, lengths)
found = {
    key: pd.DataFrame({f"texts {d}": tables[d][key] for d in tables})
    for key in ("score", "low", "high")
}

# %% [markdown]
# Here are all rules, once for each of two draws of texts from which maps were made.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Scores of eleven rules on two draws of texts. Cosine distance is near 0.9, state cosine and block influence near 0.6, groups between -0.1 and 0.5, GW, CKA, RSM and RSA near -0.7, late first near -2."}, "figure": {"name": "fig-13c-scores", "caption": "The score of each rule, with 95 % {term}`intervals <interval>` over the texts on which prices are measured. Circles and squares stand for the two draws from which maps were made. GW, CKA, [RSM and RSA](03-ten-measures.ipynb), and the guess *late first*, do worse than the mean run on both draws."}}
TITLES = {name: measure.title for name, measure in fs.measures().items()}
order = found["score"].mean(axis=1).sort_values(ascending=False).index
viz.dots(
    *(table.loc[order].rename(index=TITLES) for table in found.values()),
    xlabel="score (0 like the mean run, 1 the best)",
    reference=0.0,
    reference_label="mean run",
)

# %% tags=["remove-cell"]
WAYS = {"cosine": "cosine distance", "gw": "GW, CKA"}
rules = predictions(decoder, "a")
fig, ax = viz.new_figure(6.2, 3.6)
whole = decoder.whole.mean()


def without(choose):
    """Perplexity for each length, where `choose` gives the cost of a run."""
    return np.exp(
        [whole + choose(n, cost[candidates(decoder, (n,))]) for n in lengths]
    )


lines = {
    "the mean run": without(lambda n, among: among.mean()),
    "the cheapest run": without(lambda n, among: among.min()),
}
for rule, words in WAYS.items():
    lines[words] = without(
        lambda n, among, rule=rule: proposal(decoder, rules[rule], n) @ among
    )
for (words, heights), (colour, dash) in zip(lines.items(), viz.LINES, strict=False):
    ax.plot(lengths, heights, "o", ls=dash, color=colour, label=words)
ax.set(xlabel="blocks that are left out", ylabel="perplexity", yscale="log")
ax.set_yticks([125, 150, 200, 250, 300, 350], [125, 150, 200, 250, 300, 350])
ax.minorticks_off()
ax.legend(fontsize=9)
ax.grid(alpha=0.3)
keep_figure("fig_in_short_13c", fig)
at = min(3, len(lengths) - 1)  # four blocks
note(gw_four=lines["GW, CKA"][at], mean_four=lines["the mean run"][at])
if profile != "smoke":  # as the text says
    less = lines["GW, CKA"] < lines["the mean run"]
    assert np.array(lengths)[less].tolist() == [1, 2, 3, 6]
    for n, which in ((4, max), (5, max), (6, min)):
        among = cost[candidates(decoder, (n,))]
        assert np.isclose(proposal(decoder, rules["gw"], n) @ among, which(among))
    for n in lengths:
        gw, cka = (proposal(decoder, rules[k], n) for k in ("gw", "cka-debiased"))
        assert np.array_equal(gw, cka)

# %% tags=["remove-cell"]
SHORT = {"gw": "gw", "cka-debiased": "cka", "cosine": "cosine"}
SHORT |= {"late first": "late", "block influence": "influence"}
for name, short in SHORT.items():
    for d, t in tables.items():
        for key in ("score", "low", "high", "p"):
            note(**{f"{short}_{key}_{d}": t.loc[name, key]})

# %% [markdown]
# GW has a score of {glue:text}`gw_score_a:.2f` [{glue:text}`gw_low_a:.2f`, {glue:text}`gw_high_a:.2f`]. So on average its proposals are worse than runs taken at random. With one, two and three blocks its proposals lose less than the mean run, and of six blocks it proposes the cheapest run. With four and five its proposals lose far more than the mean run. CKA proposes the same runs for all six lengths. For four and for five blocks both propose the last ones, because the block before them and the last block are close on the map. But leaving these out has the highest price of all runs of that length.
#
# Cosine distance has {glue:text}`cosine_score_a:.2f` on one draw of texts and {glue:text}`cosine_score_b:.2f` on the other. Block influence has {glue:text}`influence_score_a:.2f`, and the guess *late first* {glue:text}`late_score_a:.2f`. Could a rule that gives each block a random number score as high as cosine distance? We tried several rules, and the best of them may be high by luck. Corrected for their number, cosine distance has p = {glue:text}`cosine_p_a:.2f` and {glue:text}`cosine_p_b:.2f`. So this decoder does not show that cosine distance finds the blocks that can go. It does show that a small GW distance need not mean that blocks can go.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition *ours* means a small decoder of our own. The protocol has a rule for each answer, and the next cell applies these rules.

# %% tags=["hide-input"]
if profile != "smoke":
    for claim, answer in proposals.answers(decoder, seed).items():
        print(f"{claim}: {answer}")

# %% [markdown]
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C33: GW shows sub-networks more clearly than other measures (reviews), by what can be left out | ours | undecided: GW and CKA propose the same runs | scores {glue:text}`gw_score_a:.2f` and {glue:text}`cka_score_a:.2f` |
# | C36: what a network computes changes abruptly from one block to the next (abstract of the later version), in a small decoder | ours | undecided: the test finds one group, and twelve blocks are few for it | p = {glue:text}`p_a:.2f` and {glue:text}`p_b:.2f` on two draws of texts |
# | D04, by leaving blocks out: nothing shows that a group is a function | - | justified: the runs that GW distances propose are no better than runs at random; as there is one group, no group was tested | score {glue:text}`gw_score_a:.2f` [{glue:text}`gw_low_a:.2f`, {glue:text}`gw_high_a:.2f`] |
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
