import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writePrivately } from "./stack.ts";
import { inventTenant, type Tenant } from "./tenants.ts";

/** The secrets of a local stack, which are kept between starts. */
export interface Secrets {
  passwords: { owner: string; application: string };
  signingSecret: string;
  /** SEALING_KEYS of the Worker. */
  sealingKeys: string;
  tenants: Tenant[];
}

/** The demo whose life is simulated. */
const SIMULATED_TEAM = "Simulated team";

/** Reads the file with the secrets of a stack, and creates or completes it: that of an earlier release has fewer. */
export async function readSecrets(directory: string): Promise<Secrets> {
  const path = join(directory, "secrets.json");
  const known = existsSync(path)
    ? (JSON.parse(await readFile(path, "utf8")) as Partial<Secrets>)
    : {};
  const { signingSecret = secret() } = known;
  const customer = (name: string) => inventTenant(name, { signingSecret });
  const tenants = known.tenants ?? [customer("Demo"), customer("Second demo")];
  const demos = tenants.some(({ kind }) => kind === "demo")
    ? []
    : [inventTenant(SIMULATED_TEAM, { kind: "demo", signingSecret })];
  const secrets: Secrets = {
    passwords: known.passwords ?? { owner: secret(), application: secret() },
    signingSecret,
    sealingKeys: known.sealingKeys ?? `dev:${randomBytes(32).toString("base64")}`,
    tenants: [...tenants, ...demos],
  };
  await writePrivately(path, `${JSON.stringify(secrets, null, 2)}\n`);
  return secrets;
}

const secret = () => randomBytes(32).toString("base64url");
