// The timeline: a bar for each row of the tree, over time, on a canvas (bars.js). Here is how one moves about in it.
// What a frame costs is bounded by what is on the screen: rows in sight, and for a fold one look-up a pixel column, so
// a million events move as easily as a hundred.

const GUTTER = 250;
const AXIS = 24;
const LANE = 22;

const timeline = { canvas: null, from: 0, to: 1, top: 0, hover: -1, hoverX: 0 };

function initTimeline() {
  timeline.canvas = $("timeline");
  timeline.draw = oncePerFrame(drawTimeline);
  fitTimeline();
  const canvas = timeline.canvas;
  canvas.addEventListener("wheel", onWheel, { passive: false });
  canvas.addEventListener("pointerdown", onPress);
  canvas.addEventListener("pointermove", onHover);
  canvas.addEventListener("pointerleave", () => {
    timeline.hover = -1;
    $("tip").hidden = true;
    timeline.draw();
  });
  canvas.addEventListener("dblclick", event => {
    const row = rowAtY(event.offsetY);
    if (row >= 0 && canOpen(row)) toggleRow(row);
  });
  for (const button of document.querySelectorAll("[data-zoom]"))
    button.addEventListener("click", () =>
      ({ in: () => zoomTimeline(0.6), out: () => zoomTimeline(1 / 0.6), fit: fitTimeline })[button.dataset.zoom](),
    );
  const legend = [
    ["group", "scopes, …"],
    ["running", "running"],
    ["ready", "ready"],
    ["waiting", "waiting"],
    ["suspended", "suspended"],
    ["stopping", "stopping"],
    ["ok", "ok"],
    ["failed", "failed"],
    ["timed_out", "timed out"],
    ["cancelled", "cancelled"],
    ["skipped", "skipped"],
  ];
  $("timeline-legend").replaceChildren(...legend.map(([name, word]) => el("li", {}, mark(name), word)));
}

function fitTimeline() {
  const margin = Math.max(1, trace.end * 0.01);
  timeline.from = -margin;
  timeline.to = trace.end + margin;
  timeline.draw();
}

function zoomTimeline(by, about = Math.min(Math.max(app.time, timeline.from), timeline.to)) {
  const range = Math.min(trace.end * 4 + 1e3, Math.max(20, (timeline.to - timeline.from) * by));
  const share = (about - timeline.from) / (timeline.to - timeline.from);
  timeline.from = about - range * share;
  timeline.to = timeline.from + range;
  keepInSight();
  timeline.draw();
}

// So that the life of a node is a third of what is shown, with what was before and after it.
function zoomToNode(node) {
  if (!node) return;
  const from = Math.max(0, bornAt(node) || 0);
  const to = model.endEvent[node] < NEVER ? timeOf(model.endEvent[node]) : trace.end;
  const range = Math.max(20, (to - from) * 3);
  timeline.from = (from + to) / 2 - range / 2;
  timeline.to = timeline.from + range;
  keepInSight();
  timeline.draw();
}

function panTimeline(share) {
  const by = (timeline.to - timeline.from) * share;
  timeline.from += by;
  timeline.to += by;
  keepInSight();
  timeline.draw();
}

// The trace never leaves the window altogether.
function keepInSight() {
  const range = timeline.to - timeline.from;
  const from = Math.min(Math.max(timeline.from, -range * 0.9), trace.end - range * 0.1);
  timeline.from = from;
  timeline.to = from + range;
}

function scrollTimeline(pixels) {
  const room = timeline.canvas.clientHeight - AXIS;
  timeline.top = Math.max(0, Math.min(timeline.top + pixels, rows.node.length * LANE - room + LANE));
  timeline.draw();
}

function onWheel(event) {
  event.preventDefault();
  const pixels = event.deltaMode === 1 ? event.deltaY * 20 : event.deltaY;
  if (event.shiftKey || event.offsetX < GUTTER) return scrollTimeline(pixels || event.deltaX);
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) return panTimeline(event.deltaX / plotWidth());
  zoomTimeline(Math.exp(pixels * 0.0016), timeAtX(event.offsetX));
}

function plotWidth() {
  return Math.max(1, timeline.canvas.clientWidth - GUTTER);
}
function timeAtX(x) {
  return timeline.from + ((x - GUTTER) / plotWidth()) * (timeline.to - timeline.from);
}
function xAt(time) {
  return GUTTER + ((time - timeline.from) / (timeline.to - timeline.from)) * plotWidth();
}
function rowAtY(y) {
  const row = Math.floor((y - AXIS + timeline.top) / LANE);
  return y > AXIS && row < rows.node.length ? row : -1;
}
function yOfRow(row) {
  return AXIS + row * LANE - timeline.top + LANE / 2;
}

// A press that does not move chooses; one that moves pans.
function onPress(event) {
  const canvas = timeline.canvas;
  canvas.setPointerCapture(event.pointerId);
  let x = event.clientX,
    y = event.clientY,
    moved = 0;
  const move = next => {
    moved += Math.abs(next.clientX - x) + Math.abs(next.clientY - y);
    if (moved > 4) {
      canvas.style.cursor = "grabbing";
      panTimeline((x - next.clientX) / plotWidth());
      scrollTimeline(y - next.clientY);
    }
    x = next.clientX;
    y = next.clientY;
  };
  const up = last => {
    canvas.removeEventListener("pointermove", move);
    canvas.style.cursor = "";
    if (moved > 4) return;
    const row = rowAtY(last.offsetY);
    if (last.offsetY <= AXIS) app.goToTime(timeAtX(last.offsetX));
    else if (
      row >= 0 &&
      last.offsetX < GUTTER &&
      last.offsetX < 22 + Math.min(rows.depth[row], 10) * 12 &&
      canOpen(row)
    )
      toggleRow(row);
    else if (row >= 0) app.chooseRow(row);
  };
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up, { once: true });
}

function onHover(event) {
  timeline.hover = rowAtY(event.offsetY);
  timeline.hoverX = event.offsetX;
  showTip(event.offsetX, event.offsetY);
  timeline.draw();
}

function showTip(x, y) {
  const tip = $("tip");
  const row = timeline.hover;
  tip.hidden = row < 0 || x < GUTTER;
  if (tip.hidden) return;
  const at = upperBound(trace.clock, timeAtX(x));
  const node = rows.node[row];
  if (node) {
    const state = existed(node, at) ? stateAt(node, at) : { word: "not there yet" };
    tip.replaceChildren(
      el("b", { class: "name" }, nameOf(node)),
      " " + state.word + " at " + span(timeAtX(x)),
      el("div", { class: "quiet name" }, lastWord(node, at) ?? ""),
    );
  } else {
    const [began, ended] = foldTimes(rows.fold[row]);
    const open = upperBound(began, timeAtX(x)) - upperBound(ended, timeAtX(x));
    tip.replaceChildren(
      el("b", { class: "name" }, rows.fold[row].name),
      ` ${count(open)} at once at ${span(timeAtX(x))}`,
    );
  }
  const box = timeline.canvas.parentElement;
  tip.style.left = Math.min(x + 14, box.clientWidth - 260) + "px";
  tip.style.top = (y + 60 > box.clientHeight ? y - 46 : y + 16) + "px";
}

function timelineToRow(row) {
  const room = timeline.canvas.clientHeight - AXIS;
  const y = row * LANE;
  if (y < timeline.top || y + LANE > timeline.top + room) timeline.top = Math.max(0, y - room / 3);
}
