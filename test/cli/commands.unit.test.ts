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

/** Runs a command as an admin of the first tenant. */
const asAdmin = (args: string[], options: Partial<RunOptions> = {}) =>
  run(args, {
    environment: { STEPLEDGER_URL: service.baseUrl, STEPLEDGER_KEY: service.tenant.keys.admin },
    ...options,
  });

/** Tasks that wait for an expert's judgement: bulk changes may reject them. */
async function givenJudgeable(
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
  test("keeps address and key for the commands that follow, readable by the owner alone", async () => {
    const environment = { XDG_CONFIG_HOME: home };
    const before = await run(["tasks", "list"], { environment });
    expect(before.code).toBe(2);
    expect(before.told).toContain("stepledger login");

    const login = await run(["login", "--url", `${service.baseUrl}/`], {
      environment,
      answers: [service.tenant.keys.viewer],
    });
    expect(login).toMatchObject({ code: 0, written: expect.stringContaining("First tenant") });

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
      told: expect.stringContaining(`The kept key is for ${service.baseUrl}`),
    });
  });

  test("keeps no key that the service refuses, and takes one from standard input", async () => {
    const environment = { XDG_CONFIG_HOME: join(home, "other") };
    const args = ["login", "--url", service.baseUrl, "--json"];
    const refused = await run(args, { environment, input: "slg_wrong\n" });
    expect(refused).toMatchObject({ code: 1, told: expect.stringContaining("unauthenticated") });
    expect((await run(["tasks", "list"], { environment })).code).toBe(2);

    const login = await run(args, { environment, input: `${service.tenant.keys.operator}\n` });
    expect(JSON.parse(login.written)).toMatchObject({ actor: { role: "operator" } });
  });

  test("goes on where the environment says nothing, and never to another address", async () => {
    const kept = { XDG_CONFIG_HOME: home, STEPLEDGER_KEY: "" };
    for (const url of ["", service.baseUrl, `${service.baseUrl}/`]) {
      const environment = { ...kept, STEPLEDGER_URL: url };
      expect(await run(["tasks", "list"], { environment })).toMatchObject({ code: 0 });
    }
    const nowhere = { XDG_CONFIG_HOME: "", HOME: join(home, "nowhere") };
    expect((await run(["tasks", "list"], { environment: nowhere })).told).toContain("login");
  });

  test("takes nothing for a key that cannot be one, and does not show it", async () => {
    for (const key of ["slg_a b", "slg_a\nslg_b", "slg_ä"]) {
      const environment = { STEPLEDGER_URL: service.baseUrl, STEPLEDGER_KEY: key };
      for (const args of [["tasks", "list"], ["login"]]) {
        const { code, told } = await run(args, { environment });
        expect(code).toBe(2);
        expect(told).toContain("A key is one word");
        expect(told).not.toContain("slg_");
      }
    }
  });
});

describe("tasks", () => {
  test("lists those that match, as lines or as JSON, and says when there are more", async () => {
    await stepledger.importTasks({
      body: { tasks: [1, 2, 3].map((n) => ({ title: `Listed ${n}`, externalId: `listed-${n}` })) },
    });
    const lines = await asAdmin(["tasks", "list", "--q", "Listed", "--sort", "title"]);
    expect(lines.written.split("\n").map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ["ext:listed-1", "DRAFT"],
      ["ext:listed-2", "DRAFT"],
      ["ext:listed-3", "DRAFT"],
    ]);
    const two = await asAdmin(["tasks", "list", "--q", "Listed", "--limit", "2", "--json"]);
    expect(parseLines<Task>(two.written)).toHaveLength(2);
    expect(two.told).toContain("first 2");
    expect((await asAdmin(["tasks", "list", "--status", "PASSED"])).told).toBe("No task matches.");
  });

  test("shows one, by its external id", async () => {
    const task = await stepledger.createTask({ body: { title: "Shown", externalId: "shown" } });
    const shown = await asAdmin(["tasks", "get", "ext:shown"]);
    expect(shown.written).toContain("ingestion queued, attempt 1");
    const json = await asAdmin(["tasks", "get", "ext:shown", "--json"]);
    expect(JSON.parse(json.written)).toEqual(task);
  });

  test("moves one by status, advance and rework", async () => {
    await stepledger.createTask({ body: { title: "Walk", externalId: "walk" } });
    const move = (...args: string[]) => asAdmin(["tasks", "move", "ext:walk", ...args]);
    expect((await move("running", "--no-run-pipelines")).written).toContain("ingestion running");
    expect((await move("awaiting_review")).code).toBe(0);
    expect((await move("approved", "--reason", "Good")).code).toBe(0);
    expect((await move("--advance")).written).toContain("authoring queued");
    const back = await move("--rework", "ingestion", "--reason", "Again", "--json");
    expect(JSON.parse(back.written)).toMatchObject({
      task: { currentStep: { kind: "ingestion", attempt: 2 } },
    });
  });

  test("tells what is allowed in place of a refused move, for people and for programs", async () => {
    await stepledger.createTask({ body: { title: "Refused", externalId: "refused" } });
    const refused = await asAdmin(["tasks", "move", "ext:refused", "approved"]);
    expect(refused).toMatchObject({ code: 1, written: "" });
    expect(refused.told).toMatch(/^invalid_transition {2}/);
    expect(refused.told).toMatch(/allowed: .*running/);
    expect(refused.told).toContain("PATCH /v1/steps/");

    const json = await asAdmin(["tasks", "move", "ext:refused", "approved", "--json"]);
    expect(JSON.parse(json.told)).toMatchObject({ error: "invalid_transition", from: "queued" });
    const unknown = await asAdmin(["tasks", "move", "ext:refused", "done"]);
    expect(unknown).toMatchObject({ code: 1, told: expect.stringContaining("status: ") });
    const late = await asAdmin(["tasks", "move", "ext:refused", "running", "--if-seq", "9"]);
    expect(late).toMatchObject({ code: 1, told: expect.stringContaining("version_conflict") });
  });
});

describe("bulk", () => {
  test("previews the tasks of a file, and executes that very plan", async () => {
    const ids = await givenJudgeable(3, "bulk");
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
    expect(preview).toMatchObject({ code: 0, told: expect.stringContaining(plan) });
    expect(preview.written).toContain("3 of 3 would become REJECTED");

    const execute = ["bulk", "execute", "--plan", plan, "--reason", "Dull"];
    const executed = await asAdmin(execute);
    expect(executed).toMatchObject({ code: 0, written: expect.stringContaining("changed 3") });
    const again = await asAdmin([...execute]);
    expect(again).toMatchObject({ code: 1, told: expect.stringContaining("plan_stale") });
  });

  test("ends with 1 where some tasks are refused, and says which and what would be allowed", async () => {
    const [id = ""] = await givenJudgeable(1, "mixed");
    const draft = await stepledger.createTask({ body: { title: "Only a draft" } });
    const change = ["--to", "REJECTED", id, draft.id, "ext:nobody"];
    const preview = await asAdmin(["bulk", "preview", ...change]);
    expect(preview.code).toBe(1);
    expect(preview.written).toMatch(
      new RegExp(`illegal_target +${draft.id} +DRAFT +allowed: nothing`),
    );
    expect(preview.written).toMatch(/not_found +ext:nobody/);

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
    expect(parseLines<{ outcome: string }>(json.written).map(({ outcome }) => outcome)).toEqual([
      "changed",
      "refused",
      "refused",
    ]);
  });

  test("waits for what the service works through by itself, and tells of it alike", async () => {
    const ids = Array.from({ length: 1001 }, (_, index) => `ext:missing-${index}`);
    const [known = ""] = await givenJudgeable(1, "large");
    const tasks = await file("many.txt", [known, ...ids].join("\n"));
    const change = ["--to", "REJECTED", "--file", tasks, "--reason", "Dull", "--yes"];
    const executed = await asAdmin(["bulk", "execute", ...change]);
    expect(executed).toMatchObject({ code: 1, told: expect.stringMatching(/works on operation/) });
    expect(executed.written).toContain("changed 1, refused 1001, stale 0, failed 0");
    expect(executed.written).toContain("… and 981 more");
    const again = await asAdmin(["bulk", "execute", ...change, "--json"]);
    const items = parseLines<{ outcome: string; code: string }>(again.written);
    expect(items).toHaveLength(1002);
    expect(items[0]).toMatchObject({ outcome: "refused", code: "already_in_status" });
  });

  test("asks before it changes anything, and changes nothing where nobody says yes", async () => {
    const [id = ""] = await givenJudgeable(1, "asked");
    const args = ["bulk", "execute", "--to", "REJECTED", "--file", "-", "--reason", "Dull"];
    const unasked = await asAdmin(args, { input: id });
    expect(unasked).toMatchObject({ code: 2, told: expect.stringContaining("--yes") });
    const declined = await asAdmin(args, { input: id, answers: ["n"] });
    expect(declined).toMatchObject({ code: 1, told: expect.stringContaining("1 of 1 would") });
    const params = { taskId: id };
    expect((await stepledger.getTask({ params })).unifiedStatus).not.toBe("REJECTED");
    expect((await asAdmin(args, { input: id, answers: ["y"] })).code).toBe(0);
    expect((await stepledger.getTask({ params })).unifiedStatus).toBe("REJECTED");
  });

  test("takes actions in place of a target, and asks for no pipeline but by name", async () => {
    const ids = await givenJudgeable(2, "acted", "awaiting_review");
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
    expect(JSON.parse(approved.told)).toMatchObject({ dispatched: 0 });
    const paid = await act("--action", "run_pipelines");
    expect(JSON.parse(paid.told)).toMatchObject({ dispatched: 2 });
    expect((await act("--action", "advance")).code).toBe(0);
    const stuck = await asAdmin(["bulk", "preview", "--action", "retry", ...ids]);
    expect(stuck).toMatchObject({
      code: 1,
      written: expect.stringContaining("0 of 2 are eligible for retry"),
    });
    expect((await act("--action", "explode")).told).toContain("validation_failed");
  });

  test("keeps an action in a plan as it was previewed", async () => {
    const ids = await givenJudgeable(1, "planned-action");
    const plan = join(home, "edit-plan.json");
    const edit = ["--action", "edit", "--unassign", "--priority", "7"];
    await asAdmin(["bulk", "preview", ...edit, ...ids, "--save", plan]);
    const executed = await asAdmin(["bulk", "execute", "--plan", plan, "--reason", "Urgent"]);
    expect(executed).toMatchObject({ code: 0, written: expect.stringContaining("changed 1") });
    const params = { taskId: ids[0] ?? "" };
    expect(await stepledger.getTask({ params })).toMatchObject({ priority: 7, assignee: null });
  });

  test("shows an operation, and takes it back where somebody agrees", async () => {
    const ids = await givenJudgeable(2, "reverted", "awaiting_review");
    const change = { targetStatus: "PASSED", runAttachedWorkflows: true, taskIds: ids } as const;
    const { operationId } = await stepledger.executeBulk({ body: { ...change, reason: "Hasty" } });
    const shown = await asAdmin(["bulk", "show", operationId]);
    expect(shown.written).toMatch(/change +PASSED\nreason +Hasty\n/);
    expect(shown.written).toContain("changed 2, refused 0, stale 0, failed 0");
    expect(shown.written).toMatch(/asked for +2 pipelines/);

    const [moved = ""] = ids;
    await stepledger.advanceTask({ params: { taskId: moved }, body: {} });
    const revert = ["bulk", "revert", operationId, "--reason", "Undone"];
    expect(await asAdmin(revert)).toMatchObject({
      code: 2,
      told: expect.stringContaining("--yes"),
    });
    const declined = await asAdmin(revert, { answers: ["n"] });
    expect(declined).toMatchObject({
      code: 1,
      told: expect.stringContaining("Take back 2 tasks?"),
    });
    const reverted = await asAdmin(revert, { answers: ["y"] });
    expect(reverted.code).toBe(1);
    expect(reverted.written).toContain("changed 1, refused 0, stale 1, failed 0");
    expect(reverted.written).toContain("called 1 pipelines back, 0 had left already");
    expect(reverted.written).toMatch(new RegExp(`stale +${moved} +PASSED`));
    const json = await asAdmin(["bulk", "show", operationId, "--json"]);
    expect(JSON.parse(json.written)).toMatchObject({
      id: operationId,
      revertedBy: expect.any(String),
    });
    const again = await asAdmin([...revert, "--yes"]);
    expect(again).toMatchObject({ code: 1, told: expect.stringContaining("not_revertible") });
  });

  test("tries again what was stale, and says so where nothing was or nothing goes on", async () => {
    const ids = await givenJudgeable(2, "retried");
    const [moved = ""] = ids;
    const body = { targetStatus: "REJECTED", taskIds: ids } as const;
    const { planToken } = await stepledger.previewBulk({ body });
    await stepledger.editTask({ params: { taskId: moved }, body: { priority: 9 } });
    const { operationId } = await stepledger.executeBulk({
      body: { ...body, planToken, onStale: "skip", reason: "Dull" },
    });
    const retry = ["bulk", "retry-failed", operationId];
    const retried = await asAdmin(retry, { answers: ["yes"] });
    expect(retried).toMatchObject({ code: 0, told: expect.stringContaining("Try 1 tasks again?") });
    expect(retried.written).toContain("changed 1, refused 0");
    const child = /operation (\S+)/.exec(retried.written)?.[1] ?? "";
    const nothing = await asAdmin(["bulk", "retry-failed", child, "--yes"]);
    expect(nothing).toMatchObject({ code: 1, told: expect.stringContaining("already_in_status") });
    const cancelled = await asAdmin(["bulk", "cancel", child]);
    expect(cancelled).toMatchObject({
      code: 1,
      told: expect.stringContaining("invalid_transition"),
    });
  });
});

describe("events tail", () => {
  test("writes every event once, and goes on where it ended", async () => {
    const { id, currentStep } = await stepledger.createTask({ body: { title: "Followed" } });
    const tail = ["events", "tail", "--until-now", "--json"];
    const first = await asAdmin([...tail, "--from-start"]);
    const events = parseLines<{ taskId: string; seq: number }>(first.written);
    expect(events.filter(({ taskId }) => taskId === id)).toHaveLength(1);
    const cursor = /--after (\S+)/.exec(first.told)?.[1] ?? "";

    await stepledger.transitionStep({
      params: { stepId: currentStep.id },
      body: { status: "running", reason: "Looked \u001B[31mat it" },
    });
    const rest = await asAdmin(["events", "tail", "--until-now", "--after", cursor]);
    expect(rest.written).toMatch(
      new RegExp(`task ${id} 2 step_transitioned ingestion queued → running`),
    );
    // Nothing that others wrote steers the terminal.
    expect(rest.written).toContain("Looked �[31mat it");
    expect(rest.written.split("\n")).toHaveLength(1);
  });

  test("follows until it is asked to end, and tells where to go on", async () => {
    const ending = new AbortController();
    const tail = asAdmin(["events", "tail", "--json"], {
      untilEnded: () => ending.signal,
      onWritten: () => ending.abort(),
    });
    // It begins with what happens from some moment on: until then there is nothing for it to see.
    while (!ending.signal.aborted) await stepledger.createTask({ body: { title: "Followed" } });
    const { code, written, told } = await tail;
    expect(code).toBe(0);
    const seen = parseLines<{ hash: string }>(written).map(({ hash }) => hash);

    const cursor = /--after (\S+)/.exec(told)?.[1] ?? "";
    const rest = await asAdmin(["events", "tail", "--until-now", "--json", "--after", cursor]);
    expect(seen.filter((hash) => rest.written.includes(hash))).toEqual([]);
  });

  test("tells where to go on when it ends for a fault, too", async () => {
    await stepledger.createTask({ body: { title: "Followed" } });
    const fault = { kind: "sqlstate", code: "22012", sql: "feed_generation" } as const;
    let broken: Promise<void> | undefined;
    const tail = await asAdmin(["events", "tail", "--from-start"], {
      onWritten: () => {
        broken ??= service.database.faults(fault);
      },
    });
    await broken;
    await service.database.clearFaults();
    expect(tail).toMatchObject({ code: 3, told: expect.stringMatching(/--after \S+\ninternal /) });
  });
});

describe("verify", () => {
  test("tells a whole history from one that was tampered with", async () => {
    const { id } = await stepledger.createTask({ body: { title: "Proven", externalId: "proven" } });
    const whole = await asAdmin(["verify", "ext:proven"]);
    expect(whole).toMatchObject({ code: 0, written: "ext:proven  whole  1 events" });

    await service.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      { text: "update step_events set reason = 'Forged' where task_id = $1", values: [id] },
    ]);
    const broken = await asAdmin(["verify", id, "--json"]);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.written)).toMatchObject({ task: id, valid: false });
    const all = await asAdmin(["verify", "--all"]);
    expect(all).toMatchObject({ code: 1, written: expect.stringContaining("1 broken histories") });
    expect(all.written).toContain(`${id}  broken at event 1`);
  });
});

/** Where nobody answers: what is not understood never gets so far. */
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
  test("that is not understood ends with 2 and its usage", async () => {
    for (const args of [[], ["tasks"], ["tasks", "get"], ["tasks", "list", "--colour"]]) {
      const { code, told } = await asAdmin(args);
      expect(code, args.join(" ")).toBe(2);
      expect(told).toContain("Usage: stepledger");
    }
    for (const args of CONTRADICTIONS) {
      const { code, told } = await run(args.split(" "), { environment: NOWHERE });
      expect(code, args).toBe(2);
      expect(told, args).toMatch(
        /^(--(plan says it all|duplicate-of goes with|rework takes|action edit takes|priority takes|assignee and|reason is)|Say --to)/,
      );
    }
    const unclear = await asAdmin(["tasks", "move", "ext:a", "running", "--advance"]);
    expect(unclear).toMatchObject({ code: 2, told: expect.stringMatching(/^Name one STATUS/) });
  });

  test("that has to write where it cannot says so in a word", async () => {
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
      told: expect.stringMatching(/plan.json cannot be written/),
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
      told: expect.stringMatching(/config.json cannot be written/),
    });
  });

  test("that asks for help gets it, of all commands and of each", async () => {
    const help = await asAdmin(["--help"]);
    expect(help).toMatchObject({ code: 0, written: expect.stringContaining("bulk execute") });
    const own = await asAdmin(["bulk", "execute", "--help"]);
    expect(own).toMatchObject({ code: 0, written: expect.stringContaining("--skip-stale") });
  });

  test("is coloured where somebody looks at it", async () => {
    const plain = await asAdmin(["tasks", "get", "ext:shown"]);
    expect(plain.written).not.toContain("\u001B");
    const coloured = await asAdmin(["tasks", "get", "ext:shown"], { isColoured: true });
    expect(coloured.written).toContain("\u001B[");
  });
});
