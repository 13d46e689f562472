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
    name: "sealed-versions-take-no-given-data",
    description:
      "Golden or source data was declared for, or stored in, a version that had been sealed or delivered.",
    // Sealed or delivered under version 2 of the registry or later: earlier releases took such data.
    sql: `
      select d.tenant_id, d.id from data d
      join lateral (
        select e.at from step_events e join task_versions v on v.tenant_id = e.tenant_id and v.id = d.version_id
        where e.tenant_id = d.tenant_id and e.task_id = d.task_id and e.type = 'version_created'
          and e.at = v.sealed_at and e.registry_version >= 2
        union all
        select e.at from steps s
        join step_events e on e.tenant_id = s.tenant_id and e.task_id = s.task_id and e.seq = s.event_seq
        where s.tenant_id = d.tenant_id and s.version_id = d.version_id and s.kind = 'delivery'
          and s.status = 'approved' and s.gate <> 'revoked' and s.event_seq > 1 and e.registry_version >= 2
      ) ended on greatest(d.created_at, d.stored_at) > ended.at
      where d.kind in ('golden', 'source')`,
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
