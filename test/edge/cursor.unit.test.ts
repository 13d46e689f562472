import * as z from "zod";
import * as fc from "fast-check";
import { base64url } from "jose";
import { describe, expect, test } from "vitest";
import { createTokenSigner } from "../../src/actions/call/signed-token.ts";
import { type CursorBinding, decodeCursor, encodeCursor } from "../../src/routes/http/cursor.ts";

const ALPHABET = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const signer = createTokenSigner("the first secret, of thirty-two and more");
const position = z.strictObject({ after: z.string(), rank: z.number().int() });
const binding: CursorBinding = {
  tenantId: "0193aaaa-0000-7000-8000-000000000001",
  operationId: "listTasks",
  filter: { unifiedStatus: ["DRAFT"], q: undefined, archived: false },
  sort: "-createdAt",
};
const invalidCursor = { ok: false, refusal: expect.objectContaining({ code: "invalid_cursor" }) };

describe("a list cursor", () => {
  test("decodes to the position that was encoded", async () => {
    const cursor = await encodeCursor(signer, binding, { after: "Ünï", rank: 7 });
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    const decoded = await decodeCursor(signer, binding, cursor, position);
    expect(decoded).toEqual({ ok: true, value: { after: "Ünï", rank: 7 } });
  });

  test("is valid for the same filter in another order", async () => {
    const cursor = await encodeCursor(signer, binding, { after: "a", rank: 1 });
    const reordered = { ...binding, filter: { archived: false, unifiedStatus: ["DRAFT"] } };
    expect(await decodeCursor(signer, reordered, cursor, position)).toMatchObject({ ok: true });
  });

  test.each([
    ["another tenant", { tenantId: "0193aaaa-0000-7000-8000-000000000002" }],
    ["another list", { operationId: "listEvents" }],
    ["another filter", { filter: { unifiedStatus: ["PASSED"], archived: false } }],
    ["another sort", { sort: "createdAt" }],
  ])("of %s is invalid_cursor", async (_name, change) => {
    const cursor = await encodeCursor(signer, binding, { after: "a", rank: 1 });
    expect(await decodeCursor(signer, { ...binding, ...change }, cursor, position)).toEqual(
      invalidCursor,
    );
  });

  test("signed with another secret, or with a position of another shape, is invalid_cursor", async () => {
    const other = createTokenSigner("another secret, of thirty-two and more");
    const foreign = await encodeCursor(other, binding, { after: "a", rank: 1 });
    expect(await decodeCursor(signer, binding, foreign, position)).toEqual(invalidCursor);
    const older = await encodeCursor(signer, binding, { after: "a" });
    expect(await decodeCursor(signer, binding, older, position)).toEqual(invalidCursor);
  });

  test("with any character changed, added or removed is invalid_cursor", async () => {
    const cursor = await encodeCursor(signer, binding, { after: "abc", rank: 3 });
    const edit = fc.record({
      at: fc.nat({ max: cursor.length }),
      remove: fc.nat({ max: 2 }),
      insert: fc.string({
        unit: fc.constantFrom(...ALPHABET, "=", "+", "/", ".", " "),
        maxLength: 2,
      }),
    });
    await fc.assert(
      fc.asyncProperty(edit, async ({ at, remove, insert }) => {
        const edited = cursor.slice(0, at) + insert + cursor.slice(at + remove);
        fc.pre(edited !== cursor);
        expect(await decodeCursor(signer, binding, edited, position)).toEqual(invalidCursor);
      }),
      { numRuns: 500 },
    );
  });

  test.each(["", "a", "null", "💥", "A".repeat(5000), "../../etc"])(
    "that is arbitrary text (%j) is invalid_cursor",
    async (text) => {
      expect(await decodeCursor(signer, binding, text, position)).toEqual(invalidCursor);
    },
  );
});

describe("a signed token", () => {
  const payload = Uint8Array.from([0, 1, 254, 255]);

  test("returns its payload, including an empty one", async () => {
    expect(await signer.open("plan", await signer.sign("plan", payload))).toEqual(payload);
    const empty = new Uint8Array();
    expect(await signer.open("plan", await signer.sign("plan", empty))).toEqual(empty);
  });

  test("does not open for another purpose, even with bytes moved between purpose and payload", async () => {
    const token = await signer.sign("plan", payload);
    expect(await signer.open("cursor", token)).toBeNull();
    const bytes = base64url.decode(await signer.sign("a", new TextEncoder().encode("bc")));
    expect(await signer.open("ab", base64url.encode(bytes.slice(1)))).toBeNull();
  });

  test("has one spelling: no other last character or padding decodes to the same bytes", async () => {
    for (const length of [0, 1, 2, 3]) {
      const token = await signer.sign("plan", new Uint8Array(length));
      for (const last of ALPHABET) {
        const respelled = token.slice(0, -1) + last;
        const opened = await signer.open("plan", respelled);
        expect(opened === null).toBe(respelled !== token);
      }
      for (const suffix of ["=", "==", " ", "\n"]) {
        expect(await signer.open("plan", token + suffix)).toBeNull();
      }
    }
  });
});
