from pydantic import ConfigDict, SecretStr, field_validator
from pydantic_core.core_schema import ValidationInfo

from auth.accounts.schemas import Email
from auth.passwords.schemas import Password, check_password_rules
from auth.profiles.schemas import Name, Username
from chassis.schemas import InputModel


class ProfileCreate(InputModel):
    # A password is taken to the letter; names are stripped by their own type.
    model_config = ConfigDict(str_strip_whitespace=False)

    email: Email
    username: Username
    first_name: Name
    last_name: Name
    # The last, because its rules look at the fields above.
    password: Password

    @field_validator("password")
    @classmethod
    def apply_password_rules(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        return check_password_rules(password, username=info.data.get("username", ""), email=info.data.get("email", ""))
