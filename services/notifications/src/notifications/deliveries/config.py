from email.utils import parseaddr

from pydantic import Field, HttpUrl, field_validator

from chassis.config import BaseConfig


class MailConfig(BaseConfig):
    """Who the mails are from, and where their links lead."""

    mail_from: str = Field(
        default="Broadsheet <no-reply@broadsheet.example>", max_length=320, pattern=r"^[^\x00-\x1f\x7f]+$"
    )
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8080")

    @field_validator("mail_from")
    @classmethod
    def require_address(cls, value: str) -> str:
        local_part, _, domain = parseaddr(value)[1].rpartition("@")
        if not local_part or not domain:
            raise ValueError("must be an address, such as: Broadsheet <no-reply@broadsheet.example>")
        return value

    @property
    def mail_domain(self) -> str:
        """The right side of every Message-ID."""
        return parseaddr(self.mail_from)[1].rpartition("@")[2]

    @property
    def base_url(self) -> str:
        return str(self.public_url).rstrip("/")
