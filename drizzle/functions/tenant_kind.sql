-- Returns the kind of the caller's own tenant, customer or demo, or null if there is no such tenant.
--
-- Called by: the queries that look up a credential (findApiKey in src/db/tenants/api-keys.ts, findSubject in
-- src/db/tenants/people.ts), as the application. The kind is cached with the credential.
--
-- Security definer, because the application may not read the table `tenants`, which has no row security. The tenant
-- comes from the setting app.tenant_id.

create or replace function tenant_kind() returns text
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select kind from tenants where id = nullif(current_setting('app.tenant_id', true), '')::uuid;
end;

revoke execute on function tenant_kind() from public;
grant execute on function tenant_kind() to stepledger_app;
