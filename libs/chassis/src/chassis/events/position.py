"""A place in a feed, written `xid:id`."""

import re
from typing import NamedTuple, Self

from chassis.pagination import CursorInvalidError

_CURSOR = re.compile(r"(\d{1,19}):(\d{1,19})", re.ASCII)
_MAX_BIGINT = 2**63 - 1


class Position(NamedTuple):
    """The writing transaction, then the order within it."""

    xid: int
    id: int

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """Raises CursorInvalidError, which is a 400 problem."""
        match = _CURSOR.fullmatch(cursor)
        position = cls(int(match[1]), int(match[2])) if match else None
        if position is None or max(position) > _MAX_BIGINT:
            raise CursorInvalidError("A feed's cursor reads `xid:id`; take `next_cursor` as it was given.")
        return position

    def __str__(self) -> str:
        return f"{self.xid}:{self.id}"


START = Position(0, 0)
