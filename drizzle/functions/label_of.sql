-- Returns the label (the unified status) of a task from the facts that the view task_facts holds. The first rule that
-- matches wins.
--
-- Called by: keep_labels, relabel_tasks, lists that sort by live labels (src/db/tasks/list-tasks.ts) and the invariant
-- labels-match-resolver (src/db/invariants/labels.ts). resolve in src/domain/status/resolve.ts is the same function
-- in TypeScript.
--
-- Immutable: the label depends only on the arguments, never on the time.
--
-- Generated from src/db/tasks/label-sql.ts and the rules that it reads, by `npm run generate`: do not edit. A migration
-- that changes this object must also run `select rebuild_labels();`.

create or replace function label_of(
  kind text, status text, gate text, review_failed boolean, running_workers text[]
) returns text language sql immutable parallel safe
  return case
    when status in ('duplicate') then 'DUPLICATE' -- rule 1
    when status in ('rejected') then 'REJECTED' -- rule 2
    when kind in ('delivery') and status in ('approved') then 'DELIVERED' -- rule 3
    when kind in ('calibration', 'delivery') then 'PASSED' -- rule 4
    when kind in ('expert_review') and status in ('approved') then 'PASSED' -- rule 5
    when kind in ('expert_review') and status in ('changes_requested') then 'CHANGES_REQUESTED' -- rule 6
    when kind in ('expert_review') and status in ('queued') and 'EXPERT_REVIEW' = any (running_workers) then 'IN_REVIEW' -- rule 7
    when kind in ('expert_review') and status in ('pending', 'queued') then 'SUBMITTED' -- rule 8
    when kind in ('expert_review') then 'IN_REVIEW' -- rule 9
    when kind in ('output_generation') and status in ('running') then 'GENERATING_OUTPUT' -- rule 10
    when kind in ('output_generation') and 'OUTPUT_GENERATION' = any (running_workers) then 'GENERATING_OUTPUT' -- rule 11
    when kind in ('output_generation') and status in ('failed', 'cancelled') then 'OUTPUT_FAILED' -- rule 12
    when kind in ('output_generation') then 'SUBMITTED' -- rule 13
    when kind in ('pre_qa') and gate in ('waived') then 'READY_TO_SUBMIT' -- rule 14
    when kind in ('pre_qa') and review_failed then 'QUALITY_CHECK_FAILED' -- rule 15
    when 'QUALITY_AUTOMATION' = any (running_workers) then 'CHECKING_QUALITY' -- rule 16
    when kind in ('pre_qa') and status in ('approved') then 'READY_TO_SUBMIT' -- rule 17
    when kind in ('pre_qa') and status in ('changes_requested') then 'QUALITY_CHECK_FAILED' -- rule 18
    when kind in ('pre_qa') and status in ('cancelled') then 'DRAFT' -- rule 19
    when kind in ('pre_qa') then 'CHECKING_QUALITY' -- rule 20
    when true then 'DRAFT' -- rule 21
  end;
