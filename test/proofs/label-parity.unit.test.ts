import { readdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { labelFactsSql, labelFunctions } from "../../src/db/tasks/label-sql.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { resolve } from "../../src/domain/status/resolve.ts";
import { rankOf, UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { freshDatabase, type SqlRow, type TestDatabase } from "../support/database.ts";
import { EVERY_FACTS } from "../domain/support/facts.ts";

/** No label depends on whether the step is idle, so one half of the facts is. */
const FACTS = EVERY_FACTS.map((facts, index) => ({ ...facts, idle: index % 2 === 1 }));

let rows: readonly SqlRow[];

beforeAll(async () => {
  rows = await askDatabase(await freshDatabase());
});

/** The labels that the database computes for all facts, in one query. */
function askDatabase(database: TestDatabase): Promise<SqlRow[]> {
  return database.query(
    "application",
    `select label, label_rank(label) as rank, to_json(attention_of(f.kind, f.status, f.gate, f.review_failed, f.idle)) as attention
     from json_array_elements($1::json) with ordinality as given(facts, place)
       cross join lateral (select facts ->> 'kind' as kind, facts ->> 'status' as status, facts ->> 'gate' as gate,
         facts ->> 'heldGate' as held_gate,
         (facts ->> 'reviewFailed')::boolean as review_failed, (facts ->> 'idle')::boolean as idle,
         array(select json_array_elements_text(facts -> 'runningWorkers')) as running_workers) f
       cross join lateral (select label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers) as label) l
     order by place`,
    [JSON.stringify(FACTS)],
  );
}

describe("the resolver in the database", () => {
  test("computes the same label, rank and attention as the domain for every combination of facts", () => {
    const expected = FACTS.map((facts) => {
      const label = resolve(facts);
      return { label, rank: String(rankOf(label) + 1), attention: attentionOf(facts) };
    });
    const actual = rows.map(({ label, rank, attention }) => ({
      label,
      rank,
      attention: JSON.parse(attention ?? "null") as unknown,
    }));
    expect(actual).toEqual(expected);
  });

  test("produces every label", () => {
    expect(new Set(rows.map(({ label }) => label))).toEqual(new Set(UNIFIED_STATUSES));
  });

  test("is defined by the compiled rules, over the facts that they read", () => {
    const definition = (path: string) =>
      readFileSync(new URL(`../../drizzle/${path}.sql`, import.meta.url), "utf8");
    for (const [name, statement] of Object.entries(labelFunctions())) {
      expect(definition(`functions/${name}`)).toContain(statement);
    }
    // For the view that lists read, and for the rows that a statement just changed.
    expect(definition("views/task_facts")).toContain(labelFactsSql("tasks"));
    expect(definition("functions/keep_labels")).toContain(labelFactsSql("changed"));
  });

  test("is rebuilt by each migration that changes how labels are computed", () => {
    const folder = new URL("../../drizzle/", import.meta.url);
    const [first, ...later] = readdirSync(folder)
      .filter((name) => name.endsWith(".sql"))
      .toSorted()
      .filter((name) => CHANGED_READING.test(readFileSync(new URL(name, folder), "utf8")));
    expect(first).toBe("0002_labels.sql");
    expect(later.length).toBeGreaterThan(0);
    for (const name of later) {
      const text = readFileSync(new URL(name, folder), "utf8");
      expect(text.slice(text.search(CHANGED_READING)), name).toContain("select rebuild_labels();");
    }
  });
});

/** Everything a label is computed from: the compiled rules, their ranks and codes, and the facts that they read. */
const CHANGED_READING =
  /create (or replace )?(function (label_of|label_rank|attention_of|keep_labels|rebuild_labels)\(|view task_facts)/;
