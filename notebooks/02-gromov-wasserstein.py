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
# # 02 The Gromov-Wasserstein distance
#
# How far apart are two layers? They hold the same inputs, but in spaces that have nothing in common: 256 numbers per
# input here, 1,024 there. We cannot subtract one from the other. What we can do is look at each
# by itself, write down how far apart its points are, and compare these lists of distances.
# That is the idea of the Gromov-Wasserstein distance, the ruler of this book.
#
# :::{admonition} What you will learn
# - the definition, symbol by symbol, and a solver in under forty lines;
# - why the best matching is one to one, and why it is hard to find;
# - how the library searches, and what no search can go below;
# - which of the properties that the paper lists hold, each of them executed;
# - what changes when the matching is fixed instead of optimised;
# - how the time grows with the number of samples.
#
# **Time**: 30 minutes to read, about a minute to run.
# **In the paper**: section 4, section 4.1, appendix D.
# **You need**: [chapter 01](01-functional-similarity.ipynb), matrices, a little probability.
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
# The imports: NumPy for the solver that we write, `ot` (POT {cite:p}`flamary2021pot`) for the
# one that the paper uses, and our library `fs`, which wraps it.

# %%
import time
from itertools import permutations

import numpy as np
import ot
import pandas as pd
from scipy.optimize import linear_sum_assignment

import funcsim as fs
from bookkit.glue import note
from exercises import chapter_02 as check
from funcsim import viz
from funcsim.geometry import distance_matrix, pairwise_distances
from funcsim.gromov import bounds
from funcsim.gromov.coupling import (
    as_permutation,
    cost,
    from_permutation,
    product,
    uniform,
)
from funcsim.gromov.frank_wolfe import frank_wolfe
from funcsim.gromov.solver import (
    conditional_gradient,
    initial_permutation,
    polish,
    solve,
)
from funcsim.gromov.space import prepare
from funcsim.viz import interactive
from replication.modular_addition import trained_networks

small = profile == "smoke"

# %% [markdown]
# ## The definition
#
# A layer is a cloud of $n$ points, one per input. Let $D^X_{ik}$ be the Euclidean distance
# between points $i$ and $k$ of the first layer, and $D^Y_{jl}$ that between points $j$ and
# $l$ of the second. All points weigh the same, $1/n$.
#
# A **coupling** is a matrix $T \ge 0$ that says how much of point $i$ is matched with point
# $j$. Everything must be matched: the rows and the columns of $T$ sum to $1/n$.
#
# :::{prf:definition} Gromov-Wasserstein distance
# :label: def-gw
#
# $$
# \mathrm{GW}(X, Y) = \Bigl( \min_{T} \sum_{i,j,k,l}
#   \bigl( D^X_{ik} - D^Y_{jl} \bigr)^2 \, T_{ij} T_{kl} \Bigr)^{1/2}
# $$
#
# over all couplings $T$ {cite:p}`memoli2011gromov`.
# :::
#
# In words: match the points of both clouds so that pairs which are far apart on one side are
# far apart on the other. The sum is the mean squared error that remains; we call it the
# **cost**, and its root the **distance**. (Over one-to-one matchings this is a *quadratic assignment problem*.) POT returns the cost; the text we worked from does not
# say which of the two the paper shows. We keep them apart, because only the root obeys the triangle
# inequality, as we will see. (Mémoli's definition has a factor 1/2 in front, which changes no
# comparison.)
#
# Here are two clouds to play with: a spiral, and the same spiral turned, bent a little and
# shaken.

# %%
rng = np.random.default_rng(seed)
t = np.linspace(0.3, 1.0, 24)
X = np.stack([t * np.cos(9 * t), t * np.sin(9 * t)], axis=1)
turn = np.array([[0.0, -1.0], [1.0, 0.0]])
Y = np.tanh(1.5 * X @ turn) + 0.08 * rng.normal(size=X.shape)

# %% [markdown]
# Their distance matrices, each divided by its mean so that size does not matter, and the first entry of each:

# %%
DX, DY = distance_matrix(X), distance_matrix(Y)
DX.shape, float(DX[0, 1].round(3)), float(DY[0, 1].round(3))

# %% [markdown]
# The definition has four indices. Written down literally it needs $n^4$ terms; expanding the
# square leaves two matrix products {cite:p}`peyre2016gromov`. The next cell computes both.

# %%
T = product(24, 24)
error = (DX[:, None, :, None] - DY[None, :, None, :]) ** 2
literal = np.einsum("ijkl,ij,kl", error, T, T)
expanded = (DX**2).mean() + (DY**2).mean() - 2 * np.sum((DX @ T @ DY) * T)
note(literal=literal, expansion_gap=abs(literal - expanded))

# %% [markdown]
# Spreading every point over all others costs {glue:text}`literal:.4f`, whichever way we compute
# it; the two differ by {glue:text}`expansion_gap:.1g`.
#
# ## A solver by hand
#
# Only the last term of the expansion depends on $T$: we must *maximise*
# $\langle D^X T D^Y, T \rangle$. The **conditional gradient** method, which is the **Frank-Wolfe algorithm**, does so in rounds. $T$
# occurs twice. Hold one of the two fixed; what remains is linear in the other, hence an ordinary matching problem; solve
# it; go there; repeat {cite:p}`titouan2019optimal`. It ends when nothing improves.


# %%
def gw_by_hand(DX, DY, T):
    """Descend from the coupling T; return every coupling on the way."""
    path = [T]
    while True:
        benefit = DX @ path[-1] @ DY
        rows, columns = linear_sum_assignment(-benefit)
        step = np.zeros_like(T)
        step[rows, columns] = 1 / len(T)
        if cost(DX, DY, step) >= cost(DX, DY, path[-1]) - 1e-12:
            return path
        path.append(step)


path = gw_by_hand(DX, DY, product(24, 24))
note(n_steps=len(path) - 1, by_hand=cost(DX, DY, path[-1]))

# %% [markdown]
# It stops after {glue:text}`n_steps:d` steps at a cost of {glue:text}`by_hand:.4f`. Does POT's
# solver, which the paper uses, agree from the same start? And what does our library find?

# %%
by_pot = cost(DX, DY, conditional_gradient(DX, DY))
library = fs.gw(X, Y)
note(library=library.cost, solver_gap=abs(by_pot - cost(DX, DY, path[-1])))
library

# %% [markdown]
# POT and our solver differ by {glue:text}`solver_gap:.1g`. The library ends at
# {glue:text}`library:.4f`: here there was nothing to gain. It does more than descend, and we come to
# that.
# Step through a second descent of our solver below, this time from a random matching. (The first
# frame, all with all, is for comparison and not part of it.) Start it, or move the slider.

# %%
stations = gw_by_hand(
    DX, DY, from_permutation(np.random.default_rng(3).permutation(24))
)
stations = [product(24, 24), *stations]
costs = [cost(DX, DY, T) for T in stations]
titles = [
    "all with all",
    "a random matching",
    *(f"step {k}" for k in range(1, len(stations) - 1)),
]
frames = [
    viz.matched_clouds(X, Y, T, f"{title}: cost {c:.3f}")
    for T, title, c in zip(stations, titles, costs, strict=True)
]
alts = [
    f"Two spirals joined by lines, {title}; cost {c:.3f}"
    for title, c in zip(titles, costs, strict=True)
]
note(last_station=costs[-1])
interactive.stepper(frames, alts, "station")

# %% [markdown]
# The lines untangle within a few steps and end at a cost of {glue:text}`last_station:.3f`. Is
# this the best matching, or only one that no single step improves? The first descent, from
# "all with all", ended at {glue:text}`by_hand:.3f`. So this one is stuck in a local minimum. We
# come back to this.
#
# ### Bend one of the clouds
#
# What does the coupling do when a cloud changes its shape? Here the spiral is turned by a right angle and then unwound, until it is a straight line.


# %%
def unwound(share):
    """The spiral, turned by a right angle and unwound by this share."""
    angle = 9 * (1 - share) * t + np.pi / 2
    return np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1)


shares = np.linspace(0, 1, 9)
bent = [fs.gw(X, unwound(share)) for share in shares]
kept = [int((as_permutation(r.plan) == np.arange(24)).sum()) for r in bent]

# %% [markdown]
# The library searches anew at every step. Start it, or move the slider.

# %%
titles = [
    f"unwound by {100 * share:.0f} %: distance {r.distance:.2f}, {k} keep their own"
    for share, r, k in zip(shares, bent, kept, strict=True)
]
frames = [
    viz.matched_clouds(X, unwound(share), r.plan, title)
    for share, r, title in zip(shares, bent, titles, strict=True)
]
interactive.stepper(
    frames, [f"A spiral and its copy, {title}" for title in titles], "bend"
)

# %% [markdown]
# The numbers for the text:

# %%
whole = int(np.argmax(np.array(kept) < 24)) - 1  # the last before one is lost
straight = distance_matrix(unwound(1.0))
note(
    turned=bent[0].distance,
    whole=100 * shares[whole],
    at_whole=bent[whole].distance,
)
note(straight=bent[-1].distance, kept_then=kept[whole + 1])
note(straight_itself=float(np.sqrt(((DX - straight) ** 2).mean())))

# %% [markdown]
# Turned and not bent, the copy is at distance {glue:text}`turned:.2f`. Then the distance grows: unwound by {glue:text}`whole:.0f` % it is {glue:text}`at_whole:.2f`, and every point still
# has its own as a partner. One step further only {glue:text}`kept_then:d` of 24 have. From there on it costs less to mistake one point for another:
# the straight line is at {glue:text}`straight:.2f`, and with every point kept to its own it would be at {glue:text}`straight_itself:.2f`. The distance compares shapes, and forgets which point is which
# as soon as that pays.
#
# ## Why the best matching is one to one
#
# A coupling may split a point. The solver never did, and in the paper's Figure 10 the plans
# are one to one as well; the authors note that this agrees with theory "under certain
# conditions". Here is the condition.
#
# :::{prf:theorem}
# :label: thm-permutation
#
# If all points weigh the same and $D^X$, $D^Y$ are matrices of Euclidean distances between
# $n$ points each, the cost is a concave function of the coupling, and some optimal coupling
# is a permutation matrix divided by $n$.
# :::
#
# :::{prf:proof}
# Let $\Delta$ be the difference of two couplings; its rows and columns sum to zero. Along
# $T + s \Delta$ the cost is quadratic in $s$, with leading coefficient
# $-2 \operatorname{tr}(\Delta^\top D^X \Delta D^Y)$. Euclidean distance matrices are
# *conditionally negative definite*: $v^\top D v \le 0$ whenever $v$ sums to zero. So on the
# subspace where $\Delta$ lives we may write $-D^X = A^\top A$ and $-D^Y = B^\top B$, and the
# trace is $\lVert A \Delta B^\top \rVert^2 \ge 0$. The coefficient is never positive: the cost
# is concave. A concave function on a polytope is least at a corner, and the corners of the
# set of couplings are the permutations (Birkhoff). See {cite:t}`maron2018probably`.
# :::
#
# Each step of the proof can be run. First, conditional negative definiteness: centre both
# sides of the matrix, and look at the largest eigenvalue.

# %%
J = np.eye(24) - 1 / 24
largest = max(np.linalg.eigvalsh(J @ D @ J).max() for D in (DX, DY))
note(largest_eigenvalue=largest)

# %% [markdown]
# It is {glue:text}`largest_eigenvalue:.1g`: zero, up to rounding, and no eigenvalue is
# positive. Second, concavity: walk in a straight line from one permutation to another, and
# watch the cost.

# %%
shares = np.linspace(0, 1, 41)
ends = [from_permutation(rng.permutation(24)) for _ in range(2)]
on_the_way = np.array(
    [cost(DX, DY, (1 - s) * ends[0] + s * ends[1]) for s in shares]
)
chord = (1 - shares) * on_the_way[0] + shares * on_the_way[-1]
note(least_above_chord=(on_the_way - chord)[1:-1].min())

# %% [markdown]
# The figure shows the cost on the way, and the chord between its ends.

# %% tags=["fig"] mystnb={"image": {"alt": "Cost along the line between two permutations: an arch that stays above its chord: a mixture costs more than the same mixture of the two ends."}}
viz.curves(
    {"cost of the mixture": on_the_way, "chord": chord},
    shares,
    xlabel="share of the second permutation",
    ylabel="cost",
)

# %% [markdown]
# The cost stays above the chord by at least {glue:text}`least_above_chord:.3f`: mixing two
# matchings is worse than the average of them. Third, the plan that POT returns, a general
# solver that knows nothing of this theorem. How many of its entries are not zero?

# %%
pot_plan = ot.gromov.gromov_wasserstein(
    DX, DY, uniform(24), uniform(24), "square_loss"
)
note(n_nonzero=(pot_plan > 0).sum())

# %% [markdown]
# Exactly {glue:text}`n_nonzero:d` of 576, one per point: a permutation, as the paper observes,
# and now we know why. For distances that are not conditionally negative definite, as many
# geodesic ones, the theorem need not hold. For unequal weights the cost is still concave, but the corners are no longer permutations.
#
# ## The properties, one by one
#
# The paper recommends the distance for its properties. Each of them can be executed. We use
# clouds of six points, small enough to try all $6! = 720$ matchings, so that no solver stands
# between us and the truth.

# %%
orders = np.array(list(permutations(range(6))))


def exact(DX, DY):
    """The distance of two clouds of six points, by trying all matchings."""
    return min(np.sqrt(((DX - DY[np.ix_(s, s)]) ** 2).mean()) for s in orders)


def cloud(seed, dimension):
    return pairwise_distances(
        np.random.default_rng(seed).normal(size=(6, dimension))
    )


# %% [markdown]
# **Symmetry and the triangle inequality** (claim C03). For twenty triples of clouds, in one,
# two and three dimensions: how often does a detour turn out shorter than the direct way?

# %%
violations = {"distance": 0, "cost": 0}
asymmetry = 0.0
for k in range(5 if small else 20):
    A, B, C = cloud(3 * k, 1), cloud(3 * k + 1, 2), cloud(3 * k + 2, 3)
    ab, bc, ac = exact(A, B), exact(B, C), exact(A, C)
    asymmetry = max(asymmetry, abs(ab - exact(B, A)))
    violations["distance"] += int(ac > ab + bc + 1e-12)
    violations["cost"] += int(ac**2 > ab**2 + bc**2)
note(
    asymmetry=asymmetry,
    violations_distance=violations["distance"],
    violations_cost=violations["cost"],
)

# %% [markdown]
# The distance is symmetric to {glue:text}`asymmetry:.1g` and the detour was never shorter
# ({glue:text}`violations_distance:d` times). For the *cost* it was shorter
# {glue:text}`violations_cost:d` times. A case that needs no computer: three clouds of two
# points each, 1, 2 and 3 apart. The differences are 1, 1 and 2; squared, 1 + 1 is less
# than 4. Whoever reports GW², as POT's function does, does not report a metric.
#
# **Isometries and permutations** (claim C04). Rotate, reflect, translate and shuffle a cloud;
# the distance to the original should be zero.

# %%
big = np.random.default_rng(seed).normal(size=(40 if small else 150, 5))
rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
copies = {
    "rotated": big @ rotation,
    "reflected": big * [-1, 1, 1, 1, 1],
    "translated": big + 100,
    "permuted": big[rng.permutation(len(big))],
}
distances = {name: fs.gw(big, copy).distance for name, copy in copies.items()}
note(
    worst_isometry=max(distances.values()),
    nothing_alike=fs.gw(big, rng.normal(size=big.shape)).distance,
)

# %% [markdown]
# The largest of the four is {glue:text}`worst_isometry:.1g`. For comparison, an unrelated cloud
# of the same kind is at {glue:text}`nothing_alike:.3f`. One thing must be said plainly here:
# the paper's text speaks of permuting *dimensions* within a layer. That is forgiven too, but
# as a special rotation. The permutation that the coupling optimises is that of *samples*.
#
# **Different dimensions** (claim C02). Nothing in the definition asks for equal widths. A
# cloud in five dimensions against itself with 500 columns of zeros added:

# %%
padded = np.hstack([big, np.zeros((len(big), 500))])
note(padded=fs.gw(big, padded).distance)

# %% [markdown]
# The distance is {glue:text}`padded:.1g`, as it should be.
#
# **Scaling** (claim C05). The paper says that the distance is monotone in positive scaling of
# the pairwise distances, so that the closest layers stay the closest. If *all* layers are
# scaled by the same factor, that is plain: everything is multiplied by it. But layers differ
# in scale one by one. So let us scale both clouds of a pair, and then only one of them.

# %%
factors = np.geomspace(0.25, 4, 9 if small else 17)
near, far = pairwise_distances(X), pairwise_distances(Y)
raw = [solve(s * near, far).distance for s in factors]
normalised = [fs.gw(s * X, Y).distance for s in factors]
lowest_factor = float(factors[int(np.argmin(raw))])
note(
    lowest_factor=lowest_factor,
    raw_quarter=raw[0],
    raw_four=raw[-1],
    raw_lowest=min(raw),
    normalised_spread=np.ptp(normalised),
)
doubled = solve(2 * near, 2 * far).distance
note(both_doubled=doubled / solve(near, far).distance)

# %% [markdown]
# The figure shows the raw distance and the normalised one against the factor.

# %% tags=["fig"] mystnb={"image": {"alt": "Distance against the factor by which one cloud is scaled: the raw distance falls and then rises steeply, the normalised one is constant."}}
viz.curves(
    {"raw distances": raw, "distances divided by their mean": normalised},
    factors,
    xlabel="factor on one of the two clouds",
    ylabel="GW distance",
    xscale="log",
)

# %% [markdown]
# With both clouds doubled the distance is {glue:text}`both_doubled:.2f` times what it was. With one of them scaled, the raw distance falls from {glue:text}`raw_quarter:.2f` to {glue:text}`raw_lowest:.2f` at a
# factor of {glue:text}`lowest_factor:.2f` and climbs to {glue:text}`raw_four:.2f`. It is not
# monotone, and a layer can become the closest just by shrinking. After division by the mean
# distance the curve is flat, within {glue:text}`normalised_spread:.1g`. In Model 0
# scales differ by up to two hundred times (chapter 06), so this is no detail. It is why `fs.compare`
# normalises by default, and why we always show the raw map beside it.
#
# ## The start decides
#
# A concave function has its minima in corners, and many corners are local minima. Descent
# ends in one of them; which one depends on where it starts. POT starts with everything
# matched with everything, `product`. We also start with each input matched with itself,
# `identity`. The next cell compares them on pairs of clouds of which the second is a
# non-linear, noisy function of the first.


# %%
def related_pair(seed, n):
    """A Gaussian cloud, and a squashed, noisy linear image of it."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    Y = np.tanh(X @ rng.normal(size=(8, 5))) + 0.3 * rng.normal(size=(n, 5))
    return distance_matrix(X), distance_matrix(Y)


def costs_by_start(seed, n):
    """The cost of the identity, of three descents by POT, and of the library."""
    D1, D2 = related_pair(seed, n)
    identity = from_permutation(np.arange(n))
    shuffled = from_permutation(np.random.default_rng(seed).permutation(n))
    ends = [
        conditional_gradient(D1, D2, start) for start in (None, identity, shuffled)
    ]
    found = [cost(D1, D2, plan) for plan in (identity, *ends)]
    return [*found, solve(D1, D2).cost]


few, many = (20, 40) if small else (60, 300)
n_pairs = 4 if small else 20
outcomes = {
    n: np.array([costs_by_start(k, n) for k in range(n_pairs)]).T
    for n in (few, many)
}

# %% [markdown]
# How often does the default start end above the identity start, and how often even above the
# identity coupling itself, which takes no search at all?


# %%
def summary(fixed, default, identity, random, library):
    """How often the default start is beaten, and by how much on average."""
    best = np.minimum(default, identity)
    return {
        "default above identity": (default > identity + 1e-12).sum(),
        "default above no search": (default > fixed).sum(),
        "random below both": (random < best - 1e-12).sum(),
        "gain of two starts, %": 100 * (1 - (best / default).mean()),
        "gain of the library, %": 100 * (1 - (library / default).mean()),
        "library above default": (library > default * (1 + 1e-9)).sum(),
    }


counted = pd.DataFrame({n: summary(*costs) for n, costs in outcomes.items()})
for word, column in zip(("few", "many"), counted, strict=True):
    worse, above_fixed, random, gain, more, above = counted[column]
    note(**{f"library_{word}": more, f"library_above_{word}": int(above)})
    note(**{f"n_{word}": column, f"worse_{word}": int(worse), f"gain_{word}": gain})
    note(**{f"above_fixed_{word}": int(above_fixed), f"random_{word}": int(random)})
note(n_pairs=n_pairs)
counted.round(1)

# %% [markdown]
# The figure compares the two ends, pair by pair, for the larger clouds.

# %% tags=["fig"] mystnb={"image": {"alt": "Cost from the identity start against cost from POT's default start: points lie on both sides of the diagonal, so neither start is always better."}}
viz.scatter(
    outcomes[many][1],
    outcomes[many][2],
    xlabel="cost from POT's default start",
    ylabel="cost from the identity",
    diagonal=True,
)

# %% [markdown]
# With {glue:text}`n_few:d` points, the default start ends higher than the identity start in
# {glue:text}`worse_few:d` of {glue:text}`n_pairs:d` pairs, and in {glue:text}`above_fixed_few:d`
# of them even above the identity coupling that anyone could have written down. With
# {glue:text}`n_many:d` points it ends higher in {glue:text}`worse_many:d`; neither start always
# wins. A random start beats both {glue:text}`random_few:d` and {glue:text}`random_many:d`
# times. Taking the better of two lowers the cost by {glue:text}`gain_few:.1f` % and
# {glue:text}`gain_many:.1f` % on average. The paper used the default start, as far as it says,
# so the numbers in its maps are upper bounds, some of them loose.
#
# ## How the library searches
#
# `fs.gw` does three things. **Graduated assignment** {cite:p}`gold1996graduated` makes a first guess: it starts with everything matched with
# everything, and makes the matching sharper in small steps (a *temperature* says how soft it still is), coarse shape first. To make a step cheap, each
# centred matrix of distances is replaced by its 32 leading eigenvectors. From there, and from
# the product and the identity, the **Frank-Wolfe algorithm** descends as above; for quadratic assignment it is known as FAQ {cite:p}`vogelstein2015fast`. And **2-opt** exchanges partners: as long as two
# points can swap partners to their advantage, they do. One matrix product gives the gain of
# all $n(n-1)/2$ exchanges at once: with the second matrix rearranged to $C$, and $M = D^X C$,
# swapping $r$ and $s$ raises the sum of all products of matched distances by twice $M_{rs} + M_{sr} - M_{rr} - M_{ss} + 2 D^X_{rs} C_{rs}$, and the cost falls by $2 / n^2$ times that.
#
# On our clouds this lowers the cost by {glue:text}`library_few:.1f` % and
# {glue:text}`library_many:.1f` % against POT's default, and ends above it in
# {glue:text}`library_above_few:d` and {glue:text}`library_above_many:d` of
# {glue:text}`n_pairs:d` pairs. Do real layers behave like this? Here is Model 0 (its record is
# printed), and five pairs of its layers.

# %%
trained = trained_networks.load("model-0", profile, seed)
print(trained.origin)
reps = fs.capture(trained.model, [trained.pairs])
reps = reps.subsample(min(128, reps.n_samples), seed)

# %% [markdown]
# The pairs: two attention maps, the scores behind two of them, the values of two heads, the two
# sides of the MLP's ReLU, and the two ends of the MLP.

# %%
heads = "1" if small else "3"
questions = {
    "maps": ("attn.0", f"attn.{heads}"),
    "scores": ("attn_pre.0", f"attn_pre.{heads}"),
    "values": ("v.0", f"v.{heads}"),
    "relu": ("pre", "post"),
    "mlp": ("resid_mid", "resid_post"),
}

# %% [markdown]
# What is needed of each layer is computed once: its distances, and their summaries.

# %%
spaces = {
    layer: prepare(distance_matrix(reps[f"blocks.0.{layer}"]))
    for layers in questions.values()
    for layer in layers
}

# %% [markdown]
# For each pair: the cost that POT's default start reaches, the costs after Frank-Wolfe from each
# of the three starts, and the cost after 2-opt.


# %%
def stages(a, b):
    """The cost after each part of the search."""
    starts = ("product", "identity", "graduated")
    A, B, D1, D2 = a.single, b.single, a.distances, b.distances
    ends = {s: frank_wolfe(A, B, initial_permutation(a, b, s)) for s in starts}
    costs = {s: cost(D1, D2, from_permutation(end)) for s, end in ends.items()}
    best = polish(A, B, ends[min(costs, key=costs.get)])
    default = {"POT": cost(D1, D2, conditional_gradient(D1, D2))}
    return default | costs | {"2-opt": cost(D1, D2, from_permutation(best))}


real = pd.DataFrame(
    {
        f"{first}, {second}": stages(spaces[first], spaces[second])
        for first, second in questions.values()
    }
).T
gains = 100 * (1 - real["2-opt"] / real["POT"])
note(real_gain=gains.mean(), most_gain=gains.max(), n_gains=int((gains > 1).sum()))
note(real_above=int((real["2-opt"] > real["POT"] * (1 + 1e-9)).sum()))
real.round(4)

# %% [markdown]
# In {glue:text}`n_gains:d` of the five pairs something is gained. The three starts and 2-opt together end {glue:text}`real_gain:.1f` % below POT's default on average, mostly because of one pair with {glue:text}`most_gain:.0f` %, and
# above it {glue:text}`real_above:d` times. `make bench` repeats this on hundreds of pairs of
# layers and up to 1,000 samples, with times.
#
# ## What no search can go below
#
# A better search finds a lower cost; it never tells how much lower one could go. For this there
# are *lower bounds* {cite:p}`memoli2011gromov`. Each matches less than all distances of all points. The first compares one number per point,
# its root mean squared distance to all points. The second compares the two lists of all distances. The third compares, point by point, the sorted list of
# distances, and finds the best matching of the points by that. The first two need only sorting, the third one assignment problem. A fourth compares the eigenvalues of the
# two centred matrices {cite:p}`hadley1992projection`.

# %%
four = {
    "first": bounds.first_lower_bound,
    "second": bounds.second_lower_bound,
    "third": bounds.third_lower_bound,
    "eigenvalues": bounds.eigenvalue_bound,
}
certified = pd.DataFrame(
    {
        f"{first}, {second}": {
            word: bound(spaces[first], spaces[second])
            for word, bound in four.items()
        }
        | {"found": solve(spaces[first], spaces[second]).distance}
        for first, second in questions.values()
    }
).T
tightness = certified[list(four)].max(axis=1) / certified["found"]
note(loosest=100 * tightness.min(), tightest=100 * tightness.max())
largest = certified[list(four)].idxmax(axis=1)
note(best_bounds=" and ".join(sorted(set(largest))))
certified.round(3)

# %% [markdown]
# The best bound is between {glue:text}`loosest:.0f` % and {glue:text}`tightest:.0f` % of the
# distance found (the largest of the four here: {glue:text}`best_bounds`). The third is never below the
# first two. So every number that the library reports is an interval: no coupling is below
# `result.lower_bound`, and a coupling with `result.distance` is at hand. In a map, `m.lower`
# holds the lower ends. If the interval of one pair lies wholly below that of another, no better
# solver will ever turn their order round.
#
# ## What if we do not optimise?
#
# A reviewer asked the obvious question: the inputs *are* in correspondence. Row 17 of every
# layer belongs to input 17. Why search for a matching that we know?
#
# With the identity coupling the cost is the mean squared difference of two distance matrices,
# entry by entry. That is a good measure of its own, close to what neuroscience calls
# representational similarity analysis. Optimising the coupling forgets which input is which:
# it compares the *shapes* of two clouds. So GW is never larger, and where it is much smaller,
# the two layers have the same shape but sort different inputs into it.
#
# For each of these pairs of layers: the cost with the inputs matched as they are, the cost
# that the search reaches, and how many inputs it matches with themselves.

# %%
rows = {}
for word, layers in questions.items():
    D1, D2 = (spaces[name].distances for name in layers)
    found = solve(*(spaces[name] for name in layers))
    itself = int((as_permutation(found.plan) == np.arange(len(D1))).sum())
    rows[word] = [*layers, ((D1 - D2) ** 2).mean(), found.cost, itself]
columns = ["first", "second", "kept", "searched", "itself"]
table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
for word in table.index:
    note(**{f"{column}_{word}": table.loc[word, column] for column in columns[2:]})
note(n_asked=reps.n_samples)
table.round(4)

# %% [markdown]
# Between the attention maps of two heads, searching lowers the cost from
# {glue:text}`kept_maps:.3f` to {glue:text}`searched_maps:.3f`, and matches only
# {glue:text}`itself_maps:d` of the {glue:text}`n_asked:d` inputs with themselves: the two heads
# make the same shape out of different inputs. The scores ({glue:text}`kept_scores:.3f` and {glue:text}`searched_scores:.3f`) and the two ends of the MLP
# ({glue:text}`kept_mlp:.3f` and {glue:text}`searched_mlp:.3f`) gain much from the search, too, but what is left is not small: their shapes differ as well. The values gain little
# ({glue:text}`kept_values:.3f` and {glue:text}`searched_values:.3f`). Across the ReLU alone it changes
# nothing ({glue:text}`kept_relu:.4f` and {glue:text}`searched_relu:.4f`): there
# {glue:text}`itself_relu:d` inputs are matched with themselves.
#
# So the answer to the reviewer is: it depends on what "similar" shall mean. Same computation
# up to a relabelling of the inputs? Then optimise. Same information about each input? Then do
# not. GW cannot tell a layer that encodes only $a$ from one that encodes only $b$.
#
# This is also the exact difference from the Wasserstein distance, which the paper uses as a
# baseline: Wasserstein moves points through *one* space and pays for the way, so it needs both
# layers in the same coordinates; GW never leaves either space and pays for distorted
# distances.
#
# ## How long does it take?
#
# One evaluation costs two products of $n \times n$ matrices, and each step a matching
# problem. The next cell measures the time of one distance as $n$ grows.

# %%
sizes = np.array([16, 32, 64] if small else [128, 256, 512, 1024])
seconds = {"POT, default start": [], "the library": []}
for n in sizes:
    pair = related_pair(seed, int(n))
    for search, times in zip(
        (conditional_gradient, solve), seconds.values(), strict=True
    ):
        began = time.perf_counter()
        search(*pair)
        times.append(time.perf_counter() - began)
pot_times, our_times = seconds.values()
note(slope=np.polyfit(np.log(sizes[1:]), np.log(pot_times[1:]), 1)[0])
note(slope_ours=np.polyfit(np.log(sizes[1:]), np.log(our_times[1:]), 1)[0])
note(longest=pot_times[-1], longest_ours=our_times[-1], largest_n=sizes[-1])

# %% [markdown]
# The figure shows the time on logarithmic axes, where a power of $n$ is a straight line.

# %% tags=["fig"] mystnb={"image": {"alt": "Seconds for one distance against the number of samples on logarithmic axes, for POT and for the library: two lines that rise steadily, POT's more steeply."}}
viz.curves(
    seconds,
    sizes,
    xlabel="samples n",
    ylabel="seconds",
    xscale="log",
    yscale="log",
)

# %% [markdown]
# On the machine that built this page, {glue:text}`largest_n:d` samples took POT
# {glue:text}`longest:.2f` seconds and the library, with its three starts and bounds,
# {glue:text}`longest_ours:.2f`. Over these sizes the time grew about as $n$ to the power
# {glue:text}`slope:.1f` and {glue:text}`slope_ours:.1f`; the matrix products alone have the power
# 3, and will win in the end. The
# dimension of the layers enters only once, when the distances are measured, and no density is
# estimated, as the paper says. But twice the samples cost four to eight times the time. This
# is why everybody subsamples.
#
# A map of $L$ layers needs $L(L-1)/2$ distances. `fs.compare` takes them in parallel processes
# and keeps each on disk as soon as it is done, so an interrupted map goes on where it stopped.
# Whoever has a cluster needs three lines around the call; joblib sends the pairs there:
#
# ```python
# client = distributed.Client("scheduler-address:8786")
# with joblib.parallel_config(backend="dask"):
#     layer_map = fs.compare(reps)
# ```
#
# And `fs.compare(reps, device="cuda")` solves many pairs at once on a graphics card.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Which of these changes the Gromov-Wasserstein distance between two layers?**
#
# <details><summary>a. Rotating one of them.</summary>No: distances within a layer stay as they are.</details>
# <details><summary>b. Renumbering the inputs in one of them.</summary>No: the matching is searched, so names of points do not matter. That is what it gives away.</details>
# <details><summary>c. Multiplying one of them by two.</summary>Right: all its distances double. That is why layers are divided by their mean distance.</details>
#
# **2. A search ends at a cost of 0.12. What is known about the optimum?**
#
# <details><summary>a. It is at least 0.12.</summary>No: the other way round. A better matching would cost less.</details>
# <details><summary>b. It is 0.12.</summary>No: a search ends at a matching that it cannot improve, which need not be the best.</details>
# <details><summary>c. It is at most 0.12.</summary>Right: every matching is an upper bound. A certified lower bound says how far below it can be.</details>
#
# ## Exercises
#
# :::{exercise} The cost of a coupling
# :label: ex-02-cost
#
# *Difficulty 2 of 5, importance 5 of 5, 10 minutes.* Write `coupling_cost(D1, D2, T)`: the cost of a coupling `T` (n, n) of two distance matrices, from the definition. You may spend $n^4$ operations.
#
# ```{dropdown} Hint 1
# Four indices, two factors $T$. `np.einsum` takes the definition nearly as it stands.
# ```
# ```{dropdown} Hint 2
# Or expand the square: two terms do not need the coupling, and the third is two matrix products.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def coupling_cost(D1, D2, T):
    """The cost of a coupling (n, n) of two distance matrices (n, n)."""
    error = (D1[:, None, :, None] - D2[None, :, None, :]) ** 2
    return np.einsum("ijkl,ij,kl", error, T, T)


check.coupling_cost(coupling_cost)

# %% [markdown]
# :::{exercise} The cost is no metric
# :label: ex-02-triangle
#
# *Difficulty 3 of 5, importance 4 of 5, 10 minutes.* Find three clouds such that going from the first to the third costs more than going by the second. Return them from `three_clouds()`, as arrays (n, d).
#
# ```{dropdown} Hint 1
# The smallest clouds will do: two points at a distance $r$. What is the cost of two of them, with distances $r$ and $s$?
# ```
# ```{dropdown} Hint 2
# It is $(r - s)^2 / 2$. Squares of a long way are more than the squares of its parts.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def three_clouds():
    """Three arrays (n, d)."""
    return tuple(np.array([[0.0], [r]]) for r in (1, 2, 3))


check.three_clouds(three_clouds)

# %% [markdown]
# :::{exercise} Without its size
# :label: ex-02-scale
#
# *Difficulty 1 of 5, importance 5 of 5, 5 minutes.* Write `mean_one(points)`: the distance matrix of a cloud (n, d), divided by the mean distance of two different points.
#
# ```{dropdown} Hint 1
# The diagonal is zero, and says nothing about the cloud.
# ```
# ```{dropdown} Hint 2
# `np.triu_indices(n, k=1)` are the pairs, each once.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def mean_one(points):
    """Distances (n, n) of points (n, d), in units of their mean."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    return distances / distances[np.triu_indices(len(points), k=1)].mean()


check.mean_one(mean_one)

# %% [markdown]
# :::{exercise} What no coupling is below
# :label: ex-02-bound
#
# *Difficulty 4 of 5, importance 4 of 5, 15 minutes.* A matrix has a size: the root of its mean square. Write `never_below(D1, D2)`: a bound of the distance, without any search, that grows with the difference of the two sizes.
#
# ```{dropdown} Hint 1
# For a coupling $T$, read the cost as a squared length: that of the difference of two functions of $(i, j, k, l)$, weighted by $T_{ij} T_{kl}$.
# ```
# ```{dropdown} Hint 2
# The length of a difference is at least the difference of the lengths. And the length of each function does not depend on $T$, because the rows and columns of $T$ sum to $1/n$.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def never_below(D1, D2):
    """A lower bound of the Gromov-Wasserstein distance, from two sizes."""
    first, second = (np.sqrt((D**2).mean()) for D in (D1, D2))
    return abs(first - second)


check.never_below(never_below)

# %% [markdown]
# ## What we found
#
# C counts the paper's claims, D the doubts of its reviewers. *paper*: tested as the paper has it; *ours*: on a network, a task, a scale or a statistic of our own. The [scorecard](../book/scorecard.md) makes one answer of all rows about a claim.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C02: GW compares layers of different widths (4) | paper | agrees | 5 against 505 dimensions: {glue:text}`padded:.1g` |
# | C03: symmetric, triangle inequality (4.1) | paper | agrees for the distance; the cost that POT returns is no metric | {glue:text}`violations_distance:d` violations by the distance, {glue:text}`violations_cost:d` by the cost |
# | C04: invariant under isometries and permutations (4.1) | paper | agrees in the easiest case, a cloud and its own copies; chapter 03 has unlike clouds | at most {glue:text}`worst_isometry:.1g` |
# | C05: monotone in scaling, so the closest layers stay the closest (4.1) | paper | agrees if all layers are scaled alike; fails if they are scaled one by one | both clouds doubled: {glue:text}`both_doubled:.2f` times the distance; one of them scaled: the raw curve turns at a factor of {glue:text}`lowest_factor:.2f` |
# | C06: scalable (4.1), since no density is estimated and a sample makes it cheap | paper | agrees; whether a sample shows the same is asked in chapters 06 and 13 | with POT, as in the paper, time grows as $n$ to the power {glue:text}`slope:.1f`; the width of a layer enters once |
# | C25: the optimal plan is a permutation (D) | paper | agrees, and {prf:ref}`thm-permutation` says when | {glue:text}`n_nonzero:d` non-zero entries for 24 points |
# | C25: it is not the identity | ours | undecided: it depends on the layers | {glue:text}`itself_maps:d` and {glue:text}`itself_relu:d` of {glue:text}`n_asked:d` inputs matched with themselves |
# | D03: the correspondence is known | - | justified if the same information about each input is asked for, not if the same shape is | between the attention maps of two heads the search lowers the cost from {glue:text}`kept_maps:.3f` to {glue:text}`searched_maps:.3f` and matches {glue:text}`itself_maps:d` of {glue:text}`n_asked:d` inputs with themselves |
# | D03: is the correspondence found? | - | justified: not always | three starts and 2-opt end {glue:text}`real_gain:.1f` % below POT's default; the best lower bound is {glue:text}`loosest:.0f` to {glue:text}`tightest:.0f` % of the distance |
# | D12: Wasserstein or Gromov-Wasserstein | - | answered: it can be said in a sentence | Wasserstein moves points through one space, GW compares distances inside two: 5 against 505 dimensions give {glue:text}`padded:.1g` |
# | D17: sets and matrices are mixed | - | answered | all symbols of this book are on [one page](../book/notation.md) |
#
# **Before you report a Gromov-Wasserstein distance**: take the root of what POT returns, search from more than one start, give a lower bound, and say whether the layers were scaled.
#
# ## References
#
# ```{bibliography}
# :filter: docname in docnames
# ```
