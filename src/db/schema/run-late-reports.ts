import {
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { REVIEW_OUTCOMES, RUN_STATES } from "../../domain/lifecycle/statuses.ts";
import { id, oneOf, tenantId, writtenAt } from "./columns.ts";
import { workerRuns } from "./worker-runs.ts";

/**
 * The reports that came after their run had ended, whole. Append-only. `state`, the actor and the call are null only in
 * rows of earlier releases, which kept the result and the error of the last late report alone.
 */
export const runLateReports = pgTable(
  "run_late_reports",
  {
    tenantId: tenantId(),
    id: id(),
    runId: uuid().notNull(),
    state: text({ enum: RUN_STATES }),
    verdict: text({ enum: REVIEW_OUTCOMES }),
    result: jsonb(),
    error: text(),
    /** The attempt that the report named, if it named one. */
    attempt: integer(),
    actorId: text(),
    actorName: text(),
    actorKind: text({ enum: ACTOR_KINDS }),
    actorRole: text({ enum: ROLES }),
    operationId: uuid(),
    requestId: text(),
    createdAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("run_late_reports_run").on(t.tenantId, t.runId, t.id),
    foreignKey({
      name: "run_late_reports_run_fk",
      columns: [t.tenantId, t.runId],
      foreignColumns: [workerRuns.tenantId, workerRuns.id],
    }),
    oneOf("run_late_reports_state", t.state, RUN_STATES),
    oneOf("run_late_reports_verdict", t.verdict, REVIEW_OUTCOMES),
    oneOf("run_late_reports_actor_kind", t.actorKind, ACTOR_KINDS),
    oneOf("run_late_reports_actor_role", t.actorRole, ROLES),
  ],
);
