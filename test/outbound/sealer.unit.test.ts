import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSealer, type SecretAddress } from "../../src/outbound/sealer.ts";
import { parseSealingKeys } from "../../src/outbound/sealing-keys.ts";
import { newSecret } from "../../src/outbound/secrets.ts";
import { parsedSealingKeys, sealingKeys, testSealer } from "../support/sealing.ts";

const ADDRESS: SecretAddress = {
  tenantId: "0199d2f5-0000-7000-8000-000000000001",
  kind: "webhook",
  name: "hook",
  id: "0199d2f5-0000-7000-8000-000000000002",
};
const sealer = testSealer();

describe("a sealed secret", () => {
  test("opens to the same bytes, and names its format and key", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 24, maxLength: 64 }), async (secret) => {
        const sealed = await sealer.seal(ADDRESS, secret);
        expect(sealed).toMatch(/^v1\.test\.[\w-]{16}\.[\w-]+$/);
        expect(await sealer.open(ADDRESS, sealed)).toEqual(secret);
      }),
    );
  });

  test("differs each time, even if the secret is the same", async () => {
    const secret = newSecret();
    const sealed = await Promise.all(
      Array.from({ length: 50 }, () => sealer.seal(ADDRESS, secret)),
    );
    expect(new Set(sealed).size).toBe(50);
  });

  test.each<[string, Partial<SecretAddress>]>([
    ["of another tenant", { tenantId: "0199d2f5-0000-7000-8000-000000000009" }],
    ["of the other kind", { kind: "pipeline" }],
    ["of another name", { name: "hook2" }],
    ["of another secret", { id: "0199d2f5-0000-7000-8000-000000000003" }],
    // The same characters, split elsewhere.
    ["whose parts are split elsewhere", { name: 'hook","x', id: "" }],
  ])("does not open in a row %s", async (_, other) => {
    const sealed = await sealer.seal(ADDRESS, newSecret());
    expect(await sealer.open({ ...ADDRESS, ...other }, sealed)).toEqual({
      keyId: "test",
      fault: "not_authentic",
    });
  });

  test("opens for every spelling of its tenant's id", async () => {
    const secret = newSecret();
    const sealed = await sealer.seal(ADDRESS, secret);
    const upper = { ...ADDRESS, tenantId: ADDRESS.tenantId.toUpperCase() };
    expect(await sealer.open(upper, sealed)).toEqual(secret);
  });

  test("does not open if any character of it is changed", async () => {
    const sealed = await sealer.seal(ADDRESS, newSecret());
    // The last character has bits that Base64url ignores.
    const altered = Array.from({ length: sealed.length - 1 }, (_, index) => {
      const other = sealed[index] === "A" ? "B" : "A";
      return sealed.slice(0, index) + other + sealed.slice(index + 1);
    });
    const opened = await Promise.all(altered.map((text) => sealer.open(ADDRESS, text)));
    expect(opened.filter((result) => result instanceof Uint8Array)).toEqual([]);
  });

  test.each([
    "",
    "v1",
    "v1.test",
    "v2.test.AAAAAAAAAAAAAAAA.AAAA",
    "v1.test.AAAA.AAAA",
    "whsec_AAAA",
  ])("is not %j", async (text) => {
    expect(await sealer.open(ADDRESS, text)).toEqual({ keyId: null, fault: "malformed" });
  });
});

describe("several keys", () => {
  test("all open, and the first one seals", async () => {
    const secret = newSecret();
    const old = await testSealer(sealingKeys("k1")).seal(ADDRESS, secret);
    const both = testSealer(sealingKeys("k2", "k1"));
    expect(await both.open(ADDRESS, old)).toEqual(secret);
    expect(await both.seal(ADDRESS, secret)).toMatch(/^v1\.k2\./);
  });

  test("do not open what a missing key has sealed", async () => {
    const old = await testSealer(sealingKeys("k1")).seal(ADDRESS, newSecret());
    expect(await testSealer(sealingKeys("k2")).open(ADDRESS, old)).toEqual({
      keyId: "k1",
      fault: "unknown_key",
    });
  });

  test("do not open what another key of the same id has sealed", async () => {
    const [key] = parsedSealingKeys(sealingKeys("other"));
    const old = await createSealer([{ ...key, id: "test" }]).seal(ADDRESS, newSecret());
    expect(await sealer.open(ADDRESS, old)).toEqual({ keyId: "test", fault: "not_authentic" });
  });
});

describe("the list of keys", () => {
  test("may have spaces after its commas", () => {
    expect(parseSealingKeys(sealingKeys("b", "a").replace(",", ", "))?.map(({ id }) => id)).toEqual(
      ["b", "a"],
    );
  });

  test.each(["", ",", "k1", "k1:", "k1:AAAA", `k1:${"A".repeat(43)}`, `k.1:${"A".repeat(43)}=`])(
    "is not %j",
    (text) => {
      expect(parseSealingKeys(text)).toBeNull();
    },
  );
});
