"""How figures are taken and shown: in turns, so that a machine that others use as well disturbs both sides alike."""

import os
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.auth.machine import Usage


@dataclass(frozen=True, slots=True)
class Sample:
    """What one turn of one measure saw. `cpu_ms` is what all processes of ours took for one operation."""

    value: float
    cpu_ms: float = 0.0


Measure = Callable[[], Awaitable[Sample]]

console = Console()


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. `is_met` is None where nothing is to be reached: such a line explains another."""

    name: str
    goal: str
    seen: str
    limit: str
    ratio: float | None = None
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Round:
    samples: Sequence[Sample]
    foreign_share: float


@dataclass(frozen=True, slots=True)
class Turns:
    """What each of several measures saw in the rounds in which others took least of the machine."""

    rounds: Sequence[Round]

    def get_median(self, measure: int) -> float:
        return statistics.median(each.samples[measure].value for each in self.rounds)

    def get_cpu_ms(self, measure: int) -> float:
        return statistics.median(each.samples[measure].cpu_ms for each in self.rounds)

    def get_ratio(self, measure: int, limit: int = 0) -> float:
        """The median of the rounds' ratios: what disturbs one round disturbs both of its sides."""
        return statistics.median(each.samples[measure].value / each.samples[limit].value for each in self.rounds)

    def get_cpu_ratio(self, measure: int, limit: int = 0) -> float:
        """Of the limit's processor time to the measure's: what the ratio would be where nothing but that counts."""
        return statistics.median(each.samples[limit].cpu_ms / each.samples[measure].cpu_ms for each in self.rounds)


async def take_turns(title: str, rounds: int, *measures: Measure) -> Turns:
    """Every measure once a round, each round beginning with another one. The quieter half of the rounds is kept."""
    seen = []
    for number in track(range(2 * rounds), title, console=console):
        samples = [Sample(0.0)] * len(measures)
        before = Usage.read()
        for step in range(len(measures)):
            index = (number + step) % len(measures)
            samples[index] = await measures[index]()
        seen.append(Round(samples, Usage.read().get_foreign_share(before)))
    quiet = sorted(seen, key=lambda each: each.foreign_share)[:rounds]
    shares = ", ".join(f"{each.foreign_share:.0%}" for each in quiet)
    console.print(f"{title}: in the {rounds} rounds that count, others took {shares} of the machine")
    return Turns(quiet)


def get_percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def print_figures(figures: Sequence[Figure]) -> None:
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    table = Table("figure", "goal", "seen", "limit in the same run", "ratio", "met")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        met = "" if figure.is_met is None else "yes" if figure.is_met else "NO"
        table.add_row(figure.name, figure.goal, figure.seen, figure.limit, ratio, met)
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load average at the end {load}")
