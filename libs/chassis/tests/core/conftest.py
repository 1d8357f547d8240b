"""A service of one table, as small as the chassis allows, to test the chassis with."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import Field
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Mapped, mapped_column

from chassis.app import ServiceSpec, create_app
from chassis.config import AppConfig, Environment
from chassis.database.dependencies import ReaderDep, SessionDep
from chassis.database.engine import Database
from chassis.database.errors import register_conflict
from chassis.database.models import Base, HasId
from chassis.database.queries import json_object, rfc3339
from chassis.database.routing import create_router
from chassis.idempotency import IdempotencyDep
from chassis.pagination import Page, PageParamsDep, PageQuery
from chassis.problems import ConflictError, NotFoundError
from chassis.schemas import CustomModel, InputModel, UtcDatetime
from chassis.testing.tokens import TokenSigner

CreateClient = Callable[[FastAPI], httpx.AsyncClient]


class Note(HasId, Base):
    __tablename__ = "note"

    text: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NoteExistsError(ConflictError):
    code = "note_exists"


class NoteCreate(InputModel):
    text: Annotated[str, Field(min_length=1, max_length=100)]


class NoteRead(CustomModel):
    id: UUID
    text: str
    created_at: UtcDatetime


register_conflict("note_text_key", NoteExistsError)

NOTES = PageQuery(
    "notes",
    select(Note).where(Note.text.like(bindparam("pattern", type_=Note.text.type))),
    item=json_object(id=Note.id, text=Note.text, created_at=rfc3339(Note.created_at)),
    moment=Note.created_at,
    item_id=Note.id,
    owner_exists=bindparam("pattern", type_=Note.text.type) != "nobody",
)
router = create_router(tags=["notes"])


@router.get("/notes", response_model=Page[NoteRead])
async def list_notes(request: Request, reader: ReaderDep, params: PageParamsDep, pattern: str = "%") -> Response:
    page = await NOTES.fetch_page(reader, params, scope=pattern, pattern=pattern)
    if page is None:
        raise NotFoundError
    return page.to_response(request)


@router.post("/notes", status_code=201)
async def create_note(data: NoteCreate, session: SessionDep, _: IdempotencyDep) -> NoteRead:
    note = Note(text=data.text)
    session.add(note)
    await session.flush()
    return NoteRead.model_validate(note)


@router.post("/failures", status_code=204)
async def create_failure(data: NoteCreate, session: SessionDep) -> None:
    session.add(Note(text=data.text))
    await session.flush()
    raise RuntimeError("a fault of ours, with a secret in it")


@asynccontextmanager
async def run_lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def build_notes_app(environment: Environment) -> FastAPI:
    spec = ServiceSpec(name="notes", description="Notes.", router=router, lifespan=run_lifespan)
    return create_app(spec, AppConfig.model_construct(environment=environment, log_level="INFO", log_format="json"))


def attach_database(app: FastAPI, database: Database, signer: TokenSigner) -> FastAPI:
    app.state.database = database
    app.state.token_verifier = signer.verifier()
    return app


@pytest.fixture
def create_notes_app() -> Callable[[Environment], FastAPI]:
    return build_notes_app


@pytest.fixture
def app(database: Database, signer: TokenSigner) -> FastAPI:
    return attach_database(build_notes_app(Environment.LOCAL), database, signer)


@pytest.fixture
def committed_client(
    committed_database: Database, signer: TokenSigner, create_client: CreateClient
) -> httpx.AsyncClient:
    """A client of an app that commits for real, for several requests at once."""
    return create_client(attach_database(build_notes_app(Environment.LOCAL), committed_database, signer))
