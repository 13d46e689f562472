import { ADMINISTERED } from "../../src/db/administration/admin-states.ts";
import type { SqlStatement } from "./database.ts";

/**
 * The statements that append a `state_imported` event for each row of a tenant that a test wrote or deleted past
 * administration, so that the stream explains all rows again. They run as the owner.
 */
export function importedState(tenantId: string): SqlStatement[] {
  return Object.entries(ADMINISTERED).map(
    ([kind, { table, tenantId: tenant, subjectId, state }]) => ({
      text: `
insert into admin_events (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind, actor_role,
  payload, operation_id, request_id)
select $1::uuid, 'state_imported', '${kind}', id, 'setup', 'Setup', 'system', 'admin',
  jsonb_build_object('before', newest.state, 'after', present.state)::text, gen_random_uuid(), 'setup'
from (select ${subjectId} as id, ${state} as state from ${table} r where ${tenant} = $1::uuid) present
full join (
  select distinct on (subject_id) subject_id as id, payload::jsonb -> 'after' as state from admin_events
  where tenant_id = $1::uuid and subject_kind = '${kind}' order by subject_id, seq desc
) newest using (id)
where coalesce(newest.state, 'null') <> coalesce(present.state, 'null')
order by id`,
      values: [tenantId],
    }),
  );
}
