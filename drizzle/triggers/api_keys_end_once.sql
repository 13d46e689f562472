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
