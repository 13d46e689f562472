import { sql } from "drizzle-orm";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isTask } from "../tasks/task-match.ts";
import { type ClaimRecord, claimJson, IS_OPEN, isHeld } from "./slots.ts";

const CLAIM_FILTERS = {
  task: (ref: TaskRef) => sql`s.task_id = (select t.id from tasks t where ${isTask(ref)})`,
  stepId: (id: string) => sql`s.step_id = ${id}`,
};
export type ClaimFilter = FilterOf<typeof CLAIM_FILTERS>;

/** Returns a page of the claims that are held, newest first: those of one person, or of all. */
export async function listClaims(
  database: TenantDatabase,
  { person, ofOthers, ...filter }: ClaimFilter & { person: string; ofOthers: boolean },
  { after, limit }: { after: string | null; limit: number },
): Promise<ClaimRecord[]> {
  const condition = allOf(
    isHeld(sql`s`),
    IS_OPEN,
    !ofOthers && sql`s.person = ${person}`,
    matches(CLAIM_FILTERS, filter),
    after !== null && sql`s.id < ${after}`,
  );
  const rows = await database.read<{ claim: ClaimRecord }>(
    sql`select ${claimJson(person, sql`s`)} as claim from review_slots s where ${condition}
      order by s.id desc limit ${limit}`,
  );
  return rows.map(({ claim }) => claim);
}
