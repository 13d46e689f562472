import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { runProgram } from "../support/node/programs.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const directory = await mkdtemp(join(tmpdir(), "stepledger-client-"));
afterAll(() => rm(directory, { recursive: true }));

test("the client builds to plain JavaScript without dependencies", async () => {
  const compiler = join(PROJECT, "node_modules", ".bin", "tsc");
  const project = join(PROJECT, "client", "tsconfig.build.json");
  const built = await runProgram([compiler, "--project", project, "--outDir", directory]);
  expect(built).toEqual({ code: 0, stdout: "", stderr: "" });

  const entry = pathToFileURL(join(directory, "index.js")).href;
  const script = `
    import { connect, StepledgerProblem } from ${JSON.stringify(entry)};
    const fetch = async () => Response.json({ error: "not_found", detail: "No.", retry: "never" }, { status: 404 });
    const refusal = await connect({ baseUrl: "http://service.test", fetch }).getMe().catch((error) => error);
    console.log(refusal instanceof StepledgerProblem, refusal.error);
  `;
  const ran = await runProgram([process.execPath, "--input-type=module", "--eval", script]);
  expect(ran).toEqual({ code: 0, stdout: "true not_found\n", stderr: "" });
});
