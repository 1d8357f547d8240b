"""Tokens that must not open anything, whatever they look like. Each goes to a person's and to a service's route."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from chassis.security.constants import SERVICE_SUBJECT_PREFIX, TOKEN_MAX_LENGTH
from chassis.testing.tokens import TokenSigner

NOW = int(time.time())
USER_ID = UUID("01980000-0000-7000-8000-000000000001")
SESSION_ID = UUID("01980000-0000-7000-8000-0000000000aa")
Claims = dict[str, Any]
Forgery = Callable[[TokenSigner, Claims], str]


def encode(value: bytes | dict[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def assemble(signer: TokenSigner, header: bytes | dict[str, Any], claims: bytes | Claims) -> str:
    """Signed with the right key, over parts that no library would write."""
    signing_input = f"{encode(header)}.{encode(claims)}"
    return f"{signing_input}.{encode(signer.private_key.sign(signing_input.encode()))}"


def header_of(signer: TokenSigner, **changes: Any) -> dict[str, Any]:
    return {"alg": "EdDSA", "typ": "at+jwt", "kid": signer.kid} | changes


def with_header(**changes: Any) -> Forgery:
    return lambda signer, claims: assemble(signer, header_of(signer, **changes), claims)


def with_claims(**changes: Any) -> Forgery:
    """None leaves the claim out."""

    def forge(signer: TokenSigner, claims: Claims) -> str:
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        return assemble(signer, header_of(signer), kept)

    return forge


def with_raw_claim(text: str) -> Forgery:
    def forge(signer: TokenSigner, claims: Claims) -> str:
        return assemble(signer, header_of(signer), json.dumps(claims)[:-1].encode() + b"," + text.encode() + b"}")

    return forge


def by_stranger(**headers: Any) -> Forgery:
    """Signed with a key of the forger's own."""

    def forge(signer: TokenSigner, claims: Claims) -> str:
        stranger = TokenSigner(kid=signer.kid)
        jwk = OKPAlgorithm.to_jwk(stranger.private_key.public_key(), as_dict=True)
        changes = {name: jwk if value == "own jwk" else value for name, value in headers.items()}
        return assemble(stranger, header_of(signer, **changes), claims)

    return forge


def by_hmac(algorithm: str, digest: str, secret: Callable[[TokenSigner], bytes]) -> Forgery:
    def forge(signer: TokenSigner, claims: Claims) -> str:
        signing_input = f"{encode(header_of(signer, alg=algorithm))}.{encode(claims)}"
        return f"{signing_input}.{encode(hmac.digest(secret(signer), signing_input.encode(), digest))}"

    return forge


def public_key(encoding: Encoding, layout: PublicFormat) -> Callable[[TokenSigner], bytes]:
    return lambda signer: signer.private_key.public_key().public_bytes(encoding, layout)


def by_library(key: Any, algorithm: str) -> Forgery:
    return lambda signer, claims: jwt.encode(
        claims, key, algorithm=algorithm, headers={"typ": "at+jwt", "kid": signer.kid}
    )


def edit(change: Callable[[str, str, str], str]) -> Forgery:
    """An honest token, changed afterwards."""
    return lambda signer, claims: change(*signer.sign(claims).split("."))


def promote(head: str, payload: str, signature: str) -> str:
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{head}.{encode(claims | {'scope': 'ships:read admin'})}.{signature}"


def unsigned(algorithm: str) -> Forgery:
    return lambda signer, claims: f"{encode(header_of(signer, alg=algorithm))}.{encode(claims)}."


FORGERIES: dict[str, Forgery] = {
    # The algorithm
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg NONE": unsigned("NONE"),
    "alg empty": unsigned(""),
    "alg none with a signature": with_header(alg="none"),
    "alg eddsa": with_header(alg="eddsa"),
    "alg EDDSA": with_header(alg="EDDSA"),
    "alg Ed25519": with_header(alg="Ed25519"),
    "alg null": with_header(alg=None),
    "alg list": with_header(alg=["EdDSA"]),
    "alg missing": lambda signer, claims: assemble(signer, {"typ": "at+jwt", "kid": signer.kid}, claims),
    "HS256 with the public PEM": by_hmac(
        "HS256", "sha256", public_key(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HS512 with the public PEM": by_hmac(
        "HS512", "sha512", public_key(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HS256 with the public DER": by_hmac(
        "HS256", "sha256", public_key(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ),
    "HS256 with the raw public key": by_hmac("HS256", "sha256", public_key(Encoding.Raw, PublicFormat.Raw)),
    "HS256 with the public SSH key": by_hmac("HS256", "sha256", public_key(Encoding.OpenSSH, PublicFormat.OpenSSH)),
    "HS256 with the public JWK": by_hmac(
        "HS256", "sha256", lambda signer: OKPAlgorithm.to_jwk(signer.private_key.public_key()).encode()
    ),
    "HS256 with the JWK set": by_hmac("HS256", "sha256", lambda signer: json.dumps(signer.jwks()).encode()),
    "HS256 with an empty secret": by_hmac("HS256", "sha256", lambda _: b""),
    "EdDSA said, HMAC done": by_hmac("EdDSA", "sha512", public_key(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)),
    "ES256": by_library(generate_ec_key(SECP256R1()), "ES256"),
    "RS256": by_library(generate_rsa_key(65537, 2048), "RS256"),
    "Ed448": by_library(Ed448PrivateKey.generate(), "EdDSA"),
    # The key
    "another key": by_stranger(),
    "another key in jwk": by_stranger(jwk="own jwk"),
    "another key at jku": by_stranger(jku="https://forger.example/jwks.json"),
    "another key at x5u": by_stranger(x5u="https://forger.example/cert.pem"),
    "another key in x5c": by_stranger(x5c=["MIIB"]),
    "kid unknown": with_header(kid="no-such-key"),
    "kid missing": lambda signer, claims: assemble(signer, {"alg": "EdDSA", "typ": "at+jwt"}, claims),
    "kid number": with_header(kid=1),
    "kid list": with_header(kid=["test-key"]),
    "kid empty": with_header(kid=""),
    "kid path": with_header(kid="../../../../dev/null"),
    "kid SQL": with_header(kid="' UNION SELECT 'a' --"),
    "kid NUL": with_header(kid="test-key\x00"),
    "kid newline": with_header(kid="test-key\n"),
    "kid long": with_header(kid="k" * 2000),
    # The header
    "crit unknown": with_header(crit=["exp"], exp=NOW + 300),
    "crit empty": with_header(crit=[]),
    "crit b64": with_header(crit=["b64"], b64=True),
    "b64 false": with_header(b64=False),
    "b64 true": with_header(b64=True),
    "typ JWT": with_header(typ="JWT"),
    "typ other case": with_header(typ="AT+JWT"),
    "typ refresh": with_header(typ="rt+jwt"),
    "typ missing": lambda signer, claims: assemble(signer, {"alg": "EdDSA", "kid": signer.kid}, claims),
    "header repeats alg": lambda signer, claims: assemble(
        signer, b'{"alg":"none","alg":"EdDSA","typ":"at+jwt","kid":"%s"}' % signer.kid.encode(), claims
    ),
    "header repeats kid": lambda signer, claims: assemble(
        signer, b'{"alg":"EdDSA","typ":"at+jwt","kid":"x","kid":"%s"}' % signer.kid.encode(), claims
    ),
    "header a list": lambda signer, claims: assemble(signer, b"[]", claims),
    "header no JSON": lambda signer, claims: assemble(signer, b"{", claims),
    "header no UTF-8": lambda signer, claims: assemble(signer, b"\xff\xfe{}", claims),
    "header nested": lambda signer, claims: assemble(signer, b"[" * 2000, claims),
    # The signature
    "signature empty": edit(lambda head, payload, _: f"{head}.{payload}."),
    "signature missing": edit(lambda head, payload, _: f"{head}.{payload}"),
    "signature zero": edit(lambda head, payload, _: f"{head}.{payload}.{encode(bytes(64))}"),
    "signature cut": edit(lambda head, payload, signature: f"{head}.{payload}.{signature[:-8]}"),
    "signature of another token": lambda signer, claims: (
        signer.sign(claims).rpartition(".")[0] + "." + signer.sign(claims | {"jti": "other"}).rpartition(".")[2]
    ),
    "claims changed": edit(promote),
    "a segment more": edit(lambda head, payload, signature: f"{head}.{payload}.{signature}.{signature}"),
    "JSON serialization": edit(
        lambda head, payload, signature: json.dumps({"protected": head, "payload": payload, "signature": signature})
    ),
    # The claims
    **{f"{name} missing": with_claims(**{name: None}) for name in ("iss", "aud", "exp", "iat", "sub", "jti")},
    **{
        f"{name} null": lambda signer, claims, name=name: assemble(  # type: ignore[misc]
            signer, header_of(signer), claims | {name: None}
        )
        for name in ("iss", "aud", "exp", "iat", "sub", "jti")
    },
    "iss other": with_claims(iss="https://forger.example"),
    "iss list": with_claims(iss=["broadsheet"]),
    "aud other": with_claims(aud="elsewhere"),
    "aud list": with_claims(aud=["broadsheet", "broadsheet-internal"]),
    "aud empty": with_claims(aud=""),
    "expired": with_claims(iat=NOW - 600, exp=NOW - 300),
    "expired just now": with_claims(iat=NOW - 600, exp=NOW - 11),
    "exp text": with_claims(exp="tomorrow"),
    "exp digits as text": with_claims(exp=str(NOW + 300)),
    "exp beyond time": with_claims(exp=10**15),
    "exp infinite": with_raw_claim('"exp":1e999'),
    "exp NaN": with_raw_claim('"exp":NaN'),
    "nbf in the future": with_claims(nbf=NOW + 300),
    "iat in the future": with_claims(iat=NOW + 300),
    "iat text": with_claims(iat="now"),
    "sub number": with_claims(sub=7),
    "sub no uuid": with_claims(sub="admin"),
    "sub SQL": with_claims(sub="' OR 1=1 --"),
    "sub empty service": with_claims(sub=SERVICE_SUBJECT_PREFIX),
    "sub odd service": with_claims(sub=f"{SERVICE_SUBJECT_PREFIX}Fleet; drop"),
    "jti number": with_claims(jti=7),
    "jti empty": with_claims(jti=""),
    "jti long": with_claims(jti="j" * 300),
    "scope list": with_claims(scope=["ships:read"]),
    "scope number": with_claims(scope=1),
    "sub twice": with_raw_claim(f'"sub":"{USER_ID}"'),
    "exp twice": with_raw_claim(f'"exp":{NOW + 300}'),
    "claims a list": lambda signer, _: assemble(signer, header_of(signer), b"[]"),
    "claims no JSON": lambda signer, _: assemble(signer, header_of(signer), b"{"),
    "claims nested": lambda signer, _: assemble(signer, header_of(signer), b"[" * 2000),
    # No token at all
    "oversized": with_claims(pad="x" * TOKEN_MAX_LENGTH),
    "garbage": lambda *_: "garbage",
    "dots": lambda *_: "..",
    "many dots": lambda *_: "." * 1000,
    "not ASCII": lambda *_: "ey\xff.\xfe.\xfd",
    "digest of a token": lambda signer, claims: hashlib.sha256(signer.sign(claims).encode()).hexdigest(),
}


def honest_claims(signer: TokenSigner, path: str) -> Claims:
    if path == "/me":
        return signer.build_claims("broadsheet") | {
            "sub": str(USER_ID),
            "sid": str(SESSION_ID),
            "client_id": "broadsheet",
            "auth_time": NOW,
            "amr": ["pwd"],
            "acr": "aal1",
        }
    return signer.build_claims("broadsheet-internal", ["ships:read"]) | {"sub": "service:fleet"}


PERSONAL: dict[str, Forgery] = {
    **{f"{name} missing": with_claims(**{name: None}) for name in ("sid", "client_id", "auth_time", "amr", "acr")},
    "sid no uuid": with_claims(sid="abc"),
    "client_id number": with_claims(client_id=7),
    "auth_time text": with_claims(auth_time="now"),
    "auth_time beyond time": with_claims(auth_time=10**15),
    "amr text": with_claims(amr="pwd"),
    "amr endless": with_claims(amr=["pwd"] * 11),
    "acr list": with_claims(acr=["aal2"]),
}
"""What only a person's token says."""


@pytest.mark.parametrize("name", PERSONAL)
async def test_forged_login(client: httpx.AsyncClient, signer: TokenSigner, name: str) -> None:
    token = PERSONAL[name](signer, honest_claims(signer, "/me"))
    response = await client.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")


@pytest.mark.parametrize("path", ["/me", "/internal/ships"])
class TestForgeries:
    async def test_valid(self, client: httpx.AsyncClient, signer: TokenSigner, path: str) -> None:
        """What the table changes is right as it stands, by either way of writing it."""
        claims = honest_claims(signer, path)
        tokens = [signer.sign(claims), assemble(signer, header_of(signer), claims)]

        for token in tokens:
            response = await client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == 200

    @pytest.mark.parametrize("name", FORGERIES)
    async def test_forged(self, client: httpx.AsyncClient, signer: TokenSigner, path: str, name: str) -> None:
        token = FORGERIES[name](signer, honest_claims(signer, path))

        for _ in range(2):
            response = await client.get(path, headers={b"Authorization": f"Bearer {token}".encode("latin-1")})

            assert response.status_code == 401
            assert response.json()["code"] == ("token_expired" if name.startswith("expired") else "token_invalid")
            assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')

    async def test_key_named_in_a_header_is_neither_needed_nor_fetched(
        self, client: httpx.AsyncClient, signer: TokenSigner, path: str
    ) -> None:
        token = with_header(jku="https://forger.example/jwks.json")(signer, honest_claims(signer, path))

        response = await client.get(path, headers={"Authorization": f"Bearer {token}"})

        assert response.status_code == 200


def test_table_is_long_enough() -> None:
    assert len(FORGERIES) >= 40


def test_stranger_is_a_stranger(signer: TokenSigner) -> None:
    assert isinstance(signer.private_key, Ed25519PrivateKey)
    assert TokenSigner().private_key.public_key() != signer.private_key.public_key()
