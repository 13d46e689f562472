import * as z from "zod";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { DatabaseUnavailable } from "../db/connection/faults.ts";
import { StorageUnavailable } from "../storage/blobs.ts";

const health = z.strictObject({ status: z.literal("ok") }).openapi("Health");

const getHealth = defineContract({
  operationId: "getHealth",
  method: "GET",
  path: "/healthz",
  root: true,
  summary: "Whether the Worker runs",
  tags: ["Service"],
  role: "public",
  response: { status: 200, schema: health, description: "It runs." },
});

const getReadiness = defineContract({
  operationId: "getReadiness",
  method: "GET",
  path: "/readyz",
  root: true,
  summary: "Whether the service can do its work",
  description: "Asks the database and the bucket too.",
  tags: ["Service"],
  role: "public",
  response: { status: 200, schema: health, description: "It can." },
});

export const healthRoutes: readonly Route[] = [
  createHandler(getHealth, async () => reply({ status: "ok" as const })),
  createHandler(getReadiness, async ({ isDatabaseReady, blobs }) => {
    const [hasDatabase, hasBucket] = await Promise.all([isDatabaseReady(), blobs.isReady()]);
    if (!hasDatabase) throw new DatabaseUnavailable("The database did not answer");
    if (!hasBucket) throw new StorageUnavailable("The bucket did not answer");
    return reply({ status: "ok" as const });
  }),
];
