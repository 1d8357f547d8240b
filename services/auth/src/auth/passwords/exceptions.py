"""Passwords cannot be checked now.

ServiceUnavailableError (503)
└── HashingBusyError
"""

from chassis.problems import ServiceUnavailableError


class HashingBusyError(ServiceUnavailableError):
    """More passwords wait to be hashed than can be in the time that a client waits."""

    code = "hashing_busy"
    title = "Too many passwords are being checked at the moment"
