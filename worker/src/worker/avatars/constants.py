from typing import Final

SOFT_TIME_LIMIT: Final = 20
TIME_LIMIT: Final = 30
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
"""What is decoded at all: each further decoder is one more that a stranger can feed."""
MAX_PIXELS: Final = 16_000_000
"""A few kilobytes can say that they are gigabytes of pixels. A WebP takes 16 bytes for each of them."""
SMALL_SIDE: Final = 96
LARGE_SIDE: Final = 512
QUALITIES: Final = (82, 60, 30)
"""Of WebP, one after the other until the image is small enough."""
MAX_BYTES: Final = 350_000
"""What the owner takes of one image."""
