import { expect } from "vitest";

const MARK = "new:";

/** Returns a generator of placeholders for ids that only the service knows. Each stands for a different id. */
export function placeholders(): () => string {
  let count = 0;
  return () => `${MARK}${(count += 1)}`;
}

/** The service's id for each placeholder. */
export type Bindings = Map<string, string>;

/**
 * Expects the answer to equal the prediction, with an id of the service for each placeholder, and adds these ids to
 * `bindings`.
 */
export function expectForetold(foretold: unknown, told: unknown, bindings: Bindings): void {
  bind(foretold, told, bindings);
  expect(new Set(bindings.values()).size).toBe(bindings.size);
  expect(told).toEqual(substitute(foretold, bindings));
}

function bind(foretold: unknown, told: unknown, bindings: Bindings): void {
  if (typeof foretold === "string" && foretold.startsWith(MARK)) {
    if (typeof told === "string" && !bindings.has(foretold)) bindings.set(foretold, told);
  } else if (isObject(foretold) && isObject(told)) {
    for (const [key, value] of Object.entries(foretold)) bind(value, told[key], bindings);
  }
}

/** Replaces the placeholders in a value by their ids. Placeholders without an id stay. */
export function substitute<Value>(value: Value, bindings: Bindings): Value {
  const replaced = (node: unknown): unknown => {
    if (typeof node === "string") return bindings.get(node) ?? node;
    if (Array.isArray(node)) return node.map(replaced);
    if (!isObject(node)) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, replaced(item)]));
  };
  // A string is replaced by a string, and everything else keeps its type.
  return replaced(value) as Value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
