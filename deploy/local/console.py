"""What the terminal shows of the logs: warnings and errors, one short line each, or everything with VERBOSE=1."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

NAME_WIDTH: Final = 24
LONGEST_LINE: Final = 240
NOTEWORTHY_LEVELS: Final = frozenset({"warn", "warning", "error", "critical", "fatal", "panic"})
# Of programs that write plain text; a traceback's last line starts with the error's name.
NOTEWORTHY_TEXT: Final = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|PANIC)\b|^[\w.]*(Error|Exception)\b")
# What programs warn of at every start, though it is as it should be here.
NOISE: Final = re.compile(r"Memory overcommit must be enabled|admin endpoint disabled|HTTP/[23] skipped|byeee")
NUMBERS: Final = re.compile(r"[\d:.]+")
# Said elsewhere on the line, or of no use on a terminal.
HIDDEN_KEYS: Final = frozenset({"timestamp", "level", "logger", "service", "event", "msg", "ts", "exception"})


class LogWatch:
    """Reads what a log file gains from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def read_lines(self) -> list[str]:
        """Return the lines that were completed since the last time."""
        if not self._path.exists() or self._path.stat().st_size <= self._offset:
            return []
        with self._path.open("rb") as stream:
            stream.seek(self._offset)
            complete, newline, _ = stream.read().rpartition(b"\n")
        self._offset += len(complete) + len(newline)
        return complete.decode(errors="replace").splitlines()


def print_log_lines(name: str, lines: Sequence[str], *, everything: bool) -> None:
    """Show those lines of a log that matter; of many that differ in numbers only, one."""
    shown = [text for line in lines if (text := _format_line(line, everything=everything))]
    if everything:
        groups = [(text, 1) for text in shown]
    else:
        counts = Counter(NUMBERS.sub("", text) for text in shown)
        first = {NUMBERS.sub("", text): text for text in reversed(shown)}
        groups = [(first[key], count) for key, count in counts.items()]
    for text, count in groups:
        print_line(name, text if count == 1 else f"({count} times) {text}")


def _format_line(line: str, *, everything: bool) -> str | None:
    """Return what to show of a line, None for nothing."""
    if not line.strip() or (NOISE.search(line) and not everything):
        return None
    entry = _parse_entry(line)
    if entry is not None:
        is_noteworthy = str(entry.get("level", "")).lower() in NOTEWORTHY_LEVELS
        return _format_entry(entry) if everything or is_noteworthy else None
    return line if everything or NOTEWORTHY_TEXT.search(line) else None


def print_line(name: str, text: str) -> None:
    """Show one line, with its source before it."""
    flat = " ".join(text.split())
    short = flat if len(flat) <= LONGEST_LINE else f"{flat[:LONGEST_LINE]}…"
    print(f"{name:<{NAME_WIDTH}} {short}", flush=True)


def _parse_entry(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _format_entry(entry: dict[str, Any]) -> str:
    details = [f"{key}={value}" for key, value in entry.items() if key not in HIDDEN_KEYS]
    trace = str(entry.get("exception", "")).strip().splitlines()
    parts = [str(entry.get("level", "")), str(entry.get("event") or entry.get("msg") or ""), *details, *trace[-1:]]
    return " ".join(part for part in parts if part)
