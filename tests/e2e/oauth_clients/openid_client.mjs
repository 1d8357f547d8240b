// openid-client: a confidential app, by HTTP Basic.
import { finish, refusal, settings, visit } from "./browser.mjs";

const client = await import("openid-client");
const { issuer, client_id, client_secret, redirect_uri, api } = settings;

const config = await client.discovery(new URL(issuer), client_id, {}, client.ClientSecretBasic(client_secret), {
  algorithm: "oauth2",
  execute: [client.allowInsecureRequests],
});
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const parameters = {
  redirect_uri,
  scope: "profile:read",
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
};
const checks = { pkceCodeVerifier, expectedState };

const denied = await visit(client.buildAuthorizationUrl(config, { ...parameters, scope: "profile:read users:ban" }));
const denial = await refusal(client.authorizationCodeGrant(config, denied, checks));

const landed = await visit(client.buildAuthorizationUrl(config, parameters));
const tokens = await client.authorizationCodeGrant(config, landed, checks);
const profile = await client.fetchProtectedResource(config, tokens.access_token, new URL(`${api}/profiles/me`), "GET");
const sessions = await client.fetchProtectedResource(config, tokens.access_token, new URL(`${api}/auth/sessions`), "GET")
  .then((response) => response.status, (error) => error.status);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const known = await client.tokenIntrospection(config, refreshed.access_token);
await client.tokenRevocation(config, refreshed.refresh_token);
const revoked = await client.tokenIntrospection(config, refreshed.access_token);
const late = await refusal(client.refreshTokenGrant(config, refreshed.refresh_token));

finish({
  methods: config.serverMetadata().code_challenge_methods_supported,
  denial,
  scope: tokens.scope,
  email: (await profile.json()).email,
  sessions,
  is_rotated: refreshed.refresh_token !== tokens.refresh_token,
  known: { active: known.active, client_id: known.client_id, scope: known.scope },
  revoked,
  late,
});
