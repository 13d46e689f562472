import { expect } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Role } from "../../src/domain/actor.ts";
import { type CallOptions, expectDone, type TestApi } from "../support/api.ts";

/** The state of a task, as a viewer sees it. */
export interface State {
  label: TaskView["unifiedStatus"];
  attention?: TaskView["attention"];
  /** Kind, attempt, status and gate of the current step: "pre_qa 1 running pending". */
  step: string;
  /** Set if `statusSince` does not change: a note, an edit or a manual gate keeps it. */
  keepsStatusSince?: true;
}

interface Moved {
  task: TaskView;
}

interface TimelineEvent {
  seq: number;
  type: string;
  operationId: string;
}

/** Follows one task through the API and checks its state after every action. */
export interface Story {
  /** Returns the task as it was after the last action. */
  task: () => TaskView;
  /** Sends an action on the task and checks the state afterwards. */
  expectAfter: (action: Action, state: State) => Promise<void>;
  /** Checks the task's state after a bulk change. */
  expectNow: (state: State) => Promise<void>;
  /** Opens a run for a worker, checks that the task looks the same, and returns the run's ID. */
  expectRun: (type: string) => Promise<string>;
  /**
   * Checks the events of each call in order, that the hash chain verifies, and that `asOf` returns every state that
   * the story saw.
   */
  expectHistory: (...calls: string[]) => Promise<void>;
}

interface Action {
  as: Role;
  method: "POST" | "PATCH";
  path: string;
  body: object;
}

/** Creates a task and begins its story. */
export async function beginStory(
  api: TestApi,
  body: object,
  initial: State,
  as: Role = "operator",
): Promise<Story> {
  const created = await api.call<TaskView>("POST", "/tasks", { as, body });
  let current = expectDone(created, 201);
  const moments: { seq: number; state: State }[] = [];
  const read = async <Body>(path: string) => {
    return expectDone(await api.call<Body>("GET", `/tasks/${current.id}${path}`, { as: "viewer" }));
  };

  const expectState = async (returned: TaskView, state: State) => {
    const seen = await read<TaskView>("");
    expect(seen).toEqual(returned);
    expect(stateOf(seen)).toEqual(withoutFlags(state));
    const listed = await read<{ unifiedStatus: string }>("/status");
    expect(listed.unifiedStatus).toBe(state.label);
    moments.push({ seq: seen.eventSeq, state });
    current = seen;
  };

  await expectState(current, initial);
  expect(current.statusSince).toBe(current.createdAt);

  const expectMoved = async (task: TaskView, state: State) => {
    const before = current;
    expect(task.eventSeq).toBeGreaterThan(before.eventSeq);
    await expectState(task, state);
    expect(task.statusSince).toBe(state.keepsStatusSince ? before.statusSince : task.updatedAt);
  };

  return {
    task: () => current,
    expectAfter: async ({ as, method, path, body }, state) => {
      const options: CallOptions = { as, body, idempotencyKey: crypto.randomUUID() };
      const answer = await api.call<Moved>(method, path, options);
      await expectMoved(expectDone(answer, answer.status === 201 ? 201 : 200).task, state);
    },
    expectNow: async (state) => expectMoved(await read<TaskView>(""), state),
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
      for (const { seq, state } of moments) {
        const past = await read<TaskView>(`?asOf=seq:${seq}`);
        expect(stateOf(past), `as of event ${seq}`).toEqual(withoutFlags(state));
      }
    },
  };
}

const withoutFlags = ({ label, attention = [], step }: State) => ({ label, attention, step });

/** Converts a task to the form that stories compare. */
export function stateOf({ unifiedStatus, attention, currentStep }: TaskView) {
  const { kind, attempt, status, gate } = currentStep;
  return { label: unifiedStatus, attention, step: `${kind} ${attempt} ${status} ${gate}` };
}

/** Changes the current step's status. */
export function moves(story: Story, as: Role, status: string, more: object = {}): Action {
  const path = `/steps/${story.task().currentStep.id}`;
  return { as, method: "PATCH", path, body: { status, ...more } };
}

/** Advances the task to the next stage. */
export function advances(story: Story, as: Role, more: object = {}): Action {
  return { as, method: "POST", path: `/tasks/${story.task().id}/advance`, body: more };
}

/** Sends the task back to an earlier stage. */
export function reworks(story: Story, as: Role, toKind: string, reason: string): Action {
  const path = `/tasks/${story.task().id}/rework`;
  return { as, method: "POST", path, body: { toKind, reason } };
}

/** Records a review of the current step. */
export function reviews(story: Story, as: Role, review: object): Action {
  return { as, method: "POST", path: `/tasks/${story.task().id}/reviews`, body: review };
}

/** Reports on a run as its worker. */
export function reports(runId: string, report: object): Action {
  return { as: "service", method: "PATCH", path: `/worker-runs/${runId}`, body: report };
}
