import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { isSameType } from "../../src/domain/data/content-type.ts";
import { byteRangeOf, requestedRange } from "../../src/routes/http/byte-range.ts";
import { servedContentType } from "../../src/routes/http/served-type.ts";

describe("the content type that data is served with", () => {
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
  ])("stays %s", (declared) => {
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
  ])("is application/octet-stream instead of %s, which a browser might execute", (declared) => {
    expect(servedContentType(declared)).toBe("application/octet-stream");
  });

  it("compares without parameters and without letter case", () => {
    expect(isSameType("text/plain; charset=utf-8", "Text/Plain")).toBe(true);
    expect(isSameType("text/plain", "text/html")).toBe(false);
  });
});

describe("a byte range", () => {
  it("covers the requested bytes that exist, and is unsatisfiable if none do", () => {
    const bound = fc.option(fc.nat(200), { nil: "" as const });
    fc.assert(
      fc.property(bound, bound, fc.nat(100), (first, last, sizeBytes) => {
        const range = byteRangeOf(`bytes=${first}-${last}`, sizeBytes);
        const isInvalid = first === "" ? last === "" : last !== "" && last < first;
        const requested = Array.from({ length: sizeBytes }, (_, position) => position).filter(
          (position) =>
            first === ""
              ? position >= sizeBytes - Number(last)
              : position >= first && (last === "" || position <= last),
        );
        if (isInvalid) expect(range).toBe(null);
        else if (requested.length > 0)
          expect(range).toEqual({ offset: requested[0], length: requested.length });
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
  ])("is null for the header %j, so that the whole content is sent", (header) => {
    expect(byteRangeOf(header, 10)).toBe(null);
  });
});

describe("a requested range", () => {
  const content = { entityTag: '"a"', sizeBytes: 10 };
  const request = { range: "bytes=2-3", ifRange: null, isKnown: () => false };

  it("is the part that Range names", () => {
    expect(requestedRange(request, content)).toEqual({ offset: 2, length: 2 });
    expect(requestedRange({ ...request, ifRange: '"a"' }, content)).toEqual({
      offset: 2,
      length: 2,
    });
  });

  it("is the whole content if If-Range names another entity tag, or the caller has the content", () => {
    expect(requestedRange({ ...request, ifRange: '"b"' }, content)).toBeNull();
    expect(requestedRange({ ...request, isKnown: () => true }, content)).toBeNull();
  });
});
