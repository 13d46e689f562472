import * as z from "zod";
import type { PromptFilter } from "../../db/content/prompts.ts";
import { type FilterQuery, integerText, taskRef, uuid } from "../http/schemas.ts";
import { makerInput } from "./maker.ts";

/** The prompt filter in a query string. */
export const promptFilterQuery = {
  task: taskRef.optional(),
  version: z
    .union([integerText(1, 1_000_000), uuid])
    .optional()
    .openapi({ description: "A version's id, or its number within the task." }),
  step: uuid.optional(),
  ...makerInput,
} satisfies FilterQuery<PromptFilter>;
