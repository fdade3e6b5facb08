// Keeps the first choice of each question of a page, and says at the end what to read again.
// Without this script a quiz is a list of folds, each question with a link to its section.
document.addEventListener("DOMContentLoaded", () => {
  const quiz = document.getElementById("quiz");
  if (!quiz) return;

  const questions = [];
  for (const node of quiz.children) {
    const text = node.textContent.trim();
    if (node.matches("p") && /^\d+\. /.test(text)) questions.push({ text, choices: [], links: [] });
    else if (!questions.length) continue;
    else if (node.matches("details")) questions.at(-1).choices.push(node);
    else if (node.matches("p") && text.startsWith("To read again:")) {
      questions.at(-1).links.push(...node.querySelectorAll("a[href]"));
      node.hidden = true; // it is said again below, where it is needed
    }
  }
  if (!questions.length) return;
  const nameOf = (choice) => choice.querySelector("summary").textContent;
  const isRight = (choice) => choice.textContent.slice(nameOf(choice).length).trim().startsWith("Right");
  questions.forEach((question) => (question.names = question.choices.map(nameOf)));

  const key = "quiz " + location.pathname; // question -> choice, by their words: a changed quiz forgets
  let chosen = {};
  try {
    chosen = JSON.parse(localStorage.getItem(key)) || {};
  } catch {
    // storage is closed, or holds something else: begin without
  }
  const keep = () => {
    try {
      if (Object.keys(chosen).length) localStorage.setItem(key, JSON.stringify(chosen));
      else localStorage.removeItem(key);
    } catch {
      // storage is closed: the choices last as long as the page
    }
  };

  const told = document.createElement("p");
  told.className = "quiz-told";
  told.setAttribute("role", "status");
  const again = document.createElement("button");
  again.type = "button";
  again.className = "quiz-again";
  again.textContent = "Start the quiz again";
  quiz.append(told, again);

  const placeOf = ({ links }) => {
    if (links.length) return links;
    const first = document.getElementById("in-short") || document.querySelector("article section[id]");
    const link = document.createElement("a");
    link.href = "#" + first.id;
    link.textContent = first.querySelector("h1, h2").firstChild.textContent;
    return [link];
  };
  const answers = () => questions.map(({ text, names }) => names.indexOf(chosen[text]));

  const show = () => {
    const given = answers();
    questions.forEach(({ choices }, k) =>
      choices.forEach((choice, i) => choice.toggleAttribute("data-chosen", i === given[k])),
    );
    again.hidden = given.every((i) => i < 0);
    if (given.some((i) => i < 0)) return told.replaceChildren();
    const wrong = questions.filter(({ choices }, k) => !isRight(choices[given[k]]));
    const right = questions.length - wrong.length;
    told.replaceChildren(`${right} of ${questions.length} right at the first choice.`);
    const places = new Map(wrong.flatMap(placeOf).map((link) => [link.href, link]));
    [...places.values()].forEach((link, k) => told.append(k ? ", " : " Read again: ", link.cloneNode(true)));
    if (places.size) told.append(".");
  };

  questions.forEach(({ text, choices, names }, k) =>
    choices.forEach((choice, i) => {
      choice.addEventListener("toggle", () => {
        if (!choice.open || answers()[k] >= 0) return;
        chosen[text] = names[i];
        keep();
        show();
      });
    }),
  );
  again.addEventListener("click", () => {
    chosen = {};
    keep();
    questions.forEach(({ choices }) => choices.forEach((choice) => (choice.open = false)));
    show();
    quiz.querySelector("summary").focus();
  });

  answers().forEach((i, k) => i >= 0 && (questions[k].choices[i].open = true));
  show();
});
