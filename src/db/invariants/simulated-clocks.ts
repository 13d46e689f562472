import type { Invariant } from "./invariant.ts";

export const SIMULATED_CLOCK_INVARIANTS: readonly Invariant[] = [
  {
    name: "only-demos-have-a-simulated-clock",
    description:
      "A tenant that is not a demo has a simulated clock, so the times of its history can be chosen.",
    sql: `
      select c.tenant_id from simulated_clocks c
      where not exists (select from tenants t where t.id = c.tenant_id and t.kind = 'demo')`,
  },
];
