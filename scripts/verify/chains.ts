import { createHash } from "node:crypto";
import type { Client } from "pg";

/** The first place at which a history differs from what was written. */
export interface BrokenChain {
  tenantId: string;
  /** The kind of history. */
  stream: "task" | "eval" | "administration";
  id: string;
  /** The first event that does not fit, or the newest event if only the head differs. */
  seq: number;
  reason: "hash" | "link" | "gap" | "head";
}

export interface ChainReport {
  chains: number;
  events: number;
  broken: BrokenChain[];
}

/**
 * Recomputes every hash of every task, eval and administration from the columns of their events. The computation runs outside the
 * database, so it detects changed rows as well as changed database functions. Reads in the caller's transaction.
 */
export async function verifyChains(client: Client): Promise<ChainReport> {
  const report: ChainReport = { chains: 0, events: 0, broken: [] };
  for (const stream of STREAMS) {
    let chain: Chain | null = null;
    for await (const event of readEvents(client, stream)) {
      if (chain === null || chain.tenantId !== event.tenant_id || chain.id !== event.holder_id) {
        if (chain) finish(report, chain);
        chain = begin(event, stream);
      }
      report.events += 1;
      follow(chain, event);
    }
    if (chain) finish(report, chain);
  }
  return report;
}

interface EventRow {
  tenant_id: string;
  /** The task or the eval; for administration the tenant. */
  holder_id: string;
  seq: number;
  /** The values that the hash covers, in order. They are read as json, and so have Postgres's own format. */
  facts: (string | number | boolean | null)[];
  prev_hash: Buffer;
  hash: Buffer;
  head: Buffer;
  head_seq: number;
}

interface Chain {
  tenantId: string;
  stream: Stream;
  id: string;
  seq: number;
  hash: Buffer;
  head: Buffer;
  headSeq: number;
  broken: BrokenChain["reason"] | null;
}

function begin(event: EventRow, stream: Stream): Chain {
  return {
    tenantId: event.tenant_id,
    stream,
    id: event.holder_id,
    seq: 0,
    hash: Buffer.alloc(32),
    head: event.head,
    headSeq: event.head_seq,
    broken: null,
  };
}

function follow(chain: Chain, event: EventRow): void {
  if (chain.broken) return;
  if (event.seq !== chain.seq + 1) chain.broken = "gap";
  else if (!event.prev_hash.equals(chain.hash)) chain.broken = "link";
  else if (!hashOf(event, chain.stream).equals(event.hash)) chain.broken = "hash";
  chain.seq = event.seq;
  chain.hash = event.hash;
}

function finish(report: ChainReport, chain: Chain): void {
  report.chains += 1;
  const isHead = chain.headSeq === chain.seq && chain.head.equals(chain.hash);
  const reason = chain.broken ?? (isHead ? null : "head");
  if (reason) {
    const { tenantId, stream, id, seq } = chain;
    report.broken.push({ tenantId, stream: stream.name, id, seq, reason });
  }
}

/** Postgres puts a space after each comma of a json array. Otherwise its format is that of JSON.stringify. */
function hashOf({ prev_hash, facts }: EventRow, { mark }: Stream): Buffer {
  const canonical = `[${[mark, ...facts].map((fact) => JSON.stringify(fact)).join(", ")}]`;
  return createHash("sha256").update(prev_hash).update(canonical, "utf8").digest();
}

/** Reads through a cursor, so that memory does not grow with the length of the history. */
async function* readEvents(client: Client, { sql }: Stream): AsyncGenerator<EventRow> {
  await client.query(`declare events no scroll cursor for ${sql}`);
  for (;;) {
    const { rows } = await client.query<EventRow>("fetch 2000 from events");
    if (rows.length === 0) break;
    yield* rows;
  }
  await client.query("close events");
}

/** A kind of history. `mark` begins its canonical texts, and `sql` reads its events in order. */
interface Stream {
  name: BrokenChain["stream"];
  mark: string;
  sql: string;
}

const AT = `to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const STREAMS: readonly Stream[] = [
  {
    name: "task",
    mark: "sl1",
    sql: `
  select e.tenant_id, e.task_id as holder_id, e.seq, e.prev_hash, e.hash,
    t.event_head as head, t.event_seq as head_seq,
    json_build_array(e.tenant_id, e.task_id, e.seq, e.version_id, e.step_id, e.type,
      e.from_status, e.to_status, e.from_gate, e.to_gate,
      e.actor_id, e.actor_name, e.actor_kind, e.actor_role,
      e.reason, e.payload, e.duplicate_of, e.run_attached_workflows,
      e.bulk_operation_id, e.operation_id, e.request_id, e.registry_version, ${AT}) as facts
  from step_events e join tasks t on t.tenant_id = e.tenant_id and t.id = e.task_id
  order by e.tenant_id, e.task_id, e.seq`,
  },
  {
    name: "eval",
    mark: "sl1e",
    sql: `
  select e.tenant_id, e.eval_id as holder_id, e.seq, e.prev_hash, e.hash,
    v.event_head as head, v.event_seq as head_seq,
    json_build_array(e.tenant_id, e.eval_id, e.seq, e.task_id, e.trial_id, e.type,
      e.from_status, e.to_status, e.actor_id, e.actor_name, e.actor_kind, e.actor_role,
      e.reason, e.payload, e.operation_id, e.request_id, e.registry_version, ${AT}) as facts
  from eval_step_events e join evals v on v.tenant_id = e.tenant_id and v.id = e.eval_id
  order by e.tenant_id, e.eval_id, e.seq`,
  },
  {
    name: "administration",
    mark: "sl1a",
    sql: `
  select e.tenant_id, e.tenant_id as holder_id, e.seq, e.prev_hash, e.hash, h.hash as head, h.seq as head_seq,
    json_build_array(e.tenant_id, e.seq, e.type, e.subject_kind, e.subject_id,
      e.actor_id, e.actor_name, e.actor_kind, e.actor_role,
      e.reason, e.payload, e.operation_id, e.request_id, ${AT}) as facts
  from admin_events e join admin_heads h on h.tenant_id = e.tenant_id
  order by e.tenant_id, e.seq`,
  },
];
