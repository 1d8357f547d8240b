import time

import pytest
from pydantic import SecretStr, ValidationError

from chassis.schemas import CustomModel, InputModel, is_storable


class Login(InputModel):
    name: str
    password: SecretStr | None = None


class TestCustomModel:
    def test_error_does_not_repeat_the_input(self) -> None:
        class Age(CustomModel):
            years: int

        with pytest.raises(ValidationError) as caught:
            Age.model_validate({"years": "canary"})
        assert "canary" not in str(caught.value)


class TestInputModel:
    @pytest.mark.parametrize("field", ["name", "password"])
    def test_field_that_cannot_be_stored_is_named(self, field: str) -> None:
        with pytest.raises(ValidationError) as caught:
            Login.model_validate({"name": "ada", field: "nul \x00 canary"})
        (error,) = caught.value.errors(include_input=False)
        assert error["loc"] == (field,)
        assert "canary" not in str(caught.value)

    def test_valid(self) -> None:
        assert Login.model_validate({"name": " ada "}).name == "ada"


class TestIsStorable:
    @pytest.mark.parametrize(("text", "expected"), [("", True), ("ä€😀", True), ("\x00", False), ("\ud800", False)])
    def test_valid(self, text: str, expected: bool) -> None:
        assert is_storable(text) is expected

    def test_a_long_text_costs_next_to_nothing(self) -> None:
        started_at = time.thread_time()
        assert is_storable("ä" * 1_000_000)
        assert time.thread_time() - started_at < 0.02
