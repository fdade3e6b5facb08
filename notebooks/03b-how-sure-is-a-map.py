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
#     data: [model-0/seed-0]
# ---

# %% [markdown]
# # 03b How sure is a map?
#
# A map is computed from some inputs. How much would it change with others? And is a small distance really small? This page goes deeper than [chapter 03](03-ten-measures.ipynb). Nothing later needs it, but you will want it for a map of your own.
#
# **Time**: 8 minutes to read, about a minute to run.
# **In the paper**: section 5.2; the discussion of its reviews.

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
# The imports, and the switch for small inputs.

# %%
from itertools import pairwise

import numpy as np
import pandas as pd

import funcsim as fs
from funcsim import viz
from funcsim.nulls import spectrum_matched
from replication.modular_addition import trained_networks

small = profile == "smoke"

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import note

# %% [markdown]
# We take {term}`Model 0 <Model 0, Model E, Model L>` with the 19 layers and the inputs of chapter 03.

# %%
trained = trained_networks.load("model-0", profile, seed)
kinds = ("k", "q", "v", "attn_pre", "attn", "z")
heads = [f"{kind}.{head}" for kind in kinds for head in (0, 1)]
others = ("attn_out", "resid_mid", "pre", "post", "mlp_out", "resid_post")
names = ["resid_pre", *heads, *others]
reps = fs.capture(trained.model, [trained.pairs])
reps = reps.select([f"blocks.0.{name}" for name in names])
sample = reps.subsample(min(24 if small else 240, reps.n_samples), seed)
upper = np.triu_indices(len(names), k=1)

# %% [markdown]
# ## How much would other inputs change it?
#
# `fs.intervals` compares the layers again on random halves of the inputs, the same half for all layers. From this it gives each entry a {term}`spread` and an {term}`interval`. We do not draw inputs *with* replacement {cite:p}`politis1999subsampling`. With replacement some inputs would be drawn twice. Two copies lie at distance zero, and two different inputs do not.

# %%
n_draws = 4 if small else 12
halves = fs.intervals(sample, n_draws=n_draws, seed=seed, progress=False)

# %% tags=["remove-cell"]
spread = halves.spread[upper]
note(n_draws=halves.n_draws, median_spread=np.median(spread))
note(median_bias=np.median(halves.bias[upper]))

# %% [markdown]
# For each step from a layer to the next, the dot is the distance. The thick line is the interval, and the cross is the {term}`lower bound`.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "For 18 steps from one layer to the next, the GW distance as a dot, its interval as a line and its lower bound as a cross. The steps into and out of the attention maps are the largest; the smallest steps have short intervals."}, "figure": {"name": "fig-03b-intervals", "caption": "The steps from each layer to the next in the GW map of Model 0, with their intervals for infinitely many inputs and their lower bounds. The two largest steps lead into and out of the attention maps (`attn`). Their intervals lie above those of most other steps."}}
step = np.arange(len(names) - 1), np.arange(1, len(names))
entries = {
    "distance": halves.map.values,
    "spread": halves.spread,
    "low": halves.low,
    "high": halves.high,
    "lower bound": halves.map.lower,
}
intervals = pd.DataFrame({word: m[step] for word, m in entries.items()})
intervals.index = [f"{a} to {b}" for a, b in pairwise(names)]
fig, ax = viz.new_figure(6.4, 5.4)
rows = np.arange(len(intervals))
low, high = intervals["low"], intervals["high"]
ax.hlines(rows, low, high, color=viz.BLUE, lw=3, alpha=0.4)
ax.plot(intervals["distance"], rows, "o", color=viz.BLUE)
ax.plot(intervals["lower bound"], rows, "x", color=viz.ORANGE)
ax.set(yticks=rows, yticklabels=intervals.index, xlabel="GW distance")
ax.invert_yaxis()
ax.grid(axis="x", alpha=0.3)
fig

# %% [markdown]
# The numbers behind the figure are in a fold.

# %% tags=["hide-output"] mystnb={"figure": {"name": "tab-03b-intervals", "caption": "Distance, spread, interval and lower bound of each step from a layer to the next."}}
intervals.round(3)

# %% [markdown]
# There are three different uncertainties, and they should not be mixed up.
#
# - The *spread* is about other inputs. Other inputs, as many as these, would give another distance. In most cases that distance would differ from ours by no more than the spread.
# - The *lower bound* is about the search. On these inputs the true distance is not below it. This is certain. The range from the bound to the distance found is usually wider than the spread.
# - The *number of inputs* matters as well. GW tends to fall with the number of inputs, because small samples differ by chance ([page 06c](06c-other-maps.ipynb#how-many-inputs) shows this). Here taking only half of the inputs changes little: the median entry is then larger by {glue:text}`median_bias:.3f`, and the median spread is {glue:text}`median_spread:.3f`.
#
# In the folded table "low" and "high" are the ends of the interval, which is for *infinitely many* inputs. We do not know how far GW would still fall. So the low end of the interval is the lower bound minus the spread of this bound. Is it a 95 % interval? For GW not always: on samples from populations whose GW is known it can miss the value more often than one time in twenty. `make bench ONLY=intervals` prints how often.
#
# When you compare distances within one map, judge their difference by the spread. Never compare GW values of different numbers of inputs.
#
# ## How small is small?
#
# A distance of 0.3: is that much? It needs a yardstick. For {term}`paired measures <paired measure>`, which use the correspondence, we can shuffle the samples of one layer. GW does not see a shuffle. So we replace each layer by a {term}`surrogate`: a Gaussian cloud with the same {term}`spectrum` {cite:p}`groeger2026null`. Two surrogates have nothing in common but what their spectra share.

# %%
real = fs.compare(sample).values[upper]
surrogates = fs.compare(spectrum_matched(sample, seed)).values[upper]

# %% tags=["remove-cell"]
note(closer=100 * float((real < surrogates).mean()))
note(real_median=np.median(real), twin_median=np.median(surrogates))

# %% [markdown]
# Each dot is one pair of layers, against the pair of their surrogates.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "GW distance of each pair of layers against that of their Gaussian surrogates: a cloud around the diagonal, with points on both sides."}, "figure": {"name": "fig-03b-surrogates", "caption": "The GW distance of each pair of layers of Model 0 against that of their surrogates. The dots scatter around the diagonal. A pair above it is less alike than two unrelated clouds with its spectra."}}
viz.scatter(
    surrogates,
    real,
    xlabel="GW distance of Gaussian surrogates",
    ylabel="GW distance of the layers",
    diagonal=True,
)

# %% [markdown]
# The median distance is {glue:text}`real_median:.2f` for the layers and {glue:text}`twin_median:.2f` for their surrogates. Of the pairs, {glue:text}`closer:.0f` % are closer than their surrogates. So for this network a typical GW distance is what two unrelated Gaussian clouds with these spectra would have. Only pairs well below the diagonal are alike in more than their spectrum. A low GW distance alone is no evidence of shared function.
#
# ## Where the stored results come from
#
# Model 0 was trained before this page was run. The next cell shows its record.

# %% tags=["hide-cell"]
print(trained.origin)

# %% [markdown]
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
