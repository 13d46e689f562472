import type { Guard } from "./guard.ts";

/** Guards of what demos are given: their taxonomy and their objects. */
export const DEMO_GUARDS: readonly Guard[] = [
  {
    name: "install-known-codes",
    prevents: "Installing the starter taxonomy fails, because the tenant has one of its codes.",
    file: "src/db/taxonomy/install-taxonomy.ts",
    text: "\n  on conflict (tenant_id, code) do nothing\n",
    without: "\n",
    test: "test/routes/seed.test.ts",
    fails: "is installed in one round trip, and stays as it is when it is installed again",
  },
  {
    name: "install-levels",
    prevents: "An entry of the starter taxonomy gets a parent of the wrong level.",
    file: "src/db/taxonomy/install-taxonomy.ts",
    text: "\n    where o.domain = g.domain and t.level <> o.level)",
    without: "\n    where false)",
    test: "test/routes/seed.test.ts",
    fails:
      "keeps what the tenant has, and leaves a domain out if one of its codes has another level",
  },
  {
    name: "install-in-demos",
    prevents: "The starter taxonomy is written to a customer's tenant.",
    file: "src/db/taxonomy/install-taxonomy.ts",
    text: "\n  where tenant_kind() = 'demo' and not exists",
    without: "\n  where not exists",
    test: "test/routes/seed.test.ts",
    fails: "is refused in a customer's tenant, with nothing written",
  },
  {
    name: "stub-once",
    prevents: "One of two simultaneous uploads overwrites the object of the other.",
    file: "src/storage/stubs.ts",
    text: '\n          onlyIf: { etagDoesNotMatch: "*" },',
    without: "",
    test: "test/routes/seed.test.ts",
    fails: "is never overwritten, not even by two uploads at once",
  },
];
