from typing import Final

SOFT_TIME_LIMIT: Final = 90
TIME_LIMIT: Final = 100
CHUNK_BYTES: Final = 524_288
"""What the owner takes of an archive at a time."""
MAX_BYTES: Final = 96 * CHUNK_BYTES
"""48 MiB: what the owner takes as a whole, and what fits into the folder for temporary files of a container."""
PAGES_MAX: Final = 100_000
"""A list that never ends is a fault of its owner."""
INDEX_NAME: Final = "index.html"
