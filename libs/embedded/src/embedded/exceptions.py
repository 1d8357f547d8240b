"""What can go wrong when a back end is started here.

EmbeddedError
├── PortTakenError   another process listens there
└── StartError       the server did not come up; the message carries its last words
"""


class EmbeddedError(Exception):
    """A back end cannot run here; the message is one line for the person at the terminal."""


class PortTakenError(EmbeddedError):
    """Another process listens on the wanted port."""

    def __init__(self, name: str, host: str, port: int) -> None:
        super().__init__(f"{name}: port {port} on {host} is taken by another process")
        self.port = port


class StartError(EmbeddedError):
    """The server ended or stayed silent while it was started."""
