import { generateClientOperations } from "./client-operations.ts";
import { generateDatabaseErrors } from "./database-errors.ts";
import { generateErrors } from "./errors.ts";
import { generateGuards } from "./guards.ts";
import { LABEL_OBJECTS } from "./label-objects.ts";
import { generateOpenApi } from "./openapi.ts";
import { generatePreparedNames, generatePreparedSql } from "./prepared.ts";
import {
  FROZEN_REGISTRY_PATH,
  generateFrozenRegistry,
  generateRegistryHistory,
  REGISTRY_HISTORY_PATH,
} from "./registry-history.ts";
import { generateRoutePlaces } from "./route-places.ts";
import { generateStateMachine } from "./state-machine.ts";
import { generateTableMap } from "./table-map.ts";
import { generateWebhooks } from "./webhooks.ts";

/** A file that is generated from code. */
interface Generator {
  path: string;
  generate: () => string;
}

export const GENERATORS: readonly Generator[] = [
  { path: "client/operations.ts", generate: generateClientOperations },
  { path: "docs/database-errors.md", generate: generateDatabaseErrors },
  { path: "docs/errors.md", generate: generateErrors },
  { path: "docs/guards.md", generate: generateGuards },
  { path: "docs/openapi.json", generate: generateOpenApi },
  { path: "docs/state-machine.md", generate: generateStateMachine },
  { path: "docs/tables.svg", generate: generateTableMap },
  { path: "docs/webhooks.md", generate: generateWebhooks },
  ...Object.entries(LABEL_OBJECTS).map(([path, generate]) => ({ path, generate })),
  { path: "drizzle/prepared.sql", generate: generatePreparedSql },
  { path: "src/db/connection/prepared-names.ts", generate: generatePreparedNames },
  { path: FROZEN_REGISTRY_PATH, generate: generateFrozenRegistry },
  { path: REGISTRY_HISTORY_PATH, generate: generateRegistryHistory },
  { path: "src/routes/app/places.ts", generate: generateRoutePlaces },
];
