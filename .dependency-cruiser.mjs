/**
 * Which folder may import which: worker -> routes, consumers -> actions -> db -> domain. Each rule's comment says
 * where the code goes instead.
 */

/** The folders of src, from the outside in. */
const LAYERS = {
  routes: "^src/routes/",
  consumers: "^src/consumers/",
  actions: "^src/actions/",
  db: "^src/db/",
  storage: "^src/storage/",
  outbound: "^src/outbound/",
  domain: "^src/domain/",
};

/** @type {(name: string, from: string, to: string[], comment: string) => object} */
const forbid = (name, from, to, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: { path: to },
});

/**
 * Packages, by the folders that they resolve to.
 * @type {(...names: string[]) => string[]}
 */
const packages = (...names) => names.map((name) => `node_modules/${name}/`);

export default {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      comment:
        "Two files that import each other have no order to be read in: move what both need into a third file, further in.",
      from: {},
      to: { circular: true },
    },
    {
      name: "domain-is-pure",
      severity: "error",
      comment:
        "The domain imports itself and zod alone. Queries go to src/db, HTTP to src/routes/http, ids and the time come in as arguments.",
      from: { path: LAYERS.domain },
      to: { pathNot: [LAYERS.domain, ...packages("zod")] },
    },
    {
      name: "db-knows-domain-and-drizzle",
      severity: "error",
      comment:
        "src/db speaks SQL: it imports the domain, Drizzle and the Neon driver. What joins a decision with a write goes to src/actions; an answer is made in src/routes.",
      from: { path: LAYERS.db },
      to: {
        pathNot: [
          LAYERS.db,
          LAYERS.domain,
          ...packages("drizzle-orm", "@neondatabase/serverless", "uuidv7", "safe-stable-stringify"),
        ],
      },
    },
    {
      name: "storage-knows-no-one",
      severity: "error",
      comment:
        "src/storage keeps bytes under keys: it imports the domain and the types of bindings. What a blob means goes to src/db, what is done with it to src/actions.",
      from: { path: LAYERS.storage },
      to: { pathNot: [LAYERS.storage, LAYERS.domain, "^src/env\\.ts$"] },
    },
    {
      name: "outbound-knows-no-one",
      severity: "error",
      comment:
        "src/outbound posts signed messages to addresses that it has judged. What a message says and what follows from its answer go to src/actions.",
      from: { path: LAYERS.outbound },
      to: { pathNot: [LAYERS.outbound, ...packages("standardwebhooks", "zod")] },
    },
    forbid(
      "actions-know-no-edge",
      LAYERS.actions,
      [
        LAYERS.routes,
        LAYERS.consumers,
        "^src/(worker|env)\\.ts$",
        "^src/db/schema/",
        ...packages("hono", "@hono", "drizzle-orm", "@neondatabase"),
      ],
      "An action takes plain input and gives back an outcome. Requests and answers go to src/routes, messages to src/consumers, SQL and tables to src/db.",
    ),
    forbid(
      "routes-know-no-tables",
      LAYERS.routes,
      [
        LAYERS.consumers,
        "^src/worker\\.ts$",
        "^src/db/schema/",
        ...packages("drizzle-orm", "@neondatabase"),
      ],
      "A handler validates, calls and answers. A query goes to a file of its noun in src/db, a decision with its write to src/actions.",
    ),
    forbid(
      "consumers-know-no-http",
      LAYERS.consumers,
      [
        LAYERS.routes,
        "^src/worker\\.ts$",
        "^src/db/schema/",
        ...packages("hono", "@hono", "drizzle-orm"),
      ],
      "A consumer parses its message and calls an action. What both an HTTP handler and a consumer need goes to src/actions.",
    ),
    forbid(
      "the-worker-is-no-library",
      "^src/(routes|consumers|actions|db|domain)/",
      ["^src/worker\\.ts$"],
      "src/worker.ts puts the parts together and is imported by none of them: pass what is needed as an argument.",
    ),
    forbid(
      "the-service-knows-no-scripts",
      "^src/",
      ["^scripts/", "^test/", "^bench/"],
      "What runs in production lives in src; scripts and tests import it, never the other way.",
    ),
    {
      name: "the-client-stands-alone",
      severity: "error",
      comment:
        "The client runs wherever fetch does: it imports its own files alone. Types of the service reach it through scripts/generate.",
      from: { path: "^client/" },
      to: { pathNot: "^client/" },
    },
    {
      name: "clients-know-the-client-alone",
      severity: "error",
      comment:
        "The command line and the examples use the service as anybody would: through client/, never through src.",
      from: { path: "^(cli|examples)/" },
      to: { path: "^(src|scripts|test)/" },
    },
    {
      name: "no-node-in-the-service",
      severity: "error",
      comment: "The service runs in workerd: use Web APIs. Files and processes belong to scripts.",
      from: { path: "^src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-development-packages-in-the-service",
      severity: "error",
      comment:
        "Move the package to `dependencies`, or the code to scripts or test. Types alone may come from anywhere.",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "everything-resolves",
      severity: "error",
      comment: "The import names a file or package that is not there.",
      from: {},
      to: { couldNotResolve: true, pathNot: ["^cloudflare:", "^workerd:"] },
    },
  ],
  options: {
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      extensions: [".ts", ".mjs", ".js", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "default"],
    },
  },
};
