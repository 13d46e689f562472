import * as z from "zod";
import { name } from "../http/schemas.ts";

/** Who made it, as it is taken and asked for. */
export const maker = {
  model: name().optional().openapi({ example: "solver-7b" }),
  modelRevision: name().optional(),
  agent: name().optional(),
  provider: name().optional(),
};

/** Who made it, as it is told. */
export const makerTold = {
  model: z.string().nullable(),
  modelRevision: z.string().nullable(),
  agent: z.string().nullable(),
  provider: z.string().nullable(),
};
