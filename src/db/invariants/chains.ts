import type { Invariant } from "./invariant.ts";

export const CHAIN_INVARIANTS: readonly Invariant[] = [
  {
    name: "hash-chain-intact",
    description:
      "An event's prev_hash is not the hash of the previous event, or its columns do not match its hash.",
    sql: `
      select tenant_id, task_id, seq from (
        select e.*, coalesce(lag(hash) over (partition by tenant_id, task_id order by seq),
          decode(repeat('00', 32), 'hex')) as expected
        from step_events e) e
      where prev_hash <> expected or hash <> sha256(prev_hash || convert_to(step_event_canonical(
        tenant_id, task_id, seq, version_id, step_id, type, from_status, to_status, from_gate, to_gate,
        actor_id, actor_name, actor_kind, actor_role, reason, payload, duplicate_of, run_attached_workflows,
        bulk_operation_id, operation_id, request_id, registry_version, at), 'UTF8'))`,
  },
  {
    name: "head-is-the-last-hash",
    description: "A task's head is not the hash of its newest event.",
    sql: `
      select t.tenant_id, t.id
      from tasks t left join step_events e
        on e.tenant_id = t.tenant_id and e.task_id = t.id and e.seq = t.event_seq
      where t.event_head is distinct from e.hash`,
  },
];
