import { z } from "zod";
import type { Role } from "../../src/domain/actor.ts";
import type { StackFile } from "../stack/stack.ts";
import type { Tenant } from "../stack/tenants.ts";
import type { ApiClient } from "./api-client.ts";
import { UsageError } from "./usage-error.ts";

/** The connection options from the command line and the environment. */
export interface ConnectionInput {
  url: string | null;
  key: string | null;
  tenant: string | null;
  /** The role whose key to use if the key comes from the local stack. */
  role: Role;
}

/**
 * Returns the URL and the key to use: the given ones, or those of the local stack.
 * @throws UsageError if one of them is missing or the URL is invalid.
 */
export function chooseConnection(
  { url, key, tenant, role }: ConnectionInput,
  stack: StackFile | null,
): { baseUrl: string; key: string } {
  const baseUrl = url ?? stack?.baseUrl;
  if (baseUrl === undefined) {
    throw new UsageError("No local stack is running. Start one with `npm run dev`, or give --url.");
  }
  if (!URL.canParse(baseUrl)) throw new UsageError(`--url takes a URL, not "${baseUrl}".`);
  if (key !== null) return { baseUrl, key };
  if (stack === null || baseUrl.replace(/\/+$/, "") !== stack.baseUrl) {
    throw new UsageError("--url requires a key: give --key, or set STEPLEDGER_KEY.");
  }
  return { baseUrl, key: chooseTenant(stack, tenant).keys[role] };
}

/**
 * Returns the tenant of the local stack with the given name or id, or the first tenant if none is given.
 * @throws UsageError if there is no such tenant.
 */
export function chooseTenant({ tenants }: StackFile, nameOrId: string | null): Tenant {
  const found =
    nameOrId === null ? tenants[0] : tenants.find((tenant) => matches(tenant, nameOrId));
  if (found !== undefined) return found;
  const names = tenants.map(({ name }) => `"${name}"`).join(", ");
  throw new UsageError(`The stack has no tenant "${nameOrId}". It has ${names}.`);
}

function matches({ id, name }: { id: string; name: string | null }, nameOrId: string): boolean {
  return id === nameOrId.toLowerCase() || name?.toLowerCase() === nameOrId.toLowerCase();
}

const me = z.object({ tenant: z.object({ id: z.string(), name: z.string().nullable() }) });

/**
 * Checks that the service answers, accepts the key, and that the key belongs to the given tenant, if any.
 * @returns the tenant's name.
 * @throws UsageError if the key belongs to another tenant.
 */
export async function checkConnection(
  client: ApiClient,
  expectedTenant: string | null,
): Promise<string> {
  // Few attempts, because a user is waiting and should soon see that a URL is wrong.
  const { tenant } = await client.call({ method: "GET", path: "/me", attemptsMax: 2 }, me);
  const name = tenant.name ?? tenant.id;
  if (expectedTenant === null || matches(tenant, expectedTenant)) return name;
  throw new UsageError(`The key belongs to the tenant "${name}", not to "${expectedTenant}".`);
}
