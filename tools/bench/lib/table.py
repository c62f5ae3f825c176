"""Results as text: one block for each row, every goal beside what came out, whether it was met or not."""

import textwrap


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _quartiles(spread, rounds, form):
    return f"{form(spread.median):>9}" + (f" ({form(spread.low)} … {form(spread.high)})" if rounds > 1 else "")


def _ratio(value):
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def _verdict(goal, met):
    return f"goal ≤ {goal:g}: {'met' if met else 'NOT MET'}"


def block(result):
    """The lines of one row."""
    lines = [f"{result.name}: {result.work}  [{result.unit}, {result.rounds} round{'s' * (result.rounds != 1)}]"]
    for name, values in result.values.items():
        line = f"  {name:<19}{_quartiles(values, result.rounds, number):<34}"
        if name == "muster":
            if result.limit is not None:
                line += _verdict(result.limit, result.within_limit())
        else:
            line += f"ratio {_quartiles(result.ratios[name], result.rounds, _ratio).strip():<22}"
            if result.met(name) is not None:
                line += " " + _verdict(result.goals[name], result.met(name))
        if name in result.notes:
            line += f"  [{result.notes[name]}]"
        lines.append(line.rstrip())
    lines += [f"  {name:<19}left out: {why}" for name, why in result.left_out.items()]
    return "\n".join(lines)


def summary(results):
    """How many goals there are, how many were met, and which were not."""
    missed = []
    met = 0
    for result in results:
        verdicts = [(f"{result.name} against {peer}", result.met(peer)) for peer in result.goals]
        verdicts.append((result.name, result.within_limit()))
        for what, verdict in verdicts:
            if verdict:
                met += 1
            elif verdict is False:
                missed.append(what)
    text = f"{met} of {met + len(missed)} goals met."
    if missed:
        text += " Not met: " + "; ".join(missed) + "."
    return textwrap.fill(text, 118)
