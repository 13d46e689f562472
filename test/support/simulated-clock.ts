import { expect } from "vitest";
import { openDatabase, type TenantDatabase } from "../../src/db/connection/client.ts";
import { type ClockSetting, moveSimulatedClock } from "../../src/db/tenants/simulated-clock.ts";
import type { TestDatabase } from "./database.ts";

/** Sets the simulated clock of a demo, and returns what it shows. By default it stands still. */
export async function givenClock(
  database: TestDatabase,
  tenantId: string,
  setting: Partial<ClockSetting>,
): Promise<string> {
  const tenant = openDatabase(database).forTenant(tenantId);
  const moved = await moveSimulatedClock(tenant, { at: null, speed: 0, until: null, ...setting });
  return moved.ok ? moved.value.at : expect.fail(moved.refusal.detail);
}

/** A call of an action by an administrator, outside any request. */
export function actionCall(database: TenantDatabase) {
  const id = crypto.randomUUID();
  return {
    database,
    actor: { id: "simulator", name: "Simulator", kind: "system", role: "admin" },
    requestId: "a test",
    operation: { id, actorId: "simulator", route: "test", key: null, fingerprint: id },
  } as const;
}

/** A call of any action, with what some actions ask of their caller beyond that. */
export function anyCall(database: TenantDatabase) {
  return {
    ...actionCall(database),
    identity: "simulator",
    personId: null,
    ifMatch: null,
    credentialName: "simulator",
  };
}
