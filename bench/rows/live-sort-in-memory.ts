import { pageReader } from "../listing.ts";
import { measureInTurns } from "../measure.ts";
import { LISTED_TENANT } from "../populations.ts";
import { atLeastTimesFaster, type Row } from "../row.ts";
import { LIVE_SORT_PATH } from "./live-sort-scale.ts";

export const liveSortInMemory: Row = {
  name: "live-sort-in-memory",
  about:
    "the capped live sort, against the same Worker that loads 5,000 candidates and sorts them in JavaScript",
  measure: async (environment) => {
    const service = await environment.large();
    const measured = await measureInTurns(
      pageReader(service, LIVE_SORT_PATH),
      () => service.call("/v1/bench/sort-in-memory", { tenant: LISTED_TENANT }),
      { turns: 15, warmUpTurns: 3 },
    );
    return [atLeastTimesFaster(5, `${environment.scale} tasks`, measured)];
  },
};
