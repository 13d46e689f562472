import { pageAt, reading } from "../listing.ts";
import { inTurn } from "../measure.ts";
import { atMost, type Finding, type Row } from "../row.ts";

const FEW = 10_000;
const DEPTHS = [0, 0.5, 0.99];

export const labelPageScale: Row = {
  name: "label-page-scale",
  about: "a page of 50 by materialised label, against the same page among 10,000 tasks",
  measure: async (stage) => {
    const large = await stage.large();
    const small = await stage.small(FEW);
    const findings: Finding[] = [];
    for (const depth of DEPTHS) {
      const amongMany = reading(large, await pageAt(large, "label", depth));
      const amongFew = reading(small, await pageAt(small, "label", depth));
      const measured = await inTurn(amongMany, amongFew, { turns: 60, unmeasured: 10 });
      findings.push(atMost(1.5, `after ${depth * 100} % of ${stage.scale} tasks`, measured));
    }
    return findings;
  },
};
