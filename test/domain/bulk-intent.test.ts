import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BULK_ACTIONS, BULK_OPERATION_ACTIONS } from "../../src/domain/bulk/actions.ts";
import {
  decodeIntent,
  encodeIntent,
  encodeIntentForToken,
  type IntentMembers,
} from "../../src/domain/bulk/intent.ts";
import { BULK_TARGETS } from "../../src/domain/bulk/matrix.ts";

const TARGETS: IntentMembers<never>[] = BULK_TARGETS.map((targetStatus) => ({ targetStatus }));
/** An action with the parameters that identify it. What an edit sets is drawn. */
const withParameters = <Action extends string>(action: Action) =>
  action === "rework" ? { action, toKind: "authoring" as const } : { action };
const CHANGES = [...TARGETS, ...BULK_ACTIONS.map(withParameters)];
const OPERATIONS = [...TARGETS, ...BULK_OPERATION_ACTIONS.map(withParameters)];

const edits = fc.record(
  { assignee: fc.option(fc.string()), priority: fc.integer({ min: 0, max: 9 }) },
  { requiredKeys: [] },
);

/** Returns the value after a round trip through JSON. */
const throughJson = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

describe("a bulk intent", () => {
  test.each(OPERATIONS)("%o survives the columns of the ledger", (members) => {
    fc.assert(
      fc.property(edits, (changes) => {
        const intent = decodeIntent({ ...members, changes });
        expect(intent).toMatchObject(members);
        expect(decodeIntent(throughJson(encodeIntent(intent)))).toEqual(intent);
      }),
    );
  });

  test.each(CHANGES)("%o survives a request body and a preview", (members) => {
    fc.assert(
      fc.property(edits, (changes) => {
        const intent = decodeIntent({ ...members, changes });
        expect(decodeIntent(throughJson(intent))).toEqual(intent);
      }),
    );
  });

  test.each(CHANGES)("%o survives a plan token", (members) => {
    fc.assert(
      fc.property(edits, (edit) => {
        const intent = decodeIntent({ ...members, changes: edit });
        const { changes, ...rest } = throughJson(encodeIntentForToken(intent));
        const parsed = changes === null ? null : JSON.parse(changes);
        expect(decodeIntent({ ...rest, changes: parsed })).toEqual(intent);
      }),
    );
  });

  test("is the same in a token whatever the order of an edit's fields", () => {
    const one = encodeIntentForToken({ action: "edit", changes: { assignee: "ada", priority: 1 } });
    const same = encodeIntentForToken({
      action: "edit",
      changes: { priority: 1, assignee: "ada" },
    });
    expect(same).toEqual(one);
    expect(one.changes).toBe('{"assignee":"ada","priority":1}');
  });

  test("cannot be read if it reworks without a stage", () => {
    expect(() => decodeIntent({ action: "rework", toKind: null })).toThrow("names a stage");
  });

  test("cannot be read if it names neither a target nor an action", () => {
    expect(() => decodeIntent({ targetStatus: null, action: null })).toThrow("names a target");
  });
});
