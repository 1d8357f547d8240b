from typing import Final

CLIENT_ID_PATTERN = "^[a-z][a-z0-9-]{0,63}$"

# What each service may do at the others: written here, seeded by `migrate`.
SERVICE_SCOPES: Final[dict[str, tuple[str, ...]]] = {
    "posts": ("events:read",),
    "notifications": ("events:read", "confirmations:read"),
    "worker": ("jobs:work",),
}
