-- Returns the attention codes of a step, such as errored or ready.
--
-- Called by: keep_labels, rebuild_labels and the invariant labels-match-resolver (src/db/invariants/labels.ts).
-- attentionOf in src/domain/status/attention.ts is the same function in TypeScript.
--
-- Generated from src/db/tasks/label-sql.ts and the rules that it reads, by `npm run generate`: do not edit. A migration
-- that changes this object must also run `select rebuild_labels();`.

create or replace function attention_of(kind text, status text, gate text)
  returns text[] language sql immutable parallel safe
  return array_remove(array[
    case when gate in ('errored') then 'errored' end,
    case when gate in ('blocked') then 'blocked' end,
    case when gate in ('revoked') then 'revoked' end,
    case when status in ('cancelled') then 'cancelled' end,
    case when kind in ('ingestion', 'authoring', 'pre_qa', 'output_generation', 'expert_review', 'calibration') and gate in ('passed', 'waived') then 'ready' end
  ], null);
