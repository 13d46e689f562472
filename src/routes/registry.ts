import { registry } from "../domain/registry.ts";
import { STAGE_ALIASES } from "../domain/seed/stages.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { registryTables } from "./shapes/registry.ts";

const getRegistry = defineContract({
  operationId: "getRegistry",
  method: "GET",
  path: "/registry",
  summary: "Retrieve the registry",
  description:
    "Returns the tables that the service decides by: the transitions of steps, gates, runs, and evals, the rules that give labels, the effects of worker reports, and the bulk changes that are allowed. Also returns the aliases of stages.",
  tags: ["Administration"],
  role: "viewer",
  response: { status: 200, description: "The tables.", schema: registryTables },
});

export const registryRoutes: readonly Route[] = [
  createHandler(getRegistry, async () =>
    // Not a table of the registry: no decision reads aliases, so a new one needs no new version.
    reply({ ...registry(), stageAliases: Object.fromEntries(STAGE_ALIASES) }),
  ),
];
