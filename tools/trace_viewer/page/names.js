// Words and numbers as they are shown: safe texts, times, counts, states.
// Invariant: a text of the trace passes through `printable` once, when it is read, and is then put into the document as
// text only.

const NODE_KINDS = ["unknown", "manager", "scope", "task", "actor", "resource", "pool", "breaker"];
const [UNKNOWN, MANAGER, SCOPE, TASK, ACTOR, RESOURCE, POOL, BREAKER] = NODE_KINDS.keys();
const GLYPHS = ["·", "◆", "▣", "▸", "●", "▪", "≡", "◑"];

const OUTCOMES = ["ok", "failed", "timed_out", "cancelled", "skipped"];
const OUTCOME_WORDS = ["ok", "failed", "timed out", "cancelled", "skipped"];
const [OK, FAILED, TIMED_OUT, CANCELLED, SKIPPED] = OUTCOMES.keys();
const OPEN = -1;

const TASK_STATES = ["waiting", "held", "ready", "running", "ending", "ended", "suspended"];
const TASK_SUSPENDED = TASK_STATES.indexOf("suspended");

// Control characters, and those that turn the direction of the text around them, are shown by number. What was not
// UTF-8 has become U+FFFD on the way here.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function printable(text) {
  return text.replace(UNPRINTABLE, c => {
    if (c === "\n") return "⏎ ";
    if (c === "\t") return " ";
    return "‹" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "›";
  });
}

function count(number) {
  return Math.round(number).toLocaleString("en-US");
}

function plural(number, one, many = one + "s") {
  return count(number) + " " + (number === 1 ? one : many);
}

// Three digits that mean something: 1.23 s, 45.6 ms, 789 µs.
function span(ns) {
  const size = Math.abs(ns);
  if (size < 1e3) return Math.round(ns) + " ns";
  const [unit, of] = size < 999.5e3 ? ["µs", 1e3] : size < 999.5e6 ? ["ms", 1e6] : ["s", 1e9];
  const number = ns / of;
  if (of === 1e9 && size >= 120e9) {
    const minutes = Math.floor(size / 60e9);
    const sign = ns < 0 ? "-" : "";
    if (minutes < 120) return sign + minutes + " min " + Math.floor((size / 1e9) % 60) + " s";
    return sign + Math.floor(minutes / 60) + " h " + (minutes % 60) + " min";
  }
  const digits = Math.abs(number) < 9.995 ? 2 : Math.abs(number) < 99.95 ? 1 : 0;
  return trimZeros(number.toFixed(digits)) + " " + unit;
}

function trimZeros(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// How long after the first event.
function offset(ns) {
  return ns === 0 ? "0" : "+" + span(ns);
}

// A moment, from the first event on: with as many digits as the step between marks needs.
function moment(ns, step = 1e3) {
  const digits = step >= 1e9 ? 0 : step >= 1e6 ? 3 : step >= 1e3 ? 6 : 9;
  return (ns / 1e9).toFixed(digits) + " s";
}

// Nice steps for the marks of an axis: 1, 2 or 5 times a power of ten, about `wanted` of them.
function niceStep(range, wanted) {
  const rough = range / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
}
