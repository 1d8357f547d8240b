import json
from pathlib import Path

import pytest
from deploy.local.console import LONGEST_LINE, LogWatch, print_log_lines


class TestLogWatch:
    def test_valid(self, tmp_path: Path) -> None:
        log = tmp_path / "posts.log"
        log.write_text("of the last run\n")
        watch = LogWatch(log)
        assert watch.read_lines() == []
        with log.open("a") as stream:
            stream.write("one\ntwo\nhalf a ")
        assert watch.read_lines() == ["one", "two"]
        with log.open("a") as stream:
            stream.write("line\n")
        assert watch.read_lines() == ["half a line"]
        assert watch.read_lines() == []

    def test_not_found(self, tmp_path: Path) -> None:
        assert LogWatch(tmp_path / "posts.log").read_lines() == []


class TestPrintLogLines:
    @pytest.mark.parametrize(
        "line",
        [
            json.dumps({"level": "warning", "event": "feed is away", "timestamp": "now"}),
            json.dumps({"level": "warn", "msg": "no upstream"}),
            "2026-11-22 21:00:00 UTC [77] FATAL:  no room",
            "asyncpg.exceptions.PostgresError: no room",
        ],
    )
    def test_shown(self, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        print_log_lines("posts", [line], everything=False)
        shown = capsys.readouterr().out
        assert shown.startswith("posts ")
        assert "now" not in shown
        assert shown.count("\n") == 1

    @pytest.mark.parametrize(
        "line",
        [
            json.dumps({"level": "info", "event": "GET /posts 200"}),
            json.dumps({"level": "warn", "msg": "admin endpoint disabled"}),
            "LOG:  checkpoint starting: time",
            "no_errors=1 FATALISM",
        ],
    )
    def test_hidden(self, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        print_log_lines("posts", [line], everything=False)
        assert capsys.readouterr().out == ""
        print_log_lines("posts", [line], everything=True)
        assert capsys.readouterr().out != ""

    def test_blank(self, capsys: pytest.CaptureFixture[str]) -> None:
        print_log_lines("posts", ["  "], everything=True)
        assert capsys.readouterr().out == ""

    def test_exception_is_one_short_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        trace = "Traceback\n  File ...\nValueError: too long " + "x" * 1000
        line = json.dumps({"level": "error", "event": "boom", "exception": trace})
        print_log_lines("posts", [line], everything=False)
        shown = capsys.readouterr().out
        assert "error boom ValueError: too long" in shown
        assert "Traceback" not in shown
        assert len(shown) < LONGEST_LINE + 40

    def test_almost_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        print_log_lines("posts", ["{ERROR in a config}"], everything=False)
        assert "{ERROR in a config}" in capsys.readouterr().out

    def test_alike(self, capsys: pytest.CaptureFixture[str]) -> None:
        lines = [f"21:00:0{number} [{number}] FATAL:  server is gone" for number in range(5)]
        print_log_lines("postgres", [*lines, "ERROR:  something else"], everything=False)
        shown = capsys.readouterr().out.splitlines()
        assert len(shown) == 2
        assert "(5 times) 21:00:00 [0] FATAL: server is gone" in shown[0]
