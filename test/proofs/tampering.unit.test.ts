import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect, type Stepledger } from "../../client/index.ts";
import { type BrokenChain, verifyChains } from "../../scripts/verify/chains.ts";
import type { ChainFault } from "../../src/db/history/history-chain.ts";
import {
  givenBreaker,
  invariantsBrokenBy,
  REHASH,
  REHASH_EVALS,
} from "../support/model/invariants.ts";
import { startService, type TestService } from "../support/node/service.ts";

interface Tampering {
  /** The new value, in SQL. */
  set: () => string;
  /** What verification reports. */
  found: ChainFault;
}

const changed = (set: string): Tampering => ({ set: () => set, found: "changed" });
const lost = (set: string): Tampering => ({ set: () => set, found: "missing" });
const flipped = (column: string) => `set_byte(${column}, 31, get_byte(${column}, 31) # 1)`;
/** Another value that the column allows. */
const other = (column: string, one: string, another: string): Tampering =>
  changed(`case when ${column} is distinct from '${one}' then '${one}' else '${another}' end`);

/** One changed bit, byte or word for each column that both kinds of event hash. */
const ENVELOPE: Record<string, Tampering> = {
  tenant_id: { set: () => `'${service.otherTenant.id}'`, found: "missing" },
  seq: lost("99"),
  from_status: other("from_status", "queued", "running"),
  to_status: other("to_status", "queued", "running"),
  actor_id: changed("actor_id || ' '"),
  actor_name: changed("upper(actor_name)"),
  actor_kind: other("actor_kind", "person", "system"),
  actor_role: other("actor_role", "viewer", "reviewer"),
  reason: changed("coalesce(reason, '') || '.'"),
  payload: changed("overlay(payload placing ' ' from length(payload) for 1)"),
  operation_id: changed("gen_random_uuid()"),
  request_id: changed("reverse(request_id)"),
  registry_version: changed("registry_version + 1"),
  at: changed("at + interval '1 microsecond'"),
  prev_hash: { set: () => flipped("prev_hash"), found: "broken_link" },
  hash: { set: () => flipped("hash"), found: "changed" },
};
/** The position of an event in the feed is not part of its hash. */
const OUTSIDE_HISTORY = ["txid", "feed_id"];

/** A kind of history, and every change to test on it. */
interface History {
  of: BrokenChain["stream"];
  events: string;
  /** The table of the subjects of these histories, and the column that references one. */
  holders: string;
  holder: string;
  columns: Record<string, Tampering>;
  /** The invariants for its hashes and its numbers. */
  wholeChain: string;
  wholeNumbers: string;
  rehash: string;
  /** Creates a history of five events. */
  given: () => Promise<string>;
  verify: (id: string) => Promise<unknown>;
}

const EVENTS = 5;
/** The first event, a middle one, and the last. */
const SEQS = [1, 3, EVENTS];

const HISTORIES: readonly History[] = [
  {
    of: "task",
    events: "step_events",
    holders: "tasks",
    holder: "task_id",
    columns: {
      ...ENVELOPE,
      task_id: lost("gen_random_uuid()"),
      version_id: changed("gen_random_uuid()"),
      step_id: changed("gen_random_uuid()"),
      type: other("type", "note_added", "gate_changed"),
      from_gate: other("from_gate", "locked", "passed"),
      to_gate: other("to_gate", "locked", "passed"),
      duplicate_of: changed("task_id"),
      run_attached_workflows: changed("not run_attached_workflows"),
      bulk_operation_id: changed("gen_random_uuid()"),
    },
    wholeChain: "hash-chain-intact",
    wholeNumbers: "events-numbered-without-gaps",
    rehash: REHASH,
    given: givenTask,
    verify: (taskId) => stepledger.verifyTaskEvents({ params: { taskId } }),
  },
  {
    of: "eval",
    events: "eval_step_events",
    holders: "evals",
    holder: "eval_id",
    columns: {
      ...ENVELOPE,
      eval_id: lost("gen_random_uuid()"),
      task_id: changed("gen_random_uuid()"),
      trial_id: changed("gen_random_uuid()"),
      type: other("type", "eval_transitioned", "trial_retracted"),
    },
    wholeChain: "eval-chain-intact",
    wholeNumbers: "eval-equals-newest-event",
    rehash: REHASH_EVALS,
    given: givenEval,
    verify: (evalId) => stepledger.verifyEvalEvents({ params: { evalId } }),
  },
];

let service: TestService;
let stepledger: Stepledger;
/** Reads like `npm run verify`. */
let owner: Client;

beforeAll(async () => {
  service = await startService();
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
  owner = new Client({ connectionString: service.database.migrationDatabaseUrl });
  await owner.connect();
  await givenBreaker(service.database);
  await service.database.query("superuser", "create schema kept");
});
afterAll(async () => {
  await owner.end();
  await service.stop();
});

async function givenTask(): Promise<string> {
  const { id: taskId, currentStep } = await stepledger.createTask({ body: { title: "A task" } });
  const step = { stepId: currentStep.id };
  await stepledger.transitionStep({
    params: step,
    body: { status: "running", reason: "It begins" },
  });
  await stepledger.addNote({ params: { taskId }, body: { text: "A remark" } });
  await stepledger.changeGate({ params: step, body: { gate: "blocked", reason: "Wait" } });
  await stepledger.editTask({ params: { taskId }, body: { title: "Another title" } });
  return taskId;
}

async function givenEval(): Promise<string> {
  const { id: taskId } = await stepledger.createTask({ body: { title: "An evaluated task" } });
  const opened = await stepledger.createEval({ params: { taskId }, body: { name: "n", k: 2 } });
  const ofEval = { evalId: opened.id };
  await stepledger.transitionEval({ params: ofEval, body: { status: "queued", reason: "Go" } });
  const trials = [1, 2].map((k) => ({ k, model: "solver", passed: k === 1, score: 0.5 }));
  await stepledger.recordTrials({ params: ofEval, body: { trials } });
  const { data } = await stepledger.listTrials({ params: ofEval });
  for (const { id: trialId } of data) {
    await stepledger.retractTrial({ params: { trialId }, body: { reason: "Wrong prompt" } });
  }
  return opened.id;
}

/** Changes the tables with all guards disabled. */
function tamper(...statements: string[]) {
  return service.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    ...statements.map((text) => ({ text })),
  ]);
}

/** What the chain check of `npm run verify` reports. */
async function brokenChains(): Promise<BrokenChain[]> {
  await owner.query("begin isolation level repeatable read read only");
  const { broken } = await verifyChains(owner);
  await owner.query("commit");
  return broken;
}

/** Translates the finding of the service into that of the chain check. */
const CHECKED_AS: Record<ChainFault, RegExp> = {
  missing: /^(?:gap|head)$/,
  broken_link: /^link$/,
  changed: /^hash$/,
  head_differs: /^head$/,
};

describe.each(HISTORIES)(
  "the history of one $of",
  ({ of, events, holders, holder, columns, wholeChain, wholeNumbers, rehash, given, verify }) => {
    let id: string;
    const event = (seq: number) => `${holder} = '${id}' and seq = ${seq}`;

    beforeAll(async () => {
      id = await given();
      for (const table of [events, holders]) {
        const text = `create table kept.${table} as select * from ${table}`;
        await service.database.query("superuser", text);
      }
    });

    afterEach(() =>
      tamper(
        `delete from ${events}`,
        `insert into ${events} select * from kept.${events}`,
        `update ${holders} h set event_head = k.event_head, event_seq = k.event_seq
         from kept.${holders} k where k.id = h.id`,
      ),
    );

    async function expectFound(seq: number, found: ChainFault): Promise<void> {
      const firstBroken = { seq, reason: found };
      expect(await verify(id)).toMatchObject({ valid: false, firstBroken });
      const [broken, ...others] = await brokenChains();
      expect(broken).toMatchObject({ tenantId: service.tenant.id, stream: of, id });
      expect(broken?.reason).toMatch(CHECKED_AS[found]);
      // For a missing event it names the neighbor that reveals it.
      if (found !== "missing") expect(broken?.seq).toBe(seq);
      expect(others).toEqual([]);
    }

    test("is valid while it is unchanged", async () => {
      expect(await verify(id)).toMatchObject({ valid: true, events: EVENTS, firstBroken: null });
      expect(await brokenChains()).toEqual([]);
      expect(await invariantsBrokenBy(service.database, "select 1")).toEqual([]);
    });

    test("has no column that this test omits", async () => {
      const found = await service.database.query(
        "superuser",
        "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped",
        [events],
      );
      expect(new Set(found.map(({ attname }) => attname))).toEqual(
        new Set([...Object.keys(columns), ...OUTSIDE_HISTORY]),
      );
    });

    const tamperings = Object.entries(columns).flatMap(([column, { set, found }]) =>
      SEQS.map((seq) => ({ column, seq, set, found })),
    );
    test.for(tamperings)(
      "is found $found at $seq if $column was changed",
      async ({ column, seq, set, found }) => {
        const change = `update ${events} set ${column} = ${set()} where ${event(seq)}`;
        expect(await invariantsBrokenBy(service.database, change)).toContain(wholeChain);
        await tamper(change);
        await expectFound(seq, found);
      },
    );

    test("is found changed after a change to any character of a payload", async () => {
      const [row] = await service.database.query(
        "owner",
        `select seq, payload from ${events} where ${holder} = '${id}' order by length(payload) desc limit 1`,
      );
      const seq = Number(row?.["seq"]);
      const { length } = row?.["payload"] ?? "";
      expect(length).toBeGreaterThan(100);
      for (let place = 1; place <= length; place += 7) {
        await tamper(
          `update ${events} set payload = overlay(payload placing '~' from ${place} for 1) where ${event(seq)}`,
        );
        await expectFound(seq, "changed");
        await tamper(
          `update ${events} e set payload = k.payload from kept.${events} k
           where k.${holder} = e.${holder} and k.seq = e.seq`,
        );
      }
    });

    test.for(SEQS)("is found to miss event %i if it was removed", async (seq) => {
      const removal = `delete from ${events} where ${event(seq)}`;
      expect(await invariantsBrokenBy(service.database, removal)).toContain(wholeNumbers);
      await tamper(removal);
      await expectFound(seq, "missing");
    });

    test("is found broken if two events were swapped", async () => {
      await tamper(
        `update ${events} set seq = 99 where ${event(2)}`,
        `update ${events} set seq = 2 where ${event(3)}`,
        `update ${events} set seq = 3 where ${event(99)}`,
      );
      await expectFound(2, "broken_link");
    });

    test("is found broken if its end was cut off and its subject reset to match", async () => {
      await tamper(
        `delete from ${events} where ${event(EVENTS)}`,
        `update ${holders} set event_seq = ${EVENTS - 1} where id = '${id}'`,
      );
      await expectFound(EVENTS - 1, "head_differs");
    });

    test("is found broken if all its hashes except the head were recomputed", async () => {
      const [chain = ""] = rehash.split(`update ${holders}`);
      await tamper(
        `update ${events} set reason = 'Forged' where ${event(2)}`,
        chain.replaceAll(/^[;\s]+|[;\s]+$/g, ""),
      );
      await expectFound(EVENTS, "head_differs");
    });

    test.for(OUTSIDE_HISTORY)("does not cover %s", async (column) => {
      const another = column === "txid" ? "'1'" : "feed_id + 1000000";
      await tamper(`update ${events} set ${column} = ${another} where ${event(2)}`);
      expect(await verify(id)).toMatchObject({ valid: true });
      expect(await brokenChains()).toEqual([]);
    });
  },
);
