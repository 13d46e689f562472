import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { REVIEW_OUTCOMES, RUN_STATES, WORKER_TYPES } from "../../domain/lifecycle/statuses.ts";
import { id, moment, oneOf, tenantId, writtenAt } from "./columns.ts";
import { pipelineDispatches } from "./pipeline-dispatches.ts";
import { steps } from "./steps.ts";

/** The work itself, which reports back. `deadline_at` keeps a crashed worker from holding a task forever. */
export const workerRuns = pgTable(
  "worker_runs",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    type: text({ enum: WORKER_TYPES }).notNull(),
    state: text({ enum: RUN_STATES }).notNull(),
    attempt: integer().notNull().default(1),
    dispatchId: uuid(),
    externalRef: text(),
    deadlineAt: moment().notNull(),
    /** Whether a worker has to claim it by polling, because its pipeline has no endpoint. */
    offered: boolean().notNull().default(false),
    /** Who claimed it last. No one else can claim it before `lease_until`, or once it has started. */
    leaseOwner: text(),
    leaseUntil: moment(),
    /** The length of the lease in seconds. A report that leaves the run unstarted renews the lease by this length. */
    leaseSeconds: integer(),
    /** The verdict of the report that ended it. Null if it had none, and for runs that ended before it was kept. */
    verdict: text({ enum: REVIEW_OUTCOMES }),
    result: jsonb(),
    error: text(),
    /** The last late report, as earlier releases kept it. Its copy in run_late_reports is the one that is read. */
    lateReport: jsonb(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
    updatedAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("worker_runs_task").on(t.tenantId, t.taskId, t.id),
    index("worker_runs_open")
      .on(t.tenantId, t.stepId)
      .where(sql`state in ('QUEUED', 'RUNNING')`),
    uniqueIndex("worker_runs_dispatch").on(t.tenantId, t.dispatchId),
    // For workers that poll for runs to claim.
    index("worker_runs_offered")
      .on(t.tenantId, t.type, t.id)
      .where(sql`offered and state = 'QUEUED'`),
    // For the sweep, which looks across tenants for runs whose worker stopped reporting.
    index("worker_runs_deadline")
      .on(t.deadlineAt)
      .where(sql`state in ('QUEUED', 'RUNNING')`),
    foreignKey({
      name: "worker_runs_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    foreignKey({
      name: "worker_runs_dispatch_fk",
      columns: [t.tenantId, t.dispatchId],
      foreignColumns: [pipelineDispatches.tenantId, pipelineDispatches.id],
    }),
    check("worker_runs_offered_by_dispatch", sql`not ${t.offered} or ${t.dispatchId} is not null`),
    check(
      "worker_runs_lease",
      sql`num_nulls(${t.leaseOwner}, ${t.leaseUntil}, ${t.leaseSeconds}) in (0, 3) and (${t.offered} or ${t.leaseOwner} is null)`,
    ),
    oneOf("worker_runs_type", t.type, WORKER_TYPES),
    oneOf("worker_runs_state", t.state, RUN_STATES),
    oneOf("worker_runs_verdict", t.verdict, REVIEW_OUTCOMES),
  ],
);
