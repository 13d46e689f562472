/** The tag of the most common routes. */
export const START_HERE = "Start here";

/** Every tag of the service, in the order of the documentation. */
const TAG_DESCRIPTIONS: Readonly<Record<string, string>> = {
  [START_HERE]: "The most common calls.",
  "Tasks and versions":
    "A task has versions of its content. Only the active version can move through the stages.",
  "Status and history":
    "A task's label and the rule that gives it, and the events that led to its state.",
  "Steps and moves":
    "Each attempt at a stage is a step with a status and a gate. These calls change it.",
  "Bulk changes": "One change for many tasks: preview, execute, follow, retry, and revert it.",
  "Reviews and workers": "Verdicts by people and by automation, and the runs of workers.",
  Pipelines: "The endpoints that do automated work, and the dispatches that request it.",
  "Prompts and data": "The texts that were sent to models, and the content that tasks produced.",
  "Evals, trials, and insights":
    "Evaluations of models on tasks, and the inference jobs behind them.",
  Statistics: "Counts and durations over a window of time, computed from the history.",
  Webhooks: "Messages to your own systems.",
  Taxonomy: "The codes that are proposed for tasks.",
  Administration: "API keys, the caller, and the tables that the service decides by.",
  "Demo tenants": "What demo tenants have to simulate life with.",
  Service: "Health checks.",
};

const ORDER = Object.keys(TAG_DESCRIPTIONS);

/** Returns the tags that the document uses, described, in the order of the documentation. Unknown ones come last. */
export function tagsOf(used: readonly { tags: readonly string[] }[]) {
  const names = [...new Set(used.flatMap(({ tags }) => tags))];
  const rank = (name: string) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return names
    .toSorted((one, other) => rank(one) - rank(other))
    .map((name) => {
      const description = TAG_DESCRIPTIONS[name];
      return description === undefined ? { name } : { name, description };
    });
}
