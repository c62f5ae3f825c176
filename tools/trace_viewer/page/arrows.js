// Arrows of the chosen node on the timeline: from what it depends on, and along the chain of causes that decided it.

const MOST_ARROWS = 60;

function drawArrows(pen) {
  const node = app.node;
  if (!node) return;
  let left = MOST_ARROWS;
  for (const event of dependenciesOf(node)) {
    if (left-- <= 0) return;
    const waiter = trace.subject[event],
      needed = trace.value[event];
    const end = model.endEvent[needed] < NEVER ? timeOf(model.endEvent[needed]) : trace.end;
    const ready = timeOf(model.readyEvent[waiter]);
    arrow(pen, needed, end, waiter, Number.isNaN(ready) ? Math.max(end, timeOf(event)) : ready, "quiet", [2, 2]);
  }
  const decisive = decisiveEvent(node);
  if (decisive < 0) return;
  const { chain } = causeChain(decisive);
  const named = chain.filter(event => !isLife(event)).slice(-MOST_ARROWS);
  for (let i = 1; i < named.length; ++i)
    if (trace.subject[named[i]] !== trace.subject[named[i - 1]])
      arrow(
        pen,
        trace.subject[named[i - 1]],
        timeOf(named[i - 1]),
        trace.subject[named[i]],
        timeOf(named[i]),
        "failed",
        [],
      );
}

// The `dependency` events in which a node has a part, on either side.
function dependenciesOf(node) {
  model.dependenciesBy ??= indexDependencies();
  return model.dependenciesBy.get(node) ?? [];
}

function indexDependencies() {
  const by = new Map();
  const add = (node, event) => (by.has(node) ? by.get(node).push(event) : by.set(node, [event]));
  for (const event of model.dependencies) {
    add(trace.subject[event], event);
    add(trace.value[event], event);
  }
  return by;
}

function arrow(pen, from, fromTime, to, toTime, colourName, dash) {
  const fromRow = rowOf(from),
    toRow = rowOf(to);
  if (fromRow < 0 || toRow < 0 || fromRow === toRow) return;
  const x1 = xAt(fromTime),
    y1 = yOfRow(fromRow),
    x2 = xAt(toTime),
    y2 = yOfRow(toRow);
  if (Math.max(x1, x2) < GUTTER - 200 || Math.min(x1, x2) > timeline.canvas.clientWidth + 200) return;
  const down = y2 > y1 ? 1 : -1;
  const bend = Math.max(14, Math.min(60, Math.abs(y2 - y1) / 3));
  const tip = y2 - down * 7;
  pen.strokeStyle = pen.fillStyle = colour(colourName);
  pen.lineWidth = 1.5;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(x1, y1 + down * 5);
  if (Math.abs(x2 - x1) < 3)
    pen.bezierCurveTo(x1 + bend / 2, y1 + (tip - y1) / 3, x2 + bend / 2, y1 + ((tip - y1) * 2) / 3, x2, tip - down * 5);
  else pen.bezierCurveTo(x1, y1 + down * bend, x2, tip - down * bend, x2, tip - down * 5);
  pen.stroke();
  pen.setLineDash([]);
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x2, tip + down);
  pen.lineTo(x2 - 4, tip - down * 6);
  pen.lineTo(x2 + 4, tip - down * 6);
  pen.fill();
}
