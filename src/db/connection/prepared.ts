import type { SQL } from "drizzle-orm";
import { PREPARED_NAMES } from "./prepared-names.ts";

// Statements that the database itself bears, as functions of the schema `prepared`. Of a text that is sent no plan is
// kept, and to plan a statement of many parts takes longer than to run it for one task; of a function each connection
// keeps the plan (ADR 0028). `npm run generate` makes the functions from these descriptions.

/** A value to be bound or, where the statement is prepared, the parameter that stands for it. */
export type Bound<Value> = Value | SQL;

/** What every prepared statement is told by the client beside its own inputs. */
export const TENANT_INPUTS = { tenant_id: "uuid" } as const;
/** And what one is told that writes: it begins an operation. */
export const OPERATION_INPUTS = {
  operation_id: "uuid",
  actor_id: "text",
  route: "text",
  key: "text",
  fingerprint: "text",
} as const;

type Prepared<Input extends string, Told extends string> = Readonly<{
  name: keyof typeof PREPARED_NAMES;
  inputs: Readonly<Record<Input, "uuid" | "text" | "json" | "integer" | "boolean">>;
  /** What the last statement returns: names and types, as SQL. */
  columns: string;
  /** The statements in order. Values that are no inputs become part of their texts. */
  body: (input: Readonly<Record<Input | Told, SQL>>) => readonly SQL[];
}>;

export type PreparedRead<Input extends string> = Prepared<Input, keyof typeof TENANT_INPUTS> & {
  writes: false;
};

export type PreparedWrite<Input extends string> = Prepared<
  Input,
  keyof typeof TENANT_INPUTS | keyof typeof OPERATION_INPUTS
> & { writes: true };

/** What is known of a prepared statement, whichever inputs it has. */
export interface AnyPrepared {
  name: keyof typeof PREPARED_NAMES;
  inputs: Readonly<Record<string, string>>;
  writes: boolean;
}

/** A bound input; JSON goes as text. */
export type InputValue = string | number | boolean | null;

/** What a statement is called with, in order. */
export function inputsOf({ inputs, writes }: AnyPrepared): Readonly<Record<string, string>> {
  return { ...TENANT_INPUTS, ...(writes ? OPERATION_INPUTS : {}), ...inputs };
}

/** The call of a prepared statement: its text, and the values of its parameters. */
export function callOf(
  statement: AnyPrepared,
  values: Readonly<Record<string, InputValue>>,
): { text: string; values: InputValue[] } {
  const known = calls.get(statement.name);
  const call = known ?? spelledCall(statement);
  if (known === undefined) calls.set(statement.name, call);
  return { text: call.text, values: call.names.map((name) => values[name] ?? null) };
}

const calls = new Map<string, ReturnType<typeof spelledCall>>();

function spelledCall(statement: AnyPrepared): { text: string; names: string[] } {
  const names = Object.keys(inputsOf(statement));
  const places = names.map((_, index) => `$${index + 1}`);
  return {
    names,
    text: `select * from prepared.${PREPARED_NAMES[statement.name]}(${places.join()})`,
  };
}
