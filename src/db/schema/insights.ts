import { foreignKey, index, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { RUN_STATES } from "../../domain/lifecycle/statuses.ts";
import { id, oneOf, tenantId, writtenAt } from "./columns.ts";
import { evals } from "./evals.ts";
import { tasks } from "./tasks.ts";
import { trials } from "./trials.ts";

/** A long-running inference job. It stays when its trial is retracted. */
export const insights = pgTable(
  "insights",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    evalId: uuid(),
    trialId: uuid(),
    kind: text().notNull(),
    model: text().notNull(),
    modelRevision: text(),
    agent: text(),
    agentRevision: text(),
    provider: text(),
    status: text({ enum: RUN_STATES }).notNull(),
    input: jsonb(),
    output: jsonb(),
    usage: jsonb(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
    updatedAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("insights_task").on(t.tenantId, t.taskId, t.id),
    index("insights_eval").on(t.tenantId, t.evalId, t.id),
    index("insights_trial").on(t.tenantId, t.trialId, t.id),
    index("insights_model").on(t.tenantId, t.model, t.modelRevision, t.id),
    foreignKey({
      name: "insights_task_fk",
      columns: [t.tenantId, t.taskId],
      foreignColumns: [tasks.tenantId, tasks.id],
    }),
    foreignKey({
      name: "insights_eval_fk",
      columns: [t.tenantId, t.evalId],
      foreignColumns: [evals.tenantId, evals.id],
    }),
    foreignKey({
      name: "insights_trial_fk",
      columns: [t.tenantId, t.trialId],
      foreignColumns: [trials.tenantId, trials.id],
    }),
    oneOf("insights_status", t.status, RUN_STATES),
  ],
);
