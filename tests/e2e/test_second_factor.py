"""A second factor: an authenticator app is added, asked for, used to step up, and removed."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pyotp
from e2e.mail import Mailbox
from e2e.people import API, PASSWORD, Person

CreatePerson = Callable[..., Awaitable[Person]]

MFA_GRANT = "urn:broadsheet:params:oauth:grant-type:mfa"


async def turn_on(person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """The app, and the recovery codes."""
    enrolment = await person.client.post(f"{API}/auth/mfa/totp")
    enrolment.raise_for_status()
    app = pyotp.parse_uri(enrolment.json()["uri"])
    assert isinstance(app, pyotp.TOTP)
    confirmed = await person.client.put(f"{API}/auth/mfa/totp", json={"code": app.now()})
    confirmed.raise_for_status()
    return app, confirmed.json()["recovery_codes"]


async def request_token(person: Person, **form: str) -> httpx.Response:
    return await person.client.post(f"{API}/auth/token", data={"delivery": "body", **form})


async def begin_login(person: Person) -> dict[str, str]:
    """What the second step needs of the first."""
    answer = await request_token(person, grant_type="password", username=person.email, password=PASSWORD)
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (httpx.codes.FORBIDDEN, "mfa_required")
    assert problem["methods"] == ["totp", "recovery_code"]
    return {"grant_type": MFA_GRANT, "mfa_token": problem["mfa_token"], "device_token": problem["device_token"]}


class TestSecondFactor:
    async def test_journey(self, create_person: CreatePerson, mailbox: Mailbox) -> None:
        person = await create_person()
        app, recovery_codes = await turn_on(person)
        await mailbox.wait_for(person.email, "second factor was added")

        begun = await begin_login(person)
        assert (await request_token(person, **begun, code="1234567")).status_code == httpx.codes.FORBIDDEN
        # The code that confirmed the app is used up; that of the next half minute counts already.
        logged_in = await request_token(person, **begun, code=app.at(time.time(), counter_offset=1))
        assert logged_in.is_success, logged_in.text
        assert (await request_token(person, **begun, code=recovery_codes[0])).status_code == httpx.codes.UNAUTHORIZED
        person.use_token(logged_in.json()["access_token"])
        sessions = (await person.read("/auth/sessions"))["items"]
        assert next(item["acr"] for item in sessions if item["is_current"]) == "aal2"

        state = await person.read("/auth/mfa")
        assert (state["is_on"], state["recovery_codes_left"]) == (True, 10)
        removed = await person.client.delete(f"{API}/auth/mfa/factors/{state['factors'][0]['id']}")
        assert removed.status_code == httpx.codes.NO_CONTENT
        await mailbox.wait_for(person.email, "second factor was removed")
        assert (await person.log_in()).is_success

    async def test_session_from_before_steps_up_by_a_recovery_code(self, create_person: CreatePerson) -> None:
        """And what it gets is as good in the other services."""
        person = await create_person(creator=True)
        _, recovery_codes = await turn_on(person)
        refused = await person.client.post(f"{API}/auth/mfa/recovery-codes")
        assert refused.status_code == httpx.codes.UNAUTHORIZED
        assert 'acr_values="aal2"' in refused.headers["WWW-Authenticate"]
        body = {"password": PASSWORD, "code": recovery_codes[0]}
        stepped_up = await person.client.post(f"{API}/auth/step-up", json=body)
        stepped_up.raise_for_status()
        person.use_token(stepped_up.json()["access_token"])
        assert (await person.client.post(f"{API}/auth/mfa/recovery-codes")).status_code == httpx.codes.CREATED
        assert (await person.create_post("By both factors", "It is I."))["title"] == "By both factors"
