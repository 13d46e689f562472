import { beforeAll, describe, expect, test } from "vitest";
import { isOfVersionSql, workerTypeSql } from "../../src/db/dispatches/pipeline-sql.ts";
import { DISPATCH_INVARIANTS } from "../../src/db/invariants/dispatches.ts";
import { PIPELINE_NAMES, PIPELINES } from "../../src/domain/pipelines/pipelines.ts";
import { freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe.each(PIPELINE_NAMES)("in the database, %s", (pipeline) => {
  const { worker, scope } = PIPELINES[pipeline];
  const isOfVersion = scope === "version";

  test("has the worker type and the scope of its row in PIPELINES", async () => {
    const [row] = await api.database.query(
      "owner",
      `select ${workerTypeSql("p")} as worker, case when ${isOfVersionSql("p")} then 'version' else 'step' end as scope from (values ($1::text)) v(p)`,
      [pipeline],
    );
    expect(row).toEqual({ worker, scope });
  });

  test("has a unique index and an invariant for its versions if they share one dispatch", async () => {
    const indexes = await api.database.query(
      "owner",
      `select indexdef from pg_indexes where tablename = 'pipeline_dispatches'
         and indexdef like 'CREATE UNIQUE INDEX % (tenant_id, version_id) %' and indexdef like $1`,
      [`%pipeline = '${pipeline}'%`],
    );
    expect(indexes).toHaveLength(isOfVersion ? 1 : 0);
    const invariants = DISPATCH_INVARIANTS.filter(
      ({ name }) => name === `one-${pipeline}-per-version`,
    );
    expect(invariants).toHaveLength(isOfVersion ? 1 : 0);
  });
});
