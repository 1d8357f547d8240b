"""The articles: long descriptions of the Python packages installed here, Markdown as people really write it."""

import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

TITLE_LENGTH = 200
BODY_BYTES = 200_000
SHORTEST_BODY = 400
"""Shorter ones are a heading and a link."""


@dataclass(frozen=True)
class Article:
    """What becomes a post. `key` is the same on every run."""

    key: str
    title: str
    body: str


class Package(Protocol):
    """What we need of a distribution."""

    @property
    def metadata(self) -> importlib.metadata.PackageMetadata: ...


def list_articles(packages: Iterable[Package] | None = None) -> list[Article]:
    """One article for each package with a description in Markdown, by name; the same on every run."""
    known = importlib.metadata.distributions() if packages is None else packages
    articles = {article.key: article for package in known if (article := create_article(package.metadata))}
    return [articles[key] for key in sorted(articles)]


def create_article(metadata: importlib.metadata.PackageMetadata) -> Article | None:
    """None for a package that has no Markdown, too little of it, or more than a post may hold."""
    fields = metadata.json
    body = str(fields.get("description") or "").strip()
    if "markdown" not in str(fields.get("description_content_type") or "").lower():
        return None
    if not SHORTEST_BODY <= len(body.encode()) <= BODY_BYTES:
        return None
    name = str(fields.get("name") or "").lower()
    summary = " ".join(str(fields.get("summary") or "").split())
    return Article(key=name, title=f"{name}: {summary}".rstrip(": ")[:TITLE_LENGTH], body=body)
