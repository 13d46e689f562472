-- Returns the name of the caller's own tenant, or null if there is no such tenant.
--
-- Called by: readTenantName (src/db/tenants/tenants.ts), as the application.
--
-- Security definer, because the application may not read the table `tenants`, which has no row security. The tenant
-- comes from the setting app.tenant_id.

create or replace function tenant_name() returns text
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select name from tenants where id = nullif(current_setting('app.tenant_id', true), '')::uuid;
end;

revoke execute on function tenant_name() from public;
grant execute on function tenant_name() to stepledger_app;
