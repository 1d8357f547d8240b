"""`make bench-auth`: what accounts cost, beside their bare limits, on this machine alone, in about eight minutes."""

import asyncio

from benchmarks.auth import logins, refreshes, revocations, verification
from benchmarks.auth.figures import Figure, print_figures
from benchmarks.auth.stack import AuthStack


def run() -> None:
    figures: list[Figure] = []
    with AuthStack() as stack:
        for measure in (verification.run, refreshes.run, logins.run):
            figures += asyncio.run(measure(stack))
    figures += revocations.run()
    print_figures(figures)


if __name__ == "__main__":
    run()
