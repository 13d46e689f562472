import { PAGE, reading } from "../listing.ts";
import { inTurn } from "../measure.ts";
import { atMost, type Row } from "../row.ts";

const FEW = 5_000;
export const LIVE_SORT_PATH = `/v1/tasks?sort=unifiedStatus&sortSource=live&limit=${PAGE}`;

export const liveSortScale: Row = {
  name: "live-sort-scale",
  about: "the capped live sort, against the same among 5,000 tasks",
  measure: async (stage) => {
    const large = await stage.large();
    const small = await stage.small(FEW);
    const measured = await inTurn(reading(large, LIVE_SORT_PATH), reading(small, LIVE_SORT_PATH), {
      turns: 30,
      unmeasured: 5,
    });
    return [atMost(1.5, `${stage.scale} tasks`, measured)];
  },
};
