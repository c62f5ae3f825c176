// What the timeline draws: names on the left, a bar for each row in sight, one height a pixel column for each fold.

function drawTimeline() {
  if ($("view-timeline").hidden) return;
  const { pen, width, height } = fitCanvas(timeline.canvas);
  const first = Math.max(0, Math.floor(timeline.top / LANE));
  const last = Math.min(rows.node.length, Math.ceil((timeline.top + height - AXIS) / LANE));

  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, 0, width - GUTTER, height);
  pen.clip();
  drawAxis(pen, GUTTER, width - GUTTER, 0, height, timeline.from, timeline.to);
  pen.restore();

  const chosen = app.chosenRow();
  for (let row = first; row < last; ++row) {
    const y = yOfRow(row) - LANE / 2;
    if (row === chosen || row === timeline.hover) {
      pen.fillStyle = colour(row === chosen ? "accent-soft" : "hover");
      pen.fillRect(0, y, width, LANE);
    }
  }
  pen.save();
  pen.beginPath();
  pen.rect(GUTTER, AXIS, width - GUTTER, height - AXIS);
  pen.clip();
  for (let row = first; row < last; ++row) {
    const y = yOfRow(row) - LANE / 2;
    if (rows.node[row]) drawBar(pen, rows.node[row], y, width);
    else if (!rows.fold[row].counted) drawFold(pen, rows.fold[row], y, width);
  }
  drawArrows(pen);
  drawCursor(pen, height);
  pen.restore();
  for (let row = first; row < last; ++row) drawName(pen, row, yOfRow(row));
  pen.fillStyle = colour("sheet");
  pen.fillRect(0, 0, GUTTER, AXIS);
  pen.strokeStyle = colour("line");
  pen.beginPath();
  pen.moveTo(0, AXIS + 0.5);
  pen.lineTo(width, AXIS + 0.5);
  pen.moveTo(GUTTER - 0.5, 0);
  pen.lineTo(GUTTER - 0.5, height);
  pen.stroke();
}

function drawName(pen, row, y) {
  const fold = rows.fold[row];
  const node = rows.node[row];
  const indent = 8 + Math.min(rows.depth[row], 10) * 12;
  pen.font = "12px " + SANS;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.direction = "ltr";
  if (canOpen(row)) {
    pen.fillStyle = colour("quiet");
    pen.font = "8px " + SANS;
    pen.fillText(isOpen(row) ? "▼" : "▶", indent, y);
    pen.font = "12px " + SANS;
  }
  const failed = node ? hadFailed(node, app.now) : false;
  pen.fillStyle = colour(failed ? "failed" : "ink");
  const name = fold
    ? fold.counted
      ? count(fold.counted) + " tasks, counted only"
      : fold.name + "  ×" + count(fold.members.length)
    : nameOf(node);
  pen.fillText(fitText(pen, name, GUTTER - indent - 24), indent + 14, y + 0.5);
}

// The stretches of a node's life; each is a fill, and stretches that are thinner than a pixel share one.
function drawBar(pen, node, y, width) {
  const born = bornAt(node);
  const open = !(model.endEvent[node] < NEVER);
  const end = open ? trace.end : timeOf(model.endEvent[node]);
  const height = model.kind[node] === TASK ? 12 : 8;
  const top = y + (LANE - height) / 2;
  const left = Math.max(GUTTER - 2, xAt(Math.max(born, timeline.from - 1)));
  const right = Math.min(width + 2, xAt(end));
  if (right < GUTTER - 2 || left > width) return;
  const outcome = model.outcome[node];
  if (model.kind[node] !== TASK) {
    pen.fillStyle = colour(open || outcome === OK ? "group" : OUTCOMES[outcome]);
    round(pen, left, top, Math.max(2, right - left), height);
    drawSpells(pen, node, top, height, end);
  } else {
    const began = timeOf(model.startEvent[node]);
    const ready = timeOf(model.readyEvent[node]);
    const until = Number.isNaN(began) ? end : began;
    const queued = Number.isNaN(ready) ? until : ready;
    stretch(pen, born, queued, "waiting", top + height / 2 - 1, 2, width);
    stretch(pen, queued, until, "ready", top + height / 2 - 2, 4, width);
    if (!Number.isNaN(began)) {
      pen.fillStyle = colour(open ? "running" : OUTCOMES[outcome]);
      const x = Math.max(GUTTER - 2, xAt(began));
      round(pen, x, top, Math.max(2, right - x), height);
      drawSpells(pen, node, top, height, end);
      drawNameInBar(pen, node, x, right, top, height, width);
    } else if (outcome > OK) {
      pen.fillStyle = colour(OUTCOMES[outcome]);
      pen.fillRect(right - 2, top, 4, height);
    }
  }
  if (model.failEvent[node] < NEVER) cross(pen, xAt(timeOf(model.failEvent[node])), y + LANE / 2);
}

function stretch(pen, from, to, name, top, height, width) {
  if (!(to > from)) return;
  const left = Math.max(GUTTER - 2, xAt(from));
  const right = Math.min(width + 2, xAt(to));
  if (right <= left) return;
  pen.fillStyle = colour(name);
  pen.fillRect(left, top, Math.max(1, right - left), height);
}

function round(pen, x, y, width, height) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, Math.min(3, width / 2));
  pen.fill();
}

function cross(pen, x, y) {
  if (x < GUTTER) return;
  pen.fillStyle = colour("failed");
  pen.strokeStyle = colour("paper");
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(x, y, 4.5, 0, 7);
  pen.fill();
  pen.stroke();
  pen.lineWidth = 1;
}

// Within a life: asked to stop, suspended, being restarted. Spells in one pixel column are drawn once.
function drawSpells(pen, node, top, height, end) {
  const { start, items } = model.eventsOf;
  let since = -1,
    name = null,
    lastX = -1,
    lastMark = -10;
  const low = start[node],
    high = start[node + 1];
  // Far events are skipped by halving, so that a long life costs what is in sight.
  const placeOf = time => upperBound(items, upperBound(trace.clock, time) - 1, low, high);
  let from = Math.max(low, placeOf(timeline.from) - 1);
  const tells = i => SPELLS[KIND_NAMES[trace.kind[items[i]]]] !== undefined;
  for (let back = 0; back < 200 && from > low && !tells(from); ++back) --from;
  const crowded = placeOf(timeline.to) - from > 4000;
  for (let i = from; i < high; ++i) {
    const event = items[i];
    const at = trace.time[event];
    if (at > timeline.to) break;
    // More events than pixels: of each column the last one counts.
    if (crowded && at >= timeline.from) i = Math.max(i, placeOf(timeAtX(Math.floor(xAt(at)) + 1)) - 2);
    const next = SPELLS[KIND_NAMES[trace.kind[event]]];
    if (trace.kind[event] === K.restart_done && at >= timeline.from && xAt(at) > lastMark + 2) {
      lastMark = xAt(at);
      pen.fillStyle = colour("timed_out");
      pen.fillRect(lastMark - 1, top - 3, 2, height + 6);
    }
    if (next === undefined || next === name) continue;
    if (name) lastX = spell(pen, name, since, at, top, height, lastX);
    name = next;
    since = at;
  }
  if (name) spell(pen, name, since, Math.min(end, timeline.to), top, height, lastX);
}

const SPELLS = {
  task_suspended: "suspended",
  task_resumed: null,
  cancel_asked: "stopping",
  restart_decided: "stopping",
  restart_backoff: "stopping",
  restart_done: null,
  actor_stop_asked: "stopping",
  release_started: "stopping",
  manager_shutdown_began: "stopping",
  task_ended: null,
  scope_ended: null,
  actor_started: null,
  breaker_opened: "failed",
  breaker_half_opened: "stopping",
  breaker_closed: null,
};

function spell(pen, name, from, to, top, height, lastX) {
  const left = Math.max(GUTTER - 2, xAt(from));
  const right = Math.max(left + 1, xAt(to));
  if (right <= lastX) return lastX;
  pen.fillStyle = colour(name);
  if (name === "stopping") pen.fillRect(left, top + height - 3, right - left, 3);
  else pen.fillRect(left, top, right - left, height);
  return Math.floor(right);
}

function drawNameInBar(pen, node, left, right, top, height, width) {
  const room = Math.min(right, width) - left - 10;
  if (room < 40) return;
  pen.font = "10.5px " + SANS;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillStyle = colour("paper");
  const took =
    timeOf(model.endEvent[node] < NEVER ? model.endEvent[node] : trace.count - 1) - timeOf(model.startEvent[node]);
  pen.fillText(fitText(pen, span(took), room), left + 6, top + height / 2 + 0.5);
}

// When the members of a fold began and ended, each rising: how many were open at a moment is a difference of two
// places.
function foldTimes(fold) {
  if (!fold.times) {
    const began = new Float64Array(fold.members.length);
    const ended = [];
    const bad = [];
    fold.members.forEach((node, i) => {
      const start = timeOf(model.startEvent[node]);
      const end = timeOf(model.endEvent[node]);
      began[i] = Number.isNaN(start) ? (Number.isNaN(end) || model.kind[node] !== TASK ? bornAt(node) : end) : start;
      if (!Number.isNaN(end)) ended.push(end);
      if (!Number.isNaN(end) && (model.outcome[node] === FAILED || model.outcome[node] === TIMED_OUT)) bad.push(end);
    });
    fold.times = [began.sort(), Float64Array.from(ended).sort(), Float64Array.from(bad).sort()];
    fold.peak = peakOf(fold.times);
  }
  return fold.times;
}

function peakOf([began, ended]) {
  let open = 0,
    peak = 1;
  for (let i = 0, j = 0; i < began.length; ++i) {
    while (j < ended.length && ended[j] <= began[i]) {
      ++j;
      --open;
    }
    peak = Math.max(peak, ++open);
  }
  return peak;
}

function drawFold(pen, fold, y, width) {
  const [began, ended, bad] = foldTimes(fold);
  const tall = LANE - 6;
  const perPixel = (timeline.to - timeline.from) / plotWidth();
  pen.fillStyle = colour("running");
  let before = upperBound(began, timeline.from),
    gone = upperBound(ended, timeline.from);
  let shown = 0,
    since = GUTTER;
  for (let x = GUTTER; x <= width; ++x) {
    const end = timeAtX(x) + perPixel;
    const nowBegan = upperBoundNear(began, end, before);
    const nowGone = upperBoundNear(ended, end, gone);
    // The most that can have been open within the column.
    const open = x < width && timeAtX(x) <= trace.end ? nowBegan - gone : 0;
    const part = open > 0 ? Math.round(Math.max(2, Math.sqrt(Math.min(1, open / fold.peak)) * tall)) : 0;
    if (part !== shown) {
      if (shown) pen.fillRect(since, y + LANE - 3 - shown, x - since, shown);
      shown = part;
      since = x;
    }
    before = nowBegan;
    gone = nowGone;
  }
  pen.fillStyle = colour("failed");
  for (let x = GUTTER, at = upperBound(bad, timeline.from); x < width && at < bad.length; ++x) {
    const next = upperBoundNear(bad, timeAtX(x) + perPixel, at);
    if (next > at) pen.fillRect(x - 1, y + LANE - 6, 2, 4);
    at = next;
  }
}

function drawCursor(pen, height) {
  const x = Math.round(xAt(app.time)) + 0.5;
  pen.strokeStyle = colour("accent");
  pen.setLineDash([4, 3]);
  pen.beginPath();
  pen.moveTo(x, AXIS);
  pen.lineTo(x, height);
  pen.stroke();
  pen.setLineDash([]);
}
