"""The HTTP side: a page for people, and the mails as JSON for tests."""

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from devmailbox.behaviours import EVERYBODY, Behaviour, Behaviours, Mode
from devmailbox.messages import Message
from devmailbox.store import MessageStore

HERE = Path(__file__).parent
MAX_LIMIT = 1000

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail is foreign content: no script, no address of ours, nothing loaded from outside; its links open new tabs.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
)

templates = Jinja2Templates(directory=HERE / "templates")


async def show_page(request: Request) -> Response:
    """The list of mails, and the one that was chosen, or the newest."""
    messages = _store(request).list_messages()
    chosen = _get_message(request) if "message_id" in request.path_params else next(iter(messages), None)
    context = {"messages": messages, "chosen": chosen}
    return templates.TemplateResponse(
        request, "mailbox.html", context, headers={"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
    )


async def show_html(request: Request) -> Response:
    """The HTML part of a mail, for the sandboxed frame in the page."""
    html = _get_message(request).html or ""
    headers = {"Content-Security-Policy": MAIL_POLICY, "Referrer-Policy": "no-referrer"}
    return HTMLResponse(f'<base target="_blank">{html}', headers=headers)


async def show_source(request: Request) -> Response:
    """A mail as it came, byte for byte, after the two lines of its envelope."""
    return PlainTextResponse(_get_message(request).raw, headers={"X-Content-Type-Options": "nosniff"})


async def list_messages(request: Request) -> Response:
    """Mails as JSON, newest first: `?to=` one recipient, `?limit=` at most so many."""
    messages = _store(request).list_messages(request.query_params.get("to"))
    limit = request.query_params.get("limit", str(MAX_LIMIT))
    if not limit.isascii() or not limit.isdigit():
        raise HTTPException(422, "limit must be a whole number")
    return JSONResponse([message.to_json() for message in messages[: min(int(limit), MAX_LIMIT)]])


async def get_message(request: Request) -> Response:
    """One mail as JSON."""
    return JSONResponse(_get_message(request).to_json())


async def delete_messages(request: Request) -> Response:
    """Forget every mail."""
    return JSONResponse({"deleted": _store(request).delete_messages()})


async def list_behaviours(request: Request) -> Response:
    """How mails are answered now, by recipient; an empty object is a good mail server."""
    behaviours = _behaviours(request).list_behaviours()
    return JSONResponse({key: {"mode": known.mode, "times": known.times} for key, known in behaviours.items()})


async def update_behaviour(request: Request) -> Response:
    """Answer mails badly: `{"mode": …, "to": one recipient or "*", "times": how many mails, null for ever}`."""
    try:
        body = await request.json()
    except ValueError as error:
        raise HTTPException(400, "The body is not JSON.") from error
    behaviour, recipient = _read_behaviour(body)
    _behaviours(request).update_behaviour(behaviour, recipient)
    return await list_behaviours(request)


async def delete_behaviours(request: Request) -> Response:
    """A good mail server again."""
    _behaviours(request).delete_behaviours()
    return Response(status_code=204)


async def check_life(_: Request) -> Response:
    """The process turns."""
    return PlainTextResponse("ok")


async def answer_error(_: Request, error: Exception) -> Response:
    """One shape for every error."""
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


def create_app(store: MessageStore, behaviours: Behaviours) -> Starlette:
    """The application; the SMTP side fills the same store."""
    routes = [
        Route("/", show_page),
        Route("/messages/{message_id}", show_page),
        Route("/messages/{message_id}/html", show_html),
        Route("/messages/{message_id}/source", show_source),
        Route("/api/messages", list_messages),
        Route("/api/messages", delete_messages, methods=["DELETE"]),
        Route("/api/messages/{message_id}", get_message),
        Route("/api/behaviour", list_behaviours),
        Route("/api/behaviour", update_behaviour, methods=["PUT"]),
        Route("/api/behaviour", delete_behaviours, methods=["DELETE"]),
        Route("/livez", check_life),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: answer_error})
    app.state.store = store
    app.state.behaviours = behaviours
    return app


def _store(request: Request) -> MessageStore:
    store: MessageStore = request.app.state.store
    return store


def _behaviours(request: Request) -> Behaviours:
    behaviours: Behaviours = request.app.state.behaviours
    return behaviours


def _get_message(request: Request) -> Message:
    message = _store(request).get_message(request.path_params["message_id"])
    if message is None:
        raise HTTPException(404, "There is no such mail, or it was deleted.")
    return message


def _read_behaviour(body: Any) -> tuple[Behaviour, str]:
    if not isinstance(body, dict) or body.get("mode") not in tuple(Mode):
        raise HTTPException(422, f"mode must be one of: {', '.join(Mode)}")
    times, recipient = body.get("times"), body.get("to", EVERYBODY)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise HTTPException(422, "times must be a whole number from 1, or null")
    if not isinstance(recipient, str):
        raise HTTPException(422, "to must be an address, or *")
    return Behaviour(mode=Mode(body["mode"]), times=times), recipient
