-- Returns the text of an event of administration that its hash covers: a JSON array of the format mark "sl1a" and every
-- column of the event, in a fixed order.
--
-- Called by: chain_admin_event and the invariants of administration (src/db/invariants/administration.ts). `npm run
-- verify` spells the text again without this function (scripts/verify/chains.ts), so that a tampered function is noticed.
--
-- Never change the text: every stored hash depends on each byte of it. A new format needs a new mark and a new
-- function.

create or replace function admin_event_canonical(
  tenant_id uuid, seq integer, type text, subject_kind text, subject_id text,
  actor_id text, actor_name text, actor_kind text, actor_role text,
  reason text, payload text, operation_id uuid, request_id text, at timestamptz
) returns text language sql stable parallel safe
  return json_build_array('sl1a', tenant_id, seq, type, subject_kind, subject_id,
    actor_id, actor_name, actor_kind, actor_role, reason, payload, operation_id, request_id,
    to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;
