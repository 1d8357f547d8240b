"""`python -m worker mail|cpu|beat|health`: the worker's processes, each with the options that belong to it."""

import argparse
import os
import sys

from worker.canary import STALE_SECONDS, compute_age, is_fresh

CONFIG_EXIT_CODE = 78  # EX_CONFIG: a supervisor need not try again
CPU_NICENESS = 10
WORKERS = {"mail": ("mail,default", 2), "cpu": ("cpu", 1)}


def main() -> None:
    """Run a process of the worker; what cannot start says why in one line."""
    arguments = parse_arguments(sys.argv[1:])
    if arguments.command == "health":
        sys.exit(check_health(arguments.queue))
    # Read by Celery when it is imported: SIGTERM lets what runs finish for a while, then ends it.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    if arguments.command == "cpu":
        # Rendering takes what the API processes leave.
        os.nice(CPU_NICENESS)
    run_celery(arguments.command, arguments.concurrency)


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (queues, concurrency) in WORKERS.items():
        worker = commands.add_parser(name, help=f"run the tasks of: {queues}")
        worker.add_argument("--concurrency", type=int, default=concurrency, help="processes of the pool")
    commands.add_parser("beat", help="send the periodic hints").set_defaults(concurrency=0)
    health = commands.add_parser("health", help="exit code 0 while a queue is consumed")
    health.add_argument("--queue", choices=["mail", "cpu", "default", "beat"], required=True)
    return parser.parse_args(argv)


def check_health(queue: str) -> int:
    """0 while a task of the queue ran lately, 1 otherwise, with one line that says how long ago."""
    age = compute_age(queue)
    seen = "never" if age is None else f"{age:.0f} s ago"
    print(f"{queue}: last sign of life {seen}, allowed {STALE_SECONDS:.0f} s")
    return 0 if is_fresh(queue) else 1


def run_celery(command: str, concurrency: int) -> None:
    """Hand over to Celery; what cannot start says why in one line.

    Imported late: the health check must stay cheap, and metrics be shared before one is made.
    """
    from chassis.config import ConfigError  # noqa: PLC0415
    from worker.metrics import share_metrics  # noqa: PLC0415

    share_metrics(command)
    try:
        from worker.startup import start_beat, start_worker  # noqa: PLC0415

        sys.exit(start_beat() if command == "beat" else start_worker(command, WORKERS[command][0], concurrency))
    except (ConfigError, OSError) as error:
        print(f"worker: {error}", file=sys.stderr)
        sys.exit(CONFIG_EXIT_CODE if isinstance(error, ConfigError) else 1)


if __name__ == "__main__":
    main()
