import * as z from "zod";
import { createKey } from "../actions/keys/create-key.ts";
import { revokeKey } from "../actions/keys/revoke-key.ts";
import { listApiKeys } from "../db/tenants/api-keys.ts";
import { ROLES } from "../domain/actor.ts";
import { KEY_CACHE_SECONDS } from "./http/auth-api-key.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { name, page, paging, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";

const role = z.enum(ROLES).openapi("Role");

const keyFields = {
  id: uuid,
  name: z.string(),
  role,
  lastFour: z.string(),
  createdBy: z.string(),
  createdAt: timestamp,
  revokedAt: timestamp.nullable(),
  revokedBy: z.string().nullable(),
};

const postKey = defineContract({
  operationId: "createApiKey",
  method: "POST",
  path: "/api-keys",
  summary: "Create an API key",
  description:
    "Only this response contains the key; the service stores its digest. A retry with the same `Idempotency-Key` returns the same API key with `key: null`. If you lost the first response, revoke the API key and create another.",
  tags: ["Administration"],
  role: "admin",
  body: z.strictObject({ name: name(100), role }).openapi("CreateApiKey"),
  response: {
    status: 201,
    description: "The new API key.",
    schema: z.strictObject({ ...keyFields, key: z.string().nullable() }).openapi("CreatedApiKey"),
    headers: ["Location"],
  },
  idempotency: "optional",
});

const getKeys = defineContract({
  operationId: "listApiKeys",
  method: "GET",
  path: "/api-keys",
  summary: "List API keys",
  description: "Returns the API keys of the tenant, newest first, including revoked ones.",
  tags: ["Administration"],
  role: "admin",
  service: false,
  query: z.strictObject(paging),
  response: {
    status: 200,
    description: "A page of keys.",
    schema: page(z.strictObject(keyFields).openapi("ApiKey")),
  },
  errors: ["invalid_cursor"],
});

const deleteKey = defineContract({
  operationId: "revokeApiKey",
  method: "DELETE",
  path: "/api-keys/{keyId}",
  summary: "Revoke an API key",
  description: `Revokes the API key permanently. If it was used recently, it can be accepted for up to ${KEY_CACHE_SECONDS} more seconds.`,
  tags: ["Administration"],
  role: "admin",
  params: z.strictObject({ keyId: uuid }),
  response: {
    status: 200,
    description: "The revoked API key.",
    schema: z
      .strictObject({
        ...keyFields,
        effectiveWithinSeconds: z.int().openapi({
          description: "The number of seconds after which the key is no longer accepted.",
        }),
      })
      .openapi("RevokedApiKey"),
  },
  errors: ["not_found", "operation_in_progress"],
});

export const keyRoutes: readonly Route[] = [
  createHandler(postKey, async (call, { body }) => {
    const { signingSecret } = call.settings;
    const outcome = await createKey({ ...call, signingSecret }, body);
    if (!outcome.ok) return outcome;
    const { value, replayed } = outcome.value;
    return reply(value, { headers: { location: `/v1/api-keys/${value.id}` }, replayed });
  }),
  createHandler(getKeys, (call, { query }) =>
    answerPage(call, query, {
      operationId: getKeys.operationId,
      filter: null,
      sort: "-id",
      position: uuid,
      read: (after, limit) => listApiKeys(call.database, { after, limit }),
      positionOf: ({ id }) => id,
      itemOf: (key) => key,
    }),
  ),
  createHandler(deleteKey, async (call, { params }) => {
    const outcome = await revokeKey(call, params.keyId);
    if (!outcome.ok) return outcome;
    return reply({ ...outcome.value.value, effectiveWithinSeconds: KEY_CACHE_SECONDS });
  }),
];
