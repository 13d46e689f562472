import * as z from "zod";
import { integerText, taskRef, uuid } from "../http/schemas.ts";
import { maker } from "./maker.ts";

/** Which prompts are meant, as a query string has it. */
export const promptFilterQuery = {
  task: taskRef.optional(),
  version: z
    .union([integerText(1, 1_000_000), uuid])
    .optional()
    .openapi({ description: "A version's id, or its number in its task." }),
  step: uuid.optional(),
  ...maker,
};
