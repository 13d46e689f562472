import { expect } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Role } from "../../src/domain/actor.ts";
import { type CallOptions, expectDone, type TestApi } from "../support/api.ts";

/** Where a task stands, as somebody who follows it sees it. */
export interface Standing {
  label: TaskView["unifiedStatus"];
  attention?: TaskView["attention"];
  /** Kind, attempt, status and gate of the current step: "pre_qa 1 running pending". */
  step: string;
  /** Whether the status is as old as it was: a note, an edit or a gate by hand does not make it younger. */
  isAsOld?: true;
}

interface Told {
  task: TaskView;
}

interface TimelineEvent {
  seq: number;
  type: string;
  operationId: string;
}

/** One task's life through the API, held against what is expected after every single step. */
export interface Story {
  /** The task as it was after the last step. */
  task: () => TaskView;
  /** Something happens to the task, and this is where it stands then. */
  expectAfter: (happening: Happening, standing: Standing) => Promise<void>;
  /** Something happened to many tasks at once, and this is where this one stands now. */
  expectNow: (standing: Standing) => Promise<void>;
  /** A worker takes the task up and says nothing yet; nobody sees that from outside. */
  expectRun: (type: string) => Promise<string>;
  /**
   * The whole of what happened, call by call, each with its events in order; that it can be proven; and that every
   * moment can be read again.
   */
  expectHistory: (...calls: string[]) => Promise<void>;
}

interface Happening {
  as: Role;
  method: "POST" | "PATCH";
  path: string;
  body: object;
}

/** Begins a story with a new task of an operator. */
export async function beginStory(
  api: TestApi,
  body: object,
  begun: Standing,
  as: Role = "operator",
): Promise<Story> {
  const made = await api.call<TaskView>("POST", "/tasks", { as, body });
  let current = expectDone(made, 201);
  const moments: { seq: number; standing: Standing }[] = [];
  const read = async <Body>(path: string) => {
    return expectDone(await api.call<Body>("GET", `/tasks/${current.id}${path}`, { as: "viewer" }));
  };

  const expectStanding = async (told: TaskView, standing: Standing) => {
    const seen = await read<TaskView>("");
    expect(seen).toEqual(told);
    expect(standingOf(seen)).toEqual(plain(standing));
    const listed = await read<{ unifiedStatus: string }>("/status");
    expect(listed.unifiedStatus).toBe(standing.label);
    moments.push({ seq: seen.eventSeq, standing });
    current = seen;
  };

  await expectStanding(current, begun);
  expect(current.statusSince).toBe(current.createdAt);

  const expectMoved = async (task: TaskView, standing: Standing) => {
    const before = current;
    expect(task.eventSeq).toBeGreaterThan(before.eventSeq);
    await expectStanding(task, standing);
    expect(task.statusSince).toBe(standing.isAsOld ? before.statusSince : task.updatedAt);
  };

  return {
    task: () => current,
    expectAfter: async ({ as, method, path, body }, standing) => {
      const options: CallOptions = { as, body, idempotencyKey: crypto.randomUUID() };
      const answer = await api.call<Told>(method, path, options);
      await expectMoved(expectDone(answer, answer.status === 201 ? 201 : 200).task, standing);
    },
    expectNow: async (standing) => expectMoved(await read<TaskView>(""), standing),
    expectRun: async (type) => {
      const path = `/tasks/${current.id}/worker-runs`;
      const opened = await api.call<{ id: string; state: string }>("POST", path, {
        as: "service",
        body: { type },
      });
      const run = expectDone(opened, 201);
      expect(run.state).toBe("QUEUED");
      expect(await read<TaskView>("")).toEqual(current);
      return run.id;
    },
    expectHistory: async (...calls) => {
      const { data: timeline } = await read<{ data: TimelineEvent[] }>("/timeline?limit=200");
      const byCall = [...Map.groupBy(timeline, ({ operationId }) => operationId).values()];
      expect(byCall.map((events) => events.map(({ type }) => type).join(", "))).toEqual(calls);
      expect(timeline.map(({ seq }) => seq)).toEqual(timeline.map((_, index) => index + 1));
      expect(await read("/events/verify")).toMatchObject({
        valid: true,
        events: timeline.length,
        firstBroken: null,
      });
      for (const { seq, standing } of moments) {
        const then = await read<TaskView>(`?asOf=seq:${seq}`);
        expect(standingOf(then), `as of event ${seq}`).toEqual(plain(standing));
      }
    },
  };
}

const plain = ({ label, attention = [], step }: Standing) => ({ label, attention, step });

/** A task's standing in the words of a story. */
export function standingOf({ unifiedStatus, attention, currentStep }: TaskView) {
  const { kind, attempt, status, gate } = currentStep;
  return { label: unifiedStatus, attention, step: `${kind} ${attempt} ${status} ${gate}` };
}

/** Somebody changes the current step's status. */
export function moves(story: Story, as: Role, status: string, more: object = {}): Happening {
  const path = `/steps/${story.task().currentStep.id}`;
  return { as, method: "PATCH", path, body: { status, ...more } };
}

/** Somebody sends the task on to the next stage. */
export function advances(story: Story, as: Role, more: object = {}): Happening {
  return { as, method: "POST", path: `/tasks/${story.task().id}/advance`, body: more };
}

/** Somebody sends the task back. */
export function reworks(story: Story, as: Role, toKind: string, reason: string): Happening {
  const path = `/tasks/${story.task().id}/rework`;
  return { as, method: "POST", path, body: { toKind, reason } };
}

/** Somebody judges the current step. */
export function reviews(story: Story, as: Role, review: object): Happening {
  return { as, method: "POST", path: `/tasks/${story.task().id}/reviews`, body: review };
}

/** A worker tells what became of its run. */
export function reports(runId: string, report: object): Happening {
  return { as: "service", method: "PATCH", path: `/worker-runs/${runId}`, body: report };
}
