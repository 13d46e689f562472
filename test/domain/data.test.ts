import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { byteRangeOf } from "../../src/domain/data/byte-range.ts";
import { isSameType, servedContentType } from "../../src/domain/data/content-type.ts";

describe("the type under which content is handed out", () => {
  test.each([
    "text/plain",
    "text/plain; charset=utf-8",
    "text/csv",
    "application/json",
    "application/x-ndjson",
    "application/pdf",
    "image/png",
    "audio/mpeg",
    "video/mp4",
  ])("is %s where that is what it is", (declared) => {
    expect(servedContentType(declared)).toBe(declared);
  });

  test.each([
    "text/html",
    "TEXT/HTML; charset=utf-8",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/xml",
    "text/javascript",
    "application/javascript",
    "text/css",
    "application/wasm",
    "multipart/related",
    "nonsense/of-any-kind",
  ])("is any bytes for %s, which a page might run", (declared) => {
    expect(servedContentType(declared)).toBe("application/octet-stream");
  });

  it("is the same type whatever its parameters and letters", () => {
    expect(isSameType("text/plain; charset=utf-8", "Text/Plain")).toBe(true);
    expect(isSameType("text/plain", "text/html")).toBe(false);
  });
});

describe("a range of bytes", () => {
  it("is those of the places asked for that there are, none being unsatisfiable", () => {
    const bound = fc.option(fc.nat(200), { nil: "" as const });
    fc.assert(
      fc.property(bound, bound, fc.nat(100), (first, last, sizeBytes) => {
        const range = byteRangeOf(`bytes=${first}-${last}`, sizeBytes);
        const isNone = first === "" ? last === "" : last !== "" && last < first;
        const asked = Array.from({ length: sizeBytes }, (_, place) => place).filter((place) =>
          first === ""
            ? place >= sizeBytes - Number(last)
            : place >= first && (last === "" || place <= last),
        );
        if (isNone) expect(range).toBe(null);
        else if (asked.length > 0)
          expect(range).toEqual({ offset: asked[0], length: asked.length });
        else expect(range).toBe(first === "" && last !== 0 ? null : "unsatisfiable");
      }),
    );
  });

  test.each([
    null,
    "",
    "bytes=",
    "bytes=-",
    "bytes=5-2",
    "bytes=99-98",
    "bytes=-1-2",
    "bytes=+1-2",
    "bytes=1.0-2",
    "bytes=a-b",
    "bytes = 0-1",
    "bytes=0-1, 3-4",
    "items=0-1",
  ])("is none in %j: the whole is the answer", (header) => {
    expect(byteRangeOf(header, 10)).toBe(null);
  });
});
