"""From what people upload, or make up, to two squares."""

import warnings
import zlib
from io import BytesIO
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from worker.avatars.constants import MAX_BYTES, MAX_PIXELS
from worker.avatars.exceptions import ImageTooLargeError, ImageUnreadableError
from worker.avatars.utils import make_avatar

RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 128, 0)
ORIENTATION, MAKE = 0x0112, 0x010F


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def decode(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content), formats=("WEBP",))
    image.load()
    return image


def is_like(color: Any, wanted: tuple[int, ...]) -> bool:
    return all(abs(part - other) < 12 for part, other in zip(color[:3], wanted, strict=True))


def create_png(width: int, height: int, rows: bytes = b"") -> bytes:
    """One that says it is so large, whatever is in it."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class TestMakeAvatar:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
    @pytest.mark.parametrize("size", [(1, 1), (40, 900), (1600, 1200)])
    def test_valid(self, kind: str, size: tuple[int, int]) -> None:
        avatar = make_avatar(encode(Image.new("RGB", size, GREEN), kind))
        small, large = decode(avatar.small), decode(avatar.large)
        assert (small.size, large.size) == ((96, 96), (512, 512))
        assert is_like(large.getpixel((256, 256)), GREEN)
        assert is_like(small.getpixel((48, 48)), GREEN)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
    def test_every_kind_of_pixel(self, mode: str) -> None:
        assert decode(make_avatar(encode(Image.new(mode, (30, 30)), "PNG")).large).size == (512, 512)

    def test_print_colours(self) -> None:
        assert decode(make_avatar(encode(Image.new("CMYK", (30, 30)), "JPEG")).large).mode == "RGB"

    def test_middle_is_kept(self) -> None:
        image = Image.new("RGB", (300, 100), RED)
        image.paste(BLUE, (100, 0, 200, 100))
        large = decode(make_avatar(encode(image, "PNG")).large)
        assert all(is_like(large.getpixel(place), BLUE) for place in ((8, 8), (504, 504), (8, 504)))

    def test_transparent_stays_so(self) -> None:
        image = Image.new("RGBA", (100, 100), (*RED, 0))
        assert decode(make_avatar(encode(image, "PNG")).small).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]

    @pytest.mark.parametrize(("kind", "side"), [("JPEG", 200), ("JPEG", 2400), ("PNG", 2400), ("WEBP", 200)])
    def test_upright_and_without_what_the_camera_wrote(self, kind: str, side: int) -> None:
        """The right half of the sensor is the lower half of the picture."""
        image = Image.new("RGB", (side, side), RED)
        image.paste(BLUE, (side // 2, 0, side, side))
        exif = Image.Exif()
        exif[ORIENTATION], exif[MAKE] = 6, "Secret Camera of Mina"
        extra = {"comment": b"At home"} if kind == "JPEG" else {}
        content = encode(image, kind, exif=exif.tobytes(), quality=95, **extra)
        assert b"Secret Camera" in content
        avatar = make_avatar(content)
        large = decode(avatar.large)
        assert is_like(large.getpixel((256, 20)), RED)
        assert is_like(large.getpixel((256, 490)), BLUE)
        for made in (avatar.small, avatar.large):
            assert not any(mark in made for mark in (b"EXIF", b"XMP", b"ICCP", b"Secret", b"At home"))
            assert dict(decode(made).getexif()) == {}

    def test_first_picture_of_one_that_moves(self) -> None:
        frames = [Image.new("RGB", (50, 50), color) for color in (RED, BLUE)]
        content = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
        large = decode(make_avatar(content).large)
        assert is_like(large.getpixel((256, 256)), RED)
        assert not getattr(large, "is_animated", False)

    def test_what_cannot_be_made_small_is_made_coarse(self) -> None:
        noise = Image.effect_noise((512, 512), 200).convert("RGB")
        assert len(make_avatar(encode(noise, "PNG")).large) <= MAX_BYTES

    @pytest.mark.parametrize("side", [4001, 12_000, 20_000, 2**31 - 1])
    def test_bomb(self, side: int) -> None:
        """A header that says gigabytes is refused by what it says; nothing of it is decoded."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ImageTooLargeError):
                make_avatar(create_png(side, side))

    def test_as_large_as_can_be(self) -> None:
        side = int(MAX_PIXELS**0.5)
        rows = (b"\0" + b"\x80" * side) * side
        content = create_png(side, side, rows)
        assert len(content) < 100_000
        assert decode(make_avatar(content).large).size == (512, 512)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"RIFF\x04\0\0\0WEBP",
            b"GIF89a",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            encode(Image.new("RGB", (90, 90), RED), "PNG")[:-40],
            encode(Image.new("RGB", (90, 90), RED), "BMP"),
            encode(Image.new("RGB", (90, 90), RED), "TIFF"),
        ],
    )
    def test_unreadable(self, content: bytes) -> None:
        with pytest.raises(ImageUnreadableError):
            make_avatar(content)

    @given(
        st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]),
        st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=8)), max_size=6),
    )
    def test_damaged_ones_are_refused_or_made(self, kind: str, damages: list[tuple[int, bytes]]) -> None:
        content = bytearray(encode(Image.linear_gradient("L"), kind))
        for place, damage in damages:
            content[place : place + len(damage)] = damage
        try:
            avatar = make_avatar(bytes(content))
        except (ImageUnreadableError, ImageTooLargeError):
            return
        assert decode(avatar.large).size == (512, 512)
