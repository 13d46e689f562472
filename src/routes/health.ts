import * as z from "zod";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { READINESS_SECONDS } from "./http/readiness.ts";
import { DatabaseUnavailable } from "../db/connection/faults.ts";
import { StorageUnavailable } from "../storage/blobs.ts";

const health = z.strictObject({ status: z.literal("ok") }).openapi("Health");

const getHealth = defineContract({
  operationId: "getHealth",
  method: "GET",
  path: "/healthz",
  root: true,
  summary: "Check liveness",
  description: "Returns 200 if the Worker is running. Does not check the database or the bucket.",
  tags: ["Service"],
  role: "public",
  response: { status: 200, schema: health, description: "The Worker is running." },
});

const getReadiness = defineContract({
  operationId: "getReadiness",
  method: "GET",
  path: "/readyz",
  root: true,
  summary: "Check readiness",
  description: `Returns 200 if the database can be written and the bucket responds, and 503 otherwise. A result is reused for ${READINESS_SECONDS} seconds.`,
  tags: ["Service"],
  role: "public",
  response: { status: 200, schema: health, description: "The service is ready." },
});

export const healthRoutes: readonly Route[] = [
  createHandler(getHealth, async () => reply({ status: "ok" as const })),
  createHandler(getReadiness, async ({ checkReadiness }) => {
    const missing = await checkReadiness();
    if (missing === "database") throw new DatabaseUnavailable("The database did not respond");
    if (missing === "bucket") throw new StorageUnavailable("The bucket did not respond");
    return reply({ status: "ok" as const });
  }),
];
