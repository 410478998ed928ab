"""Reader of figures in Prometheus' text format."""

import re


def metric_sum(exposition: str, name: str) -> float:
    """The sum of all series of `name`, or of those that have the labels that it names, too."""
    bare, _, labels = name.partition("{")
    wanted = set(re.findall(r'\w+="[^"]*"', labels))
    values = [
        float(line.rsplit(" ", 1)[1])
        for line in exposition.splitlines()
        if line.startswith((bare + " ", bare + "{"))
        and wanted <= set(re.findall(r'\w+="[^"]*"', line))
    ]
    assert values, f"no such metric: {name}"
    return sum(values)
