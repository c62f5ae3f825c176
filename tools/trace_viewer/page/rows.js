// Which rows the tree and the timeline show: the tree flattened as far as it is open, with siblings that repeat folded
// into one row. Tree and timeline share the rows.

const FOLD_FROM = 6; // so many of one name are folded
const APART_AT_MOST = 12; // so few that failed are shown beside their fold

const rows = {
  node: [], // of each row; 0 for a fold and for what the snapshot only counted
  fold: [], // the fold, or null
  depth: [],
  open: null, // by node: 1 if its children are shown
  openFolds: new Set(),
  filter: "all",
  at: new Map(), // row by node
  entries: new Map(), // by node: its children as listed
  counted: null, // by node: what the snapshot only counted
  patterns: null, // by text: number of its pattern, in which digits do not count
};

const NONE = [];

function initRows() {
  rows.counted = new Map();
  for (const each of trace.header.folded)
    if (rows.counted.has(each[0])) rows.counted.get(each[0]).push(each);
    else rows.counted.set(each[0], [each]);
  const numbers = new Map();
  rows.patterns = new Uint32Array(trace.texts.length);
  rows.patternNames = [];
  trace.texts.forEach((text, id) => {
    const pattern = text.replace(/\d+/g, "#");
    if (!numbers.has(pattern)) {
      numbers.set(pattern, numbers.size);
      rows.patternNames.push(pattern);
    }
    rows.patterns[id] = numbers.get(pattern);
  });
  rows.open = new Uint8Array(model.n);
  openAtFirst();
}

// Opens from the top, level by level, for about a screen and a half of rows.
function openAtFirst() {
  let level = [0],
    shown = 0;
  while (level.length && shown < 60) {
    const next = [];
    for (const node of level) {
      const entries = entriesOf(node);
      if (node && shown + entries.length > 80) continue;
      rows.open[node] = 1;
      shown += entries.length;
      for (const entry of entries) {
        if (typeof entry === "number") {
          if (hasChildren(entry)) next.push(entry);
        } else if (shown < 12 && entry.members.length <= 40) {
          rows.openFolds.add(entry.key);
          shown += entry.members.length;
          next.push(...entry.members);
        }
      }
    }
    level = next;
  }
  for (const event of model.failures.slice(0, 6))
    for (let at = model.parent[trace.subject[event]]; at; at = model.parent[at]) rows.open[at] = 1;
}

function hasChildren(node) {
  return model.childrenOf.start[node + 1] > model.childrenOf.start[node] || foldedBelow(node).length > 0;
}

function foldedBelow(node) {
  return rows.counted.get(node) ?? NONE;
}

// The children of a node: numbers, folds { key, name, kind, members } and counts { key, counted, state }.
function entriesOf(node) {
  let entries = rows.entries.get(node);
  if (!entries) rows.entries.set(node, (entries = makeEntries(node)));
  return entries;
}

function makeEntries(node) {
  const { start, items } = model.childrenOf;
  const children = items.subarray(start[node], start[node + 1]);
  const groups = new Map();
  const groupOf = child => groups.get(rows.patterns[model.name[child]] * 8 + model.kind[child]);
  const failed = child => model.outcome[child] === FAILED || model.outcome[child] === TIMED_OUT;
  for (const child of children) {
    const key = rows.patterns[model.name[child]] * 8 + model.kind[child];
    let group = groups.get(key);
    if (!group)
      groups.set(key, (group = { key, size: 0, failed: 0, name: model.name[child], oneName: true, fold: null }));
    ++group.size;
    if (failed(child)) ++group.failed;
    group.oneName &&= group.name === model.name[child];
    group.lastName = model.name[child];
  }
  for (const group of groups.values()) {
    group.apart = group.failed <= APART_AT_MOST ? group.failed : 0;
    group.folds = group.size - group.apart >= FOLD_FROM;
  }
  const entries = [];
  for (const child of children) {
    const group = groupOf(child);
    if (!group.folds || (group.apart && failed(child))) {
      entries.push(child);
      continue;
    }
    if (!group.fold) {
      group.fold = {
        key: node + ":" + group.key,
        parent: node,
        kind: model.kind[child],
        name: group.oneName ? nameOrKind(child) : commonName(child, group.lastName),
        members: new Uint32Array(group.size - group.apart),
        length: 0,
      };
      entries.push(group.fold);
    }
    group.fold.members[group.fold.length++] = child;
  }
  for (const [, state, number] of foldedBelow(node))
    entries.push({
      key: node + ":counted:" + state,
      parent: node,
      kind: TASK,
      counted: number,
      state,
      name: "tasks",
      members: [],
    });
  return entries;
}

// "order-#"; where there are only digits, "1 … 200" says more than "#".
function commonName(first, last) {
  const pattern = rows.patternNames[rows.patterns[model.name[first]]];
  return /[^#\W_]/u.test(pattern) ? pattern : trace.texts[model.name[first]] + " … " + trace.texts[last];
}

function nameOrKind(node) {
  return trace.texts[model.name[node]] || NODE_KINDS[model.kind[node]];
}

// Rebuilds the rows as of a moment. The work is that of the children of open nodes.
function layRows(now) {
  const wanted = rows.filter === "all" ? null : wantedNodes(now);
  rows.node = [];
  rows.fold = [];
  rows.depth = [];
  rows.at.clear();
  const stack = [{ entries: entriesOf(0), at: 0, depth: 0 }];
  while (stack.length) {
    const top = stack[stack.length - 1];
    if (top.at === top.entries.length) {
      stack.pop();
      continue;
    }
    const entry = top.entries[top.at++];
    if (typeof entry === "number") {
      if (!existed(entry, now) || (wanted && !wanted[entry])) continue;
      add(entry, null, top.depth);
      if (rows.open[entry] && hasChildren(entry))
        stack.push({ entries: entriesOf(entry), at: 0, depth: top.depth + 1 });
    } else if (entry.counted) {
      if (rows.filter !== "failed") add(0, entry, top.depth);
    } else {
      if (!existed(entry.members[0], now) || (wanted && !entry.members.some(node => wanted[node]))) continue;
      add(0, entry, top.depth);
      if (rows.openFolds.has(entry.key)) stack.push({ entries: entry.members, at: 0, depth: top.depth + 1 });
    }
  }

  function add(node, fold, depth) {
    if (node) rows.at.set(node, rows.node.length);
    rows.node.push(node);
    rows.fold.push(fold);
    rows.depth.push(depth);
  }
}

// With a filter: what matches, and all above it.
function wantedNodes(now) {
  const wanted = new Uint8Array(model.n);
  const { list } = model.order;
  const alive = rows.filter === "alive";
  for (let i = list.length; i-- > 0;) {
    const node = list[i];
    if (alive ? existed(node, now) && !hadEnded(node, now) : hadFailed(node, now)) wanted[node] = 1;
    if (wanted[node]) wanted[model.parent[node]] = 1;
  }
  return wanted;
}

// How the members of a fold stood at a moment: numbers by task code, and how many there were.
function foldMix(fold, now) {
  if (fold.mixAt === now) return fold.mix;
  const mix = new Uint32Array(TASK_CODES.length);
  let there = 0;
  for (const node of fold.members) {
    if (!existed(node, now)) continue;
    ++there;
    if (model.kind[node] === TASK) ++mix[taskCode(node, now)];
    else ++mix[hadEnded(node, now) ? model.outcome[node] : CODE_RUNNING];
  }
  fold.mix = mix;
  fold.mixAt = now;
  fold.there = there;
  return mix;
}

// Opens everything above a node, its fold included, so that it has a row.
function openTo(node) {
  for (let at = node; at; at = model.parent[at]) {
    const parent = model.parent[at];
    rows.open[parent] = 1;
    for (const entry of entriesOf(parent))
      if (typeof entry !== "number" && entry.members.includes(at)) rows.openFolds.add(entry.key);
  }
}

// The row of a node, or of what it is hidden in; -1 if there is none.
function rowOf(node) {
  for (let at = node; at; at = model.parent[at]) {
    const row = rows.at.get(at);
    if (row !== undefined) return row;
    for (let i = 0; i < rows.fold.length && i < 5000; ++i)
      if (rows.fold[i] && rows.fold[i].parent === model.parent[at] && rows.fold[i].members.includes(at)) return i;
  }
  return -1;
}

function toggleRow(row, open) {
  const fold = rows.fold[row];
  if (fold) {
    if (fold.counted) return;
    const now = open ?? !rows.openFolds.has(fold.key);
    if (now) rows.openFolds.add(fold.key);
    else rows.openFolds.delete(fold.key);
  } else {
    rows.open[rows.node[row]] = (open ?? !rows.open[rows.node[row]]) ? 1 : 0;
  }
  app.relay();
}

function isOpen(row) {
  return rows.fold[row] ? rows.openFolds.has(rows.fold[row].key) : rows.open[rows.node[row]] === 1;
}
function canOpen(row) {
  return rows.fold[row] ? !rows.fold[row].counted : hasChildren(rows.node[row]);
}
