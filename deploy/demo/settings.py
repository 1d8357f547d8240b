"""Which platform to fill, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class DemoSettings:
    """Gateway and mailbox of the platform, and the password of everybody in the demo."""

    url: str = "http://127.0.0.1:8080"
    mailbox_url: str = "http://127.0.0.1:8026"
    password: str = "a-lighthouse-in-the-fog"  # noqa: S105 - everybody may log in as somebody of the demo

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read BROADSHEET_URL, BROADSHEET_MAILBOX_URL and BROADSHEET_DEMO_PASSWORD, or the ports of `make run`."""
        gateway, mailbox = environment.get("BROADSHEET_GATEWAY_PORT"), environment.get("BROADSHEET_MAILBOX_PORT")
        url = environment.get("BROADSHEET_URL") or (f"http://127.0.0.1:{gateway}" if gateway else cls.url)
        mailbox_url = environment.get("BROADSHEET_MAILBOX_URL") or (
            f"http://127.0.0.1:{mailbox}" if mailbox else cls.mailbox_url
        )
        return cls(
            url=url.rstrip("/"),
            mailbox_url=mailbox_url.rstrip("/"),
            password=environment.get("BROADSHEET_DEMO_PASSWORD") or cls.password,
        )
