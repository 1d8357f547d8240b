"""Markdown as people write it, and what the reader gets."""

import pytest
from bs4 import BeautifulSoup

from chassis.http.messages import build_request
from chassis.middleware import MAX_BODY_BYTES
from worker.renderings import utils
from worker.renderings.constants import MAX_EXCERPT_LENGTH, MAX_HTML_BYTES, MAX_MARKDOWN_LENGTH, MAX_RESULT_BYTES
from worker.renderings.exceptions import ArticleTooLargeError
from worker.renderings.schemas import RenderedArticle
from worker.renderings.utils import build_excerpt, create_parser, is_reportable, render_article, shorten_text

# Inputs that take parsers with a bad loop minutes; the task's limit is 20 s.
PATHOLOGICAL = {
    "brackets": "[" * 20_000,
    "quotes": "> " * 5_000 + "a",
    "emphasis": "*a_ " * 10_000,
    "backticks": "".join("`" * count + " " for count in range(500)),
    "cells": "|" * 2_000 + "\n" + "|-" * 2_000 + "\n" + "|\n" * 2_000,
    "footnotes": "[^1]: [^1]\n" * 5_000,
    "tags": "<div>" * 5_000,
    "entities": "&" * 50_000,
    "inline footnotes": "^[" * 10_000,
    "references": "[a]: b\n" * 10_000,
}


def render(markdown: str) -> BeautifulSoup:
    return BeautifulSoup(render_article(markdown, document_id="ab12").html, "html.parser")


class TestRenderArticle:
    def test_commonmark(self) -> None:
        page = render(
            '# Title\n\nA *b* **c** `d` ~~e~~\n\n> f\n\n1. g\n\n---\n\n[h](https://x "i") ![j](https://x/y.png)'
        )
        found = [(tag.name, tag.get_text()) for tag in page.find_all(["h1", "em", "strong", "code", "s", "li"])]
        assert found == [("h1", "Title"), ("em", "b"), ("strong", "c"), ("code", "d"), ("s", "e"), ("li", "g")]
        assert page.a is not None
        assert (page.a["href"], page.a["title"]) == ("https://x", "i")
        assert page.img is not None
        assert (page.img["alt"], page.img["loading"]) == ("j", "lazy")

    def test_table(self) -> None:
        page = render("| a | b |\n|:-:|--:|\n| 1 | 2 |")
        assert [(cell.name, cell.get("align"), cell.get_text()) for cell in page.find_all(["th", "td"])] == [
            ("th", "center", "a"),
            ("th", "right", "b"),
            ("td", "center", "1"),
            ("td", "right", "2"),
        ]

    def test_task_list(self) -> None:
        boxes = render("- [x] done\n- [ ] open").find_all("input")
        assert ["checked" in box.attrs for box in boxes] == [True, False]

    def test_footnote(self) -> None:
        page = render("Text[^n].\n\n[^n]: The note.")
        link, back = page.find_all("a")
        assert page.find(id=str(link["href"])[1:]) is not None
        assert page.find(id=str(back["href"])[1:]) == link
        assert "ab12" in str(link["href"]), "two articles on one page do not share their notes"

    def test_code(self) -> None:
        page = render("```python\ndef f() -> str: return '<b>'\n```")
        assert page.pre is not None
        assert page.pre["class"] == ["highlight"]
        assert page.pre.get_text() == "def f() -> str: return '<b>'\n"
        assert page.find("span", class_="k") is not None

    @pytest.mark.parametrize("info", ["", "no-such-language", "python " + "x" * 100])
    def test_code_of_any_language(self, info: str) -> None:
        assert render(f"```{info}\n<x>\n```").get_text().strip() == "<x>"

    def test_long_code_stays_plain(self) -> None:
        code = "x = 1\n" * 5_000
        page = render(f"```python\n{code}```")
        assert page.find("span") is None
        assert page.get_text().strip() == code.strip()

    def test_highlighting_is_what_gives_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(utils, "MAX_HTML_BYTES", 2_000)
        page = render("```python\n" + "x = 1\n" * 100 + "```")
        assert page.find("span") is None

    def test_readme_html(self) -> None:
        page = render('<p align="center">\n  <img src="https://x/logo.svg" width="200">\n</p>\n\nText')
        assert page.p is not None
        assert page.p["align"] == "center"

    def test_nothing(self) -> None:
        article = render_article("", document_id="ab")
        assert (article.html, article.excerpt) == ("", "")

    def test_too_long(self) -> None:
        with pytest.raises(ArticleTooLargeError, match="500000 characters"):
            render_article("a" * (MAX_MARKDOWN_LENGTH + 1), document_id="ab")

    def test_too_large_as_json(self) -> None:
        """Small enough for a post, and too large for the report of it."""
        markdown = "&" * 90_000 + '"' * 390_000
        with pytest.raises(ArticleTooLargeError, match="JSON"):
            render_article(markdown, document_id="ab")

    def test_too_large_as_html(self) -> None:
        with pytest.raises(ArticleTooLargeError, match=f"{MAX_HTML_BYTES} bytes"):
            render_article("&" * (MAX_MARKDOWN_LENGTH // 2), document_id="ab")

    @pytest.mark.timeout(10)
    @pytest.mark.parametrize("name", PATHOLOGICAL)
    def test_pathological(self, name: str) -> None:
        assert render_article(PATHOLOGICAL[name], document_id="ab") is not None


class TestIsReportable:
    def test_limit_is_everybodys(self) -> None:
        assert MAX_RESULT_BYTES == MAX_BODY_BYTES

    @pytest.mark.parametrize(("size", "expected"), [(524_200, True), (524_300, False)])
    def test_escaped_size(self, size: int, expected: bool) -> None:
        """A quotation mark is one byte of the HTML and two of the request that carries it."""
        article = RenderedArticle(html='"' * size, excerpt="")
        body = build_request("POST", "/", json={"fence": 2**63 - 1, "html": article.html, "excerpt": ""}).content
        assert body is not None
        assert (len(body) <= MAX_BODY_BYTES, is_reportable(article)) == (expected, expected)


class TestBuildExcerpt:
    @pytest.mark.parametrize(
        ("markdown", "excerpt"),
        [
            (
                "# Title\n\nFirst *paragraph* with `code` &amp; [a link](https://x).",
                "First paragraph with code & a link.",
            ),
            ("[![badge](https://x/y.svg)](https://z)\n\nText", "Text"),
            ("Short.\n\nThen more.", "Short. Then more."),
            ("line\nbreak  \nhard", "line break hard"),
            ("```python\ncode\n```\n\nText[^1]\n\n[^1]: Note", "Text"),
            ("| a |\n|---|\n| b |\n\nText", "Text"),
            ("<b>raw</b> text <!-- comment -->", "raw text"),
            ("> quoted\n\n- item", "quoted item"),
            ("# Only a title", ""),
            ("&lt;script&gt;", "<script>"),
        ],
    )
    def test_valid(self, markdown: str, excerpt: str) -> None:
        parser = create_parser()
        assert build_excerpt(parser.parse(markdown, {})) == excerpt

    def test_long(self) -> None:
        excerpt = render_article("word " * 200, document_id="ab").excerpt
        assert len(excerpt) <= MAX_EXCERPT_LENGTH
        assert excerpt.endswith("word…")


class TestShortenText:
    @pytest.mark.parametrize(
        ("text", "shortened"),
        [("short", "short"), ("one two three", "one two…"), ("x" * 20, "x" * 9 + "…"), ("a " + "x" * 20, "a xxxxxxx…")],
    )
    def test_valid(self, text: str, shortened: str) -> None:
        assert shorten_text(text, 10) == shortened
