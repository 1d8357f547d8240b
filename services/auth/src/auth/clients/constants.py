from typing import Final

CLIENT_ID_PATTERN = "^[a-z0-9][a-z0-9-]{0,63}$"

# What each service may do at the others: written here, seeded by `migrate`.
SERVICE_SCOPES: Final[dict[str, tuple[str, ...]]] = {
    "posts": ("events:read",),
    "notifications": ("events:read", "confirmations:read"),
    "worker": ("jobs:work", "exports:read"),
}

# What a person can let an app of somebody else do for them. Our own apps may do all of it.
DELEGABLE_SCOPES: Final = frozenset(
    {
        "profile:read",
        "profile:write",
        "posts:read",
        "posts:write",
        "reviews:write",
        "follows:write",
        "notifications:read",
        "notifications:write",
    }
)
