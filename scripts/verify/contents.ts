import type { Client } from "pg";
import { contentHash } from "../../src/actions/tasks/content-hash.ts";
import type { TaskContent } from "../../src/domain/lifecycle/decision.ts";

/** A version whose content is not the one that its hash, and so the event that opened it, names. */
export interface ForgedContent {
  tenantId: string;
  versionId: string;
}

export interface ContentReport {
  versions: number;
  forged: ForgedContent[];
}

/** One content can be as large as a request, so few are read at a time. */
const FETCHED_ROWS = 100;

/**
 * Recomputes the hash of every version's content. The canonical order of JSON members is not the one that Postgres
 * stores, so the database cannot compare them. Reads in the caller's transaction.
 */
export async function verifyContents(client: Client): Promise<ContentReport> {
  const report: ContentReport = { versions: 0, forged: [] };
  await client.query(`declare contents no scroll cursor for
    select tenant_id, id, content::text as content, content_hash from task_versions`);
  for (;;) {
    const { rows } = await client.query<ContentRow>(`fetch ${FETCHED_ROWS} from contents`);
    if (rows.length === 0) break;
    report.versions += rows.length;
    for (const { tenant_id: tenantId, id: versionId, content, content_hash: hash } of rows) {
      // Parsing gives whatever the row holds. Anything but the original content has another hash.
      const isOriginal = contentHash(JSON.parse(content) as TaskContent) === hash;
      if (!isOriginal) report.forged.push({ tenantId, versionId });
    }
  }
  await client.query("close contents");
  return report;
}

interface ContentRow {
  tenant_id: string;
  id: string;
  content: string;
  content_hash: string;
}
