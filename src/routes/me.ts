import * as z from "zod";
import { TENANT_KINDS } from "../domain/tenant-kind.ts";
import { readCaller } from "../db/tenants/tenants.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { timestamp, uuid } from "./http/schemas.ts";
import { actor } from "./shapes/event.ts";

const getMe = defineContract({
  operationId: "getMe",
  method: "GET",
  path: "/me",
  summary: "Retrieve the caller",
  description: "Returns the tenant and the actor of the credential, and whose it is.",
  tags: ["Administration"],
  role: "viewer",
  response: {
    status: 200,
    description: "The tenant and the actor.",
    schema: z
      .strictObject({
        tenant: z.strictObject({
          id: uuid,
          name: z.string(),
          kind: z
            .enum(TENANT_KINDS)
            .openapi({ description: "In a `demo`, life can be simulated. It never changes." }),
        }),
        time: z
          .strictObject({
            simulated: z.literal(true),
            now: timestamp.openapi({ description: "What the tenant's clock shows." }),
            speed: z.number().openapi({
              description: "Simulated seconds per second; 0 while the clock stands still.",
            }),
          })
          .optional()
          .openapi({
            description:
              "The simulated time of a demo, which dates everything that happens to tasks. Absent if time is real.",
          }),
        actor,
        person: z
          .strictObject({ id: uuid, name: z.string(), email: z.string().nullable() })
          .optional()
          .openapi({ description: "The person whose credential it is. Absent for a machine." }),
      })
      .openapi("Me"),
  },
});

export const meRoutes: readonly Route[] = [
  createHandler(getMe, async ({ tenantId, tenantKind, actor: caller, personId, database }) => {
    const { name, time, person } = await readCaller(database, personId);
    if (name === null) throw new Error("The tenant of an authenticated caller does not exist");
    return reply({
      tenant: { id: tenantId, name, kind: tenantKind },
      ...(time !== null && { time }),
      actor: caller,
      ...(person !== null && { person }),
    });
  }),
];
