"""What ends the demo.

DemoError
├── PlatformAwayError   nothing answers there
└── AnswerError         something answers, not what the demo can go on with
"""

import httpx


class DemoError(Exception):
    """The demo cannot go on; the message is one line that says what to do."""


class PlatformAwayError(DemoError):
    """Nothing answers at this address."""

    def __init__(self, what: str, url: str, variable: str) -> None:
        super().__init__(f"no {what} answers at {url}. Start the platform with `make run`, or set {variable}")


class AnswerError(DemoError):
    """An answer with an error that the demo does not expect."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.code = read_code(response)
        request = response.request
        super().__init__(f"{request.method} {request.url.path} was answered {self.status} {self.code}".rstrip())


def read_code(response: httpx.Response) -> str:
    """The stable code of a problem document; "" where the answer is none."""
    try:
        body = response.json()
    except ValueError:
        return ""
    return str(body.get("code", "")) if isinstance(body, dict) else ""
