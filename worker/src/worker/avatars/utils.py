"""A picture of whatever origin to two small squares.

What comes in was written by a stranger, to a decoder in C: few formats, few pixels, and a process that may die of it.
"""

import struct
import warnings
from io import BytesIO

from PIL import Image, ImageOps

from worker.avatars.constants import FORMATS, LARGE_SIDE, MAX_BYTES, MAX_PIXELS, QUALITIES, SMALL_SIDE
from worker.avatars.exceptions import ImageTooLargeError, ImageUnreadableError
from worker.avatars.schemas import Avatar

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error)
BOMBS = (Image.DecompressionBombWarning, Image.DecompressionBombError)


def make_avatar(content: bytes) -> Avatar:
    """Raises ImageUnreadableError, ImageTooLargeError."""
    large = decode_square(content)
    small = large.resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.LANCZOS)
    return Avatar(small=encode_webp(small), large=encode_webp(large))


def decode_square(content: bytes) -> Image.Image:
    """The middle of the image, upright, in the larger size. Of one that moves the first picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as image:
                refuse_too_many_pixels(image)
                # A JPEG is decoded no larger than is needed: a large one costs a fraction of the memory.
                image.draft("RGB", (2 * LARGE_SIDE, 2 * LARGE_SIDE))
                upright = ImageOps.exif_transpose(shrink(image))
    except BOMBS as error:
        raise ImageTooLargeError("The image says that it has far too many pixels.") from error
    except UNREADABLE as error:
        raise ImageUnreadableError("The image cannot be decoded.") from error
    return ImageOps.fit(upright, (LARGE_SIDE, LARGE_SIDE), Image.Resampling.LANCZOS)


def shrink(image: Image.Image) -> Image.Image:
    """In full colours, and at once not much larger than is needed: each copy of a large one is a lot of memory."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    colored = image if image.mode == mode else image.convert(mode)
    return colored.reduce(max(1, min(image.size) // (2 * LARGE_SIDE)))


def refuse_too_many_pixels(image: Image.Image) -> None:
    """By its header, before a pixel is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise ImageTooLargeError(f"The image has more than {MAX_PIXELS} pixels.")


def encode_webp(image: Image.Image) -> bytes:
    """Pixels alone: where and with which camera they were taken stays behind."""
    encoded = b""
    for quality in QUALITIES:
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=quality, exif=b"", xmp=b"", icc_profile=b"")
        encoded = buffer.getvalue()
        if len(encoded) <= MAX_BYTES:
            break
    return encoded
