from fastapi import Response

from auth.config import PublicConfig
from auth.metadata.constants import MAX_AGE_SECONDS
from auth.metadata.schemas import ServerMetadata
from auth.metadata.utils import build_metadata
from chassis.config import load_config
from chassis.database.routing import create_router

router = create_router(prefix="/.well-known", tags=["tokens"])


@router.get("/oauth-authorization-server", status_code=200, summary="Say how apps of others get tokens")
async def get_metadata(response: Response) -> ServerMetadata:
    """RFC 8414. The gateway has it at `/.well-known/oauth-authorization-server`, as clients expect."""
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_SECONDS}"
    return build_metadata(load_config(PublicConfig).origin)
