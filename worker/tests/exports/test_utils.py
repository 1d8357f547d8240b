"""The archive as a file: whatever people wrote, and without holding it all."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any
from zipfile import ZipFile

from hypothesis import given
from hypothesis import strategies as st

from worker.exports.utils import ArchiveWriter

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS)
ITEMS = st.dictionaries(TEXTS.filter(lambda name: name != "file_name"), VALUES)
MOMENT = datetime(2026, 11, 28, 9, 5, tzinfo=UTC)


class TestArchiveWriter:
    @given(st.lists(st.lists(ITEMS, max_size=3), max_size=4))
    def test_holds_what_came(self, pages: list[list[dict[str, Any]]]) -> None:
        file = BytesIO()
        with ArchiveWriter(file) as archive:
            archive.add_part("posts", "posts", "What you wrote", pages)
            assert archive.finish(MOMENT) == len(file.getvalue())
        read = json.loads(ZipFile(file).read("posts/posts.json"))
        assert read == [item for page in pages for item in page]

    def test_index_shows_no_markup_of_others(self) -> None:
        file = BytesIO()
        with ArchiveWriter(file) as archive:
            archive.add_part("posts", "posts", "<script>alert(1)</script>", [])
            archive.finish(MOMENT)
        index = ZipFile(file).read("index.html").decode()
        assert "<script>" not in index
        assert "28 November 2026, 09:05 UTC" in index

    def test_memory_holds_a_page(self) -> None:
        """Thirty million bytes come by, in pages of half a million."""

        def create_pages() -> Iterator[list[dict[str, Any]]]:
            for number in range(60):
                yield [{"body": f"{number} " * 30_000} for _ in range(5)]

        with TemporaryFile() as file:
            tracemalloc.start()
            try:
                with ArchiveWriter(file) as archive:
                    archive.add_part("posts", "posts", "What you wrote", create_pages())
                    archive.finish()
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        assert peak < 4_000_000
