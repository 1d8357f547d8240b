from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Response

from auth.limits.constants import LimitRule
from auth.limits.service import RateLimiter
from auth.limits.utils import address_key


async def get_rate_limiter(request: Request) -> RateLimiter:
    limiter: RateLimiter = request.app.state.rate_limiter
    return limiter


async def parse_address_key(request: Request) -> str:
    """Of who calls. The server believes the gateway alone about it."""
    return address_key(request.client.host if request.client else None)


RateLimiterDep = Annotated[RateLimiter, Depends(get_rate_limiter)]
AddressKeyDep = Annotated[str, Depends(parse_address_key)]


def limit_by_address(rule: LimitRule) -> Callable[..., Awaitable[None]]:
    """For a route's `dependencies`, which run before all others. Its answers tell what is left."""

    async def check_address(response: Response, limiter: RateLimiterDep, key: AddressKeyDep) -> None:
        """Raises LimitedError."""
        state = await limiter.check(rule, key)
        response.headers.update(state.to_headers())

    return check_address
