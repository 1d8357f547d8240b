from typing import Annotated

from fastapi import Depends, Request

from auth.keys.service import KeyRing


async def get_key_ring(request: Request) -> KeyRing:
    key_ring: KeyRing = request.app.state.key_ring
    return key_ring


KeyRingDep = Annotated[KeyRing, Depends(get_key_ring)]
