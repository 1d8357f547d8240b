# What is imported here is what the metadata holds, and what `make migration` compares the database with.
import chassis.events.inbox
import chassis.events.outbox
import chassis.idempotency
import posts.creators.models
import posts.posts.models
import posts.reviews.models
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
