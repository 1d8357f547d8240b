# What is imported here is what the metadata holds, and what `make migration` compares the database with.
import auth.accounts.models
import auth.apps.models
import auth.audit.models
import auth.avatars.models
import auth.clients.models
import auth.codes.models
import auth.confirmations.models
import auth.consents.models
import auth.devices.models
import auth.exports.models
import auth.keys.models
import auth.locks.models
import auth.mfa.models
import auth.passkeys.models
import auth.profiles.models
import auth.recovery.models
import auth.sessions.models
import auth.totp.models
import chassis.events.outbox
import chassis.idempotency
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
