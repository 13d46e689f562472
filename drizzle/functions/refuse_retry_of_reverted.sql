-- Rejects the INSERT of a bulk operation that retries an operation that was reverted, with SQLSTATE SL001: the retry would
-- apply again what somebody took back. Retries of retries count as well.
--
-- Called by: the trigger bulk_operations_retried, before every INSERT of a retry.
--
-- FOR SHARE waits for a revert that is under way and has not committed, and makes a later one wait for the retry. A revert
-- and a retry lock the operation before any task, so they cannot deadlock. It runs with the caller's rights.

create or replace function refuse_retry_of_reverted() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare
  retried record;
  retried_id uuid := new.parent_id;
begin
  while retried_id is not null loop
    select parent_id, reverted_by into retried from bulk_operations
      where tenant_id = new.tenant_id and id = retried_id for share;
    if retried.reverted_by is not null then
      raise exception using
        errcode = 'SL001',
        message = 'bulk_operations refuses this INSERT',
        detail = 'An operation that was reverted is not retried.',
        table = 'bulk_operations',
        constraint = tg_name;
    end if;
    retried_id := retried.parent_id;
  end loop;
  return new;
end
$$;
