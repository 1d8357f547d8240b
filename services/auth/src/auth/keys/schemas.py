from typing import Literal

from pydantic import Field

from chassis.schemas import CustomModel


class JsonWebKey(CustomModel):
    """RFC 8037: an Ed25519 public key."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    alg: Literal["EdDSA"]
    use: Literal["sig"]
    kid: str = Field(max_length=100)
    x: str = Field(max_length=100)


class JsonWebKeySet(CustomModel):
    """RFC 7517."""

    keys: list[JsonWebKey] = Field(max_length=100)
