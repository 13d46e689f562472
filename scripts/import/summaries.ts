import { z } from "zod";
import type { ApiClient } from "./api-client.ts";
import { table } from "./table.ts";
import type { Work } from "./work.ts";

/** The result of one model: `n` trials with a verdict, of which `c` passed. */
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
        const { n, c } = models.get(model) ?? { n: 0, c: 0 };
        // A trial with an error or only a score has no verdict.
        models.set(model, {
          n: n + (passed === undefined ? 0 : 1),
          c: passed === true ? c + 1 : c,
        });
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
      scores: z.object({ n: z.int(), mean: z.number() }).nullable(),
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
    const entries = models.filter((one) => one.model === model);
    const found = {
      n: entries.reduce((sum, { n }) => sum + n, 0),
      c: entries.reduce((sum, { c }) => sum + c, 0),
    };
    // A model whose trials are told apart by more has an entry for each, and no figure of its own.
    const single = entries.length === 1 ? entries[0] : undefined;
    return { model, inFile, found, single, agrees: entries.length > 0 && isWithin(inFile, found) };
  });
  const hasScores = models.some(({ scores }) => scores !== null);
  const agrees = rows.every((row) => row.agrees);
  const lines = table([
    [
      "model",
      "pass@1",
      "95 % interval",
      "passed",
      "in the file",
      ...(hasScores ? ["mean score"] : []),
    ],
    ...rows.map(({ model, inFile, found, single }) => [
      model,
      percent(single?.passAt["1"]),
      single?.interval["1"]?.map(percent).join(" to ") ?? "",
      `${found.c} of ${found.n}`,
      `${inFile.c} of ${inFile.n}`,
      ...(hasScores ? [scoreText(single?.scores)] : []),
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

const scoreText = (scores: { n: number; mean: number } | null | undefined) =>
  scores ? `${scores.mean.toPrecision(4)} of ${scores.n}` : "–";

const percent = (share: number | null | undefined) =>
  share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`;
