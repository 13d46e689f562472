import * as z from "zod";
import { createKey } from "../actions/keys/create-key.ts";
import { revokeKey } from "../actions/keys/revoke-key.ts";
import { listApiKeys } from "../db/tenants/api-keys.ts";
import { ROLES } from "../domain/actor.ts";
import { KEY_CACHE_SECONDS } from "./http/auth.ts";
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
  summary: "Make an API key",
  description:
    "The key is in this answer alone: nothing keeps it, only its digest. A repeat with the same Idempotency-Key answers the same row with `key: null`; when the first answer was lost, revoke that key and make another.",
  tags: ["Administration"],
  role: "admin",
  body: z.strictObject({ name: name(100), role }).openapi("CreateApiKey"),
  response: {
    status: 201,
    description: "The key.",
    schema: z.strictObject({ ...keyFields, key: z.string().nullable() }).openapi("CreatedApiKey"),
    headers: ["Location"],
  },
  idempotency: "optional",
});

const getKeys = defineContract({
  operationId: "listApiKeys",
  method: "GET",
  path: "/api-keys",
  summary: "The API keys of the tenant",
  description: "Newest first, revoked ones too.",
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
  description: `For good. Where the key was used a moment ago it may be taken for up to ${KEY_CACHE_SECONDS} seconds more.`,
  tags: ["Administration"],
  role: "admin",
  params: z.strictObject({ keyId: uuid }),
  response: {
    status: 200,
    description: "The key is revoked.",
    schema: z
      .strictObject({
        ...keyFields,
        effectiveWithinSeconds: z.int().openapi({
          description: "From then on nobody takes the key.",
        }),
      })
      .openapi("RevokedApiKey"),
  },
  errors: ["not_found", "operation_in_progress"],
});

export const keyRoutes: readonly Route[] = [
  createHandler(postKey, async (call, { body }) => {
    const outcome = await createKey(call, body);
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
