import re

from hypothesis import given
from hypothesis import strategies as st

from chassis.context import (
    TRACEPARENT,
    bind_context,
    create_child_traceparent,
    create_traceparent,
    get_request_id,
    get_traceparent,
    remaining_seconds,
)
from chassis.logs import redact_sensitive
from chassis.middleware import DEFAULT_DEADLINE_SECONDS, MAX_DEADLINE_SECONDS, parse_deadline


class TestBindContext:
    @given(st.text(max_size=60), st.text(max_size=60))
    def test_what_is_bound_is_always_well_formed(self, request_id: str, traceparent: str) -> None:
        with bind_context(request_id=request_id, traceparent=traceparent):
            assert re.fullmatch(r"[A-Za-z0-9._:-]{8,128}", get_request_id() or "")
            assert TRACEPARENT.match(get_traceparent() or "")
        assert get_request_id() is None

    def test_child_keeps_the_trace_and_has_its_own_span(self) -> None:
        parent = create_traceparent()
        child = create_child_traceparent(parent)
        assert child.split("-")[1] == parent.split("-")[1]
        assert child.split("-")[2] != parent.split("-")[2]

    def test_deadline_counts_down(self) -> None:
        with bind_context(seconds=5):
            remaining = remaining_seconds()
            assert remaining is not None
            assert 4 < remaining <= 5
        assert remaining_seconds() is None


class TestParseDeadline:
    @given(st.text(max_size=40))
    def test_any_header_gives_a_sane_deadline(self, header: str) -> None:
        assert 0 <= parse_deadline(header) <= MAX_DEADLINE_SECONDS

    def test_absent(self) -> None:
        assert parse_deadline(None) == DEFAULT_DEADLINE_SECONDS


def test_telling_names_are_redacted() -> None:
    event = {"event": "x", "user_password": "p", "access_token": "t", "email": "a@b", "status": 200}
    redacted = redact_sensitive(None, "", event)
    assert redacted == {
        "event": "x",
        "user_password": "[redacted]",
        "access_token": "[redacted]",
        "email": "[redacted]",
        "status": 200,
    }
