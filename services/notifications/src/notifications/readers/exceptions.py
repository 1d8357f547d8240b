"""Errors of the projections.

ValueError
└── AddressUnusableError
"""


class AddressUnusableError(ValueError):
    """An event brought an address that no mail can be sent to. The message does not repeat it."""
