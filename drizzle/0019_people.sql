-- People: whose API key and whose tokens. A key can belong to a person from its creation on; keys that exist stay those
-- of programs. Events keep naming credentials, and person_of derives the person.
CREATE TABLE "people" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"subject" text,
	"name" text NOT NULL,
	"email" text,
	"role" text,
	"active" boolean DEFAULT true NOT NULL,
	"claimed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "people_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "people_role" CHECK ("people"."role" = any ('{"viewer","operator","reviewer","admin"}'::text[]))
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "person_id" uuid;--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "people_subject" ON "people" USING btree ("tenant_id","subject") WHERE subject is not null;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_person_fk" FOREIGN KEY ("tenant_id","person_id") REFERENCES "public"."people"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_person" ON "api_keys" USING btree ("tenant_id","person_id") WHERE person_id is not null;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_person" CHECK ("api_keys"."person_id" is null or ("api_keys"."kind" = 'person' and "api_keys"."role" <> 'service'));
--> statement-breakpoint
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE people FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY people_of_tenant ON people FOR ALL TO stepledger_app
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY people_of_owner ON people FOR ALL TO stepledger_owner USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE (subject, name, email, role, active, claimed_at, updated_at) ON people TO stepledger_app;
--> statement-breakpoint
-- Asks afresh for the person whose token administers. Raises SL002 if the person is not active any more, and SL003 if the
-- token named no role and the person's own role is no longer admin.
--
-- Called by: writeAdministration (src/db/administration/write-administration.ts), after admit_administrator has locked the
-- tenant's administration. The share lock also covers a change of the person that did not take that lock. The tenant
-- comes from row security.

create or replace function admit_person(person_id uuid, names_role boolean) returns void
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  own_role text;
begin
  select p.role into own_role from public.people p
  where p.tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid and p.id = person_id and p.active
  for share;
  if not found then
    raise exception using errcode = 'SL002', message = 'The credential of the caller has ended.';
  end if;
  if not names_role and own_role is distinct from 'admin' then
    raise exception using errcode = 'SL003', message = 'The caller no longer has the role admin.';
  end if;
end
$$;

revoke execute on function admit_person(uuid, boolean) from public;
grant execute on function admit_person(uuid, boolean) to stepledger_app;
--> statement-breakpoint
-- Returns the person of an event's actor: whose API key it was, or whose token. Null for a machine, for the service itself,
-- and for a credential that is nobody's.
--
-- Called by: reads that show or compare people (src/db). Events name only the credential that acted, so that their hashes
-- never change; this is the one place that knows whose it is. Row security limits it to the caller's tenant.

create or replace function person_of(tenant uuid, actor_kind text, actor_id text) returns uuid
  language sql stable parallel safe
  return case actor_kind
    when 'key' then (select k.person_id from api_keys k where k.tenant_id = tenant
      and k.id = case when actor_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then actor_id::uuid end)
    when 'person' then (select p.id from people p where p.tenant_id = tenant and p.subject = actor_id)
  end;
--> statement-breakpoint
-- People are never deleted: events name them. Someone who leaves is deactivated. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger people_kept before delete on people for each row
  execute function refuse_change('Nothing deletes a person.');
--> statement-breakpoint
-- Nothing truncates people: the row trigger people_kept does not see a TRUNCATE. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger people_no_truncate before truncate on people for each statement
  execute function refuse_change('Nothing deletes a person.');
--> statement-breakpoint
-- A key ends and stays ended: a revocation is never taken back or changed, and an expiry only comes earlier. Everything
-- else about a key is fixed when it is created. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from src/db/tenants/api-keys.ts: revoking a key, and rotating it with an overlap.

create or replace trigger api_keys_end_once before update on api_keys for each row
  when ((old.revoked_at is not null
      and (new.revoked_at, new.revoked_by) is distinct from (old.revoked_at, old.revoked_by))
    or (old.expires_at is not null and (new.expires_at is null or new.expires_at > old.expires_at))
    or (new.tenant_id, new.id, new.name, new.role, new.kind, new.person_id, new.digest, new.last_four, new.replaces, new.created_by,
        new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.name, old.role, old.kind, old.person_id, old.digest, old.last_four, old.replaces, old.created_by,
        old.created_at))
  execute function refuse_change('Of a key only its end is set, and it never comes later.');
