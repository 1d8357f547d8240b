from pydantic import Field

from chassis.schemas import CustomModel


class ServerMetadata(CustomModel):
    """RFC 8414, 2."""

    issuer: str = Field(max_length=200)
    authorization_endpoint: str = Field(max_length=300)
    token_endpoint: str = Field(max_length=300)
    revocation_endpoint: str = Field(max_length=300)
    introspection_endpoint: str = Field(max_length=300)
    jwks_uri: str = Field(max_length=300)
    scopes_supported: list[str] = Field(max_length=100)
    response_types_supported: list[str] = Field(max_length=10)
    response_modes_supported: list[str] = Field(max_length=10)
    grant_types_supported: list[str] = Field(max_length=10)
    token_endpoint_auth_methods_supported: list[str] = Field(max_length=10)
    revocation_endpoint_auth_methods_supported: list[str] = Field(max_length=10)
    introspection_endpoint_auth_methods_supported: list[str] = Field(max_length=10)
    code_challenge_methods_supported: list[str] = Field(max_length=10)
    authorization_response_iss_parameter_supported: bool
