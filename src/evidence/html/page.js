
"use strict";
// Filters what is there already; adds nothing to the page but a count.
(function () {
  const form = document.getElementById("filters");
  const words = document.getElementById("words");
  const open = document.getElementById("open");
  const shown = document.getElementById("shown");
  const tasks = Array.from(document.querySelectorAll("details.task"));
  const findings = Array.from(document.querySelectorAll("details.finding"));
  const texts = new Map();
  const textOf = (node) => {
    if (!texts.has(node)) texts.set(node, node.textContent.toLowerCase());
    return texts.get(node);
  };
  const chosen = (name) =>
    new Set(Array.from(form.querySelectorAll(`input[name="${name}"]:checked`), (box) => box.value));
  const show = () => {
    const sought = words.value.trim().toLowerCase();
    const has = (node) => sought === "" || textOf(node).includes(sought);
    const answers = chosen("answer"), stances = chosen("stance"), severities = chosen("severity");
    let count = [0, 0];
    for (const node of tasks) {
      node.hidden = !(answers.has(node.dataset.answer) && has(node));
      count[0] += node.hidden ? 0 : 1;
    }
    for (const node of findings) {
      node.hidden = !(stances.has(node.dataset.stance) && severities.has(node.dataset.severity) && has(node));
      count[1] += node.hidden ? 0 : 1;
    }
    shown.textContent = `${count[0]} of ${tasks.length} tasks, ${count[1]} of ${findings.length} findings`;
  };
  // A link to a finding shows and unfolds it, whatever the filters say.
  const follow = () => {
    const node = location.hash.startsWith("#f") ? document.getElementById(location.hash.slice(1)) : null;
    if (node && node.matches("details.finding")) {
      node.hidden = false;
      node.open = true;
      node.scrollIntoView();
      node.querySelector("summary").focus();
    }
  };
  const fold = (unfolded) => tasks.concat(findings).forEach((node) => { if (!node.hidden) node.open = unfolded; });
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  open.addEventListener("click", () => {
    const unfold = open.textContent === "Unfold all";
    fold(unfold);
    open.textContent = unfold ? "Fold all" : "Unfold all";
  });
  addEventListener("hashchange", follow);
  // Paper has no folds.
  let before = [];
  addEventListener("beforeprint", () => {
    before = tasks.concat(findings).filter((node) => !node.open);
    before.forEach((node) => { node.open = true; });
  });
  addEventListener("afterprint", () => before.forEach((node) => { node.open = false; }));
  show();
  follow();
})();
