"""What each service holds about somebody, as it gives it out: part by part, page by page."""

from collections.abc import Iterator
from typing import Any, TypeVar
from uuid import UUID

from pydantic import ValidationError

from chassis.http.exceptions import UpstreamRejectedError
from chassis.http.sync import SyncServiceClient
from chassis.schemas import CustomModel
from worker.exports.constants import PAGES_MAX
from worker.exports.exceptions import DataRefusedError
from worker.exports.schemas import DataPage, Part, Parts

ModelT = TypeVar("ModelT", bound=CustomModel)


def list_parts(owner: SyncServiceClient) -> list[Part]:
    """Raises DataRefusedError, UpstreamUnavailableError."""
    return _read(owner, "/internal/export-parts", {}, Parts).items


def list_items(owner: SyncServiceClient, part: Part, user_id: UUID) -> Iterator[list[dict[str, Any]]]:
    """A page at a time, so that memory holds one. Raises DataRefusedError, UpstreamUnavailableError."""
    cursor: str | None = None
    for _ in range(PAGES_MAX):
        params = {"part": part.name, "limit": part.page_limit, "cursor": cursor}
        page = _read(owner, f"/internal/users/{user_id}/data", params, DataPage)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return
    raise DataRefusedError(f"The list of {part.name} at {owner.target} does not end.")


def _read(owner: SyncServiceClient, path: str, params: dict[str, Any], schema: type[ModelT]) -> ModelT:
    try:
        return schema.model_validate(owner.get_json(path, params=params))
    except UpstreamRejectedError as error:
        # A 404 here is not the job's.
        raise DataRefusedError(f"{owner.target} refuses {path.rpartition('/')[2]}: {error.status}") from error
    except ValidationError as error:
        raise DataRefusedError(f"{owner.target} answers what is no {schema.__name__}") from error
