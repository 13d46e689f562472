import { z } from "zod";
import type { ApiClient } from "./api-client.ts";
import { table } from "./table.ts";
import type { Work } from "./work.ts";

/** How one model did: scored trials, and those of them that passed. */
interface Score {
  n: number;
  c: number;
}

/** What a file says of its evaluations: by name, and by model. */
export class ExpectedSummaries {
  readonly byName = new Map<string, Map<string, Score>>();

  add({ evals }: Work): void {
    for (const { name, trials } of evals) {
      const models = this.byName.get(name) ?? new Map<string, Score>();
      this.byName.set(name, models);
      for (const { model, passed } of trials) {
        // An errored trial is not scored: nobody judged.
        if (passed === undefined) continue;
        const { n, c } = models.get(model) ?? { n: 0, c: 0 };
        models.set(model, { n: n + 1, c: passed ? c + 1 : c });
      }
    }
  }
}

const summary = z.object({
  tasksTruncated: z.boolean(),
  models: z.array(
    z.object({
      model: z.string(),
      n: z.int(),
      c: z.int(),
      passAt: z.record(z.string(), z.number().nullable()),
      interval: z.record(z.string(), z.tuple([z.number(), z.number()])),
    }),
  ),
});

/** What the service says of an evaluation, beside what the file says. */
interface ComparedSummary {
  text: string;
  /** Whether the file's trials can all be among those that the service counts, with the verdicts of the file. */
  agrees: boolean;
}

/** Asks the service for the summary of each evaluation over all tasks, and lays it beside the file's own count. */
export async function compareSummaries(
  client: ApiClient,
  { byName }: ExpectedSummaries,
): Promise<ComparedSummary[]> {
  const compared: ComparedSummary[] = [];
  for (const [name, models] of byName) compared.push(await compareSummary(client, name, models));
  return compared;
}

async function compareSummary(
  client: ApiClient,
  name: string,
  expected: ReadonlyMap<string, Score>,
): Promise<ComparedSummary> {
  const path = `/evals/summary?name=${encodeURIComponent(name)}`;
  const { models, tasksTruncated } = await client.call({ method: "GET", path }, summary);
  const rows = [...expected].map(([model, inFile]) => {
    const found = models.find((one) => one.model === model);
    return { model, inFile, found, agrees: found !== undefined && isWithin(inFile, found) };
  });
  const agrees = rows.every((row) => row.agrees);
  const lines = table([
    ["model", "pass@1", "95 % interval", "passed", "in the file"],
    ...rows.map(({ model, inFile, found }) => [
      model,
      percent(found?.passAt["1"]),
      found?.interval["1"]?.map(percent).join(" to ") ?? "",
      `${found?.c ?? 0} of ${found?.n ?? 0}`,
      `${inFile.c} of ${inFile.n}`,
    ]),
  ]);
  const notes = agrees ? [] : [tasksTruncated ? NOT_ALL : NOT_THE_SAME];
  const text = [`Evaluation ${name}`, lines, ...notes].join("\n");
  return { text, agrees: agrees || tasksTruncated };
}

const NOT_ALL = "  The service looked at its newest tasks alone: there are too many to compare.";
const NOT_THE_SAME =
  "  The counts differ. Archived tasks, cancelled evaluations and retracted trials are not counted by the service.";

/** Other files may have brought more trials of the same evaluation: then the file's are a part of them. */
function isWithin(inFile: Score, found: Score): boolean {
  const others = found.n - inFile.n;
  const othersPassed = found.c - inFile.c;
  return othersPassed >= 0 && othersPassed <= others;
}

const percent = (share: number | null | undefined) =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
