"""What the terminal says once the platform is up."""

from pathlib import Path

from deploy.local.settings import LocalSettings


def format_greeting(settings: LocalSettings, seconds: float) -> str:
    """Return where everything is, a first account and a first call."""
    gateway, mailbox = settings.get_url("gateway"), settings.get_url("mailbox")
    return f"""
Broadsheet is up, after {seconds:.1f} s.

  the platform   {gateway}   (what runs, API reference, first calls)
  the mailbox    {mailbox}   (every mail that the platform sends)
  data           {_shorten(settings.data)}   (kept; logs in {_shorten(settings.logs)})

A first account: sign up, open the mail in the mailbox, follow its link, log in.

  curl {gateway}/api/v1/profiles -H 'Content-Type: application/json' -d '{{
    "email": "ada@example.org", "username": "ada", "password": "ink-and-9-presses",
    "first_name": "Ada", "last_name": "Lovelace"}}'
  curl {gateway}/api/v1/auth/token -d grant_type=password \\
    -d username=ada@example.org -d password=ink-and-9-presses

A first call:

  curl {gateway}/api/v1/posts

Ctrl-C ends all of it.
"""


def _shorten(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
