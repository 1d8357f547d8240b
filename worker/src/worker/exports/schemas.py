from typing import Any
from uuid import UUID

from pydantic import Field

from chassis.schemas import CustomModel
from worker.jobs import JobClaim


class ExportClaim(JobClaim):
    export_id: UUID
    user_id: UUID


class Part(CustomModel):
    """A kind of data that a service holds. Its name becomes part of a file's."""

    name: str = Field(max_length=50, pattern="^[a-z]+(-[a-z]+)*$")
    about: str = Field(max_length=200)
    page_limit: int = Field(ge=1, le=100)


class Parts(CustomModel):
    items: list[Part] = Field(max_length=100)


class DataPage(CustomModel):
    items: list[dict[str, Any]] = Field(max_length=100)
    next_cursor: str | None = Field(max_length=1000)


class File(CustomModel):
    """An item that is a file of its own."""

    file_name: str = Field(max_length=100, pattern="^[a-z0-9]+(-[a-z0-9]+)*\\.[a-z0-9]+$")
    content: str
    """In base64."""
