-- Admits an administrative write: locks the tenant's head of administration, and then asks for the caller's key afresh.
-- Raises SL002 if the key has ended (revoked or expired), and SL003 if its role is no longer admin. Null means a
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
