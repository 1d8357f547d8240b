from enum import StrEnum
from typing import Final


class LimitRule(StrEnum):
    """What is limited. Each has its rates in the settings; a key says whose they are: an address, an account."""

    SIGN_UP = "sign_up"
    LOGIN_ADDRESS = "login_address"
    """All logins from an address, right or wrong."""
    LOGIN_ACCOUNT = "login_account"
    """Wrong passwords for an account from all devices that it does not know, together."""
    LOGIN_DEVICE = "login_device"
    """Wrong passwords for an account from one device that it knows."""
    TOKEN = "token"  # noqa: S105 - a rule
    """Refused refresh tokens, client secrets and codes from an address."""
    SECOND_FACTOR = "second_factor"
    RESEND = "resend"
    RESET = "reset"
    MAIL = "mail"
    """Mails that anybody can ask for, to one mailbox."""
    CONFIRM = "confirm"
    EMAIL_CHANGE = "email_change"
    STEP_UP = "step_up"
    AUTHORIZE = "authorize"
    INTROSPECT = "introspect"
    EXPORT = "export"
    AVATAR = "avatar"
    USERNAME_CHANGE = "username_change"
    PASSKEY = "passkey"
    """Challenges for passkeys, and new ones, from an address."""


KEY_PREFIX: Final = "limits"
DIGEST_BYTES: Final = 16
IPV6_KEPT_BITS: Final = 64
"""One customer has a whole network of this size."""

REDIS_SECONDS: Final = 0.1
"""Longer nobody waits for Redis."""
REDIS_CONNECTIONS: Final = 50
FAILURE_THRESHOLD: Final = 3
RECOVERY_SECONDS: Final = 1.0

LOCAL_WINDOWS_MAX: Final = 20_000
BLOCK_SECONDS: Final = 5.0
"""So long a process refuses by itself what Redis has refused: an attack costs Redis little."""

# All windows or none: what is refused counts nowhere. Redis' clock, so that the processes need not agree on theirs.
TAKE_SCRIPT: Final = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local answer = {1}
for i, key in ipairs(KEYS) do
    local amount, seconds = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local oldest = redis.call('LINDEX', key, -1)
    while oldest and tonumber(oldest) <= now - seconds do
        redis.call('RPOP', key)
        oldest = redis.call('LINDEX', key, -1)
    end
    local used = redis.call('LLEN', key)
    if used >= amount then answer[1] = 0 end
    answer[2 * i] = used
    answer[2 * i + 1] = math.ceil((tonumber(oldest or now) + seconds - now) * 1000)
end
if answer[1] == 1 then
    for i, key in ipairs(KEYS) do
        redis.call('LPUSH', key, string.format('%.6f', now))
        redis.call('EXPIRE', key, ARGV[2 * i])
        answer[2 * i] = answer[2 * i] + 1
    end
end
return answer
"""
"""KEYS: a list of moments for each window, the newest first. ARGV: amount and seconds of each. Returns whether all had
room and, for each, how many are in it now, and the milliseconds until the oldest of them leaves."""
