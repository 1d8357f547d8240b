# Each import declares its tables.
import auth.clients.models
import auth.confirmations.models
import auth.keys.models
import auth.profiles.models
import auth.tokens.models  # noqa: F401
import chassis.events.outbox
import chassis.idempotency  # noqa: F401
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
