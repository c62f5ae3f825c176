"""The cases of the benchmark as a table: who does what, how much of it, and what Muster should reach.

Plain values, read by the other modules. A `Measure` is one set of programs that take turns in every round; each program
prints one or more figures, and each `Row` of the result shows one of them. Sizes are for a full run, for --quick, and
for the smoke test.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Size:
    full: int
    quick: int
    smoke: int

    def of(self, mode):
        return getattr(self, mode)


@dataclass(frozen=True)
class Program:
    """One who takes part: `system` (see programs.py) is asked for `case` with `size`."""
    system: str
    case: str
    size: Size
    note: str = ""  # shown beside it, with {n} for its size


@dataclass(frozen=True)
class Row:
    """One line of figures: what `figure` is for Muster, and for each peer the goal of the ratio (None: no goal)."""
    name: str
    figure: dict  # participant -> the name of its figure, as it prints it
    goals: dict = field(default_factory=dict)  # peer -> the ratio that Muster should not exceed
    limit: float | None = None  # what Muster's own value should not exceed


@dataclass(frozen=True)
class Measure:
    case: str  # what --case selects
    work: str  # in words, with {n} for Muster's size
    programs: dict  # participant -> Program; "muster" is among them
    rows: list
    memory: Size = Size(0, 0, 0)  # bytes that the largest of its programs needs


def _same(figure, *who):
    return {one: figure for one in ("muster", *who)}


_FAN = Size(1_000_000, 200_000, 300)
_SUSPENDED = Size(100_000, 100_000, 200)
_DAG = Size(100_000, 100_000, 400)
_NESTED = Size(18, 15, 5)
_FAILURE = Size(21, 7, 1)
_RESTART = Size(10_000, 3_000, 20)
_POOL = Size(1_000_000, 300_000, 300)
_CROWD = Size(100_000, 30_000, 640)
_BREAKER = Size(5_000_000, 2_000_000, 300)
_MESSAGE = Size(300_000, 100_000, 100)
_EVENT = Size(5_000_000, 2_000_000, 3_000)
_BLOCK = Size(200, 200, 4)
_LATENCY = Size(400, 100, 4)
_COMPILE = Size(3, 1, 1)


def _alone(case, size, note=""):
    return Program("muster", case, size, note)


def _growth(name, work, program, figure, sizes, quick, small):
    """The cost of one at the largest size, beside that at smaller ones; the goal is for the one called `small`. A
    kilobyte for each is more than they take."""
    programs = {"muster": _alone(program, Size(sizes[0], quick, 50), "{n}")}
    for size in sizes[1:]:
        programs[f"muster, {size:,}"] = _alone(program, Size(size, size, 5))
    return Measure("growth", work, programs,
                   [Row(name, {who: figure for who in programs}, {f"muster, {small:,}": 1.2})],
                   Size(sizes[0] * 1000, quick * 1000, 0))


def _compile(name, work, how):
    """The smallest program with Muster, beside the headers that about any program includes."""
    programs = {"muster": f"compile{how}", "four std headers": f"compile_baseline{how}"}
    return Measure("compile", work, {who: Program("compile", case, _COMPILE) for who, case in programs.items()},
                   [Row(name, programs, {"four std headers": 2.5})])


MEASURES = [
    Measure("fan_out", "{n} trivial tasks in one scope, all outcomes kept and counted",
            {"muster": Program("muster", "fan_out", _FAN),
             "go errgroup": Program("go", "fan_out", _FAN),
             "tokio JoinSet": Program("tokio", "fan_out", _FAN),
             "caf linked": Program("caf", "fan_out_linked", Size(20_000, 5_000, 100),
                                   "only {n}: its lists are quadratic"),
             "caf monitored": Program("caf", "fan_out_monitored", _FAN),
             "otp spawn_link": Program("otp", "fan_out", _FAN),
             "tbb task_group": Program("tbb", "fan_out", _FAN)},
            [Row("fan_out", _same("fan_out", "go errgroup", "tokio JoinSet", "caf linked", "caf monitored",
                                  "otp spawn_link", "tbb task_group"),
                 {"go errgroup": 0.8, "tokio JoinSet": 0.8, "caf linked": 0.2, "caf monitored": 0.2,
                  "otp spawn_link": 0.1, "tbb task_group": 2}),
             Row("fan_out.first", _same("fan_out.first", "go errgroup", "tokio JoinSet", "caf linked", "caf monitored",
                                        "otp spawn_link", "tbb task_group"),
                 dict.fromkeys(["go errgroup", "tokio JoinSet", "caf linked", "caf monitored", "otp spawn_link",
                                "tbb task_group"]))]),
    Measure("fan_out_timeout", "{n} trivial tasks in one scope, each with a timeout of 5 s",
            {"muster": Program("muster", "fan_out_timeout", _FAN),
             "go, the article": Program("go", "fan_out_article", _FAN),
             "tokio timeout": Program("tokio", "fan_out_timeout", _FAN)},
            [Row("fan_out_timeout", _same("fan_out_timeout", "go, the article", "tokio timeout"),
                 {"go, the article": 0.3, "tokio timeout": 0.3})]),
    Measure("suspended", "{n} coroutines sleep for an hour; then they are cancelled and joined",
            {"muster": Program("muster", "suspended", _SUSPENDED),
             "go errgroup": Program("go", "suspended", _SUSPENDED),
             "tokio timeout": Program("tokio", "suspended", _SUSPENDED)},
            [Row("suspended", _same("suspended", "go errgroup", "tokio timeout"),
                 {"go errgroup": 0.25, "tokio timeout": 0.6}),
             Row("suspended.stop", _same("suspended.stop", "go errgroup", "tokio timeout"),
                 {"go errgroup": 0.3, "tokio timeout": None})]),
    Measure("dag", "{n} tasks in layers of 100, each after two others",
            {"muster": Program("muster", "dag", _DAG), "tbb flow graph": Program("tbb", "dag", _DAG)},
            [Row("dag", _same("dag", "tbb flow graph"), {"tbb flow graph": 2})]),
    Measure("nested", "fib({n}) by fork and join through nested scopes, grain 1",
            {"muster": Program("muster", "nested", _NESTED), "go WaitGroup": Program("go", "nested", _NESTED)},
            [Row("nested", _same("nested", "go WaitGroup"), {"go WaitGroup": 0.8})]),
    Measure("nested", "the same with plain bodies, each of which holds its thread while it waits",
            {"muster": Program("muster", "nested_plain", _NESTED), "go WaitGroup": Program("go", "nested", _NESTED)},
            [Row("nested.plain", {"muster": "nested.plain", "go WaitGroup": "nested"}, {"go WaitGroup": None})]),
    Measure("failure", "one of 1,000 waiting siblings fails, {n} times; the median",
            {"muster": Program("muster", "failure", _FAILURE),
             "go errgroup": Program("go", "failure", _FAILURE),
             "otp one_for_all": Program("otp", "failure", _FAILURE)},
            [Row("failure", _same("failure", "go errgroup", "otp one_for_all"),
                 {"go errgroup": 0.5, "otp one_for_all": 0.5})]),
    Measure("restart", "{n} cycles of crash and restart of a supervised child",
            {"muster": Program("muster", "restart", _RESTART), "otp supervisor": Program("otp", "restart", _RESTART)},
            [Row("restart", _same("restart", "otp supervisor"), {"otp supervisor": 0.5})]),
    Measure("pool", "acquire and give back, alone, {n} times",
            {"muster": Program("muster", "pool", _POOL), "go channel": Program("go", "pool", _POOL)},
            [Row("pool", _same("pool", "go channel"), {"go channel": 0.8})]),
    Measure("pool", "acquire and give back, 64 tasks on 8 resources, {n} times",
            {"muster": Program("muster", "pool_crowded", _CROWD), "go channel": Program("go", "pool_crowded", _CROWD)},
            [Row("pool.crowded", _same("pool.crowded", "go channel"), {"go channel": 0.8})]),
    Measure("breaker", "{n} calls through a closed breaker",
            {"muster": Program("muster", "breaker", _BREAKER), "go mutex breaker": Program("go", "breaker", _BREAKER)},
            [Row("breaker", _same("breaker", "go mutex breaker"), {"go mutex breaker": 0.5})]),
    Measure("message", "{n} requests from one actor to another, under a scope",
            {"muster": Program("muster", "message", _MESSAGE), "caf": Program("caf", "message", _MESSAGE)},
            [Row("message", _same("message", "caf"), {"caf": 1.05})]),
    Measure("trace", "fan_out, {n} tasks, with the recorder on, against off",
            {"muster": Program("muster", "fan_out", _FAN), "recorder off": Program("muster", "fan_out_quiet", _FAN)},
            [Row("trace", {"muster": "fan_out", "recorder off": "fan_out_quiet"}, {"recorder off": 1.15})]),
    Measure("trace", "the cost of one event, recorder on", {"muster": _alone("trace_event", _EVENT)},
            [Row("trace.event", _same("trace.event"), limit=50)]),
    Measure("trace", "the cost of one event, recorder off", {"muster": _alone("trace_event_off", _EVENT)},
            [Row("trace.event_off", _same("trace.event_off"), limit=2)]),
    _growth("growth", "fan_out with {n} tasks, against fewer", "fan_out_repeated", "fan_out_repeated",
            [10_000_000, 1_000_000, 100_000, 10_000], 2_000_000, 100_000),
    _growth("growth.children", "{n} tasks of one scope, there at the same time, against fewer", "growth_children",
            "growth.children", [1_000_000, 10_000], 200_000, 10_000),
    _growth("growth.links", "{n} actors linked to one scope, against fewer", "growth_links", "growth.links",
            [50_000, 1_000], 10_000, 1_000),
    _growth("growth.depth", "scopes nested {n} deep, against less deep", "growth_depth", "growth.depth",
            [10_000, 100], 10_000, 100),
    Measure("blocking", "{n} tasks that each block for 50 ms, nothing said about it",
            {"muster": Program("muster", "blocking", _BLOCK), "go": Program("go", "blocking", _BLOCK)},
            [Row("blocking", _same("blocking", "go"), {"go": 1.5})]),
    Measure("latency", "from a deadline to the task seeing it, all workers busy, {n} times; p99",
            {"muster": _alone("latency", _LATENCY)}, [Row("latency", _same("latency"), limit=5)]),
    _compile("compile", "a program with muster.hpp and one scope, -O0; processor time", ""),
    _compile("compile.optimised", "the same, -O2", "_optimised"),
]

CASES = list(dict.fromkeys(measure.case for measure in MEASURES))
