import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UsageFault } from "./exit-codes.ts";
import { writePrivate } from "./private-file.ts";

/** Which service, and as whom. */
export interface Account {
  url: string;
  key: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says: a variable that is set to nothing is not set. */
export function said(environment: Environment, name: string): string | undefined {
  const value = environment[name];
  return value === "" ? undefined : value;
}

/** Where `login` keeps the account. */
export function accountPath(environment: Environment): string {
  const home =
    said(environment, "XDG_CONFIG_HOME") ?? join(said(environment, "HOME") ?? homedir(), ".config");
  return join(home, "stepledger", "config.json");
}

/**
 * The account that the environment names, or that `login` keeps. The kept key goes to the address that it was kept
 * for and to no other.
 * @throws UsageFault where there is none.
 */
export async function chooseAccount(environment: Environment): Promise<Account> {
  const givenUrl = said(environment, "STEPLEDGER_URL");
  const givenKey = said(environment, "STEPLEDGER_KEY");
  const url = givenUrl === undefined ? undefined : requireUrl(givenUrl);
  const key = givenKey === undefined ? undefined : requireKey(givenKey);
  if (url !== undefined && key !== undefined) return { url, key };
  const kept = await readAccount(accountPath(environment));
  if (kept === null) {
    throw new UsageFault(
      "Nobody is logged in: run `stepledger login --url URL`, or set STEPLEDGER_URL and STEPLEDGER_KEY.",
    );
  }
  if (url !== undefined && url !== kept.url) {
    throw new UsageFault(
      `The kept key is for ${kept.url}: set STEPLEDGER_KEY for ${url}, or log in there.`,
    );
  }
  return { url: kept.url, key: key ?? kept.key };
}

/**
 * Keeps the account where only its owner can read it.
 * @throws UsageFault where nothing can be written.
 */
export async function keepAccount(path: string, account: Account): Promise<void> {
  // Where no folder can be made the file cannot be written, and that is told.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(() => {});
  await writePrivate(path, `${JSON.stringify(account, null, 2)}\n`);
}

/** @throws UsageFault unless it is the address of a service. */
export function requireUrl(given: string): string {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageFault(`An address begins with http:// or https://, not "${given}".`);
  }
  return given.replace(/\/+$/, "");
}

/** @throws UsageFault unless it can be a key; what it is nobody is told. */
export function requireKey(given: string): string {
  const key = given.trim();
  if (key === "") throw new UsageFault("No key was given.");
  if (!/^[!-~]+$/.test(key)) throw new UsageFault("A key is one word of visible characters.");
  return key;
}

async function readAccount(path: string): Promise<Account | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  if (text === null) return null;
  const kept = parseAccount(text);
  if (kept !== null) return kept;
  throw new UsageFault(`${path} cannot be understood: log in again.`);
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
