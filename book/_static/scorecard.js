// Search the scorecard by words and by answer. Without this script all folds are shown.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("scorecard-filter");
  const folds = [...document.querySelectorAll("details.answer")];
  if (!place || !folds.length) return;
  const answers = ["holds", "differs", "cannot-tell", "justified", "answered", "open"];

  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search claims and doubts";
  search.setAttribute("aria-label", "Search claims and doubts");
  const boxes = answers.map((answer) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.value = answer;
    label.append(box, " " + answer.replace("-", " "));
    return label;
  });
  const shown = document.createElement("p");
  shown.setAttribute("role", "status");
  place.append(search, ...boxes, shown);

  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = boxes.map((label) => label.firstChild).filter((box) => box.checked);
    let count = 0;
    for (const fold of folds) {
      const text = fold.textContent.toLowerCase();
      const fits =
        words.every((word) => text.includes(word)) &&
        (!chosen.length || chosen.some((box) => fold.classList.contains("answer-" + box.value)));
      fold.hidden = !fits;
      count += fits;
    }
    shown.textContent = count === folds.length ? "" : `${count} of ${folds.length} shown`;
  };
  place.addEventListener("input", update);

  const open = () => {
    const target = document.getElementById(location.hash.slice(1));
    const fold = target && target.closest("details.answer");
    if (fold) {
      fold.hidden = false;
      fold.open = true;
      fold.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", open);
  open();
});
