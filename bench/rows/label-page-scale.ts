import { pageAt, pageReader } from "../listing.ts";
import { measureInTurns } from "../measure.ts";
import { atMost, type Finding, type Row } from "../row.ts";

const FEW = 10_000;
const DEPTHS = [0, 0.5, 0.99];

export const labelPageScale: Row = {
  name: "label-page-scale",
  about: "a page of 50 by materialized label, against the same page of 10,000 tasks",
  measure: async (environment) => {
    const large = await environment.large();
    const small = await environment.small(FEW);
    const findings: Finding[] = [];
    for (const depth of DEPTHS) {
      const amongMany = pageReader(large, await pageAt(large, "label", depth));
      const amongFew = pageReader(small, await pageAt(small, "label", depth));
      const measured = await measureInTurns(amongMany, amongFew, { turns: 60, warmUpTurns: 10 });
      findings.push(atMost(1.5, `after ${depth * 100} % of ${environment.scale} tasks`, measured));
    }
    return findings;
  },
};
