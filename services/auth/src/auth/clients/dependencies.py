from fastapi import Request

from auth.clients.exceptions import ParameterRepeatedError


async def refuse_repeated_fields(request: Request) -> None:
    """For OAuth routes that take a form."""
    names = [name for name, _ in (await request.form()).multi_items()]
    if len(set(names)) < len(names):
        raise ParameterRepeatedError
