import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { Lineage } from "../../src/actions/content/trace-lineage.ts";
import type { StepEventView } from "../../src/actions/views/event-view.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Role } from "../../src/domain/actor.ts";
import type { GateState } from "../../src/domain/lifecycle/statuses.ts";
import { type LineageNode, type NodeType, VERDICT_GATES } from "../../src/domain/lineage/graph.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { givenDatum, givenPrompt } from "../support/lineage.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const lineageOf = async (path: string) =>
  expectDone(await api.call<Lineage>("GET", `${path}/lineage`, { as: "viewer" }));

/** Returns the nodes of one type. */
function nodesOf<Type extends NodeType>({ nodes }: Lineage, type: Type) {
  return nodes.filter((node): node is LineageNode & { type: Type } => node.type === type);
}

/** Returns the edges as sentences, with names instead of keys. */
function sentencesOf({ edges }: Lineage, names: Record<string, string>): string[] {
  const named = (key: string) => names[key.slice(key.indexOf(":") + 1)] ?? key;
  return edges.map(({ type, from, to }) => `${named(from)} ${type} ${named(to)}`).toSorted();
}

const send = async (as: Role, method: string, path: string, body: object): Promise<TaskView> => {
  const answer = await api.call<Moved>(method, path, { as, body });
  return expectDone(answer, answer.status === 201 ? 201 : 200).task;
};
const move = (as: Role, { currentStep }: TaskView, status: string, reason: string) =>
  send(as, "PATCH", `/steps/${currentStep.id}`, { status, reason, runAttachedWorkflows: false });
const advance = ({ id }: TaskView) =>
  send("operator", "POST", `/tasks/${id}/advance`, { runAttachedWorkflows: false });

async function generated(task: TaskView): Promise<TaskView> {
  const running = await move("operator", task, "running", "Begin");
  return move("operator", running, "approved", "Output generated");
}

async function reviewed(task: TaskView, verdict: string, reason: string): Promise<TaskView> {
  const reviewing = await move("operator", await advance(task), "in_review", "Read it");
  return move("reviewer", reviewing, verdict, reason);
}

/**
 * A task whose first output was sent back, and whose second, by the next model revision, passed. Then a second version
 * was created.
 */
async function givenReworkAndTwoVersions() {
  const solver = { model: "solver", agent: "cot", provider: "own" };
  const one = await api.givenTask({ at: { kind: "output_generation", status: "queued" } });
  const golden = await givenDatum(api, one, { kind: "golden", stored: true });
  const firstText = { role: "user", content: "How many?", ...solver, modelRevision: "r1" };
  const prompt = await givenPrompt(api, one, firstText);
  const draft = await givenDatum(api, one, {
    kind: "generated",
    stored: true,
    ...solver,
    modelRevision: "r1",
    promptId: prompt.id,
    inputs: [golden.id],
  });
  await givenDatum(api, one, { kind: "source", stored: false });
  const sentBack = await reviewed(await generated(one), "changes_requested", "The sum is wrong");
  const two = await send("operator", "POST", `/tasks/${one.id}/rework`, {
    toKind: "output_generation",
    reason: "Try again",
    runAttachedWorkflows: false,
  });
  const secondText = { role: "user", content: "Add again.", ...solver, modelRevision: "r2" };
  const secondPrompt = await givenPrompt(api, two, secondText);
  const final = await givenDatum(api, two, {
    kind: "generated",
    stored: true,
    ...solver,
    modelRevision: "r2",
    promptId: secondPrompt.id,
    inputs: [golden.id, draft.id],
  });
  const passed = await reviewed(await generated(two), "approved", "Right");
  const evaluated = await api.call<{ id: string }>("POST", `/tasks/${one.id}/evals`, {
    body: { name: "gsm8k", k: 1 },
  });
  const evalId = expectDone(evaluated, 201).id;
  const trial = await api.call<{ id: string }>("POST", `/evals/${evalId}/trials`, {
    body: { k: 1, model: "judge", status: "running", outputDataId: final.id },
  });
  const trialId = expectDone(trial, 201).id;
  const three = await send("reviewer", "POST", `/tasks/${one.id}/versions`, {
    content: { brief: "A new brief" },
    reason: "The brief was wrong",
    runAttachedWorkflows: false,
  });
  const names = {
    [golden.id]: "golden",
    [prompt.id]: "prompt 1",
    [secondPrompt.id]: "prompt 2",
    [draft.id]: "draft",
    [final.id]: "final",
    [trialId]: "trial",
    [one.currentStep.id]: "generation 1",
    [sentBack.currentStep.id]: "review 1",
    [two.currentStep.id]: "generation 2",
    [passed.currentStep.id]: "review 2",
    [three.currentStep.id]: "authoring",
    [one.activeVersion.id]: "version 1",
    [three.activeVersion.id]: "version 2",
    [JSON.stringify(["solver", "r1", "cot", "own"])]: "solver r1",
    [JSON.stringify(["solver", "r2", "cot", "own"])]: "solver r2",
    [JSON.stringify(["judge", null, null, null])]: "judge",
  };
  const artifacts = { golden, draft, final };
  return { one, two, three, ...artifacts, prompt, secondPrompt, evalId, trialId, names };
}

const OF_VERSION_ONE = [
  "draft at_step generation 1",
  "draft from_prompt prompt 1",
  "draft input_of final",
  "draft made_by solver r1",
  "final at_step generation 2",
  "final from_prompt prompt 2",
  "final made_by solver r2",
  "final scored_by trial",
  "generation 1 of_version version 1",
  "generation 2 of_version version 1",
  "generation 2 reworked_from review 1",
  "golden at_step generation 1",
  "golden input_of draft",
  "golden input_of final",
  "prompt 1 at_step generation 1",
  "prompt 1 made_by solver r1",
  "prompt 2 at_step generation 2",
  "prompt 2 made_by solver r2",
  "review 1 advanced_from generation 1",
  "review 1 of_version version 1",
  "review 2 advanced_from generation 2",
  "review 2 of_version version 1",
  "trial made_by judge",
  "trial of_version version 1",
];

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

const eventsOf = async ({ id }: TaskView) =>
  expectDone(await api.call<{ data: StepEventView[] }>("GET", `/tasks/${id}/events?limit=200`))
    .data;

/** Returns the verdicts that these events of a step gave. */
const verdictsIn = (events: readonly StepEventView[]) =>
  events.flatMap(({ fromGate, toGate, to, seq, type, actor, reason, at }) => {
    const isVerdict = VERDICT_GATES.some((gate) => gate === toGate) && fromGate !== toGate;
    return isVerdict
      ? [{ gate: toGate, from: fromGate, status: to, seq, type, actor, reason, at }]
      : [];
  });

describe("The lineage of an artifact", () => {
  it("has its model revision, prompt, step, version, inputs, and the trials that scored it", async () => {
    const { final, names } = await givenReworkAndTwoVersions();
    const lineage = await lineageOf(`/data/${final.id}`);
    expect(sentencesOf(lineage, names)).toEqual(OF_VERSION_ONE);
    expect(lineage.truncated).toEqual({ depth: false, size: false });
    expect(nodesOf(lineage, "artifact")[0]).toMatchObject({ id: final.id });
  });

  it("has the stored fields of each node, and no other nodes", async () => {
    const { one, golden, draft, final, prompt, secondPrompt, evalId, trialId, names } =
      await givenReworkAndTwoVersions();
    const { nodes } = await lineageOf(`/data/${final.id}`);
    const events = await eventsOf(one);
    const of = <Type extends string>(type: Type, id: string) => {
      return { type, key: `${type}:${id}`, id, taskId: one.id, createdAt: expect.any(String) };
    };
    const artifact = ({ id }: { id: string }, kind: string) => ({
      ...of("artifact", id),
      kind,
      contentType: "text/plain",
      sizeBytes: 36,
      sha256: hashOf(id),
      uri: null,
      storedAt: expect.any(String),
    });
    const promptNode = ({ id }: { id: string }, content: string) => {
      return { ...of("prompt", id), role: "user", contentHash: hashOf(content) };
    };
    const stepIds = new Set(events.map(({ stepId }) => stepId));
    const steps = [...stepIds].slice(0, -1).map((id) => {
      const { createdAt: _, ...step } = of("step", id);
      const ofStep = events.filter(({ stepId }) => stepId === id);
      const { step: attempt, to: status, toGate: gate } = ofStep.at(-1) ?? expect.fail("No event");
      const { kind, attempt: number } = attempt;
      return { ...step, kind, attempt: number, status, gate, verdicts: verdictsIn(ofStep) };
    });
    const model = (...named: (string | null)[]) => {
      const [name, modelRevision, agent, provider, agentRevision = null] = named;
      const key = `model:${JSON.stringify(named)}`;
      return { type: "model", key, model: name, modelRevision, agent, agentRevision, provider };
    };
    const expected = [
      artifact(golden, "golden"),
      artifact(draft, "generated"),
      artifact(final, "generated"),
      promptNode(prompt, "How many?"),
      promptNode(secondPrompt, "Add again."),
      ...steps,
      {
        ...of("version", one.activeVersion.id),
        number: 1,
        contentHash: hashOf("{}"),
        reason: null,
        createdBy: events[0]?.actor.id,
        sealedAt: events.at(-1)?.at,
      },
      model("solver", "r1", "cot", "own"),
      model("solver", "r2", "cot", "own"),
      model("judge", null, null, null),
      {
        ...of("trial", trialId),
        eval: { id: evalId, name: "gsm8k" },
        k: 1,
        status: "running",
        retracted: false,
      },
    ];
    const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
    expect(nodes.toSorted(byKey)).toEqual(expected.toSorted(byKey));
    expect(steps.map(({ id }) => names[id])).toEqual([
      "generation 1",
      "review 1",
      "generation 2",
      "review 2",
    ]);
  });

  it("has the verdicts on the gates of its steps, with their events and actors", async () => {
    const { final, one, names } = await givenReworkAndTwoVersions();
    const steps = nodesOf(await lineageOf(`/data/${final.id}`), "step");
    const verdicts = Object.fromEntries(
      steps.map(({ id, verdicts: all }) => [
        names[id],
        all.map(({ gate, actor, reason }) => `${gate} by ${actor.role}: ${reason}`),
      ]),
    );
    expect(verdicts).toEqual({
      "generation 1": ["passed by operator: Output generated", "revoked by operator: Try again"],
      "review 1": ["failed by reviewer: The sum is wrong"],
      "generation 2": ["passed by operator: Output generated"],
      "review 2": ["passed by reviewer: Right"],
    });
    const events = await eventsOf(one);
    for (const { id, verdicts: found } of steps) {
      expect(found).toEqual(verdictsIn(events.filter(({ stepId }) => stepId === id)));
    }
    expect(
      steps.map(({ id, status, gate }) => `${names[id]} ${status} ${gate}`).toSorted(),
    ).toEqual([
      "generation 1 approved revoked",
      "generation 2 approved passed",
      "review 1 changes_requested failed",
      "review 2 approved passed",
    ]);
  });

  it("follows inputs into other tasks up to a limit, and reports that it stopped there", async () => {
    const tasks = [await api.givenTask(), await api.givenTask()] as const;
    const chain: string[] = [];
    for (let depth = 0; depth <= 22; depth += 1) {
      const inputs = chain.slice(-1);
      const at = tasks[depth % 2] ?? tasks[0];
      chain.push((await givenDatum(api, at, { kind: "source", stored: true, inputs })).id);
    }
    const whole = await lineageOf(`/data/${chain[20]}`);
    expect(nodesOf(whole, "artifact")).toHaveLength(21);
    expect(whole.truncated).toEqual({ depth: false, size: false });
    expect(new Set(nodesOf(whole, "version").map(({ taskId }) => taskId))).toEqual(
      new Set(tasks.map(({ id }) => id)),
    );
    const cut = await lineageOf(`/data/${chain[22]}`);
    expect(nodesOf(cut, "artifact").map(({ id }) => id)).toEqual(chain.slice(2).toReversed());
    expect(cut.truncated).toEqual({ depth: true, size: false });
  });

  it("has each input once if several artifacts share it", async () => {
    const task = await api.givenTask();
    let layer: string[] = [];
    for (let depth = 0; depth < 12; depth += 1) {
      const next = [];
      for (const _ of [1, 2]) {
        next.push(await givenDatum(api, task, { kind: "source", stored: true, inputs: layer }));
      }
      layer = next.map(({ id }) => id);
    }
    const lineage = await lineageOf(`/data/${layer[0]}`);
    expect(nodesOf(lineage, "artifact")).toHaveLength(23);
    expect(lineage.edges.filter(({ type }) => type === "input_of")).toHaveLength(2 + 10 * 4);
    expect(lineage.truncated).toEqual({ depth: false, size: false });
  });

  it("does not exist for a data item without content, which is also left out as an input", async () => {
    const task = await api.givenTask();
    const declared = await givenDatum(api, task, { kind: "source", stored: false });
    const inputs = [declared.id];
    const output = await givenDatum(api, task, { kind: "generated", stored: true, inputs });
    for (const id of [declared.id, crypto.randomUUID()]) {
      expectProblem(await api.call("GET", `/data/${id}/lineage`), "not_found", 404);
    }
    const lineage = await lineageOf(`/data/${output.id}`);
    expect(nodesOf(lineage, "artifact").map(({ id }) => id)).toEqual([output.id]);
  });
});

describe("The lineage of a task", () => {
  it("has every version, step, prompt, artifact, and trial", async () => {
    const { one, names } = await givenReworkAndTwoVersions();
    const lineage = await lineageOf(`/tasks/${one.id}`);
    expect(sentencesOf(lineage, names)).toEqual(
      [
        ...OF_VERSION_ONE,
        "authoring of_version version 2",
        "version 2 follows version 1",
      ].toSorted(),
    );
    expect(lineage.truncated).toEqual({ depth: false, size: false });
    expect(lineage).toMatchObject({ taskId: one.id });
  });

  it("agrees with the task's history as of each event", async () => {
    const { one, three } = await givenReworkAndTwoVersions();
    for (let seq = 1; seq <= three.eventSeq; seq += 1) {
      const query = `asOf=seq:${seq}`;
      const path = `/tasks/${one.id}/lineage?${query}`;
      const lineage = expectDone(await api.call<Lineage>("GET", path));
      const then = expectDone(await api.call<TaskView>("GET", `/tasks/${one.id}?${query}`));
      const { id, kind, attempt, status, gate } = then.currentStep;
      expect(nodesOf(lineage, "step")).toContainEqual(
        expect.objectContaining({ id, kind, attempt, status, gate }),
      );
      expect(nodesOf(lineage, "version").map(({ number }) => number)).toEqual(
        Array.from({ length: then.activeVersion.number }, (_, index) => index + 1),
      );
      const seqs = nodesOf(lineage, "step").flatMap(({ verdicts }) => verdicts);
      expect(Math.max(0, ...seqs.map((verdict) => verdict.seq))).toBeLessThanOrEqual(seq);
    }
  });

  it("as of a time has nothing from later", async () => {
    const { one, two, names } = await givenReworkAndTwoVersions();
    const path = `/tasks/${one.id}/lineage?asOf=${two.updatedAt}`;
    const lineage = expectDone(await api.call<Lineage>("GET", path));
    const artifacts = nodesOf(lineage, "artifact").map(({ id }) => names[id]);
    expect(new Set(artifacts)).toEqual(new Set(["draft", "golden"]));
    expect(nodesOf(lineage, "trial")).toEqual([]);
    expect(nodesOf(lineage, "version")).toMatchObject([{ number: 1, sealedAt: null }]);
  });

  it("has a trial's state as of the requested time", async () => {
    const { one, three, trialId } = await givenReworkAndTwoVersions();
    const trials = async (query: string) =>
      nodesOf(
        expectDone(await api.call<Lineage>("GET", `/tasks/${one.id}/lineage${query}`)),
        "trial",
      );
    for (const [method, path, body] of [
      ["PATCH", `/trials/${trialId}`, { status: "passed" }],
      ["POST", `/trials/${trialId}/retract`, { reason: "Wrong key" }],
    ] as const) {
      expectDone(await api.call(method, path, { body }));
    }
    expect(await trials("")).toMatchObject([{ id: trialId, status: "passed", retracted: true }]);
    const then = await trials(`?asOf=${three.updatedAt}`);
    expect(then).toMatchObject([{ id: trialId, status: "running", retracted: false }]);
  });

  it("has the insights of a retracted trial", async () => {
    const { one, evalId, trialId, names } = await givenReworkAndTwoVersions();
    const body = { taskId: one.id, kind: "judgement", model: "judge", evalId, trialId };
    const insight = await api.call<{ id: string }>("POST", "/insights", { as: "service", body });
    const { id } = expectDone(insight, 201);
    const reason = { body: { reason: "Wrong key" } };
    expectDone(await api.call("POST", `/trials/${trialId}/retract`, reason));
    const lineage = await lineageOf(`/tasks/${one.id}`);
    expect(nodesOf(lineage, "insight")).toMatchObject([
      { id, kind: "judgement", status: "QUEUED" },
    ]);
    expect(sentencesOf(lineage, { ...names, [id]: "insight" })).toEqual(
      expect.arrayContaining(["insight made_by judge", "insight of_trial trial"]),
    );
  });

  it("does not exist before the task or at a future event", async () => {
    const { id } = await api.givenTask();
    const early = await api.call("GET", `/tasks/${id}/lineage?asOf=2020-01-01T00:00:00Z`);
    expectProblem(early, "not_found", 404);
    const late = await api.call("GET", `/tasks/${id}/lineage?asOf=seq:2`);
    const { issues } = expectProblem(late, "validation_failed", 400);
    expect(issues).toMatchObject([{ path: ["asOf"], code: "beyond_newest" }]);
    expectProblem(await api.call("GET", `/tasks/${crypto.randomUUID()}/lineage`), "not_found", 404);
  });

  it("reports that it left out nodes of a type", async () => {
    const task = await api.givenTask();
    await api.database.query(
      "owner",
      `insert into prompts (tenant_id, id, task_id, version_id, step_id, role, content, content_hash, created_by)
      select $1, gen_random_uuid(), $2, $3, $4, 'user', 'x', 'x', 'a test' from generate_series(1, 1001)`,
      [api.tenant.id, task.id, task.activeVersion.id, task.currentStep.id],
    );
    const lineage = await lineageOf(`/tasks/${task.id}`);
    expect(nodesOf(lineage, "prompt")).toHaveLength(1000);
    expect(lineage.truncated).toEqual({ depth: false, size: true });
  });

  /** Inserts `count` reworks of the task, each with a step that has this gate. */
  async function givenReworks({ id, currentStep }: TaskView, count: number, gate: GateState) {
    const text = `
      with rework as materialized (select new_id() as id, n from generate_series(2, $3::integer + 1) n),
      attempt as (
        insert into steps select copy.* from rework r, steps s,
          jsonb_populate_record(s, jsonb_build_object('id', r.id, 'attempt', r.n, 'event_seq', r.n)) copy
        where s.id = $2
      )
      insert into step_events select copy.* from rework r, step_events e,
        jsonb_populate_record(e, jsonb_build_object('seq', r.n, 'step_id', r.id, 'type', 'step_reworked',
          'to_gate', $4::text, 'feed_id', nextval('feed_id'))) copy
      where e.task_id = $1 and e.seq = 1`;
    await api.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      { text, values: [id, currentStep.id, count, gate] },
    ]);
  }

  it("has the newest 1,000 verdicts, and reports that there are more", async () => {
    const task = await api.givenTask();
    await givenReworks(task, 1001, "waived");
    const lineage = await lineageOf(`/tasks/${task.id}`);
    const steps = nodesOf(lineage, "step");
    expect(steps).toHaveLength(1002);
    const seqs = steps.flatMap(({ verdicts }) => verdicts.map(({ seq }) => seq));
    expect(seqs).toHaveLength(1000);
    expect(Math.min(...seqs)).toBe(3);
    expect(lineage.truncated).toEqual({ depth: false, size: true });
  });

  it("has up to 10,000 steps, and reports that there are more", async () => {
    const task = await api.givenTask();
    await givenReworks(task, 10_000, "locked");
    const lineage = await lineageOf(`/tasks/${task.id}`);
    expect(nodesOf(lineage, "step")).toHaveLength(10_000);
    expect(lineage.truncated).toEqual({ depth: false, size: true });
  });
});

describe("Filtering data by `passedGate`", () => {
  const found = async (query: string) => {
    const { data } = expectDone(
      await api.call<{ data: { id: string }[] }>("GET", `/data?${query}`, { as: "viewer" }),
    );
    return data.map(({ id }) => id);
  };

  it("returns the artifacts whose own steps passed the gate, not those that a rework replaced", async () => {
    const { one, final } = await givenReworkAndTwoVersions();
    const of = (revision: string, gate: string) =>
      found(`task=${one.id}&model=solver&modelRevision=${revision}&passedGate=${gate}`);
    expect(await of("r2", "output_generation")).toEqual([final.id]);
    expect(await of("r2", "expert_review")).toEqual([final.id]);
    // The rework revoked the gate, and the review that passed judged the next output.
    expect(await of("r1", "output_generation")).toEqual([]);
    expect(await of("r1", "expert_review")).toEqual([]);
    expect(await of("r2", "calibration")).toEqual([]);
  });

  it("still returns an artifact after a rework of a later stage", async () => {
    const task = await api.givenTask({ at: { kind: "output_generation", status: "queued" } });
    const output = await givenDatum(api, task, { kind: "generated", stored: true, model: "m" });
    await reviewed(await generated(task), "changes_requested", "Look again");
    const again = await send("operator", "POST", `/tasks/${task.id}/rework`, {
      toKind: "expert_review",
      reason: "Another reader",
      runAttachedWorkflows: false,
    });
    const query = `task=${task.id}&model=m&passedGate=expert_review`;
    expect(await found(query)).toEqual([]);
    await move(
      "reviewer",
      await move("operator", again, "in_review", "Read it"),
      "approved",
      "Right",
    );
    expect(await found(query)).toEqual([output.id]);
  });

  it("returns nothing if the gate was waived or passed earlier, or if there is no content", async () => {
    const waived = { kind: "pre_qa", status: "failed", gate: "waived" } as const;
    const task = await api.givenTask({ at: waived });
    await givenDatum(api, task, { kind: "generated", stored: true, model: "m" });
    expect(await found(`task=${task.id}&passedGate=pre_qa`)).toEqual([]);

    const checked = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    await givenDatum(api, checked, { kind: "generated", stored: false, model: "m" });
    expect(await found(`task=${checked.id}&passedGate=pre_qa`)).toEqual([]);
    await givenDatum(api, await advance(checked), { kind: "generated", stored: true });
    expect(await found(`task=${checked.id}&passedGate=pre_qa`)).toEqual([]);
  });

  it("rejects an unknown stage", async () => {
    expectProblem(await api.call("GET", "/data?passedGate=passed"), "validation_failed", 400);
  });
});
