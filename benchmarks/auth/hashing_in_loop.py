"""Auth as it would be if it hashed where it answers: what the hashing slots are there to prevent."""

import runpy
from collections.abc import Callable
from typing import Any, TypeVar

import auth.main
from auth.passwords.utils import PasswordHashing

ResultT = TypeVar("ResultT")


class HashingInLoop(PasswordHashing):
    async def _run(self, work: Callable[..., ResultT], *arguments: Any) -> ResultT:
        return work(*arguments)


if __name__ == "__main__":
    setattr(auth.main, "PasswordHashing", HashingInLoop)  # noqa: B010 (a type checker would rightly not let us)
    runpy.run_module("auth", run_name="__main__")
