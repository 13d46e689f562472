import { createHash } from "node:crypto";
import { type SQL, sql } from "drizzle-orm";
import { PgDialect } from "drizzle-orm/pg-core";
import { LOAD_TASK } from "../../src/db/snapshots/prepared-load.ts";
import { BEGIN_DISPATCH } from "../../src/db/dispatches/begin-dispatch.ts";
import { RECORD_CREATION } from "../../src/db/moves/record-creations.ts";
import { RECORD_MOVES, RECORD_PLAIN_MOVES } from "../../src/db/moves/prepared-moves.ts";
import {
  type AnyPrepared,
  inputsOf,
  type OPERATION_INPUTS,
  type PreparedWrite,
  type TENANT_INPUTS,
} from "../../src/db/connection/prepared.ts";
import { insertOperation, releaseKey } from "../../src/db/connection/stored-operation.ts";
import { CHECK_CONSTRAINTS, preparedScopeOf } from "../../src/db/connection/transaction.ts";

interface PreparedFunction {
  name: string;
  /** The name with a digest of the definition, so that Workers of the previous release keep using their own function. */
  versionedName: string;
  ddl: string;
}

/** Generates drizzle/prepared.sql, the prepared functions. `npm run migrate` runs it after the migrations. */
export function generatePreparedSql(): string {
  return `-- Made from the statements in src/db by \`npm run generate\`. Do not edit.
-- Each function is one transaction's work, with the rights of its caller (docs/adr/0028-prepared-statements.md). Left to
-- itself, Postgres plans for a tenant of a large database anew each time, since it knows how large that one is.

create schema if not exists prepared;
grant usage on schema prepared to stepledger_app;
${functions.map(({ ddl }) => ddl).join("")}`;
}

/** Generates src/db/connection/prepared-names.ts, the names of the functions of this release. */
export function generatePreparedNames(): string {
  const names = functions.map(({ name, versionedName }) => `  ${name}: "${versionedName}",\n`);
  return `// Generated from the prepared statements in src/db by \`npm run generate\`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
${names.join("")}} as const;
`;
}

const dialect = new PgDialect();

const functions: readonly PreparedFunction[] = [
  functionOf(LOAD_TASK, {
    before: (input) => [performed(preparedScopeOf(input.tenant_id))],
    after: [],
  }),
  functionOf(BEGIN_DISPATCH, {
    before: (input) => [performed(preparedScopeOf(input.tenant_id))],
    after: [textOf(CHECK_CONSTRAINTS)],
  }),
  writer(RECORD_CREATION),
  writer(RECORD_PLAIN_MOVES),
  writer(RECORD_MOVES),
];

/** Compiles a statement that inserts an operation. */
function writer<Input extends string>(statement: PreparedWrite<Input>): PreparedFunction {
  return functionOf(statement, {
    before: (input) => [performed(preparedScopeOf(input.tenant_id)), ...begun(input)],
    after: [textOf(CHECK_CONSTRAINTS)],
  });
}

function begun(
  input: Readonly<Record<keyof typeof OPERATION_INPUTS | keyof typeof TENANT_INPUTS, SQL>>,
): string[] {
  const operation = {
    id: input.operation_id,
    actorId: input.ledger_actor,
    route: input.route,
    key: input.key,
    fingerprint: input.fingerprint,
  };
  // Most calls have no idempotency key, and so nothing to release.
  return [
    `if ${textOf(input.key)} is not null then ${textOf(releaseKey(operation))}; end if`,
    textOf(insertOperation(input.tenant_id, operation)),
  ];
}

/** Compiles a statement to a function. `before` and `after` are statements around the body. */
function functionOf<Parameters extends Readonly<Record<string, SQL>>>(
  statement: AnyPrepared & { columns: string; body: (parameters: Parameters) => readonly SQL[] },
  { before, after }: { before: (parameters: Parameters) => string[]; after: string[] },
): PreparedFunction {
  const { name, columns } = statement;
  const types = Object.entries(inputsOf(statement));
  // There is a parameter for every input, which is what the type says.
  const parameters = Object.fromEntries(
    types.map(([input]) => [input, sql.raw(`p_${input}`)]),
  ) as Parameters;
  const body = statement.body(parameters);
  const lines = [
    ...before(parameters),
    ...body.map((part, index) =>
      index === body.length - 1 ? `return query ${textOf(part)}` : performed(part),
    ),
    ...after,
  ];
  const definition = `(
  ${types.map(([input, type]) => `p_${input} ${type}`).join(",\n  ")}
) returns table (${columns}) language plpgsql set plan_cache_mode = force_generic_plan as $prepared$
#variable_conflict use_column
begin
${lines.map((line) => `${line};\n`).join("")}end $prepared$`;
  const digest = createHash("sha256").update(definition).digest("hex").slice(0, 8);
  const versionedName = `${name}_${digest}`;
  const ddl = `
create or replace function prepared.${versionedName}${definition};
revoke execute on function prepared.${versionedName} from public;
grant execute on function prepared.${versionedName} to stepledger_app;
`;
  return { name, versionedName, ddl };
}

/** Returns a statement whose rows are discarded. */
function performed(statement: SQL): string {
  return textOf(statement).replace(/^select\b/, "perform");
}

/** Returns the text of a statement. Values that are not parameters become part of the text. */
function textOf(statement: SQL): string {
  const { sql: text, params } = dialect.sqlToQuery(sql`${statement}`.inlineParams());
  if (params.length > 0)
    throw new Error("A prepared statement can have no values other than its inputs");
  return text.trim();
}
