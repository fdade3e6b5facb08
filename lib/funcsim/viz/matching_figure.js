// Two clouds to drag, and the search step by step. `figure` is the element; matching_search.js stands above.
const STARTS = 40, MOST = 40, LEAST = 3, WIDTH = 300, HEIGHT = 260, EDGE = 8;
const SEEN_STEPS = 10, SLOW = 320, QUICK = 50; // the first steps one by one, then descent by descent
const SIDES = ["left", "right"];
const ORDINALS = ["no bound yet", "first bound", "best of two bounds", "best of three bounds", "best of four bounds"];

const { pairs } = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
const part = (name) => figure.querySelector(`[data-part="${name}"]`);
const svg = figure.querySelector("svg");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let clouds, spaces, best, drawn, low, counted, walk, timer, chosen, seed, fixed;

const made = (name, attributes, parent) => {
  const node = document.createElementNS(svg.namespaceURI, name);
  Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
  return parent.appendChild(node);
};
const distance = (match) => Math.sqrt(costOf(...spaces, match));
const shown = (x) => x.toFixed(4);

// ---- what stands on the page ----

function layOut() { // side by side, or one below the other where it is narrow
  const narrow = figure.clientWidth < 480;
  const [dx, dy] = narrow ? [0, HEIGHT + 20] : [WIDTH + 20, 0];
  svg.setAttribute("viewBox", `0 0 ${WIDTH + dx} ${HEIGHT + dy}`);
  return [[0, 0], [dx, dy]];
}

function draw() {
  const offsets = layOut(), n = best.length;
  const back = [];
  drawn.forEach((j, i) => (back[j] = i));
  const at = SIDES.map((side, k) => clouds[side].map(([x, y]) => [x + offsets[k][0], y + offsets[k][1]]));
  const focused = svg.contains(document.activeElement);
  const [frames, lines, ...groups] = svg.querySelectorAll("g");
  [...frames.children].forEach((frame, k) => {
    frame.setAttribute("x", offsets[k][0]);
    frame.setAttribute("y", offsets[k][1]);
  });
  while (lines.children.length > n) lines.lastChild.remove();
  while (lines.children.length < n) made("line", {}, lines);
  [...lines.children].forEach((line, i) => {
    const [[x1, y1], [x2, y2]] = [at[0][i], at[1][drawn[i]]];
    Object.entries({ x1, y1, x2, y2 }).forEach(([key, value]) => line.setAttribute(key, value));
    const end = [i, drawn[i]][SIDES.indexOf(chosen.side)];
    line.classList.toggle("chosen", end === chosen.index);
  });
  groups.forEach((group, k) => {
    while (group.children.length > n) group.lastChild.remove();
    while (group.children.length < n) made("circle", { r: 6 }, group);
    [...group.children].forEach((circle, i) => {
      const [x, y] = clouds[SIDES[k]][i], partner = [drawn, back][k][i];
      const place = fixed ? "" : `, at ${Math.round(x)} across and ${Math.round(y)} down`;
      circle.setAttribute("cx", at[k][i][0]);
      circle.setAttribute("cy", at[k][i][1]);
      const words = `${SIDES[k]} point ${i + 1} of ${n}${place}, matched with ${SIDES[1 - k]} point ${partner + 1}`;
      circle.setAttribute("role", "img");
      circle.setAttribute("aria-label", words);
      const first = chosen.side === SIDES[k] ? Math.max(chosen.index, 0) : 0; // one stop of the Tab key for each cloud
      circle.setAttribute("tabindex", i === first ? 0 : -1);
    });
  });
  if (focused && document.activeElement !== circleOf(chosen)) circleOf(chosen).focus();
  drawGap();
}

const circleOf = ({ side, index }) => svg.querySelectorAll("g")[2 + SIDES.indexOf(side)].children[index];

function drawGap() {
  const high = distance(best), end = Math.max(Number(part("scale").dataset.end), high * 1.05, 1e-9);
  part("scale").dataset.end = end;
  const share = (x) => `${(100 * x) / end}%`;
  part("low").style.left = part("gap").style.left = share(Math.min(low, high));
  part("high").style.left = share(high);
  part("gap").style.width = share(Math.max(high - low, 0));
  part("numbers").replaceChildren(...[
    ["Lower bound", shown(Math.min(low, high)), ORDINALS[counted]],
    ["Best matching", shown(high), "upper bound"],
    ["Gap", shown(Math.max(high - low, 0)), ""],
  ].map(([name, value, note]) => {
    const cell = document.createElement("span"), number = document.createElement("b");
    number.textContent = value;
    cell.append(`${name} `, number, note && ` (${note})`);
    return cell;
  }));
  Object.assign(figure.dataset, { high, low: Math.min(low, high) });
}

// Read out: only when the search rests.
function tell(sentence) {
  const high = distance(best), least = Math.min(low, high);
  const closed = high - least < 1e-6 ? " The gap is closed: no matching is better." : "";
  part("told").textContent = sentence + closed;
  part("bounds").textContent = `Best matching ${shown(high)}, lower bound ${shown(least)}, ${ORDINALS[counted]}.`;
}

// ---- the search ----

function measure() { // after the clouds have changed
  spaces = SIDES.map((side) => {
    const { distances } = clouds;
    return fixed ? normalised(distances[side]) : distancesOf(clouds[side]);
  });
  low = Math.max(0, ...BOUNDS.slice(0, counted).map((bound) => bound(...spaces)));
  walk = descents(...spaces, best, STARTS, seed);
  drawn = best;
}

function oneStep() { // the next bound, and the next matching; false at the end
  if (counted < BOUNDS.length) low = Math.max(low, BOUNDS[counted++](...spaces));
  const { value, done } = walk.next();
  if (done) {
    drawn = best;
    return false;
  }
  drawn = value.match;
  if (value.cost < costOf(...spaces, best) * (1 - 1e-9)) best = value.match;
  return value;
}

const said = ({ start, move, cost }) => `Start ${start} of ${STARTS} ${move}: ${shown(Math.sqrt(cost))}.`;
const atTheEnd = () => `Done, after ${STARTS} starts.`;

function stop() {
  clearTimeout(timer);
  timer = null;
  part("solve").textContent = "Solve";
}

function finish() {
  stop();
  draw();
  tell(atTheEnd());
}

function solve() {
  if (timer) {
    stop();
    drawn = best;
    draw();
    return tell("Stopped.");
  }
  if (calm.matches) {
    while (oneStep());
    return finish();
  }
  part("solve").textContent = "Stop";
  part("told").textContent = "Searching.";
  part("bounds").textContent = "";
  let steps = 0;
  const next = () => {
    let step = oneStep();
    if (++steps > SEEN_STEPS && step) {
      const { start } = step;
      while (step && step.start === start) step = oneStep();
    }
    if (!step) return finish();
    draw();
    timer = setTimeout(next, steps < SEEN_STEPS ? SLOW : QUICK);
  };
  next();
}

// ---- what the reader does ----

function begin(sentence) {
  stop();
  [low, counted] = [0, 0];
  best = indices(clouds.left.length);
  part("scale").dataset.end = 0;
  chosen = { side: "left", index: -1 }; // none yet
  measure();
  part("scale").dataset.end = distance(best) * 1.05;
  draw();
  tell(sentence);
}

function choose() {
  const pair = pairs[part("choice").value];
  fixed = "distances" in pair;
  clouds = Object.fromEntries(SIDES.map((side) => [side, pair[side].map((point) => [...point])]));
  if (fixed) clouds.distances = Object.fromEntries(SIDES.map((side) => [side, square(pair.distances[side])]));
  part("add").disabled = fixed;
  figure.classList.toggle("fixed", fixed);
  part("how").textContent = fixed
    ? "These are layers: the page uses their whole distances, and draws two principal components. Their points stay where they are."
    : "Drag a point, or reach it with Tab and move it with the arrow keys (with Shift farther). Page Up and Page Down choose another.";
  begin(`${pair.name}, ${clouds.left.length} points each, matched in the order of their numbers.`);
}

function square(upper) { // from the entries above the diagonal, row by row
  const n = (1 + Math.sqrt(1 + 8 * upper.length)) / 2, D = indices(n).map(() => Array(n).fill(0));
  let k = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) D[i][j] = D[j][i] = upper[k++];
  return D;
}

function moved(sentence) { // the matching stays, and costs what it costs now
  stop();
  measure();
  draw();
  if (sentence) tell(sentence);
}

function moveTo(x, y) {
  const within = (value, end) => Math.min(Math.max(value, EDGE), end - EDGE);
  clouds[chosen.side][chosen.index] = [within(x, WIDTH), within(y, HEIGHT)];
}

function add() {
  if (best.length >= MOST) return tell(`There are ${MOST} points; this is the most.`);
  SIDES.forEach((side) => clouds[side].push([60 + Math.random() * 180, 50 + Math.random() * 160]));
  best = [...best, best.length];
  chosen = { side: "left", index: best.length - 1 };
  moved(`A point was added to each cloud: ${best.length} each.`);
}

function remove() {
  if (best.length <= LEAST) return tell(`There are ${LEAST} points; this is the least.`);
  const index = chosen.index < 0 ? best.length - 1 : chosen.index;
  const i = chosen.side === "left" ? index : best.indexOf(index), ends = [i, best[i]];
  SIDES.forEach((side, k) => {
    clouds[side].splice(ends[k], 1);
    if (!fixed) return;
    clouds.distances[side].splice(ends[k], 1);
    clouds.distances[side].forEach((row) => row.splice(ends[k], 1));
  });
  best = best.filter((_, k) => k !== i).map((j) => j - (j > ends[1]));
  chosen = { side: chosen.side, index: Math.min(chosen.index, best.length - 1) };
  moved(`A point and its partner were removed: ${best.length} each are left.`);
}

function found(circle) {
  const k = [...svg.querySelectorAll("g")].indexOf(circle.parentNode) - 2;
  return k < 0 ? null : { side: SIDES[k], index: [...circle.parentNode.children].indexOf(circle) };
}

svg.addEventListener("focusin", (event) => {
  const point = found(event.target);
  if (!point || (point.side === chosen.side && point.index === chosen.index)) return;
  chosen = point;
  draw();
});

svg.addEventListener("pointerdown", (event) => {
  const point = event.button === 0 && found(event.target);
  if (!point) return;
  event.preventDefault();
  const held = event.target;
  held.focus({ preventScroll: true });
  if (fixed) return;
  held.setPointerCapture(event.pointerId);
  let waiting = 0, dragged = false;
  const drag = ({ clientX, clientY }) => {
    dragged = true;
    const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
    const [dx, dy] = layOut()[SIDES.indexOf(point.side)];
    chosen = point;
    moveTo(x - dx, y - dy);
    waiting = waiting || requestAnimationFrame(() => ((waiting = 0), moved()));
  };
  const drop = () => {
    held.removeEventListener("pointermove", drag);
    cancelAnimationFrame(waiting);
    if (dragged) moved("Moved.");
  };
  held.addEventListener("pointermove", drag);
  held.addEventListener("lostpointercapture", drop, { once: true });
});

// A finger on a point drags it, and does not scroll the page.
const still = (event) => fixed || !found(event.target) || event.preventDefault();
svg.addEventListener("touchstart", still, { passive: false });

svg.addEventListener("keydown", (event) => {
  const point = found(event.target), n = best.length;
  if (!point) return;
  const turn = { PageDown: 1, PageUp: n - 1 }[event.key];
  const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  if (turn) {
    circleOf({ side: point.side, index: (point.index + turn) % n }).focus();
  } else if (way && !fixed) {
    const [x, y] = clouds[point.side][point.index], size = event.shiftKey ? 24 : 6;
    moveTo(x + way[0] * size, y + way[1] * size);
    moved("Moved.");
  } else if (event.key === "Delete") {
    remove();
  } else return;
  event.preventDefault();
});

const actions = {
  solve,
  step() {
    stop();
    const step = oneStep();
    draw();
    tell(step ? said(step) : atTheEnd());
  },
  again() {
    seed += 1;
    begin("From the beginning, with other random starts.");
  },
  add,
  remove,
};
Object.entries(actions).forEach(([name, action]) => part(name).addEventListener("click", action));
part("choice").addEventListener("change", choose);
part("choice").append(...pairs.map(({ name }, k) => new Option(name, k)));
let width = 0; // only a change of width moves anything
new ResizeObserver(() => {
  if (figure.clientWidth === width) return;
  width = figure.clientWidth;
  requestAnimationFrame(draw);
}).observe(figure);

seed = 1;
svg.setAttribute("role", "application");
svg.setAttribute("aria-label", "Two clouds of points to move");
figure.querySelectorAll("[hidden]").forEach((node) => (node.hidden = false));
part("still").hidden = true;
choose();
