import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideCreate } from "../../src/domain/lifecycle/decide/create.ts";
import { fold } from "../../src/domain/lifecycle/fold.ts";
import { lawfulMoves } from "../../src/domain/lifecycle/moves.ts";
import { GATE_STATES, REVIEW_OUTCOMES } from "../../src/domain/lifecycle/statuses.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { changesOf, type HistoryEvent } from "../../src/domain/webhooks/changes.ts";
import {
  DELIVERY_ATTEMPTS_MAX,
  retryDelaySeconds,
} from "../../src/domain/webhooks/delivery-backoff.ts";
import { context, expectAccepted, FIELDS, Story, NOT_OFFERED } from "./support/world.ts";

function newStory(): Story {
  const adminContext = context("admin");
  const input = { fields: FIELDS, content: {}, contentHash: "abc", start: undefined };
  return new Story(expectAccepted(decideCreate(input, adminContext)), adminContext.newId);
}

const historyOf = ({ events }: Story): HistoryEvent[] =>
  events.map((event) => ({ ...event, bulkOperationId: null }));

const anyStep = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("onward" as const), pick: fc.nat() }) },
  fc.record({ do: fc.constant("gate" as const), gate: fc.constantFrom(...GATE_STATES) }),
  fc.record({ do: fc.constant("review" as const), outcome: fc.constantFrom(...REVIEW_OUTCOMES) }),
  fc.record({ do: fc.constant("run" as const) }),
  fc.record({ do: fc.constant("note" as const) }),
);

/** Attempts one step of a random walk that changes labels and attention. A refusal changes nothing. */
function attemptStep(
  story: Story,
  step: typeof anyStep extends fc.Arbitrary<infer Step> ? Step : never,
) {
  const runAttachedWorkflows = false;
  switch (step.do) {
    case "onward": {
      const { advance, transitions } = lawfulMoves(story.task);
      if (advance && step.pick % 3 > 0) {
        return story.attempt({ type: "advance", runAttachedWorkflows });
      }
      const status = transitions[step.pick % Math.max(1, transitions.length)];
      if (status === undefined) return;
      return story.attempt({ type: "transition", status, reason: "r", runAttachedWorkflows });
    }
    case "gate":
      return story.attempt({ type: "gate", gate: step.gate, reason: "r" });
    case "review":
      return story.attempt({ type: "review", kind: "expert", outcome: step.outcome });
    case "run": {
      const opened = story.openRun("QUALITY_AUTOMATION");
      const run = { ...opened, ...NOT_OFFERED, stepId: story.task.step.id };
      return story.attempt({ type: "report", run, state: "RUNNING" }, "service");
    }
    case "note":
      return story.attempt({ type: "note", text: "n" });
  }
}

describe("the webhook events of a task", () => {
  test("are exactly the changes of its label and its attention, from any event on", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40, size: "max" }), (steps) => {
        const story = newStory();
        for (const step of steps) attemptStep(story, step);
        const history = historyOf(story);
        const states = history.map((_, index) => fold(history.slice(0, index + 1)));
        const labels = states.map((state) => resolve(factsOf(state)));
        const attentions = states.map((state) => attentionOf(factsOf(state)));
        for (const from of [1, 2, Math.ceil(history.length / 2), history.length]) {
          const changes = changesOf(history, from);
          const seqs = history.map(({ seq }) => seq).filter((seq) => seq >= from);
          const relabeled = seqs.filter((seq) => labels[seq - 1] !== labels[seq - 2]);
          const alerted = seqs.filter(
            (seq) => String(attentions[seq - 1]) !== String(attentions[seq - 2] ?? []),
          );
          expect(
            changes.flatMap((change) =>
              change.event === "task.label_changed"
                ? [[change.seq, change.data.from, change.data.to]]
                : [],
            ),
          ).toEqual(relabeled.map((seq) => [seq, labels[seq - 2] ?? null, labels[seq - 1]]));
          expect(
            changes.flatMap((change) =>
              change.event === "task.attention" ? [[change.seq, change.data.attention]] : [],
            ),
          ).toEqual(alerted.map((seq) => [seq, attentions[seq - 1]]));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("hold the event, its time, and the title of the task at that time", () => {
    const story = newStory();
    const [created] = changesOf(historyOf(story), 1);
    expect(created).toEqual({
      event: "task.label_changed",
      seq: 1,
      data: {
        taskId: story.task.id,
        externalId: FIELDS.externalId,
        title: FIELDS.title,
        from: null,
        to: "DRAFT",
        eventSeq: 1,
        at: story.events[0]?.at,
        bulkOperationId: null,
      },
    });
    story.attempt({ type: "gate", gate: "blocked", reason: "r" });
    story.attempt({ type: "edit", changes: { title: "Another" } });
    story.attempt({ type: "gate", gate: "locked", reason: "r" });
    story.attempt({ type: "gate", gate: "waived", reason: "r" });
    expect(changesOf(historyOf(story), 2)).toMatchObject([
      { seq: 2, data: { added: ["blocked"], removed: [], attention: ["blocked"] } },
      { seq: 4, data: { added: [], removed: ["blocked"], attention: [] } },
      { seq: 5, data: { added: ["ready"], removed: [], attention: ["ready"] } },
    ]);
  });
});

describe("a webhook message that is not accepted", () => {
  const delays = (retryAfterSeconds: number | null) => {
    const attempts = Array.from({ length: DELIVERY_ATTEMPTS_MAX }, (_, index) => index + 1);
    return attempts.map((attempt) => retryDelaySeconds(attempt, retryAfterSeconds));
  };

  test("is retried for about a day with growing delays, and then given up", () => {
    const delaysSeconds = delays(null);
    expect(delaysSeconds.at(-1)).toBeNull();
    const seconds = delaysSeconds.slice(0, -1).map(Number);
    expect(seconds).toEqual(seconds.toSorted((one, other) => one - other));
    const hours = seconds.reduce((sum, delay) => sum + delay, 0) / 3600;
    expect(hours).toBeGreaterThan(22);
    expect(hours).toBeLessThan(26);
  });

  test("waits for the Retry-After of the receiver if that is longer", () => {
    expect(retryDelaySeconds(1, 120)).toBe(120);
    expect(retryDelaySeconds(4, 120)).toBe(retryDelaySeconds(4, null));
    expect(retryDelaySeconds(DELIVERY_ATTEMPTS_MAX, 120)).toBeNull();
  });
});
