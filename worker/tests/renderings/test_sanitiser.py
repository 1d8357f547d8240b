"""What leaves the sanitiser, read again by another parser: nothing in it runs, posts, or pretends to be our page."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.renderings.constants import ATTRIBUTES, TAGS
from worker.renderings.utils import ALLOWED_CLASSES, filter_attribute, render_article, sanitise_html

VECTORS = (Path(__file__).parent / "vectors.txt").read_text().splitlines()
SAFE_URL = re.compile(r"(https?:|mailto:|#)", re.IGNORECASE)
FORCED = {"a": {"rel"}, "img": {"loading"}, "input": {"type", "disabled"}}
INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0]+")
FRAGMENTS = [
    *("<", ">", "</", "/>", '"', "'", "=", "&", ";", "`", "<!--", "-->", "<![CDATA[", "]]>", "\n", " ", "\x00"),
    *("<p>", "</p>", "<a href=", "javascript:", "https://x", "<img src=x ", "onerror=alert(1)", "<svg>", "<math>"),
    *("<style>", "</style>", "<script>", "</script>", "<table>", "<td>", "<mglyph>", "<mtext>", "<noscript>", "&lt;"),
    *(
        "<template>",
        "<select>",
        "<pre>",
        "<li>",
        "<section>",
        "<input ",
        'class="k x"',
        'id="fn-ab-1"',
        "[x](",
        "**",
        "> ",
    ),
    *(
        "<textarea>",
        "<title>",
        "<xmp>",
        "<plaintext>",
        "<foreignObject>",
        "<annotation-xml>",
        "<ruby><rt>",
        "<details>",
    ),
]
html_like = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=25).map("".join)


def is_harmless(name: str, value: str) -> bool:
    if name in {"href", "src"}:
        return SAFE_URL.match(INVISIBLE.sub("", html.unescape(value))) is not None
    if name == "class":
        return all(each in ALLOWED_CLASSES or each.startswith("language-") for each in value.split())
    return name != "id" or value.startswith("fn")


class Inspector(HTMLParser):
    """Collects whatever the rules of the house do not name."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.dangers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.dangers.append(f"tag {tag}")
        known = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, set()) | FORCED.get(tag, set()) | {"align"}
        self.dangers += [f"{tag} {name}" for name, _ in attrs if name not in known]
        self.dangers += [f"{tag} {name}={value}" for name, value in attrs if not is_harmless(name, value or "")]
        if tag == "input" and not {("type", "checkbox"), ("disabled", "")} <= set(attrs):
            self.dangers.append("an input that is no dead checkbox")
        if tag == "a" and ("rel", "noopener nofollow ugc") not in attrs:
            self.dangers.append("a link without rel")

    def handle_comment(self, data: str) -> None:
        self.dangers.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.dangers.append(f"declaration {decl}")

    def unknown_decl(self, data: str) -> None:
        self.dangers.append(f"declaration {data}")


def find_dangers(text: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(text)
    inspector.close()
    return inspector.dangers


class TestSanitiseHtml:
    def test_enough_vectors(self) -> None:
        assert len(set(VECTORS)) >= 100

    @pytest.mark.parametrize("vector", VECTORS)
    def test_vector(self, vector: str) -> None:
        cleaned = sanitise_html(vector)
        assert find_dangers(cleaned) == []
        assert sanitise_html(cleaned) == cleaned

    def test_inspector_bites(self) -> None:
        """A test that finds nothing must be able to find something."""
        dangerous = [vector for vector in VECTORS if vector.startswith("<") and find_dangers(vector)]
        assert len(dangerous) >= 80

    @settings(max_examples=300, deadline=None)
    @example(text='<img src=x class="k x">')
    @given(text=html_like)
    def test_twice_changes_nothing(self, text: str) -> None:
        once = sanitise_html(text)
        assert sanitise_html(once) == once
        assert find_dangers(once) == []

    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ('<a href="https://x">x</a>', '<a href="https://x" rel="noopener nofollow ugc">x</a>'),
            ('<a href="mailto:a@b.c">x</a>', '<a href="mailto:a@b.c" rel="noopener nofollow ugc">x</a>'),
            ('<a href="#fn-ab-1">x</a>', '<a href="#fn-ab-1" rel="noopener nofollow ugc">x</a>'),
            ('<a rel="me" href="https://x">x</a>', '<a href="https://x" rel="noopener nofollow ugc">x</a>'),
            ('<a href="ftp://x">x</a>', '<a rel="noopener nofollow ugc">x</a>'),
            ('<p align="center" style="color:red">x</p>', '<p align="center">x</p>'),
            ('<p align="javascript">x</p>', "<p>x</p>"),
            ('<img src="https://x/y" width="100%">', '<img src="https://x/y" width="100%" loading="lazy">'),
            ('<img src="https://x/y" width="expression(1)">', '<img src="https://x/y" loading="lazy">'),
            ('<input type="text" name="q">', '<input disabled="" type="checkbox">'),
            ('<span class="k btn">x</span>', '<span class="k">x</span>'),
            ('<span class="btn">x</span>', "<span>x</span>"),
            ("<svg><g>x</g></svg>y", "y"),
            ("<script>x</script>y", "y"),
            ("<blink>x</blink>", "x"),
            ("a < b & c", "a &lt; b &amp; c"),
        ],
    )
    def test_valid(self, text: str, cleaned: str) -> None:
        assert sorted(re.split(r"[ <>]", sanitise_html(text))) == sorted(re.split(r"[ <>]", cleaned))


class TestRenderArticle:
    @pytest.mark.parametrize("vector", VECTORS)
    @pytest.mark.parametrize(
        "frame",
        [
            "{}",
            "text {} text",
            "# {}",
            "```html\n{}\n```",
            "```{}\nx\n```",
            "a[^1]\n\n[^1]: {}",
            "| a |\n|---|\n| {} |",
            "- [ ] {}",
        ],
    )
    def test_vector(self, vector: str, frame: str) -> None:
        article = render_article(frame.replace("{}", vector), document_id="ab")
        assert find_dangers(article.html) == []

    @settings(max_examples=200, deadline=None)
    @given(text=html_like)
    def test_any_text(self, text: str) -> None:
        article = render_article(text, document_id="ab")
        assert find_dangers(article.html) == []
        assert sanitise_html(article.html) == article.html
        assert len(article.excerpt) <= 300


class TestFilterAttribute:
    @pytest.mark.parametrize(
        ("name", "value", "kept"),
        [
            ("id", "fn-0123abcd-1", "fn-0123abcd-1"),
            ("id", "fnref-0123abcd-1:2", "fnref-0123abcd-1:2"),
            ("id", "login", None),
            ("start", "7", "7"),
            ("start", "-7", None),
            ("colspan", "999", None),
            ("class", "language-c++ btn", "language-c++"),
            ("alt", "anything", "anything"),
        ],
    )
    def test_valid(self, name: str, value: str, kept: str | None) -> None:
        assert filter_attribute("p", name, value) == kept
