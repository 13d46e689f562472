import * as z from "zod";
import { putPerson } from "../actions/people/put-person.ts";
import { findPerson, listPeople, type PersonFilter } from "../db/tenants/people.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { PEOPLE_ROLES } from "../domain/rights.ts";
import { KEY_CACHE_SECONDS } from "./http/auth-api-key.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { answerPage } from "./http/paging.ts";
import {
  booleanText,
  emailAddress,
  type FilterQuery,
  name,
  page,
  paging,
  reason,
  safeText,
  subject,
  timestamp,
  uuid,
} from "./http/schemas.ts";

const TAGS = ["Administration"] as const;

const personRole = z.enum(PEOPLE_ROLES);

export const person = z
  .strictObject({
    id: uuid,
    subject: z.string().nullable().openapi({
      description:
        "The subject of the person's tokens, and the actor's id in the events of these tokens.",
    }),
    name: z.string(),
    email: z.string().nullable(),
    role: personRole.nullable().openapi({
      description: "The person's role if a token names none. An API key has a role of its own.",
    }),
    active: z.boolean(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("Person");

const onPerson = z.strictObject({ personId: uuid });

const putContract = defineContract({
  operationId: "putPerson",
  method: "PUT",
  path: "/people/{personId}",
  summary: "Create or update a person",
  description: `Sets everything about a person; what is left out becomes null, and \`active\` becomes true. Someone who signs in with a token is created by that, and a newer token changes the name and the email address again. To invite someone, enter their verified email address and a role: their first sign-in sets \`subject\`. With \`active: false\`, all API keys of the person are revoked and their tokens are rejected; a credential that was used recently can be accepted for up to ${KEY_CACHE_SECONDS} more seconds, but not for administration. Returns 409 \`conflict\` if another person has the subject.`,
  tags: TAGS,
  role: "admin",
  params: onPerson,
  body: z
    .strictObject({
      name: name(),
      subject: subject.nullable().default(null),
      email: emailAddress.nullable().default(null),
      role: personRole.nullable().default(null),
      active: z.boolean().default(true),
      reason: reason.optional(),
    })
    .openapi("PutPerson"),
  example: { name: "Ada Lovelace", email: "ada@example.com", role: "reviewer" },
  response: { status: 201, description: "The new person.", schema: person },
  alternative: { status: 200, description: "The updated person.", schema: person },
  errors: ["conflict", "last_admin_key", "operation_in_progress"],
});

const listContract = defineContract({
  operationId: "listPeople",
  method: "GET",
  path: "/people",
  summary: "List people",
  description: "Returns the people of the tenant that match every given filter, newest first.",
  tags: TAGS,
  role: "viewer",
  service: false,
  query: z.strictObject({
    active: booleanText.optional(),
    role: personRole.optional(),
    subject: subject.optional(),
    email: emailAddress.optional(),
    actorId: safeText(262).optional().openapi({
      description:
        "The actor's id in an event or a review: finds the person whose API key or token it was.",
    }),
    ...paging,
  } satisfies FilterQuery<PersonFilter> & typeof paging),
  response: { status: 200, description: "A page of people.", schema: page(person) },
  errors: ["invalid_cursor"],
});

const getContract = defineContract({
  operationId: "getPerson",
  method: "GET",
  path: "/people/{personId}",
  summary: "Retrieve a person",
  tags: TAGS,
  role: "viewer",
  service: false,
  params: onPerson,
  response: { status: 200, description: "The person.", schema: person },
  errors: ["not_found"],
});

export const peopleRoutes: readonly Route[] = [
  createHandler(putContract, async (call, { params, body }) => {
    const outcome = await putPerson(call, { ...body, id: params.personId });
    if (!outcome.ok) return outcome;
    const { value, replayed } = outcome.value;
    const { isNew, ...record } = value;
    return reply(record, { replayed, ...(!isNew && { status: 200 }) });
  }),
  createHandler(listContract, (call, { query }) => {
    const { limit, cursor, ...filter } = query;
    return answerPage(
      call,
      { limit, cursor },
      {
        operationId: listContract.operationId,
        filter,
        sort: "-id",
        position: uuid,
        read: (after, rows) => listPeople(call.database, filter, { after, limit: rows }),
        positionOf: ({ id }) => id,
        itemOf: (item) => item,
      },
    );
  }),
  createHandler(getContract, async ({ database }, { params }) => {
    const found = await findPerson(database, params.personId);
    return found === null ? refuse(notFound()) : reply(found);
  }),
];
