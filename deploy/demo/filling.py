"""The demo, step by step: people, whom they follow, what they publish, what others say of it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from deploy.demo.api import Account, Platform
from deploy.demo.articles import Article
from deploy.demo.mailbox import Mailbox
from deploy.demo.people import Human, choose_followed, choose_reviews

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
Advance = Callable[[], None]
OpenStep = Callable[[str, int], Advance]
"""Announces a step and how much it has to do; what it returns is called for each part done."""


class Filling:
    """Safe to run twice, and to interrupt: what is there already is counted, not made again."""

    def __init__(self, platform: Platform, mailbox: Mailbox, password: str, open_step: OpenStep) -> None:
        self.counts: Counter[tuple[str, bool]] = Counter()
        """How much of each kind is new (True) and was there before (False)."""
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
            (by_human[review.reviewer], post_id, review.rating, review.text)
            for article, author, post_id in published
            for review in choose_reviews(list(people), author.human, article.key)
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

    def _count(self, kind: str, *, is_new: bool) -> None:
        self.counts[kind, is_new] += 1

    async def _join(self, human: Human) -> Account:
        account = Account(self._platform, human, self._password)
        is_new = await account.sign_up()
        if is_new or not await account.log_in():
            await account.confirm(await self._mailbox.wait_for_token(human.email))
            await account.log_in()
        await account.become_creator()
        self._count("creators", is_new=is_new)
        return account

    async def _follow(self, pair: tuple[Account, Account]) -> None:
        reader, creator = pair
        await reader.follow(creator)
        # The platform does not say whether it is news: following twice changes nothing.
        self._count("follows", is_new=True)

    async def _publish_all(
        self, accounts: Sequence[Account], articles: Sequence[Article]
    ) -> list[tuple[Article, Account, str]]:
        titles = await self._run_step("looking for what is there", accounts, Account.list_titles)

        async def publish(work: tuple[Article, Account, dict[str, str]]) -> tuple[Article, Account, str]:
            article, author, known = work
            post_id = known.get(article.title)
            self._count("articles", is_new=post_id is None)
            return article, author, post_id or await author.publish(article.key, article.title, article.body)

        shares = [
            (article, *author)
            for article, author in zip(articles, cycle_authors(accounts, titles, articles), strict=True)
        ]
        return await self._run_step("articles", shares, publish)

    async def _review(self, review: tuple[Account, str, int, str]) -> None:
        reviewer, post_id, rating, text = review
        self._count("reviews", is_new=await reviewer.review(post_id, rating, text))


def cycle_authors(
    accounts: Sequence[Account], titles: Sequence[dict[str, str]], articles: Sequence[Article]
) -> list[tuple[Account, dict[str, str]]]:
    """Who writes which article: whoever has published it already, else by the article's own name.

    So that a package that was installed between two runs does not change the author of all that follow it.
    """
    owners = {title: place for place, known in enumerate(titles) for title in known}
    places = [owners.get(article.title, choose_place(article.key, len(accounts))) for article in articles]
    return [(accounts[place], titles[place]) for place in places]


def choose_place(key: str, count: int) -> int:
    """The same on every run and every machine, which `hash` is not."""
    return int.from_bytes(key.encode()) % count
