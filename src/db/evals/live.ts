import { type SQL, sql } from "drizzle-orm";

/** The eval of alias e has its name for itself in its version: the condition of the index evals_live_name. */
export const IS_LIVE = sql`e.status <> 'cancelled' and e.twin_of is null`;

/** Returns the slot of a row with a maker, in an eval with this `slot_by`. Most evals have none, and need no call. */
export function slotOf(slotBy: SQL, row: SQL): SQL {
  return sql`case when ${slotBy} is not null then trial_slot(${slotBy}, ${row}.model, ${row}.model_revision,
    ${row}.agent, ${row}.agent_revision, ${row}.provider) end`;
}

/** The trial of alias x has the same slot as this row. Reads the index trials_live_slot, which holds digests of slots. */
export function isOnSlot(row: SQL): SQL {
  return sql`text_digest(coalesce(x.slot, '')) = text_digest(coalesce(${row}.slot, ''))`;
}
