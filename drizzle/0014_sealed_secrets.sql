-- Signing secrets of pipelines and webhooks are encrypted by the Worker and stored as rows, so that several can sign at
-- once. The plain columns stay for one more release: they are read until a write or `npm run seal` empties them.
CREATE TABLE "signing_secrets" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"kind" text NOT NULL,
	"name" text NOT NULL,
	"sealed" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"signs_until" timestamp with time zone,
	CONSTRAINT "signing_secrets_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "signing_secrets_kind" CHECK ("signing_secrets"."kind" = any ('{"pipeline","webhook"}'::text[])),
	CONSTRAINT "signing_secrets_sealed" CHECK ("signing_secrets"."sealed" ~ '^v1\.[A-Za-z0-9_-]{1,16}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$')
);
--> statement-breakpoint
ALTER TABLE "pipelines" DROP CONSTRAINT "pipelines_signed";--> statement-breakpoint
ALTER TABLE "webhooks" ALTER COLUMN "secret" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "signing_secrets" ADD CONSTRAINT "signing_secrets_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "signing_secrets_owner" ON "signing_secrets" USING btree ("tenant_id","kind","name");--> statement-breakpoint
CREATE UNIQUE INDEX "signing_secrets_current" ON "signing_secrets" USING btree ("tenant_id","kind","name") WHERE signs_until is null;
--> statement-breakpoint

-- A deleted webhook has no secret; the release before stored an empty one.
update webhooks set secret = null where length(secret) = 0;
--> statement-breakpoint

alter table signing_secrets enable row level security;
--> statement-breakpoint
alter table signing_secrets force row level security;
--> statement-breakpoint
create policy signing_secrets_of_tenant on signing_secrets to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy signing_secrets_of_owner on signing_secrets to stepledger_owner using (true) with check (true);
--> statement-breakpoint
-- The application retires and deletes secrets, but never replaces the content of one.
grant select, insert, delete on signing_secrets to stepledger_app;
--> statement-breakpoint
grant update (signs_until) on signing_secrets to stepledger_app;
