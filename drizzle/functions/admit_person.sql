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
