// Events as sentences. A sentence is a list of texts and elements, so that the names in it can be pressed.

const quote = text => el("q", { class: "said" }, text);

// What the text of an event says, in quotes, after `before`; nothing if it says nothing.
function saying(event, before = ": ") {
  const text = trace.texts[trace.text[event]];
  return text ? [before, quote(text)] : [];
}

const REASON_WORDS = {
  user: "somebody asked for it",
  timeout: "its time was up",
  "sibling failed": "another child of its scope failed",
  "parent cancelled": "what is above it was cancelled",
  shutdown: "the manager shuts down",
};

function reasonWords(value) {
  return REASON_WORDS[trace.header.reasons[value]] ?? "of reason " + value;
}

const CODE_WORDS = [
  "",
  "cancelled",
  "timed out",
  "skipped",
  "not ready",
  "would deadlock",
  "scope closed",
  "unresponsive",
  "no threads",
  "invalid plan",
  "exception",
  "release failed",
  "breaker open",
  "pool closed",
  "shut down",
  "survivors",
  "bad argument",
  "start failed",
  "gave up",
  "actor exited",
];

// An actor that may be the application's own: then its number is all that the trace has of it.
function actorLink(node) {
  return model.bornEvent[node] === NEVER ? "the application's actor " + trace.ids[node - 1] : nodeLink(node);
}

// One entry a kind: (who, value, event) -> what follows the name of the subject.
const SENTENCES = {
  manager_created: (who, value) => (value ? [" was made under ", nodeLink(value)] : [" was made"]),
  manager_shutdown_began: (who, value) => [
    " began to shut down",
    value > 0 && value < 9e18 ? ", with " + span(value) + " to do so" : "",
  ],
  manager_shutdown_stalled: (who, value, event) => [" could not shut down in time", ...saying(event)],
  manager_ended: () => [" ended"],
  scope_created: (who, value) => [" was opened", value ? " in " : "", value ? nodeLink(value) : ""],
  scope_closed: () => [" takes no more children"],
  scope_joined: () => ["'s last child has ended"],
  scope_ended: (who, value, event) => (value ? [" ended with an error", ...saying(event)] : [" ended well"]),
  task_created: (who, value) => [" was given to ", nodeLink(value)],
  task_ready: () => [" was ready to run"],
  task_started: (who, value) => [value ? " started on thread " + value : " started"],
  task_suspended: () => [" left its thread"],
  task_resumed: (who, value) => [value ? " went on, on thread " + value : " went on"],
  task_ended: (who, value, event) => [
    value === OK ? " ended well" : " ended: " + (OUTCOME_WORDS[value] ?? "state " + value),
    ...saying(event, ", "),
  ],
  task_skipped: (who, value) => [" was skipped because ", nodeLink(value), " did not end well"],
  actor_started: (who, value) => [" started in ", nodeLink(value)],
  actor_start_failed: (who, value, event) => [" could not be started", ...saying(event)],
  actor_stop_asked: () => [" was asked to stop"],
  actor_ended: (who, value, event) => (value ? [" ended by itself", ...saying(event)] : [" ended", ...saying(event)]),
  resource_registered: (who, value) => [" was entrusted to ", nodeLink(value)],
  release_started: () => [" is being released"],
  release_ended: (who, value) => [" was released in " + span(value)],
  release_failed: (who, value, event) => [" could not be released", ...saying(event)],
  release_overdue: (who, value) => [" takes " + span(value) + " longer to be released than it may"],
  linked: (who, value) => [" has a link from ", actorLink(value)],
  unlinked: (who, value) => [" has no link any more from ", actorLink(value)],
  dependency: (who, value) => [" has to wait until ", nodeLink(value), " ended well"],
  wait_began: (who, value, event) => [
    " waits",
    value ? " for " : "",
    value ? nodeLink(value) : "",
    ...saying(event, value ? ", " : " for "),
  ],
  wait_ended: (who, value) =>
    value ? [" waited in vain (" + (CODE_WORDS[value] ?? "code " + value) + ")"] : [" got what it waited for"],
  exit_sent: (who, value, event) => [" sent its exit to ", nodeLink(value), ...saying(event)],
  exit_received: (who, value, event) => [
    " received the exit of ",
    value ? actorLink(value) : "somebody",
    ...saying(event),
  ],
  cancel_asked: (who, value, event) => {
    const from = trace.texts[trace.text[event]];
    return [
      " was asked to stop: " + reasonWords(value),
      from ? [" (began at ", el("span", { class: "name" }, from), ")"] : "",
    ].flat();
  },
  cancel_observed: (who, value) => [" saw that it had been asked to stop, " + span(value) + " later"],
  timeout: (who, value) => [" came to its deadline, " + span(value) + " after it began to count"],
  failure: (who, value, event) => [" failed", ...saying(event)],
  unresponsive: (who, value, event) => [
    " did not answer within its grace period, " + span(value),
    ...saying(event, "; last seen at "),
  ],
  spawn_refused: (who, value, event) => [" was refused a child", ...saying(event)],
  lane_grown: (who, value) => ["The lane grew to " + plural(value, "worker")],
  lane_shrunk: (who, value) => ["The lane shrank to " + plural(value, "worker")],
  lane_saturated: (who, value) => ["All workers are blocked, " + plural(value, "item") + " ready"],
  note: (who, value, event) => saying(event, " notes: "),
  progress: (who, value) => [" has done " + count(value % 2 ** 26) + " of " + count(Math.floor(value / 2 ** 26))],
  restart_decided: (who, value, event) => [
    " is to be restarted: number " + value + " in the window",
    ...saying(event, ", "),
  ],
  restart_backoff: (who, value, event) => [
    " waits " + span(value) + " before it is started again",
    ...saying(event, ", "),
  ],
  restart_done: (who, value) => [" is running again"],
  restart_abandoned: (who, value, event) => [
    " will not be restarted: " + (wasTooMany(event) ? "there were too many restarts" : "a stop came first"),
  ],
  intensity_exceeded: (who, value, event) => [
    " gave up: " + plural(value, "restart") + " were too many",
    ...saying(event, ", "),
  ],
  pool_created: (who, value) => [" was made for ", nodeLink(value)],
  pool_resized: (who, value) => [" may have " + plural(value, "item") + " now"],
  pool_reset: () => [" was reset"],
  pool_closed: () => [" gives no more leases"],
  pool_ended: () => [" has everything back"],
  pool_item_created: (who, value) => [" made an item and has " + plural(value, "item")],
  pool_create_failed: (who, value, event) => [" could not make an item", ...saying(event)],
  pool_check_failed: (who, value, event) => [" threw a bad item out", ...saying(event)],
  pool_item_destroyed: (who, value, event) => [" destroyed an item and has " + plural(value, "item"), ...saying(event)],
  lease_granted: (who, value) => [" gave a lease to ", nodeLink(value)],
  lease_returned: (who, value) => [" has its lease back from ", nodeLink(value)],
  lease_reclaimed: (who, value) => [" took back the lease that ", nodeLink(value), " had not returned"],
  breaker_created: (who, value) => [" was made for ", nodeLink(value)],
  breaker_opened: (who, value, event) => [" opened for " + span(value), ...saying(event)],
  breaker_half_opened: (who, value) => [" lets " + plural(value, "call") + " through on trial"],
  breaker_closed: () => [" closed"],
  breaker_reset: () => [" was reset"],
  breaker_refused: (who, value) => [" refused ", nodeLink(value)],
  breaker_permit_reclaimed: (who, value) => [" took back the permit of ", nodeLink(value)],
  retry_scheduled: (who, value, event) => [" tries again in " + span(value), ...saying(event, ", after: ")],
  retry_gave_up: (who, value, event) => [" gave up after " + plural(value, "attempt"), ...saying(event)],
};

function sentence(event, subject = nodeLink(trace.subject[event])) {
  const name = KIND_NAMES[trace.kind[event]];
  const who = trace.subject[event];
  const tell = SENTENCES[name];
  const rest = tell
    ? tell(who, trace.value[event], event)
    : [" " + (name ?? "event of kind " + trace.kind[event]), ...saying(event)];
  return who ? [subject, ...rest] : rest;
}

// The same as plain text, for the live region, tips and the canvas.
function sentenceText(event) {
  return sentence(event)
    .map(part =>
      part instanceof Element ? (part.tagName === "Q" ? "“" + part.textContent + "”" : part.textContent) : part,
    )
    .join("");
}
