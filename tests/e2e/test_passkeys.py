"""Passkeys, as a page uses them: with nothing but what a browser has, through the gateway."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.browser import BINARY, Browser
from e2e.people import PASSWORD, Person
from e2e.platform import Platform

JOURNEY = """
(async ({email, password}) => {
  const call = async (path, init) => {
    const answer = await fetch(`/api/v1/auth${path}`, {method: "POST", ...init});
    return {status: answer.status, body: await answer.json()};
  };
  const getTokens = (form) => call("/token", {body: new URLSearchParams(form)});
  const byPassword = await getTokens({grant_type: "password", username: email, password});
  const headers = {"Authorization": `Bearer ${byPassword.body.access_token}`, "Content-Type": "application/json"};

  const creation = await call("/passkeys/registration/options", {headers});
  const created = await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(creation.body)});
  const body = JSON.stringify({name: "This browser", credential: created.toJSON()});
  const added = await call("/passkeys", {headers, body});

  const show = async () => {
    const request = await call("/passkeys/authentication/options");
    const assertion = await navigator.credentials.get(
      {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(request.body)});
    return JSON.stringify(assertion);
  };
  const grant = "urn:broadsheet:params:oauth:grant-type";
  const again = await getTokens({grant_type: "password", username: email, password});
  const byBoth = await getTokens({
    grant_type: `${grant}:mfa`, mfa_token: again.body.mfa_token, assertion: await show()});
  const byPasskey = await getTokens({grant_type: `${grant}:passkey`, assertion: await show()});
  const refreshed = await getTokens({grant_type: "refresh_token"});
  return {byPassword, added, again, byBoth, byPasskey, refreshed};
})
"""


def walk(platform: Platform, profile: Path, person: Person) -> dict[str, Any]:
    """At `localhost`: no browser has passkeys for an address."""
    with Browser(profile) as browser:
        browser.open(str(httpx.URL(platform.base_url).copy_with(host="localhost")))
        who = json.dumps({"email": person.email, "password": PASSWORD})
        answers: dict[str, Any] = browser.run(f"{JOURNEY}({who})")
        return answers


@pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine; CI installs it")
class TestPasskeys:
    async def test_added_and_used_in_a_browser(
        self, platform: Platform, new_person: Callable[[], Person], tmp_path: Path
    ) -> None:
        person = new_person()
        (await person.sign_up()).raise_for_status()
        await person.confirm()
        answers = await asyncio.to_thread(walk, platform, tmp_path, person)
        assert {name: answer["status"] for name, answer in answers.items()} == {
            "byPassword": httpx.codes.OK,
            "added": httpx.codes.CREATED,
            # The password alone is not enough any more.
            "again": httpx.codes.FORBIDDEN,
            "byBoth": httpx.codes.OK,
            "byPasskey": httpx.codes.OK,
            # By the cookie, which came with the passkey.
            "refreshed": httpx.codes.OK,
        }, answers
        person.use_token(answers["byPasskey"]["body"]["access_token"])
        assert (await person.read("/profiles/me"))["email"] == person.email
        [passkey] = (await person.read("/auth/passkeys"))["items"]
        assert passkey["name"] == "This browser"
        assert passkey["used_at"] is not None
        session, *_ = (await person.read("/auth/sessions"))["items"]
        assert session["acr"] == "aal2"
        await person.mailbox.wait_for(person.email, "second factor")
