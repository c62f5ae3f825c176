// What the views share: the moment, the chosen node, the view shown. Views are drawn again when one of these changes.

let trace, model;

const app = {
  now: 0, // a moment: how many events have happened
  time: 0, // its time, or one between two events
  node: 0, // the chosen node …
  fold: null, // … or fold
  view: "tree",
  waitsFound: null,

  // The row of what is chosen; -1 if it has none at this moment.
  chosenRow() {
    if (this.node) return rows.at.get(this.node) ?? -1;
    return this.fold ? rows.fold.findIndex(fold => fold?.key === this.fold) : -1;
  },

  chooseRow(row) {
    if (row < 0 || row >= rows.node.length) return;
    this.node = rows.node[row];
    this.fold = rows.fold[row]?.key ?? null;
    scrollToRow(row);
    timelineToRow(row);
    this.redraw();
    announce(
      this.node
        ? nameOf(this.node) + ", " + stateAt(this.node, this.now).word
        : rows.fold[row].name + " times " + count(rows.fold[row].members.length),
    );
  },

  // Chooses a node wherever it is; with `show` it is brought into sight, whatever is folded or filtered.
  choose(node, show = false) {
    this.node = node;
    this.fold = null;
    if (show && node) {
      if (!existed(node, this.now)) this.goTo(Math.min(trace.count, model.bornEvent[node] + 1));
      openTo(node);
      layRows(this.now);
      if (!rows.at.has(node) && rows.filter !== "all") setFilter("all");
      const row = this.chosenRow();
      if (row >= 0) {
        // The list may just have become longer than its box knows.
        tree.spacer.style.height = treeScale().shown + "px";
        scrollToRow(row);
        timelineToRow(row);
      }
    }
    $("details").scrollTop = 0;
    this.redraw();
  },

  // To the moment after so many events.
  goTo(now) {
    now = Math.max(0, Math.min(trace.count, now));
    this.now = now;
    this.time = now ? trace.clock[now - 1] : 0;
    this.relay();
  },
  goToTime(time) {
    time = Math.max(0, Math.min(trace.end, time));
    this.now = upperBound(trace.clock, time);
    this.time = time;
    this.relay();
  },

  waits() {
    if (this.waitsFound?.now !== this.now) this.waitsFound = waitsAt(this.now);
    return this.waitsFound;
  },

  show(view) {
    this.view = view;
    for (const name of VIEWS) {
      $("view-" + name).hidden = name !== view;
      $("tab-" + name).setAttribute("aria-selected", name === view);
      $("tab-" + name).tabIndex = name === view ? 0 : -1;
    }
    this.redraw();
    this.focusView();
  },
  focusView() {
    (({ tree: tree.box, timeline: timeline.canvas })[this.view] ?? $("view-" + this.view)).focus();
  },

  relay: null, // lays the rows anew, then redraws, once a frame
  redraw: null, // redraws, once a frame
};

function drawAll() {
  drawMoment();
  drawTree();
  drawTimeline();
  drawWaits();
  drawRestarts();
  drawPlots();
  drawDetails();
  drawScrubber();
}

function drawMoment() {
  $("moment").textContent = trace.end < 1e7 ? span(app.time) : moment(app.time, Math.max(1e3, trace.end / 1e3));
  $("moment-event").textContent = "event " + count(app.now) + " of " + count(trace.count);
  $("waits-count").textContent = app.waits().byNode.size || "";
  const mix = totalsAt(app.now);
  $("totals").replaceChildren(
    ...TASK_CODES.flatMap((code, i) =>
      mix[i] ? [el("li", {}, mark(code), count(mix[i]) + " " + codeWord(code))] : [],
    ),
  );
}

// Tasks by code at a moment.
function totalsAt(now) {
  const mix = new Uint32Array(TASK_CODES.length);
  const { list } = model.order;
  for (let i = 0; i < list.length; ++i)
    if (model.kind[list[i]] === TASK && existed(list[i], now)) ++mix[taskCode(list[i], now)];
  return mix;
}

function describe(header) {
  const program = header.program || "muster-trace";
  document.title = program + " · muster-trace";
  $("program").textContent = program;
  const parts = [];
  if (header.pid) parts.push("process " + header.pid);
  if (header.wallKnown) parts.push(new Date(header.beginsWallMs).toISOString().replace("T", " ").slice(0, 19) + " UTC");
  parts.push(
    span(trace.end),
    plural(trace.count, "event"),
    header.live ? "still running" : header.copied ? "written while it ran" : header.endedCleanly ? "ended cleanly" : "killed, or cut short",
  );
  $("process").textContent = parts.join(" · ");
  const warnings = [];
  if (header.eventsDropped) warnings.push(plural(header.eventsDropped, "event") + " overwritten or without a place");
  if (header.stringsDropped) warnings.push(plural(header.stringsDropped, "text") + " without a place");
  if (header.torn) warnings.push(plural(header.torn, "record") + " left out that were being written");
  if (header.unknownKinds)
    warnings.push(plural(header.unknownKinds, "record") + " of a kind this viewer does not know");
  for (const problem of header.problems.slice(0, 3)) warnings.push(problem.what);
  if (header.problems.length > 3) warnings.push(plural(header.problems.length - 3, "further problem"));
  $("banner").hidden = !warnings.length;
  $("banner").textContent = "Not all is here: " + warnings.join("; ") + ".";
}

async function open() {
  const began = performance.now();
  const data = $("data");
  trace = await readTrace(data.textContent.trim());
  data.remove();
  nameKinds(trace.header);
  const read = performance.now();
  model = buildModel(trace);
  const built = performance.now();
  initRows();
  app.redraw = oncePerFrame(drawAll);
  app.relay = oncePerFrame(() => {
    layRows(app.now);
    drawAll();
  });
  initTree();
  initTimeline();
  initScrubber();
  initSearch();
  initKeys();
  describe(trace.header);
  $("restarts-count").textContent = model.restartEvents.length ? count(model.restartEvents.length) : "";
  app.now = trace.count;
  app.time = trace.end;
  layRows(app.now);
  drawAll();
  app.focusView();
  new ResizeObserver(app.redraw).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours.clear();
    app.redraw();
  });
  // How long each part took, in milliseconds since the page was asked for; the tests wait for this.
  document.documentElement.dataset.ready = [began, read, built, performance.now()].map(Math.round).join(" ");
}

open().catch(error => {
  const banner = $("banner");
  banner.hidden = false;
  banner.textContent = "This page could not be read: " + error.message;
  throw error;
});
