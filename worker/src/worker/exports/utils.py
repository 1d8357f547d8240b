"""The archive: a folder for each service, a JSON file for each part, and an index for people."""

import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from types import TracebackType
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

from pydantic import ValidationError

from worker.exports.constants import INDEX_NAME, MAX_BYTES
from worker.exports.exceptions import DataRefusedError, ExportTooLargeError
from worker.exports.schemas import File

INDEX = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Your data</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 44em; margin: 2em auto; padding: 0 1em }}
td, th {{ text-align: left; padding: .3em 1em .3em 0 }}
</style>
<h1>Your data</h1>
<p>All that we keep about you, as of {moment}. Each file is JSON, which any text editor shows.</p>
<table>
<tr><th>File</th><th>What it is</th><th>Entries</th></tr>
{rows}
</table>
</html>
"""
ROW = '<tr><td><a href="{path}">{path}</a></td><td>{about}</td><td>{count}</td></tr>'


class ArchiveWriter:
    """Writes through to the file: memory holds no more than one page of one part."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip = ZipFile(file, "w", ZIP_DEFLATED)
        self._rows: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Before the file is: an archive that nobody closed would write its end into a file that is.
        self._zip.close()

    def add_part(self, folder: str, name: str, about: str, pages: Iterable[list[dict[str, Any]]]) -> None:
        """Raises ExportTooLargeError, DataRefusedError, and what the pages raise."""
        path, count, files = f"{folder}/{name}.json", 0, []
        with self._zip.open(path, "w", force_zip64=True) as target:
            target.write(b"[")
            for page in pages:
                for item in page:
                    entry = item
                    if "file_name" in item:
                        files.append(parse_file(item))
                        entry = {name: value for name, value in item.items() if name != "content"}
                    separator = ",\n" if count else "\n"
                    target.write((separator + json.dumps(entry, ensure_ascii=False, indent=1)).encode())
                    count += 1
                self._check_size()
            target.write(b"\n]\n")
        self._rows.append(ROW.format(path=escape(path), about=escape(about), count=count))
        for file_name, content in files:
            self._zip.writestr(f"{folder}/{file_name}", content)

    def finish(self, moment: datetime | None = None) -> int:
        """The index, and the end; the size in bytes. Raises ExportTooLargeError."""
        text = f"{moment or datetime.now(UTC):%-d %B %Y, %H:%M} UTC"
        self._zip.writestr(INDEX_NAME, INDEX.format(moment=text, rows="\n".join(self._rows)))
        self._zip.close()
        self._check_size()
        return self._file.tell()

    def _check_size(self) -> None:
        if self._file.tell() > MAX_BYTES:
            raise ExportTooLargeError(f"The archive has more than {MAX_BYTES} bytes.")


def parse_file(item: dict[str, Any]) -> tuple[str, bytes]:
    """Raises DataRefusedError."""
    try:
        file = File.model_validate(item)
        return file.file_name, b64decode(file.content)
    except (ValidationError, Base64Error) as error:
        raise DataRefusedError("A file that cannot stand in an archive.") from error
