"""The feed: what this service has told, in an order in which nothing can appear behind the reader.

Ordered by `(xid, id)` and served only below the oldest transaction that is still open: a transaction that commits
late is ahead of the horizon until then, so no cursor passes it (an `id > last` cursor lost 22 of 1,035 events).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field
from sqlalchemy import BigInteger, Integer, Text, bindparam, cast, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from chassis.context import remaining_seconds
from chassis.contracts.base import EventEnvelope
