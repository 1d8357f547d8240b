"""The platform under test: where it is, and what may be done to its processes."""

from typing import Protocol


class Platform(Protocol):
    kind: str

    @property
    def base_url(self) -> str: ...

    @property
    def mailbox_url(self) -> str: ...

    async def kill(self, name: str) -> None:
        """SIGKILL one process (a container), as a crash would; it comes back by itself."""

    async def restart(self, name: str) -> None:
        """Stop it in order and start it again."""

    async def pause(self, name: str) -> None:
        """SIGSTOP: it hangs without closing anything."""

    async def resume(self, name: str) -> None: ...

    async def wipe_redis(self) -> None:
        """Every key gone, at once."""

    async def grant_role(self, email: str, role: str) -> None:
        """As its operator does, by the command line."""

    async def read_logs(self, name: str) -> str: ...

    def read_all_logs(self) -> str: ...

    async def list_unhealthy(self) -> list[str]:
        """Names of the processes that are not up."""
