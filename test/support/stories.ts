import { expect } from "vitest";
import { advanceSeedRun } from "../../src/actions/seed/advance-run.ts";
import { deleteSeedRun } from "../../src/actions/seed/delete-run.ts";
import { type NewStory, startSeedRun } from "../../src/actions/seed/start-run.ts";
import { type SeedTools, workOnRun } from "../../src/actions/seed/work-on-run.ts";
import { type Database, openDatabase } from "../../src/db/connection/client.ts";
import { findSeedRun, type SeedRunRecord } from "../../src/db/seed/seed-runs.ts";
import { seedMix } from "../../src/domain/seed/mix.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import seedTexts from "../../assets/seed/texts.json" with { type: "json" };
import type { Tenant } from "./api.ts";
import type { SqlRow, TestDatabase } from "./database.ts";
import { actionCall } from "./simulated-clock.ts";
import type { SeedTexts } from "../../src/domain/seed/texts.ts";

export const ANCHOR = "2026-11-30T12:00:00Z";

// A test checks the format of the asset.
export const TEXTS = seedTexts as unknown as SeedTexts;

/** A seed run in a tenant, without the routes around it. */
export interface Telling {
  run: SeedRunRecord;
  find: () => Promise<SeedRunRecord>;
  /** Wants more of the story, and works on it until all of it is applied, with a budget for each piece of work. */
  tellUntil: (until: string, options?: { roundTripsMax?: number }) => Promise<void>;
  /** Works on the run once. */
  work: (options?: Partial<SeedTools> & { roundTripsMax?: number }) => ReturnType<typeof workOnRun>;
  /** Deletes the run, and works until its tasks are archived. */
  remove: () => Promise<void>;
  advance: (wish: Parameters<typeof advanceSeedRun>[1]) => ReturnType<typeof advanceSeedRun>;
}

export const valueOf = <Value>(outcome: Outcome<{ value: Value }>): Value =>
  outcome.ok ? outcome.value.value : expect.fail(outcome.refusal.detail);

/** Starts a run with an action, as an administrator of the tenant. */
export async function startStory(
  test: TestDatabase,
  { id: tenantId }: Tenant,
  story: Partial<NewStory> = {},
): Promise<Outcome<Telling>> {
  const database = openDatabase(test);
  const [key] = await test.query(
    "owner",
    "select id from api_keys where tenant_id = $1 and role = 'admin'",
    [tenantId],
  );
  const callOf = () => ({
    ...actionCall(database.forTenant(tenantId)),
    credential: { type: "key", keyId: key?.["id"] ?? "" } as const,
    now: new Date(ANCHOR),
  });
  const started = await startSeedRun(
    callOf(),
    {
      seed: 1,
      tasks: 16,
      anchor: ANCHOR,
      days: 14,
      mix: seedMix.parse(undefined),
      speed: 0,
      ...story,
    },
    { joint: await database.jointly(tenantId), texts: TEXTS },
  );
  if (!started.ok) return started;
  const run = started.value.value;
  const runId = run.id;
  const work: Telling["work"] = ({ roundTripsMax = 10_000, ...tools } = {}) =>
    workOnRun(
      { database, texts: TEXTS, requestId: "a test", ...tools },
      { tenantId, runId },
      { roundTripsMax },
    );
  const advance: Telling["advance"] = (wish) => advanceSeedRun(callOf(), wish);
  return {
    ok: true,
    value: {
      run,
      work,
      advance,
      remove: async () => {
        valueOf(await deleteSeedRun(callOf(), runId));
        expect((await work()).is).toBe("idle");
      },
      find: async () =>
        (await findSeedRun(database.forTenant(tenantId), runId)).found ?? expect.fail("no run"),
      tellUntil: async (until, { roundTripsMax } = {}) => {
        valueOf(await advance({ runId, until }));
        for (;;) {
          const { is } = await work({ ...(roundTripsMax !== undefined && { roundTripsMax }) });
          if (is === "idle") return;
          expect(is).toBe("unfinished");
        }
      },
    },
  };
}

/** Ends a piece of work where it is, like a platform that ends a Worker. */
export class WorkerEnded extends Error {}

/** A database that throws WorkerEnded once so many calls of a joint database were made. */
export function dyingDatabase(test: TestDatabase, calls: number): Pick<Database, "jointly"> {
  let left = calls;
  return {
    jointly: async (tenantId) => {
      const joint = await openDatabase(test).jointly(tenantId);
      return {
        at: (plannedAt) => {
          left -= 1;
          if (left < 0) throw new WorkerEnded();
          return joint.at(plannedAt);
        },
        outgoing: joint.outgoing,
        get roundTrips() {
          return joint.roundTrips;
        },
        get durationMs() {
          return joint.durationMs;
        },
      };
    },
  };
}

/** What a story writes, apart from its events: rows of these tables, with their simulated times. */
const ROWS = [
  "select 'task' as what, t.id::text as task, t.created_at as at, to_jsonb(t) - '{event_head}'::text[] as row from tasks t",
  "select 'label', l.task_id::text, l.since, to_jsonb(l) from task_labels l",
  "select 'version', v.task_id::text, v.created_at, to_jsonb(v) from task_versions v",
  "select 'step', s.task_id::text, s.created_at, to_jsonb(s) from steps s",
  `select 'event', e.task_id::text, e.at, to_jsonb(e) - '{txid,feed_id,hash,prev_hash,canonical,operation_id}'::text[]
   from step_events e`,
  "select 'review', r.task_id::text, r.created_at, to_jsonb(r) from reviews r",
  `select 'run', w.task_id::text, w.created_at, to_jsonb(w) - '{deadline_at,lease_until}'::text[] from worker_runs w`,
  "select 'prompt', p.task_id::text, p.created_at, to_jsonb(p) from prompts p",
  "select 'data', d.task_id::text, d.created_at, to_jsonb(d) from data d",
  "select 'eval', e.task_id::text, e.created_at, to_jsonb(e) - '{event_head}'::text[] from evals e",
  `select 'eval event', v.task_id::text, e.at, to_jsonb(e) - '{txid,feed_id,hash,prev_hash,canonical,operation_id}'::text[]
   from eval_step_events e join evals v on v.tenant_id = e.tenant_id and v.id = e.eval_id`,
  "select 'trial', x.task_id::text, x.created_at, to_jsonb(x) from trials x",
  "select 'insight', i.task_id::text, i.created_at, to_jsonb(i) from insights i",
];

/**
 * Returns everything that a story wrote to a tenant, in an order that does not depend on when it was written. Ids are
 * numbered, because they follow from the run's.
 */
export async function storyIn(database: TestDatabase, tenant: Tenant): Promise<string[]> {
  const rows: SqlRow[] = await database.query(
    "owner",
    `select s.what, (s.row - 'tenant_id')::text as row
    from (${ROWS.join(" union all ")}) s
    where s.row ->> 'tenant_id' = $1
    order by s.what, s.at, (select t.title from tasks t where t.id::text = s.task),
      regexp_replace(s.row::text, '${UUID}', '', 'g')`,
    [tenant.id],
  );
  const numbers = new Map<string, number>();
  const numbered = (id: string) => {
    if (!numbers.has(id)) numbers.set(id, numbers.size + 1);
    return `#${numbers.get(id)}`;
  };
  return rows.map(({ what, row }) =>
    `${what} ${row}`.replaceAll(tenant.id, "tenant").replaceAll(new RegExp(UUID, "g"), numbered),
  );
}

const UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
