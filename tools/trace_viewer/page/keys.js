// The keys. Everything on the page can be done with them; ? lists them.

const VIEWS = ["tree", "timeline", "waits", "restarts", "plots"];

const KEYS = [
  [["/"], "search; Enter goes to the result, Esc leaves"],
  [["1", "…", "5"], "tree, timeline, waits, restarts, plots"],
  [["↑", "↓"], "row above, row below; Page and Home too"],
  [["←", "→"], "close and open a row; on the timeline, move in time"],
  [["+", "-", "0"], "timeline: zoom in, zoom out, show everything"],
  [["z"], "timeline: zoom to the chosen row"],
  [["Enter"], "to the panel of the chosen row; Esc back"],
  [["f", "F"], "next failure, the one before"],
  [[",", "."], "the moment one event back, one on"],
  [["[", "]"], "the moment a hundredth of the time back, on"],
  [["Home", "End"], "the moment to the beginning, to the end (with Ctrl in the tree)"],
  [["a"], "show all, alive, failed in turn"],
  [["u"], "to the parent"],
  [["d"], "light or dark"],
  [["?"], "these keys"],
];

function initKeys() {
  const dialog = $("help");
  dialog.replaceChildren(
    el("h2", {}, "Keys"),
    el(
      "dl",
      {},
      ...KEYS.flatMap(([keys, what]) => [
        el("dt", {}, ...keys.map(key => (key === "…" ? " … " : el("kbd", {}, key)))),
        el("dd", {}, what),
      ]),
    ),
    el("div", { class: "tools" }, el("button", { type: "button", onclick: () => dialog.close() }, "Close")),
  );
  $("help-button").addEventListener("click", () => dialog.showModal());
  $("theme").addEventListener("click", switchTheme);
  for (const name of VIEWS) $("tab-" + name).addEventListener("click", () => app.show(name));
  document.querySelector(".tabs").addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.target.role !== "tab") return;
    const next = VIEWS[(VIEWS.indexOf(app.view) + by + VIEWS.length) % VIEWS.length];
    app.show(next);
    $("tab-" + next).focus();
    event.stopPropagation();
  });
  document.querySelector(".chips").addEventListener("keydown", event => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    nextFilter(by);
    document.querySelector("[data-filter][aria-checked=true]").focus();
    event.stopPropagation();
  });
  document.addEventListener("keydown", onKey);
}

function nextFilter(by) {
  const filters = ["all", "alive", "failed"];
  setFilter(filters[(filters.indexOf(rows.filter) + by + filters.length) % filters.length]);
  announce("Showing " + rows.filter);
}

function switchTheme() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark";
  root.dataset.theme = dark ? "light" : "dark";
  colours.clear();
  app.redraw();
}

function onKey(event) {
  if (event.altKey || event.metaKey || $("help").open) return;
  const typing = event.target.tagName === "INPUT";
  if (typing) return;
  const { key } = event;
  const tab = VIEWS[Number(key) - 1];
  if (event.ctrlKey && key !== "Home" && key !== "End") return;
  if (tab) app.show(tab);
  else if (key in KEY_ACTIONS) KEY_ACTIONS[key](event);
  else if (!rowKey(event)) return;
  event.preventDefault();
}

const KEY_ACTIONS = {
  "/": () => {
    $("query").focus();
    $("query").select();
  },
  "?": () => $("help").showModal(),
  d: switchTheme,
  f: () => jumpToFailure(1),
  F: () => jumpToFailure(-1),
  ",": () => app.goTo(app.now - 1),
  ".": () => app.goTo(app.now + 1),
  "[": () => app.goToTime(app.time - trace.end / 100),
  "]": () => app.goToTime(app.time + trace.end / 100),
  a: () => nextFilter(1),
  u: () => {
    if (model.parent[app.node]) app.choose(model.parent[app.node], true);
  },
  Escape: () => app.focusView(),
};

// Keys that move between rows or along the timeline; true if it was one.
function rowKey(event) {
  const { key } = event;
  const onTimeline = app.view === "timeline";
  if (event.target === $("details") && /^(Arrow|Page|Home|End)/.test(key)) return false;
  if (onTimeline) {
    if (key === "+" || key === "=") return (zoomTimeline(0.6), true);
    if (key === "-") return (zoomTimeline(1 / 0.6), true);
    if (key === "0") return (fitTimeline(), true);
    if (key === "z") return (zoomToNode(app.node), true);
    if (key === "ArrowLeft" || key === "ArrowRight") return (panTimeline(key === "ArrowLeft" ? -0.1 : 0.1), true);
  }
  if (key === "Home" || key === "End") {
    if (app.view === "tree" && event.target === tree.box && !event.ctrlKey)
      app.chooseRow(key === "Home" ? 0 : rows.node.length - 1);
    else app.goTo(key === "Home" ? 1 : trace.count);
    return true;
  }
  if (app.view !== "tree" && !onTimeline) return false;
  // Buttons and tabs keep their own keys.
  if (key === "Enter" && event.target.tagName === "BUTTON") return false;
  const row = app.chosenRow();
  const page = Math.max(1, Math.floor(tree.box.clientHeight / ROW_HEIGHT) - 2) || 20;
  const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page };
  if (key in steps) {
    app.chooseRow(row < 0 ? 0 : Math.max(0, Math.min(rows.node.length - 1, row + steps[key])));
    return true;
  }
  if (row < 0) return false;
  if (key === "Enter") return ($("details").focus(), true);
  if (key === "ArrowRight") {
    if (canOpen(row) && !isOpen(row)) toggleRow(row, true);
    else if (rows.depth[row + 1] > rows.depth[row]) app.chooseRow(row + 1);
    return true;
  }
  if (key === "ArrowLeft") {
    if (canOpen(row) && isOpen(row)) toggleRow(row, false);
    else
      for (let above = row - 1; above >= 0; --above)
        if (rows.depth[above] < rows.depth[row]) return (app.chooseRow(above), true);
    return true;
  }
  return false;
}
