import { z } from "zod";
import type { ApiClient } from "./api-client.ts";
import { table } from "./table.ts";
import type { Work } from "./work.ts";

/** The result of one model: `n` scored trials, of which `c` passed. */
interface Score {
  n: number;
  c: number;
}

/** The results of the file's evaluations, by name and by model. */
export class ExpectedSummaries {
  readonly byName = new Map<string, Map<string, Score>>();

  add({ evals }: Work): void {
    for (const { name, trials } of evals) {
      const models = this.byName.get(name) ?? new Map<string, Score>();
      this.byName.set(name, models);
      for (const { model, passed } of trials) {
        // A trial that ended in an error has no verdict, so it is not scored.
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

interface ComparedSummary {
  text: string;
  /** True if the service's counts can include all trials of the file, with the file's verdicts. */
  agrees: boolean;
}

/** Compares the service's summary of each evaluation with the file's own counts. */
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
  const notes = agrees ? [] : [tasksTruncated ? TRUNCATED : DIFFERENT];
  const text = [`Evaluation ${name}`, lines, ...notes].join("\n");
  return { text, agrees: agrees || tasksTruncated };
}

const TRUNCATED =
  "  There are too many tasks to compare the counts: the service summarized only the newest.";
const DIFFERENT =
  "  The counts differ. The service does not count archived tasks, cancelled evaluations and retracted trials.";

/** True if the file's trials can be among those that the service found. The rest may come from other files. */
function isWithin(inFile: Score, found: Score): boolean {
  const others = found.n - inFile.n;
  const othersPassed = found.c - inFile.c;
  return othersPassed >= 0 && othersPassed <= others;
}

const percent = (share: number | null | undefined) =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
