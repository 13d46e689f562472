import * as z from "zod";
import type { TaskFilter } from "../../db/tasks/task-filter.ts";
import { isSearchable, NEEDLE_LENGTH_MIN } from "../../domain/search.ts";
import { closedList } from "../http/closed-list.ts";
import {
  afterTime,
  booleanText,
  knownExternalId,
  type FilterQuery,
  integerText,
  name,
  safeText,
  taskRef,
  timeOrDay,
  uuid,
} from "../http/schemas.ts";
import { stageName } from "./stage.ts";
import {
  assignee,
  attentionCode,
  gateState,
  priority,
  stepStatus,
  taxonomyCode,
  unifiedStatus,
} from "./task.ts";

const common = {
  unifiedStatus: closedList(unifiedStatus)
    .optional()
    .openapi({ description: "Tasks with any of these labels." }),
  attention: closedList(attentionCode)
    .optional()
    .openapi({ description: "Tasks with any of these attention codes." }),
  stepKind: stageName.optional(),
  stepStatus: stepStatus.optional(),
  gate: gateState.optional(),
  taxonomyCode: taxonomyCode.optional(),
  assignee: assignee.optional(),
  externalId: knownExternalId.optional(),
  q: safeText(200)
    .refine(isSearchable, {
      error: `Must have at least ${NEEDLE_LENGTH_MIN.any} characters, or ${NEEDLE_LENGTH_MIN.cjk} with a Chinese, Japanese or Korean one.`,
      params: { code: "too_small" },
    })
    .optional()
    .openapi({
      description: `Text that the title or the external id contains, ignoring case and Unicode composition. At least ${NEEDLE_LENGTH_MIN.any} characters, or ${NEEDLE_LENGTH_MIN.cjk} if one of them is Chinese, Japanese or Korean.`,
    }),
  model: name().optional().openapi({
    description:
      "Tasks with a prompt, a data item, a trial, or an insight that this model produced.",
  }),
  bulkOperationId: uuid
    .optional()
    .openapi({ description: "Tasks that this bulk operation changed." }),
  duplicateOf: taskRef
    .optional()
    .openapi({ description: "Tasks that are duplicates of this task now." }),
  createdAfter: afterTime.optional(),
  createdBefore: timeOrDay.optional(),
  updatedAfter: afterTime.optional(),
  statusBefore: timeOrDay.optional().openapi({
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
