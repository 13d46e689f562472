import { sql } from "drizzle-orm";
import type { Person } from "../../domain/person.ts";
import type { TenantDatabase } from "../connection/client.ts";

/** What a simulated clock shows, and how many simulated seconds pass in a second: 0 once it has stopped. */
export interface SimulatedTime {
  simulated: true;
  now: string;
  speed: number;
}

/**
 * The name of the caller's tenant, its simulated time, and the person whose credential the caller used. Each is null if
 * there is none.
 */
export interface CallerRecord {
  name: string | null;
  time: SimulatedTime | null;
  person: Pick<Person, "id" | "name" | "email"> | null;
}

/** Returns the names behind a credential. */
export async function readCaller(
  database: TenantDatabase,
  personId: string | null,
): Promise<CallerRecord> {
  const [row] = await database.read<CallerRecord>(sql`
    select tenant_name() as name, (
      select json_build_object('simulated', true, 'now', iso(tenant_now()),
        'speed', case when tenant_now() < c.until or c.until is null then c.speed else 0 end)
      from simulated_clocks c where c.tenant_id = ${database.tenantId}) as time, (
      select json_build_object('id', p.id, 'name', p.name, 'email', p.email) from people p
      where p.id = ${personId}::uuid) as person`);
  return row ?? { name: null, time: null, person: null };
}

/** Returns the present time of the tenant: that of its simulated clock, if it has one. */
export async function readTenantNow(database: TenantDatabase): Promise<Date> {
  const [row] = await database.read<{ now: string }>(sql`select iso(tenant_now()) as now`);
  if (row === undefined) throw new Error("The database has no time");
  return new Date(row.now);
}
