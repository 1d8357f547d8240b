"""How the mailbox answers at the end of a mail: as a good mail server, or as a bad day that a test asked for."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

EVERYBODY = "*"


class Mode(StrEnum):
    """What happens when the final dot of a mail has come."""

    ACCEPT = "accept"
    """Keep the mail, answer 250."""
    REJECT_4XX = "reject_4xx"
    """Keep nothing, answer 451: try again later."""
    REJECT_5XX = "reject_5xx"
    """Keep nothing, answer 550: never try again."""
    DROP_AFTER_DATA = "drop_after_data"
    """Keep the mail and cut the connection: the sender cannot know."""
    HANG = "hang"
    """Keep the mail and say nothing until the behaviour changes or the sender goes away."""


@dataclass
class Behaviour:
    """A mode and for how many mails more it holds; None is until it is changed."""

    mode: Mode
    times: int | None = None


class Behaviours:
    """One behaviour for everybody, and others for single recipients, so that tests do not disturb each other."""

    def __init__(self) -> None:
        self._behaviours: dict[str, Behaviour] = {}
        self._changed = asyncio.Event()

    def list_behaviours(self) -> dict[str, Behaviour]:
        """What is set, by recipient; `*` is everybody."""
        return dict(self._behaviours)

    def update_behaviour(self, behaviour: Behaviour, recipient: str = EVERYBODY) -> None:
        """Set how mails for a recipient are answered; lets go of all that hang."""
        self._behaviours[recipient.casefold()] = behaviour
        self._announce()

    def delete_behaviours(self) -> None:
        """Back to a good mail server for everybody."""
        self._behaviours.clear()
        self._announce()

    def take_mode(self, recipients: list[str]) -> Mode:
        """The mode for one mail; uses up one of a behaviour's times."""
        keys = [*(recipient.casefold() for recipient in recipients), EVERYBODY]
        key = next((key for key in keys if key in self._behaviours), None)
        if key is None:
            return Mode.ACCEPT
        behaviour = self._behaviours[key]
        if behaviour.times is not None:
            behaviour.times -= 1
            if behaviour.times <= 0:
                del self._behaviours[key]
        return behaviour.mode

    async def wait_for_change(self) -> None:
        """Return when any behaviour is changed."""
        await self._changed.wait()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
