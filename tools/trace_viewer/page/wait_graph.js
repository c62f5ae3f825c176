// Who waits for whom at a moment, and whether anybody waits in a circle.
// An edge is { from, to, what, how, since }: `to` is 0 if what is waited for is no node. Edges are what was recorded
// (waits, leases, dependencies) and what follows from the tree (a scope ends after its children).

const MOST_EDGES = 20000;

function waitsAt(now) {
  const edges = [];
  recordedWaits(now, edges);
  dependencyWaits(now, edges);
  joins(now, edges);
  const byNode = new Map(),
    byTarget = new Map();
  const add = (map, key, edge) => (map.has(key) ? map.get(key).push(edge) : map.set(key, [edge]));
  for (const edge of edges) {
    add(byNode, edge.from, edge);
    if (edge.to) add(byTarget, edge.to, edge);
  }
  const cycles = findCycles(byNode);
  return { now, edges, byNode, byTarget, cycles, blockers: findBlockers(byNode, byTarget) };
}

function recordedWaits(now, edges) {
  const pools = new Set();
  for (const event of model.waits) {
    if (event >= now || edges.length >= MOST_EDGES) break;
    const from = trace.subject[event];
    if ((model.waitEnd.get(event) ?? NEVER) < now || hadEnded(from, now)) continue;
    const to = trace.value[event];
    const what = trace.texts[trace.text[event]] || "something";
    edges.push({ from, to, what, how: to && model.kind[to] === POOL ? "a lease" : what, since: timeOf(event) });
    if (to && model.kind[to] === POOL) pools.add(to);
  }
  // A pool that is waited for waits for those who hold what it has.
  for (const pool of pools)
    for (const [holder, since] of holders(pool, now))
      edges.push({ from: pool, to: holder, what: "", how: "to give its lease back", since });
}

function holders(pool, now) {
  const held = new Map();
  const { start, items } = model.eventsOf;
  for (let i = start[pool]; i < start[pool + 1] && items[i] < now; ++i) {
    const kind = trace.kind[items[i]],
      who = trace.value[items[i]];
    if (kind === K.lease_granted && who) held.set(who, timeOf(items[i]));
    else if (kind === K.lease_returned || kind === K.lease_reclaimed) held.delete(who);
  }
  return held;
}

function dependencyWaits(now, edges) {
  for (const event of model.dependencies) {
    if (event >= now || edges.length >= MOST_EDGES) break;
    const from = trace.subject[event],
      to = trace.value[event];
    if (model.readyEvent[from] < now || hadEnded(from, now) || hadEnded(to, now)) continue;
    edges.push({ from, to, what: "", how: "to end well", since: timeOf(event) });
  }
}

// A scope that takes no more children, or was asked to stop, waits for those it has; a manager that shuts down
// likewise.
function joins(now, edges) {
  model.closing ??= closingEvents();
  const seen = new Set();
  for (const event of model.closing) {
    if (event >= now || edges.length >= MOST_EDGES) break;
    const from = trace.subject[event];
    if (hadEnded(from, now) || seen.has(from)) continue;
    seen.add(from);
    const { start, items } = model.childrenOf;
    let left = 200;
    for (let i = start[from]; i < start[from + 1] && left > 0; ++i) {
      const child = items[i];
      if (!existed(child, now) || hadEnded(child, now) || model.kind[child] === POOL || model.kind[child] === BREAKER)
        continue;
      --left;
      edges.push({ from, to: child, what: "", how: "to end", since: timeOf(event) });
    }
  }
}

function closingEvents() {
  const found = [];
  for (let i = 0; i < trace.count; ++i) {
    const kind = trace.kind[i];
    if (
      kind === K.scope_closed ||
      kind === K.manager_shutdown_began ||
      (kind === K.cancel_asked && (model.kind[trace.subject[i]] === SCOPE || model.kind[trace.subject[i]] === MANAGER))
    )
      found.push(i);
  }
  return found;
}

// Nodes that wait for themselves in the end: Tarjan's strongly connected components, without recursion.
function findCycles(byNode) {
  const index = new Map(),
    low = new Map(),
    onStack = new Set(),
    stack = [],
    cycles = [];
  const targets = node => byNode.get(node) ?? NONE;
  for (const first of byNode.keys()) {
    if (index.has(first)) continue;
    const work = [[first, 0]];
    while (work.length) {
      const top = work[work.length - 1];
      const [node, at] = top;
      if (at === 0) {
        index.set(node, index.size);
        low.set(node, index.get(node));
        stack.push(node);
        onStack.add(node);
      }
      const edges = targets(node);
      if (at < edges.length) {
        ++top[1];
        const to = edges[at].to;
        if (!to) continue;
        if (!index.has(to)) work.push([to, 0]);
        else if (onStack.has(to)) low.set(node, Math.min(low.get(node), index.get(to)));
        if (top[1] === 0) ++top[1];
        continue;
      }
      work.pop();
      if (work.length) {
        const above = work[work.length - 1][0];
        low.set(above, Math.min(low.get(above), low.get(node)));
      }
      if (low.get(node) !== index.get(node)) continue;
      const part = [];
      let member;
      do {
        member = stack.pop();
        onStack.delete(member);
        part.push(member);
      } while (member !== node);
      if (part.length > 1 || edges.some(edge => edge.to === node)) cycles.push(part.reverse());
    }
  }
  return cycles;
}

// Who is waited for and waits for nobody, by how many wait for it in the end.
function findBlockers(byNode, byTarget) {
  const found = [];
  for (const node of byTarget.keys()) {
    if (byNode.has(node)) continue;
    const seen = new Set([node]);
    const queue = [node];
    for (let at = 0; at < queue.length && seen.size < 5000; ++at)
      for (const edge of byTarget.get(queue[at]) ?? NONE)
        if (!seen.has(edge.from)) {
          seen.add(edge.from);
          queue.push(edge.from);
        }
    found.push({ node, waiters: seen.size - 1, shutdown: queue.some(each => shutsDown(each)) });
    if (found.length >= 500) break;
  }
  return found.sort((a, b) => b.waiters - a.waiters).slice(0, 10);
}

function shutsDown(node) {
  if (model.kind[node] !== MANAGER) return false;
  const { start, items } = model.eventsOf;
  for (let i = start[node]; i < start[node + 1] && items[i] < app.now; ++i)
    if (trace.kind[items[i]] === K.manager_shutdown_began || trace.kind[items[i]] === K.cancel_asked) return true;
  return false;
}
