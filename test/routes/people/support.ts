import type { CreatedKey } from "../../../src/actions/keys/new-key.ts";
import type { PersonRecord } from "../../../src/db/tenants/people.ts";
import type { Role } from "../../../src/domain/actor.ts";
import { type Answer, expectDone, type TestApi } from "../../support/api.ts";
import { signToken, type TokenOptions } from "../../support/tokens.ts";

export interface PersonPage {
  data: PersonRecord[];
  nextCursor: string | null;
}

/** Creates or changes a person. */
export function putPerson(
  api: TestApi,
  id: string,
  body: object,
  options: { bearer?: string; as?: Role } = {},
): Promise<Answer<PersonRecord>> {
  return api.call<PersonRecord>("PUT", `/people/${id}`, { body, ...options });
}

export async function givenPerson(
  api: TestApi,
  body: object = {},
  bearer = api.tenant.keys.admin,
): Promise<PersonRecord> {
  const person = { name: "Ada", ...body };
  return expectDone(await putPerson(api, crypto.randomUUID(), person, { bearer }), 201);
}

/** Creates an API key of a person. */
export async function givenKeyOf(
  api: TestApi,
  { id }: { id: string },
  role: Role = "reviewer",
  bearer = api.tenant.keys.admin,
): Promise<CreatedKey & { key: string }> {
  const body = { name: "Laptop", role, personId: id };
  const created = expectDone(
    await api.call<CreatedKey>("POST", "/api-keys", { bearer, body }),
    201,
  );
  return { ...created, key: created.key ?? "" };
}

/** Returns a token of the tenant. `issued` is in seconds before now. */
export function tokenFor(
  api: TestApi,
  claims: Record<string, unknown>,
  { issued, ...options }: Partial<TokenOptions> & { issued?: number } = {},
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000) - (issued ?? 0);
  return signToken({ claims: { tenant_id: api.tenant.id, iat, ...claims }, ...options });
}

export async function peopleOf(api: TestApi, query = ""): Promise<PersonRecord[]> {
  return expectDone(await api.call<PersonPage>("GET", `/people?${query}`)).data;
}
