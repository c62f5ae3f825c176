"""Measuring side by side: in every round each program runs once, in an order drawn anew; ratios are made within it.

Pure but for the programs that are run: `measure` is given a function that runs one.
"""

import random
import statistics
from dataclasses import dataclass, field

from programs import Failed, NEEDS, NoSuchCase


@dataclass
class Spread:
    """A median with its quartiles."""
    low: float
    median: float
    high: float


def spread(values):
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(low, statistics.median(values), high)


@dataclass
class Result:
    """What came out for one row."""
    name: str
    work: str
    unit: str
    rounds: int
    values: dict  # participant -> Spread
    ratios: dict  # peer -> Spread of muster/peer, made round by round
    goals: dict  # peer -> goal or None
    limit: float | None
    left_out: dict = field(default_factory=dict)  # peer -> why
    notes: dict = field(default_factory=dict)  # participant -> what is particular about it

    def met(self, peer):
        """True or False; None if there is nothing to meet."""
        goal = self.goals.get(peer)
        return None if goal is None or peer not in self.ratios else self.ratios[peer].median <= goal

    def within_limit(self):
        return None if self.limit is None else self.values["muster"].median <= self.limit

    def as_json(self):
        return {
            "case": self.name,
            "unit": self.unit,
            "muster": self.values["muster"].median,
            "peers": {peer: self.values[peer].median for peer in self.values if peer != "muster"},
            "ratios": {peer: self.ratios[peer].median for peer in self.ratios},
            "rounds": self.rounds,
        }


class Absent(Exception):
    """Muster itself cannot take part; the text says why."""


def measure(measure_, mode, rounds, rng, programs, progress=lambda text: None, memory=float("inf")):
    """A Result for each row. `programs` is a Programs or what behaves like one; `memory` is how many bytes there are. A
    peer that fails is left out, with its reason beginning with "failed"; if Muster fails, that is Failed; if it has no
    such case, or there is not enough memory for it, Absent."""
    left_out = {}
    who = []
    for name, program in measure_.programs.items():
        if programs.there(program.system):
            who.append(name)
        else:
            needs = " ".join(NEEDS[program.system])
            left_out[name] = f"not built; it needs {needs} (see --install-peers)" if needs else "not built"
    if measure_.memory.of(mode) > memory:
        raise Absent(f"it needs {measure_.memory.of(mode) / 1e9:.0f} GB of memory, and there are {memory / 1e9:.1f}")
    if "muster" not in who:
        raise Failed("Muster's own program has not been built")

    collected = []  # one {participant: Figures} for each round
    for turn in range(rounds):
        order = who[:]
        rng.shuffle(order)
        figures = {}
        for name in order:
            if name in left_out:
                continue
            program = measure_.programs[name]
            progress(f"{measure_.rows[0].name}: round {turn + 1} of {rounds}, {name}")
            try:
                figures[name] = programs.run(program.system, program.case, program.size.of(mode))
            except NoSuchCase as case:
                if name == "muster":
                    raise Absent(f"Muster was built without {case} (it needs coroutine bodies)") from None
                left_out[name] = "its program has no such case"
            except Failed as why:
                if "muster" in (name, program.system):
                    raise
                left_out[name] = f"failed: {why}"
        collected.append(figures)
    return [_result(measure_, row, mode, collected, left_out) for row in measure_.rows]


def _result(measure_, row, mode, collected, left_out):
    remaining = [name for name in measure_.programs if name not in left_out]
    per_round = {name: [figures[name].values[row.figure[name]] for figures in collected] for name in remaining}
    ratios = {}
    for name in remaining:
        if name != "muster":
            ratios[name] = spread([mine / theirs for mine, theirs in zip(per_round["muster"], per_round[name])])
    sizes = {name: program.size.of(mode) for name, program in measure_.programs.items()}
    return Result(
        name=row.name,
        work=measure_.work.format(n=f"{sizes['muster']:,}"),
        unit=collected[0]["muster"].units[row.figure["muster"]],
        rounds=len(collected),
        values={name: spread(per_round[name]) for name in remaining},
        ratios=ratios,
        goals=row.goals,
        limit=row.limit,
        left_out=dict(left_out),
        notes={name: program.note.format(n=f"{sizes[name]:,}") for name, program in measure_.programs.items()
               if program.note and name in remaining},
    )


def generator(seed):
    return random.Random(seed)
