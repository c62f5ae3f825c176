// Nodes: everything that was alive at some moment, as columns; node 0 is above the roots. Built once, then only read.
// Invariants: parents form a tree (a damaged file's circles are cut); events, children and effects are listed in the
// order of recording; a place in the events of -1 means "before the first event that was kept".

const NEVER = 0x7fffffff; // a place that no event has

function buildModel(trace) {
  const n = trace.header.nodes + 1;
  const m = {
    n,
    kind: new Uint8Array(n),
    parent: new Uint32Array(n),
    name: new Uint32Array(n),
    bornEvent: new Int32Array(n).fill(NEVER),
    readyEvent: new Int32Array(n).fill(NEVER),
    startEvent: new Int32Array(n).fill(NEVER),
    endEvent: new Int32Array(n).fill(NEVER),
    failEvent: new Int32Array(n).fill(NEVER),
    bornBefore: new Float64Array(n).fill(NaN), // when, if before the first event
    snapState: new Uint8Array(n).fill(255),
    outcome: new Int8Array(n).fill(OPEN),
    restarts: new Uint16Array(n),
    restartsBefore: new Uint16Array(n), // as the snapshot counted them
    asked: new Int8Array(n).fill(-1), // the kind of reason for which it was first asked to stop
    dependencies: [], // places of `dependency` events
    waits: [], // places of `wait_began` events
    waitEnd: new Map(), // of a wait_began: the place of its wait_ended
    restartEvents: [],
    gaveUp: new Map(), // by supervisor: when it gave up
    failures: [], // places of events that are failures, for jumping from one to the next
    laneEvents: [],
    suspensions: [], // places of task_suspended and task_resumed
  };
  takeSnapshot(trace, m);
  readEvents(trace, m);
  cutCircles(m);
  m.eventsOf = groupBy(trace.subject, n);
  m.childrenOf = groupBy(parentsOf(m), n);
  sortChildren(m);
  m.effectsOf = groupBy(trace.cause, trace.count);
  m.order = preorder(m);
  return m;
}

function takeSnapshot(trace, m) {
  const from = trace.header.beginsNs;
  for (const [node, parent, since, text, kind, state, restarts] of trace.header.alive) {
    m.kind[node] = kind;
    m.parent[node] = parent;
    m.name[node] = text;
    m.bornEvent[node] = -1;
    m.bornBefore[node] = since - from;
    m.snapState[node] = state;
    m.restarts[node] = m.restartsBefore[node] = restarts;
  }
}

function readEvents(trace, m) {
  const { subject, kind, value, text, time } = trace;
  const { reasons } = trace.header;
  for (let i = 0; i < trace.count; ++i) {
    const who = subject[i];
    switch (kind[i]) {
      case K.manager_created:
        born(i, who, MANAGER);
        break;
      case K.scope_created:
        born(i, who, SCOPE);
        break;
      case K.task_created:
        born(i, who, TASK);
        break;
      case K.resource_registered:
        if (m.kind[who] !== POOL) born(i, who, RESOURCE);
        break;
      case K.pool_created:
        born(i, who, POOL);
        break;
      case K.breaker_created:
        born(i, who, BREAKER);
        break;
      case K.actor_started:
        born(i, who, ACTOR);
        break;
      case K.actor_start_failed:
        if (m.bornEvent[who] === NEVER) born(i, who, ACTOR, true);
        fail(i, who);
        break;
      case K.task_ready:
        m.readyEvent[who] = i;
        break;
      case K.task_started:
        m.startEvent[who] = i;
        break;
      case K.task_suspended:
      case K.task_resumed:
        m.suspensions.push(i);
        break;
      case K.task_ended:
        end(i, who, value[i]);
        break;
      case K.task_skipped:
        end(i, who, SKIPPED);
        break;
      case K.scope_ended:
        end(i, who, scopeOutcome(who, value[i]));
        break;
      case K.manager_ended:
        end(i, who, OK);
        break;
      case K.pool_ended:
        end(i, who, OK);
        break;
      case K.release_ended:
        end(i, who, OK);
        break;
      case K.release_failed:
        end(i, who, FAILED);
        fail(i, who);
        break;
      case K.actor_ended:
        end(i, who, value[i] ? FAILED : OK);
        if (value[i]) fail(i, who);
        break;
      case K.restart_done:
        if (m.bornEvent[who] === NEVER) m.bornEvent[who] = -1;
        if (!m.name[who]) m.name[who] = text[i];
        m.kind[who] ||= ACTOR;
        ++m.restarts[who];
        m.endEvent[who] = NEVER; // it lives again
        m.outcome[who] = OPEN;
        break;
      case K.restart_decided:
        m.restartEvents.push(i);
        m.kind[who] ||= ACTOR;
        break;
      case K.intensity_exceeded:
        m.gaveUp.set(who, i);
        m.restartEvents.push(i);
        fail(i, who);
        break;
      case K.failure:
        fail(i, who);
        break;
      case K.unresponsive:
        fail(i, who);
        break;
      case K.cancel_asked:
        if (m.asked[who] < 0) m.asked[who] = value[i];
        break;
      case K.dependency:
        m.dependencies.push(i);
        break;
      case K.wait_began:
        m.waits.push(i);
        break;
      case K.wait_ended:
        if (trace.cause[i] >= 0) m.waitEnd.set(trace.cause[i], i);
        break;
      case K.lane_grown:
      case K.lane_shrunk:
      case K.lane_saturated:
        m.laneEvents.push(i);
        break;
    }
    if (who && m.bornEvent[who] === NEVER) guess(i, who);
  }

  function born(i, who, what, silent) {
    m.kind[who] = what;
    m.parent[who] = value[i];
    if (!silent) m.name[who] = text[i];
    if (m.bornEvent[who] !== -1) m.bornEvent[who] = i;
  }
  function end(i, who, how) {
    m.endEvent[who] = i;
    m.outcome[who] = how >= OK && how <= SKIPPED ? how : FAILED;
    if (m.kind[who] === TASK && (how === FAILED || how === TIMED_OUT) && m.failEvent[who] === NEVER) fail(i, who);
  }
  function fail(i, who) {
    if (m.failEvent[who] === NEVER) m.failEvent[who] = i;
    m.failures.push(i);
  }
  // A scope says only whether it ended well; how badly follows from what it was asked to stop for.
  function scopeOutcome(who, flawed) {
    if (!flawed) return OK;
    return (
      { timeout: TIMED_OUT, user: CANCELLED, "parent cancelled": CANCELLED, shutdown: CANCELLED }[
        reasons[m.asked[who]]
      ] ?? FAILED
    );
  }
  // Its beginning has been overwritten; the group of the kind tells what it is.
  function guess(i, who) {
    m.bornEvent[who] = -1;
    m.bornBefore[who] = Math.min(0, time[i]);
    if (!m.kind[who])
      m.kind[who] =
        [0, MANAGER, SCOPE, TASK, ACTOR, RESOURCE][kind[i] >> 4] ??
        (kind[i] >> 4 === 11 ? POOL : kind[i] >> 4 === 12 ? BREAKER : UNKNOWN);
  }
}

// Follows parents upwards from each node, colouring what has been seen; a node met twice on one way is made a root.
function cutCircles(m) {
  const colour = new Uint32Array(m.n);
  for (let node = 1; node < m.n; ++node) {
    if (m.parent[node] >= m.n) m.parent[node] = 0;
    let at = node;
    while (at && !colour[at]) {
      colour[at] = node;
      const up = m.parent[at];
      if (up && colour[up] === node) {
        m.parent[at] = 0;
        break;
      }
      at = up;
    }
  }
}

// Whoever is only spoken of (the other end of a link, say) has no place in the tree.
function parentsOf(m) {
  const parents = new Int32Array(m.n).fill(-1);
  const named = new Uint8Array(m.n);
  for (let node = 1; node < m.n; ++node) if (m.bornEvent[node] !== NEVER) named[m.parent[node]] = 1;
  for (let node = 1; node < m.n; ++node)
    if (m.bornEvent[node] !== NEVER || named[node]) {
      parents[node] = m.parent[node];
      if (m.bornEvent[node] === NEVER) m.bornEvent[node] = -1;
    }
  return parents;
}

// Node numbers follow ids, which follow the order of birth but for rare cases.
function sortChildren(m) {
  const { start, items } = m.childrenOf;
  for (let node = 0; node < m.n; ++node) {
    let sorted = true;
    for (let i = start[node] + 1; sorted && i < start[node + 1]; ++i)
      sorted = m.bornEvent[items[i - 1]] <= m.bornEvent[items[i]];
    if (!sorted) items.subarray(start[node], start[node + 1]).sort((a, b) => m.bornEvent[a] - m.bornEvent[b] || a - b);
  }
}

// Every node before its children; `size[node]` counts the node and all below it, so that a subtree is one stretch.
function preorder(m) {
  const { start, items } = m.childrenOf;
  const list = new Uint32Array(items.length);
  const place = new Int32Array(m.n).fill(-1);
  const size = new Uint32Array(m.n);
  const depth = new Uint16Array(m.n);
  const stack = [];
  let length = 0;
  const push = node => {
    for (let i = start[node + 1]; i-- > start[node];) stack.push(items[i]);
  };
  push(0);
  while (stack.length) {
    const node = stack.pop();
    depth[node] = m.parent[node] ? Math.min(65535, depth[m.parent[node]] + 1) : 0;
    place[node] = length;
    list[length++] = node;
    push(node);
  }
  for (let i = length; i-- > 0;) {
    const node = list[i];
    size[node] += 1;
    size[m.parent[node]] += size[node];
  }
  return { list: list.subarray(0, length), place, size, depth };
}

// ---- asking one node ------------------------------------------------------------------------------------------------

function nameOf(node) {
  if (!node) return "nobody";
  const text = trace.texts[model.name[node]];
  return text || NODE_KINDS[model.kind[node]] + " #" + trace.ids[node - 1];
}

// Names from the root down; the middle of a very long way is left out.
function pathOf(node) {
  const names = [];
  for (let at = node; at && names.length < 4000; at = model.parent[at]) names.push(nameOf(at));
  names.reverse();
  if (names.length > 12) names.splice(4, names.length - 9, "…");
  return names.join("/");
}

function bornAt(node) {
  const event = model.bornEvent[node];
  return event >= 0 && event !== NEVER ? trace.time[event] : model.bornBefore[node];
}

function timeOf(event) {
  return event === NEVER ? NaN : event < 0 ? 0 : trace.time[event];
}
