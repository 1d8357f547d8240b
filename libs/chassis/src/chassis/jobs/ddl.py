"""What the migration of a job table needs beside the table: the trigger that wakes the hint sender.

Static, as migrations are: a change gets a function of its own.
"""

from collections.abc import Callable

JOB_CHANNEL = "job"

Execute = Callable[[str], object]
"""`op.execute` in a migration."""


def create_job_trigger(execute: Execute, table: str) -> None:
    """NOTIFY `job`, with the table as payload, when rows come in or are queued to run at once."""
    execute(f"""
        CREATE FUNCTION notify_{table}() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('{JOB_CHANNEL}', '{table}'); RETURN NULL; END $$
    """)
    execute(f"""
        CREATE TRIGGER {table}_notify_insert AFTER INSERT ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION notify_{table}()
    """)
    execute(f"""
        CREATE TRIGGER {table}_notify_update AFTER UPDATE OF state, next_at ON {table} FOR EACH ROW
        WHEN (NEW.state = 'queued' AND NEW.next_at <= now()) EXECUTE FUNCTION notify_{table}()
    """)


def drop_job_trigger(execute: Execute, table: str) -> None:
    execute(f"DROP TRIGGER {table}_notify_insert ON {table}")
    execute(f"DROP TRIGGER {table}_notify_update ON {table}")
    execute(f"DROP FUNCTION notify_{table}()")
