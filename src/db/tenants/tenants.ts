import { sql } from "drizzle-orm";
import type { Person } from "../../domain/person.ts";
import type { TenantDatabase } from "../connection/client.ts";

/** The name of the caller's tenant, and the person whose credential the caller used. Each is null if there is none. */
export interface CallerRecord {
  name: string | null;
  person: Pick<Person, "id" | "name" | "email"> | null;
}

/** Returns the names behind a credential. */
export async function readCaller(
  database: TenantDatabase,
  personId: string | null,
): Promise<CallerRecord> {
  const [row] = await database.read<CallerRecord>(sql`
    select tenant_name() as name, (
      select json_build_object('id', p.id, 'name', p.name, 'email', p.email) from people p
      where p.id = ${personId}::uuid) as person`);
  return row ?? { name: null, person: null };
}
