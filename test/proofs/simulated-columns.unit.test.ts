import { createHash } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectDone } from "../support/api-calls.ts";
import { givenWorld } from "../support/model/world.ts";
import { documentedTimes, timeColumns } from "../support/node/documented-times.ts";
import { apiOf } from "../support/node/api.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { givenClock } from "../support/simulated-clock.ts";

/** The clock stands still long ago, so that every time in the database shows which clock it is from. */
const SIMULATED = "2015-06-01T12:00:00.000000Z";
/** Real times can also be some hours ahead: leases and deadlines. */
const REAL_SINCE = Date.now() - 3_600_000;

/** The columns that the life of this tenant does not fill. */
const EMPTY = [
  "bulk_operations.cancel_requested_at",
  "seed_runs.next_action_at",
  "seed_runs.slice_until",
];

let service: TestService;
let owner: Client;
beforeAll(async () => {
  service = await startService();
  owner = new Client({ connectionString: service.database.migrationDatabaseUrl });
  await owner.connect();
  const { tenant, database } = service;
  await owner.query("update tenants set kind = 'demo' where id = $1", [tenant.id]);
  await givenClock(database, tenant.id, { at: SIMULATED, until: SIMULATED });
  const api = apiOf(service);
  const { busy } = await givenWorld(api, tenant);
  const act = async (method: string, path: string, body: object, as: "admin" | "service") => {
    const answer = await api.call<{ id: string }>(method, path, { as, body });
    return expectDone(answer, answer.status === 201 ? 201 : 200);
  };
  await act("POST", `/tasks/${busy.id}/prompts`, { role: "user", content: "How?" }, "admin");
  await act("POST", `/tasks/${busy.id}/archive`, { reason: "Done" }, "admin");
  const { id } = await api.givenTask({ at: { kind: "output_generation", status: "running" } });
  const content = "It is as follows.";
  const data = {
    kind: "generated",
    contentType: "text/plain",
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  };
  const { id: dataId } = await act("POST", `/tasks/${id}/data`, data, "admin");
  const headers = { "content-type": "text/plain" };
  expectDone(await api.call("PUT", `/data/${dataId}/content`, { body: content, headers }));
  const reason = "A mistake";
  const bulk = async (path: string, body: object) => {
    const answer = await api.call<{ operationId: string }>("POST", `/bulk/${path}`, {
      idempotencyKey: path,
      body,
    });
    return expectDone(answer).operationId;
  };
  const { id: rejected } = await api.givenTask({
    at: { kind: "expert_review", status: "in_review" },
  });
  const change = { taskIds: [rejected], targetStatus: "REJECTED", reason };
  await bulk(`operations/${await bulk("execute", change)}/revert`, { reason });
  await service.sweep();
}, 120_000);

afterAll(async () => {
  await owner.end();
  await service.stop();
});

test("in a demo with a simulated clock, every simulated column has its time, and every other column has real time", async () => {
  const { simulated } = await documentedTimes();
  const wrong: string[] = [];
  const empty: string[] = [];
  for (const { table, column } of await timeColumns()) {
    const { rows } = await owner.query<{ at: Date }>(
      `select distinct ${column} as at from ${table} t where ${column} is not null
        and coalesce(to_jsonb(t) ->> 'tenant_id', $1) = $1`,
      [service.tenant.id],
    );
    const isSimulated = simulated.get(table)?.includes(column) === true;
    if (isSimulated && rows.length === 0) empty.push(`${table}.${column}`);
    for (const { at } of rows) {
      const isRight = isSimulated
        ? at.getTime() === Date.parse(SIMULATED)
        : at.getTime() > REAL_SINCE;
      if (!isRight) wrong.push(`${table}.${column}: ${at.toISOString()}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(empty.toSorted()).toEqual(EMPTY.toSorted());
});
