import { PAGE, pageReader } from "../listing.ts";
import { measureInTurns } from "../measure.ts";
import { NEEDLES } from "../load/multiply.ts";
import { atMost, type Finding, type Row } from "../row.ts";

const FEW = 10_000;
/** The external id of a task that exists at every scale and is not archived. Many other ids contain its digits. */
const EXTERNAL_ID = "tracker-000004713";

export const searchScale: Row = {
  name: "search-scale",
  about:
    "a search for a part of the title or the external id, against the same search of 10,000 tasks",
  measure: async (environment) => {
    const large = await environment.large();
    const small = await environment.small(FEW);
    const searches = [
      ...Object.entries(NEEDLES).map(([word, matches]) => ({ word, matches })),
      { word: EXTERNAL_ID, matches: 1 },
    ];
    const findings: Finding[] = [];
    for (const { word, matches } of searches) {
      // Some of the tasks with the word are archived.
      const rows = Math.min(PAGE, Math.floor(matches * 0.9) || 1);
      const path = `/v1/tasks?q=${word}&limit=${PAGE}`;
      const measured = await measureInTurns(
        pageReader(large, path, rows),
        pageReader(small, path, rows),
        {
          turns: 40,
          warmUpTurns: 10,
        },
      );
      findings.push(atMost(3, `"${word}", ${matches} of ${environment.scale} tasks`, measured));
    }
    return findings;
  },
};
