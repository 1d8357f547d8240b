"""Which platform to fill, from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from deploy.local.settings import LocalSettings


@dataclass(frozen=True)
class DemoSettings:
    """Gateway and mailbox of the platform, and the password of everybody in the demo."""

    url: str = "http://127.0.0.1:8080"
    mailbox_url: str = "http://127.0.0.1:8026"
    password: str = "a-lighthouse-in-the-fog"  # noqa: S105 - everybody may log in as somebody of the demo

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read BROADSHEET_URL, BROADSHEET_MAILBOX_URL and BROADSHEET_DEMO_PASSWORD, or the ports of `make run`."""
        local = LocalSettings.from_environment(environment)
        return cls(
            url=(environment.get("BROADSHEET_URL") or local.get_url("gateway")).rstrip("/"),
            mailbox_url=(environment.get("BROADSHEET_MAILBOX_URL") or local.get_url("mailbox")).rstrip("/"),
            password=environment.get("BROADSHEET_DEMO_PASSWORD") or cls.password,
        )
