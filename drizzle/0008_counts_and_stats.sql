-- Counts and statistics at any size. What they read is in indexes whole, so that no row of a table is looked up for it.

-- A label's row says beside the label whether its task is archived, and at which kind of step it stands. Both change only
-- together with event_seq, so the triggers that keep the label keep them.
DROP INDEX "task_labels_rank";
--> statement-breakpoint
DROP INDEX "task_labels_attention";
--> statement-breakpoint
-- Every label is made anew below: rows that are rewritten would leave as many dead ones behind.
truncate task_labels;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "archived" boolean NOT NULL;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "step_kind" text NOT NULL;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD CONSTRAINT "task_labels_step_kind" CHECK ("task_labels"."step_kind" in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration', 'delivery'));
--> statement-breakpoint
create or replace view task_facts with (security_invoker = true) as
select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers,
    t.archived_at is not null as archived
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id;
--> statement-breakpoint
create or replace function keep_labels() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into task_labels
    (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind)
  select f.tenant_id, f.task_id, l.label, label_rank(l.label), attention_of(f.kind, f.status, f.gate),
    f.status_since, f.updated_at, f.archived, f.kind
  from (
  select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in ('QUALITY_AUTOMATION', 'EXPERT_REVIEW', 'OUTPUT_GENERATION')
      order by w.type) as running_workers,
    t.archived_at is not null as archived
  from changed t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  ) f cross join lateral (select label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label) l
  on conflict (tenant_id, task_id) do update set
    unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
    since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
    step_kind = excluded.step_kind;
  return null;
end
$$;
--> statement-breakpoint
create or replace function rebuild_labels() returns bigint language sql security definer set search_path = pg_catalog, public
begin atomic
  with rebuilt as (
    insert into task_labels
      (tenant_id, task_id, unified_status, rank, attention, since, updated_at, archived, step_kind)
    select f.tenant_id, f.task_id, l.label, label_rank(l.label), attention_of(f.kind, f.status, f.gate),
      f.status_since, f.updated_at, f.archived, f.kind
    from task_facts f cross join lateral (select label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers) as label) l
    on conflict (tenant_id, task_id) do update set
      unified_status = excluded.unified_status, rank = excluded.rank, attention = excluded.attention,
      since = excluded.since, updated_at = excluded.updated_at, archived = excluded.archived,
      step_kind = excluded.step_kind
    returning 1
  )
  select count(*) from rebuilt;
end;
--> statement-breakpoint
select rebuild_labels();
--> statement-breakpoint
-- As many as before, and lists by label pass over no archived row. The counts of all tasks are 13 ranges of the first and
-- the second as a whole: an index-only scan of 1,122 pages, where the join with tasks read 6,959 (100,000 tasks). The kind
-- stands behind the task, which tells rows apart: it is never compared.
CREATE INDEX "task_labels_rank" ON "task_labels" USING btree ("tenant_id","archived","rank","task_id","step_kind");
--> statement-breakpoint
CREATE INDEX "task_labels_attention" ON "task_labels" USING btree ("tenant_id","archived","task_id","attention") WHERE attention <> '{}';
--> statement-breakpoint

-- Events by time. Of 112,000 tasks' 1.1 million events it holds the half that is counted, in 72 MB beside 870 MB of table
-- and indexes. Thirty days of half a year are 1,450 pages, read as they lie (Index Only Scan, no row looked up): a BRIN
-- index on `at`, of 32 kB, leads to 10,000 pages of the table for the same, and to other tenants' rows among them. A
-- writer puts one entry at the right-hand end for a milestone, and for any other event nothing.
CREATE INDEX "step_events_milestones" ON "step_events" USING btree ("tenant_id","at","task_id","seq","step_id","type","from_status","to_status","from_gate","to_gate") WHERE from_status is null
  or (from_status <> to_status and to_status in ('approved', 'changes_requested', 'rejected', 'duplicate', 'failed'))
  or (from_gate <> to_gate and to_gate in ('failed', 'errored', 'revoked'));
--> statement-breakpoint
-- What was taken back counts for nothing: a revert undoes the event before it. Other events cost it no entry.
CREATE INDEX "step_events_reverts" ON "step_events" USING btree ("tenant_id","task_id","seq") WHERE type = 'bulk_reverted';
--> statement-breakpoint
-- Which kind of step an event is of, and how far a task ever came: from the index alone, next to the task's other steps.
-- 90,000 looks take a third to a half of the time of a join, which is planned as a scan of the tenant's whole table. None
-- of the columns ever changes, so a step's update stays as cheap as it was; a step that is opened costs one entry more.
CREATE INDEX "steps_task" ON "steps" USING btree ("tenant_id","task_id","id","kind");
--> statement-breakpoint
-- A failed check leaves the gate to a person: what says no there is the review. One entry for each failed review, none
-- for the others.
CREATE INDEX "reviews_failed" ON "reviews" USING btree ("tenant_id","created_at","task_id","step_id") WHERE outcome = 'failed';
