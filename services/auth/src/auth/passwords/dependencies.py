from typing import Annotated

from fastapi import Depends, Request

from auth.passwords.utils import PasswordHashing


async def get_hashing(request: Request) -> PasswordHashing:
    hashing: PasswordHashing = request.app.state.hashing
    return hashing


HashingDep = Annotated[PasswordHashing, Depends(get_hashing)]
