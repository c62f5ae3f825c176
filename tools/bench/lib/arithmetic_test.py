"""Tests of the benchmark's arithmetic, on programs that are made up. Run by ctest."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True  # lib/ is part of the sources
sys.path.insert(0, str(Path(__file__).resolve().parent))
import cases  # noqa: E402
import programs  # noqa: E402
import rounds  # noqa: E402
import table  # noqa: E402

SIZE = cases.Size(1000, 100, 1)
MEASURE = cases.Measure(
    "work", "{n} things",
    {"muster": cases.Program("muster", "work", SIZE), "go": cases.Program("go", "work", SIZE),
     "tbb": cases.Program("tbb", "work", SIZE)},
    [cases.Row("work", {"muster": "work", "go": "work", "tbb": "work"}, {"go": 0.5, "tbb": 2})])


class Pretend:
    """Programs that print what they are told to; an exception is raised."""

    def __init__(self, **figures):
        self.figures = {system: list(values) for system, values in figures.items()}
        self.calls = []

    def there(self, system):
        return system in self.figures

    def run(self, system, case, n):
        self.calls.append((system, n))
        value = self.figures[system].pop(0)
        if isinstance(value, Exception):
            raise value
        return programs.Figures({case: value}, {case: "ns"})


def measured(turns=3, mode="full", **figures):
    pretend = Pretend(**figures)
    return rounds.measure(MEASURE, mode, turns, rounds.generator(1), pretend)[0], pretend


class Arithmetic(unittest.TestCase):
    def test_a_ratio_is_made_within_its_round_and_the_median_is_taken_last(self):
        result, _ = measured(muster=[1, 20, 3], go=[2, 10, 12], tbb=[1, 20, 3])
        self.assertEqual(result.ratios["go"].median, 0.5)  # of 0.5, 2 and 0.25; the medians' ratio would be 0.3
        self.assertEqual(result.values["muster"].median, 3)
        self.assertEqual(result.ratios["tbb"].median, 1)

    def test_a_goal_that_was_not_reached_is_shown_as_not_met(self):
        result, _ = measured(muster=[5, 5, 5], go=[8, 8, 8], tbb=[4, 4, 4])
        self.assertFalse(result.met("go"))
        self.assertTrue(result.met("tbb"))
        self.assertIn("NOT MET", table.block(result))
        self.assertIn("1 of 2 goals met. Not met: work against go.", table.summary([result]))

    def test_a_peer_that_is_not_there_is_left_out_and_that_is_said(self):
        result, _ = measured(muster=[1, 1, 1], go=[1, 1, 1])
        self.assertNotIn("tbb", result.values)
        self.assertIn("left out: not built; it needs libtbb-dev", table.block(result))
        self.assertNotIn("tbb", result.as_json()["peers"])

    def test_a_peer_that_fails_once_is_left_out_with_its_reason(self):
        result, _ = measured(muster=[1, 1, 1], go=[1, programs.Failed("it broke")], tbb=[1, 1, 1])
        self.assertEqual(result.left_out["go"], "failed: it broke")
        self.assertNotIn("go", result.ratios)

    def test_a_failure_of_muster_is_a_failure_of_the_case(self):
        with self.assertRaises(programs.Failed):
            measured(muster=[1, programs.Failed("it broke")], go=[1, 1, 1], tbb=[1, 1, 1])

    def test_so_it_is_if_another_program_does_its_part(self):
        part = cases.Measure("compile", "", {"muster": cases.Program("compile", "work", SIZE)}, MEASURE.rows)
        with self.assertRaises(programs.Failed):
            rounds.measure(part, "full", 1, rounds.generator(1), Pretend(compile=[programs.Failed("it broke")]))

    def test_every_program_runs_once_in_each_round_and_the_order_changes(self):
        _, pretend = measured(turns=20, muster=[1] * 20, go=[1] * 20, tbb=[1] * 20)
        turns = [tuple(system for system, _ in pretend.calls[i:i + 3]) for i in range(0, 60, 3)]
        for turn in turns:
            self.assertEqual(sorted(turn), ["go", "muster", "tbb"])
        self.assertGreater(len(set(turns)), 3)

    def test_quick_does_less_work(self):
        _, pretend = measured(turns=1, mode="quick", muster=[1], go=[1], tbb=[1])
        self.assertEqual({n for _, n in pretend.calls}, {100})

    def test_the_json_has_what_was_promised(self):
        result, _ = measured(muster=[1, 1, 1], go=[2, 2, 2], tbb=[4, 4, 4])
        self.assertEqual(result.as_json(), {"case": "work", "unit": "ns", "muster": 1, "peers": {"go": 2, "tbb": 4},
                                            "ratios": {"go": 0.5, "tbb": 0.25}, "rounds": 3})

    def test_a_limit_is_for_musters_own_value(self):
        row = cases.Row("work", {"muster": "work"}, limit=5)
        alone = cases.Measure("work", "{n}", {"muster": cases.Program("muster", "work", SIZE)}, [row])
        for value, verdict in ((5, True), (6, False)):
            result = rounds.measure(alone, "full", 1, rounds.generator(1), Pretend(muster=[value]))[0]
            self.assertIs(result.within_limit(), verdict)

    def test_what_there_is_no_memory_for_is_left_out_before_it_runs(self):
        big = cases.Measure("work", "{n}", {"muster": cases.Program("muster", "work", SIZE)}, MEASURE.rows, SIZE)
        pretend = Pretend(muster=[1])
        with self.assertRaises(rounds.Absent):
            rounds.measure(big, "full", 1, rounds.generator(1), pretend, memory=999)
        self.assertEqual(pretend.calls, [])

    def test_every_peer_of_the_real_table_has_a_figure_and_a_known_system(self):
        for measure in cases.MEASURES:
            for name, program in measure.programs.items():
                self.assertIn(program.system, programs.NEEDS)
                for row in measure.rows:
                    self.assertIn(name, row.figure)
                    self.assertTrue(set(row.goals) <= set(measure.programs))


if __name__ == "__main__":
    unittest.main()
