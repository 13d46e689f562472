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
const CHANGES = [...TARGETS, ...BULK_ACTIONS.map((action) => ({ action }))];
const OPERATIONS = [...TARGETS, ...BULK_OPERATION_ACTIONS.map((action) => ({ action }))];

const edits = fc.record(
  { assignee: fc.option(fc.string()), priority: fc.integer({ min: 0, max: 9 }) },
  { requiredKeys: [] },
);

/** A value after it was stored or sent as JSON. */
const throughJson = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

describe("a bulk intent", () => {
  test.each(OPERATIONS)("%o is read from the ledger's columns as it was written", (named) => {
    fc.assert(
      fc.property(edits, (changes) => {
        const intent = decodeIntent({ ...named, changes });
        expect(intent).toMatchObject(named);
        expect(decodeIntent(throughJson(encodeIntent(intent)))).toEqual(intent);
      }),
    );
  });

  test.each(CHANGES)("%o is read from a body or a preview as it was sent", (named) => {
    fc.assert(
      fc.property(edits, (changes) => {
        const intent = decodeIntent({ ...named, changes });
        expect(decodeIntent(throughJson(intent))).toEqual(intent);
      }),
    );
  });

  test.each(CHANGES)("%o is read from a plan token as it was signed", (named) => {
    fc.assert(
      fc.property(edits, (edit) => {
        const intent = decodeIntent({ ...named, changes: edit });
        const { changes, ...members } = throughJson(encodeIntentForToken(intent));
        const parsed = changes === null ? null : JSON.parse(changes);
        expect(decodeIntent({ ...members, changes: parsed })).toEqual(intent);
      }),
    );
  });

  test("is the same in a token in whatever order the fields of an edit were sent", () => {
    const one = encodeIntentForToken({ action: "edit", changes: { assignee: "ada", priority: 1 } });
    const same = encodeIntentForToken({
      action: "edit",
      changes: { priority: 1, assignee: "ada" },
    });
    expect(same).toEqual(one);
    expect(one.changes).toBe('{"assignee":"ada","priority":1}');
  });

  test("cannot be read if it names neither a target nor an action", () => {
    expect(() => decodeIntent({ targetStatus: null, action: null })).toThrow("names a target");
  });
});
