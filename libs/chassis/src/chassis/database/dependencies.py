"""What routes ask for: the request's session, or the reader."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.engine import Database
from chassis.database.queries import Reader


async def get_session(request: Request) -> AsyncSession:
    """The session of this request's one transaction, opened by the first who asks (`TransactionalRoute`)."""
    state = request.state
    if not hasattr(state, "session"):
        database: Database = request.app.state.database
        state.session = database.sessions()
    session: AsyncSession = state.session
    return session


async def get_reader(request: Request) -> Reader:
    database: Database = request.app.state.database
    return database.reader


SessionDep = Annotated[AsyncSession, Depends(get_session)]
ReaderDep = Annotated[Reader, Depends(get_reader)]
