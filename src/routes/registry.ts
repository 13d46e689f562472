import { registry } from "../domain/registry.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { registryTables } from "./shapes/registry.ts";

const getRegistry = defineContract({
  operationId: "getRegistry",
  method: "GET",
  path: "/registry",
  summary: "Every table of the domain, as data",
  description:
    "What may follow what, which rule names which label, and what each role of automation does. The very tables that decide.",
  tags: ["Administration"],
  role: "viewer",
  response: { status: 200, description: "The tables.", schema: registryTables },
});

export const registryRoutes: readonly Route[] = [
  createHandler(getRegistry, async () => reply(registry())),
];
