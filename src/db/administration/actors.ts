import { type SQL, sql } from "drizzle-orm";
import { isUuid } from "../sql/uuid.ts";

/** Selects the ids of a person's credentials as events and reviews have them: API keys, and the subject of tokens. */
export function credentialsOf(personId: string): SQL {
  return sql`select k.id::text from api_keys k where k.person_id = ${personId}::uuid
    union all select p.subject from people p where p.id = ${personId}::uuid and p.subject is not null`;
}

/** The condition that a column holds the id of an actor, or of any credential of the person with this id. */
export function isActor(actorId: SQL, actor: string): SQL {
  if (!isUuid(actor)) return sql`${actorId} = ${actor}`;
  // An array, because Postgres would plan a subquery as a join that starts from the credentials.
  return sql`${actorId} = any(array(select ${actor}::text union all ${credentialsOf(actor)}))`;
}
