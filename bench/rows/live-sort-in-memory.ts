import { reading } from "../listing.ts";
import { inTurn } from "../measure.ts";
import { GRID_TENANT } from "../populations.ts";
import { atLeastTimesFaster, type Row } from "../row.ts";
import { LIVE_SORT_PATH } from "./live-sort-scale.ts";

export const liveSortInMemory: Row = {
  name: "live-sort-in-memory",
  about:
    "the capped live sort, against the same Worker loading 5,000 candidates and sorting them in JavaScript",
  measure: async (stage) => {
    const service = await stage.large();
    const measured = await inTurn(
      reading(service, LIVE_SORT_PATH),
      () => service.call("/v1/bench/sort-in-memory", { tenant: GRID_TENANT }),
      { turns: 15, unmeasured: 3 },
    );
    return [atLeastTimesFaster(5, `${stage.scale} tasks`, measured)];
  },
};
