import { uuidv7 } from "uuidv7";
import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  type FoundSubject,
  findSubject,
  recordSignIn,
  type SignInProfile,
} from "../../db/tenants/people.ts";
import type { Role } from "../../domain/actor.ts";
import type { Person } from "../../domain/person.ts";
import type { TenantKind } from "../../domain/tenant-kind.ts";

/** A verified token, as far as it says who its subject is. */
export interface SignIn extends SignInProfile {
  /** Names the token in the ledger. */
  credentialName: string;
  /** The role that the token names; null if it names none. */
  role: Role | null;
  expiresAt: Date;
  requestId: string;
}

/** The person whom a token identifies, null for a machine, whose role is `service`; and the kind of their tenant. */
export type SignedIn =
  | { ok: true; person: Person | null; tenantKind: TenantKind }
  | { ok: false; reason: "token_tenant_unknown" | "person_inactive" | "token_role_claim" };

/**
 * Returns the person whom a token identifies. Someone who signs in for the first time is recorded, and so is a changed
 * name or address; otherwise this is one round trip that only reads. Someone without any role is not recorded.
 */
export async function signIn(database: TenantDatabase, token: SignIn): Promise<SignedIn> {
  const found = await findSubject(database, token);
  if (found === null) return { ok: false, reason: "token_tenant_unknown" };
  const { person, invited, tenantKind } = found;
  if (person?.active === false) return { ok: false, reason: "person_inactive" };
  if (token.role === "service") return { ok: true, person: null, tenantKind };
  const known = person ?? invited;
  if (token.role === null && (known?.role ?? null) === null) {
    return { ok: false, reason: "token_role_claim" };
  }
  if (person !== null && !hasNews(token, person)) return { ok: true, person, tenantKind };
  const recorded = await record(database, token, known);
  return recorded === null
    ? { ok: false, reason: "person_inactive" }
    : { ok: true, person: recorded, tenantKind };
}

/** Whether the token says something else than what was recorded, and is newer than what said that. */
function hasNews({ name, email, issuedAt }: SignIn, person: NonNullable<FoundSubject["person"]>) {
  const isOther =
    (name !== null && name !== person.name) || (email !== null && email !== person.email);
  return isOther && (person.claimedAt === null || issuedAt > new Date(person.claimedAt));
}

/** Records the person; returns null if they are not active. */
async function record(
  database: TenantDatabase,
  token: SignIn,
  known: Person | null,
): Promise<Person | null> {
  const { subject, name, credentialName, requestId, expiresAt } = token;
  const role = token.role ?? known?.role;
  if (role === undefined || role === null) throw new Error("Someone without a role signed in");
  const id = uuidv7();
  const recorded = await recordSignIn(
    database,
    { ...token, newId: uuidv7() },
    {
      actor: { id: subject, name: name ?? known?.name ?? subject, kind: "person", role },
      // Signing in takes no right of administration: it only waits for its turn.
      credential: { type: "token", expiresAt, personId: null, namesRole: true },
      reason: null,
      operation: { id, actorId: credentialName, route: "signIn", key: null, fingerprint: id },
      requestId,
    },
  );
  if (recorded.outcome === "written") return recorded.rows[0]?.person ?? null;
  // The same statement stored it in an attempt whose answer was lost.
  return recorded.outcome === "replayed" ? (recorded.operation.result as Person) : null;
}
