import re
from zoneinfo import available_timezones

from chassis.docs import GATEWAY_PREFIX

USERNAME_PATTERN = r"^[A-Za-z0-9_]{3,30}$"
NAME_MAX_LENGTH = 100
# Names stand in the headers of e-mails and in pages: no control characters, nothing that turns the text around.
NAME_PATTERN = "^[^\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]+$"
BIO_MAX_LENGTH = 2000
# As of names, but lines may end.
BIO_PATTERN = "^[^\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069]*$"
WEBSITE_MAX_LENGTH = 300
LANGUAGE_PATTERN = "^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$"
LANGUAGE_MAX_LENGTH = 35
TIME_ZONE_MAX_LENGTH = 64
TIME_ZONES = frozenset(available_timezones() - {"Factory", "localtime"})

URL_MAX_LENGTH = 200
AVATAR_PATH = f"{GATEWAY_PREFIX}/profiles"

WORDS = re.compile(r"\s+")
"""Lists below are written as text, one word after the other."""

RESERVED_USERNAMES = frozenset(
    WORDS.split(
        """
        abuse about account accounts admin administrator anonymous api auth billing broadsheet contact creator creators
        everyone help hostmaster info internal login logout mail mailer me moderator myself news newsletter no_reply
        noreply null owner post posts postmaster privacy profile profiles root security settings staff status support
        sysadmin system team terms test undefined user users webmaster www
        """.strip()
    )
)
