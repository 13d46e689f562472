import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  foreignKey,
  index,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { DATA_KINDS } from "../../domain/data/kinds.ts";
import { bytea, id, moment, oneOf, tenantId, writtenAt } from "./columns.ts";
import { insights } from "./insights.ts";
import { prompts } from "./prompts.ts";
import { steps } from "./steps.ts";

/** A pointer to a blob: in the service's bucket under a content-addressed key, or elsewhere by `uri`. */
export const data = pgTable(
  "data",
  {
    tenantId: tenantId(),
    id: id(),
    taskId: uuid().notNull(),
    versionId: uuid().notNull(),
    stepId: uuid().notNull(),
    kind: text({ enum: DATA_KINDS }).notNull(),
    objectKey: text(),
    uri: text(),
    contentType: text().notNull(),
    sizeBytes: bigint({ mode: "number" }).notNull(),
    sha256: bytea().notNull(),
    storedAt: moment(),
    model: text(),
    modelRevision: text(),
    agent: text(),
    agentRevision: text(),
    provider: text(),
    promptId: uuid(),
    insightId: uuid(),
    createdBy: text().notNull(),
    createdAt: writtenAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    // The same content by the same maker at the same step is one row. Makers that are not stated count as the same.
    unique("data_content")
      .on(
        t.tenantId,
        t.taskId,
        t.kind,
        t.sha256,
        t.stepId,
        t.model,
        t.modelRevision,
        t.agent,
        t.provider,
        t.agentRevision,
      )
      .nullsNotDistinct(),
    index("data_model").on(t.tenantId, t.model, t.modelRevision, t.id),
    // For the sweep, which checks for each object whether a row still names it.
    index("data_object").on(t.tenantId, t.objectKey),
    // For the sweep, which looks across tenants for the few rows whose content was not uploaded.
    index("data_declared")
      .on(t.createdAt)
      .where(sql`stored_at is null and uri is null`),
    foreignKey({
      name: "data_step_fk",
      columns: [t.tenantId, t.stepId, t.taskId, t.versionId],
      foreignColumns: [steps.tenantId, steps.id, steps.taskId, steps.versionId],
    }),
    foreignKey({
      name: "data_prompt_fk",
      columns: [t.tenantId, t.promptId],
      foreignColumns: [prompts.tenantId, prompts.id],
    }),
    foreignKey({
      name: "data_insight_fk",
      columns: [t.tenantId, t.insightId],
      foreignColumns: [insights.tenantId, insights.id],
    }),
    oneOf("data_kind", t.kind, DATA_KINDS),
    check("data_sha256_length", sql`octet_length(${t.sha256}) = 32`),
    check("data_somewhere", sql`(${t.objectKey} is null) <> (${t.uri} is null)`),
  ],
);

/** The inputs that a blob was made from. */
export const dataInputs = pgTable(
  "data_inputs",
  { tenantId: tenantId(), childId: uuid().notNull(), parentId: uuid().notNull() },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.childId, t.parentId] }),
    index("data_inputs_parent").on(t.tenantId, t.parentId),
    foreignKey({
      name: "data_inputs_child_fk",
      columns: [t.tenantId, t.childId],
      foreignColumns: [data.tenantId, data.id],
    }),
    foreignKey({
      name: "data_inputs_parent_fk",
      columns: [t.tenantId, t.parentId],
      foreignColumns: [data.tenantId, data.id],
    }),
  ],
);
