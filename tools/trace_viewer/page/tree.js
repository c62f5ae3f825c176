// The tree: only the rows that can be seen are in the document, however many there are.

const ROW_HEIGHT = 26;
const TALLEST = 8e6; // browsers limit the height of a box, so a very long list scrolls faster than the bar moves

const tree = { box: null, draw: null };

function initTree() {
  tree.box = $("tree");
  tree.rows = tree.box.querySelector(".rows");
  tree.spacer = tree.box.querySelector(".spacer");
  tree.draw = oncePerFrame(drawTree);
  tree.box.addEventListener("scroll", tree.draw, { passive: true });
  tree.rows.addEventListener("click", event => {
    const row = rowAtElement(event.target);
    if (row < 0) return;
    if (event.target.closest(".twist")) toggleRow(row);
    else app.chooseRow(row);
  });
  tree.rows.addEventListener("dblclick", event => {
    const row = rowAtElement(event.target);
    if (row >= 0 && canOpen(row)) toggleRow(row);
  });
  for (const chip of document.querySelectorAll("[data-filter]"))
    chip.addEventListener("click", () => setFilter(chip.dataset.filter));
}

function setFilter(which) {
  rows.filter = which;
  for (const chip of document.querySelectorAll("[data-filter]")) {
    chip.setAttribute("aria-checked", chip.dataset.filter === which);
    chip.tabIndex = chip.dataset.filter === which ? 0 : -1;
  }
  app.relay();
}

function rowAtElement(target) {
  const element = target.closest("[data-row]");
  return element ? Number(element.dataset.row) : -1;
}

function treeScale() {
  const tall = rows.node.length * ROW_HEIGHT;
  return { tall, shown: Math.min(tall, TALLEST) };
}

// The first row in sight, counted with fractions.
function topRow() {
  const { tall, shown } = treeScale();
  const room = tree.box.clientHeight;
  if (tall <= shown) return tree.box.scrollTop / ROW_HEIGHT;
  return ((tree.box.scrollTop / Math.max(1, shown - room)) * (tall - room)) / ROW_HEIGHT;
}

function scrollToRow(row) {
  const visible = Math.floor(tree.box.clientHeight / ROW_HEIGHT);
  const top = topRow();
  if (row >= top && row < top + visible - 1) return;
  const wanted = Math.max(0, row < top ? row - 2 : row - visible + 3);
  const { tall, shown } = treeScale();
  const room = tree.box.clientHeight;
  tree.box.scrollTop = tall <= shown ? wanted * ROW_HEIGHT : ((wanted * ROW_HEIGHT) / (tall - room)) * (shown - room);
}

function drawTree() {
  if ($("view-tree").hidden) return;
  const { shown } = treeScale();
  tree.spacer.style.height = shown + "px";
  const top = topRow();
  const first = Math.max(0, Math.floor(top));
  const last = Math.min(rows.node.length, first + Math.ceil(tree.box.clientHeight / ROW_HEIGHT) + 1);
  const made = [];
  for (let row = first; row < last; ++row) made.push(rows.fold[row] ? foldRow(row) : nodeRow(row));
  tree.rows.replaceChildren(...made);
  tree.rows.style.transform = `translateY(${tree.box.scrollTop - (top - first) * ROW_HEIGHT}px)`;
  const chosen = app.chosenRow();
  tree.box.setAttribute("aria-activedescendant", chosen >= first && chosen < last ? "row-" + chosen : "");
  $("tree-said").textContent = rows.node.length ? plural(rows.node.length, "row") : "Nothing to show at this moment";
}

function frame(row, classes, ...parts) {
  return el(
    "div",
    {
      class: "row " + classes,
      id: "row-" + row,
      "data-row": row,
      role: "treeitem",
      "aria-level": rows.depth[row] + 1,
      "aria-selected": row === app.chosenRow(),
      "aria-expanded": canOpen(row) ? String(isOpen(row)) : null,
    },
    ...parts,
  );
}

function label(row, ...parts) {
  const twist = canOpen(row)
    ? el(
        "button",
        { class: "twist", tabindex: -1, "aria-label": isOpen(row) ? "Close" : "Open" },
        isOpen(row) ? "▼" : "▶",
      )
    : el("span", { class: "twist", "aria-hidden": "true" });
  const made = el("span", { class: "label" }, twist, ...parts);
  made.style.paddingLeft = Math.min(rows.depth[row], 16) * 16 + "px";
  return made;
}

function glyph(kind) {
  return el("span", { class: "glyph", title: NODE_KINDS[kind] }, GLYPHS[kind]);
}

function nodeRow(row) {
  const node = rows.node[row];
  const now = app.now;
  const state = stateAt(node, now);
  const bad = state.colour === "failed" || state.colour === "timed_out";
  const began = beganAt(node, now);
  const took = tookSoFar(node, now);
  const says = waitsOf(node, now) ?? state.says ?? lastWord(node, now);
  return frame(
    row,
    (hadEnded(node, now) ? "ended " : "") + (bad ? "bad" : ""),
    label(
      row,
      glyph(model.kind[node]),
      el("span", { class: "name", title: pathOf(node) }, nameOf(node)),
      rows.depth[row] > 16 ? el("span", { class: "badge" }, "depth " + rows.depth[row]) : null,
      state.restarts
        ? el("span", { class: "badge warn", title: plural(state.restarts, "restart") }, "↻ " + state.restarts)
        : null,
    ),
    el("span", { class: "state" }, mark(state.colour), state.word),
    el("span", { class: "number" }, began < 0 ? "earlier" : Number.isNaN(began) ? "" : offset(began)),
    el("span", { class: "number" }, Number.isNaN(took) ? "" : span(took)),
    life(bornAt(node), hadEnded(node, now) ? timeOf(model.endEvent[node]) : timeAt(now), state.colour),
    el("span", { class: "says name" }, says ?? ""),
  );
}

function foldRow(row) {
  const fold = rows.fold[row];
  if (fold.counted) {
    return frame(
      row,
      "",
      label(row, glyph(TASK), el("span", { class: "quiet" }, count(fold.counted) + " tasks that were counted only")),
      el("span", { class: "state" }, mark(fold.state >= 3 ? "running" : "waiting"), TASK_STATES[fold.state] ?? ""),
      el("span"),
      el("span"),
      el("span"),
      el("span", { class: "says" }, "when the oldest events kept began"),
    );
  }
  const mix = foldMix(fold, app.now);
  const worst = mix[FAILED] ? "failed" : mix[TIMED_OUT] ? "timed_out" : null;
  const shown = TASK_CODES.map((code, i) => [code, mix[i]]).filter(([, number]) => number);
  const last = fold.members[fold.there - 1] ?? fold.members[0];
  return frame(
    row,
    worst ? "bad" : "",
    label(
      row,
      glyph(fold.kind),
      el("span", { class: "name" }, fold.name),
      el("span", { class: "times" }, "×" + count(fold.there)),
    ),
    el(
      "span",
      { class: "state" },
      mark(worst ?? shown[0]?.[0] ?? "waiting"),
      shown.length === 1 ? codeWord(shown[0][0]) : worst ? plural(mix[FAILED] + mix[TIMED_OUT], "bad one") : "mixed",
    ),
    el("span", { class: "number" }, offset(Math.max(0, bornAt(fold.members[0])))),
    el("span"),
    life(bornAt(fold.members[0]), foldEnd(fold, last), worst ?? shown[0]?.[0] ?? "waiting"),
    el(
      "span",
      { class: "says mix" },
      shown.length > 1 ? shown.map(([code, number]) => el("span", {}, mark(code), " " + count(number))) : "",
    ),
  );
}

function codeWord(code) {
  return code === "timed_out" ? "timed out" : code;
}

// Where the bar of a fold ends: now, or where its latest member ended, as far as its last ones tell.
function foldEnd(fold, last) {
  const mix = fold.mix;
  if (mix[CODE_RUNNING] || mix[CODE_READY] || mix[CODE_WAITING]) return timeAt(app.now);
  return timeOf(model.endEvent[last]);
}

function life(from, to, colourName) {
  const range = trace.end || 1;
  const left = Math.min(99.5, (Math.max(0, from) / range) * 100);
  const bar = el("i");
  bar.style.left = left + "%";
  bar.style.width = Math.max(0, Math.min(100 - left, ((to - Math.max(0, from)) / range) * 100)) + "%";
  bar.style.background = `var(--${colourName})`;
  return el("span", { class: "life", "aria-hidden": "true" }, bar);
}

// What it waits for, as far as the trace says.
function waitsOf(node, now) {
  const found = app.waits().byNode.get(node);
  if (!found) return null;
  const first = found[0];
  return (
    "waits for " +
    (first.to ? nameOf(first.to) : first.what) +
    (found.length > 1 ? " and " + (found.length - 1) + " more" : "")
  );
}

// The last text it said or was told, such as an error.
function lastWord(node, now) {
  const { start, items } = model.eventsOf;
  for (let i = upperBound(items, now - 1, start[node], start[node + 1]); i-- > start[node];) {
    const event = items[i];
    if (event === model.bornEvent[node]) return null;
    const kind = trace.kind[event];
    if (kind === K.cancel_asked) return reasonWords(trace.value[event]);
    if (kind === K.progress)
      return count(trace.value[event] % 2 ** 26) + " of " + count(Math.floor(trace.value[event] / 2 ** 26));
    if (
      trace.text[event] &&
      kind !== K.restart_done &&
      kind !== K.restart_decided &&
      kind !== K.restart_backoff &&
      kind !== K.actor_started &&
      kind !== K.wait_began &&
      kind !== K.lease_granted
    )
      return trace.texts[trace.text[event]];
  }
  return null;
}
