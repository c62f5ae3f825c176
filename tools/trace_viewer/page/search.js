// Search: in names and in what was said, errors above all. "failed", "running" and other states are words it knows.

const MOST_RESULTS = 60;
const search = { found: [], at: -1 };

function initSearch() {
  const box = $("query");
  box.addEventListener("input", () => find(box.value));
  box.addEventListener("focus", () => {
    if (box.value) find(box.value);
  });
  box.addEventListener("blur", () => setTimeout(closeResults, 120));
  box.addEventListener("keydown", event => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      moveTo(search.at + (event.key === "ArrowDown" ? 1 : -1));
      event.preventDefault();
    } else if (event.key === "Enter") {
      if (search.found.length) take(Math.max(0, search.at));
    } else if (event.key === "Escape") {
      box.value = "";
      closeResults();
      box.blur();
      app.focusView();
    } else {
      return;
    }
    event.stopPropagation();
  });
}

// Every word has to be there. A word that is a state or a kind narrows by it, the others are looked for in the texts.
function find(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return closeResults();
  const plain = [];
  const tests = [];
  for (const word of words) {
    const test = WORD_TESTS[word] ?? (NODE_KINDS.includes(word) ? node => NODE_KINDS[model.kind[node]] === word : null);
    if (test) tests.push(test);
    else plain.push(word);
  }
  const hits = nodesWith(plain);
  const found = [];
  for (const node of hits ?? model.order.list) {
    if (!tests.every(test => test(node))) continue;
    found.push(node);
    if (found.length >= 20000) break;
  }
  // A word such as "failed" may also stand in a text.
  if (!found.length && tests.length) found.push(...(nodesWith(words) ?? []));
  // The name counts most, then whether it failed.
  const rank = node => {
    const name = nameOf(node).toLowerCase();
    const match =
      !plain.length || name === plain.join(" ") ? 0 : name.startsWith(plain[0]) ? 4 : name.includes(plain[0]) ? 8 : 12;
    return match + (model.failEvent[node] < NEVER ? 0 : model.outcome[node] > OK ? 1 : 2);
  };
  search.total = found.length;
  search.found = found
    .map(node => [rank(node), node])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .slice(0, MOST_RESULTS)
    .map(pair => pair[1]);
  showResults();
}

const WORD_TESTS = {
  failed: node => model.outcome[node] === FAILED || model.failEvent[node] < NEVER,
  timeout: node => model.outcome[node] === TIMED_OUT,
  cancelled: node => model.outcome[node] === CANCELLED,
  skipped: node => model.outcome[node] === SKIPPED,
  running: node => model.kind[node] === TASK && taskCode(node, app.now) === CODE_RUNNING,
  open: node => !(model.endEvent[node] < NEVER),
  restarted: node => model.restarts[node] > 0,
};

// Nodes whose name or sayings hold all the words, in rising order; null if there are no words.
function nodesWith(words) {
  if (!words.length) return null;
  const texts = trace.texts;
  const matches = new Uint8Array(texts.length);
  let any = false;
  for (let id = 1; id < texts.length; ++id) {
    const text = texts[id].toLowerCase();
    if (words.every(word => text.includes(word))) any = matches[id] = 1;
  }
  const nodes = new Set();
  for (let node = 1; node < model.n && nodes.size < 20000; ++node) if (matches[model.name[node]]) nodes.add(node);
  if (any)
    for (let i = 0; i < trace.count && nodes.size < 20000; ++i)
      if (matches[trace.text[i]] && trace.subject[i]) nodes.add(trace.subject[i]);
  const number = words.length === 1 && /^#?\d+$/.test(words[0]) ? Number(words[0].replace("#", "")) : 0;
  const at = number ? upperBound(trace.ids, number) : 0;
  if (at && trace.ids[at - 1] === number) nodes.add(at);
  return nodes;
}

function showResults() {
  const list = $("results");
  const items = search.found.map((node, i) => {
    const state = existed(node, trace.count) ? stateAt(node, trace.count) : { word: "", colour: "waiting" };
    const parent = pathOf(model.parent[node]);
    const failure = model.failEvent[node] < NEVER ? trace.texts[trace.text[model.failEvent[node]]] : "";
    return el(
      "li",
      {
        role: "option",
        id: "result-" + i,
        "aria-selected": "false",
        onpointerdown: event => {
          event.preventDefault();
          take(i);
        },
      },
      mark(state.colour),
      el(
        "span",
        {},
        el("span", { class: "name" }, nameOf(node)),
        " ",
        el("span", { class: "path name" }, parent ? "in " + parent : ""),
      ),
      el("span", { class: "quiet" }, NODE_KINDS[model.kind[node]] + ", " + state.word),
      failure ? el("span", { class: "said" }, failure) : null,
    );
  });
  if (!items.length) items.push(el("li", { class: "none" }, "Nothing of that name, and nobody said that."));
  if (search.total > search.found.length)
    items.push(el("li", { class: "none" }, plural(search.total - search.found.length, "more", "more")));
  list.replaceChildren(...items);
  list.hidden = false;
  $("query").setAttribute("aria-expanded", "true");
  search.at = -1;
  moveTo(0);
}

function moveTo(at) {
  if (!search.found.length) return;
  search.at = (at + search.found.length) % search.found.length;
  for (const item of $("results").querySelectorAll("[role=option]"))
    item.setAttribute("aria-selected", item.id === "result-" + search.at);
  const chosen = $("result-" + search.at);
  chosen.scrollIntoView({ block: "nearest" });
  $("query").setAttribute("aria-activedescendant", chosen.id);
}

function take(at) {
  const node = search.found[at];
  closeResults();
  $("query").blur();
  if (!existed(node, app.now)) app.goTo(Math.min(trace.count, model.bornEvent[node] + 1));
  app.choose(node, true);
  app.focusView();
}

function closeResults() {
  $("results").hidden = true;
  $("query").setAttribute("aria-expanded", "false");
  $("query").removeAttribute("aria-activedescendant");
}
