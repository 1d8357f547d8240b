"""Which redirect URIs can be registered, and which then is one of an app's own."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from auth.apps.schemas import check_redirect_uri
from auth.apps.utils import is_registered

PORTS = st.integers(min_value=1, max_value=65535)
LOOPBACKS = st.sampled_from(["http://127.0.0.1", "http://[::1]"])
TAILS = st.from_regex(r"(/[a-z0-9._~-]{0,8}){0,3}(\?[a-z]{1,5}=[a-z0-9]{0,5})?", fullmatch=True)
HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}(\.[a-z]{2,6}){1,2}", fullmatch=True)


class TestCheckRedirectUri:
    @pytest.mark.parametrize(
        "uri",
        [
            "https://reader.example/callback",
            "https://reader.example:8443/callback?tenant=a%20b",
            "https://reader.example",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:8080/callback",
            "http://[::1]/callback",
            "com.example.reader:/callback",
            "com.example.reader://callback",
        ],
    )
    def test_valid(self, uri: str) -> None:
        assert check_redirect_uri(uri) == uri

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "/callback",
            "https:///callback",
            "https://",
            "https://reader.example/callback#part",
            "https://user@reader.example/",
            "https://user:pass@reader.example/",
            "https://reader.example\\@evil.example/",
            "https://reader.example;script-src *",
            "https://reader.example /",
            "https://reader.example/\n",
            "https://*.example/",
            "https://rea\u0501er.example/",
            "http://reader.example/",
            "http://localhost/",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1@evil.example/",
            "http://[::2]/",
            "javascript:alert(1)",
            "data:text/html,x",
            "reader:/callback",
            "HTTPS://reader.example/",
            "file:///etc/passwd",
        ],
    )
    def test_refused(self, uri: str) -> None:
        with pytest.raises(PydanticCustomError):
            check_redirect_uri(uri)


class TestIsRegistered:
    @given(HOSTS, TAILS, TAILS)
    def test_to_the_letter(self, host: str, tail: str, other: str) -> None:
        uri = f"https://{host}{tail}"
        assert is_registered([uri], uri)
        assert is_registered([uri], f"https://{host}{other}") == (tail == other)

    @given(HOSTS, TAILS, st.text(min_size=1, max_size=5))
    def test_nothing_can_be_added(self, host: str, tail: str, more: str) -> None:
        uri = f"https://{host}{tail}"
        for requested in (uri + more, more + uri, f"https://{more}{host}{tail}", f"https://{host}{more}{tail}"):
            assert not is_registered([uri], requested)

    @given(HOSTS, PORTS)
    def test_port_of_a_web_site_counts(self, host: str, port: int) -> None:
        assert not is_registered([f"https://{host}/"], f"https://{host}:{port}/")

    @given(LOOPBACKS, TAILS, PORTS, PORTS)
    def test_port_of_a_loopback_does_not(self, host: str, tail: str, registered: int, requested: int) -> None:
        for uri in (f"{host}{tail}", f"{host}:{registered}{tail}"):
            assert is_registered([uri], f"{host}:{requested}{tail}")
            assert is_registered([uri], f"{host}{tail}")

    @given(LOOPBACKS, TAILS, TAILS, PORTS)
    def test_path_of_a_loopback_does(self, host: str, tail: str, other: str, port: int) -> None:
        assume(tail != other)
        assert not is_registered([f"{host}{tail}"], f"{host}:{port}{other}")

    @given(LOOPBACKS, HOSTS, TAILS, PORTS)
    def test_loopback_is_nobody_else(self, host: str, stranger: str, tail: str, port: int) -> None:
        registered = [f"{host}{tail}"]
        for requested in (
            f"{host}:{port}@{stranger}{tail}",
            f"{host}.{stranger}{tail}",
            f"http://{stranger}:{port}{tail}",
            f"https{host.removeprefix('http')}:{port}{tail}",
        ):
            assert not is_registered(registered, requested)

    def test_loopbacks_are_told_apart(self) -> None:
        assert not is_registered(["http://127.0.0.1/"], "http://[::1]/")
