-- Rejects an UPDATE that touches a step of a sealed version, with SQLSTATE SL001. A version is sealed when its task
-- moves to a newer one; from then on it is history.
--
-- Called by: the trigger steps_sealed, after every UPDATE of steps.
--
-- A statement trigger with a transition table, unlike the other guards: it has to read task_versions, and this way it
-- reads them once a statement instead of once a row. It runs with the caller's rights, so the application sees only the
-- versions of its own tenant, which are the only ones its steps can belong to.

create or replace function refuse_sealed_steps() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if exists (
    select from changed c
    join task_versions v on v.tenant_id = c.tenant_id and v.id = c.version_id
    where v.sealed_at is not null
  ) then
    raise exception using
      errcode = 'SL001',
      message = 'steps refuses this UPDATE',
      detail = 'A step of a sealed version does not change.',
      table = 'steps',
      constraint = tg_name;
  end if;
  return null;
end
$$;
