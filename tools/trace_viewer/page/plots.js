// The plots: how many tasks of a scope (or of all) ran, were ready, had ended; how many workers the lane had.
// Counters are rising lists of times, so that a count at a moment is a difference of two look-ups.

const plots = { of: 0, counters: null, hover: null };

function countersOf(node) {
  if (plots.counters && plots.of === node) return plots.counters;
  const lists = { created: [], ready: [], started: [], left: [], back: [], ended: [], bad: [] };
  const { list, place, size } = model.order;
  const from = node ? place[node] : 0;
  const to = node ? from + size[node] : list.length;
  let scopes = 0;
  for (let i = from; i < to; ++i) {
    const each = list[i];
    if (model.kind[each] === SCOPE) ++scopes;
    if (model.kind[each] !== TASK) continue;
    const end = timeOf(model.endEvent[each]);
    const then = model.snapState[each]; // 255 for those that came later
    const early = state => (then !== 255 && then >= state ? bornAt(each) : NaN);
    const began = model.startEvent[each] === NEVER ? early(3) : timeOf(model.startEvent[each]);
    const ready = model.readyEvent[each] === NEVER ? early(2) : timeOf(model.readyEvent[each]);
    if (then === TASK_SUSPENDED) lists.left.push(bornAt(each));
    const known = Number.isNaN(end) ? Infinity : end;
    lists.created.push(bornAt(each));
    lists.ready.push(Math.min(Number.isNaN(ready) ? (Number.isNaN(began) ? known : began) : ready, known));
    lists.started.push(Math.min(Number.isNaN(began) ? known : began, known));
    if (!Number.isNaN(end)) lists.ended.push(end);
    if (model.outcome[each] === FAILED || model.outcome[each] === TIMED_OUT) lists.bad.push(end);
  }
  for (const event of model.suspensions) {
    const at = place[trace.subject[event]];
    if (at < from || at >= to) continue;
    (trace.kind[event] === K.task_suspended ? lists.left : lists.back).push(trace.time[event]);
  }
  for (const name of Object.keys(lists)) lists[name] = Float64Array.from(lists[name]).sort();
  plots.of = node;
  plots.counters = { ...lists, tasks: lists.created.length, scopes };
  return plots.counters;
}

// Plots are of scopes and managers: of the chosen one, or of the one that the chosen node is in.
function plottedNode() {
  let node = app.node;
  while (node && model.kind[node] !== SCOPE && model.kind[node] !== MANAGER) node = model.parent[node];
  return node;
}

function drawPlots() {
  const view = $("view-plots");
  if (view.hidden) return;
  const node = plottedNode();
  const c = countersOf(node);
  const at = (list, time) => upperBound(list, time);
  const kinds = [
    {
      title: "Tasks at once",
      lines: [
        {
          name: "running",
          colour: "running",
          value: t => at(c.started, t) - at(c.ended, t) - (at(c.left, t) - at(c.back, t)),
        },
        ...(c.left.length
          ? [{ name: "suspended", colour: "suspended", value: t => at(c.left, t) - at(c.back, t) }]
          : []),
        { name: "ready", colour: "ready", value: t => at(c.ready, t) - at(c.started, t) },
        { name: "waiting", colour: "waiting", value: t => at(c.created, t) - at(c.ready, t) },
      ],
    },
    {
      title: "Tasks ended",
      lines: [
        { name: "ended", colour: "ok", value: t => at(c.ended, t) },
        { name: "failed or timed out", colour: "failed", value: t => at(c.bad, t) },
      ],
    },
  ];
  const lane = laneSteps();
  if (lane.times.length || trace.header.workers)
    kinds.push({
      title: "Workers of the lane",
      marks: lane.saturated,
      lines: [
        {
          name: "workers",
          colour: "accent",
          value: t => {
            const i = upperBound(lane.times, t);
            return i ? lane.workers[i - 1] : lane.first;
          },
        },
      ],
    });

  const made = kinds.map(kind => ({
    kind,
    canvas: el("canvas", {
      style: "height: 140px",
      role: "img",
      "aria-label":
        kind.title +
        " over time; " +
        kind.lines.map(line => line.name + " " + count(line.value(app.time)) + " at the moment chosen").join(", "),
    }),
  }));
  view.replaceChildren(
    el(
      "p",
      { class: "lead" },
      node ? ["All below ", nodeLink(node), ": "] : "The whole process: ",
      plural(c.tasks, "task") + " in " + plural(c.scopes, "scope") + ". ",
      node
        ? el("button", { type: "button", onclick: () => app.choose(0) }, "Whole process")
        : "Choose a scope in the tree to see it alone.",
    ),
    ...made.map(({ kind, canvas }) =>
      el(
        "div",
        { class: "card" },
        el(
          "header",
          {},
          el("h2", {}, kind.title),
          el("span", { class: "spacer" }),
          el(
            "ul",
            { class: "legend" },
            ...kind.lines.map(line =>
              el(
                "li",
                {},
                mark(line.colour),
                line.name + " ",
                el("b", { class: "number" }, count(line.value(app.time))),
              ),
            ),
          ),
        ),
        el("div", { class: "plot" }, canvas),
      ),
    ),
  );
  for (const { kind, canvas } of made) {
    drawLines(kind, canvas);
    canvas.addEventListener("pointerdown", event =>
      app.goToTime(((event.offsetX - 48) / Math.max(1, canvas.clientWidth - 62)) * trace.end),
    );
  }
}

function laneSteps() {
  const lane = { times: [], workers: [], saturated: [], first: trace.header.workers || 0 };
  for (const event of model.laneEvents) {
    if (trace.kind[event] === K.lane_saturated) lane.saturated.push(trace.time[event]);
    else {
      lane.times.push(trace.time[event]);
      lane.workers.push(trace.value[event]);
    }
  }
  return lane;
}

function drawLines(kind, canvas) {
  const { pen, width, height } = fitCanvas(canvas);
  const left = 48,
    right = width - 14,
    top = 10,
    bottom = height - 24;
  const end = trace.end || 1;
  const time = x => ((x - left) / (right - left)) * end;
  const values = kind.lines.map(line => {
    const list = new Float64Array(Math.max(2, Math.floor(right - left)));
    for (let i = 0; i < list.length; ++i) list[i] = line.value(time(left + i + 0.5));
    return list;
  });
  const most = Math.max(1, ...values.map(list => list.reduce((a, b) => Math.max(a, b), 0)));
  const y = number => bottom - (number / most) * (bottom - top);
  drawAxis(pen, left, right - left, bottom, height, 0, end);
  pen.textAlign = "right";
  for (const number of new Set([0, Math.round(most / 2), most])) {
    pen.fillStyle = colour("faint");
    pen.fillText(count(number), left - 8, y(number));
    pen.strokeStyle = colour("line-soft");
    pen.beginPath();
    pen.moveTo(left, Math.round(y(number)) + 0.5);
    pen.lineTo(right, Math.round(y(number)) + 0.5);
    pen.stroke();
  }
  kind.lines.forEach((line, which) => {
    pen.beginPath();
    values[which].forEach((number, i) => {
      if (i === 0) pen.moveTo(left, y(number));
      else {
        pen.lineTo(left + i, y(values[which][i - 1]));
        pen.lineTo(left + i, y(number));
      }
    });
    pen.strokeStyle = colour(line.colour);
    pen.lineWidth = 1.6;
    pen.stroke();
    pen.lineTo(right, bottom);
    pen.lineTo(left, bottom);
    pen.globalAlpha = 0.12;
    pen.fillStyle = colour(line.colour);
    pen.fill();
    pen.globalAlpha = 1;
    pen.lineWidth = 1;
  });
  pen.fillStyle = colour("failed");
  for (const each of kind.marks ?? []) pen.fillRect(left + (each / end) * (right - left) - 1, top, 2, 6);
  const x = Math.round(left + (app.time / end) * (right - left)) + 0.5;
  pen.strokeStyle = colour("accent");
  pen.setLineDash([4, 3]);
  pen.beginPath();
  pen.moveTo(x, top);
  pen.lineTo(x, bottom);
  pen.stroke();
  pen.setLineDash([]);
}
