"""Logging, configured in one place: one JSON line an event, or readable on a terminal."""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SENSITIVE = ("password", "token", "secret", "authorization", "cookie", "email", "recipient")
QUIET_LOGGERS = ("httpx", "httpcore", "uvicorn.access", "asyncio", "alembic.runtime.plugins")


def configure_logging(level: str = "INFO", log_format: str = "json", *, service: str = "") -> None:
    """Send structlog and the standard library's loggers through one pipeline to standard output."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact_sensitive,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    if service:
        structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def redact_sensitive(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The last line of defence: a value under a telling name never reaches a log."""
    for key in event:
        if any(word in key.lower() for word in SENSITIVE):
            event[key] = "[redacted]"
    return event


def log_context(**values: Any) -> Any:
    """Bind values to every line logged inside the `with`."""
    return structlog.contextvars.bound_contextvars(**values)
