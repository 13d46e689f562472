import * as z from "zod";
import { name } from "../http/schemas.ts";

/** Members in requests that say more about the model that made a record. */
export const makerDetailsInput = {
  modelRevision: name().optional(),
  agent: name().optional(),
  provider: name().optional(),
};

/** Members in requests and filters that say what made a prompt or a data item. */
export const makerInput = {
  model: name().optional().openapi({ example: "solver-7b" }),
  ...makerDetailsInput,
};

/** Members in responses that say what made a record. */
export const makerOutput = {
  model: z.string().nullable(),
  modelRevision: z.string().nullable(),
  agent: z.string().nullable(),
  provider: z.string().nullable(),
};

/** Returns the maker's details with null for what the request left out. */
export function makerDetailsOf(input: {
  modelRevision?: string | undefined;
  agent?: string | undefined;
  provider?: string | undefined;
}) {
  const { modelRevision = null, agent = null, provider = null } = input;
  return { modelRevision, agent, provider };
}
