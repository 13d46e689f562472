import type { Invariant } from "./invariant.ts";

export const DATA_INVARIANTS: readonly Invariant[] = [
  {
    name: "data-references-same-task",
    description: "Data references a prompt or an insight of another task.",
    sql: `
      select d.tenant_id, d.id from data d
      left join prompts p on p.tenant_id = d.tenant_id and p.id = d.prompt_id
      left join insights n on n.tenant_id = d.tenant_id and n.id = d.insight_id
      where (d.prompt_id is not null and p.task_id is distinct from d.task_id)
        or (d.insight_id is not null and n.task_id is distinct from d.task_id)`,
  },
  {
    name: "object-keys-match-hashes",
    description: "A row's object key does not consist of its tenant and hash.",
    sql: `
      select tenant_id, id from data
      where object_key <> tenant_id::text || '/' || encode(sha256, 'hex')`,
  },
  {
    name: "stored-content-is-not-swept",
    description:
      "A row counts as stored although the sweep has claimed its object, or although its content is elsewhere.",
    sql: `
      select d.tenant_id, d.id from data d
      where d.stored_at is not null and (d.uri is not null or exists (
        select from swept_objects s
        where s.tenant_id = d.tenant_id and s.object_key = d.object_key and s.deleted_at is null))`,
  },
];
