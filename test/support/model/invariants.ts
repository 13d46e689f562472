import { expect } from "vitest";
import { type Invariant, INVARIANTS } from "../../../src/db/invariants/index.ts";
import type { TestDatabase } from "../database.ts";
import { analyzeIfGrown } from "../statistics.ts";

/** Expects no invariant to return a row. Each query runs as the owner with its own snapshot. */
export async function expectInvariantsHold(database: TestDatabase): Promise<void> {
  expect(await brokenInvariants(database)).toEqual([]);
}

/** Returns the invariants that do not hold, each with the first rows that break it. */
export async function brokenInvariants(
  database: TestDatabase,
): Promise<{ name: string; rows: readonly unknown[] }[]> {
  await analyzeIfGrown(database);
  const isRepeated = checked.has(database);
  checked.add(database);
  const broken = isRepeated ? await brokenByFunction(database) : await brokenByTexts(database);
  return broken.map(({ name, rows }) => ({ name, rows: rows.slice(0, 3) }));
}

/** The databases whose invariants were checked. */
const checked = new WeakSet<TestDatabase>();

async function brokenByTexts(database: TestDatabase) {
  const results = await database.transaction(
    "owner",
    INVARIANTS.map(({ sql }) => ({ text: sql })),
  );
  return INVARIANTS.flatMap(({ name }, index) => {
    const rows: readonly unknown[] = results[index] ?? [];
    return rows.length === 0 ? [] : [{ name, rows }];
  });
}

/** The function that runs all invariants. A connection keeps its plans, which take longer than running them. */
const functions = new WeakMap<TestDatabase, Promise<unknown>>();

async function brokenByFunction(database: TestDatabase) {
  const isReady = functions.get(database) ?? createFunction(database);
  functions.set(database, isReady);
  await isReady;
  const found = await database.query("owner", "select * from observer.broken_invariants()");
  return found.map(({ name, rows }) => ({
    name: name ?? "",
    rows: JSON.parse(rows ?? "[]") as unknown[],
  }));
}

async function createFunction(database: TestDatabase): Promise<void> {
  const checks = INVARIANTS.map(
    ({ name, sql }) =>
      `return query select '${name}', json_agg(b) from (${sql}) b having count(*) > 0;`,
  );
  await database.transaction("superuser", [
    { text: "create schema if not exists observer" },
    { text: "grant usage on schema observer to public" },
    {
      text: `create function observer.broken_invariants() returns table (name text, rows json)
        language plpgsql as $$
        #variable_conflict use_column
        begin ${checks.join("\n")} end $$`,
    },
  ]);
}

/**
 * Creates the functions that `invariantsBrokenBy` calls. Each invariant is a function, so that a connection plans it once:
 * planning all of them takes ten times longer than running them over a few rows.
 */
export async function givenBreaker(
  database: TestDatabase,
  invariants: readonly Invariant[] = INVARIANTS,
): Promise<void> {
  await database.transaction("superuser", [
    { text: "create schema if not exists observer" },
    ...invariants.map(({ name, sql }) => ({
      text: `create function observer."${name}"() returns boolean language plpgsql
        as $$ begin return exists (${sql}); end $$`,
    })),
    {
      text: `create function observer.broken_by(breaking text, invariants text[]) returns text[] language plpgsql as $$
declare
  broken text[] := '{}';
  name text;
  is_broken boolean;
begin
  -- Disables all guards on this connection, for good: each change of this setting makes Postgres forget its plans.
  perform set_config('session_replication_role', 'replica', false);
  begin
    execute breaking;
    foreach name in array invariants loop
      begin
        execute format('select observer.%I()', name) into is_broken;
      -- Data that cannot be read also counts as broken, as it does for verify.
      exception when data_exception then is_broken := true;
      end;
      if is_broken then broken := broken || name; end if;
    end loop;
    -- Rolls back the damage. The variable keeps the names.
    raise exception using errcode = 'SL999';
  exception when sqlstate 'SL999' then return broken;
  end;
end
$$`,
    },
  ]);
}

/**
 * Returns the names of the invariants, by default of all, that these statements break. They run as a superuser with all
 * guards disabled and are rolled back.
 */
export async function invariantsBrokenBy(
  database: TestDatabase,
  statements: string,
  invariants: readonly Invariant[] = INVARIANTS,
): Promise<string[]> {
  const names = invariants.map(({ name }) => name);
  const [row] = await database.query(
    "forger",
    "select to_json(observer.broken_by($1, $2)) as broken",
    [statements, names],
  );
  return JSON.parse(row?.["broken"] ?? "null") as string[];
}

/**
 * Recomputes every hash chain and its head from the current columns, like a forger who knows how the chain works.
 */
export const REHASH = `;
with linked as (
  select tenant_id, task_id, seq, chain_hash(decode(repeat('00', 32), 'hex'), step_event_canonical(
      tenant_id, task_id, seq, version_id, step_id, type, from_status, to_status, from_gate, to_gate,
      actor_id, actor_name, actor_kind, actor_role, reason, payload, duplicate_of, run_attached_workflows,
      bulk_operation_id, operation_id, request_id, registry_version, at))
    over (partition by tenant_id, task_id order by seq) as hash
  from step_events
), chained as (
  select *, lag(hash, 1, decode(repeat('00', 32), 'hex')) over (partition by tenant_id, task_id order by seq) as prev
  from linked
)
update step_events e set hash = c.hash, prev_hash = c.prev from chained c
where (e.tenant_id, e.task_id, e.seq) = (c.tenant_id, c.task_id, c.seq);
update tasks t set event_head = e.hash from step_events e
where (e.tenant_id, e.task_id, e.seq) = (t.tenant_id, t.id, t.event_seq)`;

/** Rebuilds the hash chains of evals in the same way. */
export const REHASH_EVALS = `;
with linked as (
  select tenant_id, eval_id, seq, chain_hash(decode(repeat('00', 32), 'hex'), eval_event_canonical(
      tenant_id, eval_id, seq, task_id, trial_id, type, from_status, to_status, actor_id, actor_name, actor_kind,
      actor_role, reason, payload, operation_id, request_id, registry_version, at))
    over (partition by tenant_id, eval_id order by seq) as hash
  from eval_step_events
), chained as (
  select *, lag(hash, 1, decode(repeat('00', 32), 'hex')) over (partition by tenant_id, eval_id order by seq) as prev
  from linked
)
update eval_step_events e set hash = c.hash, prev_hash = c.prev from chained c
where (e.tenant_id, e.eval_id, e.seq) = (c.tenant_id, c.eval_id, c.seq);
update evals v set event_head = e.hash from eval_step_events e
where (e.tenant_id, e.eval_id, e.seq) = (v.tenant_id, v.id, v.event_seq)`;
