"""`Idempotency-Key`: a POST that is repeated is done once, and answered the same.

The key is inserted first, in the transaction of the effect. A second request waits on the index until the first
has ended, then finds the stored answer; a crash rolls both back, so nothing is left "in progress".
"""

import hashlib
import hmac
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from sqlalchemy import LargeBinary, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.dependencies import SessionDep
from chassis.database.models import Base
from chassis.problems import ConflictError, ProblemError, UnprocessableError
from chassis.security.dependencies import OptionalJWTDataDep

REPLAYED_HEADERS = ("content-type", "location", "etag")
ANONYMOUS = UUID(int=0)


class IdempotencyKeyReusedError(UnprocessableError):
    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used with another request"


class IdempotencyKeyBusyError(ConflictError):
    code = "idempotency_key_busy"
    title = "A request with this Idempotency-Key is under way"


class AnswerReplayedError(ProblemError):
    """Not a failure: ends the request early with the answer that was stored (`handle_replay`)."""

    def __init__(self, status_code: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__()
        self.response = Response(body, status_code, headers={**headers, "Idempotency-Replayed": "true"})


class IdempotencyKey(Base):
    __tablename__ = "idempotency_key"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


async def claim_idempotency_key(
    request: Request,
    session: SessionDep,
    jwt_data: OptionalJWTDataDep,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="Repeat a request under the same key: it is done once."),
    ] = None,
) -> None:
    """Take the key for this request, or answer what it was answered before."""
    if idempotency_key is None:
        return
    user_id = ANONYMOUS if jwt_data is None else jwt_data.user_id
    # The key itself is not stored, only what it hashes to, and the body is hashed with it: a body may hold a
    # password, whose bare digest in a stolen table would be guessed at full speed.
    key_digest = hashlib.sha256(idempotency_key.encode()).hexdigest()
    identity = {"user_id": user_id, "route": f"{request.method} {request.url.path}", "key": key_digest}
    digest = hmac.digest(idempotency_key.encode(), await request.body(), hashlib.sha256)
    if not await _insert_key(session, identity, digest):
        await _replay_answer(session, identity, digest)

    async def store_answer(session: AsyncSession, response: Response) -> None:
        headers = {name: value for name, value in response.headers.items() if name in REPLAYED_HEADERS}
        values = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
        await session.execute(update(IdempotencyKey).filter_by(**identity).values(**values))

    request.state.store_idempotent_answer = store_answer


async def _insert_key(session: AsyncSession, identity: dict[str, Any], digest: bytes) -> bool:
    statement = insert(IdempotencyKey).values(**identity, body_digest=digest).on_conflict_do_nothing()
    try:
        result = await session.execute(statement.returning(IdempotencyKey.key))
    except DBAPIError as error:
        if getattr(error.driver_exception, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise IdempotencyKeyBusyError from error
        raise
    return result.first() is not None


LOCK_NOT_AVAILABLE = "55P03"


async def _replay_answer(session: AsyncSession, identity: dict[str, Any], digest: bytes) -> None:
    stored = (await session.scalars(select(IdempotencyKey).filter_by(**identity))).one_or_none()
    if stored is None or stored.status is None or stored.body is None:
        raise IdempotencyKeyBusyError
    if stored.body_digest != digest:
        raise IdempotencyKeyReusedError
    raise AnswerReplayedError(stored.status, stored.headers or {}, stored.body)


async def forget_answers(session: AsyncSession, user_id: UUID) -> None:
    """Those to somebody who is gone, and those about them from when they were not known yet (their sign-up)."""
    names_them = func.encode(IdempotencyKey.body, "escape").contains(str(user_id))
    is_theirs = or_(IdempotencyKey.user_id == user_id, and_(IdempotencyKey.user_id == ANONYMOUS, names_them))
    await session.execute(delete(IdempotencyKey).where(is_theirs))


async def handle_replay(_: Request, error: Exception) -> Response:
    if not isinstance(error, AnswerReplayedError):
        raise error
    return error.response


IdempotencyDep = Annotated[None, Depends(claim_idempotency_key)]
