import type { Route } from "../http/create-handler.ts";

/**
 * Every file of routes. Each is loaded with the first request for one of its paths, so that a starting Worker does not
 * create schemas that it may never need.
 */
export const AREAS = {
  people: async () => (await import("../people.ts")).peopleRoutes,
  tasks: async () => (await import("../tasks.ts")).taskRoutes,
  "task-status": async () => (await import("../task-status.ts")).taskStatusRoutes,
  "list-tasks": async () => (await import("../list-tasks.ts")).listTaskRoutes,
  "count-tasks": async () => (await import("../count-tasks.ts")).countTaskRoutes,
  versions: async () => (await import("../versions.ts")).versionRoutes,
  history: async () => (await import("../history.ts")).historyRoutes,
  feed: async () => (await import("../feed.ts")).feedRoutes,
  exports: async () => (await import("../exports.ts")).exportRoutes,
  "task-moves": async () => (await import("../task-moves.ts")).taskMoveRoutes,
  steps: async () => (await import("../steps.ts")).stepRoutes,
  moves: async () => (await import("../moves.ts")).moveRoutes,
  bulk: async () => (await import("../bulk.ts")).bulkRoutes,
  "bulk-operations": async () => (await import("../bulk-operations.ts")).bulkOperationRoutes,
  "bulk-items": async () => (await import("../bulk-items.ts")).bulkItemRoutes,
  analytics: async () => (await import("../analytics.ts")).analyticsRoutes,
  stats: async () => (await import("../stats.ts")).statsRoutes,
  reviews: async () => (await import("../reviews.ts")).reviewRoutes,
  "review-claims": async () => (await import("../review-claims.ts")).reviewClaimRoutes,
  "worker-runs": async () => (await import("../worker-runs.ts")).workerRunRoutes,
  pipelines: async () => (await import("../pipelines.ts")).pipelineRoutes,
  dispatches: async () => (await import("../dispatches.ts")).dispatchRoutes,
  prompts: async () => (await import("../prompts.ts")).promptRoutes,
  data: async () => (await import("../data.ts")).dataRoutes,
  evals: async () => (await import("../evals.ts")).evalRoutes,
  "eval-summaries": async () => (await import("../eval-summaries.ts")).evalSummaryRoutes,
  lineage: async () => (await import("../lineage.ts")).lineageRoutes,
  trials: async () => (await import("../trials.ts")).trialRoutes,
  insights: async () => (await import("../insights.ts")).insightRoutes,
  webhooks: async () => (await import("../webhooks.ts")).webhookRoutes,
  taxonomy: async () => (await import("../taxonomy.ts")).taxonomyRoutes,
  seed: async () => (await import("../seed.ts")).seedRoutes,
  "seed-runs": async () => (await import("../seed-runs.ts")).seedRunRoutes,
  registry: async () => (await import("../registry.ts")).registryRoutes,
  me: async () => (await import("../me.ts")).meRoutes,
  keys: async () => (await import("../keys.ts")).keyRoutes,
  admin: async () => (await import("../admin.ts")).adminRoutes,
  health: async () => (await import("../health.ts")).healthRoutes,
} as const satisfies Record<string, () => Promise<readonly Route[]>>;
export type Area = keyof typeof AREAS;

/** Loads every route of the service. */
export async function loadRoutes(): Promise<readonly Route[]> {
  const loaded = await Promise.all(Object.values(AREAS).map((load) => load()));
  return loaded.flat();
}
