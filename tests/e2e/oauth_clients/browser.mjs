// What both scripts share: the settings from outside, and the person's browser, which is on the other side of the pipe.
import { createInterface } from "node:readline";

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
