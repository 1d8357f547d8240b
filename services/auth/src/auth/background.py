"""The background process: it keeps house. Nobody waits for it, and nothing is lost while it is away."""

from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from auth.audit.constants import CHAIN_BATCH, CHAIN_SECONDS
from auth.audit.service import chain_entries
from auth.avatars.service import AVATARS, delete_failed_avatars
from auth.codes.service import delete_old_codes
from auth.confirmations.config import ConfirmationConfig
from auth.confirmations.utils import ConfirmationSigner
from auth.devices.service import delete_unseen_devices
from auth.exports.service import EXPORTS, delete_old_exports
from auth.keys.config import KeysConfig
from auth.keys.constants import ROTATION_CHECK_SECONDS
from auth.keys.service import delete_retired_keys, rotate_due_keys
from auth.locks.constants import TELL_SECONDS
from auth.locks.service import delete_old_locks, tell_of_locks
from auth.mfa.service import delete_old_challenges
from auth.passkeys.service import delete_expired_challenges
from auth.recovery.service import RequestRunner
from auth.registrations.service import delete_unconfirmed_profiles
from auth.sessions.events import RevocationPublisher
from auth.sessions.service import delete_ended_sessions, delete_old_revocations
from auth.totp.service import delete_old_enrolments
from chassis.background import BackgroundTask
from chassis.background import run_background as run_tasks
from chassis.config import RedisConfig, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.housekeeping import run_hourly
from chassis.jobs.broker import HintBroker
from chassis.jobs.hints import HintSender
from chassis.periodic import run_every

PRUNE_SECONDS = 600.0

Prune = Callable[[AsyncSession], Awaitable[int]]
"""Deletes some of what is over; how much it was."""

PRUNES: tuple[Prune, ...] = (
    delete_unconfirmed_profiles,
    delete_ended_sessions,
    delete_old_revocations,
    delete_unseen_devices,
    delete_old_locks,
    delete_failed_avatars,
    delete_old_challenges,
    delete_old_enrolments,
    delete_expired_challenges,
    delete_old_codes,
    delete_retired_keys,
    delete_old_exports,
)


async def run_background() -> None:
    """Until SIGTERM."""
    redis_url = str(load_config(RedisConfig).redis_url)
    with closing(HintBroker(redis_url)) as broker:
        async with Database(load_config(DatabaseConfig)) as database:
            await run_tasks("auth", create_tasks(database, broker, redis_url))


def create_tasks(database: Database, broker: HintBroker, redis_url: str) -> dict[str, BackgroundTask]:
    signer = ConfirmationSigner.from_config(load_config(ConfirmationConfig))
    rotate = partial(rotate_keys, database, load_config(KeysConfig))
    return {
        "send-recovery-mails": RequestRunner(database, signer).run,
        "send-hints": HintSender(database, broker, [AVATARS, EXPORTS]).run,
        "chain-audit": partial(run_every, CHAIN_SECONDS, "chain-audit", partial(chain_audit, database)),
        "publish-revocations": RevocationPublisher(database, redis_url).run,
        "housekeeping": partial(run_hourly, database),
        "rotate-keys": partial(run_every, ROTATION_CHECK_SECONDS, "rotate-keys", rotate),
        "tell-of-locks": partial(run_every, TELL_SECONDS, "tell-of-locks", partial(tell_all, database)),
        "pruning": partial(run_every, PRUNE_SECONDS, "pruning", partial(prune_all, database)),
    }


async def chain_audit(database: Database) -> None:
    """Until no committed entry is left outside of the chain."""
    linked = CHAIN_BATCH
    while linked == CHAIN_BATCH:
        async with database.transaction() as session:
            linked = await chain_entries(session)


async def rotate_keys(database: Database, config: KeysConfig) -> None:
    """Unless the setting says that only people do."""
    if config.rotation_period:
        async with database.transaction() as session:
            await rotate_due_keys(
                session, config.create_fernet(), period=config.rotation_period, min_age=config.next_min_age
            )


async def prune_all(database: Database) -> None:
    """In small transactions: a long one would hold back the feed."""
    for prune in PRUNES:
        while await _do_some(database, prune):
            pass


async def tell_all(database: Database) -> None:
    while await _do_some(database, tell_of_locks):
        pass


async def _do_some(database: Database, prune: Prune) -> int:
    async with database.transaction() as session:
        return await prune(session)
