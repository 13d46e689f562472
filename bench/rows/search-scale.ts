import { PAGE, reading } from "../listing.ts";
import { inTurn } from "../measure.ts";
import { NEEDLES } from "../load/multiply.ts";
import { atMost, type Finding, type Row } from "../row.ts";

const FEW = 10_000;
/** The external id of a task that is there at every scale and not put away: its digits are in many others. */
const EXTERNAL_ID = "tracker-000004713";

export const searchScale: Row = {
  name: "search-scale",
  about: "a search by a part of the title or the external id, against the same among 10,000 tasks",
  measure: async (stage) => {
    const large = await stage.large();
    const small = await stage.small(FEW);
    const searches = [
      ...Object.entries(NEEDLES).map(([word, matches]) => ({ word, matches })),
      { word: EXTERNAL_ID, matches: 1 },
    ];
    const findings: Finding[] = [];
    for (const { word, matches } of searches) {
      // Some of those that have the word are put away.
      const rows = Math.min(PAGE, Math.floor(matches * 0.9) || 1);
      const path = `/v1/tasks?q=${word}&limit=${PAGE}`;
      const measured = await inTurn(reading(large, path, rows), reading(small, path, rows), {
        turns: 40,
        unmeasured: 10,
      });
      findings.push(atMost(3, `"${word}", ${matches} of ${stage.scale} tasks`, measured));
    }
    return findings;
  },
};
