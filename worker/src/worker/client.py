"""The owners of jobs, as a task reaches them: by REST, with the worker's own service token."""

import os
from dataclasses import dataclass
from functools import lru_cache

from chassis.config import load_config
from chassis.http.config import ServiceClientConfig
from chassis.http.policy import ClientPolicy
from chassis.http.sync import SyncServiceClient, SyncServiceTokenSource
from worker.config import OwnersConfig

# Longer than between services: nobody waits for a task, and a mail's content may need a call of its owner to auth.
POLICY = ClientPolicy(timeout=5.0, connect_timeout=1.0, max_connections=2)


@dataclass(frozen=True)
class Owners:
    identity: SyncServiceClient
    """Auth as it gives tokens: one comes to it without any."""
    auth: SyncServiceClient
    posts: SyncServiceClient
    notifications: SyncServiceClient

    def list_all(self) -> list[SyncServiceClient]:
        """Those that have jobs."""
        return [self.auth, self.posts, self.notifications]

    def close(self) -> None:
        for client in (self.identity, *self.list_all()):
            client.close()


@lru_cache(maxsize=1)
def get_owners() -> Owners:
    """The clients of this process, made on first use."""
    config = load_config(OwnersConfig)
    identity = SyncServiceClient("auth", str(config.auth_url), policy=POLICY)
    source = SyncServiceTokenSource(identity, load_config(ServiceClientConfig))

    def create(target: str, url: str) -> SyncServiceClient:
        return SyncServiceClient(target, url, token_source=source, policy=POLICY)

    return Owners(
        identity=identity,
        auth=create("auth", str(config.auth_url)),
        posts=create("posts", str(config.posts_url)),
        notifications=create("notifications", str(config.notifications_url)),
    )


# A child of the pool makes its own: two processes on one socket would read each other's answers.
os.register_at_fork(after_in_child=get_owners.cache_clear)
