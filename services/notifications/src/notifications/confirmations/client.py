"""Auth, asked for the token of a confirmation: it is in no event and in no table of ours."""

from http import HTTPStatus
from uuid import UUID

from pydantic import ValidationError

from chassis.http.client import ServiceClient
from chassis.http.exceptions import FailureReason, UpstreamRejectedError, UpstreamUnavailableError
from notifications.confirmations.exceptions import ConfirmationGoneError
from notifications.confirmations.schemas import Confirmation


class ConfirmationsClient:
    def __init__(self, auth: ServiceClient) -> None:
        self._auth = auth

    async def get_confirmation(self, confirmation_id: UUID) -> Confirmation:
        """Raises ConfirmationGoneError, and UpstreamUnavailableError (503) when auth cannot tell now."""
        try:
            answer = await self._auth.get_json(f"/internal/confirmations/{confirmation_id}")
        except UpstreamRejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise ConfirmationGoneError from error
            raise UpstreamUnavailableError(error.target, FailureReason.CREDENTIALS, status=error.status) from error
        try:
            return Confirmation.model_validate(answer)
        except ValidationError as error:
            raise UpstreamUnavailableError(self._auth.target, FailureReason.MALFORMED) from error
