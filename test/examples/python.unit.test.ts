import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Stepledger } from "../../client/index.ts";
import { runProgram } from "../support/node/programs.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { temporaryFiles } from "../support/node/temporary-files.ts";
import { offerDispatched } from "../support/offer-runs.ts";
import { endLeases } from "../support/run-rows.ts";

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples", "python");

describe("against the running service", () => {
  let service: TestService;
  let stepledger: Stepledger;
  const file = temporaryFiles();

  beforeAll(async () => {
    service = await startService();
    stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
  });
  afterAll(() => service.stop());

  /** Runs an example with a service key. */
  const runExample = (example: string, ...args: string[]) =>
    runProgram(["python3", join(EXAMPLES, example), ...args], {
      STEPLEDGER_URL: service.baseUrl,
      STEPLEDGER_KEY: service.tenant.keys.service,
    });

  /** Creates tasks and dispatches their quality check to polling workers. Returns the ids of the waiting runs. */
  const givenWaiting = async (contents: Record<string, string>): Promise<string[]> => {
    const start = { kind: "pre_qa", reason: "Written elsewhere" } as const;
    const { items } = await stepledger.importTasks({
      body: {
        tasks: Object.entries(contents).map(([title, instructions]) => ({
          title,
          content: { instructions },
          start,
        })),
      },
    });
    const ids = items.flatMap(({ id }) => id ?? []);
    for (const taskId of ids) {
      const { currentStep } = await stepledger.getTask({ params: { taskId } });
      const body = { pipeline: "quality_automation", reason: "Newly written" } as const;
      await stepledger.dispatchPipeline({ params: { stepId: currentStep.id }, body });
    }
    return offerDispatched(service.database, ids);
  };

  test("the worker checks every waiting task, and its verdicts move them", async () => {
    const runIds = await givenWaiting({
      Good: "How many ducks are in the pond?",
      Poor: "Ducks.",
    });
    const { code, stdout, stderr } = await runExample("worker.py");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.trim().split("\n").toSorted()).toEqual([
      "2 checked",
      "Good: passed, now READY_TO_SUBMIT",
      "Poor: failed, now QUALITY_CHECK_FAILED",
    ]);
    const { data } = await stepledger.listRuns({ query: { type: "QUALITY_AUTOMATION" } });
    // The list has the newest first.
    expect(data.toReversed()).toMatchObject(
      runIds.map((id) => ({ id, state: "SUCCEEDED", attempt: 1 })),
    );
    expect((await runExample("worker.py")).stdout).toBe("0 checked\n");
  });

  test("three concurrent workers check each task once", async () => {
    const titles = Array.from({ length: 30 }, (_, index) => `Task ${index + 1}`);
    await givenWaiting(Object.fromEntries(titles.map((title) => [title, "How many ducks?"])));
    const outputs = await Promise.all([1, 2, 3].map(() => runExample("worker.py")));
    const checked = outputs.flatMap(({ code, stderr, stdout }) => {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout.split("\n").filter((line) => line.startsWith("Task "));
    });
    expect(checked.toSorted()).toEqual(
      titles.map((title) => `${title}: failed, now QUALITY_CHECK_FAILED`).toSorted(),
    );
  });

  test("a worker whose lease has expired loses its run to the next worker and gets lease_lost", async () => {
    const [runId = ""] = await givenWaiting({ Slow: "How many ducks are in the pond?" });
    const script = `
import worker
from stepledger import Problem, Stepledger
stepledger = Stepledger.from_environment()
[work] = worker.claim(stepledger)
print("claimed", flush=True)
input()
try:
    worker.check(stepledger, work)
except Problem as problem:
    print(problem.error)
`;
    const slow = spawn("python3", ["-c", script], {
      env: {
        PATH: process.env["PATH"],
        PYTHONPATH: EXAMPLES,
        STEPLEDGER_URL: service.baseUrl,
        STEPLEDGER_KEY: service.tenant.keys.service,
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface({ input: slow.stdout });
    expect(await once(lines, "line")).toEqual(["claimed"]);
    await endLeases(service.database, [runId]);
    expect((await runExample("worker.py")).stdout).toContain("Slow: passed");
    slow.stdin.end("continue\n");
    expect(await once(lines, "line")).toEqual(["lease_lost"]);
  });

  test("record_evaluation records each trial once and prints a summary", async () => {
    const results = ["a", "b"].flatMap((task) =>
      [1, 2].map((k) => ({
        task: `ext:${task}`,
        model: "m-1",
        k,
        passed: task === "a" || k === 2,
      })),
    );
    await stepledger.importTasks({
      body: { tasks: ["a", "b"].map((externalId) => ({ title: externalId, externalId })) },
    });
    const path = await file(
      "results.jsonl",
      results.map((one) => `${JSON.stringify(one)}\n`).join(""),
    );

    const first = await runExample("record_evaluation.py", "accuracy", "2", path);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("4 recorded");
    expect(first.stdout).toContain("m-1: 3 of 4 passed, pass@1 0.75, pass@2 1.00");
    const again = await runExample("record_evaluation.py", "accuracy", "2", path);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("4 exists") });
    const { data: evals } = await stepledger.listEvals({ query: { name: "accuracy" } });
    expect(evals.map(({ status, eventSeq }) => [status, eventSeq])).toEqual([
      ["completed", 3],
      ["completed", 3],
    ]);

    const other = { task: "ext:nobody", model: "m-1", k: 1, passed: true };
    const wrong = await file("wrong.jsonl", JSON.stringify(other));
    expect(await runExample("record_evaluation.py", "accuracy", "2", wrong)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ext:nobody m-1 1"),
    });
  });

  test("the client retries a write whose response was lost, and raises Problem for a refusal", async () => {
    const { id } = await stepledger.createTask({ body: { title: "Cut off" } });
    await service.database.faults({ kind: "cut-after-commit", times: 4 });
    const script = `
from stepledger import Problem, Stepledger
stepledger = Stepledger.from_environment()
run = stepledger.post("/tasks/${id}/worker-runs", {"type": "PAYMENT"})
print(run["state"])
try:
    stepledger.post("/tasks/ext:nobody/worker-runs", {"type": "PAYMENT"})
except Problem as problem:
    print(problem.error, problem.retry)
`;
    const ended = await runProgram(["python3", "-c", script], {
      PYTHONPATH: EXAMPLES,
      STEPLEDGER_URL: service.baseUrl,
      STEPLEDGER_KEY: service.tenant.keys.service,
    });
    await service.database.clearFaults();
    expect(ended).toEqual({ code: 0, stderr: "", stdout: "QUEUED\nnot_found never\n" });
    const { data } = await stepledger.listRuns({ query: { task: id } });
    expect(data).toHaveLength(1);
  });
});

describe("the Python client", () => {
  const runScript = (script: string, environment: Record<string, string> = {}) =>
    runProgram(["python3", "-c", script], { PYTHONPATH: EXAMPLES, ...environment });

  test("does not follow a redirect with its key", async () => {
    const paths: string[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url ?? "");
      response.writeHead(302, { location: "/elsewhere" }).end();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const ended = await runScript(
      `
from stepledger import Stepledger, Unreachable
try:
    Stepledger.from_environment().get("/me")
except Unreachable as error:
    print(error)
`,
      { STEPLEDGER_URL: `http://127.0.0.1:${port}`, STEPLEDGER_KEY: "slg_key" },
    );
    server.close();
    expect(ended).toEqual({
      code: 0,
      stderr: "",
      stdout: "Answered 302, but not in the service's format\n",
    });
    expect(paths).toEqual(["/v1/me"]);
  });

  test("rejects a malformed key without showing it", async () => {
    const ended = await runScript(
      'from stepledger import Stepledger\nStepledger("http://127.0.0.1:9", "slg_a\\nb").get("/me")',
    );
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(
      "ValueError: The key must be one word of printable ASCII characters",
    );
    expect(ended.stderr).not.toContain("slg_");
  });
});

describe("the webhook receiver", () => {
  const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const webhook = new Webhook(SECRET);
  let receiver: ChildProcess;
  let url: string;
  const handled: unknown[] = [];

  beforeAll(async () => {
    receiver = spawn("python3", [join(EXAMPLES, "webhook_receiver.py"), "0"], {
      env: { PATH: process.env["PATH"], WEBHOOK_SECRET: SECRET },
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (receiver.stdout === null) throw new Error("stdout is not piped");
    const lines = createInterface({ input: receiver.stdout });
    const [first] = (await once(lines, "line")) as [string];
    url = first;
    lines.on("line", (line) => handled.push(JSON.parse(line)));
  });
  afterAll(() => {
    receiver.kill();
  });

  interface Sending {
    id?: string;
    at?: Date;
    headers?: Record<string, string>;
    /** The body to send instead of the signed one. */
    sent?: string;
  }

  /** Sends a message signed at `at`, with the given headers replaced. */
  async function send(
    body: string,
    { id = "msg_1", at = new Date(), headers = {}, sent = body }: Sending = {},
  ): Promise<number> {
    const response = await fetch(url, {
      method: "POST",
      body: sent,
      headers: {
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
        "webhook-signature": webhook.sign(id, at, body),
        ...headers,
      },
    });
    return response.status;
  }

  test("handles each signed message once", async () => {
    const body = JSON.stringify({ type: "task.label_changed", data: { title: "Übung ✓" } });
    expect(await send(body)).toBe(204);
    expect(await send(body)).toBe(204);
    expect(await send(body, { id: "msg_2" })).toBe(204);
    await expect.poll(() => handled).toEqual([JSON.parse(body), JSON.parse(body)]);
  });

  test("accepts either signature during a secret rotation", async () => {
    const at = new Date();
    const right = webhook.sign("msg_3", at, "{}");
    const other = new Webhook("whsec_b3RoZXIgc2VjcmV0IG9mIHRlc3Rz").sign("msg_3", at, "{}");
    const headers = { "webhook-signature": `v1a,xyz ${other} ${right}` };
    expect(await send("{}", { id: "msg_3", at, headers })).toBe(204);
    expect(await send("{}", { id: "msg_3", headers: { "webhook-signature": other } })).toBe(401);
  });

  test("rejects a message that was changed, is too old or too new, or lacks a header", async () => {
    const minutes = (count: number) => new Date(Date.now() + count * 60_000);
    expect(await send("{}", { sent: "[]" })).toBe(401);
    expect(await send("{}", { headers: { "webhook-id": "msg_other" } })).toBe(401);
    expect(await send("{}", { at: minutes(-6) })).toBe(401);
    expect(await send("{}", { at: minutes(6) })).toBe(401);
    for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
      expect(await send("{}", { headers: { [name]: "" } }), name).toBe(401);
    }
    expect(await send("{}", { headers: { "webhook-signature": "v1,?" } })).toBe(401);
    expect(await send("{}", { headers: { "webhook-timestamp": "now" } })).toBe(401);
  });

  test("accepts the test vector of the specification's reference libraries", async () => {
    const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const at = new Date(1_614_265_330 * 1000);
    const body = '{"test": 2432232314}';
    expect(webhook.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)).toBe(signature);
    const verified = await runProgram(
      [
        "python3",
        "-c",
        `
from webhook_receiver import verify
headers = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "${signature}",
}
print(verify("${SECRET}", headers, b'${body}', now=1614265330)["test"])
`,
      ],
      { PYTHONPATH: EXAMPLES },
    );
    expect(verified).toEqual({ code: 0, stderr: "", stdout: "2432232314\n" });
  });
});
