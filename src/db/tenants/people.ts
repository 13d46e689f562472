import { type SQL, sql } from "drizzle-orm";
import type { PeopleRole } from "../../domain/rights.ts";
import { identityOf, type Person } from "../../domain/person.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";
import { stateOf } from "../administration/admin-states.ts";
import { lastAdminKey } from "../../domain/refusals.ts";
import {
  type Administered,
  type Administration,
  insertAdminEvents,
  writeAdministration,
} from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { IS_LIVE } from "./api-keys.ts";

/** A person as answers show them. */
export interface PersonRecord extends Person {
  createdAt: string;
  updatedAt: string;
}

const PERSON_MEMBERS = sql`'id', p.id, 'subject', p.subject, 'name', p.name, 'email', p.email,
  'role', p.role, 'active', p.active, 'createdAt', iso(p.created_at), 'updatedAt', iso(p.updated_at)`;

/** A PersonRecord as JSON, from the alias p. */
const PERSON_JSON = sql`json_build_object(${PERSON_MEMBERS})`;

/** Whom a subject identifies: a known person, or one who was entered with an email address and never signed in. */
export interface FoundSubject {
  tenantKind: TenantKind;
  person: (Person & { claimedAt: string | null }) | null;
  invited: Person | null;
}

/** What a token says about a person. */
export interface SignInProfile {
  subject: string;
  name: string | null;
  email: string | null;
  /** Only a verified address identifies someone who was entered before. */
  isEmailVerified: boolean;
  issuedAt: Date;
}

/**
 * The id of the one active person who has this email address and has never signed in; null if there is none, or more
 * than one.
 */
function invitedId({ email, isEmailVerified }: SignInProfile): SQL {
  if (email === null || !isEmailVerified) return sql`null::uuid`;
  return sql`(select case when count(*) = 1 then (array_agg(i.id))[1] end from people i
    where i.subject is null and i.active and lower(i.email) = lower(${email}))`;
}

/** Returns whom a subject identifies; null if the tenant does not exist. */
export async function findSubject(
  database: TenantDatabase,
  profile: SignInProfile,
): Promise<FoundSubject | null> {
  const [row] = await database.read<
    Omit<FoundSubject, "tenantKind"> & { tenantKind: TenantKind | null }
  >(sql`
    select tenant_kind() as "tenantKind",
      (select json_build_object('id', p.id, 'subject', p.subject, 'name', p.name, 'email', p.email, 'role', p.role,
          'active', p.active, 'claimedAt', iso(p.claimed_at))
        from people p where p.subject = ${profile.subject}) as person,
      (select ${PERSON_JSON} from people p where p.id = ${invitedId(profile)}) as invited`);
  const { tenantKind = null, person = null, invited = null } = row ?? {};
  return tenantKind === null ? null : { tenantKind, person, invited };
}

/**
 * Records what a token says about its subject: creates the person, or updates the name and the address. Someone who was
 * entered before gets the subject. Returns no row if the person is not active.
 */
export function recordSignIn(
  database: TenantDatabase,
  profile: SignInProfile & { newId: string },
  by: Administration,
): Promise<Administered<{ person: Person }>> {
  const { tenantId } = database;
  const { subject, name, email, newId } = profile;
  const target = sql`coalesce((select s.id from people s where s.subject = ${subject}), ${invitedId(profile)}, ${newId}::uuid)`;
  return writeAdministration(database, by, {
    subject: "person",
    before: sql`select ${stateOf("person", "p")} as state from people p where p.tenant_id = ${tenantId} and p.id = ${target}`,
    change: sql`
  insert into people as p (tenant_id, id, subject, name, email, claimed_at)
  values (${tenantId}, ${target}, ${subject}, ${name ?? subject}, ${email}, ${profile.issuedAt.toISOString()})
  on conflict (tenant_id, id) do update set subject = excluded.subject, name = coalesce(${name}, p.name),
    email = coalesce(${email}, p.email), claimed_at = excluded.claimed_at, updated_at = now()
  where p.active
  returning p.id::text as subject, ${stateOf("person", "p")} as state, ${PERSON_JSON} as person`,
    type: sql`case when was.state is null then 'person_created' else 'person_changed' end`,
    result: sql`changed.person`,
    columns: sql`person`,
  });
}

/** What an administrator sets about a person. */
export type PersonSettings = Person;

/** A person after a change, and whether the change created them. */
export type StoredPerson = PersonRecord & { isNew: boolean };

/**
 * Creates or changes a person. Deactivating someone revokes their working API keys, each with an event of its own,
 * and ends their claims of reviews. Refuses to end the admin key that works longest. Returns no row if another person has
 * the subject.
 */
export function storePerson(
  database: TenantDatabase,
  { id, subject, name, email, role, active }: PersonSettings,
  by: Administration,
): Promise<Administered<{ record: StoredPerson }>> {
  const { tenantId } = database;
  const isSubjectFree = sql`not exists (select from people o
    where o.tenant_id = ${tenantId} and o.subject = ${subject}::text and o.id <> ${id}::uuid)`;
  const keepsAdmin = sql`(${active}::boolean or not exists (select from api_keys k
    where k.tenant_id = ${tenantId} and k.person_id = ${id}::uuid and k.role = 'admin' and ${IS_LIVE}
      and not exists (select from api_keys o where o.tenant_id = k.tenant_id
        and o.person_id is distinct from k.person_id and o.role = 'admin' and o.revoked_at is null
        and coalesce(o.expires_at, 'infinity') >= coalesce(k.expires_at, 'infinity'))))`;
  return writeAdministration(database, by, {
    subject: "person",
    before: sql`
  select ${stateOf("person", "p")} as state, p.active from people p where p.tenant_id = ${tenantId} and p.id = ${id}`,
    change: sql`
  insert into people as p (tenant_id, id, subject, name, email, role, active)
  select ${tenantId}::uuid, ${id}::uuid, ${subject}::text, ${name}::text, ${email}::text, ${role}::text,
    ${active}::boolean
  where ${isSubjectFree} and ${keepsAdmin}
  on conflict (tenant_id, id) do update set subject = excluded.subject, name = excluded.name, email = excluded.email,
    role = excluded.role, active = excluded.active,
    updated_at = case when (p.subject, p.name, p.email, p.role, p.active) is distinct from
        (excluded.subject, excluded.name, excluded.email, excluded.role, excluded.active)
      then now() else p.updated_at end
  returning p.id::text as subject, ${stateOf("person", "p")} as state, p.id, p.active,
    json_build_object(${PERSON_MEMBERS}, 'isNew', not exists (select from was)) as record`,
    effects: sql`,
ending as materialized (
  select k.tenant_id, k.id, ${stateOf("key", "k")} as state
  from api_keys k join changed on k.person_id = changed.id
  where k.tenant_id = ${tenantId} and not changed.active and ${IS_LIVE}
),
ended as (
  update api_keys k set revoked_at = now(), revoked_by = ${by.actor.id}::text
  from ending where k.tenant_id = ending.tenant_id and k.id = ending.id
  returning k.id, ending.state as before, ${stateOf("key", "k")} as after
),
let_go as (
  update review_slots s set lease_until = now() from changed
  where s.tenant_id = ${tenantId} and s.person = ${identityOf("", id)} and s.slot is not null
    and s.lease_until > now() and not changed.active
),
reported as (
  ${insertAdminEvents(tenantId, by, {
    subject: "key",
    rows: sql`select 'key_revoked', id::text, jsonb_build_object('before', before, 'after', after) from ended`,
  })}
)`,
    type: sql`case when was.state is null then 'person_created'
      when was.active and not changed.active then 'person_deactivated' else 'person_changed' end`,
    refusals: [{ when: sql`not ${keepsAdmin}`, refusal: lastAdminKey() }],
    result: sql`changed.record`,
    columns: sql`record`,
  });
}

/** Returns the id of the person who has this subject; null if there is none. */
export async function findSubjectOwner(
  database: TenantDatabase,
  subject: string,
): Promise<string | null> {
  const [row] = await database.read<{ id: string }>(
    sql`select p.id from people p where p.subject = ${subject}`,
  );
  return row?.id ?? null;
}

const PERSON_FILTERS = {
  active: (active: boolean) => sql`p.active = ${active}`,
  role: (role: PeopleRole) => sql`p.role = ${role}`,
  subject: (subject: string) => sql`p.subject = ${subject}`,
  email: (email: string) => sql`lower(p.email) = lower(${email})`,
  /** The actor's id in an event: that of an API key, or the subject of a token. */
  actorId: (id: string) => sql`(p.subject = ${id} or p.id in (
    select k.person_id from api_keys k where k.id::text = ${id}))`,
};
export type PersonFilter = FilterOf<typeof PERSON_FILTERS>;

/** Returns a page of people, newest first. */
export async function listPeople(
  database: TenantDatabase,
  filter: PersonFilter,
  { after, limit }: { after: string | null; limit: number },
): Promise<PersonRecord[]> {
  const condition = allOf(matches(PERSON_FILTERS, filter), after !== null && sql`p.id < ${after}`);
  const rows = await database.read<{ record: PersonRecord }>(
    sql`select ${PERSON_JSON} as record from people p where ${condition} order by p.id desc limit ${limit}`,
  );
  return rows.map(({ record }) => record);
}

/** Returns a person; null if there is none with this id. */
export async function findPerson(
  database: TenantDatabase,
  id: string,
): Promise<PersonRecord | null> {
  const [row] = await database.read<{ record: PersonRecord }>(
    sql`select ${PERSON_JSON} as record from people p where p.id = ${id}`,
  );
  return row?.record ?? null;
}
