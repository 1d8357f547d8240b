"""Forged access tokens at a real route, verified with the keys that auth really signs with."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI

from auth.keys.service import KeyRing
from auth.profiles.models import Profile

Forge = Callable[[dict[str, Any], dict[str, Any], Ed25519PrivateKey], str]


def sign(claims: dict[str, Any], header: dict[str, Any], key: Ed25519PrivateKey) -> str:
    return jwt.encode(claims, key, algorithm="EdDSA", headers=header)


def encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def sign_by_public_key(claims: dict[str, Any], header: dict[str, Any], key: Ed25519PrivateKey) -> str:
    """HS256 with what everybody can read as the secret."""
    secret = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encode(header | {'alg': 'HS256'})}.{encode(claims)}"
    mac = hmac.digest(secret, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


FORGERIES: dict[str, Forge] = {
    "foreign key": lambda claims, header, _: sign(claims, header, Ed25519PrivateKey.generate()),
    "alg none": lambda claims, header, _: f"{encode(header | {'alg': 'none'})}.{encode(claims)}.",
    "alg none, signed": lambda claims, header, key: (
        f"{encode(header | {'alg': 'none'})}.{encode(claims)}.{sign(claims, header, key).rpartition('.')[2]}"
    ),
    "HS256 by the public key": sign_by_public_key,
    "no signature": lambda claims, header, key: sign(claims, header, key).rpartition(".")[0] + ".",
    "other claims": lambda claims, header, key: ".".join(
        [
            sign(claims, header, key).split(".")[0],
            encode(claims | {"sub": "01940000-0000-7000-8000-000000000000"}),
            sign(claims, header, key).split(".")[2],
        ]
    ),
    "expired": lambda claims, header, key: sign(claims | {"exp": int(time.time()) - 60}, header, key),
    "from the future": lambda claims, header, key: sign(claims | {"iat": int(time.time()) + 600}, header, key),
    "other audience": lambda claims, header, key: sign(claims | {"aud": "broadsheet-internal"}, header, key),
    "other issuer": lambda claims, header, key: sign(claims | {"iss": "somebody"}, header, key),
    "no expiry": lambda claims, header, key: sign({k: v for k, v in claims.items() if k != "exp"}, header, key),
    "other type": lambda claims, header, key: sign(claims, header | {"typ": "JWT"}, key),
    "unknown key id": lambda claims, header, key: sign(claims, header | {"kid": "x"}, key),
    "key id as SQL": lambda claims, header, key: sign(claims, header | {"kid": "' or 1=1 --"}, key),
    "subject of a service": lambda claims, header, key: sign(claims | {"sub": "service:posts"}, header, key),
    "garbage": lambda *_: "not.a.token",
}


class TestForgeries:
    @pytest.fixture
    async def honest(
        self, app: FastAPI, profile: Profile, login: Callable[[FastAPI, Profile], Awaitable[dict[str, str]]]
    ) -> str:
        return (await login(app, profile))["Authorization"].removeprefix("Bearer ")

    async def test_valid(self, client: httpx.AsyncClient, honest: str) -> None:
        assert (await client.get("/profiles/me", headers={"Authorization": f"Bearer {honest}"})).status_code == 200

    @pytest.mark.parametrize("forgery", FORGERIES)
    async def test_refused(self, app: FastAPI, client: httpx.AsyncClient, honest: str, forgery: str) -> None:
        key_ring: KeyRing = app.state.key_ring
        key = await key_ring.get_signing_key()
        claims = jwt.decode(honest, options={"verify_signature": False})
        header = {"typ": "at+jwt", "kid": key.kid}
        token = FORGERIES[forgery](claims, header, key.private_key)
        response = await client.get("/profiles/me", headers={"Authorization": f"Bearer {token}"})
        assert (response.status_code, response.json()["status"]) == (401, 401)
        assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
