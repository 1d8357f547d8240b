"""One mail from hint to report: what its owner hears, and what the mail hop gets, on good days and on bad ones."""

import signal
import threading
from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from chassis.config import ConfigError, load_config
from chassis.http.exceptions import UpstreamRejectedError
from worker.constants import Outcome
from worker.mail.config import SmtpConfig
from worker.mail.tasks import send_email

pytestmark = pytest.mark.usefixtures("settings")


class Owner(Protocol):
    """The fixture of conftest.py."""

    jobs: dict[str, Any]
    away: dict[str, int]
    before: dict[str, Callable[[], None]]
    headers: list[dict[str, str]]
    refusals: dict[str, tuple[int, dict[str, str]]]

    def create_email(self, **changes: Any) -> str: ...
    def get_report(self, job_id: str, step: str) -> dict[str, Any] | None: ...
    def list_steps(self, job_id: str) -> list[str]: ...


class MailHop(Protocol):
    """The fixture of conftest.py."""

    def behave(self, mode: str, times: int | None = None) -> None: ...
    def list_messages(self) -> list[Any]: ...


def run_task(job_id: str) -> str:
    return str(send_email.apply(args=(job_id,)).get())


class TestSendEmail:
    def test_valid(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        assert run_task(job_id) == Outcome.DONE
        assert owner.list_steps(job_id) == ["dot", "result"]
        reply = owner.get_report(job_id, "result")
        assert reply is not None
        assert reply["smtp_reply"].startswith("250 2.0.0")
        (message,) = mail_hop.list_messages()
        assert message.recipients == [f"{job_id[:8]}@example.org"]
        assert message.header("Message-ID") == f"<{job_id}@broadsheet.example>"
        assert (message.text, message.html) == ("Good morning\n", "<p>Good <b>morning</b></p>\n")

    def test_run_twice(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        assert [run_task(job_id), run_task(job_id)] == [Outcome.DONE, Outcome.SKIPPED]
        assert len(mail_hop.list_messages()) == 1

    def test_not_found(self, owner: Owner, mail_hop: MailHop) -> None:
        assert run_task(str(uuid4())) == Outcome.SKIPPED
        assert not mail_hop.list_messages()
        assert owner.headers

    def test_not_a_uuid(self, owner: Owner) -> None:
        """Whoever reaches the broker may write anything; it must not become a path at the owner."""
        with pytest.raises(ValueError, match="badly formed"):
            run_task("../../auth/token")
        assert not owner.headers

    def test_stale_fence(self, owner: Owner, mail_hop: MailHop) -> None:
        """Paused for longer than its lease: the mail is taken back although all but the final dot was sent."""
        job_id = owner.create_email()
        owner.before["dot"] = lambda: setattr(owner.jobs[job_id], "fence", 2)
        assert run_task(job_id) == Outcome.SKIPPED
        assert not mail_hop.list_messages()
        assert owner.list_steps(job_id) == []

    @pytest.mark.parametrize("step", ["token", "claim"])
    def test_owner_away(self, owner: Owner, mail_hop: MailHop, step: str) -> None:
        job_id = owner.create_email()
        owner.away[step] = 5
        assert run_task(job_id) == Outcome.OWNER_AWAY
        assert not mail_hop.list_messages()
        assert owner.jobs[job_id].state == "queued", "nothing is lost: the sweep sends another hint"

    @pytest.mark.parametrize("step", ["content", "dot"])
    def test_owner_away_after_the_claim(self, owner: Owner, mail_hop: MailHop, step: str) -> None:
        job_id = owner.create_email()
        owner.away[step] = 5
        assert run_task(job_id) == Outcome.OWNER_AWAY
        assert not mail_hop.list_messages()
        report = owner.get_report(job_id, "failure")
        assert report is not None, "handed back, instead of waiting for the end of the lease"
        assert report["permanent"] is False

    def test_owner_restarts_before_the_result(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        owner.away["result"] = 4
        assert run_task(job_id) == Outcome.DONE
        assert owner.list_steps(job_id) == ["dot", "result"]
        assert len(mail_hop.list_messages()) == 1

    def test_deferred_by_the_hop(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        mail_hop.behave("reject_4xx")
        assert run_task(job_id) == Outcome.DEFERRED
        report = owner.get_report(job_id, "failure")
        assert report == {"fence": 1, "error": "451 4.3.0 Not now, as the test asked", "permanent": False}

    def test_rejected_by_the_hop(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        mail_hop.behave("reject_5xx")
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report == {"fence": 1, "error": "550 5.7.1 Never, as the test asked", "permanent": True}

    def test_cut_after_the_dot(self, owner: Owner, mail_hop: MailHop) -> None:
        """Perhaps sent: nobody is told anything, and the end of the lease decides by the kind of the mail."""
        job_id = owner.create_email()
        mail_hop.behave("drop_after_data")
        assert run_task(job_id) == Outcome.AMBIGUOUS
        assert owner.list_steps(job_id) == ["dot"]

    def test_same_bytes_on_every_try(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        mail_hop.behave("drop_after_data", times=1)
        run_task(job_id)
        owner.jobs[job_id].state = "queued"
        assert run_task(job_id) == Outcome.DONE
        first, second = mail_hop.list_messages()
        assert first.raw == second.raw

    def test_mail_that_cannot_be_written(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email(recipient="a@example.org\r\nBcc: all@example.org")
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report is not None
        assert report["permanent"] is True
        assert not mail_hop.list_messages()

    def test_claim_that_cannot_be_read(self, owner: Owner) -> None:
        job_id = owner.create_email(date="yesterday")
        with pytest.raises(ValueError, match="date"):
            run_task(job_id)
        assert owner.list_steps(job_id) == ["failure"]

    def test_content_that_will_never_be_there(
        self, owner: Owner, mail_hop: MailHop, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An address that was not confirmed in time: nothing to try again, and nobody to wake for it."""
        job_id = owner.create_email()
        owner.refusals["content"] = (409, {"code": "confirmation_gone"})
        assert run_task(job_id) == Outcome.REJECTED
        report = owner.get_report(job_id, "failure")
        assert report == {"fence": 1, "error": "notifications: 409 confirmation_gone", "permanent": True}
        assert not mail_hop.list_messages()
        assert {record.levelname for record in caplog.records} <= {"DEBUG", "INFO", "WARNING"}
        assert not any(record.exc_info for record in caplog.records)

    def test_content_that_another_release_would_give(self, owner: Owner) -> None:
        job_id = owner.create_email()
        owner.refusals["content"] = (422, {"code": "request_invalid"})
        with pytest.raises(UpstreamRejectedError):
            run_task(job_id)
        report = owner.get_report(job_id, "failure")
        assert report is not None
        assert report["permanent"] is False

    def test_result_refused_after_the_dot(self, owner: Owner, mail_hop: MailHop) -> None:
        """It was sent: no refusal may say that it was not."""
        job_id = owner.create_email()
        owner.refusals["result"] = (413, {"code": "body_too_large"})
        with pytest.raises(UpstreamRejectedError):
            run_task(job_id)
        assert owner.list_steps(job_id) == ["dot"]
        assert len(mail_hop.list_messages()) == 1

    def test_out_of_time_before_the_dot(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        self.run_out_of_time(owner, "content", job_id)
        assert owner.list_steps(job_id) == ["failure"]
        assert not mail_hop.list_messages()

    def test_out_of_time_after_the_dot(self, owner: Owner, mail_hop: MailHop) -> None:
        job_id = owner.create_email()
        owner.away["result"] = 100
        self.run_out_of_time(owner, "result", job_id)
        assert owner.list_steps(job_id) == ["dot"]
        assert len(mail_hop.list_messages()) == 1

    def run_out_of_time(self, owner: Owner, step: str, job_id: str) -> None:
        """As Celery does it: an exception in the middle of whatever the task is doing."""

        def raise_limit(*_: object) -> None:
            raise SoftTimeLimitExceeded

        previous = signal.signal(signal.SIGUSR1, raise_limit)
        task_thread = threading.get_ident()
        owner.before[step] = lambda: signal.pthread_kill(task_thread, signal.SIGUSR1)
        try:
            with pytest.raises(SoftTimeLimitExceeded):
                run_task(job_id)
        finally:
            signal.signal(signal.SIGUSR1, previous)

    def test_context_goes_on(self, owner: Owner) -> None:
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        job_id = owner.create_email()
        send_email.apply(args=(job_id,), headers={"traceparent": trace, "request_id": "request-0001"}).get()
        calls = [headers for headers in owner.headers if headers["path"] != "/auth/token"]
        assert {headers["traceparent"].split("-")[1] for headers in calls} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
        assert {headers["x-request-id"] for headers in calls} == {"request-0001"}
        assert {headers["authorization"] for headers in calls} == {"Bearer a-token"}


class TestSmtpConfig:
    def test_password_in_the_clear(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {
            "ENVIRONMENT": "production",
            "SMTP_USERNAME": "broadsheet",
            "SMTP_PASSWORD": "a-password-that-is-long-enough-for-this",
        }.items():
            monkeypatch.setenv(name, value)
        load_config.cache_clear()
        with pytest.raises(ConfigError, match="SMTP_SECURITY=none"):
            load_config(SmtpConfig)
        monkeypatch.setenv("SMTP_SECURITY", "starttls")
        assert load_config(SmtpConfig).username == "broadsheet"

    def test_no_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMTP_USERNAME", "broadsheet")
        load_config.cache_clear()
        with pytest.raises(ConfigError, match="SMTP_PASSWORD is not set"):
            load_config(SmtpConfig)
