import posts.creators.models
import posts.posts.models
import posts.renderings.models
import posts.reviews.models  # noqa: F401 - what is imported is what the metadata holds
from chassis.database.models import Base
from chassis.migrations import run_env

run_env(Base.metadata)
