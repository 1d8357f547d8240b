"""What the page tells: the services in words, and the first calls to try."""

from dataclasses import dataclass

SERVICE_WORDS = {
    "auth": "Accounts and their confirmation, sessions and tokens, creators, and who the services are to each other.",
    "posts": "Articles from draft to published, rendered and safe; reviews, and who follows whom.",
    "notifications": "The inbox of every reader, and the e-mails that the platform sends.",
}


@dataclass(frozen=True)
class Call:
    """A call to try, as a command to paste into a terminal."""

    title: str
    command: str


def list_first_calls(public_url: str) -> list[Call]:
    """The first three calls, with the address that people reach the platform by."""
    api = f"{public_url.rstrip('/')}/api/v1"
    return [
        Call("Read what is published", f"curl {api}/posts"),
        Call(
            "Sign up",
            f"curl {api}/profiles \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            '  -d \'{"email": "ada@example.org", "username": "ada", "password": "ink-and-9-presses",\n'
            '       "first_name": "Ada", "last_name": "Lovelace"}\'',
        ),
        Call(
            "Log in",
            f"curl {api}/auth/token \\\n"
            "  -d grant_type=password -d username=ada@example.org -d password=ink-and-9-presses",
        ),
    ]
