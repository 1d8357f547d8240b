"""Limits of one rendering, and what HTML may say. What is not listed here does not leave the worker."""

import re
from typing import Final

SOFT_TIME_LIMIT: Final = 20
TIME_LIMIT: Final = 30
MAX_MARKDOWN_LENGTH: Final = 500_000
MAX_HTML_BYTES: Final = 900_000
"""What a post may hold."""
MAX_RESULT_BYTES: Final = 1_048_576
"""Of the whole report of a result, as JSON: what any service takes in a request."""
MAX_FENCE: Final = 2**63 - 1
MAX_HIGHLIGHTED_LENGTH: Final = 20_000
"""Of one block of code, in characters; a longer one stays plain."""
MAX_HIGHLIGHTED_TOTAL: Final = 200_000
MAX_EXCERPT_LENGTH: Final = 300
MIN_EXCERPT_LENGTH: Final = 60
"""A shorter paragraph is followed by the next."""

HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
ALIGNED: Final = HEADINGS | {"p", "div", "td", "th", "img"}
TAGS: Final = HEADINGS | frozenset(
    """
    a abbr b blockquote br caption code dd del details div dl dt em hr i img input ins kbd li mark ol p pre q rp rt
    ruby s samp section small span strike strong sub summary sup table tbody td tfoot th thead tr u ul var wbr
    """.split()  # noqa: SIM905 - one word a line would be a page
)
# Dropped with what they hold; svg and math are also where sanitisers have been bypassed.
DROPPED_WITH_CONTENT: Final = frozenset(
    """
    applet audio canvas embed frame frameset iframe math noembed noframes noscript object plaintext script select
    style svg template textarea title video xmp
    """.split()  # noqa: SIM905 - one word a line would be a page
)
ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": {"class", "id"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "input": {"checked"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
# A checkbox of a task list that nobody can tick is the only input there is.
FORCED_ATTRIBUTES: Final[dict[str, dict[str, str]]] = {
    "input": {"type": "checkbox", "disabled": ""},
    "img": {"loading": "lazy"},
}
URL_SCHEMES: Final = frozenset({"http", "https", "mailto"})
# User content, and no vote of ours for where it leads.
LINK_REL: Final = "noopener nofollow ugc"
ATTRIBUTE_VALUES: Final[dict[str, re.Pattern[str]]] = {
    # Only what footnotes use: any other id could stand in for an element of the page around the article.
    "id": re.compile(r"fn(ref)?-[0-9a-f-]{1,36}-[0-9]{1,4}(:[0-9]{1,4})?"),
    "width": re.compile(r"[0-9]{1,4}%?"),
    "height": re.compile(r"[0-9]{1,4}%?"),
    "start": re.compile(r"[0-9]{1,9}"),
    "colspan": re.compile(r"[0-9]{1,2}"),
    "rowspan": re.compile(r"[0-9]{1,2}"),
}
STRUCTURE_CLASSES: Final = frozenset(
    """
    contains-task-list footnote-backref footnote-item footnote-ref footnotes footnotes-list footnotes-sep highlight
    task-list-item task-list-item-checkbox
    """.split()  # noqa: SIM905 - one word a line would be a page
)
LANGUAGE_CLASS: Final = re.compile(r"language-[A-Za-z0-9+#._-]{1,40}")
