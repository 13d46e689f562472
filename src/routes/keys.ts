import * as z from "zod";
import { createKey } from "../actions/keys/create-key.ts";
import { revokeKey } from "../actions/keys/revoke-key.ts";
import { rotateKey } from "../actions/keys/rotate-key.ts";
import { listApiKeys, LIVE_KEYS_MAX } from "../db/tenants/api-keys.ts";
import { KEY_KINDS, ROLES } from "../domain/actor.ts";
import { KEY_CACHE_SECONDS } from "./http/auth-api-key.ts";
import { reply, replyTo } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { name, page, paging, reason, time, timestamp, uuid } from "./http/schemas.ts";
import { answerPage } from "./http/paging.ts";

const role = z.enum(ROLES).openapi("Role");

const keyFields = {
  id: uuid,
  name: z.string(),
  role,
  kind: z.enum(KEY_KINDS).openapi({ description: "Whether a person or a program holds it." }),
  personId: uuid.nullable().openapi({ description: "The person who holds it." }),
  lastFour: z.string(),
  replaces: uuid.nullable().openapi({
    description: "The API key that this one was rotated from.",
  }),
  createdBy: z.string(),
  createdAt: timestamp,
  expiresAt: timestamp.nullable().openapi({
    description: "When it stops working by itself. Null if it does not expire.",
  }),
  lastUsedAt: timestamp.nullable().openapi({
    description: "When it was last used, to the hour. Null if it was never used.",
  }),
  revokedAt: timestamp.nullable(),
  revokedBy: z.string().nullable(),
};

const createdKey = { ...keyFields, key: z.string().nullable() };

/** The shortest overlap gives a caller that lost the response the time to rotate again. */
const OVERLAP_SECONDS_MIN = 300;
const OVERLAP_SECONDS_MAX = 30 * 24 * 60 * 60;
const OVERLAP_SECONDS_DEFAULT = 24 * 60 * 60;

const postKey = defineContract({
  operationId: "createApiKey",
  method: "POST",
  path: "/api-keys",
  summary: "Create an API key",
  description: `Only this response contains the key; the service stores its digest. A retry with the same \`Idempotency-Key\` returns the same API key with \`key: null\`. If you lost the first response, revoke the API key and create another. A tenant can have ${LIVE_KEYS_MAX} working API keys of programs.`,
  tags: ["Administration"],
  role: "admin",
  body: z
    .strictObject({
      name: name(100),
      role,
      personId: uuid.nullable().default(null).openapi({
        description:
          "The person who holds the API key: what they do with it is theirs, and it ends when they are deactivated. Null for a program. It cannot change later.",
      }),
      expiresAt: time.nullable().default(null).openapi({
        description: "When the API key stops working. Must be in the future. Null if never.",
      }),
      reason: reason.optional(),
    })
    .openapi("CreateApiKey"),
  example: { name: "Nightly import", role: "operator" },
  response: {
    status: 201,
    description: "The new API key.",
    schema: z.strictObject(createdKey).openapi("CreatedApiKey"),
    headers: ["Location"],
  },
  errors: ["not_found", "too_many_keys"],
  idempotency: "optional",
});

const rotate = defineContract({
  operationId: "rotateApiKey",
  method: "POST",
  path: "/api-keys/{keyId}/rotate",
  summary: "Rotate an API key",
  description:
    "Creates an API key with the same name and role, which only this response contains. The old one works until the overlap is over. A retry with the same `Idempotency-Key` returns `key: null`. If you lost the first response, rotate the old API key again.",
  tags: ["Administration"],
  role: "admin",
  params: z.strictObject({ keyId: uuid }),
  body: z
    .strictObject({
      overlapSeconds: z
        .int()
        .min(OVERLAP_SECONDS_MIN)
        .max(OVERLAP_SECONDS_MAX)
        .default(OVERLAP_SECONDS_DEFAULT)
        .openapi({
          description:
            "How long the old API key still works. Another rotation does not change that. To end it earlier, revoke it once the new one is in use.",
        }),
      expiresAt: time.nullable().optional().openapi({
        description:
          "When the new API key stops working; null if never. By default it gets the lifetime that the old one was created with.",
      }),
      reason: reason.optional(),
    })
    .openapi("RotateApiKey"),
  example: { overlapSeconds: 3600, reason: "The yearly rotation." },
  response: {
    status: 201,
    description: "The new API key.",
    schema: z
      .strictObject({
        ...createdKey,
        overlapUntil: timestamp.openapi({ description: "When the old API key stops working." }),
      })
      .openapi("RotatedApiKey"),
    headers: ["Location"],
  },
  errors: ["not_found", "key_ended", "too_many_keys", "last_admin_key"],
  idempotency: "optional",
});

const getKeys = defineContract({
  operationId: "listApiKeys",
  method: "GET",
  path: "/api-keys",
  summary: "List API keys",
  description: "Returns the API keys of the tenant, newest first, including those that have ended.",
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
  description: `Revokes the API key permanently. If it was used recently, it can be accepted for up to ${KEY_CACHE_SECONDS} more seconds, but not for administration. The last admin key cannot be revoked: another one has to work at least as long.`,
  tags: ["Administration"],
  role: "admin",
  params: z.strictObject({ keyId: uuid }),
  query: z.strictObject({ reason: reason.optional() }),
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
  errors: ["not_found", "last_admin_key", "operation_in_progress"],
});

export const keyRoutes: readonly Route[] = [
  createHandler(postKey, async (call, { body }) => {
    const { signingSecret } = call.settings;
    return replyTo(await createKey({ ...call, signingSecret }, body), ({ id }) => ({
      headers: { location: `/v1/api-keys/${id}` },
    }));
  }),
  createHandler(rotate, async (call, { params, body }) => {
    const { signingSecret } = call.settings;
    const rotated = await rotateKey({ ...call, signingSecret }, { ...params, ...body });
    return replyTo(rotated, ({ id }) => ({ headers: { location: `/v1/api-keys/${id}` } }));
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
  createHandler(deleteKey, async (call, { params, query }) => {
    const outcome = await revokeKey(call, { ...params, ...query });
    if (!outcome.ok) return outcome;
    return reply({ ...outcome.value.value, effectiveWithinSeconds: KEY_CACHE_SECONDS });
  }),
];
