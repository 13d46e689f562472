-- A version has one live eval of a name. Twins that were created before are marked: the newest keeps the name, because
-- results by name went to it. Each older one gets an event by the system, since an eval changes only with an event, and
-- keeps its trials and its own summary. Summaries over many evals leave it out.
--
-- This runs outside of the migrations' transaction, so that no lock lasts: indexes are built concurrently, checks are
-- validated while rows are written, and twins are marked a thousand at a time. Every statement can run again if one
-- fails, so `npm run migrate` continues. The first statement commits the migrations before this one.
commit;
--> statement-breakpoint
drop index concurrently if exists trials_live_slot_next;
--> statement-breakpoint
-- A slot begins with the model, so the index of live slots only gets finer: rows that are unique stay unique. Until the
-- old index is dropped below, the running release is held to the stricter rule that it knows.
create unique index concurrently trials_live_slot_next
  on trials using btree (tenant_id, eval_id, k, model, text_digest(coalesce(slot, ''))) where retracted_at is null;
--> statement-breakpoint
drop index concurrently if exists data_content_next;
--> statement-breakpoint
-- The same content by another revision of an agent is another artifact. The constraint keeps its name, which the running
-- release inserts by.
create unique index concurrently data_content_next on data using btree (tenant_id, task_id, kind, sha256, step_id,
  model, model_revision, agent, provider, agent_revision) nulls not distinct;
--> statement-breakpoint
drop index concurrently if exists prompts_agent_revision;
--> statement-breakpoint
create index concurrently prompts_agent_revision
  on prompts using btree (tenant_id, agent_revision, id) where agent_revision is not null;
--> statement-breakpoint
alter table eval_step_events validate constraint eval_step_events_type;
--> statement-breakpoint
alter table evals validate constraint evals_slot_by;
--> statement-breakpoint
alter table trials validate constraint trials_scored;
--> statement-breakpoint
alter table trials validate constraint trials_status;
--> statement-breakpoint
do $$
declare
  marked integer;
begin
  loop
    with twin as materialized (
      select e.tenant_id, e.id, e.task_id, e.status, e.event_seq + 1 as seq, e.event_head,
        greatest(writer_clock(), e.updated_at) as at, new_id() as operation_id,
        '{"changes":{"twinOf":{"from":null,"to":"' || newest.id || '"}}}' as payload
      from evals e cross join lateral (
        select n.id from evals n
        where n.tenant_id = e.tenant_id and n.task_id = e.task_id and n.version_id = e.version_id and n.name = e.name
          and n.status <> 'cancelled' and n.twin_of is null and n.id > e.id
        order by n.id desc limit 1) newest
      where e.status <> 'cancelled' and e.twin_of is null
      order by e.id limit 1000
      for no key update of e
    ),
    chained as materialized (
      select *, chain_link(null, event_head, eval_event_canonical(tenant_id, id, seq, task_id, null, 'eval_updated',
        status, status, 'system', 'Migration', 'system', 'service', 'A newer eval of the version has the same name.',
        payload, operation_id, 'migration', 2, at)) as hash
      from twin
    ),
    written as (
      insert into eval_step_events (tenant_id, eval_id, seq, task_id, type, from_status, to_status,
        actor_id, actor_name, actor_kind, actor_role, reason, payload, operation_id, request_id, registry_version,
        at, prev_hash, hash)
      select tenant_id, id, seq, task_id, 'eval_updated', status, status,
        'system', 'Migration', 'system', 'service', 'A newer eval of the version has the same name.', payload,
        operation_id, 'migration', 2, at, event_head, hash
      from chained
    )
    update evals e set event_seq = c.seq, event_head = c.hash, updated_at = c.at,
      twin_of = (c.payload::json -> 'changes' -> 'twinOf' ->> 'to')::uuid
    from chained c where e.tenant_id = c.tenant_id and e.id = c.id;
    get diagnostics marked = row_count;
    commit;
    exit when marked = 0;
  end loop;
end
$$;
--> statement-breakpoint
drop index concurrently if exists evals_live_name;
--> statement-breakpoint
create unique index concurrently evals_live_name
  on evals using btree (tenant_id, version_id, name) where status <> 'cancelled' and twin_of is null;
--> statement-breakpoint
begin;
--> statement-breakpoint
drop index trials_live_slot;
--> statement-breakpoint
alter index trials_live_slot_next rename to trials_live_slot;
--> statement-breakpoint
alter table data drop constraint data_content;
--> statement-breakpoint
alter table data add constraint data_content unique using index data_content_next;
