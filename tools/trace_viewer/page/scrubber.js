// The scrubber: chooses the moment that all views show. It draws how many events there were, and where something
// failed.

const scrubber = { canvas: null, bins: null, width: 0 };

function initScrubber() {
  const canvas = (scrubber.canvas = $("scrubber"));
  scrubber.draw = oncePerFrame(drawScrubber);
  const go = event => app.goToTime((event.offsetX / Math.max(1, canvas.clientWidth - 1)) * trace.end);
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId);
    go(event);
    canvas.addEventListener("pointermove", go);
    canvas.addEventListener("pointerup", () => canvas.removeEventListener("pointermove", go), { once: true });
  });
  canvas.addEventListener("keydown", event => {
    const steps = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1 };
    if (!(event.key in steps)) return;
    app.goToTime(app.time + steps[event.key] * trace.end);
    event.preventDefault();
    event.stopPropagation();
  });
  $("to-failure").addEventListener("click", () => jumpToFailure(1));
  $("to-end").addEventListener("click", () => app.goTo(trace.count));
}

// To the next (or last) failure, which is then the chosen node.
function jumpToFailure(direction) {
  const { failures } = model;
  if (!failures.length) return announce("Nothing failed.");
  let at = upperBound(failures, app.now - 1);
  at = direction > 0 ? (at === failures.length ? 0 : at) : Math.max(0, at - 2);
  app.goTo(failures[at] + 1);
  app.choose(trace.subject[failures[at]], true);
  if (app.view === "timeline") zoomToNode(app.node);
  announce(sentenceText(failures[at]));
}

function fillBins(width) {
  if (scrubber.width === width) return;
  scrubber.width = width;
  scrubber.bins = new Uint32Array(width);
  scrubber.bad = new Uint8Array(width);
  const scale = (width - 1) / (trace.end || 1);
  for (let i = 0; i < trace.count; ++i) ++scrubber.bins[(trace.clock[i] * scale) | 0];
  for (const event of model.failures) scrubber.bad[(trace.clock[event] * scale) | 0] = 1;
}

function drawScrubber() {
  const { pen, width, height } = fitCanvas(scrubber.canvas);
  if (width < 2) return;
  fillBins(Math.floor(width));
  const most = scrubber.bins.reduce((a, b) => Math.max(a, b), 1);
  const floor = height - 8;
  const x = (app.time / (trace.end || 1)) * (width - 1);
  pen.fillStyle = colour("line-soft");
  pen.fillRect(0, 0, width, floor);
  // A root, so that a burst leaves the rest in sight.
  const tall = number => (number ? 2 + Math.sqrt(number / most) * (floor - 6) : 0);
  for (const [name, from, to] of [
    ["running", 0, Math.ceil(x)],
    ["waiting", Math.ceil(x), width],
  ]) {
    pen.fillStyle = colour(name);
    pen.beginPath();
    for (let i = from; i < to && i < scrubber.bins.length; ++i) {
      const part = tall(scrubber.bins[i]);
      if (part) pen.rect(i, floor - part, 1, part);
    }
    pen.fill();
  }
  pen.fillStyle = colour("failed");
  for (let i = 0; i < scrubber.bad.length; ++i) if (scrubber.bad[i]) pen.fillRect(i - 1, floor + 2, 3, 5);
  pen.fillStyle = colour("accent");
  pen.fillRect(Math.min(width - 2, Math.max(0, x - 1)), 0, 2, height);
  pen.beginPath();
  pen.roundRect(Math.min(width - 9, Math.max(0, x - 4.5)), 0, 9, 9, 3);
  pen.fill();

  const canvas = scrubber.canvas;
  canvas.setAttribute("aria-valuemin", 0);
  canvas.setAttribute("aria-valuemax", trace.count);
  canvas.setAttribute("aria-valuenow", app.now);
  canvas.setAttribute("aria-valuetext", $("moment").textContent + ", event " + app.now + " of " + trace.count);
}
