-- Returns the text of a task's event that its hash covers: a JSON array of the format mark "sl1" and every column of
-- the event, in a fixed order.
--
-- Called by: the writer (src/db/history/event-ctes.ts), GET /v1/tasks/{taskId}/events/verify
-- (src/db/history/history-chain.ts), the invariant hash-chain-intact (src/db/invariants/chains.ts) and the bench loader.
-- `npm run verify` spells the text again without this function (scripts/verify/chains.ts), so that a tampered function
-- is noticed.
--
-- Never change the text: every stored hash depends on each byte of it. A new format needs a new mark and a new
-- function. STABLE, because to_char and json_build_array are; the body is one expression, so Postgres inlines it.

create or replace function step_event_canonical(
  tenant_id uuid, task_id uuid, seq integer, version_id uuid, step_id uuid, type text,
  from_status text, to_status text, from_gate text, to_gate text,
  actor_id text, actor_name text, actor_kind text, actor_role text,
  reason text, payload text, duplicate_of uuid, run_attached_workflows boolean,
  bulk_operation_id uuid, operation_id uuid, request_id text, registry_version integer, at timestamptz
) returns text language sql stable parallel safe
  return json_build_array('sl1', tenant_id, task_id, seq, version_id, step_id, type,
    from_status, to_status, from_gate, to_gate, actor_id, actor_name, actor_kind, actor_role,
    reason, payload, duplicate_of, run_attached_workflows, bulk_operation_id, operation_id,
    request_id, registry_version, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;
