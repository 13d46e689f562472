import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Stepledger, type Task } from "../../client/index.ts";
import { startService, type TestService } from "../support/node/service.ts";
import { temporaryFiles } from "../support/node/temporary-files.ts";
import { parseLines, run, type RunOptions } from "./support.ts";

let service: TestService;
let stepledger: Stepledger;
let home: string;
const file = temporaryFiles();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stepledger-home-"));
  service = await startService();
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
});
afterAll(async () => {
  await service.stop();
  await rm(home, { recursive: true });
});

/** Runs a command with an admin key of the first tenant. */
const asAdmin = (args: string[], options: Partial<RunOptions> = {}) =>
  run(args, {
    environment: { STEPLEDGER_URL: service.baseUrl, STEPLEDGER_KEY: service.tenant.keys.admin },
    ...options,
  });

/** Imports tasks at expert review, which bulk changes may reject, and returns their ids. */
async function givenReviewable(
  count: number,
  prefix: string,
  status: "queued" | "awaiting_review" = "queued",
): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, index) => ({
    title: `${prefix} ${index}`,
    externalId: `${prefix}-${index}`,
    start: { kind: "expert_review", status, reason: "From elsewhere" } as const,
  }));
  const { items } = await stepledger.importTasks({ body: { tasks } });
  return items.map(({ id = "" }) => id);
}

describe("login", () => {
  test("saves the URL and the key for later commands, in a file that only the owner can read", async () => {
    const environment = { XDG_CONFIG_HOME: home };
    const before = await run(["tasks", "list"], { environment });
    expect(before.code).toBe(2);
    expect(before.stderr).toContain("stepledger login");

    const login = await run(["login", "--url", `${service.baseUrl}/`], {
      environment,
      answers: [service.tenant.keys.viewer],
    });
    expect(login).toMatchObject({ code: 0, stdout: expect.stringContaining("First tenant") });

    const path = join(home, "stepledger", "config.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({
      url: service.baseUrl,
      key: service.tenant.keys.viewer,
    });
    expect((await run(["tasks", "list"], { environment })).code).toBe(0);
    const elsewhere = { ...environment, STEPLEDGER_URL: "https://elsewhere.test" };
    expect(await run(["tasks", "list"], { environment: elsewhere })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`The saved key is for ${service.baseUrl}`),
    });
  });

  test("does not save a key that the service rejects, and reads the key from standard input", async () => {
    const environment = { XDG_CONFIG_HOME: join(home, "other") };
    const args = ["login", "--url", service.baseUrl, "--json"];
    const refused = await run(args, { environment, input: "slg_wrong\n" });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("unauthenticated") });
    expect((await run(["tasks", "list"], { environment })).code).toBe(2);

    const login = await run(args, { environment, input: `${service.tenant.keys.operator}\n` });
    expect(JSON.parse(login.stdout)).toMatchObject({ actor: { role: "operator" } });
  });

  test("is used if the environment's variables are empty or name the same URL", async () => {
    const saved = { XDG_CONFIG_HOME: home, STEPLEDGER_KEY: "" };
    for (const url of ["", service.baseUrl, `${service.baseUrl}/`]) {
      const environment = { ...saved, STEPLEDGER_URL: url };
      expect(await run(["tasks", "list"], { environment })).toMatchObject({ code: 0 });
    }
    const nowhere = { XDG_CONFIG_HOME: "", HOME: join(home, "nowhere") };
    expect((await run(["tasks", "list"], { environment: nowhere })).stderr).toContain("login");
  });

  test("rejects a malformed key without showing it", async () => {
    for (const key of ["slg_a b", "slg_a\nslg_b", "slg_ä"]) {
      const environment = { STEPLEDGER_URL: service.baseUrl, STEPLEDGER_KEY: key };
      for (const args of [["tasks", "list"], ["login"]]) {
        const { code, stderr } = await run(args, { environment });
        expect(code).toBe(2);
        expect(stderr).toContain("A key must be one word");
        expect(stderr).not.toContain("slg_");
      }
    }
  });
});

describe("tasks", () => {
  test("lists matching tasks as lines or as JSON, and says if there are more", async () => {
    await stepledger.importTasks({
      body: { tasks: [1, 2, 3].map((n) => ({ title: `Listed ${n}`, externalId: `listed-${n}` })) },
    });
    const lines = await asAdmin(["tasks", "list", "--q", "Listed", "--sort", "title"]);
    expect(lines.stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ["ext:listed-1", "DRAFT"],
      ["ext:listed-2", "DRAFT"],
      ["ext:listed-3", "DRAFT"],
    ]);
    const two = await asAdmin(["tasks", "list", "--q", "Listed", "--limit", "2", "--json"]);
    expect(parseLines<Task>(two.stdout)).toHaveLength(2);
    expect(two.stderr).toContain("first 2");
    expect((await asAdmin(["tasks", "list", "--status", "PASSED"])).stderr).toBe("No tasks match.");
  });

  test("shows a task by its external id", async () => {
    const task = await stepledger.createTask({ body: { title: "Shown", externalId: "shown" } });
    const shown = await asAdmin(["tasks", "get", "ext:shown"]);
    expect(shown.stdout).toContain("ingestion queued, attempt 1");
    const json = await asAdmin(["tasks", "get", "ext:shown", "--json"]);
    expect(JSON.parse(json.stdout)).toEqual(task);
  });

  test("moves a task by status, advance and rework", async () => {
    await stepledger.createTask({ body: { title: "Walk", externalId: "walk" } });
    const move = (...args: string[]) => asAdmin(["tasks", "move", "ext:walk", ...args]);
    expect((await move("running", "--no-run-pipelines")).stdout).toContain("ingestion running");
    expect((await move("awaiting_review")).code).toBe(0);
    expect((await move("approved", "--reason", "Good")).code).toBe(0);
    expect((await move("--advance")).stdout).toContain("authoring queued");
    const back = await move("--rework", "ingestion", "--reason", "Again", "--json");
    expect(JSON.parse(back.stdout)).toMatchObject({
      task: { currentStep: { kind: "ingestion", attempt: 2 } },
    });
  });

  test("prints what is allowed instead of a refused move, as text and as JSON", async () => {
    await stepledger.createTask({ body: { title: "Refused", externalId: "refused" } });
    const refused = await asAdmin(["tasks", "move", "ext:refused", "approved"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^invalid_transition {2}/);
    expect(refused.stderr).toMatch(/allowed: .*running/);
    expect(refused.stderr).toContain("PATCH /v1/steps/");

    const json = await asAdmin(["tasks", "move", "ext:refused", "approved", "--json"]);
    expect(JSON.parse(json.stderr)).toMatchObject({ error: "invalid_transition", from: "queued" });
    const unknown = await asAdmin(["tasks", "move", "ext:refused", "done"]);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining("status: ") });
    const late = await asAdmin(["tasks", "move", "ext:refused", "running", "--if-seq", "9"]);
    expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining("version_conflict") });
  });
});

describe("bulk", () => {
  test("previews the tasks in a file and executes the saved plan", async () => {
    const ids = await givenReviewable(3, "bulk");
    const tasks = await file("tasks.txt", `# three\n\next:bulk-0\n${ids[1]}\r\n${ids[2]}\n`);
    const plan = join(home, "plan.json");
    const preview = await asAdmin([
      "bulk",
      "preview",
      "--to",
      "REJECTED",
      "--file",
      tasks,
      "--save",
      plan,
    ]);
    expect(preview).toMatchObject({ code: 0, stderr: expect.stringContaining(plan) });
    expect(preview.stdout).toContain("3 of 3 would become REJECTED");

    const execute = ["bulk", "execute", "--plan", plan, "--reason", "Dull"];
    const executed = await asAdmin(execute);
    expect(executed).toMatchObject({ code: 0, stdout: expect.stringContaining("changed 3") });
    const again = await asAdmin([...execute]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("plan_stale") });
  });

  test("exits with 1 if some tasks are refused, and lists them with what is allowed", async () => {
    const [id = ""] = await givenReviewable(1, "mixed");
    const draft = await stepledger.createTask({ body: { title: "Only a draft" } });
    const change = ["--to", "REJECTED", id, draft.id, "ext:nobody"];
    const preview = await asAdmin(["bulk", "preview", ...change]);
    expect(preview.code).toBe(1);
    expect(preview.stdout).toMatch(
      new RegExp(`illegal_target +${draft.id} +DRAFT +allowed: nothing`),
    );
    expect(preview.stdout).toMatch(/not_found +ext:nobody/);

    const json = await asAdmin([
      "bulk",
      "execute",
      ...change,
      "--reason",
      "Dull",
      "--yes",
      "--json",
    ]);
    expect(json.code).toBe(1);
    expect(parseLines<{ outcome: string }>(json.stdout).map(({ outcome }) => outcome)).toEqual([
      "changed",
      "refused",
      "refused",
    ]);
  });

  test("waits for a background operation and prints the same report", async () => {
    const ids = Array.from({ length: 1001 }, (_, index) => `ext:missing-${index}`);
    const [known = ""] = await givenReviewable(1, "large");
    const tasks = await file("many.txt", [known, ...ids].join("\n"));
    const change = ["--to", "REJECTED", "--file", tasks, "--reason", "Dull", "--yes"];
    const executed = await asAdmin(["bulk", "execute", ...change]);
    expect(executed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is running operation/),
    });
    expect(executed.stdout).toContain("changed 1, refused 1001, stale 0, failed 0");
    expect(executed.stdout).toContain("… and 981 more");
    const again = await asAdmin(["bulk", "execute", ...change, "--json"]);
    const items = parseLines<{ outcome: string; code: string }>(again.stdout);
    expect(items).toHaveLength(1002);
    expect(items[0]).toMatchObject({ outcome: "refused", code: "already_in_status" });
  });

  test("asks before it changes anything, and changes nothing unless the user agrees", async () => {
    const [id = ""] = await givenReviewable(1, "asked");
    const args = ["bulk", "execute", "--to", "REJECTED", "--file", "-", "--reason", "Dull"];
    const unasked = await asAdmin(args, { input: id });
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    const declined = await asAdmin(args, { input: id, answers: ["n"] });
    expect(declined).toMatchObject({ code: 1, stderr: expect.stringContaining("1 of 1 would") });
    const params = { taskId: id };
    expect((await stepledger.getTask({ params })).unifiedStatus).not.toBe("REJECTED");
    expect((await asAdmin(args, { input: id, answers: ["y"] })).code).toBe(0);
    expect((await stepledger.getTask({ params })).unifiedStatus).toBe("REJECTED");
  });

  test("applies actions, and runs pipelines only on request", async () => {
    const ids = await givenReviewable(2, "acted", "awaiting_review");
    const act = (...args: string[]) =>
      asAdmin(["bulk", "execute", "--reason", "So", "--yes", "--json", ...args, ...ids]);
    const edited = await act("--action", "edit", "--priority", "0", "--assignee", "Ada");
    expect(edited.code).toBe(0);
    expect(await stepledger.getTask({ params: { taskId: ids[0] ?? "" } })).toMatchObject({
      priority: 0,
      assignee: "Ada",
    });
    expect((await act("--action", "edit", "--unassign")).code).toBe(0);
    const approved = await act("--to", "PASSED");
    expect(JSON.parse(approved.stderr)).toMatchObject({ dispatched: 0 });
    const paid = await act("--action", "run_pipelines");
    expect(JSON.parse(paid.stderr)).toMatchObject({ dispatched: 2 });
    expect((await act("--action", "advance")).code).toBe(0);
    const stuck = await asAdmin(["bulk", "preview", "--action", "retry", ...ids]);
    expect(stuck).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("0 of 2 are eligible for retry"),
    });
    expect((await act("--action", "explode")).stderr).toContain("validation_failed");
  });

  test("archives, restores and reworks, and says if every task was refused", async () => {
    const ids = await givenReviewable(1, "reworked", "awaiting_review");
    const act = (...args: string[]) =>
      asAdmin(["bulk", "execute", "--reason", "So", "--yes", ...args, ...ids]);
    expect((await act("--action", "archive")).code).toBe(0);
    expect(await act("--action", "archive")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("every task was refused, so nothing was changed"),
    });
    expect((await act("--action", "restore")).code).toBe(0);
    const plan = join(home, "rework-plan.json");
    const rework = ["--action", "rework", "--to-kind", "pre_qa"];
    await asAdmin(["bulk", "preview", ...rework, ...ids, "--save", plan]);
    expect((await asAdmin(["bulk", "execute", "--plan", plan, "--reason", "So"])).code).toBe(0);
    const params = { taskId: ids[0] ?? "" };
    expect(await stepledger.getTask({ params })).toMatchObject({ currentStep: { kind: "pre_qa" } });
    for (const args of [
      ["--action", "rework"],
      ["--action", "retry", "--to-kind", "pre_qa"],
    ]) {
      expect(await act(...args)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("requires --to-kind KIND"),
      });
    }
  });

  test("saves a previewed action and its changes in the plan", async () => {
    const ids = await givenReviewable(1, "planned-action");
    const plan = join(home, "edit-plan.json");
    const edit = ["--action", "edit", "--unassign", "--priority", "7"];
    await asAdmin(["bulk", "preview", ...edit, ...ids, "--save", plan]);
    const executed = await asAdmin(["bulk", "execute", "--plan", plan, "--reason", "Urgent"]);
    expect(executed).toMatchObject({ code: 0, stdout: expect.stringContaining("changed 1") });
    const params = { taskId: ids[0] ?? "" };
    expect(await stepledger.getTask({ params })).toMatchObject({ priority: 7, assignee: null });
  });

  test("shows an operation and reverts it if the user agrees", async () => {
    const ids = await givenReviewable(2, "reverted", "awaiting_review");
    const change = { targetStatus: "PASSED", runAttachedWorkflows: true, taskIds: ids } as const;
    const { operationId } = await stepledger.executeBulk({ body: { ...change, reason: "Hasty" } });
    const shown = await asAdmin(["bulk", "show", operationId]);
    expect(shown.stdout).toMatch(/change +PASSED\nreason +Hasty\n/);
    expect(shown.stdout).toContain("changed 2, refused 0, stale 0, failed 0");
    expect(shown.stdout).toMatch(/dispatched +2 pipelines/);

    const [moved = ""] = ids;
    await stepledger.advanceTask({ params: { taskId: moved }, body: {} });
    const revert = ["bulk", "revert", operationId, "--reason", "Undone"];
    expect(await asAdmin(revert)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--yes"),
    });
    const declined = await asAdmin(revert, { answers: ["n"] });
    expect(declined).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Revert 2 tasks?"),
    });
    const reverted = await asAdmin(revert, { answers: ["y"] });
    expect(reverted.code).toBe(1);
    expect(reverted.stdout).toContain("changed 1, refused 0, stale 1, failed 0");
    expect(reverted.stdout).toContain("dispatches recalled: 1, already delivered: 0");
    expect(reverted.stdout).toMatch(new RegExp(`stale +${moved} +PASSED`));
    const json = await asAdmin(["bulk", "show", operationId, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      id: operationId,
      revertedBy: expect.any(String),
    });
    const again = await asAdmin([...revert, "--yes"]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("not_revertible") });
  });

  test("retries stale tasks, and reports that there is nothing to retry or to cancel", async () => {
    const ids = await givenReviewable(2, "retried");
    const [moved = ""] = ids;
    const body = { targetStatus: "REJECTED", taskIds: ids } as const;
    const { planToken } = await stepledger.previewBulk({ body });
    await stepledger.editTask({ params: { taskId: moved }, body: { priority: 9 } });
    const { operationId } = await stepledger.executeBulk({
      body: { ...body, planToken, onStale: "skip", reason: "Dull" },
    });
    const retry = ["bulk", "retry-failed", operationId];
    const retried = await asAdmin(retry, { answers: ["yes"] });
    expect(retried).toMatchObject({ code: 0, stderr: expect.stringContaining("Retry 1 tasks?") });
    expect(retried.stderr).toContain("1 of 1 would become");
    expect(retried.stdout).toContain("changed 1, refused 0");
    const child = /operation (\S+)/.exec(retried.stdout)?.[1] ?? "";
    const nothing = await asAdmin(["bulk", "retry-failed", child, "--yes"]);
    expect(nothing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("not_retriable"),
    });
    const cancelled = await asAdmin(["bulk", "cancel", child]);
    expect(cancelled).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("invalid_transition"),
    });
  });
});

describe("export", () => {
  test("writes a file that is named after what it holds, and never over another", async () => {
    const { code, stdout } = await asAdmin(["export", "evals", "--where", "name=none"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^evals-\d{4}-\d\d-\d\d\.csv$/);
    expect(await readFile(stdout, "utf8")).toMatch(/^id,taskId,/);
    const again = await asAdmin(["export", "evals", "--output", stdout]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("exists already") });
    await rm(stdout);

    const path = join(home, "history.csv");
    const excel = await asAdmin(["export", "admin-events", "--excel", "--output", path, "--json"]);
    expect(parseLines(excel.stdout)).toEqual([{ file: path }]);
    expect(await readFile(path, "utf8")).toMatch(/^\uFEFFseq;type;/);
  });

  test.each([
    ["no-such-thing", 2],
    ["tasks --format xml", 2],
    ["tasks --format ndjson --excel", 2],
    ["tasks --where title", 2],
    ["tasks --where unknown=1", 1],
  ])("refuses %s with %i, and creates no file", async (args, code) => {
    const path = join(home, "refused.csv");
    const refused = await asAdmin(["export", ...args.split(" "), "--output", path]);
    expect(refused.code).toBe(code);
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });
});

describe("changing all that match a filter", () => {
  test("goes on until nothing more matches, and counts what was left by its reason", async () => {
    const name = "hook-of-the-command-line";
    await stepledger.putWebhook({
      params: { name },
      body: { url: "https://hooks.example.com/in", events: ["bulk.finished"] },
    });
    await service.database.query(
      "superuser",
      `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data, state)
      select tenant_id, new_id(), id, name, 'bulk.finished', number::text, '{}', 'dead'
      from webhooks, generate_series(1, 1001) number where name = $1`,
      [name],
    );
    const dry = await asAdmin(["webhooks", "resend", name, "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stdout: "1001 would be sent again" });
    const sent = await asAdmin(["webhooks", "resend", name, "--reason", "It is back", "--json"]);
    expect(parseLines(sent.stdout)).toMatchObject([
      { matched: 1001, changed: 1000 },
      { matched: 1, changed: 1, nextAfter: null },
    ]);
    const again = await asAdmin(["webhooks", "resend", name, "--state", "pending"]);
    expect(again.code).toBe(1);
    expect(again.stdout).toContain("left as they are: It waits for its first attempt.");
    const none = await asAdmin(["webhooks", "resend", name, "--status", "404"]);
    expect(none).toMatchObject({ code: 0, stdout: "0 sent again" });

    for (const [what, verb] of [
      ["retry", "delivered again"],
      ["recall", "recalled"],
    ] as const) {
      const args = ["dispatches", what, "--reason", "So", "--until", "2020-01-01T00:00:00Z"];
      expect(await asAdmin(args)).toMatchObject({ code: 0, stdout: `0 ${verb}` });
      expect((await asAdmin(["dispatches", what])).code).toBe(2);
    }
    const wrong = await asAdmin(["dispatches", "retry", "--reason", "So", "--pipeline", "none"]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("pipeline") });
    await stepledger.deleteWebhook({ params: { name } });
  });
});

describe("events tail", () => {
  test("writes every event once and continues from the printed cursor", async () => {
    const { id, currentStep } = await stepledger.createTask({ body: { title: "Followed" } });
    const tail = ["events", "tail", "--until-now", "--json"];
    const first = await asAdmin([...tail, "--from-start"]);
    const events = parseLines<{ taskId: string; seq: number }>(first.stdout);
    expect(events.filter(({ taskId }) => taskId === id)).toHaveLength(1);
    const cursor = /--after (\S+)/.exec(first.stderr)?.[1] ?? "";

    await stepledger.transitionStep({
      params: { stepId: currentStep.id },
      body: { status: "running", reason: "Looked \u001B[31mat it" },
    });
    const rest = await asAdmin(["events", "tail", "--until-now", "--after", cursor]);
    expect(rest.stdout).toMatch(
      new RegExp(`task ${id} 2 step_transitioned ingestion queued → running`),
    );
    // Control characters in untrusted text do not reach the terminal.
    expect(rest.stdout).toContain("Looked �[31mat it");
    expect(rest.stdout.split("\n")).toHaveLength(1);
  });

  test("follows until it is interrupted, then prints the cursor to continue from", async () => {
    const ending = new AbortController();
    const tail = asAdmin(["events", "tail", "--json"], {
      untilInterrupted: () => ending.signal,
      onWrite: () => ending.abort(),
    });
    // The tail shows only events after its first request, so keep creating tasks until it has seen one.
    while (!ending.signal.aborted) await stepledger.createTask({ body: { title: "Followed" } });
    const { code, stdout, stderr } = await tail;
    expect(code).toBe(0);
    const seen = parseLines<{ hash: string }>(stdout).map(({ hash }) => hash);

    const cursor = /--after (\S+)/.exec(stderr)?.[1] ?? "";
    const rest = await asAdmin(["events", "tail", "--until-now", "--json", "--after", cursor]);
    expect(seen.filter((hash) => rest.stdout.includes(hash))).toEqual([]);
  });

  test("prints the cursor to continue from even if it ends with an error", async () => {
    await stepledger.createTask({ body: { title: "Followed" } });
    const fault = { kind: "sqlstate", code: "22012", sql: "feed_generation" } as const;
    let broken: Promise<void> | undefined;
    const tail = await asAdmin(["events", "tail", "--from-start"], {
      onWrite: () => {
        broken ??= service.database.faults(fault);
      },
    });
    await broken;
    await service.database.clearFaults();
    expect(tail).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/--after \S+\ninternal /),
    });
  });
});

describe("verify", () => {
  test("distinguishes an intact history from one that was tampered with", async () => {
    const { id } = await stepledger.createTask({ body: { title: "Proven", externalId: "proven" } });
    const intact = await asAdmin(["verify", "ext:proven"]);
    expect(intact).toMatchObject({ code: 0, stdout: "ext:proven  intact  1 events" });

    await service.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      { text: "update step_events set reason = 'Forged' where task_id = $1", values: [id] },
    ]);
    const broken = await asAdmin(["verify", id, "--json"]);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout)).toMatchObject({ task: id, valid: false });
    const all = await asAdmin(["verify", "--all"]);
    expect(all).toMatchObject({ code: 1, stdout: expect.stringContaining("1 broken histories") });
    expect(all.stdout).toContain(`${id}  broken at event 1`);
  });
});

/** No service listens here: an invalid command line never gets as far as a call. */
const NOWHERE = { STEPLEDGER_URL: "http://127.0.0.1:9", STEPLEDGER_KEY: "slg_key" };
const CONTRADICTIONS = [
  ...[
    "--to PASSED",
    "--action retry",
    "--unassign",
    "--file ids.txt",
    "--duplicate-of ext:a",
    "--run-pipelines",
    "ext:a",
  ].map((more) => `bulk execute --plan plan.json --reason So ${more}`),
  "bulk preview --to PASSED --action retry ext:a",
  "bulk preview --action edit ext:a",
  "bulk preview --action retry --priority 3 ext:a",
  "bulk preview --action edit --priority low ext:a",
  "bulk preview --action edit --assignee Ada --unassign ext:a",
  "bulk revert 0199d2f5-3b1c-7a45-9d2e-6f0a4c1b8e77",
  "tasks move ext:a --advance --duplicate-of ext:b",
  "tasks move ext:a --rework ingestion",
];

describe("a command line", () => {
  test("that is invalid exits with 2 and prints the usage", async () => {
    for (const args of [[], ["tasks"], ["tasks", "get"], ["tasks", "list", "--color"]]) {
      const { code, stderr } = await asAdmin(args);
      expect(code, args.join(" ")).toBe(2);
      expect(stderr).toContain("Usage: stepledger");
    }
    for (const args of CONTRADICTIONS) {
      const { code, stderr } = await run(args.split(" "), { environment: NOWHERE });
      expect(code, args).toBe(2);
      expect(stderr, args).toMatch(
        /^(--(plan already names|duplicate-of requires|rework requires|action edit requires|priority takes|assignee and|reason is)|Give either --to)/,
      );
    }
    const unclear = await asAdmin(["tasks", "move", "ext:a", "running", "--advance"]);
    expect(unclear).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^Give one of STATUS/),
    });
  });

  test("that cannot write a file exits with 2 and names the file", async () => {
    const plan = join(home, "no-folder", "plan.json");
    const preview = await asAdmin([
      "bulk",
      "preview",
      "--to",
      "REJECTED",
      "ext:nobody",
      "--save",
      plan,
    ]);
    expect(preview).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Cannot write .*plan.json/),
    });
    const notAFolder = await file("not-a-folder", "");
    const login = await asAdmin(["login"], {
      environment: {
        STEPLEDGER_URL: service.baseUrl,
        STEPLEDGER_KEY: service.tenant.keys.viewer,
        XDG_CONFIG_HOME: notAFolder,
      },
    });
    expect(login).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Cannot write .*config.json/),
    });
  });

  test("with --help prints the help of all commands or of one", async () => {
    const help = await asAdmin(["--help"]);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining("bulk execute") });
    const own = await asAdmin(["bulk", "execute", "--help"]);
    expect(own).toMatchObject({ code: 0, stdout: expect.stringContaining("--skip-stale") });
  });

  test("has colored output on a color terminal only", async () => {
    const plain = await asAdmin(["tasks", "get", "ext:shown"]);
    expect(plain.stdout).not.toContain("\u001B");
    const colored = await asAdmin(["tasks", "get", "ext:shown"], { isColored: true });
    expect(colored.stdout).toContain("\u001B[");
  });
});
