import * as z from "zod";
import type { TaskFilter } from "../../db/tasks/task-filter.ts";
import { ATTENTION_CODES } from "../../domain/status/attention.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import {
  booleanText,
  externalId,
  type FilterQuery,
  integerText,
  name,
  safeText,
  timestamp,
  uuid,
} from "../http/schemas.ts";
import {
  assignee,
  attentionCode,
  gateState,
  priority,
  stepKind,
  stepStatus,
  taxonomyCode,
  unifiedStatus,
} from "./task.ts";

const SEARCH_LENGTH_MIN = 3;

const common = {
  unifiedStatus: z
    .array(unifiedStatus)
    .min(1)
    .max(UNIFIED_STATUSES.length)
    .optional()
    .openapi({ description: "Tasks with any of these labels." }),
  attention: z
    .array(attentionCode)
    .min(1)
    .max(ATTENTION_CODES.length)
    .optional()
    .openapi({ description: "Tasks with any of these attention codes." }),
  stepKind: stepKind.optional(),
  stepStatus: stepStatus.optional(),
  gate: gateState.optional(),
  taxonomyCode: taxonomyCode.optional(),
  assignee: assignee.optional(),
  externalId: externalId.optional(),
  q: safeText(200).min(SEARCH_LENGTH_MIN).optional().openapi({
    description: "Text that the title or the external id contains, at least 3 characters.",
  }),
  model: name().optional().openapi({
    description:
      "Tasks with a prompt, a data item, a trial, or an insight that this model produced.",
  }),
  bulkOperationId: uuid
    .optional()
    .openapi({ description: "Tasks that this bulk operation changed." }),
  createdAfter: timestamp.optional(),
  createdBefore: timestamp.optional(),
  updatedAfter: timestamp.optional(),
  statusBefore: timestamp.optional().openapi({
    description: "Tasks whose status has not changed since before this time.",
  }),
};

const archivedDescription =
  "`true` returns only archived tasks. By default, only tasks that are not archived are returned.";

/** The task filter in a query string. */
export const taskFilterQuery = {
  ...common,
  priority: integerText(0, 100).optional(),
  archived: booleanText.optional().openapi({ description: archivedDescription }),
} satisfies FilterQuery<TaskFilter>;

/** The task filter in a JSON body. */
export const taskFilter = z
  .strictObject({
    ...common,
    priority: priority.optional(),
    archived: z.boolean().optional().openapi({ description: archivedDescription }),
  } satisfies FilterQuery<TaskFilter>)
  .openapi("TaskFilter");
