from typing import Final

API_PATH: Final = "/api/v1"
"""Where the gateway has this service."""
MAX_AGE_SECONDS: Final = 300
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
"""What is for our own apps alone, password and passkey, is not told: no app of somebody else may ask for a password."""
SECRET_METHODS: Final = ("client_secret_basic", "client_secret_post")
