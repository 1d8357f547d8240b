"""A WebAuthn authenticator in software: takes and gives the JSON that a browser's page does, and signs for real."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

Json = dict[str, Any]
PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


class Algorithm(IntEnum):
    """As COSE numbers them."""

    ES256 = -7
    EDDSA = -8


class Flags(IntFlag):
    USER_PRESENT = 0x01
    USER_VERIFIED = 0x04
    BACKUP_ELIGIBLE = 0x08
    BACKED_UP = 0x10
    ATTESTED = 0x40


@dataclass(slots=True)
class SoftCredential:
    rp_id: str
    user_handle: bytes
    key: PrivateKey
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 0


@dataclass(slots=True)
class SoftAuthenticator:
    """With its browser, which says of which page it is. What a test is about, it sets."""

    origin: str
    algorithm: Algorithm = Algorithm.ES256
    is_synced: bool = False
    """Such a one counts nothing."""
    verifies_user: bool = True
    rp_id: str | None = None
    """Signed for in place of the one in the options."""
    is_in_frame: bool = False
    credentials: list[SoftCredential] = field(default_factory=list)

    def create(self, options: Json) -> Json:
        """`navigator.credentials.create()` and `toJSON()`. Raises ValueError for one that is excluded."""
        known = {encode(credential.id) for credential in self.credentials}
        if known & {excluded["id"] for excluded in options["excludeCredentials"]}:
            raise ValueError("InvalidStateError")
        if self.algorithm not in [parameter["alg"] for parameter in options["pubKeyCredParams"]]:
            raise ValueError("NotSupportedError")
        credential = SoftCredential(options["rp"]["id"], decode(options["user"]["id"]), create_key(self.algorithm))
        self.credentials.append(credential)
        attested = bytes(16) + len(credential.id).to_bytes(2, "big") + credential.id + encode_key(credential.key)
        data = self._build_data(credential, Flags.USER_PRESENT | Flags.ATTESTED) + attested
        response = {
            "clientDataJSON": encode(self._build_client_data("webauthn.create", options["challenge"])),
            "attestationObject": encode(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal"],
        }
        return wrap(credential, response)

    def get(self, options: Json, credential: SoftCredential | None = None) -> Json:
        """`navigator.credentials.get()` and `toJSON()`; the newest passkey, if none is chosen."""
        chosen = self.credentials[-1] if credential is None else credential
        if not self.is_synced:
            chosen.count += 1
        data = self._build_data(chosen)
        client_data = self._build_client_data("webauthn.get", options["challenge"])
        signature = sign(chosen.key, data + hashlib.sha256(client_data).digest())
        response = {
            "clientDataJSON": encode(client_data),
            "authenticatorData": encode(data),
            "signature": encode(signature),
            "userHandle": encode(chosen.user_handle),
        }
        return wrap(chosen, response)

    def _build_data(self, credential: SoftCredential, flags: Flags = Flags.USER_PRESENT) -> bytes:
        if self.verifies_user:
            flags |= Flags.USER_VERIFIED
        if self.is_synced:
            flags |= Flags.BACKUP_ELIGIBLE | Flags.BACKED_UP
        rp_id_digest = hashlib.sha256((self.rp_id or credential.rp_id).encode()).digest()
        return rp_id_digest + bytes([flags]) + credential.count.to_bytes(4, "big")

    def _build_client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.is_in_frame}
        return json.dumps(data).encode()


def wrap(credential: SoftCredential, response: Json) -> Json:
    return {
        "id": encode(credential.id),
        "rawId": encode(credential.id),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": response,
    }


def create_key(algorithm: Algorithm) -> PrivateKey:
    return Ed25519PrivateKey.generate() if algorithm is Algorithm.EDDSA else generate_private_key(SECP256R1())


def encode_key(key: PrivateKey) -> bytes:
    """RFC 9052: type, algorithm, curve and point."""
    if isinstance(key, Ed25519PrivateKey):
        return cbor2.dumps({1: 1, 3: Algorithm.EDDSA.value, -1: 6, -2: key.public_key().public_bytes_raw()})
    point = key.public_key().public_numbers()
    x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
    return cbor2.dumps({1: 2, 3: Algorithm.ES256.value, -1: 1, -2: x, -3: y})


def sign(key: PrivateKey, data: bytes) -> bytes:
    return key.sign(data) if isinstance(key, Ed25519PrivateKey) else key.sign(data, ECDSA(SHA256()))


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
