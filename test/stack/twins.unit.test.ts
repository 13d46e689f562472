import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../../client/index.ts";
import { OWNER_ROLE } from "../../scripts/stack/roles.ts";
import { verifyDatabase } from "../../scripts/verify/verify-database.ts";
import { REHASH_EVALS } from "../support/model/invariants.ts";
import { startService, type TestService } from "../support/node/service.ts";

const MIGRATIONS = join(import.meta.dirname, "..", "..", "drizzle");

let service: TestService;
let forger: Client;
beforeAll(async () => {
  service = await startService();
  forger = new Client({ connectionString: service.database.superuserUrl });
  await forger.connect();
});
afterAll(async () => {
  await forger.end();
  await service.stop();
});

/** Returns the statement of the migration that marks twins. */
async function markingStatement(): Promise<string> {
  const name = (await readdir(MIGRATIONS)).find((file) => file.endsWith("_eval_per_name.sql"));
  const text = await readFile(join(MIGRATIONS, name ?? ""), "utf8");
  const statements = text.split("--> statement-breakpoint");
  return statements.find((statement) => statement.includes("do $$")) ?? expect.fail("no statement");
}

test("the migration marks all but the newest of twin evals, by an event that verifies", async () => {
  const stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
  const { id: task } = await stepledger.createTask({ body: { title: "Twins" } });
  for (const name of ["first", "second", "third", "other"]) {
    const results = [{ task, model: "m", k: 1, passed: name === "third" }];
    await stepledger.recordEvaluation({ body: { name, k: 2, results } });
  }
  // As releases before the rule left them: three live evals of one name, and a cancelled one.
  await forger.query(`begin;
    set local session_replication_role = replica;
    drop index evals_live_name;
    update eval_step_events e set payload = replace(payload, '"name":"' || v.name || '"', '"name":"twin"')
      from evals v where v.id = e.eval_id and v.name <> 'other';
    update evals set name = 'twin' where name <> 'other'${REHASH_EVALS};
    commit;`);
  const faults = async () =>
    (await verifyDatabase(service.database.superuserUrl)).invariants
      .filter(({ rows }) => rows > 0)
      .map(({ name }) => name);
  expect(await faults()).toEqual(["one-live-eval-per-name"]);

  await forger.query(`set role ${OWNER_ROLE}`);
  const marking = await markingStatement();
  await forger.query(marking);
  await forger.query(marking);
  await forger.query(`create unique index evals_live_name
    on evals using btree (tenant_id, version_id, name) where status <> 'cancelled' and twin_of is null`);
  await forger.query("reset role");
  expect((await verifyDatabase(service.database.superuserUrl)).isWhole).toBe(true);

  const { data } = await stepledger.listEvals({ query: { name: "twin" } });
  const [newest, ...older] = data;
  expect(data.map(({ twinOf }) => twinOf)).toEqual([null, newest?.id, newest?.id]);
  for (const { id } of older) {
    const events = await stepledger.listEvalEvents({ params: { evalId: id } });
    expect(events.data.at(-1)).toMatchObject({
      type: "eval_updated",
      actor: { name: "Migration", kind: "system" },
      payload: { changes: { twinOf: { from: null, to: newest?.id } } },
    });
    const verdict = await stepledger.verifyEvalEvents({ params: { evalId: id } });
    expect(verdict).toMatchObject({ valid: true, events: 3 });
  }
  const { models } = await stepledger.summariseEvals({ query: { name: "twin" } });
  expect(models).toMatchObject([{ n: 1, c: 1 }]);
  const results = [{ task, model: "m", k: 1, passed: true }];
  const again = await stepledger.recordEvaluation({ body: { name: "twin", k: 2, results } });
  expect(again.items).toMatchObject([{ outcome: "exists", evalId: newest?.id }]);
});
