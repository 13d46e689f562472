import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { UsageFault } from "./exit-codes.ts";

/** Which service, and as whom. */
export interface Account {
  url: string;
  key: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where `login` keeps the account. */
export function accountPath({ XDG_CONFIG_HOME, HOME }: Environment): string {
  const home = XDG_CONFIG_HOME ?? join(HOME ?? homedir(), ".config");
  return join(home, "stepledger", "config.json");
}

/**
 * The account that the environment names, or that `login` keeps. The kept key goes to the address that it was kept
 * for and to no other.
 * @throws UsageFault where there is none.
 */
export async function chooseAccount(environment: Environment): Promise<Account> {
  const { STEPLEDGER_URL, STEPLEDGER_KEY } = environment;
  if (STEPLEDGER_URL !== undefined && STEPLEDGER_KEY !== undefined) {
    return { url: requireUrl(STEPLEDGER_URL), key: STEPLEDGER_KEY };
  }
  const kept = await readAccount(accountPath(environment));
  if (kept === null) {
    throw new UsageFault(
      "Nobody is logged in: run `stepledger login --url URL`, or set STEPLEDGER_URL and STEPLEDGER_KEY.",
    );
  }
  if (STEPLEDGER_URL !== undefined && STEPLEDGER_URL !== kept.url) {
    throw new UsageFault(
      `The kept key is for ${kept.url}: set STEPLEDGER_KEY for ${STEPLEDGER_URL}, or log in there.`,
    );
  }
  return { url: kept.url, key: STEPLEDGER_KEY ?? kept.key };
}

/** Keeps the account where only its owner can read it. */
export async function keepAccount(path: string, account: Account): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${JSON.stringify(account, null, 2)}\n`, { mode: 0o600 });
  // A file that was there before keeps the mode that it had.
  await chmod(path, 0o600);
}

/** @throws UsageFault unless it is the address of a service. */
export function requireUrl(given: string): string {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageFault(`An address begins with http:// or https://, not "${given}".`);
  }
  return given.replace(/\/+$/, "");
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
