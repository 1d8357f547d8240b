import asyncio
import uuid

from sqlalchemy import Connection, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.context import bind_context, get_traceparent
from chassis.contracts.posts import PostPublished
from chassis.database.engine import Database
from chassis.database.models import Base
from chassis.events import ddl
from chassis.events.inbox import DeadEvent, FeedCursor, InboxEvent
from chassis.events.listener import Listener
from chassis.events.outbox import OutboxEvent, emit_event
from chassis.testing.databases import RolledBackDatabase
from chassis.testing.statements import record_statements


async def emit_sample(session: AsyncSession) -> PostPublished:
    event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="title", excerpt="excerpt")
    await emit_event(session, event, aggregate_id=event.post_id, aggregate_seq=7)
    return event


class TestEmitEvent:
    async def test_valid(self, database: RolledBackDatabase) -> None:
        with bind_context():
            async with database.transaction() as session:
                event = await emit_sample(session)
            traceparent = get_traceparent()
        async with database.transaction() as session:
            row = (await session.scalars(select(OutboxEvent))).one()
        assert (row.type, row.version) == ("post.published", 1)
        assert PostPublished.model_validate(row.payload) == event
        assert (row.aggregate_id, row.aggregate_seq, row.traceparent) == (event.post_id, 7, traceparent)

    async def test_costs_one_statement_however_many(self, database: RolledBackDatabase) -> None:
        async with database.transaction() as session:
            with record_statements(database) as statements:
                for _ in range(3):
                    await emit_sample(session)
                await session.flush()
        assert len(statements) == 1

    async def test_commit_notifies_and_rollback_does_not(self, committed_database: Database) -> None:
        woken = asyncio.Event()
        listener = Listener(committed_database, ddl.OUTBOX_CHANNEL, woken.set)
        task = asyncio.create_task(listener.run())
        await listener.connected.wait()
        woken.clear()
        async with committed_database.sessions() as session:
            await emit_sample(session)
            await session.flush()
            await session.rollback()
            assert not woken.is_set()
            await emit_sample(session)
            await session.commit()
        await asyncio.wait_for(woken.wait(), 5)
        task.cancel()
        await asyncio.wait([task])


class TestDdl:
    async def test_models_are_what_the_migrations_build(self, committed_database: Database) -> None:
        async with committed_database.engine.connect() as connection:
            assert await connection.run_sync(compare_with_models) == []

    async def test_down_leaves_no_trace(self, committed_database: Database) -> None:
        async with committed_database.engine.begin() as connection:
            for statement in ddl.DROP_OUTBOX:
                await connection.execute(text(statement))
            left = await connection.execute(
                text(
                    "select relname from pg_class where relname like 'outbox%' union all "
                    "select proname from pg_proc where proname like '%outbox%'"
                )
            )
            assert left.all() == []
            for statement in ddl.CREATE_OUTBOX:
                await connection.execute(text(statement))

    def test_is_partition(self) -> None:
        assert ddl.is_partition("outbox_event_p20261122")
        assert ddl.is_partition("outbox_event_default")
        assert not ddl.is_partition("outbox_event")
        assert not ddl.is_partition("outbox_event_page")


def compare_with_models(connection: Connection) -> list[object]:
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    mine = {model.__tablename__ for model in (OutboxEvent, FeedCursor, InboxEvent, DeadEvent)}

    def is_mine(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in mine

    options = {"compare_server_default": True, "compare_type": True, "include_object": is_mine}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata))
