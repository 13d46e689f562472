-- Computes task_labels for every task of every tenant, in chunks, and returns the number of tasks. Only rows that differ
-- are written.
--
-- Called by: the bench loader (bench/load/load-database.ts), which loads tasks with triggers off. A migration that
-- changes label_of, label_rank, attention_of, task_facts or keep_labels ends with a call of it, as a test requires;
-- scripts/stack/migrate.ts calls relabel_tasks chunk by chunk in its place, after the migrations are committed.
--
-- Security definer, but only the owner may execute it: the application must not be able to rewrite labels.

create or replace function rebuild_labels() returns bigint
  language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  chunk record;
  tasks bigint := 0;
  last_tenant uuid := '00000000-0000-0000-0000-000000000000';
  last_task uuid := '00000000-0000-0000-0000-000000000000';
begin
  loop
    select * into chunk from relabel_tasks(last_tenant, last_task, 10000);
    exit when not found;
    tasks := tasks + chunk.tasks;
    last_tenant := chunk.last_tenant;
    last_task := chunk.last_task;
  end loop;
  return tasks;
end
$$;

revoke execute on function rebuild_labels() from public;
