import type { Guard } from "./guard.ts";

const TEST = "test/proofs/guards.test.ts";

/** A trigger that refuses what the service never does. Without the guard, it is disabled. */
function refusal(
  [table, trigger]: readonly [table: string, trigger: string],
  { prevents, fails, text = "');" }: { prevents: string; fails: string; text?: string },
): Guard {
  return {
    name: trigger.replaceAll("_", "-"),
    prevents,
    file: `drizzle/triggers/${trigger}.sql`,
    text,
    without: `${text}\nalter table ${table} disable trigger ${trigger};`,
    test: TEST,
    fails,
  };
}

const REMOVAL = "every removal is refused by the trigger of the table that it names";

const kept = (table: string, trigger = `${table}_kept`): Guard =>
  refusal([table, trigger], { prevents: `A row of ${table} is deleted.`, fails: REMOVAL });

const appended = (table: string): Guard =>
  refusal([table, `${table}_append_only`], {
    prevents: `A row of ${table} is changed or deleted.`,
    fails: REMOVAL,
  });

const notTruncated = (table: string): Guard =>
  refusal([table, `${table}_no_truncate`], {
    prevents: `${table} is truncated.`,
    fails: REMOVAL,
  });

const EVENTS = [
  "step_events",
  "eval_step_events",
  "dispatch_events",
  "run_late_reports",
  "admin_events",
];
const ROWS = [
  "tasks",
  "task_versions",
  "steps",
  "reviews",
  "evals",
  "trials",
  "insights",
  "prompts",
  "api_keys",
  "people",
  "admin_heads",
];

/** Guards of what is history: the triggers, which hold against every role. Guards of what follows from it: labels and keys. */
export const HISTORY_GUARDS: readonly Guard[] = [
  refusal(["tasks", "tasks_move_with_event"], {
    prevents: "A task is changed without an event.",
    fails: "rename a task",
  }),
  refusal(["steps", "steps_move_with_event"], {
    prevents: "A step is changed without an event.",
    fails: "open a gate",
  }),
  refusal(["steps", "steps_sealed"], {
    prevents: "A step of a sealed version is changed.",
    fails: "open a gate of a sealed version",
    text: "refuse_sealed_steps();",
  }),
  refusal(["task_versions", "task_versions_immutable"], {
    prevents: "The content of a version is changed.",
    fails: "change the content of a sealed version",
  }),
  refusal(["reviews", "reviews_withdrawn_once"], {
    prevents: "A verdict is changed, or the withdrawal of a review is taken back.",
    fails: "take back the withdrawal of a review",
  }),
  refusal(["evals", "evals_move_with_event"], {
    prevents: "An eval is changed without an event.",
    fails: "rename an eval",
  }),
  refusal(["trials", "trials_move_with_event"], {
    prevents: "A trial is changed without an event, or after it was retracted.",
    fails: "restore a retracted trial",
  }),
  refusal(["insights", "insights_keep_identity"], {
    prevents: "An insight is assigned to another maker.",
    fails: "assign an insight to another model",
  }),
  refusal(["data", "data_stored_once"], {
    prevents: "Data are changed, or their time of storage is.",
    fails: "mark stored data as not stored",
  }),
  refusal(["api_keys", "api_keys_end_once"], {
    prevents: "A key that was revoked works again.",
    fails: "take back a revocation",
  }),
  refusal(["admin_heads", "admin_heads_move_with_event"], {
    prevents: "A head of administration goes back.",
    fails: "rewind a head of administration",
  }),
  ...EVENTS.map(appended),
  ...ROWS.map((table) => kept(table)),
  kept("data", "data_artifacts_kept"),
  ...[...EVENTS, ...ROWS, "data"].map(notTruncated),
  {
    name: "labels-newer",
    prevents: "A relabeling overwrites the label of a task that has moved meanwhile.",
    file: "drizzle/functions/relabel_tasks.sql",
    text: "    where coalesce(task_labels.event_seq, 0) <= excluded.event_seq\n      and",
    without: "    where",
    test: "test/proofs/label-readings.test.ts",
    fails: "shows a task that moves while it is relabeled as it is then",
  },
  {
    name: "task-keys-kept",
    prevents: "The keys of a task do not follow its title and external id.",
    file: "drizzle/triggers/tasks_keys_changed.sql",
    text: "execute function keep_task_keys();",
    without:
      "execute function keep_task_keys();\nalter table tasks disable trigger tasks_keys_changed;",
    test: "test/routes/tasks/identity.test.ts",
    fails: "is one id among the rows of an import, of an edit and of a bulk of moves",
  },
];
