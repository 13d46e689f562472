import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UsageError } from "./exit-codes.ts";
import { writePrivate } from "./private-file.ts";

/** The address of a service and the key to call it with. */
export interface Account {
  url: string;
  key: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Returns an environment variable; an empty one counts as unset. */
export function readVariable(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === "" ? undefined : value;
}

/** Returns the path of the file in which `login` saves the account. */
export function accountPath(environment: Environment): string {
  const home =
    readVariable(environment, "XDG_CONFIG_HOME") ??
    join(readVariable(environment, "HOME") ?? homedir(), ".config");
  return join(home, "stepledger", "config.json");
}

/**
 * Returns the account from the environment or, failing that, the one saved by `login`. The saved key is only ever
 * sent to the address it was saved with.
 * @throws UsageError if there is no account.
 */
export async function chooseAccount(environment: Environment): Promise<Account> {
  const givenUrl = readVariable(environment, "STEPLEDGER_URL");
  const givenKey = readVariable(environment, "STEPLEDGER_KEY");
  const url = givenUrl === undefined ? undefined : requireUrl(givenUrl);
  const key = givenKey === undefined ? undefined : requireKey(givenKey);
  if (url !== undefined && key !== undefined) return { url, key };
  const saved = await readAccount(accountPath(environment));
  if (saved === null) {
    throw new UsageError(
      "You are not logged in. Run `stepledger login --url URL`, or set STEPLEDGER_URL and STEPLEDGER_KEY.",
    );
  }
  if (url !== undefined && url !== saved.url) {
    throw new UsageError(
      `The saved key is for ${saved.url}. Set STEPLEDGER_KEY to a key for ${url}, or log in there.`,
    );
  }
  return { url: saved.url, key: key ?? saved.key };
}

/**
 * Saves the account in a file that only its owner can read.
 * @throws UsageError if the file cannot be written.
 */
export async function saveAccount(path: string, account: Account): Promise<void> {
  // If the folder cannot be created, writing the file fails below and reports it.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(() => {});
  await writePrivate(path, `${JSON.stringify(account, null, 2)}\n`);
}

/**
 * Returns the URL without trailing slashes.
 * @throws UsageError unless it is an http or https URL.
 */
export function requireUrl(given: string): string {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`The URL must begin with http:// or https://, not "${given}".`);
  }
  return given.replace(/\/+$/, "");
}

/**
 * Returns the key, trimmed.
 * @throws UsageError unless it could be a key. The message never contains the key.
 */
export function requireKey(given: string): string {
  const key = given.trim();
  if (key === "") throw new UsageError("The key is missing.");
  if (!/^[!-~]+$/.test(key)) {
    throw new UsageError("A key must be one word of printable ASCII characters.");
  }
  return key;
}

async function readAccount(path: string): Promise<Account | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  const account = parseAccount(text);
  if (account !== null) return account;
  throw new UsageError(`Cannot parse ${path}. Log in again.`);
}

function parseAccount(text: string): Account | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    if (!("url" in value) || !("key" in value)) return null;
    const { url, key } = value;
    return typeof url === "string" && typeof key === "string" ? { url, key } : null;
  } catch {
    return null;
  }
}
