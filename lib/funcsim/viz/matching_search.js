// The search and the lower bounds of funcsim.gromov, for two clouds of equally many points.
// A matching is an array: point i of the first cloud is matched with point match[i] of the second.

const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);
const mean = (numbers) => sum(numbers) / numbers.length;
const sorted = (numbers) => [...numbers].sort((x, y) => x - y);
const indices = (n) => Array.from({ length: n }, (_, i) => i);

// A matrix of distances, divided by the mean over pairs of different points.
function normalised(D) {
  const n = D.length;
  const scale = sum(D.flat()) / (n * (n - 1)) || 1; // all points coincide: nothing to divide by
  return D.map((row) => row.map((d) => d / scale));
}

function distancesOf(points) {
  return normalised(points.map(([x, y]) => points.map(([z, w]) => Math.hypot(x - z, y - w))));
}

// The mean squared difference of both matrices, the second rearranged.
function costOf(A, B, match) {
  let total = 0;
  A.forEach((row, i) => row.forEach((d, k) => (total += (d - B[match[i]][match[k]]) ** 2)));
  return total / A.length ** 2;
}

// The column of each row in the assignment of least total cost: shortest augmenting paths, O(n^3).
function assign(C) {
  const n = C.length; // column n is no column: the row that is still to be placed stands there
  const owner = Array(n + 1).fill(-1);
  const rowPrice = Array(n).fill(0);
  const price = Array(n + 1).fill(0);
  for (let row = 0; row < n; row++) {
    const slack = Array(n + 1).fill(Infinity);
    const from = Array(n).fill(n);
    const seen = Array(n + 1).fill(false);
    let at = n;
    owner[n] = row;
    do {
      seen[at] = true;
      const i = owner[at];
      let nearest = -1;
      for (let j = 0; j < n; j++) {
        if (seen[j]) continue;
        const reduced = C[i][j] - rowPrice[i] - price[j];
        if (reduced < slack[j]) [slack[j], from[j]] = [reduced, at];
        if (nearest < 0 || slack[j] < slack[nearest]) nearest = j;
      }
      const step = slack[nearest];
      for (let j = 0; j <= n; j++) {
        if (!seen[j]) slack[j] -= step;
        else [rowPrice[owner[j]], price[j]] = [rowPrice[owner[j]] + step, price[j] - step];
      }
      at = nearest;
    } while (owner[at] >= 0);
    for (; at < n; at = from[at]) owner[at] = owner[from[at]];
  }
  const columns = Array(n);
  owner.slice(0, n).forEach((i, j) => (columns[i] = j));
  return columns;
}

const product = (A, B) => {
  const columns = indices(B.length).map((j) => B.map((row) => row[j]));
  return A.map((row) => columns.map((column) => row.reduce((s, a, k) => s + a * column[k], 0)));
};

// One round of Frank-Wolfe: hold one matching fixed, and find the best for the other.
function bestAnswer(A, B, match) {
  const benefit = product(A, match.map((j) => B[j]));
  return assign(benefit.map((row) => row.map((x) => -x)));
}

// One exchange of 2-opt: the two points that gain most by swapping their partners.
function bestExchange(A, B, match) {
  const C = match.map((i) => match.map((j) => B[i][j]));
  const M = product(A, C);
  let most = 0, pair = [0, 0];
  for (let r = 0; r < A.length; r++)
    for (let s = 0; s < r; s++) {
      const gain = M[r][s] + M[s][r] - M[r][r] - M[s][s] + 2 * A[r][s] * C[r][s];
      if (gain > most) [most, pair] = [gain, [r, s]];
    }
  const other = [...match], [r, s] = pair;
  [other[r], other[s]] = [match[s], match[r]];
  return other;
}

// Each matching on the way of each descent: {start, move, match, cost}.
function* descents(A, B, shown, starts, seed) {
  const n = A.length;
  let state = seed;
  const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const shuffled = () => {
    const match = indices(n);
    for (let i = n - 1; i > 0; i--) {
      const j = below(i + 1);
      [match[i], match[j]] = [match[j], match[i]];
    }
    return match;
  };
  const byMean = () => { // far points with far points
    const [first, second] = [A, B].map((D) => indices(n).sort((i, j) => mean(D[i]) - mean(D[j])));
    const match = Array(n);
    first.forEach((i, k) => (match[i] = second[k]));
    return match;
  };
  for (let start = 1; start <= starts; start++) {
    let match = start === 1 ? shown : start === 2 ? byMean() : shuffled();
    let cost = costOf(A, B, match), move = "begins";
    while (move) {
      yield { start, move, match, cost };
      move = "";
      for (const [name, better] of [["assigns again", bestAnswer], ["exchanges two", bestExchange]]) {
        const other = better(A, B, match), lower = costOf(A, B, other);
        if (lower < cost * (1 - 1e-9)) {
          [match, cost, move] = [other, lower, name];
          break;
        }
      }
    }
  }
}

// The eigenvalues of a symmetric matrix, ascending: rotations of Jacobi.
function eigenvalues(matrix) {
  const A = matrix.map((row) => [...row]), n = A.length;
  const size = sum(A.flat().map((x) => x * x));
  for (let round = 0; round < 50; round++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = 0; q < p; q++) {
        const x = A[p][q];
        off += x * x;
        if (x * x <= 1e-34 * size) continue;
        const half = (A[q][q] - A[p][p]) / (2 * x);
        const t = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.hypot(half, 1));
        const c = 1 / Math.hypot(t, 1), s = t * c;
        for (let k = 0; k < n; k++) [A[k][p], A[k][q]] = [c * A[k][p] - s * A[k][q], s * A[k][p] + c * A[k][q]];
        for (let k = 0; k < n; k++) [A[p][k], A[q][k]] = [c * A[p][k] - s * A[q][k], s * A[p][k] + c * A[q][k]];
      }
    if (off <= 1e-28 * size) break;
  }
  return sorted(A.map((row, i) => row[i]));
}

// Of the matrix centred on both sides, without the zero of the constant vector.
function spectrum(D) {
  const rows = D.map(mean), all = mean(rows);
  const centred = D.map((row, i) => row.map((d, j) => d - rows[i] - rows[j] + all));
  const floor = 2 * Math.max(...centred.map((row) => sum(row.map(Math.abs)))) + all;
  return eigenvalues(centred.map((row) => row.map((x) => x - floor / D.length))).slice(1);
}

const squaredGap = (x, y) => mean(x.map((value, k) => (value - y[k]) ** 2));
const onTheLine = (x, y) => Math.sqrt(squaredGap(sorted(x), sorted(y)));
const reach = (D) => D.map((row) => Math.sqrt(mean(row.map((d) => d * d))));

// What no matching goes below, in units of distance: the four bounds of funcsim.gromov.bounds.
const BOUNDS = [
  (A, B) => onTheLine(reach(A), reach(B)),
  (A, B) => onTheLine(A.flat(), B.flat()),
  (A, B) => {
    const [rows, others] = [A.map(sorted), B.map(sorted)];
    const C = rows.map((x) => others.map((y) => squaredGap(x, y)));
    return Math.sqrt(mean(assign(C).map((j, i) => C[i][j])));
  },
  (A, B) => {
    const [x, y] = [A, B].map((D) => sorted(D.map(mean)));
    const gap = mean(x) - mean(y), other = spectrum(B);
    const spread = sum(spectrum(A).map((value, k) => (value - other[k]) ** 2)) / A.length ** 2;
    return Math.sqrt(spread + 2 * (squaredGap(x, y) - gap ** 2) + gap ** 2);
  },
];
