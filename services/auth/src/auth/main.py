"""The API process of the auth service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from auth.config import PublicConfig
from auth.confirmations.config import ConfirmationConfig
from auth.confirmations.utils import ConfirmationSigner
from auth.devices.utils import DeviceSigner
from auth.keys.config import KeysConfig
from auth.keys.service import KeyRing
from auth.limits.client import RedisWindows
from auth.limits.config import LimitsConfig, LocalLimitsConfig
from auth.limits.service import RateLimiter
from auth.mfa.utils import RecoveryCodeDigester
from auth.passkeys.config import PasskeyConfig
from auth.passkeys.utils import create_relying_party
from auth.passwords.config import HashingConfig, PasswordRulesConfig
from auth.passwords.utils import PasswordHashing
from auth.router import router
from auth.sessions.utils import RefreshChain
from auth.totp.config import TotpConfig
from auth.totp.utils import TotpBox
from chassis.app import ServiceSpec
from chassis.app import create_app as create_chassis_app
from chassis.config import AppConfig, RedisConfig, load_config
from chassis.database.config import DatabaseConfig
from chassis.database.engine import Database
from chassis.events.waker import FeedWaker
from chassis.security.config import TokenConfig
from chassis.security.revocation import RevocationFeed
from chassis.security.verifier import TokenVerifier

DESCRIPTION = "Accounts, sessions and tokens."


def create_app() -> FastAPI:
    database = Database(load_config(DatabaseConfig))
    keys_config = load_config(KeysConfig)
    redis_url = str(load_config(RedisConfig).redis_url)
    feed = RevocationFeed(redis_url)
    key_ring = KeyRing(database.reader, keys_config.create_fernet(), feed.revocations)
    limiter = create_limiter(keys_config, redis_url)
    for later in (TotpConfig, PasswordRulesConfig):
        load_config(later)  # what is wrong in it must be told here, not by the first who needs it

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with PasswordHashing(load_config(HashingConfig)) as hashing:
            async with database, FeedWaker(database) as feed_waker, feed, limiter:
                app.state.database = database
                app.state.feed_waker = feed_waker
                app.state.hashing = hashing
                yield

    spec = ServiceSpec(
        name="auth",
        description=DESCRIPTION,
        router=router,
        lifespan=lifespan,
        readiness={"database": database.check, "signing_key": key_ring.check},
    )
    app = create_chassis_app(spec, load_config(AppConfig))
    app.state.relying_party = create_relying_party(load_config(PublicConfig), load_config(PasskeyConfig))
    app.state.key_ring = key_ring
    app.state.token_verifier = TokenVerifier.from_config(key_ring, load_config(TokenConfig), feed.revocations)
    app.state.confirmation_signer = ConfirmationSigner.from_config(load_config(ConfirmationConfig))
    app.state.rate_limiter = limiter
    set_up_secrets(app, keys_config)
    return app


def set_up_secrets(app: FastAPI, keys_config: KeysConfig) -> None:
    app.state.device_signer = DeviceSigner(keys_config.derive_secret("devices"))
    app.state.refresh_chain = RefreshChain(keys_config.derive_secret("refresh-tokens"))
    app.state.totp_box = TotpBox(keys_config.derive_secret("totp"))
    app.state.recovery_code_digester = RecoveryCodeDigester(keys_config.derive_secret("recovery-codes"))


def create_limiter(keys_config: KeysConfig, redis_url: str) -> RateLimiter:
    return RateLimiter(
        load_config(LimitsConfig),
        keys_config.derive_secret("limits"),
        RedisWindows(redis_url),
        local_share=load_config(LocalLimitsConfig).share,
    )
