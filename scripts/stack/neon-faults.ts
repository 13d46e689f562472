import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/**
 * A fault to inject between a Worker and its database:
 * - `delay`: the request waits for `delayMilliseconds` first.
 * - `unavailable`: the endpoint answers 503 and runs nothing.
 * - `sqlstate`: the endpoint answers an error with `code` (40001 by default) and `severity`, and runs nothing.
 * - `cut-before-commit`: the statements run and are rolled back. Then the connection drops.
 * - `cut-after-commit`: the statements are committed. Then the connection drops without an answer.
 */
export const faultSchema = z.strictObject({
  kind: z.enum(["delay", "unavailable", "sqlstate", "cut-before-commit", "cut-after-commit"]),
  /** How many requests the fault affects. Null means all until it is cleared. */
  times: z.int().positive().nullable().default(1),
  /** How many matching requests pass first. */
  skip: z.int().nonnegative().default(0),
  delayMilliseconds: z.int().nonnegative().max(60_000).default(0),
  code: z
    .string()
    .regex(/^[0-9A-Z]{5}$/)
    .default("40001"),
  severity: z.enum(["ERROR", "FATAL", "PANIC"]).default("ERROR"),
  match: z
    .strictObject({
      database: z.string().optional(),
      /** Text that a statement of the request contains, or the body of the prepared function that it calls. */
      sql: z.string().optional(),
    })
    .default({}),
});
export type FaultInput = z.input<typeof faultSchema>;
export type Fault = z.output<typeof faultSchema> & { id: string; struck: number };

/** The injected faults that have not been used up. */
export class Faults {
  readonly #waiting = new Map<string, Fault>();

  add(input: FaultInput): Fault {
    const fault = { ...faultSchema.parse(input), id: randomUUID(), struck: 0 };
    this.#waiting.set(fault.id, fault);
    return fault;
  }

  /** Removes every fault, or those of one database. */
  clear(database?: string): void {
    for (const fault of this.#waiting.values()) {
      if (database === undefined || fault.match.database === database) {
        this.#waiting.delete(fault.id);
      }
    }
  }

  list(): Fault[] {
    return [...this.#waiting.values()];
  }

  /** Takes the faults that affect this request. Delays add up. Of the other kinds, only the oldest fault applies. */
  take(database: string, statements: readonly { query: string }[]): Fault[] {
    if (this.#waiting.size === 0) return [];
    const taken: Fault[] = [];
    let isHarmed = false;
    for (const fault of this.#waiting.values()) {
      if (isHarmed && fault.kind !== "delay") continue;
      if (!matches(fault, database, statements)) continue;
      if (fault.skip > 0) {
        fault.skip -= 1;
        continue;
      }
      fault.struck += 1;
      if (fault.times !== null && fault.struck >= fault.times) this.#waiting.delete(fault.id);
      if (fault.kind !== "delay") isHarmed = true;
      taken.push(fault);
    }
    return taken;
  }
}

function matches(fault: Fault, database: string, statements: readonly { query: string }[]) {
  const { database: wanted, sql } = fault.match;
  if (wanted !== undefined && wanted !== database) return false;
  return sql === undefined || statements.some(({ query }) => textOf(query).includes(sql));
}

const prepared = readFileSync(join(import.meta.dirname, "../../drizzle/prepared.sql"), "utf8")
  .split(/^create or replace function /m)
  .slice(1);

function textOf(query: string): string {
  const called = /\bprepared\.\w+/.exec(query)?.[0];
  const bodies = called === undefined ? [] : prepared.filter((text) => text.startsWith(called));
  return [query, ...bodies].join("\n");
}
