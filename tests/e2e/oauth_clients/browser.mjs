// What both scripts share: the settings from outside, and the person's browser, which is on the other side of the pipe.
import { createInterface } from "node:readline";
import { webcrypto } from "node:crypto";

// Node 18, as Debian 12 has it, keeps these to itself.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

export const settings = JSON.parse(process.env.SETTINGS);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Sends the person to an address; resolves to where their browser is sent back to. */
export async function visit(url) {
  say({ visit: url.href ?? url });
  return new URL((await lines.next()).value);
}

export function finish(result) {
  say({ result });
  process.exit(0);
}

/** The error code of a refusal. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error.error ?? error.cause?.error ?? error.code ?? String(error);
  }
  return "not refused";
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
