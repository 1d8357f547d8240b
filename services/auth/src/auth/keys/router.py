from fastapi import Response

from auth.keys.constants import JWKS_MAX_AGE_SECONDS
from auth.keys.dependencies import KeyRingDep
from auth.keys.schemas import JsonWebKeySet
from chassis.database.routing import create_router

router = create_router(prefix="/.well-known", tags=["keys"])


@router.get("/jwks.json", status_code=200, summary="List the public keys")
async def list_keys(response: Response, key_ring: KeyRingDep) -> JsonWebKeySet:
    """What access tokens are verified with, by anybody and without a call. A key is here before it signs."""
    response.headers["Cache-Control"] = f"public, max-age={JWKS_MAX_AGE_SECONDS}"
    return await key_ring.get_jwks()
