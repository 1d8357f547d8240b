from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, case, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.config import load_config
from chassis.database.queries import Reader
from chassis.jobs.exceptions import JobNotFoundError, StaleFenceError
from chassis.jobs.models import JobState
from chassis.jobs.service import claim_job, complete_job, fail_job
from chassis.jobs.sources import JobSource
from chassis.logs import get_logger
from notifications.confirmations.client import ConfirmationsClient
from notifications.deliveries.config import MailConfig
from notifications.deliveries.constants import (
    BLANK_BATCH,
    DOT_MARGIN_SECONDS,
    KEEP,
    MAIL_QUEUE,
    PAGES,
    POLICIES,
    SEND_EMAIL_TASK,
    DeliveryPolicy,
    EmailKind,
    EmailState,
)
from notifications.deliveries.models import BLANKABLE, IS_TO_BE_PARKED, MAY_BE_SENT, DeliveryEmail
from notifications.deliveries.queries import GET_EMAIL_DRAFT
from notifications.deliveries.schemas import EmailClaim, EmailContent, EmailDraft
from notifications.deliveries.utils import get_confirmation_params, get_link, render_email

# The words of a mail server may name the recipient.
BLANKED: dict[str, Any] = {"recipient": "", "params": {}, "smtp_reply": None, "last_error": None}
EMAIL_JOBS = JobSource(DeliveryEmail, SEND_EMAIL_TASK, MAIL_QUEUE, claimable=MAY_BE_SENT)

logger = get_logger(__name__)


async def create_emails(session: AsyncSession, rows: Select[Any]) -> None:
    """One statement for however many mails; a mail that was created before is not created again.

    `rows` selects kind, subject_id, recipient_id, recipient (the address) and params.
    """
    # In a CTE, because the id of each is used twice and made anew wherever it is named.
    mail = rows.add_columns(func.uuidv7().label("id")).cte("mail")
    kinds_at_most_once = [kind.value for kind, policy in POLICIES.items() if policy is DeliveryPolicy.AT_MOST_ONCE]
    values = {
        "id": mail.c.id,
        "dedupe_key": func.concat_ws(":", mail.c.kind, mail.c.subject_id, mail.c.recipient_id),
        "message_id": func.concat("<", mail.c.id, "@", load_config(MailConfig).mail_domain, ">"),
        "kind": mail.c.kind,
        "recipient_id": mail.c.recipient_id,
        "recipient": mail.c.recipient,
        "params": mail.c.params,
        "policy": case(
            (mail.c.kind.in_(kinds_at_most_once), DeliveryPolicy.AT_MOST_ONCE.value),
            else_=DeliveryPolicy.AT_LEAST_ONCE.value,
        ),
    }
    statement = insert(DeliveryEmail).from_select(list(values), select(*values.values()))
    await session.execute(statement.on_conflict_do_nothing(index_elements=[DeliveryEmail.dedupe_key]))


async def create_confirmation_email(
    session: AsyncSession,
    *,
    confirmation_id: UUID,
    user_id: UUID,
    email: str,
    first_name: str,
    kind: EmailKind = EmailKind.CONFIRMATION,
) -> None:
    """Without the token: that is asked for when the mail is written, and stored nowhere."""
    params = {"confirmation_id": str(confirmation_id), "first_name": first_name}
    row = select(
        literal(kind.value).label("kind"),
        literal(confirmation_id).label("subject_id"),
        literal(user_id).label("recipient_id"),
        literal(email).label("recipient"),
        literal(params, JSONB).label("params"),
    )
    await create_emails(session, row)


async def claim_email(session: AsyncSession, email_id: UUID) -> EmailClaim:
    """Raises JobNotFoundError, JobNotClaimableError; the latter also for what may have been sent at most once."""
    # A dot that is still there at a claim was never answered for.
    doubts = DeliveryEmail.doubts + case((DeliveryEmail.dot_at.is_not(None), 1), else_=0)
    values = {"dot_at": None, "doubts": doubts}
    email = await claim_job(session, DeliveryEmail, email_id, where=MAY_BE_SENT, values=values)
    assert email.lease_ends_at is not None  # noqa: S101 - a claim sets it
    return EmailClaim(
        email_id=email.id,
        fence=email.fence,
        lease_ends_at=email.lease_ends_at,
        sender=load_config(MailConfig).mail_from,
        recipient=email.recipient,
        message_id=email.message_id,
        date=email.created_at,
    )


async def get_draft_or_raise(reader: Reader, email_id: UUID, fence: int) -> EmailDraft:
    """What a claimed mail is made of. Raises JobNotFoundError, StaleFenceError."""
    row = await reader.fetch_row(GET_EMAIL_DRAFT, email_id=email_id)
    if row is None:
        raise JobNotFoundError
    if row["fence"] != fence or row["state"] != JobState.RUNNING:
        raise StaleFenceError
    return EmailDraft.model_validate_json(row["draft"])


async def get_content(draft: EmailDraft, confirmations: ConfirmationsClient) -> EmailContent:
    """Write the mail; for a confirmation auth is asked for the token. No database connection is held meanwhile.

    Raises ConfirmationGoneError, UpstreamUnavailableError.
    """
    base_url = load_config(MailConfig).base_url
    if draft.kind in PAGES:
        confirmation = await confirmations.get_confirmation(UUID(draft.params["confirmation_id"]))
        return render_email(draft.kind, draft.params | get_confirmation_params(base_url, draft.kind, confirmation))
    return render_email(draft.kind, draft.params | {"link": get_link(base_url, draft)})


async def record_dot(session: AsyncSession, email_id: UUID, *, fence: int) -> None:
    """The point of no return. Refused when the hop's answer might come after the lease.

    Raises JobNotFoundError, StaleFenceError.
    """
    leaves_time = DeliveryEmail.lease_ends_at > func.now() + func.make_interval(0, 0, 0, 0, 0, 0, DOT_MARGIN_SECONDS)
    is_mine = (DeliveryEmail.id == email_id, DeliveryEmail.fence == fence, DeliveryEmail.state == JobState.RUNNING)
    statement = update(DeliveryEmail).where(*is_mine, leaves_time)
    # The first word counts: a report that is repeated, because its answer was lost, changes nothing.
    values = {"dot_at": func.coalesce(DeliveryEmail.dot_at, func.now())}
    recorded = await session.scalar(statement.values(values).returning(DeliveryEmail.id))
    if recorded is None:
        if await session.get(DeliveryEmail, email_id) is None:
            raise JobNotFoundError
        raise StaleFenceError


async def record_result(session: AsyncSession, email_id: UUID, *, fence: int, smtp_reply: str) -> None:
    """The hop has taken it. Raises JobNotFoundError, StaleFenceError."""
    await complete_job(session, DeliveryEmail, email_id, fence=fence, values={"smtp_reply": smtp_reply})


async def record_failure(session: AsyncSession, email_id: UUID, *, fence: int, error: str, permanent: bool) -> None:
    """The hop has surely not taken it, whatever was announced. Raises JobNotFoundError, StaleFenceError."""
    email = await fail_job(
        session, DeliveryEmail, email_id, fence=fence, error=error, permanent=permanent, values={"dot_at": None}
    )
    if email is not None and email.state == JobState.DEAD:
        # A final word about one mail is everyday life; a day of tries in vain is a fault of the platform.
        log = logger.warning if permanent else logger.error
        # The error stays in the row: the words of a mail server may name the recipient.
        log("email_dead", email_id=str(email_id), kind=email.kind, attempts=email.attempts)


async def park_ambiguous_emails(session: AsyncSession) -> int:
    """Set aside what may have been sent and must not be sent twice, for somebody to look at. Returns how many."""
    parked = update(DeliveryEmail).where(IS_TO_BE_PARKED)
    values = {"state": EmailState.UNKNOWN, "finished_at": func.now(), "lease_ends_at": None}
    ids = (await session.scalars(parked.values(values).returning(DeliveryEmail.id))).all()
    for email_id in ids:
        logger.error("email_unknown", email_id=str(email_id))
    return len(ids)


async def drop_emails(session: AsyncSession, recipient_id: UUID) -> None:
    """Give up what waits for somebody who is gone, but for the last word on that itself, and forget who they were."""
    waits = and_(
        DeliveryEmail.recipient_id == recipient_id,
        DeliveryEmail.state == JobState.QUEUED,
        DeliveryEmail.kind != EmailKind.SECURITY_NOTICE,
    )
    dead = {"state": JobState.DEAD, "finished_at": func.now()}
    await session.execute(update(DeliveryEmail).where(waits).values(**dead))
    await blank_emails_to(session, select(literal(recipient_id)))


async def blank_emails_to(session: AsyncSession, recipient_ids: Select[UUID]) -> None:
    """Those that are over."""
    is_over = (DeliveryEmail.recipient_id.in_(recipient_ids), text(BLANKABLE))
    await session.execute(update(DeliveryEmail).where(*is_over).values(BLANKED))


async def blank_old_emails(session: AsyncSession) -> int:
    """Forget who got a batch of old mails and what they said. Returns how many; a full batch may leave others."""
    old = (
        select(DeliveryEmail.id)
        .where(text(BLANKABLE), DeliveryEmail.finished_at < func.now() - KEEP)
        .limit(BLANK_BATCH)
        .with_for_update(skip_locked=True)
    )
    blanked = update(DeliveryEmail).where(DeliveryEmail.id.in_(old)).values(BLANKED)
    return len((await session.scalars(blanked.returning(DeliveryEmail.id))).all())
