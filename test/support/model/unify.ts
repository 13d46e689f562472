import { expect } from "vitest";

const MARK = "new:";

/** Names for ids that only the service will know: each stands for one id, and no two for the same. */
export function placeholders(): () => string {
  let count = 0;
  return () => `${MARK}${(count += 1)}`;
}

/** What the service has put in the place of each placeholder. */
export type Bindings = Map<string, string>;

/**
 * Expects the answer to be what was foretold, with an id of the service's own in the place of each placeholder, and
 * tells which id that is.
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

/** The same value with known ids in the place of their placeholders; those that nobody told of stay. */
export function substitute<Value>(value: Value, bindings: Bindings): Value {
  const replaced = (node: unknown): unknown => {
    if (typeof node === "string") return bindings.get(node) ?? node;
    if (Array.isArray(node)) return node.map(replaced);
    if (!isObject(node)) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, replaced(item)]));
  };
  // Strings become strings and everything else stays what it was.
  return replaced(value) as Value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
