-- The taxonomy gets levels, an order and an archive, and its changes become events of administration. No route has
-- written the table before. Rows that its owner wrote keep their codes: their level follows from their depth.
ALTER TABLE "admin_events" DROP CONSTRAINT "admin_events_type";--> statement-breakpoint
ALTER TABLE "admin_events" DROP CONSTRAINT "admin_events_subject_kind";--> statement-breakpoint
ALTER TABLE "taxonomy" ADD COLUMN "level" text;--> statement-breakpoint
with recursive found as (
  select tenant_id, code, 1 as depth from taxonomy where parent_code is null
  union all
  select t.tenant_id, t.code, f.depth + 1 from taxonomy t
    join found f on f.tenant_id = t.tenant_id and f.code = t.parent_code
)
update taxonomy t set level = (array['domain', 'category', 'difficulty'])[f.depth]
from found f where f.tenant_id = t.tenant_id and f.code = t.code;--> statement-breakpoint
set constraints all immediate;--> statement-breakpoint
set constraints all deferred;--> statement-breakpoint
ALTER TABLE "taxonomy" ALTER COLUMN "level" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "taxonomy" ADD COLUMN "position" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "taxonomy" ADD COLUMN "archived_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "taxonomy" ADD COLUMN "updated_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "admin_events" ADD CONSTRAINT "admin_events_type" CHECK ("admin_events"."type" = any ('{"state_imported","tenant_created","key_created","key_rotated","key_revoked","person_created","person_changed","person_deactivated","pipeline_changed","pipeline_secret_rotated","webhook_created","webhook_changed","webhook_secret_rotated","webhook_deleted","webhook_delivery_retried","webhook_deliveries_retried","webhook_switched_off","taxonomy_created","taxonomy_changed","taxonomy_archived","taxonomy_restored"}'::text[]));--> statement-breakpoint
ALTER TABLE "admin_events" ADD CONSTRAINT "admin_events_subject_kind" CHECK ("admin_events"."subject_kind" = any ('{"tenant","key","person","pipeline","webhook","taxonomy"}'::text[]));--> statement-breakpoint
ALTER TABLE "taxonomy" ADD CONSTRAINT "taxonomy_level" CHECK ("taxonomy"."level" = any ('{"domain","category","difficulty"}'::text[]));--> statement-breakpoint
ALTER TABLE "taxonomy" ADD CONSTRAINT "taxonomy_parent" CHECK ("taxonomy"."parent_code" is not null or "taxonomy"."level" = 'domain');
--> statement-breakpoint
-- Rows are never deleted, and keep their code and level.
GRANT UPDATE (label, parent_code, position, archived_at, updated_at) ON taxonomy TO stepledger_app;
--> statement-breakpoint
insert into admin_events (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind, actor_role,
  payload, operation_id, request_id)
select r.tenant_id, 'state_imported', 'taxonomy', r.code, 'migration', 'Migration', 'system', 'admin',
  jsonb_build_object('before', null, 'after', jsonb_build_object('code', r.code, 'label', r.label, 'level', r.level,
    'parentCode', r.parent_code, 'position', r.position, 'createdAt', iso(r.created_at),
    'updatedAt', iso(r.updated_at), 'archivedAt', iso(r.archived_at)))::text, new_id(), 'migration'
from taxonomy r order by r.tenant_id, r.created_at, r.code;
--> statement-breakpoint
-- Checks the heads now: the migrations after this one run in the same transaction, and Postgres alters no table with
-- pending checks.
set constraints all immediate;
--> statement-breakpoint
set constraints all deferred;
