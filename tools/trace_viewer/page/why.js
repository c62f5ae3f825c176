// Why something went wrong: a walk back along the causes that the runtime recorded, and what came of it.

// The event that decided how the node ended, or what went wrong with it so far; -1 if nothing did.
function decisiveEvent(node) {
  const { start, items } = model.eventsOf;
  let found = -1,
    rank = 0;
  for (let i = start[node]; i < start[node + 1]; ++i) {
    const event = items[i];
    const weight = weightOf(trace.kind[event], trace.value[event]);
    // Of equals the first: what came later was known already. But a supervisor's last word is what ended it.
    if (weight > rank) {
      rank = weight;
      found = event;
    }
  }
  return found;
}

function weightOf(kind, value) {
  switch (kind) {
    case K.intensity_exceeded:
      return 9;
    case K.failure:
    case K.release_failed:
    case K.actor_start_failed:
      return 8;
    case K.unresponsive:
      return 7;
    case K.cancel_asked:
      return 6;
    case K.timeout:
      return 5;
    case K.task_skipped:
      return 5;
    case K.actor_ended:
      return value ? 5 : 0;
    case K.task_ended:
    case K.scope_ended:
      return value ? 4 : 0;
    case K.breaker_opened:
      return 4;
    case K.manager_shutdown_stalled:
    case K.pool_create_failed:
      return 4;
    case K.restart_decided:
    case K.retry_gave_up:
      return 3;
    default:
      return 0;
  }
}

// Events from the root to `event`, and whether the chain begins before what was kept. Whoever was skipped was so
// because of a dependency that did not end well: there the chain goes on with that one.
function causeChain(event) {
  const chain = [];
  const seen = new Set();
  let at = event;
  for (; at >= 0 && !seen.has(at); at = causeOf(at)) {
    seen.add(at);
    chain.push(at);
  }
  chain.reverse();
  return { chain, lost: at === LOST_CAUSE };
}

function causeOf(event) {
  const kind = trace.kind[event];
  if (kind === K.task_skipped || (kind === K.task_ended && trace.value[event] === SKIPPED)) {
    const culprit = failedDependency(trace.subject[event], event);
    const why = culprit ? decisiveEvent(culprit) : -1;
    if (why >= 0 && why < event) return why;
  }
  return trace.cause[event];
}

// The first of what a task comes after that had ended, and not well; 0 if there is none.
function failedDependency(node, before) {
  for (const event of dependenciesOf(node)) {
    const needed = trace.value[event];
    if (trace.subject[event] === node && model.endEvent[needed] < before && model.outcome[needed] !== OK) return needed;
  }
  return 0;
}

// What failed further down, first things first: where the error of a scope or of the task that opened it came from.
function failedBelow(node, limit = 5) {
  const { list, place, size } = model.order;
  const found = [];
  for (let i = place[node] + 1; i < place[node] + size[node]; ++i)
    if (model.failEvent[list[i]] < NEVER) found.push(list[i]);
  return found.sort((a, b) => model.failEvent[a] - model.failEvent[b]).slice(0, limit);
}

// What is only the course of a life, and no link that anybody asks for.
const LIFE = new Set([
  "manager_created",
  "scope_created",
  "task_created",
  "task_ready",
  "task_started",
  "task_suspended",
  "task_resumed",
  "actor_started",
  "resource_registered",
  "pool_created",
  "breaker_created",
  "scope_closed",
  "note",
  "progress",
]);
const BAD = new Set([
  "failure",
  "timeout",
  "unresponsive",
  "intensity_exceeded",
  "release_failed",
  "actor_start_failed",
  "breaker_opened",
  "manager_shutdown_stalled",
  "retry_gave_up",
  "pool_create_failed",
]);

function isLife(event) {
  return LIFE.has(KIND_NAMES[trace.kind[event]]);
}
function isBad(event) {
  const name = KIND_NAMES[trace.kind[event]];
  return BAD.has(name) || (name === "actor_ended" && trace.value[event] !== 0);
}

// The first thing of the chain that went wrong: who is to blame.
function culprit(chain) {
  return chain.find(isBad) ?? chain.find(event => !isLife(event)) ?? -1;
}

// A timeout names no limit in the request that followed it, but stands just before it, at the same node.
function timeoutBefore(event) {
  if (trace.kind[event] !== K.cancel_asked || trace.header.reasons[trace.value[event]] !== "timeout") return -1;
  const { start, items } = model.eventsOf;
  const node = trace.subject[event];
  const at = upperBound(items, event, start[node], start[node + 1]) - 2;
  return at >= start[node] && trace.kind[items[at]] === K.timeout && trace.time[items[at]] <= trace.time[event]
    ? items[at]
    : -1;
}

// What the event led to, link by link, grouped by kind: Map kind -> nodes. Bounded: a scope may have a million
// children.
function effects(event, limit = 100000) {
  const { start, items } = model.effectsOf;
  const found = new Map();
  const queue = [event];
  let seen = 0;
  for (let at = 0; at < queue.length && seen < limit; ++at)
    for (let i = start[queue[at]]; i < start[queue[at] + 1] && seen < limit; ++i) {
      ++seen;
      const effect = items[i];
      queue.push(effect);
      if (isLife(effect)) continue;
      const kind = trace.kind[effect];
      if (!found.has(kind)) found.set(kind, []);
      found.get(kind).push(effect);
    }
  return found;
}
