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
#     data: [model-0/seed-0, modular-maps, boundaries, level-and-power, resnet9, resnet9-longer, encoder/yelp-pretrained, encoder/yelp-dense]
# ---

# %% [markdown]
# # 15 What came out
#
# Can we find the parts of a network by comparing its layers, without knowing what they compute? This is the question of the paper. Here is what the whole book answers.
#
# ## In short
#
# Most of what the paper says of its distance between layers is true. Our maps do not show what the paper reads in its maps. A raw {term}`layer map` shows how large each layer is: {glue:text}`by_scale:.2f` % of the variance of one map is {term}`scale`. A {term}`normalised` map shows mostly what kind of layer stands where, and so does the map of a network that computes nothing. We also trained small networks whose functions are known. If these functions share one stream, where does the next one begin? We cannot say of any measure shown here that it finds this place better than chance. The {term}`Gromov-Wasserstein distance` (GW) has a {term}`skill` of {glue:text}`gw_stream:.2f` there, where chance is 0 and the best is 1. For language the question stays open, because the paper's own encoder was not run.
#
# :::{glue:figure} fig_in_short_15
# :name: fig-15-in-short
# :alt: Skill of nine measures and two guesses. In chains cosine distance, Euclidean distance and CCA are at one, with and without a new function; GW is near 0 in chains and higher where an answer is only passed on. In one stream all measures but CCA lie below 0, CCA is near it, and only the guess that starts in the middle is clearly above.
#
# How well each measure finds the place where a function begins: 0 by chance, 1 at best, with 95 % intervals over designs of networks. Circles: chains, in which each part embeds the answer of the part before. Squares: chains whose later parts only pass the answer on, scored as if a function began with each part. Triangles: networks whose functions share one stream. The two guesses look at no layer.
# :::
#
# :::{admonition} What you will learn
# - what of the paper stands, and what does not;
# - how one network gives four different maps;
# - what to put beside a map of your own;
# - which questions are open.
#
# **Time**: 8 minutes to read, half a minute to run.
# **In the paper**: its main claims, sections 4 and 5.
# **You need**: nothing; each section names the chapter that has the details.
# :::

# %% tags=["parameters"]
profile = "laptop"
seed = 0
n_texts = 60

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
import warnings

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import funcsim as fs
from funcsim import viz
from funcsim.geometry import mean_distance, pairwise_distances
from funcsim.kinds import MixedKindsWarning
from funcsim.viz.chooser import Choice
from funcsim.viz.interactive import chooser
from replication.benchmark import judgement, level_and_power, scores
from replication.encoder import dense
from replication.modular_addition import four_maps, maps, trained_networks
from replication.vision import resnet9

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

warnings.simplefilter("ignore", MixedKindsWarning)  # said in chapter 06

# %% [markdown]
# ## What stands: the distance
#
# GW compares how far apart the inputs are *within* each of two layers, so their widths need not agree. It stays the same when a layer is rotated or shifted, and when its inputs are renumbered. You can see this on two layers of {term}`Model 0 <Model 0, Model E, Model L>`, the network that adds two numbers.

# %% mystnb={"figure": {"caption": "The GW distance of two layers of Model 0 after five changes of the second layer. Only the last one, a change of size, changes the distance."}}
model_0 = trained_networks.load("model-0", profile, seed)
reps = fs.capture(model_0.model, [model_0.pairs], progress=False)
few = reps.subsample(min(60, reps.n_samples), seed)
x, y = few["blocks.0.resid_pre"], few["blocks.0.resid_post"]
rng = np.random.default_rng(seed)
rotation = np.linalg.qr(rng.normal(size=(y.shape[1], y.shape[1])))[0]
changed = {
    "as it is": y,
    "rotated": y @ rotation,
    "shifted": y + 1,
    "mirrored": -y,
    "inputs renumbered": rng.permutation(y),
    "twice as large": 2 * y,
}
distances = {}
for name, z in changed.items():
    distances[name] = fs.gw(x, z, normalize=None).distance
pd.Series(distances, name="GW distance").to_frame().round(2)

# %% tags=["remove-cell"]
base = distances["as it is"]
same = [d for name, d in distances.items() if name != "twice as large"]
note(moved=100 * max(abs(d / base - 1) for d in same))
note(doubled=distances["twice as large"] / base)
note(val_accuracy=100 * model_0.record.results["val_accuracy"])

# %% [markdown]
# The first four changes move the distance by at most {glue:text}`moved:.1g` %, which is rounding. If the second layer is twice as large, the distance is {glue:text}`doubled:.1f` times as large. So the properties of [chapter 02](02-gromov-wasserstein.ipynb) hold. The last change is a warning: the size of a layer counts.
#
# Other claims of the paper stand as well. A network of one {term}`block` learns to add, and is right on {glue:text}`val_accuracy:.0f` % of the pairs that it was not trained on ([chapter 04](04-modular-sum-training.ipynb)). A {term}`linear probe` can miss what a layer contains ([chapter 01](01-functional-similarity.ipynb)). The best matching of inputs is one to one ([chapter 02](02-gromov-wasserstein.ipynb)).
#
# ## One network, four maps
#
# What does a map show? Take Model 0 once more. Each row and each column is one of its 31 layers. Dark is alike, bright is different. White frames are {term}`groups <group>` that the test of this book finds. Choose what the map is made of.

# %% tags=["remove-cell"]
four = four_maps.load(profile, seed)
found = {title: fs.partition(m, seed=seed) for title, m in four.items()}
names = [name.removeprefix("blocks.0.") for name in four["normalised"].names]
upper = np.triu_indices(len(names), k=1)
shown = reps.subsample(four["raw"].n_samples, seed)
size = [mean_distance(pairwise_distances(layer)) for layer in shown.values()]
guessed = np.abs(np.subtract.outer(size, size))[upper]
by_scale = 100 * np.corrcoef(guessed, four["raw"].values[upper])[0, 1] ** 2


def agree(title):
    """Rank correlation of a map with that of the trained network."""
    ours, other = four["normalised"], four[title]
    return spearmanr(ours.values[upper], other.values[upper]).statistic


def in_words(title):
    """How many groups the test finds in a map."""
    n = found[title].n_groups
    starts = " and ".join(names[k] for k in found[title].boundaries)
    return (
        f"The test finds {n} groups; new ones start at {starts}."
        if n > 1
        else "The test finds one group."
    )


# %% tags=["remove-cell"]
says = {
    "raw": f"Distances as they are. {by_scale:.2f} % of the variance of this map "
    "is the size of the layers alone.",
    "normalised": "Each layer divided by its mean distance. A bright cross "
    "appears: the four attention maps are unlike the other layers.",
    "before training": "The same network with random weights. It cannot add, yet "
    "the map looks alike. Rank correlation with the trained map: "
    f"{agree('before training'):.2f}.",
    "width alone": "One and the same cloud in every layer, projected to the "
    "layer's width. Nothing is computed. Rank correlation with the trained map: "
    f"{agree('width alone'):.2f}.",
}
alts = {
    "raw": "Raw map: dark but for the last rows, where the layers are large.",
    "normalised": "Normalised map: a bright cross at the four attention maps.",
    "before training": "Map before training: the same cross, less bright.",
    "width alone": "Map of width alone: again a cross at the attention maps.",
}
top = four_maps.brightest(four)
choices = {
    title.capitalize(): Choice(
        m, alts[title], f"{says[title]} {in_words(title)}", found[title], top[title]
    )
    for title, m in four.items()
}

# %% tags=["remove-cell"]
note(by_scale=by_scale)
note(by_start=agree("before training"), by_width=agree("width alone"))
note(**{f"n_{t.split()[0]}": g.n_groups for t, g in found.items()})
attention = [k for k, name in enumerate(names) if name.startswith("attn.")]
note(n_layers=len(names), n_attention=len(attention))

# %% [markdown]
# The choices stand above the map:

# %% tags=["shown-four-maps", "hide-input"]
chooser(choices, "One network, four maps. Which one would you like to see?")

# %% [markdown]
# The raw map is a picture of scale. The normalised map has a cross, but so has the map before training, and so has the map of width alone. Their {term}`rank correlations <rank correlation>` with the normalised map of the trained network are {glue:text}`by_start:.2f` and {glue:text}`by_width:.2f`. An {term}`attention map <attention score, attention map>` has few free numbers, so its cloud of inputs is nearly flat. A flat cloud is unlike a wide one, whatever the layers compute. [Chapter 06](06-modular-sum-subnetworks.ipynb) shows the same for networks of three functions.

# %% tags=["remove-cell"]
# At profile `smoke` Model 0 stands in: tiny Models L and E take a minute to train.
keys = ("0", "0-width") if profile == "smoke" else ("l", "l-width")
three = [maps.load(key, profile, seed) for key in keys]
per_block = len(three[0].names) // 3
truth = {per_block, 2 * per_block}
groups_l = fs.partition(three[0], seed=seed)
inner = np.triu_indices(3 * per_block, k=1)
hits = len(truth & set(groups_l.boundaries))
note(n_l=groups_l.n_groups, hits_l=("none", "one", "both")[hits])
values = [m.values[inner] for m in three]
note(width_l=spearmanr(*values).statistic)

# %% [markdown]
# Model L adds three times, once in each block, and the paper sees three groupings in its map. Our test finds {glue:text}`n_l:d` groups as well. But of the two places where one function ends and the next begins, it finds {glue:text}`hits_l`. The boundaries lie around attention {term}`heads <head>` whose attention weights are nearly the same for most inputs ([chapter 06](06-modular-sum-subnetworks.ipynb)). So the number of groups agrees, but the places do not.
#
# ## Where the functions are known
#
# Does any measure find functions? A fair test needs networks whose functions are known. [Chapter 13](13-is-the-boundary-real.ipynb) trains {glue:text}`n_known:d` networks for this. They are small, and learn their functions one after another. In chains each part computes one function from the answer of the part before, which it embeds again. In other networks all functions share one {term}`stream <residual stream>`: each block reads the same vector and adds to it. A third kind is built like chains, but its later parts only *pass on* the answer of the first. {numref}`fig-15-in-short` at the top of this page shows how well measures do in each kind.

# %% tags=["remove-cell"]
rows = scores.load_rows(profile)
ends = rows[(rows["layers"] == "ends") & rows["sort"].isin(["measure", "guess"])]
passed = ends[(ends["family"] == "handed-on") & (ends["parts"] > 1)]
note(n_known=len(ends.drop_duplicates(["family", "network", "seed"])))

# %% tags=["remove-cell"]
SHOWN = {
    "cosine": "cosine distance",
    "euclidean": "Euclidean distance",
    "rsa": "RSA",
    "procrustes": "Procrustes",
    "cka": "linear CKA",
    "rsm": "RSM",
    "cka-rbf": "CKA, Gaussian kernel",
    "cca": "mean CCA",
    "gw": "GW",
    "middle first": "guess: the middle first",
    "new parts": "guess: where a part begins",
}

# %% tags=["remove-cell"]
kinds = {
    "chain, a new function": ends[ends["family"] == "chains"],
    "chain, only passed on": passed,
    "one stream, a new function": ends[ends["family"] == "streams"],
}

# %% tags=["remove-cell"]
by_kind = {what: judgement.means(of, "skill 0") for what, of in kinds.items()}
mean, low, high = (
    pd.DataFrame({what: table[key] for what, table in by_kind.items()})
    .reindex(SHOWN)
    .rename(index=SHOWN)
    for key in ("mean", "low", "high")
)

# %% tags=["remove-cell"]
keep_figure(
    "fig_in_short_15",
    viz.dots(
        mean,
        low,
        high,
        xlabel="skill (0 by chance, 1 at best)",
        reference=0.0,
        reference_label="chance",
    ),
)

# %% tags=["remove-cell"]
for name, short in (
    ("GW", "gw"),
    ("linear CKA", "cka"),
    ("cosine distance", "cosine"),
):
    for what, key in zip(kinds, ("chain", "passed", "stream"), strict=True):
        note(**{f"{short}_{key}": mean.loc[name, what]})

# %% tags=["remove-cell"]
of_measures = mean[~mean.index.str.startswith("guess")]
note(best_stream=of_measures["one stream, a new function"].max())

# %% [markdown]
# For each place between two blocks, a map gives evidence for a {term}`boundary`: how far the step there, the distance between the two blocks, stands out. *{term}`Skill <skill>`* is 1 if the places with the most evidence are those where a new function begins, and 0 by chance. In chains cosine distance has {glue:text}`cosine_chain:.2f`, {term}`CKA` {glue:text}`cka_chain:.2f`, and GW {glue:text}`gw_chain:.2f`.
#
# The squares are a warning. No new function begins in these networks, and yet cosine distance has {glue:text}`cosine_passed:.2f`. So a measure can have a high skill because the next part embeds its input again, whether or not a function begins. The triangles are the hard case. In one stream GW has {glue:text}`gw_stream:.2f`, and the best of the measures in the figure has {glue:text}`best_stream:.2f`. Chapter 13 looks at one seed of these networks. There the step into the next function is small, and the larger steps lie inside the functions. [Page 13b](13b-cut-and-stitch.ipynb) also replaces layers of these networks.
#
# ## A test instead of the eye
#
# The eye finds groups in nearly any map. A rule that must return groups finds some in every map.

# %% tags=["remove-cell"]
rates, origin_rates = level_and_power.load(profile)
never = rates[rates["family"].str.startswith("untrained")]
n_cut = (never["cut"] * never["n_maps"]).round()
total = never.groupby("rule")["n_maps"].sum()
alarms = n_cut.groupby(never["rule"]).sum()
share = (100 * alarms / total).sort_values()
ours = level_and_power.OURS
note(n_never=int(total[ours]), n_alarms=int(alarms[ours]))
planted = rates[(rates["rule"] == ours) & (rates["family"] == "step x4 among .3")]
power = planted.set_index("layers")["exact"]
note(power_7=100 * power.get(7, np.nan), power_13=100 * power.get(13, np.nan))
false_alarms = share.rename(index={ours: "the test of this book"}).to_frame("share")

# %% [markdown]
# We applied nine rules to the maps of networks that were never trained. There is no function to find in them.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Share of maps of untrained networks that each of nine rules cuts: near zero for the test of this book, from a few per cent to all of them for the others."}, "figure": {"name": "fig-15-alarms", "caption": "How often each rule finds groups in the untrained transformers and chains of page 06b. The test of this book hardly ever does. Rules that must return groups return some."}}
viz.dots(
    false_alarms,
    xlabel="maps of untrained networks that are cut (%)",
    reference=5,
    reference_label="level",
)

# %% [markdown]
# Our test finds groups in {glue:text}`n_alarms:d` of {glue:text}`n_never:d` such maps, but in most GW maps of the untrained networks of [chapter 13](13-is-the-boundary-real.ipynb). The price is that the test misses boundaries in short networks. A step four times as large as usual is found in {glue:text}`power_7:.0f` % of made-up maps of 7 layers. In maps of 13 layers it is found in {glue:text}`power_13:.0f` % ([page 06b](06b-how-good-is-the-test.ipynb)). So "one group" does not mean that there are no parts.
#
# ## Images and language
#
# The authors find four sub-networks in a ResNet-9. We trained three such networks on less than half of the images: one for a shorter time than theirs, and two from other seeds for as long. The test finds four groups in none of them.

# %% tags=["remove-cell"]
vision = resnet9.load(profile, seed)
map_r = vision.maps["trained/mean/gw"]
groups_r = fs.partition(map_r, seed=seed)
starts_r = [map_r.names[k] for k in groups_r.boundaries]
note(start_resnet=" and ".join(starts_r) or "none")
others = [resnet9.load(profile, s, resnet9.LONGER) for s in (1, 2)]
numbers_r = [groups_r.n_groups]
for other in others:
    other_map = other.maps["trained/mean/gw"]
    numbers_r.append(fs.partition(other_map, seed=seed).n_groups)
note(n_resnet="{}, {} and {}".format(*numbers_r))
read = vision.readouts[1][vision.targets.index("class")]
relus = [k for k, name in enumerate(vision.layers.names) if name.endswith("ReLU")]
note(class_first=read[relus[0]], class_last=read[relus[-1]])

# %% [markdown]
# It finds {glue:text}`n_resnet` groups. In the first network the second group starts at {glue:text}`start_resnet`. Yet the class of an image becomes readable little by little: the score of a {term}`readout` grows from {glue:text}`class_first:.2f` at the first {term}`ReLU` to {glue:text}`class_last:.2f` at the last ([chapter 12](12-resnet-cifar10.ipynb)).
#
# For language the paper uses BERT-base, with twelve blocks. Chapters [07](07-bert-fine-tuning.ipynb), [08](08-bert-subnetworks.ipynb), [09](09-sparse-bert.ipynb), [10](10-training-dynamics.ipynb) and [11](11-fine-tuning-ablations.ipynb) use an encoder of the same size that was trained in another way. So these chapters decide no claim about BERT.

# %% tags=["remove-cell"]
texts = {
    "before fine-tuning": dense.load("yelp-pretrained", profile, seed),
    "after fine-tuning": dense.load("yelp-dense", profile, seed),
}
pooled = {name: run.clouds["mean"] for name, run in texts.items()}
pooled = {
    name: cloud.subsample(min(n_texts, cloud.n_samples), seed)
    for name, cloud in pooled.items()
}
encoder = {name: fs.compare(c, progress=False) for name, c in pooled.items()}
groups_e = {name: fs.partition(m, seed=seed) for name, m in encoder.items()}
steps = {name: np.diag(m.values, k=1) for name, m in encoder.items()}

# %% tags=["remove-cell"]
tuned = "after fine-tuning"
note(n_blocks=len(encoder[tuned].names), n_texts=pooled[tuned].n_samples)
note(n_after=groups_e[tuned].n_groups, p_after=groups_e[tuned].p_value)
note(largest=int(steps[tuned].argmax()) + 2)
note(growth=steps[tuned].max() / np.median(steps[tuned]))
note(accuracy=100 * texts[tuned].scores["accuracy"])

# %% [markdown]
# Here is one look at an encoder with as many blocks as BERT. {term}`Fine-tuning <fine-tuning>` taught it to tell good reviews from bad ones. On new reviews it is right in {glue:text}`accuracy:.0f` % of the cases.

# %% tags=["fig", "wide", "hide-input"] mystnb={"image": {"alt": "Two maps of twelve blocks. Before fine-tuning distances grow evenly with the number of blocks between; afterwards the last blocks are far from all others, and the change is spread over several blocks."}, "figure": {"name": "fig-15-encoder", "caption": "The twelve blocks of all-mpnet-base-v2 on Yelp reviews, as a mean over tokens, under GW. Bright means different. Fine-tuning moves the last blocks away from the first."}}
viz.map_grid({"GW": encoder})

# %% [markdown]
# To the eye the last blocks form a group after fine-tuning. If the map must be divided into two groups, the best division sets the last three blocks apart, as in the paper. This holds on both tasks of [chapter 08](08-bert-subnetworks.ipynb). The test finds {glue:text}`n_after:d` group, with a {term}`p-value` of {glue:text}`p_after:.2f`. The steps grow over several blocks, and the largest leads into block {glue:text}`largest:d`. So the last blocks change faster, but we see no sudden change. This look is at one encoder, one task and {glue:text}`n_texts:d` texts.
#
# ## What a careful user should do
#
# 1. **Divide out the size.** Raw distances show scale first.
# 2. **Draw the map of the same network before training**, and the map of its widths alone. What appears in these maps, too, does not come from the function.
# 3. **Test, and accept "one group".** Say how many layers and inputs the test had.
# 4. **Put simple measures beside GW.** In our chains cosine distance finds the places at which a new part begins, and GW does worse.
# 5. **Know what GW ignores.** It does not ask which input is which ([chapter 05](05-modular-sum-known-targets.ipynb)). If that matters, take a measure that does.
# 6. **Act on the network.** Leave a block out, or replace a layer ([page 13b](13b-cut-and-stitch.ipynb)). A map suggests what to look for, and an experiment can test it. In one stream, replacing layers did not show the boundary, either.
#
# [Chapter 14](14-your-own-model.ipynb) does the first four in one command.
#
# ## What is open
#
# - *BERT itself.* The paper's encoder with twelve blocks, its training and its {term}`freezing` were not repeated here.
# - *The paper's sums.* The text that we worked from has lost its formulas, so the {term}`moduli <moduli, equal and nested>` of Models L and E are a guess.
# - *Functions of natural networks.* Our networks of known boundaries are small, and were trained function by function. In a network that was trained as a whole, nobody knows where a function begins.
# - *More seeds.* Many networks outside of chapter 13 were trained from a single seed. Small samples can miss small effects.
#
# The [scorecard](../book/scorecard.md) has every claim and every doubt with its answer.
#
# ## Where the stored results come from
#
# Maps, scores and clouds were computed before this page was run. The next cell shows the records.

# %% tags=["hide-cell"]
print(maps.origin("0-raw", profile, seed))
print(maps.origin(keys[0], profile, seed))
print(scores.origins(profile), origin_rates, vision.origin, sep="\n")
print(*(run.origin for run in others), sep="\n")
print(*(run.origin for run in texts.values()), sep="\n")
