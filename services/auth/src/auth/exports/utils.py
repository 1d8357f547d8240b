"""An archive as it goes out."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

FILE_NAME = "broadsheet-export.zip"


def create_archive_response(size: int, chunks: AsyncIterator[bytes]) -> StreamingResponse:
    """With its length: a client can tell an archive that was cut off from a whole one."""
    headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{FILE_NAME}"'}
    return StreamingResponse(chunks, headers=headers, media_type="application/zip")
