import { neonConfig, Pool } from "@neondatabase/serverless";
import { BARE_MOVES } from "./bare.ts";
import type { Service } from "./service.ts";

/** The naive design: one session, with a transaction for each task. */
export interface NaiveMover {
  /** Moves the tasks to the other state at each call. */
  move: (taskIds: readonly string[]) => Promise<void>;
  end: () => Promise<void>;
}

/** Opens the session through the proxy, with the driver that the service uses. */
export async function openNaiveMover(service: Service, tenant: string): Promise<NaiveMover> {
  const { proxy, database } = service;
  neonConfig.wsProxy = () => `127.0.0.1:${proxy.port}/v2`;
  neonConfig.useSecureWebSocket = false;
  const pool = new Pool({ connectionString: database.databaseUrl, max: 1 });
  const session = await pool.connect();
  let turn = 0;
  return {
    move: async (taskIds) => {
      const { status, gate } = BARE_MOVES[turn % 2 === 0 ? 0 : 1];
      turn += 1;
      for (const id of taskIds) {
        await session.query("begin");
        const { rows } = await session.query<Found>(SELECT, [tenant, id]);
        const [task] = rows;
        if (task === undefined) throw new Error(`The bare task ${id} does not exist`);
        const seq = task.event_seq + 1;
        const { step_id: step, version_id: version } = task;
        const states = [task.status, status, task.gate, gate];
        await session.query(INSERT, [tenant, id, seq, version, step, ...states]);
        await session.query(UPDATE_STEP, [tenant, step, status, gate, seq]);
        await session.query(UPDATE_VERSION, [tenant, version, step]);
        await session.query(UPDATE_TASK, [tenant, id, step, seq]);
        await session.query("commit");
      }
    },
    end: async () => {
      session.release();
      await pool.end();
    },
  };
}

interface Found {
  event_seq: number;
  step_id: string;
  version_id: string;
  status: string;
  gate: string;
}

const SELECT = `
  select t.event_seq, t.current_step_id as step_id, t.active_version_id as version_id, s.status, s.gate
  from bare.tasks t join bare.steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  where t.tenant_id = $1 and t.id = $2 for no key update of t`;
const INSERT = `
  insert into bare.step_events (tenant_id, task_id, seq, version_id, step_id, type, from_status, to_status,
    from_gate, to_gate, run_attached_workflows, actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  values ($1, $2, $3, $4, $5, 'step_transitioned', $6, $7, $8, $9, false,
    'key:naive', 'Naive', 'key', 'reviewer', 'Measured.', '{}', gen_random_uuid(), 'naive', 1, now(), '', '')`;
const UPDATE_STEP = `
  update bare.steps set status = $3, gate = $4, event_seq = $5 where tenant_id = $1 and id = $2`;
const UPDATE_VERSION = `
  update bare.task_versions set current_step_id = $3 where tenant_id = $1 and id = $2`;
const UPDATE_TASK = `
  update bare.tasks set current_step_id = $3, event_seq = $4, status_since = now(), updated_at = now()
  where tenant_id = $1 and id = $2`;
