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

/** A bound input; JSON goes as text. */
export type InputValue = string | number | boolean | null;

/** The call of a prepared statement: its text, and the values of its parameters. */
export function callOf(
  { name }: { name: keyof typeof PREPARED_NAMES },
  inputs: Readonly<Record<string, InputValue>>,
): { text: string; values: InputValue[] } {
  const given = Object.keys(inputs).map((input, at) => `${parameterOf(input)} => $${at + 1}`);
  const text = `select * from prepared.${PREPARED_NAMES[name]}(${given.join(", ")})`;
  return { text, values: Object.values(inputs) };
}

/** What an input is called within its function: as no column is. */
export function parameterOf(input: string): string {
  return `p_${input}`;
}
