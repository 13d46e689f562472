/** A table on the map, and what one row of it is. */
type Described = readonly [table: string, row: string];

/** Tables that belong together. */
export interface TableGroup {
  title: string;
  tables: readonly Described[];
}

/**
 * Groups that reference each other, in three columns from left to right. The middle one holds what the others reference,
 * because a key can only lead within its column or to the next one.
 */
export const COLUMNS: readonly (readonly TableGroup[])[] = [
  [
    {
      title: "Evaluations",
      tables: [
        ["insights", "what a model call cost"],
        ["eval_step_events", "append-only history of evals"],
        ["evals", "k trials of each model for a version"],
        ["trials", "one attempt of a model"],
      ],
    },
    {
      title: "Content",
      tables: [
        ["data", "an artifact; its bytes are in the bucket"],
        ["data_inputs", "what an artifact was made from"],
        ["prompts", "a prompt and who sent it"],
      ],
    },
  ],
  [
    {
      title: "Tasks and history",
      tables: [
        ["task_labels", "label and attention, kept by triggers"],
        ["tasks", "points at its step, version and event"],
        ["task_versions", "immutable content"],
        ["steps", "one attempt at a stage"],
        ["step_events", "append-only, hash-chained history"],
        ["reviews", "a verdict on a step"],
        ["review_slots", "who holds the review of a step"],
        ["seed_runs", "a story, and how far it is told"],
      ],
    },
  ],
  [
    {
      title: "Runs and dispatches",
      tables: [
        ["worker_runs", "work that reports back; leases"],
        ["run_late_reports", "reports on ended runs"],
        ["pipeline_dispatches", "the outbox of pipeline requests"],
        ["dispatch_events", "append-only log of dispatches"],
      ],
    },
    {
      title: "Bulk changes",
      tables: [
        ["bulk_operations", "one change of many tasks"],
        ["bulk_operation_items", "its outcome for one task"],
        ["analytics_events", "product events"],
      ],
    },
    {
      title: "Administration",
      tables: [
        ["admin_events", "append-only, hash-chained history"],
        ["admin_heads", "the newest event of a tenant"],
        ["people", "who works for a tenant"],
        ["api_keys", "SHA-256 digests of keys"],
        ["api_key_uses", "when a key was last used"],
      ],
    },
  ],
];

/** Groups without keys to other groups, in a row below. */
export const STANDALONE: readonly TableGroup[] = [
  {
    title: "Tenants",
    tables: [
      ["tenants", "a customer, or a demo"],
      ["simulated_clocks", "the time of a demo"],
      ["taxonomy", "a tenant's subject codes"],
    ],
  },
  {
    title: "Webhooks and pipelines",
    tables: [
      ["webhooks", "an address and its feed position"],
      ["webhook_deliveries", "the outbox of messages"],
      ["pipelines", "endpoint, timeout, deadline"],
      ["signing_secrets", "sealed; the current and earlier ones"],
    ],
  },
  {
    title: "Ledger and upkeep",
    tables: [
      ["operations", "a write, found by its retry"],
      ["dead_letters", "messages that queues gave up"],
      ["sweeps", "daily sweeps of the bucket"],
      ["orphaned_objects", "objects that no row names"],
      ["swept_objects", "objects claimed for deletion"],
      ["sweep_positions", "how far a sweep has come"],
    ],
  },
];
