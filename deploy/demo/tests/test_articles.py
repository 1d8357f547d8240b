from email.message import Message
from importlib.metadata import PackageMetadata
from typing import Any, cast

import pytest
from deploy.demo.articles import BODY_BYTES, SHORTEST_BODY, create_article, list_articles

BODY = "word " * 100


class FakePackage:
    """A distribution with this metadata."""

    def __init__(self, **fields: str) -> None:
        self._fields = fields

    @property
    def metadata(self) -> PackageMetadata:
        return create_metadata(**self._fields)


def create_metadata(**fields: str) -> PackageMetadata:
    class Metadata(Message):
        @property
        def json(self) -> dict[str, Any]:
            return dict(fields)

    return cast("PackageMetadata", Metadata())


def create_fields(**changes: str) -> dict[str, str]:
    fields = {"name": "Nice", "summary": "A nice package.", "description": BODY}
    return fields | {"description_content_type": "text/markdown; charset=UTF-8"} | changes


class TestCreateArticle:
    def test_valid(self) -> None:
        article = create_article(create_metadata(**create_fields()))
        assert article is not None
        assert (article.key, article.title, article.body) == ("nice", "nice: A nice package.", BODY.strip())

    @pytest.mark.parametrize(
        "changes",
        [
            {"description_content_type": "text/x-rst"},
            {"description_content_type": ""},
            {"description": ""},
            {"description": "x" * (SHORTEST_BODY - 1)},
            {"description": "ä" * (BODY_BYTES // 2 + 1)},
        ],
    )
    def test_unfit(self, changes: dict[str, str]) -> None:
        assert create_article(create_metadata(**create_fields(**changes))) is None

    def test_no_summary(self) -> None:
        article = create_article(create_metadata(**create_fields(summary="")))
        assert article is not None
        assert article.title == "nice"

    def test_long_summary(self) -> None:
        article = create_article(create_metadata(**create_fields(summary="long\n " * 100)))
        assert article is not None
        assert len(article.title) == 200
        assert "\n" not in article.title


class TestListArticles:
    def test_valid(self) -> None:
        packages = [FakePackage(**create_fields(name=name)) for name in ("b", "A", "b")]
        assert [article.key for article in list_articles(packages)] == ["a", "b"]

    def test_installed(self) -> None:
        articles = list_articles()
        assert len(articles) >= 30
        assert articles == list_articles()
