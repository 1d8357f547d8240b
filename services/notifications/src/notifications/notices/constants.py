from collections.abc import Mapping
from typing import Final, NamedTuple

from notifications.deliveries.constants import EmailKind

LINK_KINDS: Final[Mapping[str, EmailKind]] = {
    "sign_up": EmailKind.CONFIRMATION,
    "password_reset": EmailKind.PASSWORD_RESET,
    "email_change_old": EmailKind.EMAIL_CHANGE_OLD,
    "email_change_new": EmailKind.EMAIL_CHANGE_NEW,
}
"""The mail for each purpose that auth asks a confirmation for."""


class Notice(NamedTuple):
    title: str
    text: str


NOT_YOU: Final = "If that was not you, set a new password at once and end the sessions that you do not know."
NOTICES: Final[Mapping[str, Notice]] = {
    "new_device": Notice("A new login to your account", f"Somebody logged in from a device we did not know. {NOT_YOU}"),
    "password_changed": Notice("Your password was changed", f"All other sessions were ended. {NOT_YOU}"),
    "password_reset": Notice(
        "Your password was reset", f"It was set by a link from your mailbox, and all sessions were ended. {NOT_YOU}"
    ),
    "email_changed": Notice(
        "Your e-mail address was changed",
        "Both addresses had confirmed it. Mails go to the new one from now on. If that was not you, contact us.",
    ),
    "second_factor_added": Notice(
        "A second factor was added", f"It is asked for when you log in from now on. {NOT_YOU}"
    ),
    "second_factor_removed": Notice(
        "A second factor was removed", f"It is not asked for any more when you log in. {NOT_YOU}"
    ),
    "second_factor_failed": Notice(
        "Somebody failed at your second factor",
        f"They know your password, and their codes were wrong, several times. {NOT_YOU}",
    ),
    "second_factors_reset": Notice(
        "Your second factors were removed by our staff",
        "You were logged out everywhere. If you did not ask for it, set a new password at once and contact us.",
    ),
    "passkey_copied": Notice(
        "A passkey was refused for your safety",
        "It counts how often it was used, and the count went back, as it does when somebody has copied it. Remove it, "
        "and add a new one.",
    ),
    "recovery_codes_created": Notice("New recovery codes were made", f"The old ones do not work any more. {NOT_YOU}"),
    "recovery_code_used": Notice("A recovery code was used to log in", f"It does not work a second time. {NOT_YOU}"),
    "session_reused": Notice(
        "A session was ended for your safety",
        f"A login token was used twice, as it is when somebody has copied it. Log in again. {NOT_YOU}",
    ),
    "app_allowed": Notice(
        "An app was let into your account",
        "It can do what you allowed, until you take it back in your account. If that was not you, take it back, set a "
        "new password at once and end the sessions that you do not know.",
    ),
    "sign_up_repeated": Notice(
        "You have an account already",
        "Somebody, perhaps you, tried to sign up with this address. You have an account: if you forgot its password, "
        "ask for a reset. Otherwise there is nothing to do.",
    ),
    "account_banned": Notice(
        "Your account was closed by our staff", "You were logged out everywhere, and nobody sees your profile."
    ),
    "account_deleted": Notice(
        "Your account was deleted", "As you asked. What belonged to it is deleted as well. Good-bye."
    ),
    "account_removed": Notice(
        "Your account was deleted by our staff",
        "What belonged to it is deleted as well. If you did not expect this, contact us.",
    ),
    "login_locked": Notice(
        "Logins to your account were slowed down",
        "Somebody tried many passwords. Devices that you used before are not affected; from others, wait a while, or "
        "set a new password by mail.",
    ),
}
UNKNOWN_NOTICE: Final = Notice("Something changed in your account", f"Look at your account's security log. {NOT_YOU}")
"""For a kind that is newer than this service."""

DETAIL_LABELS: Final[Mapping[str, str]] = {
    "device": "Device",
    "address": "Network",
    "at": "Time",
    "factor": "Factor",
    "app": "App",
}
ACCOUNT_LINK: Final = "/api/v1/profiles/me"
EXPORTS_LINK: Final = "/api/v1/auth/exports"
