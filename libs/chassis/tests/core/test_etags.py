import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from chassis.etags import IfMatch, VersionStaleError, create_etag, create_tagged_response


def create_request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": raw, "query_string": b""})


class TestCreateTaggedResponse:
    def test_valid_without_condition(self) -> None:
        response = create_tagged_response(create_request(), 1, b"{}")
        assert (response.status_code, bytes(response.body)) == (200, b"{}")
        assert response.headers["etag"] == create_etag(1, b"{}")

    @pytest.mark.parametrize("template", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
    def test_known_bytes_are_not_sent_again(self, template: str) -> None:
        request = create_request(if_none_match=template.format(tag=create_etag(1, b"{}")))
        assert create_tagged_response(request, 1, b"{}").status_code == 304

    @given(st.binary(max_size=50), st.binary(max_size=50))
    def test_other_bytes_have_another_tag(self, one: bytes, other: bytes) -> None:
        assert (create_etag(1, one) == create_etag(1, other)) == (one == other)


class TestIfMatch:
    @pytest.mark.parametrize("header", [None, "*", create_etag(3, b"x"), f'"0.{"0" * 16}", {create_etag(3, b"y")}'])
    def test_valid(self, header: str | None) -> None:
        IfMatch(header).check(3)

    @pytest.mark.parametrize("header", [create_etag(2, b"x"), '"3"', "3", "", "W/" + create_etag(3, b"x")])
    def test_stale_or_malformed(self, header: str) -> None:
        with pytest.raises(VersionStaleError):
            IfMatch(header).check(3)
