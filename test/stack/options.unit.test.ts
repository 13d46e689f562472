import { expect, test } from "vitest";
import { parseStackOptions } from "../../scripts/stack/options.ts";

test("without arguments the stack listens on 8787, keeps its data and limits nothing", () => {
  expect(parseStackOptions([])).toEqual({
    port: 8787,
    isReset: false,
    rateLimit: null,
  });
});

test("takes every option that dev and preview document", () => {
  expect(parseStackOptions(["--port", "9000", "--reset", "--rate-limit", "10"])).toEqual({
    port: 9000,
    isReset: true,
    rateLimit: 10,
  });
});

test.each([[["--port", "0"]], [["--port", "x"]], [["--rate-limit", "1.5"]], [["--what"]], [["x"]]])(
  "refuses %j and tells how it is used",
  (args) => {
    expect(() => parseStackOptions(args)).toThrow("Options (after --)");
  },
);
