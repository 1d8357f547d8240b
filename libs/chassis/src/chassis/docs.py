"""The API reference of a service at `/docs/`: Swagger UI 5 for OpenAPI 3.1.

Nothing comes from a CDN: the wheel `fastapi-swagger` carries the files of Swagger UI, and nothing else of it is used.
All addresses in the page are relative, so that it works under any prefix that a gateway puts before it.
"""

from html import escape
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles

# Swagger UI sets styles on elements and draws its icons as data: images, but it needs no inline script.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GATEWAY_PREFIX = "/api/v1"

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · API reference</title>
<link rel="icon" type="image/png" href="assets/favicon-32x32.png">
<link rel="stylesheet" href="assets/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<noscript><p>This page needs JavaScript. The same as a document: <a href="openapi.json">openapi.json</a>.</p></noscript>
<script src="assets/swagger-ui-bundle.js"></script>
<script src="assets/reference.js"></script>
</body>
</html>
"""


def install_docs(app: FastAPI) -> None:
    """Add `/docs/`, `/docs/openapi.json` and `/docs/assets/*`; for environments that may show them."""
    page = PAGE.format(title=escape(app.title))

    async def show_reference(_: Request) -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    async def show_openapi(request: Request) -> Response:
        return JSONResponse(describe_api(app, behind_gateway="x-forwarded-host" in request.headers))

    assets = StaticFiles(packages=[("chassis", "static"), ("fastapi_swagger", "resources")])
    # A bare router, not an application: what is not found is the outer application's error, a problem document.
    routes = [Route("/", show_reference), Route("/openapi.json", show_openapi), Mount("/assets", assets)]
    app.mount("/docs", Router(routes=routes), name="docs")


def describe_api(app: FastAPI, *, behind_gateway: bool) -> dict[str, Any]:
    """The OpenAPI document with the servers to try calls on, the one the reader came through first."""
    servers = [
        {"url": GATEWAY_PREFIX, "description": "Through the gateway"},
        {"url": "/", "description": "This service itself"},
    ]
    return {**app.openapi(), "servers": servers if behind_gateway else servers[::-1]}
