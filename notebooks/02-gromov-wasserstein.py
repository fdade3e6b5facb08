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
# How far apart are two layers if one has 256 numbers per input and the other 1,024?
#
# ## In short
#
# We cannot subtract one layer from the other. But within each layer we can measure how far apart any two inputs lie. The {term}`Gromov-Wasserstein distance` (GW) matches the inputs in one layer with the inputs in the other, so that these distances agree as well as possible. It reports the disagreement that is left. It compares layers of any widths, and it does not change when a layer is rotated. It does change with the size of a layer, so we first divide each layer by its mean distance. And it forgets which input is which. Between two layers of a network that adds, matching each input with itself leaves a mean squared error of {glue:text}`kept_maps:.3f`. The best matching found leaves {glue:text}`searched_maps:.3f`.
#
# :::{glue:figure} fig_in_short_02
# :name: fig-02-in-short
# :alt: A spiral of 24 points and a turned, bent copy of it. Lines join the points that the best matching found makes partners. The order along the spiral is kept.
#
# The matching behind the distance. On the left is a spiral of 24 points, on the right a copy of it that was turned, bent and shaken. The search knows only the distances within each cloud, and it joins the inner end of one spiral to the inner end of the other.
# :::
#
# :::{admonition} What you will learn
# - the definition, symbol by symbol, and a solver in under forty lines;
# - why the best matching is one to one, and why it is hard to find;
# - which of the properties in the paper's list hold: we test every one;
# - what changes when the matching is fixed instead of optimised.
#
# **Time**: 25 minutes to read, about a minute to run.
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
# We import NumPy, the solver `ot` that the paper uses ({term}`POT`, {cite:t}`flamary2021pot`), and our library `fs`.

# %%
from itertools import permutations

import numpy as np
import ot
import pandas as pd
from scipy.optimize import linear_sum_assignment

import funcsim as fs
from exercises import chapter_02 as check
from funcsim import viz
from funcsim.geometry import distance_matrix, pairwise_distances
from funcsim.gromov.coupling import (
    as_permutation,
    cost,
    from_permutation,
    product,
    uniform,
)
from funcsim.gromov.solver import conditional_gradient, solve
from funcsim.gromov.space import prepare
from funcsim.viz import interactive
from replication.modular_addition import trained_networks

small = profile == "smoke"

# %% tags=["remove-cell"]
# isort: split
from bookkit.glue import keep_figure, note

# %% [markdown]
# ## The definition
#
# A layer is a cloud of $n$ points, one per input. Let $D^X_{ik}$ be the Euclidean distance between points $i$ and $k$ of the first layer. Let $D^Y_{jl}$ be the distance between points $j$ and $l$ of the second. All points weigh the same, $1/n$.
#
# A {term}`coupling` is a matrix $T \ge 0$. Its entry $T_{ij}$ says how much of point $i$ is matched with point $j$. Every point is matched completely: the rows and the columns of $T$ sum to $1/n$.
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
# In words: match the points of both clouds so that pairs which are far apart on one side are far apart on the other. The mean squared error that remains is the {term}`cost`, and its root the *distance*. If each point has exactly one partner, minimising the cost is a {term}`quadratic assignment problem`. No fast method is sure to solve it.
#
# POT returns the cost. The text we worked from does not say whether the paper shows cost or distance. We keep both apart: only the distance obeys the triangle inequality.
#
# Here are two clouds: a spiral, and a turned, bent copy.

# %%
rng = np.random.default_rng(seed)
t = np.linspace(0.3, 1.0, 24)
X = np.stack([t * np.cos(9 * t), t * np.sin(9 * t)], axis=1)
turn = np.array([[0.0, -1.0], [1.0, 0.0]])
Y = np.tanh(1.5 * X @ turn) + 0.08 * rng.normal(size=X.shape)

# %% [markdown]
# `distance_matrix` measures all distances within a cloud and divides them by their mean. We call such a cloud {term}`normalised`: its size no longer matters.

# %%
DX, DY = distance_matrix(X), distance_matrix(Y)
DX.shape, float(DX[0, 1].round(3)), float(DY[0, 1].round(3))

# %% [markdown]
# The definition has four indices, so it takes $n^4$ terms as it stands. Expanding the square leaves two matrix products {cite:p}`peyre2016gromov`. We compute the cost both ways, for the coupling that spreads each point over the whole other cloud.

# %%
T = product(24, 24)
error = (DX[:, None, :, None] - DY[None, :, None, :]) ** 2
literal = np.einsum("ijkl,ij,kl", error, T, T)
expanded = (DX**2).mean() + (DY**2).mean() - 2 * np.sum((DX @ T @ DY) * T)
float(literal), float(expanded)

# %% tags=["remove-cell"]
note(literal=literal, expansion_gap=abs(literal - expanded))

# %% [markdown]
# Both ways give {glue:text}`literal:.4f`. They differ by {glue:text}`expansion_gap:.1g`, which is rounding.
#
# ## A solver by hand
#
# Only the last term of the expansion depends on $T$. So we must *maximise* $\langle D^X T D^Y, T \rangle$. The {term}`Frank-Wolfe algorithm`, also called conditional gradient, does this in rounds {cite:p}`titouan2019optimal`. The coupling $T$ occurs twice. If we hold one of the two fixed, the rest is linear in the other. This is an ordinary matching problem. We solve it, go to its solution, and repeat until nothing improves.


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
len(path) - 1, float(cost(DX, DY, path[-1]))

# %% tags=["remove-cell"]
note(n_steps=len(path) - 1, by_hand=cost(DX, DY, path[-1]))

# %% [markdown]
# Our solver stops after {glue:text}`n_steps:d` rounds at a cost of {glue:text}`by_hand:.4f`. Do POT (called by `conditional_gradient`) and our library agree?

# %%
by_pot = cost(DX, DY, conditional_gradient(DX, DY))
library = fs.gw(X, Y)
float(by_pot), library.cost

# %% tags=["remove-cell"]
note(library=library.cost, solver_gap=abs(by_pot - cost(DX, DY, path[-1])))
keep_figure("fig_in_short_02", viz.matched_clouds(X, Y, library.plan))

# %% [markdown]
# POT and our solver differ by {glue:text}`solver_gap:.1g`. The library ends at {glue:text}`library:.4f` as well. {numref}`fig-02-in-short` shows its matching.
#
# Now we start our solver from a random matching instead. The first frame of the film, a coupling of all with all, is for comparison only.

# %% tags=["hide-input"]
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
interactive.stepper(frames, alts, "station")

# %% tags=["remove-cell"]
note(last_station=costs[-1])

# %% [markdown]
# The lines untangle within a few steps, and the descent ends at a cost of {glue:text}`last_station:.3f`. The first descent, from all with all, ended at {glue:text}`by_hand:.3f`. So the second descent is stuck in a local minimum.
#
# ## Bend one of the clouds
#
# What does the matching do when a cloud changes its shape? We turn the spiral by a right angle and then unwind it, until it is a straight line. The library searches again at every stage.


# %%
def unwound(share):
    """The spiral, turned by a right angle and unwound by this share."""
    angle = 9 * (1 - share) * t + np.pi / 2
    return np.stack([t * np.cos(angle), t * np.sin(angle)], axis=1)


shares = np.linspace(0, 1, 9)
bent = [fs.gw(X, unwound(share)) for share in shares]
kept = [int((as_permutation(r.plan) == np.arange(24)).sum()) for r in bent]

# %% [markdown]
# Each frame of the film says how many points are still matched with themselves.

# %% tags=["hide-input"]
titles = []
for share, r, k in zip(shares, bent, kept, strict=True):
    done = f"unwound by {100 * share:.0f} %"
    titles.append(f"{done}: distance {r.distance:.2f}, {k} keep their own")
frames = [
    viz.matched_clouds(X, unwound(share), r.plan, title)
    for share, r, title in zip(shares, bent, titles, strict=True)
]
alts = [f"A spiral and its copy, {title}" for title in titles]
interactive.stepper(frames, alts, "bend")

# %% tags=["remove-cell"]
whole = int(np.argmax(np.array(kept) < 24)) - 1  # the last before one is lost
straight = distance_matrix(unwound(1.0))
note(turned=bent[0].distance, straight=bent[-1].distance)
note(whole=100 * shares[whole], at_whole=bent[whole].distance)
note(kept_then=kept[whole + 1])
note(straight_itself=float(np.sqrt(((DX - straight) ** 2).mean())))

# %% [markdown]
# When the copy is only turned, its distance from the spiral is {glue:text}`turned:.2f`. Then the distance grows. Unwound by {glue:text}`whole:.0f` %, the copy is at a distance of {glue:text}`at_whole:.2f`, and every point is still matched with itself. At the next stage only {glue:text}`kept_then:d` of the 24 points are.
#
# From that stage on, some other matching costs less than the true one. The straight line is at a distance of {glue:text}`straight:.2f`. If every point were matched with itself, this would be {glue:text}`straight_itself:.2f`. So the distance compares shapes. It forgets which point is which as soon as that lowers the cost.
#
# ## Why the best matching is one to one
#
# A coupling may split a point between several partners. Our solver ends at a matching by construction, and the paper's Figure 10 shows only matchings. The authors note that this agrees with theory "under certain conditions". Here are the conditions.
#
# :::{prf:theorem}
# :label: thm-permutation
#
# Let all points weigh the same, and let $D^X$ and $D^Y$ be matrices of Euclidean distances
# between $n$ points each. Then the cost is a concave function of the coupling, and some optimal
# coupling is a permutation matrix divided by $n$.
# :::
#
# :::{prf:proof}
# Let $\Delta$ be the difference of two couplings; its rows and columns sum to zero. Along
# $T + s \Delta$ the cost is quadratic in $s$. Its leading coefficient is
# $-2 \operatorname{tr}(\Delta^\top D^X \Delta D^Y)$. So the cost is concave if the trace is
# not negative. Euclidean distance matrices are *conditionally negative definite*:
# $v^\top D v \le 0$ whenever $v$ sums to zero. The rows and columns of $\Delta$ are such vectors.
# On them we may write $-D^X = A^\top A$ and $-D^Y = B^\top B$. Then the trace is $\lVert A \Delta B^\top \rVert^2 \ge 0$, and the cost is
# concave. The couplings form a polytope, a body with flat sides and corners. A concave
# function on a polytope is least at a corner. By Birkhoff's theorem its corners
# are the permutation matrices, divided by $n$. See {cite:t}`maron2018probably`.
# :::
#
# We check the proof by computation. First we centre rows and columns of each distance matrix and look at the largest eigenvalue.

# %%
J = np.eye(24) - 1 / 24
largest = max(np.linalg.eigvalsh(J @ D @ J).max() for D in (DX, DY))
float(largest)

# %% tags=["remove-cell"]
note(largest_eigenvalue=largest)

# %% [markdown]
# The largest eigenvalue is {glue:text}`largest_eigenvalue:.1g`. Up to rounding this is zero, so no eigenvalue is positive. Next, is the cost concave? We walk in a straight line from one permutation to another, and watch the cost.

# %%
shares = np.linspace(0, 1, 41)
ends = [from_permutation(rng.permutation(24)) for _ in range(2)]
on_the_way = np.array(
    [cost(DX, DY, (1 - s) * ends[0] + s * ends[1]) for s in shares]
)
chord = (1 - shares) * on_the_way[0] + shares * on_the_way[-1]

# %% tags=["remove-cell"]
note(least_above_chord=(on_the_way - chord)[1:-1].min())

# %% [markdown]
# The chord joins the costs of the two ends.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Cost along the line between two permutations: an arch that stays above its chord. A mixture of two matchings costs more than the same mixture of their costs."}, "figure": {"name": "fig-02-concave", "caption": "The cost of a mixture of two permutations, and the chord between its ends. The cost lies above its chord: it is concave, so mixing never pays."}}
viz.curves(
    {"cost of the mixture": on_the_way, "chord": chord},
    shares,
    xlabel="share of the second permutation",
    ylabel="cost",
)

# %% [markdown]
# The cost stays above the chord by at least {glue:text}`least_above_chord:.3f`. Last, we let POT search, and count the entries of its coupling that are not zero.

# %%
search = ot.gromov.gromov_wasserstein
pot_plan = search(DX, DY, uniform(24), uniform(24), "square_loss")
int((pot_plan > 0).sum())

# %% tags=["remove-cell"]
note(n_nonzero=(pot_plan > 0).sum())

# %% [markdown]
# Exactly {glue:text}`n_nonzero:d` of 576 entries are not zero, one per point. So POT's coupling is a permutation, as the paper observed. The theorem needs both of its conditions. Other distances, such as those along a curved surface, need not be conditionally negative definite. With unequal weights the cost is still concave, but the corners are no longer permutations.
#
# ## The properties, one by one
#
# The paper recommends the distance for certain properties. We test each of them. Clouds of six points are small enough to try all $6! = 720$ matchings, without any solver.

# %%
orders = np.array(list(permutations(range(6))))


def exact(DX, DY):
    """The distance of two clouds of six points, by trying all matchings."""
    costs = (((DX - DY[np.ix_(s, s)]) ** 2).mean() for s in orders)
    return np.sqrt(min(costs))


def cloud(seed, dimension):
    return pairwise_distances(
        np.random.default_rng(seed).normal(size=(6, dimension))
    )


# %% [markdown]
# **Symmetry and the triangle inequality** (claim C03). We draw triples of clouds in one, two and three dimensions. How often is a detour shorter than the direct way?

# %%
violations = {"distance": 0, "cost": 0}
asymmetry = 0.0
for k in range(5 if small else 20):
    A, B, C = cloud(3 * k, 1), cloud(3 * k + 1, 2), cloud(3 * k + 2, 3)
    ab, bc, ac = exact(A, B), exact(B, C), exact(A, C)
    asymmetry = max(asymmetry, abs(ab - exact(B, A)))
    violations["distance"] += int(ac > ab + bc + 1e-12)
    violations["cost"] += int(ac**2 > ab**2 + bc**2)
asymmetry, violations

# %% tags=["remove-cell"]
note(asymmetry=asymmetry, n_triples=5 if small else 20)
note(violations_distance=violations["distance"])
note(violations_cost=violations["cost"])

# %% [markdown]
# The distance is symmetric up to {glue:text}`asymmetry:.1g`, and a detour was shorter in {glue:text}`violations_distance:d` of {glue:text}`n_triples:d` triples. By the *cost*, a detour was shorter in {glue:text}`violations_cost:d`. So the cost, which POT returns, is not a metric.
#
# **Isometries and permutations** (claim C04). An {term}`isometry` keeps all distances. We rotate, reflect and move a cloud, and we change the order of its points. The distance to the original should be zero.

# %%
n_points = 40 if small else 150
big = np.random.default_rng(seed).normal(size=(n_points, 5))
rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
copies = {
    "rotated": big @ rotation,
    "reflected": big * [-1, 1, 1, 1, 1],
    "translated": big + 100,
    "permuted": big[rng.permutation(len(big))],
}
distances = {name: fs.gw(big, z).distance for name, z in copies.items()}
unrelated = fs.gw(big, rng.normal(size=big.shape)).distance
distances, unrelated

# %% tags=["remove-cell"]
note(worst_isometry=max(distances.values()), nothing_alike=unrelated)

# %% [markdown]
# None of the four copies is farther away than {glue:text}`worst_isometry:.1g`. An unrelated cloud is at a distance of {glue:text}`nothing_alike:.3f`. The paper speaks of permuting the *dimensions* of a layer. This only turns or reflects the cloud. GW also ignores the order of the *inputs*.
#
# **Different dimensions** (claim C02). Nothing in the definition asks for equal widths. Here is the cloud in five dimensions against itself with 500 columns of zeros added.

# %%
padded = np.hstack([big, np.zeros((len(big), 500))])
padded_distance = fs.gw(big, padded).distance
padded_distance

# %% tags=["remove-cell"]
note(padded=padded_distance)

# %% [markdown]
# The distance is {glue:text}`padded:.1g`, as it should be.
#
# **Scaling** (claim C05). Multiply the pairwise distances within the layers by a positive factor. The paper says that the distance is monotone in this factor, so that the closest layers stay the closest. If *all* layers are scaled by the same factor, this is plain: every distance is multiplied by it. But each layer has a {term}`scale` of its own. So we scale both clouds of a pair, and then only one of them.

# %%
factors = np.geomspace(0.25, 4, 9 if small else 17)
near, far = pairwise_distances(X), pairwise_distances(Y)
raw = [solve(s * near, far).distance for s in factors]
normalised = [fs.gw(s * X, Y).distance for s in factors]
doubled = solve(2 * near, 2 * far).distance
doubled / solve(near, far).distance

# %% tags=["remove-cell"]
lowest_factor = float(factors[int(np.argmin(raw))])
note(lowest_factor=lowest_factor, raw_lowest=min(raw))
note(raw_quarter=raw[0], raw_four=raw[-1])
note(normalised_spread=np.ptp(normalised))
note(both_doubled=doubled / solve(near, far).distance)

# %% [markdown]
# With both clouds doubled, the distance is {glue:text}`both_doubled:.2f` times what it was. And with only one of them scaled?

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Distance against the factor by which one cloud is scaled: the raw distance falls and then rises steeply, the normalised one is constant."}, "figure": {"name": "fig-02-scale", "caption": "The distance between two clouds when one of them is scaled. The raw distance falls and rises again, so scaling alone can bring two layers together. The normalised distance does not depend on the factor."}}
viz.curves(
    {"raw distances": raw, "distances divided by their mean": normalised},
    factors,
    xlabel="factor on one of the two clouds",
    ylabel="GW distance",
    xscale="log",
)

# %% [markdown]
# The raw distance falls from {glue:text}`raw_quarter:.2f` to {glue:text}`raw_lowest:.2f` and climbs again to {glue:text}`raw_four:.2f`. So it is not monotone, and a layer can become the closest just by shrinking. The normalised distance is constant, within {glue:text}`normalised_spread:.1g`. In {term}`Model 0 <Model 0, Model E, Model L>`, the network that adds, the scales of the layers differ by up to two hundred times ([chapter 06](06-modular-sum-subnetworks.ipynb)). So `fs.compare` normalises by default.
#
# ## The start decides
#
# A concave function has its minima in corners, and many corners are local minima. The start decides in which of them a descent ends. POT starts with everything matched with everything. We can also start with the *identity*, each input matched with itself. We compare the two starts on pairs of clouds. The second cloud is a non-linear, noisy function of the first.


# %%
def related_pair(seed, n):
    """A Gaussian cloud, and a squashed, noisy linear image of it."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    Y = np.tanh(X @ rng.normal(size=(8, 5))) + 0.3 * rng.normal(size=(n, 5))
    return distance_matrix(X), distance_matrix(Y)


def costs_by_start(seed, n):
    """The cost of the identity, of three descents, and of the library."""
    D1, D2 = related_pair(seed, n)
    identity = from_permutation(np.arange(n))
    order = np.random.default_rng(seed).permutation(n)
    starts = (None, identity, from_permutation(order))
    ends = [conditional_gradient(D1, D2, start) for start in starts]
    found = [cost(D1, D2, plan) for plan in (identity, *ends)]
    return [*found, solve(D1, D2).cost]


few, many = (20, 40) if small else (60, 300)
n_pairs = 4 if small else 20
outcomes = {
    n: np.array([costs_by_start(k, n) for k in range(n_pairs)]).T
    for n in (few, many)
}


# %% tags=["remove-cell"]
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

# %% [markdown]
# Each dot is a pair of clouds of {glue:text}`n_many:d` points.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "Cost from the identity start against cost from POT's default start: points lie on both sides of the diagonal, so neither start is always better."}, "figure": {"name": "fig-02-starts", "caption": "Two starts of one solver, for each pair of clouds of the larger size. Dots lie on both sides of the diagonal, so neither start is always better."}}
viz.scatter(
    outcomes[many][1],
    outcomes[many][2],
    xlabel="cost from POT's default start",
    ylabel="cost from the identity",
    diagonal=True,
)

# %% [markdown]
# {numref}`tab-02-starts` counts the outcomes.
#
# :::{table} Outcomes of the search in {glue:text}`n_pairs:d` pairs of clouds, for two sizes of cloud. A gain is a fall below the cost of POT's default start, as a mean.
# :name: tab-02-starts
#
# | | {glue:text}`n_few:d` points | {glue:text}`n_many:d` points |
# | --- | --- | --- |
# | POT's default start costs more than the identity start | {glue:text}`worse_few:d` | {glue:text}`worse_many:d` |
# | it costs more than the identity without any search | {glue:text}`above_fixed_few:d` | {glue:text}`above_fixed_many:d` |
# | a random start ends below both | {glue:text}`random_few:d` | {glue:text}`random_many:d` |
# | gain of taking the better of the two starts | {glue:text}`gain_few:.1f` % | {glue:text}`gain_many:.1f` % |
# | gain of the library's search | {glue:text}`library_few:.1f` % | {glue:text}`library_many:.1f` % |
# | the library ends above POT's default start | {glue:text}`library_above_few:d` | {glue:text}`library_above_many:d` |
# :::
#
# On small clouds the default start is poor. On larger clouds neither start always wins. As far as the paper says, it used the default start. So the numbers in its maps are upper bounds, and some may be loose.
#
# The library searches from several starts and then improves the best result. It also computes a {term}`lower bound` that no matching can beat. [Going deeper: search, bounds and time](02b-search-and-bounds.ipynb) shows how, and what it takes.
#
# ## What if we do not optimise?
#
# A reviewer asked the obvious question. Row 17 of every layer belongs to input 17. Why search for a matching that we know?
#
# With the identity as coupling, the cost is the mean squared difference of two distance matrices, entry by entry. This is close to the representational similarity analysis of neuroscience. Optimising forgets which input is which, and compares the *shapes* of two clouds. GW may choose the identity, so its cost is never above that of the identity. Where GW is much smaller, the shapes are alike, but the inputs lie at different places.
#
# Do real layers differ in this way? We take five pairs of layers of Model 0. Three pairs come from two attention {term}`heads <head>`: their {term}`attention maps <attention score, attention map>`, the scores behind them, and their values. The other two are the two sides of the {term}`ReLU` and the two ends of the {term}`MLP`.

# %%
trained = trained_networks.load("model-0", profile, seed)
reps = fs.capture(trained.model, [trained.pairs])
reps = reps.subsample(min(128, reps.n_samples), seed)
other = "1" if small else "3"
questions = {
    "maps": ("attn.0", f"attn.{other}"),
    "scores": ("attn_pre.0", f"attn_pre.{other}"),
    "values": ("v.0", f"v.{other}"),
    "relu": ("pre", "post"),
    "mlp": ("resid_mid", "resid_post"),
}

# %% [markdown]
# For each pair we compute the cost with each input matched with itself, and the cost that the search reaches.

# %%
rows = {}
for word, pair in questions.items():
    a, b = (prepare(distance_matrix(reps[f"blocks.0.{x}"])) for x in pair)
    found = solve(a, b)
    itself = int((as_permutation(found.plan) == np.arange(a.n)).sum())
    fixed = ((a.distances - b.distances) ** 2).mean()
    rows[word] = [*pair, fixed, found.cost, itself]

# %% tags=["remove-cell"]
columns = ["first", "second", "kept", "searched", "itself"]
table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
for word in table.index:
    note(**{f"{column}_{word}": table.loc[word, column] for column in columns[2:]})
note(n_asked=reps.n_samples)

# %% [markdown]
# The bars show both costs, side by side.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "For five pairs of layers, the cost with every input matched with itself and the cost after the search. The search lowers it most between two attention maps, and not at all across the ReLU."}, "figure": {"name": "fig-02-kept", "caption": "The cost with each input matched with itself, and after the search, for five pairs of layers of Model 0. Between two attention maps the search removes nearly all of the cost. Across the ReLU it changes nothing."}}
fig, ax = viz.new_figure(6.0, 3.4)
names = ["two attention maps", "two scores", "two values", "ReLU", "MLP"]
places = np.arange(len(rows))
for shift, column, label, colour in (
    (-0.2, 2, "each input with itself", viz.ORANGE),
    (0.2, 3, "best matching found", viz.BLUE),
):
    costs = [row[column] for row in rows.values()]
    ax.barh(places + shift, costs, 0.4, color=colour, label=label)
ax.set(yticks=places, yticklabels=names, xlabel="cost")
ax.invert_yaxis()
ax.legend(frameon=False)
fig

# %% [markdown]
# Between the attention maps of two heads the search lowers the cost from {glue:text}`kept_maps:.3f` to {glue:text}`searched_maps:.3f`. It matches only {glue:text}`itself_maps:d` of {glue:text}`n_asked:d` inputs with themselves. So the clouds have nearly the same shape, but inputs at different places. Between the scores the best matching found leaves a cost of {glue:text}`searched_scores:.3f`, and between the two ends of the MLP {glue:text}`searched_mlp:.3f`. These pairs differ in shape, too: their [lower bounds](02b-search-and-bounds.ipynb#what-no-search-can-go-below) are not zero. Between the values the search gains little. Across the ReLU it gains nothing, and {glue:text}`itself_relu:d` inputs are matched with themselves.
#
# So the answer to the reviewer depends on what "similar" should mean. If it means the same shape, optimise. If it means the same information about each input, do not. GW cannot tell a layer that encodes only $a$ from one that encodes only $b$.
#
# GW is not the {term}`Wasserstein distance`, a baseline of the paper. Wasserstein moves points through *one* space and pays for the way, so both layers must share their coordinates. GW moves nothing between spaces.
#
# ## Solve one yourself
#
# {numref}`fig-02-solve` runs such a search in your browser. There are four pairs of clouds in the plane, with shuffled points, and two pairs of layers.

# %% tags=["hide-input"]
few = min(32, reps.n_samples)
few_reps = reps.subsample(few, seed)
shuffled = np.random.default_rng(1)


def clusters(k):
    """24 points about k corners of a regular polygon."""
    angle = 2 * np.pi * np.repeat(np.arange(k), 24 // k) / k
    corners = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return corners + shuffled.normal(scale=0.15, size=(24, 2))


def layers(word):
    """Two layers of Model 0, at the same few inputs."""
    return tuple(few_reps[f"blocks.0.{layer}"] for layer in questions[word])


around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
circle = np.stack([np.cos(around), np.sin(around)], axis=1)
plane = {
    "A circle and an ellipse": (circle, circle * [1, 0.5]),
    "Two clusters and three": (clusters(2), clusters(3)),
    "A spiral and its bent copy": (X, Y),
    "Seven points and seven others": shuffled.normal(size=(2, 7, 2)),
}

# %% [markdown]
# Make single steps, or let the page solve it. Then drag a point, and solve again.

# %% tags=["fig", "hide-input"] mystnb={"image": {"alt": "A circle of 24 points and an ellipse of 24 points, joined by the lines of a matching."}, "figure": {"name": "fig-02-solve", "caption": "A search that you can watch, and clouds that you can change. The mark above the line is the best matching so far, an upper bound of the distance. The mark below is the best lower bound so far. The distance lies between the two."}}
interactive.matching(
    {
        **{
            name: (first, shuffled.permutation(second))
            for name, (first, second) in plane.items()
        },
        "Attention maps of two heads": layers("maps"),
        "The two sides of the ReLU": layers("relu"),
    },
    "A circle and an ellipse of 24 points each, joined by a matching.",
)

# %% [markdown]
# The upper mark moves left as better matchings are found. The lower mark moves right as better bounds are found. Where the marks meet, no matching is better. For *Two clusters and three* they stay apart. Then nobody knows whether the matching or the bound could be better.
#
# ## What we found
#
# C marks a claim of the paper, D a doubt of its reviewers. The condition is *paper* if we tested the claim as the paper states it, and *ours* if we changed the network, the task, the size or the statistic. The [scorecard](../book/scorecard.md) combines all rows about a claim into one answer.
#
# | claim | condition | result | evidence on this page |
# | --- | --- | --- | --- |
# | C02: GW compares layers of different widths (4) | paper | agrees | a cloud in 5 dimensions, and itself in 505: {glue:text}`padded:.1g` |
# | C03: symmetric, triangle inequality (4.1) | paper | agrees for the distance; the cost that POT returns is no metric | {glue:text}`violations_distance:d` violations by the distance, {glue:text}`violations_cost:d` by the cost |
# | C04: invariant under isometries and permutations (4.1) | paper | agrees in the easiest case, a cloud and its own copies; chapter 03 has unlike clouds | at most {glue:text}`worst_isometry:.1g` |
# | C05: monotone in scaling, so the closest layers stay the closest (4.1) | paper | agrees if all layers are scaled alike; fails if they are scaled one by one | both clouds doubled: {glue:text}`both_doubled:.2f` times the distance; one of them scaled: the raw curve turns at a factor of {glue:text}`lowest_factor:.2f` |
# | C25: the optimal plan is a permutation (D) | paper | agrees, and {prf:ref}`thm-permutation` says when | {glue:text}`n_nonzero:d` non-zero entries for 24 points |
# | C25: it is not the identity | ours | undecided: it depends on the layers | {glue:text}`itself_maps:d` and {glue:text}`itself_relu:d` of {glue:text}`n_asked:d` inputs matched with themselves |
# | D03: the correspondence is known | - | justified if "similar" means the same information about each input, not if it means the same shape | between the attention maps of two heads the search lowers the cost from {glue:text}`kept_maps:.3f` to {glue:text}`searched_maps:.3f` and matches {glue:text}`itself_maps:d` of {glue:text}`n_asked:d` inputs with themselves |
# | D12: Wasserstein or Gromov-Wasserstein | - | answered: it can be said in a sentence | Wasserstein moves points through one space, GW compares distances inside two: 5 against 505 dimensions give {glue:text}`padded:.1g` |
# | D17: sets and matrices are mixed | - | answered | all symbols of this book are on [one page](../book/notation.md) |
#
# Claim C06, that the distance is scalable, and the doubt whether the search finds the correspondence are answered on the [page on search, bounds and time](02b-search-and-bounds.ipynb).
#
# **Before you report a Gromov-Wasserstein distance**: take the root of what POT returns, search from more than one start, give a lower bound, and say whether the layers were scaled.
#
# ## Quiz
#
# Choose, and open your choice to see what we think of it.
#
# **1. Which of these changes the Gromov-Wasserstein distance between two layers?**
#
# <details><summary>a. Rotating one of them.</summary>No: distances within a layer stay as they are.</details>
# <details><summary>b. Renumbering the inputs in one of them.</summary>No: the matching is searched, so names of points do not matter. The price is that GW forgets which input is which.</details>
# <details><summary>c. Multiplying one of them by two.</summary>Right: all its distances double. That is why layers are divided by their mean distance.</details>
#
# To read again: [The properties, one by one](#the-properties-one-by-one)
#
# **2. A search ends at a cost of 0.12. What is known about the optimum?**
#
# <details><summary>a. It is at least 0.12.</summary>No: the other way round. A better matching would cost less.</details>
# <details><summary>b. It is 0.12.</summary>No: a search ends at a matching that it cannot improve, which need not be the best.</details>
# <details><summary>c. It is at most 0.12.</summary>Right: every matching is an upper bound. A certified lower bound says how far below it can be.</details>
#
# To read again: [The start decides](#the-start-decides)
#
# ## Exercises
#
# Each has a check that says in a sentence what is missing. The solutions are folded, with what their checks print. In the last exercise you write a prediction down before you run anything. A prediction that turns out wrong costs nothing.
#
# :::{exercise} Without its size
# :label: ex-02-scale
#
# *Difficulty 1 of 4, importance 5 of 5, 5 minutes.* Write `mean_one(points)`: the distance matrix of a cloud (n, d), divided by the mean distance of two different points.
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
# :::{exercise} The cost is no metric
# :label: ex-02-triangle
#
# *Difficulty 3 of 4, importance 4 of 5, 10 minutes.* Find three clouds such that going from the first to the third costs more than going by way of the second. The distances stay as they are: nothing is divided by their mean. Return them from `three_clouds()`, as arrays (n, d).
#
# ```{dropdown} Hint 1
# The smallest clouds will do: two points at a distance $r$. What is the cost of two of them, with distances $r$ and $s$?
# ```
# ```{dropdown} Hint 2
# It is $(r - s)^2 / 2$. The square of a long way is more than the sum of the squares of its parts.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def three_clouds():
    """Three arrays (n, d)."""
    return tuple(np.array([[0.0], [r]]) for r in (1, 2, 3))


check.three_clouds(three_clouds)

# %% [markdown]
# :::{exercise} A step that leaves a local minimum
# :label: ex-02-exchange
#
# *Difficulty 3 of 4, importance 5 of 5, 20 minutes.* Above, a descent got stuck. Build the step that can go on. `partners` (n,) holds for each point of the first cloud its partner in the second. Write `exchange(D1, D2, partners)`: among all matchings that differ from this one by the exchange of two partners, the one of least cost. If none is better, return the matching as it is.
#
# ```{dropdown} Hint 1
# For a matching, all weights are $1/n$ and the cost is a mean over pairs: the squared difference of `D1` and of `D2` with its rows and columns rearranged.
# ```
# ```{dropdown} Hint 2
# `np.mean((D1 - D2[np.ix_(partners, partners)]) ** 2)` is the cost. Two loops over the points try all exchanges, each on a copy.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def exchange(D1, D2, partners):
    """The matching (n,) after the best exchange of two partners."""

    def cost_of(one):
        return np.mean((D1 - D2[np.ix_(one, one)]) ** 2)

    best, least = partners, cost_of(partners)
    for r in range(len(partners)):
        for s in range(r):
            other = partners.copy()
            other[[r, s]] = other[[s, r]]
            if cost_of(other) < least - 1e-12:
                best, least = other, cost_of(other)
    return best


check.exchange(exchange)

# %% [markdown]
# :::{exercise} What no coupling is below
# :label: ex-02-bound
#
# *Difficulty 4 of 4, importance 4 of 5, 15 minutes.* A matrix has a size: the root of its mean square. Write `never_below(D1, D2)`: a lower bound of the distance that needs no search and grows with the difference of the two sizes.
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
# :::{exercise} Predict which pair is nearest
# :label: ex-02-predict
#
# *Difficulty 2 of 4, importance 5 of 5, 15 minutes.* Here are four pairs of clouds of 40 points. `copy`: noise in 3 dimensions, and the same points rotated, shuffled and five times as large. `noise`: two independent clouds in 3 dimensions. `narrow, wide`: independent noise in 3 and in 60 dimensions. `line, circle`: points on a line and on a circle. Add a pair of your own, `own()`: two arrays with the same number of points, at least 20. Write the five names into `predicted()` as a list of strings, from the nearest pair to the farthest. Only then write `measured(pairs)`: the normalised Gromov-Wasserstein distance of each pair, by name. Then compare. Which pair surprised you, and why?
#
# ```{dropdown} Hint 1
# `fs.gw` normalises if nothing else is asked for. What do the distances in 60 dimensions have in common?
# ```
# ```{dropdown} Hint 2
# `fs.gw(X, Y).distance` for each of `pairs.items()`. In many dimensions all distances are nearly equal.
# ```
# :::


# %% tags=["solution", "hide-input"] mystnb={"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}
def predicted():
    """The five pairs, from the nearest to the farthest."""
    return ["copy", "noise", "own", "narrow, wide", "line, circle"]


def own():
    """Two clouds (n, d) and (n, e) of at least 20 points."""
    grid = np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2)
    return grid, grid**2


def measured(pairs):
    """The distance of each pair of clouds, by name."""
    return {name: fs.gw(X, Y).distance for name, (X, Y) in pairs.items()}


check.predicted(predicted, own, measured)

# %% [markdown]
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
