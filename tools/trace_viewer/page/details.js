// The panel of the chosen node: what it is, why it went wrong (the chain of causes, root first), what came of that,
// what happened to it.

const MOST_EVENTS = 200;

function drawDetails() {
  const box = $("details");
  const row = app.chosenRow();
  if (app.node) box.replaceChildren(...nodeDetails(app.node));
  else if (row >= 0 && rows.fold[row]) box.replaceChildren(...foldDetails(rows.fold[row]));
  else box.replaceChildren(...overview());
}

function nodeDetails(node) {
  const now = app.now;
  const there = existed(node, now);
  const state = there ? stateAt(node, now) : { word: "not there yet", colour: "waiting" };
  const parent = model.parent[node];
  const facts = [];
  const fact = (word, ...value) => facts.push(el("dt", {}, word), el("dd", { class: "number" }, ...value));
  fact("State", mark(state.colour), " " + state.word);
  if (parent) fact("In", nodeLink(parent));
  const born = bornAt(node);
  if (born < 0) fact("Made", span(-born) + " before the first event kept");
  else if (!Number.isNaN(born)) fact("Made", offset(born));
  const began = beganAt(node, NEVER);
  if (model.kind[node] === TASK && !Number.isNaN(began))
    fact("Started", offset(began) + (began - born > 0 ? ", after " + span(began - born) : ""));
  const end = timeOf(model.endEvent[node]);
  if (!Number.isNaN(end)) fact("Ended", offset(end) + (Number.isNaN(began) ? "" : ", took " + span(end - began)));
  else fact("Ended", "not within the trace");
  if (model.restarts[node]) fact("Restarts", count(model.restarts[node]));
  if (state.says) fact("Leases", state.says);
  const below = model.order.size[node] - 1;
  if (below > 0) fact("Below it", plural(below, "node"));
  fact("Id", String(trace.ids[node - 1]));

  return [
    el(
      "div",
      { class: "head" },
      el("h2", { class: "name", id: "details-name" }, nameOf(node)),
      el("span", { class: "badge" }, NODE_KINDS[model.kind[node]]),
    ),
    el("p", { class: "path name" }, pathOf(node)),
    el("dl", { class: "facts" }, ...facts),
    ...waitDetails(node, now),
    ...blame(node),
    ...dependencyDetails(node),
    ...eventDetails(node, now),
  ];
}

// While nothing is chosen: where to begin.
function overview() {
  const list = (word, nodes, tell) =>
    nodes.length
      ? [
          el("h3", {}, word),
          el(
            "ul",
            { class: "effects" },
            ...nodes.map(node => el("li", {}, nodeLink(node), el("span", { class: "quiet" }, tell(node)))),
          ),
        ]
      : [];
  model.overview ??= notable();
  const { failed, slow, restarted, open } = model.overview;
  return [
    el("div", { class: "head" }, el("h2", {}, "At a glance")),
    el("p", { class: "path" }, "Choose a row to see what happened to it, and why."),
    ...(failed.length || restarted.length ? [] : [el("div", { class: "verdict plain" }, "Nothing failed.")]),
    ...list("Failed first", failed, node => {
      const said = trace.texts[trace.text[model.failEvent[node]]];
      return " in " + nameOf(model.parent[node]) + (said ? ": " + said : "");
    }),
    ...list("Restarted most", restarted, node => " " + plural(model.restarts[node], "time")),
    ...list("Slowest", slow, node => " " + span(timeOf(model.endEvent[node]) - timeOf(model.startEvent[node]))),
    ...list("Open longest at the end", open, node => " for " + span(trace.end - timeOf(model.startEvent[node]))),
  ];
}

function notable() {
  const failed = [...new Set(model.failures.slice(0, 2000).map(event => trace.subject[event]))].slice(0, 6);
  const most = (size, worth) => {
    const found = [];
    for (let node = 1; node < model.n; ++node) {
      const value = worth(node);
      if (!(value > (found.length < size ? 0 : found[size - 1][0]))) continue;
      found.push([value, node]);
      found.sort((a, b) => b[0] - a[0]);
      found.length = Math.min(found.length, size);
    }
    return found.map(pair => pair[1]);
  };
  const ran = node => model.kind[node] === TASK && model.startEvent[node] < NEVER;
  return {
    failed,
    slow: most(5, node =>
      ran(node) && model.endEvent[node] < NEVER ? timeOf(model.endEvent[node]) - timeOf(model.startEvent[node]) : 0,
    ),
    restarted: most(5, node => model.restarts[node]),
    open: most(5, node =>
      ran(node) && !(model.endEvent[node] < NEVER) ? trace.end - timeOf(model.startEvent[node]) : 0,
    ),
  };
}

function waitDetails(node, now) {
  const waits = app.waits();
  const mine = waits.byNode.get(node) ?? [];
  const held = waits.byTarget.get(node) ?? [];
  if (!mine.length && !held.length) return [];
  const list = mine
    .slice(0, 20)
    .map(edge =>
      el(
        "li",
        {},
        "waits for ",
        edge.to ? nodeLink(edge.to) : edge.what,
        el("span", { class: "quiet" }, ", " + edge.how + ", for " + span(timeAt(now) - edge.since)),
      ),
    );
  if (held.length)
    list.push(
      el(
        "li",
        {},
        held.length > 5 ? plural(held.length, "other") + " wait for it" : "waited for by ",
        ...(held.length > 5
          ? []
          : held.flatMap((edge, i) => [i ? ", " : "", edge.from ? nodeLink(edge.from) : "a thread outside"])),
      ),
    );
  return [el("h3", {}, "Waits now"), el("ul", { class: "effects" }, ...list)];
}

// The blame: a verdict in a sentence, then the chain.
function blame(node) {
  const decisive = decisiveEvent(node);
  if (decisive < 0) return [];
  const { chain, lost } = causeChain(decisive);
  const guilty = culprit(chain);
  const verdict = [];
  if (guilty >= 0 && guilty !== decisive) {
    verdict.push(el("p", {}, ...sentence(decisive), "."));
    verdict.push(el("p", {}, "It began when ", ...sentence(guilty), "."));
  } else {
    verdict.push(el("p", {}, ...sentence(decisive), "."));
  }
  const deadline = timeoutBefore(decisive);
  if (deadline >= 0) verdict.push(el("p", {}, ...sentence(deadline), "."));
  if (lost) verdict.push(el("p", { class: "quiet" }, "The chain goes further back, to events that were overwritten."));

  const items = chain.map(event =>
    el(
      "li",
      { class: isBad(event) ? "bad" : isLife(event) ? "weak" : "" },
      eventTime(event),
      el("span", {}, ...sentence(event)),
    ),
  );
  if (lost) items.unshift(el("li", { class: "lost weak" }, "what caused this is no longer kept"));

  const parts = [
    el("h3", {}, "Why"),
    el("div", { class: "verdict" + (chain.some(isBad) ? "" : " plain"), id: "verdict" }, ...verdict),
    el("h3", {}, "Chain of causes, root first"),
    el("ol", { class: "chain", id: "chain" }, ...items),
  ];
  const below = failedBelow(node);
  if (below.length)
    parts.push(
      el("h3", {}, "Failed below it, the first first"),
      el(
        "ul",
        { class: "effects" },
        ...below.map(each =>
          el("li", {}, eventTime(model.failEvent[each]), el("span", {}, ...sentence(model.failEvent[each]))),
        ),
      ),
    );
  const came = effects(guilty >= 0 ? guilty : decisive);
  if (came.size)
    parts.push(el("h3", {}, "What came of it"), el("ul", { class: "effects", id: "effects" }, ...effectLines(came)));
  return parts;
}

function effectLines(came) {
  const lines = [];
  for (const [kind, events] of came) {
    if (events.length <= 2) {
      for (const event of events) lines.push(el("li", {}, ...sentence(event)));
      continue;
    }
    const line = el("li", {}, count(events.length) + " × " + (KIND_NAMES[kind] ?? kind).replaceAll("_", " ") + ": ");
    events.slice(0, 4).forEach((event, i) => line.append(i ? ", " : "", nodeLink(trace.subject[event])));
    if (events.length > 4) line.append(" …");
    lines.push(line);
  }
  return lines;
}

function dependencyDetails(node) {
  const after = [],
    before = [];
  for (const event of dependenciesOf(node)) {
    if (trace.subject[event] === node) after.push(trace.value[event]);
    else if (trace.value[event] === node) before.push(trace.subject[event]);
  }
  const list = (word, nodes) =>
    nodes.length
      ? [
          el("h3", {}, word),
          el(
            "p",
            {},
            ...nodes.slice(0, 30).flatMap((each, i) => [i ? ", " : "", nodeLink(each)]),
            nodes.length > 30 ? " …" : "",
          ),
        ]
      : [];
  return [...list("Starts only after", after), ...list("Before", before)];
}

function eventDetails(node, now) {
  const { start, items } = model.eventsOf;
  const mine = items.subarray(start[node], start[node + 1]);
  const from =
    mine.length > MOST_EVENTS
      ? Math.max(0, Math.min(upperBound(mine, now - 1) - MOST_EVENTS / 2, mine.length - MOST_EVENTS))
      : 0;
  const lines = [];
  for (const event of mine.subarray(from, from + MOST_EVENTS))
    lines.push(
      el(
        "li",
        { class: event >= now ? "later" : "" },
        eventTime(event),
        el("span", {}, ...sentence(event, el("span", { class: "name" }, nameOf(node)))),
      ),
    );
  const heading =
    mine.length > MOST_EVENTS
      ? `Events (${count(from + 1)}–${count(from + lines.length)} of ${count(mine.length)})`
      : "Events";
  return lines.length ? [el("h3", {}, heading), el("ol", { class: "events" }, ...lines)] : [];
}

function foldDetails(fold) {
  if (fold.counted)
    return [
      el("h2", {}, count(fold.counted) + " tasks"),
      el("p", { class: "path" }, "The snapshot lists only some tasks and counts the others."),
    ];
  const mix = foldMix(fold, app.now);
  const facts = TASK_CODES.flatMap((code, i) =>
    mix[i] ? [el("dt", {}, mark(code), " " + codeWord(code)), el("dd", { class: "number" }, count(mix[i]))] : [],
  );
  const took = [];
  for (const node of fold.members)
    if (hadEnded(node, app.now) && model.startEvent[node] < NEVER)
      took.push(timeOf(model.endEvent[node]) - timeOf(model.startEvent[node]));
  const sorted = Float64Array.from(took).sort();
  const at = share => span(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
  return [
    el(
      "div",
      { class: "head" },
      el("h2", { class: "name", id: "details-name" }, fold.name + " ×" + count(fold.there)),
      el("span", { class: "badge" }, NODE_KINDS[fold.kind]),
    ),
    el("p", { class: "path name" }, "in " + (pathOf(fold.parent) || "the process")),
    el("dl", { class: "facts" }, ...facts),
    ...(sorted.length
      ? [
          el("h3", {}, "How long they took"),
          el(
            "dl",
            { class: "facts" },
            ...[
              ["half of them", 0.5],
              ["95 of 100", 0.95],
              ["99 of 100", 0.99],
              ["the slowest", 1],
            ].flatMap(([word, share]) => [el("dt", {}, word), el("dd", { class: "number" }, at(share))]),
          ),
        ]
      : []),
  ];
}
