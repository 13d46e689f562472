import * as z from "zod";
import {
  booleanText,
  externalId,
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
    .max(13)
    .optional()
    .openapi({ description: "Any of these." }),
  attention: z
    .array(attentionCode)
    .min(1)
    .max(5)
    .optional()
    .openapi({ description: "Any of these." }),
  stepKind: stepKind.optional(),
  stepStatus: stepStatus.optional(),
  gate: gateState.optional(),
  taxonomyCode: taxonomyCode.optional(),
  assignee: assignee.optional(),
  externalId: externalId.optional(),
  q: safeText(200).min(SEARCH_LENGTH_MIN).optional().openapi({
    description: "A part of the title or the external id, three characters or more.",
  }),
  model: name().optional().openapi({
    description: "A model that made a prompt, a datum, a trial or an insight of the task.",
  }),
  bulkOperationId: uuid
    .optional()
    .openapi({ description: "A bulk operation that changed the task." }),
  createdAfter: timestamp.optional(),
  createdBefore: timestamp.optional(),
  updatedAfter: timestamp.optional(),
  statusBefore: timestamp.optional().openapi({
    description: "The status has been the same since before this moment.",
  }),
};

const archivedDescription = "true: the archived tasks. Otherwise, those that are not.";

/** The filter as a query string has it. */
export const taskFilterQuery = {
  ...common,
  priority: integerText(0, 100).optional(),
  archived: booleanText.optional().openapi({ description: archivedDescription }),
};

/** The filter as a JSON body has it. */
export const taskFilter = z
  .strictObject({
    ...common,
    priority: priority.optional(),
    archived: z.boolean().optional().openapi({ description: archivedDescription }),
  })
  .openapi("TaskFilter");
