"""What migrations need beyond tables: the partitioned outbox with its trigger.

Migrations are static: what is here is never edited once released; a change gets a function of its own.
"""

import re
from collections.abc import Callable

OUTBOX_CHANNEL = "outbox_event"
PARTITION_NAME = re.compile(r"outbox_event_(p\d{8}|default)")

CREATE_OUTBOX = (
    """
    CREATE TABLE outbox_event (
        id bigint GENERATED ALWAYS AS IDENTITY,
        event_id uuid NOT NULL DEFAULT uuidv7(),
        aggregate_id uuid NOT NULL,
        aggregate_seq bigint NOT NULL,
        type text NOT NULL,
        version integer NOT NULL,
        payload jsonb NOT NULL,
        traceparent text,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT outbox_event_pkey PRIMARY KEY (created_at, id)
    ) PARTITION BY RANGE (created_at)
    """,
    "CREATE INDEX outbox_event_xid_outbox_event_id_idx ON outbox_event (xid, id)",
    # Catches what no day's partition takes, should housekeeping have stood still: a write never fails for it.
    "CREATE TABLE outbox_event_default PARTITION OF outbox_event DEFAULT",
    f"""
    CREATE FUNCTION notify_outbox_event() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('{OUTBOX_CHANNEL}', ''); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER outbox_event_notify AFTER INSERT ON outbox_event
    FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox_event()
    """,
)
DROP_OUTBOX = ("DROP TABLE outbox_event", "DROP FUNCTION notify_outbox_event()")

Execute = Callable[[str], object]
"""`op.execute` in a migration."""


def create_outbox(execute: Execute) -> None:
    for statement in CREATE_OUTBOX:
        execute(statement)


def drop_outbox(execute: Execute) -> None:
    for statement in DROP_OUTBOX:
        execute(statement)


def is_partition(table: str) -> bool:
    """Whether the table is a part of the outbox, which no migration knows by name."""
    return PARTITION_NAME.fullmatch(table) is not None
