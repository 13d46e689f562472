import { sql } from "drizzle-orm";
import { check, foreignKey, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { PIPELINE_NAMES } from "../../domain/pipelines/pipelines.ts";
import { bytea, createdAt, moment, oneOf, tenantId } from "./columns.ts";
import { tenants } from "./tenants.ts";

/** A tenant's settings for a pipeline: its endpoint, and how long a run may take. */
export const pipelines = pgTable(
  "pipelines",
  {
    tenantId: tenantId(),
    name: text({ enum: PIPELINE_NAMES }).notNull(),
    endpoint: text(),
    /** Plain secrets of earlier releases, until the next write or `npm run seal` moves them to signing_secrets. */
    secret: bytea(),
    previousSecret: bytea(),
    previousSecretUntil: moment(),
    timeoutSeconds: integer().notNull().default(10),
    runDeadlineSeconds: integer().notNull().default(3600),
    createdAt: createdAt(),
    updatedAt: moment().notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.name] }),
    foreignKey({
      name: "pipelines_tenant_fk",
      columns: [t.tenantId],
      foreignColumns: [tenants.id],
    }),
    oneOf("pipelines_name", t.name, PIPELINE_NAMES),
    check(
      "pipelines_previous_secret",
      sql`(${t.previousSecret} is null) = (${t.previousSecretUntil} is null)`,
    ),
  ],
);
