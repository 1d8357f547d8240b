"""The audit log: entries come with the transaction they tell of, and are chained once they are committed.

So no request waits for another to append, and a link never points to what was rolled back.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.audit.constants import CHAIN_BATCH, CHAIN_LOCK, DETAIL_MAX_LENGTH, GENESIS, VERIFY_BATCH, AuditAction
from auth.audit.models import AuditEntry, AuditLink
from auth.audit.queries import AUDIT, FILTERS, OWN_AUDIT
from auth.audit.utils import CanonicalEntry, compute_link
from chassis.database.engine import Database
from chassis.database.queries import Reader
from chassis.logs import get_logger
from chassis.pagination import PageBytes, PageParams

logger = get_logger(__name__)


async def record(
    session: AsyncSession,
    action: AuditAction,
    *,
    subject_id: UUID | None,
    actor_id: UUID | None = None,
    address: str | None = None,
    details: Mapping[str, str] | None = None,
) -> None:
    """If, and only if, this transaction commits. Who is not named as the actor is the subject. No personal data."""
    kept = {name: value[:DETAIL_MAX_LENGTH] for name, value in (details or {}).items()}
    session.add(
        AuditEntry(
            action=action,
            subject_id=subject_id,
            actor_id=actor_id or subject_id,
            address=address,
            details=kept,
        )
    )
    await session.flush()


async def fetch_own_audit(reader: Reader, profile_id: UUID, params: PageParams) -> PageBytes:
    page = await OWN_AUDIT.fetch_page(reader, params, scope=str(profile_id), profile_id=profile_id)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def fetch_audit(
    reader: Reader,
    params: PageParams,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    **filters: Any,
) -> PageBytes:
    given = {name: filters[name] for name in FILTERS if filters.get(name) is not None}
    scope = ",".join(f"{name}={value}" for name, value in (given | {"since": since, "until": until}).items())
    query = AUDIT[tuple(given)]
    page = await query.fetch_page(reader, params, scope=scope, since=since, until=until, **given)
    assert page is not None  # noqa: S101 - the list has no owner that could be missing
    return page


async def chain_entries(session: AsyncSession) -> int:
    """Link some of the committed entries that are not yet; how many.

    In the order of their transactions, and only below the oldest that is still open: none can come in between later.
    """
    await session.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
    last = (await session.execute(_select_links().order_by(AuditLink.number.desc()).limit(1))).one_or_none()
    number, previous, place = 0, GENESIS, None
    if last is not None:
        number, previous = last.AuditLink.number, last.AuditLink.hash
        place = (last.AuditEntry.xid, last.AuditEntry.id)
    entries = (await session.scalars(_select_unlinked(place))).all()
    for entry in entries:
        number, previous = number + 1, compute_link(previous, canonicalize(entry))
        session.add(AuditLink(number=number, entry_id=entry.id, hash=previous))
    await session.flush()
    if entries:
        # In the log as well, so that a chain which is cut at its end is noticed by who keeps the logs.
        logger.info("audit_chained", number=number, head=previous.hex())
    return len(entries)


def _select_links() -> Any:
    return select(AuditLink, AuditEntry).join(AuditEntry, AuditEntry.id == AuditLink.entry_id)


def _select_unlinked(place: tuple[int, UUID] | None) -> Any:
    horizon = func.pg_snapshot_xmin(func.pg_current_snapshot())
    statement = select(AuditEntry).where(AuditEntry.xid < horizon)
    if place is not None:
        xid, entry_id = place
        is_later = (AuditEntry.xid > xid) | ((AuditEntry.xid == xid) & (AuditEntry.id > entry_id))
        statement = statement.where(AuditEntry.xid >= xid, is_later)
    return statement.order_by(AuditEntry.xid, AuditEntry.id).limit(CHAIN_BATCH)


def canonicalize(entry: AuditEntry) -> CanonicalEntry:
    return CanonicalEntry(
        entry_id=entry.id,
        action=entry.action,
        subject_id=entry.subject_id,
        actor_id=entry.actor_id,
        address=entry.address,
        details=entry.details,
        created_at=entry.created_at,
    )


async def verify_chain(database: Database) -> tuple[int, int | None]:
    """How many links hold, and the number of the first that does not; None if all do."""
    number, previous = 0, GENESIS
    async for row in _read_chain(database):
        number += 1
        previous = compute_link(previous, canonicalize(row.AuditEntry))
        if row.AuditLink.number != number or row.AuditLink.hash != previous:
            return number - 1, number
    return number, None


async def count_strays(database: Database) -> int:
    """Entries that the chain has passed over: put in later, by who could write around `record`."""
    async with database.transaction() as session:
        last = (await session.execute(_select_links().order_by(AuditLink.number.desc()).limit(1))).one_or_none()
        if last is None:
            return 0
        xid, entry_id = last.AuditEntry.xid, last.AuditEntry.id
        place = (AuditEntry.xid < xid) | ((AuditEntry.xid == xid) & (AuditEntry.id <= entry_id))
        is_linked = exists().where(AuditLink.entry_id == AuditEntry.id)
        return (await session.scalars(select(func.count()).select_from(AuditEntry).where(place, ~is_linked))).one()


async def _read_chain(database: Database) -> AsyncIterator[Row[Any]]:
    """In batches, so that neither memory nor one long transaction grows with it."""
    after = 0
    while True:
        async with database.transaction() as session:
            statement = _select_links().where(AuditLink.number > after).order_by(AuditLink.number).limit(VERIFY_BATCH)
            rows = (await session.execute(statement)).all()
        if not rows:
            return
        for row in rows:
            yield row
        after = rows[-1].AuditLink.number
