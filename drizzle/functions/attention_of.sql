-- Returns the attention codes of a step, such as errored or ready.
--
-- Called by: keep_labels, relabel_tasks and the invariant labels-match-resolver (src/db/invariants/labels.ts).
-- attentionOf in src/domain/status/attention.ts is the same function in TypeScript.
--
-- Generated from src/db/tasks/label-sql.ts and the rules that it reads, by `npm run generate`: do not edit. A migration
-- that changes this object must also run `select rebuild_labels();`.

create or replace function attention_of(
  kind text, status text, gate text, review_failed boolean, idle boolean
) returns text[] language sql immutable parallel safe
  return array_remove(array[
    case when gate in ('errored') then 'errored' end,
    case when gate in ('blocked') then 'blocked' end,
    case when status in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'changes_requested', 'approved', 'failed', 'cancelled') and gate in ('revoked') then 'revoked' end,
    case when status in ('cancelled') then 'cancelled' end,
    case when idle then 'idle' end,
    case when kind in ('ingestion', 'authoring', 'output_generation', 'expert_review', 'calibration', 'delivery') and status in ('pending', 'queued', 'running', 'paused', 'awaiting_input', 'awaiting_review', 'in_review', 'approved', 'failed', 'cancelled') and (review_failed and gate <> 'waived') then 'standing_failure' end,
    case when kind in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration') and gate in ('passed', 'waived') and not (review_failed and gate <> 'waived') then 'ready' end
  ], null);
