-- Returns the text of an eval's event that its hash covers: a JSON array of the format mark "sl1e" and every column of
-- the event, in a fixed order.
--
-- Called by: the writer of evals (src/db/history/event-ctes.ts), GET /v1/evals/{evalId}/events/verify
-- (src/db/history/history-chain.ts) and the invariants of evals (src/db/invariants/evals.ts). `npm run verify` spells
-- the text again without this function (scripts/verify/chains.ts), so that a tampered function is noticed.
--
-- Never change the text: every stored hash depends on each byte of it. A new format needs a new mark and a new
-- function.

create or replace function eval_event_canonical(
  tenant_id uuid, eval_id uuid, seq integer, task_id uuid, trial_id uuid, type text,
  from_status text, to_status text,
  actor_id text, actor_name text, actor_kind text, actor_role text,
  reason text, payload text, operation_id uuid, request_id text, registry_version integer, at timestamptz
) returns text language sql stable parallel safe
  return json_build_array('sl1e', tenant_id, eval_id, seq, task_id, trial_id, type,
    from_status, to_status, actor_id, actor_name, actor_kind, actor_role,
    reason, payload, operation_id, request_id, registry_version,
    to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;
