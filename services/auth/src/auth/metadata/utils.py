from auth.clients.constants import DELEGABLE_SCOPES
from auth.metadata.constants import API_PATH, GRANT_TYPES, SECRET_METHODS
from auth.metadata.schemas import ServerMetadata


def build_metadata(origin: str) -> ServerMetadata:
    api = f"{origin}{API_PATH}"
    return ServerMetadata(
        issuer=origin,
        authorization_endpoint=f"{api}/auth/authorize",
        token_endpoint=f"{api}/auth/token",
        revocation_endpoint=f"{api}/auth/revoke",
        introspection_endpoint=f"{api}/auth/introspect",
        jwks_uri=f"{api}/.well-known/jwks.json",
        scopes_supported=sorted(DELEGABLE_SCOPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=list(GRANT_TYPES),
        token_endpoint_auth_methods_supported=[*SECRET_METHODS, "none"],
        revocation_endpoint_auth_methods_supported=[*SECRET_METHODS, "none"],
        introspection_endpoint_auth_methods_supported=list(SECRET_METHODS),
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )
