// oauth4webapi: a public app, on the person's own machine.
import { finish, refusal, settings, visit } from "./browser.mjs";

const oauth = await import("oauth4webapi");
const { client_id, redirect_uri, api } = settings;
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(settings.issuer);
const client = { client_id };
const auth = oauth.None();

const discovered = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
const server = await oauth.processDiscoveryResponse(issuer, discovered);
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();

const address = new URL(server.authorization_endpoint);
for (const [name, value] of Object.entries({
  client_id,
  redirect_uri,
  response_type: "code",
  scope: "profile:read",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
})) address.searchParams.set(name, value);

// Checks state and, since the server says that it sends it, iss.
const landed = oauth.validateAuthResponse(server, client, await visit(address), state);

async function redeem(codeVerifier) {
  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, auth, landed, redirect_uri, codeVerifier, insecure);
  return oauth.processAuthorizationCodeResponse(server, client, answer);
}
async function refresh(token) {
  const answer = await oauth.refreshTokenGrantRequest(server, client, auth, token, insecure);
  return oauth.processRefreshTokenResponse(server, client, answer);
}
async function readProfile(token) {
  return oauth.protectedResourceRequest(token, "GET", new URL(`${api}/profiles/me`), undefined, undefined, insecure);
}

const mistaken = await refusal(redeem(oauth.generateRandomCodeVerifier()));
const tokens = await redeem(verifier);
// RFC 9068, as an API of the app would check it: signature, type, issuer, audience.
const claims = await oauth.validateJwtAccessToken(
  server, new Request(api, { headers: { authorization: `Bearer ${tokens.access_token}` } }), "broadsheet", insecure);
const profile = await (await readProfile(tokens.access_token)).json();
const refreshed = await refresh(tokens.refresh_token);
const introspection = await oauth.introspectionRequest(server, client, auth, refreshed.access_token, insecure);
const nosy = await refusal(oauth.processIntrospectionResponse(server, client, introspection));

const replayed = await refusal(redeem(verifier));
const ended = await refusal(refresh(refreshed.refresh_token));
await oauth.processRevocationResponse(
  await oauth.revocationRequest(server, client, auth, refreshed.refresh_token, insecure));

finish({ mistaken, issuer: claims.iss, email: profile.email, scope: refreshed.scope, nosy, replayed, ended });
