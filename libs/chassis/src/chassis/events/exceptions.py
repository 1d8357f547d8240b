"""Errors of applying events.

HandlerFailedError     a handler raised: the event is tried again, then parked
EventUnknownError      no such event or version is declared here: parked at once
EventMalformedError    the payload does not fit the declared event: parked at once
DeadEventMissingError  there is no such dead event to replay
DeadEventStaysError    a dead event could not be applied this time either
"""

from uuid import UUID


class HandlerFailedError(Exception):
    def __init__(self, event_id: UUID, event_type: str) -> None:
        super().__init__(f"{event_type} {event_id}")


class EventUnknownError(Exception):
    pass


class EventMalformedError(Exception):
    pass


class DeadEventMissingError(Exception):
    pass


class DeadEventStaysError(Exception):
    pass
