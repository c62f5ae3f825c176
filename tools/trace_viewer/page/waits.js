// The view of waits: circles first, then who holds others up, then every wait, the longest first.

const MOST_WAITS = 300;

function drawWaits() {
  if ($("view-waits").hidden) return;
  const waits = app.waits();
  const when = timeAt(app.now);
  const parts = [
    el(
      "p",
      { class: "lead" },
      waits.edges.length
        ? `At ${$("moment").textContent}, ${plural(waits.byNode.size, "node waits", "nodes wait")}.`
        : `At ${$("moment").textContent}, nobody waits for anybody.`,
    ),
  ];
  for (const cycle of waits.cycles) parts.push(cycleCard(cycle, waits));
  if (waits.blockers.length) parts.push(blockerCard(waits.blockers));
  if (waits.edges.length) {
    const sorted = [...waits.edges].sort((a, b) => a.since - b.since).slice(0, MOST_WAITS);
    const inCycle = new Set(waits.cycles.flat());
    parts.push(
      el(
        "div",
        { class: "card" },
        el(
          "header",
          {},
          el("h2", {}, "Who waits for whom"),
          el("span", { class: "spacer" }),
          el("span", { class: "quiet" }, "longest first"),
        ),
        ...sorted.map(edge => waitRow(edge, when, inCycle.has(edge.from) && inCycle.has(edge.to))),
        waits.edges.length > MOST_WAITS
          ? el("p", { class: "note" }, plural(waits.edges.length - MOST_WAITS, "shorter wait") + " not listed")
          : null,
      ),
    );
  } else {
    parts.push(el("p", { class: "empty" }, "Move the moment below to when somebody did."));
  }
  $("view-waits").replaceChildren(...parts);
}

function waitRow(edge, when, cycle) {
  return el(
    "div",
    { class: "wait-row" + (cycle ? " cycle" : "") },
    edge.from ? nodeLink(edge.from) : el("span", { class: "quiet" }, "a thread outside"),
    el("span", { class: "arrow", "aria-label": "waits for" }, cycle ? "⟳" : "→"),
    edge.to ? nodeLink(edge.to) : el("span", { class: "name" }, edge.what),
    el("span", { class: "quiet name" }, edge.how),
    el("span", { class: "number" }, span(when - edge.since)),
  );
}

function cycleCard(cycle, waits) {
  const list = el("ol", { class: "chain" });
  for (const node of cycle) {
    const edge = waits.byNode.get(node).find(each => cycle.includes(each.to));
    list.append(
      el(
        "li",
        { class: "bad" },
        nodeLink(node),
        " waits for ",
        nodeLink(edge.to),
        el("span", { class: "quiet" }, ", " + edge.how),
      ),
    );
  }
  return el(
    "div",
    { class: "card bad" },
    el("header", {}, el("h2", {}, "A circle: none of these can go on")),
    el("div", { class: "plot", style: "padding: 10px 14px 0" }, list),
  );
}

function blockerCard(blockers) {
  return el(
    "div",
    { class: "card" },
    el("header", {}, el("h2", {}, "Who holds others up")),
    ...blockers.map(({ node, waiters, shutdown }) => {
      const state = stateAt(node, app.now);
      return el(
        "div",
        { class: "wait-row" },
        nodeLink(node),
        el("span"),
        el("span", {}, mark(state.colour), " " + state.word),
        el("span", { class: "name quiet" }, shutdown ? "blocks the shutdown" : (lastWord(node, app.now) ?? "")),
        el("span", { class: "number" }, plural(waiters, "waiter")),
      );
    }),
  );
}
