import { PAGE, pageReader } from "../listing.ts";
import { measureInTurns } from "../measure.ts";
import { atMost, type Row } from "../row.ts";

const FEW = 5_000;
export const LIVE_SORT_PATH = `/v1/tasks?sort=unifiedStatus&sortSource=live&limit=${PAGE}`;

export const liveSortScale: Row = {
  name: "live-sort-scale",
  about: "the capped live sort, against the same sort of 5,000 tasks",
  measure: async (environment) => {
    const large = await environment.large();
    const small = await environment.small(FEW);
    const measured = await measureInTurns(
      pageReader(large, LIVE_SORT_PATH),
      pageReader(small, LIVE_SORT_PATH),
      {
        turns: 30,
        warmUpTurns: 5,
      },
    );
    return [atMost(1.5, `${environment.scale} tasks`, measured)];
  },
};
