-- Sets the keys by which a task is sorted, searched and found, whatever the statement wrote into them. An external id that
-- has no key keeps none until it changes: an older task has the key (fill_task_keys).
--
-- Called by: the triggers tasks_keys_created and tasks_keys_changed.

create or replace function keep_task_keys() returns trigger
  language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  -- An index row has room for 2,704 bytes.
  new.title_key := left(text_fold(new.title), 600);
  if tg_op = 'INSERT' or new.external_id is distinct from old.external_id or new.external_id_key is not null then
    new.external_id_key := external_id_key(new.external_id);
  end if;
  return new;
end
$$;

revoke execute on function keep_task_keys() from public;
