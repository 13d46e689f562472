import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { SEED_RUN_STATES } from "../../domain/seed/run-states.ts";
import { createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/**
 * A story that is told in a demo tenant, and how far it has been told. Deleting a run archives its tasks.
 *
 * A slice is the part of the story between two times. It is stored before anything of it is applied, so that after an
 * interruption the same batches are applied under the same operations.
 */
export const seedRuns = pgTable(
  "seed_runs",
  {
    tenantId: tenantId(),
    id: id(),
    state: text({ enum: SEED_RUN_STATES }).notNull(),
    seed: integer().notNull(),
    /** How many tasks the story has. */
    tasks: integer().notNull(),
    /** When the story ends, in simulated time. */
    anchor: moment().notNull(),
    days: integer().notNull(),
    mix: jsonb().notNull(),
    /** Simulated seconds per second. With 0, the run goes on only when a call advances it. */
    speed: numeric({ mode: "number" }).notNull(),
    /** How far the run shall go, in simulated time. */
    wantedUntil: moment().notNull(),
    /** How far it has gone: all earlier actions are applied. */
    appliedUntil: moment().notNull(),
    /** Where the slice ends that is being applied. */
    sliceUntil: moment(),
    /** How many teams, and batches of the next one, are done in the slice, or in the deletion. */
    teamsDone: integer().notNull().default(0),
    batchesDone: integer().notNull().default(0),
    /** The first action after the slice, of the teams that are done. */
    nextActionAt: moment(),
    actionsApplied: bigint({ mode: "number" }).notNull().default(0),
    /** Actions that the rules refused, because someone else had changed the task. */
    actionsRefused: bigint({ mode: "number" }).notNull().default(0),
    /** The work on the run that is in progress, and until when no other work may begin. */
    leaseHolder: uuid(),
    leaseUntil: moment(),
    /** The latest tick of a run with a speed, and when the next is due. */
    tickedAt: moment().notNull().defaultNow(),
    tickDueAt: moment().notNull().defaultNow(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    uniqueIndex("seed_runs_open")
      .on(t.tenantId)
      .where(sql`${t.state} in ('active', 'deleting')`),
    index("seed_runs_due")
      .on(t.tickDueAt)
      .where(sql`${t.state} in ('active', 'deleting')`),
    foreignKey({
      name: "seed_runs_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    oneOf("seed_runs_state", t.state, SEED_RUN_STATES),
    check("seed_runs_tasks", sql`${t.tasks} > 0`),
    check("seed_runs_speed", sql`${t.speed} between 0 and 604800`),
    check(
      "seed_runs_order",
      sql`${t.appliedUntil} <= ${t.wantedUntil} and ${t.wantedUntil} <= ${t.anchor}
        and coalesce(${t.sliceUntil}, ${t.appliedUntil}) between ${t.appliedUntil} and ${t.wantedUntil}`,
    ),
  ],
);
