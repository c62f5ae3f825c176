// The view of restarts: for each supervisor, when it restarted whom, and how full its window was at every moment.
// How many restarts in how long it stands is in the text of what it recorded; where it is not, only the count is drawn.

const LIMIT = /(\d+) (?:restarts? )?in (\d+) ms/;

function supervisors() {
  if (model.supervisors) return model.supervisors;
  const by = new Map();
  for (const event of model.restartEvents) {
    const subject = trace.subject[event];
    const who = trace.kind[event] === K.intensity_exceeded ? subject : model.parent[subject];
    if (!by.has(who)) by.set(who, { who, events: [], limit: null, within: null, gaveUp: -1 });
    const one = by.get(who);
    one.events.push(event);
    const limit = LIMIT.exec(trace.texts[trace.text[event]]);
    if (limit) {
      one.limit = Number(limit[1]);
      one.within = Number(limit[2]) * 1e6;
    }
    if (trace.kind[event] === K.intensity_exceeded) one.gaveUp = event;
  }
  return (model.supervisors = [...by.values()].sort((a, b) => b.events.length - a.events.length));
}

function drawRestarts() {
  const view = $("view-restarts");
  if (view.hidden) return;
  const all = supervisors();
  if (!all.length) return view.replaceChildren(el("p", { class: "empty" }, "Nothing was restarted."));
  const cards = all.slice(0, 30).map(one => {
    const canvas = el("canvas", { style: "height: 150px", role: "img", "aria-label": restartWords(one) });
    const children = new Map();
    for (const event of one.events)
      if (trace.kind[event] === K.restart_decided)
        children.set(trace.subject[event], (children.get(trace.subject[event]) ?? 0) + 1);
    const list = [...children]
      .sort((a, b) => b[1] - a[1])
      .slice(0, 8)
      .flatMap(([child, number], i) => [i ? ", " : "", nodeLink(child), " ×" + count(number)]);
    return {
      one,
      canvas,
      card: el(
        "div",
        { class: "card" + (one.gaveUp >= 0 && one.gaveUp < app.now ? " bad" : "") },
        el(
          "header",
          {},
          el("h2", {}, one.who ? nodeLink(one.who) : "a supervisor no longer known"),
          el("span", { class: "spacer" }),
          el("span", { class: "quiet" }, restartWords(one)),
        ),
        canvas,
        el("p", { class: "note" }, "Restarted: ", ...list, children.size > 8 ? " …" : ""),
        one.gaveUp >= 0 ? el("p", { class: "note" }, eventTime(one.gaveUp), " ", ...sentence(one.gaveUp)) : null,
      ),
    };
  });
  view.replaceChildren(
    el(
      "p",
      { class: "lead" },
      "How full each supervisor's window of restarts was. If it runs over, the supervisor gives up.",
    ),
    ...cards.map(each => each.card),
    all.length > 30
      ? el("p", { class: "quiet" }, plural(all.length - 30, "supervisor") + " with fewer restarts not shown")
      : "",
  );
  for (const { one, canvas } of cards) drawWindow(one, canvas);
}

function restartWords(one) {
  const decided = one.events.filter(event => trace.kind[event] === K.restart_decided).length;
  return (
    plural(decided, "restart") +
    (one.limit === null ? "" : `, at most ${one.limit} in ${span(one.within)}`) +
    (one.gaveUp >= 0 ? ", gave up" : "")
  );
}

// A staircase of the restarts within the window; without a known window, each restart with the number it bore.
function drawWindow(one, canvas) {
  const { pen, width, height } = fitCanvas(canvas);
  const left = 40,
    right = width - 14,
    top = 12,
    bottom = height - 24;
  const decided = one.events.filter(event => trace.kind[event] === K.restart_decided);
  const counts = one.events.map(event => trace.value[event]);
  const most = Math.max(one.limit === null ? 1 : one.limit + 1, ...counts.slice(0, 10000));
  const x = time => left + (time / (trace.end || 1)) * (right - left);
  const y = number => bottom - (number / most) * (bottom - top);
  drawAxis(pen, left, right - left, bottom, height, 0, trace.end || 1);

  pen.textAlign = "right";
  pen.fillStyle = colour("faint");
  for (const number of new Set([0, Math.ceil(most / 2), most])) pen.fillText(number, left - 8, y(number));
  if (one.within !== null) {
    const times = decided.map(event => trace.time[event]);
    const steps = [...times.map(time => [time, 1]), ...times.map(time => [time + one.within, -1])].sort(
      (a, b) => a[0] - b[0] || a[1] - b[1],
    );
    pen.fillStyle = colour("accent-soft");
    pen.strokeStyle = colour("accent");
    pen.beginPath();
    pen.moveTo(left, bottom);
    let number = 0;
    for (const [time, step] of steps) {
      if (time > trace.end) break;
      pen.lineTo(x(time), y(number));
      number += step;
      pen.lineTo(x(time), y(number));
    }
    pen.lineTo(right, y(number));
    pen.lineTo(right, bottom);
    pen.fill();
    pen.stroke();
    pen.strokeStyle = colour("failed");
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.moveTo(left, y(one.limit) + 0.5);
    pen.lineTo(right, y(one.limit) + 0.5);
    pen.stroke();
    pen.setLineDash([]);
    pen.textAlign = "left";
    pen.fillStyle = colour("failed");
    pen.fillText("limit " + one.limit, left + 6, y(one.limit) - 8);
  }
  for (const event of one.events) {
    const gaveUp = trace.kind[event] === K.intensity_exceeded;
    pen.fillStyle = colour(event >= app.now ? "waiting" : gaveUp ? "failed" : "accent");
    pen.beginPath();
    pen.arc(x(trace.time[event]), y(trace.value[event]), gaveUp ? 5.5 : 4, 0, 7);
    pen.fill();
  }
  pen.strokeStyle = colour("faint");
  pen.beginPath();
  pen.moveTo(x(app.time), top);
  pen.lineTo(x(app.time), bottom);
  pen.stroke();
}
