import { sql } from "drizzle-orm";
import type { TaxonomyEntry } from "../../domain/taxonomy.ts";

/** An entry of a tenant's taxonomy, as answers show it. */
export interface TaxonomyRecord extends TaxonomyEntry {
  /** Whether the entry or one above it is archived. */
  archived: boolean;
  /** When the entry itself was archived. */
  archivedAt: string | null;
  createdAt: string;
  updatedAt: string;
}

/** The members of a TaxonomyRecord but `archived`, from the alias x. */
export const ENTRY_MEMBERS = sql`'code', x.code, 'label', x.label, 'level', x.level, 'parentCode', x.parent_code,
  'position', x.position, 'archivedAt', iso(x.archived_at), 'createdAt', iso(x.created_at), 'updatedAt', iso(x.updated_at)`;
