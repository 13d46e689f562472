import { expect } from "vitest";

const MARK = "new:";

/** Returns a generator of placeholders for ids that only the service knows, one for each id. */
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
export function expectMatch(expected: unknown, actual: unknown, bindings: Bindings): void {
  bind(expected, actual, bindings);
  expect(new Set(bindings.values()).size).toBe(bindings.size);
  expect(actual).toEqual(substitute(expected, bindings));
}

function bind(expected: unknown, actual: unknown, bindings: Bindings): void {
  if (typeof expected === "string" && expected.startsWith(MARK)) {
    if (typeof actual === "string" && !bindings.has(expected)) bindings.set(expected, actual);
  } else if (isObject(expected) && isObject(actual)) {
    for (const [key, value] of Object.entries(expected)) bind(value, actual[key], bindings);
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
