"""The application: `/` for people, `/healthz` for machines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from status.config import StatusConfig
from status.content import SERVICE_WORDS, list_first_calls
from status.health import HealthChecks, State

HERE = Path(__file__).parent
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)

templates = Jinja2Templates(directory=HERE / "templates")


async def read_livez(_: Request) -> Response:
    """The process turns."""
    return JSONResponse({"status": "ok"})


async def read_healthz(request: Request) -> Response:
    """200 once every service is ready, else 503 with the names of those that are not."""
    healths = await request.app.state.checks.read()
    failing = [health.name for health in healths if health.state is not State.OK]
    body = {
        "status": "unavailable" if failing else "ok",
        "failing": failing,
        "services": {health.name: {"state": health.state, "description": health.description} for health in healths},
    }
    headers = {"Cache-Control": "no-store", **({"Retry-After": "1"} if failing else {})}
    return JSONResponse(body, 503 if failing else 200, headers=headers)


async def refuse_body(request: Request) -> Response:
    """Where the gateway sends what is too large: read to its end, kept nowhere, and refused as a service would."""
    async for _ in request.stream():
        pass
    problem = {
        "type": "/problems/content-too-large",
        "title": "Content Too Large",
        "status": 413,
        "code": "content_too_large",
        "detail": "The body is larger than 1 MiB.",
        "request_id": request.headers.get("X-Request-ID"),
    }
    return JSONResponse(problem, 413, media_type="application/problem+json", headers={"Cache-Control": "no-store"})


async def show_page(request: Request) -> Response:
    """What Broadsheet is, what runs, and what to try first."""
    config: StatusConfig = request.app.state.config
    healths = await request.app.state.checks.read()
    context = {
        "healths": healths,
        "failing": [health.name for health in healths if health.state is not State.OK],
        "words": SERVICE_WORDS,
        "calls": list_first_calls(str(config.public_url)),
        "environment": config.environment,
        "shows_docs": config.shows_docs,
        "mailbox_url": config.shown_mailbox_url,
    }
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "Cache-Control": "no-store"}
    return templates.TemplateResponse(request, "status.html", context, headers=headers)


def create_app(config: StatusConfig, transport: httpx.AsyncBaseTransport | None = None) -> Starlette:
    """The application; `transport` is how it reaches the services, a plain connection if not given."""

    @asynccontextmanager
    async def open_client(app: Starlette) -> AsyncIterator[None]:
        services = {name: str(url) for name, url in config.status_services.items()}
        async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
            app.state.checks = HealthChecks(client, services)
            yield
            await app.state.checks.close()

    routes = [
        Route("/", show_page),
        Route("/healthz", read_healthz),
        Route("/livez", read_livez),
        Route("/too-large", refuse_body, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    app = Starlette(routes=routes, lifespan=open_client)
    app.state.config = config
    return app
