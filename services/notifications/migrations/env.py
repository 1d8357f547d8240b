import notifications.deliveries.models
import notifications.inbox.models
import notifications.readers.models  # noqa: F401 - each import declares its tables
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
