# What is imported here is what the metadata holds, and what `make migration` compares the database with.
import chassis.events.inbox
import notifications.deliveries.models
import notifications.fan_outs.models
import notifications.inbox.models
import notifications.readers.models
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
