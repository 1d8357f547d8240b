"""The platform is started once for the whole run, or taken as it runs: `--platform embedded|compose|<url>`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
from e2e.compose import ComposePlatform
from e2e.embedded import EmbeddedPlatform
from e2e.mail import Mailbox
from e2e.people import Person
from e2e.platform import Platform
from e2e.polling import wait_until


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--platform",
        choices=["embedded", "compose"],
        default="embedded",
        help="What the journeys run against: processes on this machine, or the compose project.",
    )

    parser.addoption("--update-screenshot", action="store_true", help="Keep the picture of the page for the README.")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """Started from nothing, and gone afterwards; its logs are shown when a journey failed."""
    kind = request.config.getoption("--platform")
    running = ComposePlatform() if kind == "compose" else EmbeddedPlatform()
    with running:
        yield running
        if request.session.testsfailed:
            print(running.read_all_logs())  # noqa: T201 - pytest keeps it beside the failure


@pytest.fixture
async def mailbox(platform: Platform) -> AsyncIterator[Mailbox]:
    async with httpx.AsyncClient(base_url=platform.mailbox_url, timeout=10) as client:
        yield Mailbox(client)


@pytest.fixture
async def new_person(platform: Platform, mailbox: Mailbox) -> AsyncIterator[Callable[[], Person]]:
    """Makes people who have no account yet."""
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_keepalive_connections=2)

        def create() -> Person:
            client = httpx.AsyncClient(base_url=platform.base_url, timeout=20, limits=limits)
            stack.push_async_callback(client.aclose)
            return Person(client, mailbox)

        yield create


@pytest.fixture
async def anybody(new_person: Callable[[], Person]) -> Person:
    """Somebody without an account."""
    return new_person()


@pytest.fixture
async def create_person(new_person: Callable[[], Person]) -> Callable[..., Awaitable[Person]]:
    """Makes people with a confirmed account who are logged in."""

    async def create(*, creator: bool = False) -> Person:
        person = new_person()
        (await person.sign_up()).raise_for_status()
        await person.confirm()
        (await person.log_in()).raise_for_status()
        if creator:
            await person.become_creator()
        return person

    return create


@pytest.fixture(autouse=True)
async def every_process_is_up(platform: Platform) -> AsyncIterator[None]:
    """After each journey, whatever it did, all of the platform must be up again."""
    yield
    async with httpx.AsyncClient(base_url=platform.base_url, timeout=5) as client:
        await wait_until(lambda: is_up(client), seconds=60)
    # A container that was paused or killed is well again only after its next health check.
    await wait_until(lambda: has_none_unhealthy(platform), seconds=90)


async def has_none_unhealthy(platform: Platform) -> bool:
    return await platform.list_unhealthy() == []


async def is_up(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx.TransportError:
        return False
