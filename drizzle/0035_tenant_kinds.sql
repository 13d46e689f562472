-- A tenant is a customer or a demo. Life can be simulated only in a demo, and only the owner makes one. The constraint is
-- validated at once, because the table has one row for each tenant.
ALTER TABLE "tenants" ADD COLUMN "kind" text DEFAULT 'customer' NOT NULL;--> statement-breakpoint
ALTER TABLE "tenants" ADD CONSTRAINT "tenants_kind" CHECK ("tenants"."kind" = any ('{"customer","demo"}'::text[]));--> statement-breakpoint
create or replace function tenant_kind() returns text
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select kind from tenants where id = nullif(current_setting('app.tenant_id', true), '')::uuid;
end;

revoke execute on function tenant_kind() from public;
grant execute on function tenant_kind() to stepledger_app;
