import { sql } from "drizzle-orm";
import { foreignKey, index, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { id, tenantId, writtenAt } from "./columns.ts";
import { evals } from "./evals.ts";
import { steps } from "./steps.ts";
import { trials } from "./trials.ts";

/** Text sent to a model or received from one. The maker is in columns, not in keys of a JSON value. */
export const prompts = pgTable(
  "prompts",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    role: text().notNull(),
    content: text().notNull(),
    contentHash: text().notNull(),
    model: text(),
    modelRevision: text(),
    agent: text(),
    agentRevision: text(),
    provider: text(),
    evalId: uuid(),
    trialId: uuid(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    index("prompts_task").on(t.tenantId, t.taskId, t.id),
    index("prompts_model").on(t.tenantId, t.model, t.modelRevision, t.id),
    // For lists that are sorted by model or provider. The list by agent uses prompts_agent.
    index("prompts_by_model").on(t.tenantId, t.model, t.id),
    index("prompts_by_provider").on(t.tenantId, t.provider, t.id),
    index("prompts_agent").on(t.tenantId, t.agent, t.id),
    index("prompts_agent_revision")
      .on(t.tenantId, t.agentRevision, t.id)
      .where(sql`agent_revision is not null`),
    foreignKey({
      name: "prompts_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    foreignKey({
      name: "prompts_eval_fk",
      columns: [t.tenantId, t.evalId],
      foreignColumns: [evals.tenantId, evals.id],
    }),
    foreignKey({
      name: "prompts_trial_fk",
      columns: [t.tenantId, t.trialId],
      foreignColumns: [trials.tenantId, trials.id],
    }),
  ],
);
