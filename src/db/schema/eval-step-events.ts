import {
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { ACTOR_KINDS, ROLES } from "../../domain/actor.ts";
import { EVAL_EVENT_TYPES, EVAL_STATUSES } from "../../domain/evals/statuses.ts";
import { oneOf, tenantId } from "./columns.ts";
import { evals } from "./evals.ts";
import { eventEnvelope } from "./events.ts";

/** The append-only history of an eval, separate from `step_events`. */
export const evalStepEvents = pgTable(
  "eval_step_events",
  {
    tenantId: tenantId(),
    evalId: uuid().notNull(),
    seq: integer().notNull(),
    taskId: uuid().notNull(),
    trialId: uuid(),
    type: text({ enum: EVAL_EVENT_TYPES }).notNull(),
    fromStatus: text({ enum: EVAL_STATUSES }),
    toStatus: text({ enum: EVAL_STATUSES }).notNull(),
    ...eventEnvelope(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.evalId, t.seq] }),
    unique("eval_step_events_state").on(t.tenantId, t.evalId, t.seq, t.toStatus),
    index("eval_step_events_task").on(t.tenantId, t.taskId, t.at),
    index("eval_step_events_feed").on(t.tenantId, t.txid, t.feedId),
    foreignKey({
      name: "eval_step_events_eval_fk",
      columns: [t.tenantId, t.evalId, t.taskId],
      foreignColumns: [evals.tenantId, evals.id, evals.taskId],
    }),
    oneOf("eval_step_events_type", t.type, EVAL_EVENT_TYPES),
    oneOf("eval_step_events_from_status", t.fromStatus, EVAL_STATUSES),
    oneOf("eval_step_events_to_status", t.toStatus, EVAL_STATUSES),
    oneOf("eval_step_events_actor_kind", t.actorKind, ACTOR_KINDS),
    oneOf("eval_step_events_actor_role", t.actorRole, ROLES),
  ],
);
