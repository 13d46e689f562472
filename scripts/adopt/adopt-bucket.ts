import { withOwner } from "../database/owner-client.ts";

/** A sweep that the bucket names and the database does not know. */
interface UnknownSweep {
  id: string;
  number: number;
  foundAt: string;
}

/** A tenant whose objects are held because too many are due at once. */
interface Held {
  tenantId: string;
  due: number;
}

/** What stops the daily sweep. */
export interface Stopped {
  unknown: UnknownSweep[];
  /** The newest sweep of this database; null if it never swept. */
  own: { number: number; createdAt: string } | null;
  /** Objects that no row names, by tenant. */
  orphaned: { tenantId: string; objects: number; since: string }[];
  held: Held[];
}

/** Reads what stops the sweep, as the owner of the database. The sweep has recorded it: only the Worker reads the bucket. */
export function findStopped(ownerUrl: string): Promise<Stopped> {
  return withOwner(ownerUrl, async (client) => {
    const { rows: unknown } = await client.query<UnknownSweep>(
      `select id, number::float8 as number, iso(created_at) as "foundAt" from sweeps where state = 'unknown'
      order by created_at`,
    );
    const { rows: own } = await client.query<{ number: number; createdAt: string }>(
      `select number::float8 as number, iso(created_at) as "createdAt" from sweeps where state = 'own'
      order by number desc limit 1`,
    );
    const { rows: orphaned } = await client.query<Stopped["orphaned"][number]>(
      `select tenant_id as "tenantId", count(*)::integer as objects, iso(min(orphaned_at)) as since
      from orphaned_objects group by tenant_id order by tenant_id`,
    );
    const { rows: held } = await client.query<Held>(
      `select tenant_id as "tenantId", due::integer as due from held_orphans() order by tenant_id`,
    );
    return { unknown, own: own[0] ?? null, orphaned, held };
  });
}

/** Describes what stops the sweep, and what adopting does about it. */
export function renderStopped({ unknown, own, orphaned, held }: Stopped): string {
  const objects = orphaned.map(
    ({ tenantId, objects: count, since }) =>
      `  tenant ${tenantId}: ${count} objects that no row names, the first found ${since}`,
  );
  if (unknown.length > 0) {
    return [
      ...unknown.map(
        ({ number, id, foundAt }) =>
          `The bucket was swept by sweep ${number} (${id}), which this database does not know. First found ${foundAt}.`,
      ),
      own === null
        ? "This database has never swept the bucket."
        : `The newest sweep of this database is ${own.number}, from ${own.createdAt}.`,
      "So it was restored from an older backup, or another database uses the same bucket.",
      ...(objects.length === 0 ? ["No object without a row was found yet."] : objects),
      "",
      "If a newer backup exists, restore it instead. If another database uses the bucket, do not adopt it: the sweep",
      "would delete the files of that database. Adopting lets the sweep continue. It deletes the objects above in 30 days",
      "from now, unless rows name them by then.",
    ].join("\n");
  }
  if (held.length > 0) {
    return [
      "More than 1 % of a tenant's objects, and more than 100, are due to be deleted at once:",
      ...held.map(({ tenantId, due }) => `  tenant ${tenantId}: ${due} objects`),
      "",
      "Adopting lets the next sweep delete them.",
    ].join("\n");
  }
  return ["Nothing stops the sweep.", ...objects].join("\n");
}

/**
 * Takes over the bucket's sweeps that were shown, and starts the 30 days of every mark anew. If there is none, allows
 * deleting the due objects of the tenants that were shown.
 */
export function adopt(ownerUrl: string, { unknown, held }: Stopped): Promise<string> {
  return withOwner(ownerUrl, async (client) => {
    if (unknown.length === 0) {
      const { rowCount } = await client.query(
        `update orphaned_objects set approved_at = now()
        where tenant_id = any($1::uuid[]) and orphaned_at <= now() - interval '30 days' and approved_at is null`,
        [held.map(({ tenantId }) => tenantId)],
      );
      return `The next sweep deletes ${rowCount ?? 0} objects, unless rows name them by then.`;
    }
    await client.query("begin");
    await client.query(
      "update sweeps set state = 'adopted', adopted_at = now() where id = any($1::uuid[]) and state = 'unknown'",
      [unknown.map(({ id }) => id)],
    );
    await client.query("update orphaned_objects set orphaned_at = now(), approved_at = null");
    await client.query("commit");
    return `Adopted. The next sweep continues after ${Math.max(...unknown.map(({ number }) => number))}.`;
  });
}
