import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Stepledger } from "../../client/index.ts";
import { runProgram } from "../support/node/programs.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { temporaryFiles } from "../support/node/temporary-files.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples", "typescript");

let service: TestService;
let stepledger: Stepledger;
const file = temporaryFiles();

beforeAll(async () => {
  service = await startService();
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
});
afterAll(() => service.stop());

/** Runs an example with an admin key and returns the lines it prints. */
async function linesOf(example: string, ...args: string[]): Promise<string[]> {
  const ended = await runProgram([process.execPath, join(EXAMPLES, example), ...args], {
    STEPLEDGER_URL: service.baseUrl,
    STEPLEDGER_KEY: service.tenant.keys.admin,
  });
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  return ended.stdout.split("\n").filter((line) => line !== "");
}

describe("the TypeScript examples", () => {
  test("move-a-task reads the allowed moves from the error", async () => {
    expect(await linesOf("move-a-task.ts")).toEqual([
      "Count the ducks: DRAFT",
      "invalid_transition, allowed: running, failed",
      "running after 2 events",
    ]);
  });

  test("bulk-change does what its preview showed", async () => {
    const start = { kind: "expert_review", reason: "From elsewhere" } as const;
    await stepledger.importTasks({
      body: { tasks: ["One", "Two"].map((title) => ({ title, start })) },
    });
    expect(await linesOf("bulk-change.ts")).toEqual([
      "Change Status Only (2): 2 of 2",
      "changed 2, refused 0",
    ]);
    const { data } = await stepledger.listTasks({ query: { unifiedStatus: ["REJECTED"] } });
    expect(data).toHaveLength(2);
    expect(await linesOf("bulk-change.ts")).toEqual(["Change Status Only (0): 0 of 0"]);
  });

  test("follow-events prints every event once across several runs", async () => {
    const cursor = `${await file("feed", "")}.cursor`;
    const first = await linesOf("follow-events.ts", cursor);
    expect(first.length).toBeGreaterThan(0);
    const { id } = await stepledger.createTask({ body: { title: "Since then" } });
    const rest = await linesOf("follow-events.ts", cursor);
    expect(rest).toEqual([expect.stringContaining(`${id} task_created by`)]);
  });

  test("compare-models prints pass@k for each model", async () => {
    expect(await linesOf("compare-models.ts")).toEqual([
      "careful: 2 of 2 passed, pass@1 1, pass@2 1",
      "hasty: 1 of 2 passed, pass@1 0.5, pass@2 1",
    ]);
    const { data } = await stepledger.listEvals({ query: { name: "arithmetic" } });
    expect(data).toMatchObject([{ status: "completed" }]);
  });
});
