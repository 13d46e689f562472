import * as z from "zod";
import { name } from "../http/schemas.ts";

/** In bytes. The five longest parts of a maker fit into an entry of the unique index of data. */
const AGENT_REVISION_MAX = 180;

const agentRevision = name(AGENT_REVISION_MAX)
  .refine((text) => new TextEncoder().encode(text).byteLength <= AGENT_REVISION_MAX, {
    error: `Must be at most ${AGENT_REVISION_MAX} bytes long in UTF-8.`,
  })
  .openapi({ description: `At most ${AGENT_REVISION_MAX} bytes in UTF-8.` });

/** Members in requests that say more about the model that made a record. */
export const makerDetailsInput = {
  modelRevision: name().optional(),
  agent: name().optional(),
  agentRevision: agentRevision.optional(),
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
  agentRevision: z.string().nullable(),
  provider: z.string().nullable(),
};

/** Returns the maker's details with null for what the request left out. */
export function makerDetailsOf(input: {
  modelRevision?: string | undefined;
  agent?: string | undefined;
  agentRevision?: string | undefined;
  provider?: string | undefined;
}) {
  const { modelRevision = null, agent = null, agentRevision = null, provider = null } = input;
  return { modelRevision, agent, agentRevision, provider };
}
