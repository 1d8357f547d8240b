"""The few pages that people see of this service: behind the links of mails, and where they let an app in.

Plain forms without a script. What a page shows is escaped, its style is allowed by its digest, and nothing else is.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
STYLE = """
:root { color-scheme: light dark; font: 1.05rem/1.6 system-ui, sans-serif }
body { display: grid; place-content: center; min-height: 100vh; margin: 0 }
main { max-width: 30rem; padding: 2rem; text-align: center }
h1 { font-size: 1.5rem; font-weight: 600 }
ul { text-align: left; line-height: 1.9 }
.hint { font-size: .9rem; opacity: .8 }
form { display: grid; gap: .6rem; justify-items: stretch; margin-top: 1.4rem }
label { text-align: left; font-size: .95rem }
input { font: inherit; padding: .5rem .7rem; border: 1px solid #8a8f98; border-radius: .4rem }
button { font: inherit; padding: .6rem 1.6rem; border: 0; border-radius: .4rem; background: #1c5d99; color: #fff }
button:hover, button:focus-visible { background: #14446f }
button.quiet { background: none; color: inherit; border: 1px solid #8a8f98 }
""".strip()
STYLE_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    label: str
    kind: str = "text"
    autocomplete: str = "off"
    required: bool = True


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Posts to `action`, which is relative to the page."""

    action: str
    buttons: Sequence[Button]
    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    texts: Sequence[str] = ()
    items: Sequence[str] = ()
    hint: str = ""
    form: Form | None = None
    status: int = 200
    refresh: str = ""
    """Where the browser goes on to by itself."""

    def to_response(self, *, form_target: str = "") -> HTMLResponse:
        """`form_target` is the origin that the answer to the form may redirect to, beside our own."""
        html = load_template().render(page=self, style=Markup(STYLE))  # noqa: S704 - our own, and the same always
        return HTMLResponse(html, self.status, build_page_headers(form_target))


def build_page_headers(form_target: str = "") -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src 'sha256-{STYLE_DIGEST}'; "
        f"form-action 'self'{f' {form_target}' if form_target else ''}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@lru_cache(maxsize=1)
def load_template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
