import { pageAt, reading } from "../listing.ts";
import { inTurn } from "../measure.ts";
import { atMost, type Finding, type Row } from "../row.ts";

const DEPTHS = [0, 0.25, 0.5, 0.75, 0.99];

export const labelPageDepth: Row = {
  name: "label-page-depth",
  about: "a page of 50 by materialised label, against the same page by primary key, at any depth",
  measure: async (stage) => {
    const service = await stage.large();
    const findings: Finding[] = [];
    for (const depth of DEPTHS) {
      const byLabel = reading(service, await pageAt(service, "label", depth));
      const byKey = reading(service, await pageAt(service, "key", depth));
      const measured = await inTurn(byLabel, byKey, { turns: 60, unmeasured: 10 });
      findings.push(atMost(2, `after ${depth * 100} % of ${stage.scale} tasks`, measured));
    }
    return findings;
  },
};
