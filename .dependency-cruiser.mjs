/**
 * Which folder may import which. The layers: worker -> routes, consumers -> actions -> db -> domain. Inside a layer, the
 * folders have an order too. The comment of each rule says where the code goes instead.
 */

/** The layers of src, from the outside in. */
const LAYERS = {
  routes: "^src/routes/",
  consumers: "^src/consumers/",
  actions: "^src/actions/",
  db: "^src/db/",
  storage: "^src/storage/",
  outbound: "^src/outbound/",
  domain: "^src/domain/",
};

/**
 * The folders of each layer, from the bottom up: a folder may import only those before it. A new folder gets its place
 * here: directly above the highest folder that it imports.
 */
const FOLDERS = {
  domain: [
    "registry-history",
    "data",
    "delivery",
    "pipelines",
    "lifecycle",
    "reviews",
    "status",
    "evals",
    "versions",
    "lineage",
    "stats",
    "bulk",
    "seed",
    "webhooks",
  ],
  db: [
    "schema",
    "connection",
    "sql",
    "ledger",
    "administration",
    "tenants",
    "taxonomy",
    "seed",
    "stats",
    "tasks",
    "history",
    "runs",
    "reviews",
    "webhooks",
    "content",
    "dispatches",
    "snapshots",
    "bulk",
    "evals",
    "moves",
    "invariants",
  ],
  actions: [
    "call",
    "views",
    "history",
    "content",
    "keys",
    "people",
    "taxonomy",
    "secrets",
    "outgoing",
    "tasks",
    "evals",
    "moves",
    "reviews",
    "runs",
    "dispatches",
    "webhooks",
    "bulk",
    "seed",
    "upkeep",
  ],
};

/** The files of the bulk calls. */
const BULK_VERBS = "^src/actions/bulk/(execute|revert|retry-failed|cancel)\\.ts$";

/** @type {(name: string, from: string, to: string[], comment: string) => object} */
const forbid = (name, from, to, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: { path: to },
});

/**
 * The folders that packages resolve to.
 * @type {(...names: string[]) => string[]}
 */
const packages = (...names) => names.map((name) => `node_modules/${name}/`);

/**
 * The rules that hold the order of a layer's folders, one for each folder.
 * @type {(layer: keyof typeof FOLDERS) => object[]}
 */
const inOrder = (layer) =>
  FOLDERS[layer].slice(0, -1).map((folder, index) => {
    const above = FOLDERS[layer].slice(index + 1);
    return forbid(
      `${layer}-${folder}-imports-only-folders-below`,
      `^src/${layer}/${folder}/`,
      [`^src/${layer}/(${above.join("|")})/`],
      `src/${layer}/${folder} is below the folder that it imports here. Move what both need down into this folder or a lower one; code that joins the two belongs to the upper folder. The order is the list FOLDERS in .dependency-cruiser.mjs.`,
    );
  });

/**
 * The rule that a layer has only folders with a place in its order.
 * @type {(layer: keyof typeof FOLDERS, files?: string) => object}
 */
const onlyFolders = (layer, files = "") => ({
  name: `${layer}-has-a-folder-for-each-noun`,
  severity: "error",
  comment:
    "Put the file into the folder of its noun. For a new noun, create a folder and add it to FOLDERS in .dependency-cruiser.mjs.",
  from: {
    path: `^src/${layer}/`,
    pathNot: `^src/${layer}/((${FOLDERS[layer].join("|")})/${files})`,
  },
  to: {},
});

export default {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      comment:
        "Two files that import each other cannot be read one after the other. Move what both need into a third file, in a lower folder or layer.",
      from: {},
      to: { circular: true },
    },
    {
      name: "domain-is-pure",
      severity: "error",
      comment:
        "The domain imports only itself and zod. Queries go to src/db and HTTP goes to src/routes/http. Pass ids and the time as arguments.",
      from: { path: LAYERS.domain },
      to: { pathNot: [LAYERS.domain, ...packages("zod")] },
    },
    {
      name: "db-knows-domain-and-drizzle",
      severity: "error",
      comment:
        "src/db imports the domain, Drizzle, and the Neon driver. Code that joins a decision with a write goes to src/actions. Code that renders an answer goes to src/routes.",
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
      name: "storage-imports-only-the-domain",
      severity: "error",
      comment:
        "src/storage keeps bytes under keys. It imports only the domain and the types of bindings. Facts about a blob go to src/db; what the service does with it goes to src/actions.",
      from: { path: LAYERS.storage },
      to: { pathNot: [LAYERS.storage, LAYERS.domain, "^src/env\\.ts$"] },
    },
    {
      name: "outbound-imports-only-packages",
      severity: "error",
      comment:
        "src/outbound checks addresses, seals secrets, and posts signed messages. The content of a message and the reaction to its answer go to src/actions.",
      from: { path: LAYERS.outbound },
      to: { pathNot: [LAYERS.outbound, ...packages("standardwebhooks", "jose", "zod")] },
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
      "An action takes plain input and returns an outcome. Requests and answers go to src/routes, messages go to src/consumers, and SQL and tables go to src/db.",
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
      "A handler validates, calls, and answers. A query goes to its noun's folder in src/db. A decision with its write goes to src/actions.",
    ),
    forbid(
      "no-area-imports-another",
      "^src/routes/[^/]+\\.ts$",
      ["^src/routes/[^/]+\\.ts$", "^src/routes/app/"],
      "Each area of the API is one file that imports no other area. A schema that two areas answer goes to src/routes/shapes, machinery to src/routes/http.",
    ),
    forbid(
      "shapes-know-no-area",
      "^src/routes/shapes/",
      ["^src/routes/[^/]+\\.ts$", "^src/routes/app/"],
      "src/routes/shapes holds schemas that several areas share. What belongs to one area stays in the area's file.",
    ),
    forbid(
      "http-machinery-knows-no-area",
      "^src/routes/http/",
      ["^src/routes/[^/]+\\.ts$", "^src/routes/(app|shapes)/"],
      "src/routes/http is the machinery under every area: pass what an area knows as an argument.",
    ),
    ...inOrder("domain"),
    // The files directly in src/domain hold what several nouns share: actors, rights, refusals, the registry.
    onlyFolders("domain", "|[^/]+\\.ts$"),
    ...inOrder("db"),
    onlyFolders("db"),
    ...inOrder("actions"),
    onlyFolders("actions"),
    forbid(
      "no-bulk-verb-imports-another",
      BULK_VERBS,
      [BULK_VERBS],
      "The bulk verbs are on one floor. What several of them need goes to a file of its own in src/actions/bulk, as show-plan, record-plan and take-back are.",
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
      "A consumer parses its message and calls an action. Code that both an HTTP handler and a consumer need goes to src/actions.",
    ),
    forbid(
      "nothing-imports-the-worker",
      "^src/(routes|consumers|actions|db|domain)/",
      ["^src/worker\\.ts$"],
      "src/worker.ts puts the parts together, so no part imports it. Pass what is needed as an argument.",
    ),
    forbid(
      "the-service-imports-no-scripts",
      "^src/",
      ["^scripts/", "^test/", "^bench/"],
      "Production code lives in src. Scripts and tests import it, never the other way around.",
    ),
    {
      name: "the-client-imports-only-itself",
      severity: "error",
      comment:
        "The client runs anywhere that fetch runs, so it imports only its own files. scripts/generate copies the service's types into it.",
      from: { path: "^client/" },
      to: { pathNot: "^client/" },
    },
    {
      name: "programs-use-only-the-client",
      severity: "error",
      comment:
        "The command line and the examples use the service as any user would: through client/, never through src.",
      from: { path: "^(cli|examples)/" },
      to: { path: "^(src|scripts|test)/" },
    },
    {
      name: "no-node-in-the-service",
      severity: "error",
      comment:
        "The service runs in workerd, so use Web APIs. Code that needs files or processes goes to scripts.",
      from: { path: "^src/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no-development-packages-in-the-service",
      severity: "error",
      comment:
        "Move the package to `dependencies`, or move the code to scripts or test. Only types may come from development packages.",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "everything-resolves",
      severity: "error",
      comment: "The import names a file or a package that does not exist.",
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
