"""`python -m deploy.demo`: fills the running platform; every problem is one line."""

import asyncio
import sys
from collections import Counter

from deploy.demo.api import Platform
from deploy.demo.articles import list_articles
from deploy.demo.exceptions import DemoError
from deploy.demo.filling import Advance, Filling
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import Human, list_people
from deploy.demo.settings import DemoSettings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

console = Console()


def main() -> None:
    """Exit code 1 when the platform cannot be filled, with one line that says why."""
    settings = DemoSettings.from_environment()
    people = list_people()
    try:
        counts = asyncio.run(fill_platform(settings, people))
    except DemoError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit("\ndemo: interrupted; run it again to go on")
    print_summary(settings, counts, people[0])


async def fill_platform(settings: DemoSettings, people: list[Human]) -> Counter[tuple[str, str]]:
    columns = (TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with Platform(settings.url) as platform, Mailbox(settings.mailbox_url) as mailbox:
        await platform.check_health()
        await mailbox.check_health()
        with Progress(*columns, console=console) as progress:

            def open_step(name: str, total: int) -> Advance:
                task = progress.add_task(name, total=total)
                return lambda: progress.advance(task)

            filling = Filling(platform, mailbox, settings.password, open_step)
            await filling.fill(people, list_articles())
            return filling.counts


def print_summary(settings: DemoSettings, counts: Counter[tuple[str, str]], somebody: Human) -> None:
    """What is new, what was there already, and how to look at it."""
    for kind in dict.fromkeys(kind for kind, _ in counts):
        parts = [f"{count} {how}" for (other, how), count in counts.items() if other == kind]
        print(f"{kind:<10} {', '.join(parts)}")
    print(f"\nRead    {settings.url}/api/v1/posts\nMails   {settings.mailbox_url}")
    print(f"Log in  {somebody.email} / {settings.password} (all of them have this password)")


if __name__ == "__main__":
    main()
