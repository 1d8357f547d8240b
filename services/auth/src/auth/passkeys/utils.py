"""WebAuthn, by py_webauthn: whom passkeys are bound to, and whether what a browser sends holds."""

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json_dict,
    parse_attestation_object,
    parse_client_data_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from auth.config import PublicConfig
from auth.passkeys.config import WEB_ORIGINS, PasskeyConfig
from auth.passkeys.constants import ATTESTATION_FORMATS, CHALLENGE_LIFETIME, LOCALHOST, REASON_MAX_LENGTH
from auth.passkeys.schemas import AssertionInput, AuthenticationOptionsRead, RegistrationInput, RegistrationOptionsRead
from chassis.config import ConfigError
from chassis.logs import get_logger

TIMEOUT_MILLISECONDS = int(CHALLENGE_LIFETIME.total_seconds() * 1000)
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# The library says of most that is wrong what it is; of some that is malformed Python says it.
REFUSALS = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom passkeys are for: the domain that browsers bind them to, and the pages that may use them."""

    id: str
    name: str
    origins: tuple[str, ...]


def create_relying_party(public: PublicConfig, config: PasskeyConfig) -> RelyingParty:
    """Raises ConfigError.

    No browser binds a passkey to an IP address. Where PUBLIC_URL names one it is `localhost`, for a platform that is
    tried out where it runs: at `http://localhost:<port>`, which browsers trust without TLS.
    """
    parts = urlsplit(public.origin)
    host = LOCALHOST if is_ip_address(parts.hostname or "") else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    own = f"{parts.scheme}://{host}{port}".removesuffix(DEFAULT_PORTS[parts.scheme])
    rp = RelyingParty(config.rp_id or host, config.rp_name, (own, *config.more_origins))
    for origin in rp.origins:
        if origin.startswith(WEB_ORIGINS) and not is_under(origin, rp.id):
            raise ConfigError(
                f"PASSKEYS_RP_ID is {rp.id}, and {origin} is no page of it (PUBLIC_URL and PASSKEYS_ORIGINS must be)"
            )
    return rp


def is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_under(origin: str, domain: str) -> bool:
    return f".{urlsplit(origin).hostname}".endswith(f".{domain}")


def compute_challenge_digest(challenge: bytes) -> bytes:
    return hashlib.sha256(challenge).digest()


def build_registration_options(
    rp: RelyingParty, challenge: bytes, profile_id: UUID, *, name: str, display_name: str, known: Iterable[bytes]
) -> RegistrationOptionsRead:
    """For a passkey that can be chosen with no name typed before, and that asks for its PIN, finger or face."""
    options = generate_registration_options(
        rp_id=rp.id,
        rp_name=rp.name,
        user_id=profile_id.bytes,
        user_name=name,
        user_display_name=display_name,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=credential_id) for credential_id in known],
    )
    return RegistrationOptionsRead.model_validate(options_to_json_dict(options))


def build_authentication_options(rp: RelyingParty, challenge: bytes) -> AuthenticationOptionsRead:
    options = generate_authentication_options(
        rp_id=rp.id,
        challenge=challenge,
        timeout=TIMEOUT_MILLISECONDS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return AuthenticationOptionsRead.model_validate(options_to_json_dict(options))


def read_client_data(client_data_json: str) -> CollectedClientData | None:
    """What the browser says that it signed, and where. None for what is no such thing, or was made in a foreign frame.

    The challenge is looked up by this; whether the signature covers it is verified afterwards.
    """
    try:
        data = parse_client_data_json(base64url_to_bytes(client_data_json))
    except REFUSALS as error:
        _log_refusal(error)
        return None
    return None if data.cross_origin else data


def verify_registration(
    rp: RelyingParty, registration: RegistrationInput, challenge: bytes
) -> VerifiedRegistration | None:
    try:
        attestation = parse_attestation_object(base64url_to_bytes(registration.response.attestation_object))
        if attestation.fmt not in ATTESTATION_FORMATS:
            raise ValueError(f"attestation format {attestation.fmt}")
        return verify_registration_response(
            credential=registration.to_credential(),
            expected_challenge=challenge,
            expected_rp_id=rp.id,
            expected_origin=list(rp.origins),
            require_user_verification=True,
        )
    except REFUSALS as error:
        _log_refusal(error)
        return None


def verify_assertion(
    rp: RelyingParty, assertion: AssertionInput, challenge: bytes, public_key: bytes
) -> VerifiedAuthentication | None:
    """All but the count, which only a signature that holds makes worth a look."""
    try:
        return verify_authentication_response(
            credential=assertion.to_credential(),
            expected_challenge=challenge,
            expected_rp_id=rp.id,
            expected_origin=list(rp.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except REFUSALS as error:
        _log_refusal(error)
        return None


def _log_refusal(error: Exception) -> None:
    """For the operator: an origin that is missing in the settings looks to people as if nothing worked."""
    logger.info("passkey_refused", reason=f"{type(error).__name__}: {error}"[:REASON_MAX_LENGTH])
