import { pageAt, pageReader } from "../listing.ts";
import { measureInTurns } from "../measure.ts";
import { atMost, type Finding, type Row } from "../row.ts";

const DEPTHS = [0, 0.25, 0.5, 0.75, 0.99];

export const labelPageDepth: Row = {
  name: "label-page-depth",
  about:
    "a page of 50 by materialized label, against the same page by primary key, at several depths",
  measure: async (environment) => {
    const service = await environment.large();
    const findings: Finding[] = [];
    for (const depth of DEPTHS) {
      const byLabel = pageReader(service, await pageAt(service, "label", depth));
      const byKey = pageReader(service, await pageAt(service, "key", depth));
      const measured = await measureInTurns(byLabel, byKey, { turns: 60, warmUpTurns: 10 });
      findings.push(atMost(2, `after ${depth * 100} % of ${environment.scale} tasks`, measured));
    }
    return findings;
  },
};
