"""The demo, step by step: people, whom they follow, what they publish, what others say of it."""

import asyncio
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from deploy.demo.api import Account, Platform
from deploy.demo.articles import Article
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import Human, Review, choose_followed, choose_reviews

NEW: Final = "new"
OLD: Final = "there already"

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
Advance = Callable[[], None]
OpenStep = Callable[[str, int], Advance]
"""Announces a step and how much it has to do; what it returns is called for each part done."""


@dataclass(frozen=True)
class Publication:
    """An article as a post, and who has reviewed it."""

    article: Article
    author: Account
    post_id: str
    reviewers: set[str]


class Filling:
    """Safe to run twice, and to interrupt: what is there already is counted, not made again."""

    def __init__(self, platform: Platform, mailbox: Mailbox, password: str, open_step: OpenStep) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """How much there is of each kind, by how it came to be there."""
        self._platform = platform
        self._mailbox = mailbox
        self._password = password
        self._open_step = open_step

    async def fill(self, people: Sequence[Human], articles: Sequence[Article]) -> None:
        """Raises DemoError."""
        accounts = await self._run_step("creators", people, self._join)
        by_human = {account.human: account for account in accounts}
        pairs = [
            (by_human[human], by_human[other])
            for human, others in choose_followed(list(people)).items()
            for other in others
        ]
        # Before anything is published, so that there is somebody to tell.
        await self._run_step("follows", pairs, self._follow)
        published = await self._publish_all(accounts, articles)
        reviews = [
            (by_human[review.reviewer], publication, review)
            for publication in published
            for review in choose_reviews(list(people), publication.author.human, publication.article.key)
        ]
        await self._run_step("reviews", reviews, self._review)

    async def _run_step(
        self, name: str, items: Sequence[ItemT], work: Callable[[ItemT], Awaitable[ResultT]]
    ) -> list[ResultT]:
        """All items at once; the platform's client bounds how many calls are under way."""
        advance = self._open_step(name, len(items))

        async def run(item: ItemT) -> ResultT:
            result = await work(item)
            advance()
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run(item)) for item in items]
        except ExceptionGroup as errors:
            # One line for the person at the terminal: the first says it all.
            raise errors.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _join(self, human: Human) -> Account:
        account = Account(self._platform, human, self._password)
        is_there = await account.log_in()
        is_new = not is_there and await account.sign_up()
        if not is_there:
            await account.confirm(await self._mailbox.wait_for_token(human.email))
        await account.become_creator()
        self.counts["creators", NEW if is_new else OLD] += 1
        return account

    async def _follow(self, pair: tuple[Account, Account]) -> None:
        reader, creator = pair
        await reader.follow(creator)
        # The platform does not say whether it is news: following twice changes nothing.
        self.counts["follows", "in place"] += 1

    async def _publish_all(self, accounts: Sequence[Account], articles: Sequence[Article]) -> list[Publication]:
        titles = await self._run_step("looking for what is there", accounts, Account.list_titles)
        authors = choose_authors([set(known) for known in titles], articles)

        async def publish(work: tuple[Article, int]) -> Publication:
            article, place = work
            author, post_id = accounts[place], titles[place].get(article.title)
            self.counts["articles", OLD if post_id else NEW] += 1
            if post_id:
                return Publication(article, author, post_id, await author.list_reviewers(post_id))
            return Publication(article, author, await author.publish(article.key, article.title, article.body), set())

        return await self._run_step("articles", list(zip(articles, authors, strict=True)), publish)

    async def _review(self, work: tuple[Account, Publication, Review]) -> None:
        reviewer, publication, review = work
        is_new = review.reviewer.username not in publication.reviewers and await reviewer.review(
            publication.post_id, review.rating, review.text
        )
        self.counts["reviews", NEW if is_new else OLD] += 1


def choose_authors(titles: Sequence[set[str]], articles: Sequence[Article]) -> list[int]:
    """Places of the authors: whoever has published the article already, else chosen by the article's own name.

    So a package that was installed between two runs changes the author of no other article.
    """
    owners = {title: place for place, known in enumerate(titles) for title in known}
    return [owners.get(article.title, choose_place(article.key, len(titles))) for article in articles]


def choose_place(key: str, count: int) -> int:
    """The same on every run and every machine, which `hash` is not."""
    return zlib.crc32(key.encode()) % count
