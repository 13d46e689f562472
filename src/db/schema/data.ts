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
import { bytea, createdAt, id, moment, oneOf, tenantId } from "./columns.ts";
import { insights } from "./insights.ts";
import { prompts } from "./prompts.ts";
import { steps } from "./steps.ts";

/** A pointer to a blob: in our bucket under a content-addressed key, or elsewhere by `uri`. */
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
    provider: text(),
    promptId: uuid(),
    insightId: uuid(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.id] }),
    // What one maker made at one step is one thing: where nothing is said of the maker, that is the same maker too.
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
      )
      .nullsNotDistinct(),
    index("data_model").on(t.tenantId, t.model, t.modelRevision, t.id),
    // Whether anything still names an object, which the sweep asks of each that it finds.
    index("data_object").on(t.tenantId, t.objectKey),
    // The few rows that wait for their content; the sweep looks for them across tenants.
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

/** What a blob was made from. */
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
