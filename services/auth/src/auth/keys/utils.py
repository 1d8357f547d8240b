import base64
from dataclasses import dataclass, field

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from auth.keys.schemas import JsonWebKey


@dataclass(frozen=True, slots=True)
class SigningKey:
    kid: str
    private_key: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """The two halves of a new key pair as they are kept."""

    public_key: bytes
    encrypted_private_key: bytes


def create_stored_key(fernet: Fernet) -> StoredKey:
    private_key = Ed25519PrivateKey.generate()
    return StoredKey(private_key.public_key().public_bytes_raw(), fernet.encrypt(private_key.private_bytes_raw()))


def create_jwk(kid: str, public_key: Ed25519PublicKey) -> JsonWebKey:
    x = base64.urlsafe_b64encode(public_key.public_bytes_raw()).decode().rstrip("=")
    return JsonWebKey(kty="OKP", crv="Ed25519", alg="EdDSA", use="sig", kid=kid, x=x)
