import type { Query, SQL } from "drizzle-orm";
import { PREPARED_NAMES } from "./prepared-names.ts";

// Prepared statements are functions in the schema `prepared`. Neon keeps no plan for a statement that is sent as text,
// and planning a large statement takes longer than running it for one task. Each connection keeps a function's plan
// (ADR 0028). `npm run generate` creates the functions from these descriptions.

/** A value to bind or, in a prepared statement, the SQL of its parameter. */
export type Bound<Value> = Value | SQL;

/** The input that the client adds to every prepared statement. */
export const TENANT_INPUTS = { tenant_id: "uuid" } as const;
/** The inputs that the client adds to a prepared write, which inserts an operation. */
export const OPERATION_INPUTS = {
  operation_id: "uuid",
  ledger_actor: "text",
  route: "text",
  key: "text",
  fingerprint: "text",
} as const;

type Prepared<Input extends string, Added extends string> = Readonly<{
  name: keyof typeof PREPARED_NAMES;
  inputs: Readonly<Record<Input, "uuid" | "text" | "json" | "integer" | "boolean">>;
  /** The columns of the last statement: names and types, as SQL. */
  columns: string;
  /** The statements in order. A value that is not an input becomes part of the text. */
  body: (input: Readonly<Record<Input | Added, SQL>>) => readonly SQL[];
}>;

export type PreparedRead<Input extends string> = Prepared<Input, keyof typeof TENANT_INPUTS> & {
  writes: false;
};

/** A write that has the same effect however often it is sent, and so inserts no operation. */
export type PreparedIdempotentWrite<Input extends string> = PreparedRead<Input>;

export type PreparedWrite<Input extends string> = Prepared<
  Input,
  keyof typeof TENANT_INPUTS | keyof typeof OPERATION_INPUTS
> & { writes: true };

/** A prepared statement with any inputs. */
export interface AnyPrepared {
  name: keyof typeof PREPARED_NAMES;
  inputs: Readonly<Record<string, string>>;
  writes: boolean;
}

/** The value of an input. JSON is passed as text. */
export type InputValue = string | number | boolean | null;

/** Returns all inputs of a statement with their types, in the order of its parameters. */
export function inputsOf({ inputs, writes }: AnyPrepared): Readonly<Record<string, string>> {
  return { ...TENANT_INPUTS, ...(writes ? OPERATION_INPUTS : {}), ...inputs };
}

/** Returns the call of a prepared statement: its text and the values of its parameters. */
export function callOf(
  statement: AnyPrepared,
  values: Readonly<Record<string, InputValue>>,
): Query {
  const cached = calls.get(statement.name);
  const call = cached ?? buildCall(statement);
  if (cached === undefined) calls.set(statement.name, call);
  return { sql: call.text, params: call.names.map((name) => values[name] ?? null) };
}

const calls = new Map<string, ReturnType<typeof buildCall>>();

function buildCall(statement: AnyPrepared): { text: string; names: string[] } {
  const names = Object.keys(inputsOf(statement));
  const places = names.map((_, index) => `$${index + 1}`);
  return {
    names,
    text: `select * from prepared.${PREPARED_NAMES[statement.name]}(${places.join()})`,
  };
}
