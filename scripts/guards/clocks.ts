import type { Guard } from "./guard.ts";

export const CLOCK_GUARDS: readonly Guard[] = [
  {
    name: "clock-of-demo",
    prevents: "A tenant that is not a demo gets a simulated clock.",
    file: "drizzle/functions/move_simulated_clock.sql",
    text: "t.id = tenant and t.kind = 'demo'",
    without: "t.id = tenant",
    test: "test/proofs/simulated-clocks.test.ts",
    fails: "in a customer's tenant, nothing sets the clock or the time of what is written",
  },
  {
    name: "clock-falls",
    prevents: "A simulated clock is set back.",
    file: "drizzle/functions/move_simulated_clock.sql",
    text: "greatest(running_clock(c.at, c.speed, c.set_at, c.until, m.moment), to_at) as at",
    without: "coalesce(to_at, c.at) as at",
    test: "test/proofs/simulated-clocks.test.ts",
    fails: "never falls, however it is set",
  },
];
