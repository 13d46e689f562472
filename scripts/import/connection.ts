import { z } from "zod";
import type { Role } from "../../src/domain/actor.ts";
import type { StackFile } from "../stack/stack.ts";
import type { Tenant } from "../stack/tenants.ts";
import type { ApiClient } from "./api-client.ts";
import { UsageFault } from "./usage-fault.ts";

/** What a command line and the environment say about whom to call, and as whom. */
export interface ConnectionInput {
  url: string | null;
  key: string | null;
  tenant: string | null;
  /** The role whose key of the local stack is taken. */
  role: Role;
}

/**
 * Chooses address and key: as given, or those of the stack that runs here.
 * @throws UsageFault where neither is there.
 */
export function chooseConnection(
  { url, key, tenant, role }: ConnectionInput,
  stack: StackFile | null,
): { baseUrl: string; key: string } {
  const baseUrl = url ?? stack?.baseUrl;
  if (baseUrl === undefined) {
    throw new UsageFault("No stack is running here: start one with `npm run dev`, or give --url.");
  }
  if (!URL.canParse(baseUrl)) throw new UsageFault(`--url takes an address, not "${baseUrl}".`);
  if (key !== null) return { baseUrl, key };
  if (stack === null || baseUrl.replace(/\/+$/, "") !== stack.baseUrl) {
    throw new UsageFault("--url needs a key: give --key, or set STEPLEDGER_KEY.");
  }
  return { baseUrl, key: chooseTenant(stack, tenant).keys[role] };
}

/** A tenant of the local stack by name or id; the first one when none is named. */
export function chooseTenant({ tenants }: StackFile, wanted: string | null): Tenant {
  const found = wanted === null ? tenants[0] : tenants.find((tenant) => isCalled(tenant, wanted));
  if (found !== undefined) return found;
  const names = tenants.map(({ name }) => `"${name}"`).join(", ");
  throw new UsageFault(`The stack has no tenant "${wanted}". It has ${names}.`);
}

function isCalled({ id, name }: { id: string; name: string | null }, wanted: string): boolean {
  return id === wanted.toLowerCase() || name?.toLowerCase() === wanted.toLowerCase();
}

const me = z.object({ tenant: z.object({ id: z.string(), name: z.string().nullable() }) });

/**
 * Makes sure that the service is there, knows the key, and that the key is of the tenant that was named.
 * @returns the tenant's name.
 */
export async function greet(client: ApiClient, wantedTenant: string | null): Promise<string> {
  // Somebody waits at the terminal: a wrong address is to be told at once.
  const { tenant } = await client.call({ method: "GET", path: "/me", attemptsMax: 2 }, me);
  const name = tenant.name ?? tenant.id;
  if (wantedTenant === null || isCalled(tenant, wantedTenant)) return name;
  throw new UsageFault(`The key is of the tenant "${name}", not of "${wantedTenant}".`);
}
