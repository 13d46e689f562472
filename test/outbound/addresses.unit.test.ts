import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ADDRESS_RANGES, isPublicAddress } from "../../src/outbound/address-ranges.ts";

const PUBLIC = ["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"];
const PUBLIC_SIX = ["2606:4700:4700::1111", "2a00:1450:4001:80f::200e", "2001:4860:4860::8888"];

describe("the table of address ranges", () => {
  test("contains each range once", () => {
    const prefixes = ADDRESS_RANGES.map(([prefix]) => prefix);
    expect(new Set(prefixes).size).toBe(prefixes.length);
  });

  test.each(ADDRESS_RANGES.filter(([, isPublic]) => !isPublic))(
    "marks the first and last address of %s as not public",
    (prefix) => {
      expect([...edgesOf(prefix)].filter(isPublicAddress)).toEqual([]);
    },
  );

  test.each([...PUBLIC, ...PUBLIC_SIX])("marks %s as public", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  test("marks every IPv6 address outside the global unicast block as not public", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const [first = ""] = address.split(":");
        const isGlobal = /^[23][0-9a-f]{3}$/i.test(first);
        expect(isPublicAddress(address) && !isGlobal).toBe(false);
      }),
    );
  });

  test("gives the same result for every spelling of an IPv4 address", () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffffffff }), (value) => {
        const parts = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
        const [a = 0, b = 0, c = 0, d = 0] = parts;
        const dotted = parts.join(".");
        const spellings = [
          String(value),
          `0x${value.toString(16)}`,
          `0${value.toString(8)}`,
          `${a}.${(b << 16) | (c << 8) | d}`,
          `0x${a.toString(16)}.0${b.toString(8)}.${(c << 8) | d}`,
        ];
        expect(new Set(spellings.map(isPublicAddress))).toEqual(new Set([isPublicAddress(dotted)]));
      }),
    );
  });

  test.each(["", "example.com", "1.2.3.4.5", "::g", "fe80::1%eth0", "1.1.1.1/24", "1.1.1.1:443"])(
    "does not treat %j, which is not an address, as public",
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
    },
  );
});

/** Yields the first and the last address of a range in the usual notation. */
function* edgesOf(prefix: string): Generator<string> {
  const [first = "", length = ""] = prefix.split("/");
  yield first;
  // The last address of ::/0 belongs to the multicast range.
  if (prefix === "::/0") return;
  if (first.includes(".")) {
    const value = first.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    const last = value + 2 ** (32 - Number(length)) - 1;
    yield [24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join(".");
    return;
  }
  const [head = ""] = first.split("::");
  const groups = head
    .split(":")
    .filter(Boolean)
    .map((group) => Number.parseInt(group, 16));
  const last = Array.from({ length: 8 }, (_, index) => {
    const hostBits = Math.min(Math.max((index + 1) * 16 - Number(length), 0), 16);
    return ((groups[index] ?? 0) | (2 ** hostBits - 1)).toString(16);
  });
  yield last.join(":");
}
