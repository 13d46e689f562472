import { expect, test } from "vitest";
import { parseStackOptions } from "../../scripts/stack/options.ts";

test("defaults to port 8787, kept data and no rate limit", () => {
  expect(parseStackOptions([])).toEqual({
    port: 8787,
    isReset: false,
    isEmpty: false,
    storyTasks: 180,
    rateLimit: null,
  });
});

test("accepts every option that dev and preview document", () => {
  expect(
    parseStackOptions([
      "--port",
      "9000",
      "--reset",
      "--empty",
      "--rate-limit",
      "10",
      "--tasks",
      "9",
    ]),
  ).toEqual({
    port: 9000,
    isReset: true,
    isEmpty: true,
    storyTasks: 9,
    rateLimit: 10,
  });
});

test.each([
  [["--port", "0"]],
  [["--port", "x"]],
  [["--rate-limit", "1.5"]],
  [["--tasks", "1001"]],
  [["--what"]],
  [["x"]],
])("rejects %j and prints the usage", (args) => {
  expect(() => parseStackOptions(args)).toThrow("Options (after --)");
});
