ALGORITHM = "EdDSA"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068
SERVICE_SUBJECT_PREFIX = "service:"
FIRST_PARTY_CLIENT = "broadsheet"
"""The `client_id` of logins to our own apps."""
ACR_LEVELS = ("aal1", "aal2")
"""Of a login, the weaker first: one factor, two factors (NIST SP 800-63B)."""
REQUIRED_CLAIMS = ("iss", "aud", "exp", "iat", "sub", "jti")
KEY_ID = "kid"
"""In a token's header; once the signature held it stands beside the claims."""

TOKEN_MAX_LENGTH = 4096
LEEWAY_SECONDS = 5
REMEMBERED_TOKENS = 10_000
REMEMBERED_SECONDS = 300.0
"""As long as an honest token lives. A forged one may say that it lives for ever, until its key is withdrawn."""
