"""Markdown to safe HTML: CommonMark with tables, footnotes, task lists, strikethrough, and highlighted code.

Raw HTML in an article is welcome, as in every README; what leaves here has been through the sanitiser, all of it.
Imported by the cpu worker alone: these libraries cost memory.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin
from pydantic_core import to_json
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import STANDARD_TYPES  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

from worker.renderings.constants import (
    ALIGNED,
    ATTRIBUTE_VALUES,
    ATTRIBUTES,
    DROPPED_WITH_CONTENT,
    FORCED_ATTRIBUTES,
    LANGUAGE_CLASS,
    LINK_REL,
    MAX_EXCERPT_LENGTH,
    MAX_FENCE,
    MAX_HIGHLIGHTED_LENGTH,
    MAX_HIGHLIGHTED_TOTAL,
    MAX_HTML_BYTES,
    MAX_MARKDOWN_LENGTH,
    MAX_RESULT_BYTES,
    MIN_EXCERPT_LENGTH,
    STRUCTURE_CLASSES,
    TAGS,
    URL_SCHEMES,
)
from worker.renderings.exceptions import ArticleTooLargeError
from worker.renderings.schemas import RenderedArticle

ALLOWED_CLASSES = STRUCTURE_CLASSES | {name for name in STANDARD_TYPES.values() if name}
TEXT_TOKENS = frozenset({"text", "code_inline", "text_special"})
BREAK_TOKENS = frozenset({"softbreak", "hardbreak"})
UNTOLD_BLOCKS = frozenset({"heading", "table", "footnote_block"})
ALIGN_STYLE = re.compile(r"text-align:(left|center|right)")


def render_article(markdown: str, *, document_id: str) -> RenderedArticle:
    """`document_id` (hexadecimal) keeps the footnotes of two articles on one page apart.

    Raises ArticleTooLargeError.
    """
    if len(markdown) > MAX_MARKDOWN_LENGTH:
        raise ArticleTooLargeError(f"The text is longer than {MAX_MARKDOWN_LENGTH} characters.")
    parser = create_parser()
    env: dict[str, Any] = {"docId": document_id}
    tokens = parser.parse(markdown, env)
    excerpt = build_excerpt(tokens)
    article = RenderedArticle(sanitise_html(parser.renderer.render(tokens, parser.options, env)), excerpt)
    if not is_reportable(article):
        # Highlighting is what multiplies the size of code.
        plain = create_parser(highlights=False).render(markdown, {"docId": document_id})
        article = RenderedArticle(sanitise_html(plain), excerpt)
    if not is_reportable(article):
        raise ArticleTooLargeError(f"The article is larger than {MAX_HTML_BYTES} bytes as HTML, or too large as JSON.")
    return article


def is_reportable(article: RenderedArticle) -> bool:
    """Whether a post can hold the HTML, and a request the report: JSON escapes every quotation mark and line end."""
    report = to_json({"fence": MAX_FENCE, "html": article.html, "excerpt": article.excerpt})
    return len(article.html.encode()) <= MAX_HTML_BYTES and len(report) <= MAX_RESULT_BYTES


def create_parser(*, highlights: bool = True) -> MarkdownIt:
    """A parser for one article: how much code it highlights is counted."""
    highlighter = Highlighter() if highlights else None
    parser = MarkdownIt("commonmark", {"html": True, "highlight": highlighter}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin).use(tasklists_plugin)
    parser.core.ruler.push("align_cells", align_cells)
    return parser


def align_cells(state: StateCore) -> None:
    """Cells say by attribute how they are aligned: the sanitiser lets no style through."""
    for token in state.tokens:
        match = (
            ALIGN_STYLE.fullmatch(str(token.attrs.pop("style", ""))) if token.type in {"th_open", "td_open"} else None
        )
        if match:
            token.attrs["align"] = match[1]


class Highlighter:
    """Called by the parser for each fenced block; returns "" to leave it as it is."""

    def __init__(self) -> None:
        self._left = MAX_HIGHLIGHTED_TOTAL

    def __call__(self, code: str, language: str, _: str) -> str:
        if not language or len(code) > min(self._left, MAX_HIGHLIGHTED_LENGTH):
            return ""
        lexer = find_lexer(language)
        if lexer is None:
            return ""
        self._left -= len(code)
        html: str = highlight(code, lexer, HtmlFormatter(nowrap=True))
        # Escaped by what comes after: the sanitiser reads this as it reads every other tag.
        name = language if LANGUAGE_CLASS.fullmatch(f"language-{language}") else "text"
        return f'<pre class="highlight"><code class="language-{name}">{html}</code></pre>\n'


@lru_cache(maxsize=64)
def find_lexer(language: str) -> Any:
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return None


def filter_attribute(tag: str, name: str, value: str) -> str | None:
    """The value an attribute keeps; None drops it."""
    del tag
    if name == "class":
        return filter_classes(value)
    pattern = ATTRIBUTE_VALUES.get(name)
    return value if pattern is None or pattern.fullmatch(value) else None


def filter_classes(value: str) -> str | None:
    """Ours only: an article must not borrow the looks of the page around it."""
    kept = [name for name in value.split() if name in ALLOWED_CLASSES or LANGUAGE_CLASS.fullmatch(name)]
    return " ".join(kept) or None


def filter_relative_url(url: str) -> str | None:
    """Only to another place in the same article; anything else would lead to our own pages."""
    return url if url.startswith("#") else None


CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(DROPPED_WITH_CONTENT),
    attributes=ATTRIBUTES,
    attribute_filter=filter_attribute,
    tag_attribute_values={tag: {"align": {"left", "center", "right"}} for tag in ALIGNED},
    set_tag_attribute_values=FORCED_ATTRIBUTES,
    url_schemes=set(URL_SCHEMES),
    url_relative=filter_relative_url,
    link_rel=LINK_REL,
    strip_comments=True,
)


def sanitise_html(html: str) -> str:
    """What is left is safe in any page; a second time changes nothing."""
    # The first pass removes attributes, which puts the others out of order; the second has none to remove.
    return CLEANER.clean(CLEANER.clean(html))


def build_excerpt(tokens: Sequence[Token]) -> str:
    """The first paragraphs as plain text, at most 300 characters; "" where there is no text."""
    words = ""
    for text in iterate_paragraphs(tokens):
        words = f"{words} {text}".strip()
        if len(words) >= MIN_EXCERPT_LENGTH:
            break
    return shorten_text(words, MAX_EXCERPT_LENGTH)


def iterate_paragraphs(tokens: Sequence[Token]) -> Iterator[str]:
    """The text of every paragraph, list item and quotation; not of headings, tables and footnotes."""
    skipping: list[str] = []
    for token in tokens:
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in UNTOLD_BLOCKS:
            if token.nesting > 0:
                skipping.append(kind)
            elif skipping:
                skipping.pop()
        elif token.type == "inline" and not skipping:
            text = " ".join(read_text(token.children or []).split())
            if text:
                yield text


def read_text(tokens: Sequence[Token]) -> str:
    """Inline tokens as text: of an image nothing, so that a row of badges says nothing."""
    parts = []
    for token in tokens:
        if token.type in TEXT_TOKENS:
            parts.append(token.content)
        elif token.type in BREAK_TOKENS:
            parts.append(" ")
    return "".join(parts)


def shorten_text(text: str, limit: int) -> str:
    """Cut between words where that loses little, and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    head, space, _ = cut.rpartition(" ")
    return f"{head if space and len(head) > limit // 2 else cut}…"
