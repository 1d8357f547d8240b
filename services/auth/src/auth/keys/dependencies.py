from typing import Annotated

from fastapi import Depends, Request

from auth.keys.service import KeyRing
from auth.keys.utils import TokenIssuer
from chassis.config import load_config
from chassis.security.config import TokenConfig


async def get_key_ring(request: Request) -> KeyRing:
    key_ring: KeyRing = request.app.state.key_ring
    return key_ring


KeyRingDep = Annotated[KeyRing, Depends(get_key_ring)]


async def get_token_issuer(key_ring: KeyRingDep) -> TokenIssuer:
    """Raises SigningKeyMissingError."""
    return TokenIssuer(await key_ring.get_signing_key(), load_config(TokenConfig))


TokenIssuerDep = Annotated[TokenIssuer, Depends(get_token_issuer)]
