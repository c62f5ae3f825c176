// What a node was at a moment. A moment is a number of events: all before it have happened. So two things that bear the
// same time are still told apart.

// Whether it existed; what has ended still does.
function existed(node, now) {
  return model.bornEvent[node] < now;
}
function hadEnded(node, now) {
  return model.endEvent[node] < now;
}
function hadFailed(node, now) {
  return (
    model.failEvent[node] < now ||
    (hadEnded(node, now) && (model.outcome[node] === FAILED || model.outcome[node] === TIMED_OUT))
  );
}

// One code for a task, cheap enough to be asked of a million: a place in TASK_CODES.
const TASK_CODES = ["ok", "failed", "timed_out", "cancelled", "skipped", "running", "ready", "waiting"];
const CODE_RUNNING = 5,
  CODE_READY = 6,
  CODE_WAITING = 7;

function taskCode(node, now) {
  if (model.endEvent[node] < now) return model.outcome[node];
  if (model.startEvent[node] < now) return CODE_RUNNING;
  if (model.readyEvent[node] < now) return CODE_READY;
  const before = model.snapState[node];
  if (before !== 255) return before >= 3 ? CODE_RUNNING : before === 2 ? CODE_READY : CODE_WAITING;
  // A task whose beginning was overwritten has shown itself by what it did, so it runs.
  return model.bornEvent[node] < 0 ? CODE_RUNNING : CODE_WAITING;
}

// { word, colour, since, restarts, says } of any node; `colour` is the name of a colour in style.css.
function stateAt(node, now) {
  const kind = model.kind[node];
  const state = kind === TASK ? taskState(node, now) : { word: "open", colour: "running" };
  state.restarts = model.restartsBefore[node];
  state.asked = false;
  if (model.snapState[node] === TASK_SUSPENDED && state.word === "running") state.word = state.colour = "suspended";
  const { start, items } = model.eventsOf;
  let leases = 0,
    size = 0;
  let broken = false;
  for (let i = start[node]; i < start[node + 1] && items[i] < now; ++i) {
    const event = items[i];
    switch (trace.kind[event]) {
      case K.task_suspended:
        set("suspended", "suspended", event);
        break;
      case K.task_resumed:
        set("running", "running", event);
        break;
      case K.cancel_asked:
        state.asked = true;
        break;
      case K.unresponsive:
        broken = true;
        break;
      case K.scope_closed:
        set("closed", "running", event);
        break;
      case K.scope_joined:
        set("releasing", "stopping", event);
        break;
      case K.manager_shutdown_began:
        set("shutting down", "stopping", event);
        break;
      case K.manager_shutdown_stalled:
        set("shutdown stalled", "failed", event);
        break;
      case K.scope_ended:
      case K.manager_ended:
      case K.task_ended:
      case K.task_skipped:
      case K.release_failed:
        set(OUTCOME_WORDS[model.outcome[node]] ?? "ended", OUTCOMES[model.outcome[node]] ?? "ok", event);
        break;
      case K.pool_ended:
        set("ended", "ok", event);
        break;
      case K.release_started:
        set("releasing", "stopping", event);
        break;
      case K.release_ended:
        set("released", "ok", event);
        break;
      case K.actor_started:
        set("running", "running", event);
        break;
      case K.actor_start_failed:
        set("start failed", "failed", event);
        break;
      case K.actor_stop_asked:
        set("stopping", "stopping", event);
        break;
      case K.actor_ended:
        set(trace.value[event] ? "failed" : "ended", trace.value[event] ? "failed" : "ok", event);
        break;
      case K.restart_decided:
      case K.restart_backoff:
        set("restarting", "stopping", event);
        break;
      case K.restart_done:
        set("running", "running", event);
        ++state.restarts;
        break;
      case K.restart_abandoned:
        if (wasTooMany(event)) set("given up", "failed", event);
        else set("not restarted", "cancelled", event);
        break;
      case K.intensity_exceeded:
        set("giving up", "failed", event);
        break;
      case K.pool_closed:
        set("closed", "stopping", event);
        break;
      case K.pool_item_created:
      case K.pool_item_destroyed:
        size = trace.value[event];
        break;
      case K.lease_granted:
        ++leases;
        break;
      case K.lease_returned:
      case K.lease_reclaimed:
        --leases;
        break;
      case K.breaker_created:
      case K.breaker_closed:
      case K.breaker_reset:
        set("closed", "ok", event);
        break;
      case K.breaker_opened:
        set("open", "failed", event);
        break;
      case K.breaker_half_opened:
        set("half-open", "stopping", event);
        break;
    }
  }
  if (state.word === "restarting" && model.gaveUp.get(model.parent[node]) < now)
    set("given up", "failed", model.gaveUp.get(model.parent[node]));
  if (state.asked && !hadEnded(node, now)) {
    state.word = broken ? "unresponsive" : kind === TASK || kind === SCOPE ? "stopping" : state.word;
    state.colour = broken ? "failed" : "stopping";
  }
  if (kind === RESOURCE && state.word === "open") state.word = "held";
  if (kind === POOL && !hadEnded(node, now))
    state.says = plural(leases, "lease") + " of " + plural(Math.max(size, leases), "item");
  return state;

  function set(word, colour, event) {
    state.word = word;
    state.colour = colour;
    state.since = trace.time[event];
  }
}

// A restart that did not come since it was one too many; else a stop came first.
function wasTooMany(abandoned) {
  const why = trace.cause[abandoned];
  return why >= 0 && trace.kind[why] === K.restart_decided && trace.subject[why] === trace.subject[abandoned];
}

function taskState(node, now) {
  const code = taskCode(node, now);
  const colour = TASK_CODES[code];
  const since =
    code === CODE_RUNNING
      ? timeOf(model.startEvent[node])
      : code === CODE_READY
        ? timeOf(model.readyEvent[node])
        : bornAt(node);
  return { word: code <= SKIPPED ? OUTCOME_WORDS[code] : colour, colour, since };
}

// When it began to do what it is for, and how long that took, or has taken so far.
function beganAt(node, now) {
  if (model.kind[node] !== TASK) return bornAt(node);
  if (model.startEvent[node] < now) return timeOf(model.startEvent[node]);
  return NaN;
}

function tookSoFar(node, now) {
  const began = beganAt(node, now);
  if (Number.isNaN(began)) return NaN;
  return (hadEnded(node, now) ? timeOf(model.endEvent[node]) : timeAt(now)) - began;
}

// The time of a moment: that of the last event before it, unless the cursor stands between two.
function timeAt(now) {
  if (app.now === now) return app.time;
  return now > 0 ? trace.clock[now - 1] : 0;
}
