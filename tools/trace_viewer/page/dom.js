// Making elements. Texts go in as text; nothing here or elsewhere on the page turns a text into markup.

const $ = id => document.getElementById(id);

// el("li", { class: "bad", onclick: f }, "text", another)
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-") && value !== null) made.setAttribute(name, String(value));
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return made;
}

function mark(colour) {
  const made = el("span", { class: "mark", "aria-hidden": "true" });
  made.style.background = `var(--${colour})`;
  return made;
}

// A name that chooses its node when it is pressed.
function nodeLink(node, text = nameOf(node)) {
  if (!node) return el("span", { class: "quiet" }, text);
  return el(
    "button",
    { class: "link", type: "button", title: pathOf(node), onclick: () => app.choose(node, true) },
    text,
  );
}

// A moment that goes there when it is pressed.
function eventTime(event) {
  return el(
    "button",
    { class: "at", type: "button", title: "Go to this moment", onclick: () => app.goTo(event + 1) },
    offset(trace.time[event]),
  );
}

const colours = new Map();
function colour(name) {
  if (!colours.has(name))
    colours.set(
      name,
      getComputedStyle(document.documentElement)
        .getPropertyValue("--" + name)
        .trim(),
    );
  return colours.get(name);
}

// Sizes a canvas to its box in device pixels; drawing then counts in CSS pixels.
function fitCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

const SANS = 'ui-sans-serif, system-ui, "Segoe UI", "Noto Sans", "Liberation Sans", sans-serif';

// Cuts a text to a width in pixels, with … at the end. Measuring is slow, so what was cut is kept for the next frames.
const fitted = new Map();
function fitText(pen, text, width) {
  const key = Math.floor(width) + pen.font + text;
  let found = fitted.get(key);
  if (found === undefined) {
    if (fitted.size > 5000) fitted.clear();
    fitted.set(key, (found = cutText(pen, text, width)));
  }
  return found;
}

function cutText(pen, text, width) {
  if (text.length > 400) text = text.slice(0, 400);
  if (pen.measureText(text).width <= width) return text;
  let low = 0,
    high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pen.measureText(text.slice(0, middle) + "…").width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? text.slice(0, low) + "…" : "";
}

// One redraw a frame, however often it is asked for.
function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

function announce(text) {
  $("live").textContent = text;
}

// Time marks along the top of a canvas.
function drawAxis(pen, left, width, top, bottom, from, to) {
  const step = niceStep(to - from, width / 110);
  pen.font = "11px " + SANS;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const x = Math.round(left + ((at - from) / (to - from)) * width) + 0.5;
    pen.strokeStyle = colour("line-soft");
    pen.beginPath();
    pen.moveTo(x, top);
    pen.lineTo(x, bottom);
    pen.stroke();
    pen.fillStyle = colour("faint");
    pen.fillText(axisLabel(at, step), x + 4, top + 10);
  }
}

function axisLabel(at, step) {
  if (at === 0) return "0";
  const [unit, of] =
    step >= 1e9
      ? ["s", 1e9]
      : step >= 1e6 && Math.abs(at) < 1e9
        ? ["ms", 1e6]
        : step >= 1e6
          ? ["s", 1e9]
          : step >= 1e3
            ? ["ms", 1e6]
            : ["µs", 1e3];
  const digits = Math.max(0, -Math.floor(Math.log10(step / of) + 1e-9));
  return (at / of).toFixed(Math.min(digits, 9)) + " " + unit;
}
