-- Administration gets a history of its own: append-only events in a hash chain per tenant, whose head orders all
-- administrative writes. Keys get an end, the key that they replace, their kind, and a table of when they were used.
-- What exists already is described by one event for each row.
CREATE TABLE "admin_events" (
	"tenant_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"type" text NOT NULL,
	"subject_kind" text NOT NULL,
	"subject_id" text NOT NULL,
	"actor_id" text NOT NULL,
	"actor_name" text NOT NULL,
	"actor_kind" text NOT NULL,
	"actor_role" text NOT NULL,
	"reason" text,
	"payload" text NOT NULL,
	"operation_id" uuid NOT NULL,
	"request_id" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"prev_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "admin_events_tenant_id_seq_pk" PRIMARY KEY("tenant_id","seq"),
	CONSTRAINT "admin_events_head" UNIQUE("tenant_id","seq","hash"),
	CONSTRAINT "admin_events_type" CHECK ("admin_events"."type" = any ('{"state_imported","tenant_created","key_created","key_rotated","key_revoked","person_created","person_changed","person_deactivated","pipeline_changed","pipeline_secret_rotated","webhook_created","webhook_changed","webhook_secret_rotated","webhook_deleted","webhook_delivery_retried"}'::text[])),
	CONSTRAINT "admin_events_subject_kind" CHECK ("admin_events"."subject_kind" = any ('{"tenant","key","person","pipeline","webhook"}'::text[])),
	CONSTRAINT "admin_events_actor_kind" CHECK ("admin_events"."actor_kind" = any ('{"person","key","service","system"}'::text[])),
	CONSTRAINT "admin_events_actor_role" CHECK ("admin_events"."actor_role" = any ('{"viewer","operator","reviewer","admin","service"}'::text[]))
);
--> statement-breakpoint
CREATE TABLE "admin_heads" (
	"tenant_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"hash" "bytea" NOT NULL,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "admin_heads_tenant_id_pk" PRIMARY KEY("tenant_id")
);
--> statement-breakpoint
CREATE TABLE "api_key_uses" (
	"tenant_id" uuid NOT NULL,
	"key_id" uuid NOT NULL,
	"last_used_at" timestamp with time zone NOT NULL,
	CONSTRAINT "api_key_uses_tenant_id_key_id_pk" PRIMARY KEY("tenant_id","key_id")
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "kind" text DEFAULT 'machine' NOT NULL;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "replaces" uuid;--> statement-breakpoint
ALTER TABLE "api_keys" ADD COLUMN "expires_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "admin_events" ADD CONSTRAINT "admin_events_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "admin_heads" ADD CONSTRAINT "admin_heads_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_key_uses" ADD CONSTRAINT "api_key_uses_key_fk" FOREIGN KEY ("tenant_id","key_id") REFERENCES "public"."api_keys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "admin_events_subject" ON "admin_events" USING btree ("tenant_id","subject_kind","subject_id","seq");--> statement-breakpoint
CREATE INDEX "admin_events_actor" ON "admin_events" USING btree ("tenant_id","actor_id","seq");--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_replaces_fk" FOREIGN KEY ("tenant_id","replaces") REFERENCES "public"."api_keys"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_kind" CHECK ("api_keys"."kind" = any ('{"person","machine"}'::text[]));
--> statement-breakpoint
-- Returns the text of an event of administration that its hash covers: a JSON array of the format mark "sl1a" and every
-- column of the event, in a fixed order.
--
-- Called by: chain_admin_event and the invariants of administration (src/db/invariants/administration.ts). `npm run
-- verify` spells the text again without this function (scripts/verify/chains.ts), so that a tampered function is noticed.
--
-- Never change the text: every stored hash depends on each byte of it. A new format needs a new mark and a new
-- function.

create or replace function admin_event_canonical(
  tenant_id uuid, seq integer, type text, subject_kind text, subject_id text,
  actor_id text, actor_name text, actor_kind text, actor_role text,
  reason text, payload text, operation_id uuid, request_id text, at timestamptz
) returns text language sql stable parallel safe
  return json_build_array('sl1a', tenant_id, seq, type, subject_kind, subject_id,
    actor_id, actor_name, actor_kind, actor_role, reason, payload, operation_id, request_id,
    to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;
--> statement-breakpoint
-- Gives a new event of administration its place in the tenant's chain: seq, time, prev_hash and hash. Then moves the
-- head to it. Whatever the insert says about these columns is overwritten, so nobody can choose them.
--
-- Called by: the trigger admin_events_chained. The row lock on the head puts the events of a tenant in order. The time
-- never falls, even if the clock is set back.
--
-- Security definer, because the application may not write admin_heads: only a new event moves a head. The tables are
-- named with their schema, and pg_temp comes last, so that a temporary table cannot take their place.

create or replace function chain_admin_event() returns trigger
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  head public.admin_heads;
begin
  insert into public.admin_heads (tenant_id, seq, hash, at)
  values (new.tenant_id, 0, decode(repeat('00', 32), 'hex'), '-infinity')
  on conflict (tenant_id) do nothing;
  select * into head from public.admin_heads h where h.tenant_id = new.tenant_id for update;
  new.seq := head.seq + 1;
  new.at := greatest(clock_timestamp(), head.at);
  new.prev_hash := head.hash;
  new.hash := public.chain_link(null, head.hash, public.admin_event_canonical(
    new.tenant_id, new.seq, new.type, new.subject_kind, new.subject_id,
    new.actor_id, new.actor_name, new.actor_kind, new.actor_role,
    new.reason, new.payload, new.operation_id, new.request_id, new.at));
  update public.admin_heads h set seq = new.seq, hash = new.hash, at = new.at where h.tenant_id = new.tenant_id;
  return new;
end
$$;

revoke execute on function chain_admin_event() from public;
--> statement-breakpoint
-- Admits an administrative write: locks the tenant's head of administration, and then asks for the caller's key afresh.
-- Raises SL002 if the key has ended (revoked or expired), and SL003 if its role is no longer admin. Null stands for a
-- caller without a key, whose token was verified with the request.
--
-- Called by: writeAdministration (src/db/administration/write-administration.ts), as a statement of its own before the
-- write and in the same transaction. The write then sees everything that was committed before it got the lock.
--
-- Administrative writes of a tenant, revocations included, run one after another under this lock. A revocation that
-- commits first therefore wins. The share lock on the key also covers a revocation that did not take the head's lock.
--
-- Security definer, because the application may not lock a row of admin_heads, which it cannot update. The tenant comes
-- from the setting app.tenant_id.

create or replace function admit_administrator(key_id uuid) returns void
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  scope constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  present_role text;
begin
  perform from public.admin_heads h where h.tenant_id = scope for update;
  if key_id is null then
    return;
  end if;
  select k.role into present_role from public.api_keys k
  where k.tenant_id = scope and k.id = key_id
    and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
  for share;
  if not found then
    raise exception using errcode = 'SL002', message = 'The credential of the caller has ended.';
  end if;
  if present_role <> 'admin' then
    raise exception using errcode = 'SL003', message = 'The caller no longer has the role admin.';
  end if;
end
$$;

revoke execute on function admit_administrator(uuid) from public;
grant execute on function admit_administrator(uuid) to stepledger_app;
--> statement-breakpoint
-- admin_events is append-only: rows are never updated or deleted. Rejected by refuse_change with SQLSTATE SL001, for
-- every role.
--
-- The application is granted only SELECT and INSERT; this holds for the owner too.

create or replace trigger admin_events_append_only before update or delete on admin_events for each row
  execute function refuse_change('History only grows.');
--> statement-breakpoint
-- Every new event of administration gets its seq, time and hashes from the database, and moves its tenant's head.

create or replace trigger admin_events_chained before insert on admin_events for each row
  execute function chain_admin_event();
--> statement-breakpoint
-- Nothing truncates admin_events: the row trigger admin_events_append_only does not see a TRUNCATE. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.

create or replace trigger admin_events_no_truncate before truncate on admin_events for each statement
  execute function refuse_change('Nothing deletes history.');
--> statement-breakpoint
-- Nothing deletes a head of administration. Rejected by refuse_change with SQLSTATE SL001, for every role.

create or replace trigger admin_heads_kept before delete on admin_heads for each row
  execute function refuse_change('Nothing deletes history.');
--> statement-breakpoint
-- A head moves only to a newer event: seq must grow, and the time never falls. Rejected by refuse_change with SQLSTATE
-- SL001, for every role. With the deferred key admin_heads_newest_event_fk, the head is always an event's hash.

create or replace trigger admin_heads_move_with_event before update on admin_heads for each row
  when (new.seq <= old.seq or new.at < old.at or new.tenant_id <> old.tenant_id)
  execute function refuse_change('A head moves only together with a new event.');
--> statement-breakpoint
-- Nothing truncates admin_heads: the row trigger admin_heads_kept does not see a TRUNCATE. Rejected by refuse_change
-- with SQLSTATE SL001, for every role.

create or replace trigger admin_heads_no_truncate before truncate on admin_heads for each statement
  execute function refuse_change('Nothing deletes history.');
--> statement-breakpoint
-- A key ends and stays ended: a revocation is never taken back or changed, and an expiry only comes earlier. Everything
-- else about a key is fixed when it is created. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from src/db/tenants/api-keys.ts: revoking a key, and rotating it with an overlap.

create or replace trigger api_keys_end_once before update on api_keys for each row
  when ((old.revoked_at is not null
      and (new.revoked_at, new.revoked_by) is distinct from (old.revoked_at, old.revoked_by))
    or (old.expires_at is not null and (new.expires_at is null or new.expires_at > old.expires_at))
    or (new.tenant_id, new.id, new.name, new.role, new.kind, new.digest, new.last_four, new.replaces, new.created_by,
        new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.name, old.role, old.kind, old.digest, old.last_four, old.replaces, old.created_by,
        old.created_at))
  execute function refuse_change('Of a key only its end is set, and it never comes later.');
--> statement-breakpoint
-- Keys are never deleted: a revoked key stays, so that the history of administration can be checked against it. Rejected
-- by refuse_change with SQLSTATE SL001, for every role.

create or replace trigger api_keys_kept before delete on api_keys for each row
  execute function refuse_change('Nothing deletes a key.');
--> statement-breakpoint
-- Nothing truncates api_keys: the row trigger api_keys_kept does not see a TRUNCATE. Rejected by refuse_change with
-- SQLSTATE SL001, for every role.

create or replace trigger api_keys_no_truncate before truncate on api_keys for each statement
  execute function refuse_change('Nothing deletes a key.');
--> statement-breakpoint

-- The head is an event's hash. Deferred, because an event and its head are written one after the other.
alter table admin_heads add constraint admin_heads_newest_event_fk
  foreign key (tenant_id, seq, hash) references admin_events (tenant_id, seq, hash) deferrable initially deferred;
--> statement-breakpoint
alter table admin_events enable row level security;
--> statement-breakpoint
alter table admin_events force row level security;
--> statement-breakpoint
create policy admin_events_of_tenant on admin_events to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy admin_events_of_owner on admin_events to stepledger_owner using (true) with check (true);
--> statement-breakpoint
alter table admin_heads enable row level security;
--> statement-breakpoint
alter table admin_heads force row level security;
--> statement-breakpoint
create policy admin_heads_of_tenant on admin_heads to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy admin_heads_of_owner on admin_heads to stepledger_owner using (true) with check (true);
--> statement-breakpoint
alter table api_key_uses enable row level security;
--> statement-breakpoint
alter table api_key_uses force row level security;
--> statement-breakpoint
create policy api_key_uses_of_tenant on api_key_uses to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy api_key_uses_of_owner on api_key_uses to stepledger_owner using (true) with check (true);
--> statement-breakpoint

-- The application cannot even name the columns of the chain, which a trigger sets.
grant select on admin_events, admin_heads, api_key_uses to stepledger_app;
--> statement-breakpoint
grant insert (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind, actor_role, reason, payload,
  operation_id, request_id) on admin_events to stepledger_app;
--> statement-breakpoint
grant insert, update (last_used_at) on api_key_uses to stepledger_app;
--> statement-breakpoint
grant update (expires_at) on api_keys to stepledger_app;
--> statement-breakpoint

-- What existed before the stream did: one event for each row, with its state at the time of the migration.
insert into admin_events (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind, actor_role,
  payload, operation_id, request_id)
select s.tenant_id, 'state_imported', s.kind, s.id, 'migration', 'Migration', 'system', 'admin',
  jsonb_build_object('before', null, 'after', s.state)::text, new_id(), 'migration'
from (
  select 1 as place, r.id as tenant_id, 'tenant' as kind, r.id::text as id, r.created_at,
    jsonb_build_object('id', r.id, 'name', r.name, 'createdAt', iso(r.created_at)) as state
  from tenants r
  union all
  select 2, r.tenant_id, 'key', r.id::text, r.created_at,
    jsonb_build_object('id', r.id, 'name', r.name, 'role', r.role, 'kind', r.kind,
      'fingerprint', encode(sha256(r.digest), 'hex'), 'lastFour', r.last_four, 'replaces', r.replaces,
      'createdBy', r.created_by, 'createdAt', iso(r.created_at), 'expiresAt', iso(r.expires_at),
      'revokedAt', iso(r.revoked_at), 'revokedBy', r.revoked_by)
  from api_keys r
  union all
  select 3, r.tenant_id, 'pipeline', r.name, r.created_at,
    jsonb_build_object('name', r.name, 'endpoint', r.endpoint, 'timeoutSeconds', r.timeout_seconds,
      'runDeadlineSeconds', r.run_deadline_seconds, 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at))
  from pipelines r
  union all
  select 4, r.tenant_id, 'webhook', r.name, r.created_at,
    jsonb_build_object('name', r.name, 'id', r.id, 'url', r.url, 'events', to_jsonb(r.events),
      'enabled', r.enabled, 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at), 'deletedAt', iso(r.deleted_at))
  from webhooks r
) s order by s.tenant_id, s.place, s.created_at, s.id;
--> statement-breakpoint
-- Checks the heads now: the migrations after this one run in the same transaction, and Postgres alters no table with
-- pending checks.
set constraints all immediate;
--> statement-breakpoint
set constraints all deferred;
