import chassis.idempotency
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
