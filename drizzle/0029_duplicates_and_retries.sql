-- Which task a duplicate names is in the event that made it one, and only there. Two questions start at the original: the
-- list of its duplicates (GET /v1/tasks?duplicateOf=), and whether any duplicate names a task that is to become one, which
-- the writer asks under the task's lock. Without an index, both read every event of the tenant.
--
-- step_events_duplicate_of holds only the events that name an original, so it costs other events nothing. It begins with
-- the original, and goes on with the task and the seq, which the joins to the task and to its later events need. At
-- 1,000,000 tasks, the question about a task that nobody names is one descent into the index. The list of a task with n
-- duplicates is one range of n entries, n lookups by primary key in tasks and in steps, and n range scans of a task's own
-- events after the one that named the original.
--
-- Neither index changes a row. Building them blocks writes to the two tables, not reads. step_events is read once; the
-- part of it that is indexed is as large as the number of duplicates.
--
-- bulk_operations_parent serves the retries of an operation: what a retry changed is not retried a second time.
CREATE INDEX "bulk_operations_parent" ON "bulk_operations" USING btree ("tenant_id","parent_id") WHERE "bulk_operations"."parent_id" is not null;--> statement-breakpoint
CREATE INDEX "step_events_duplicate_of" ON "step_events" USING btree ("tenant_id","duplicate_of","task_id","seq") WHERE "step_events"."duplicate_of" is not null;
--> statement-breakpoint
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
--> statement-breakpoint
create or replace trigger bulk_operations_retried before insert on bulk_operations for each row
  when (new.parent_id is not null and new.action is distinct from 'revert')
  execute function refuse_retry_of_reverted();
