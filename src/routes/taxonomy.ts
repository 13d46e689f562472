import * as z from "zod";
import { putTaxonomyEntry } from "../actions/taxonomy/put-taxonomy-entry.ts";
import {
  listTaxonomy,
  listTaxonomyTrees,
  type TaxonomyFilter,
} from "../db/taxonomy/list-taxonomy.ts";
import { PARENT_LEVEL, TAXONOMY_MAX } from "../domain/taxonomy.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { answerPage } from "./http/paging.ts";
import { booleanText, type FilterQuery, page, paging, reason, safeText } from "./http/schemas.ts";
import { taxonomyCode } from "./shapes/task.ts";
import {
  domainTree,
  nested,
  taxonomyEntry,
  taxonomyLabel,
  taxonomyLevel,
  taxonomyPosition,
} from "./shapes/taxonomy.ts";

const TAGS = ["Taxonomy"] as const;

const counts = booleanText.optional().openapi({
  description:
    "`true` also returns the number of tasks with each code. By default, `tasks` is null.",
});

const archived = booleanText.default(false).openapi({
  description:
    "`true` returns the entries that are archived or below an archived one. By default, only the others are returned.",
});

const filterQuery = {
  q: safeText(100).min(1).optional().openapi({
    description:
      "Text that the code or the label contains, in any case. Use it to complete a code.",
  }),
  level: taxonomyLevel.optional(),
  parentCode: taxonomyCode.optional().openapi({
    description: "The entries directly below this one.",
  }),
  archived,
} satisfies FilterQuery<TaxonomyFilter>;

const listContract = defineContract({
  operationId: "listTaxonomy",
  method: "GET",
  path: "/taxonomy",
  summary: "List the taxonomy",
  description:
    "Returns the entries that match every given filter, in the order of the tree: each domain, followed by its categories with their difficulties. The taxonomy only proposes codes. A task can have any code.",
  tags: TAGS,
  role: "viewer",
  query: z.strictObject({ ...filterQuery, counts, ...paging }),
  response: { status: 200, description: "A page of entries.", schema: page(taxonomyEntry) },
  errors: ["invalid_cursor"],
});

const treeContract = defineContract({
  operationId: "getTaxonomyTree",
  method: "GET",
  path: "/taxonomy/tree",
  summary: "Retrieve the taxonomy as a tree",
  description: "Returns a page of domains, each with everything below it.",
  tags: TAGS,
  role: "viewer",
  query: z.strictObject({
    archived: booleanText.default(false).openapi({
      description:
        "`true` includes archived entries. By default, they and what is below them are left out.",
    }),
    counts,
    ...paging,
  }),
  response: { status: 200, description: "A page of domains.", schema: page(domainTree) },
  errors: ["invalid_cursor"],
});

const putContract = defineContract({
  operationId: "putTaxonomyEntry",
  method: "PUT",
  path: "/taxonomy/{code}",
  summary: "Create or update an entry of the taxonomy",
  description: `Sets everything about an entry; what is left out gets its default. A category needs a domain as its parent, and a difficulty a category. Returns 404 \`not_found\` if there is no such parent. The code and the level cannot change: 409 \`conflict\` if the code exists at another level, or if the taxonomy has ${TAXONOMY_MAX} entries. Entries are archived, never deleted. Tasks keep their codes. Entries below an archived one are not proposed either, until it is restored.`,
  tags: TAGS,
  role: "admin",
  params: z.strictObject({ code: taxonomyCode }),
  body: z
    .strictObject({
      label: taxonomyLabel,
      level: taxonomyLevel,
      parentCode: taxonomyCode.nullable().default(null),
      position: taxonomyPosition.default(0),
      archived: z.boolean().default(false),
      reason: reason.optional(),
    })
    .superRefine(({ level, parentCode }, context) => {
      const needed = PARENT_LEVEL[level];
      if ((needed === null) === (parentCode === null)) return;
      const code = needed === null ? "not_applicable" : "required";
      const message =
        needed === null ? "A domain has no parent." : `A ${level} needs a ${needed} as its parent.`;
      context.addIssue({ code: "custom", params: { code }, path: ["parentCode"], message });
    })
    .openapi("PutTaxonomyEntry"),
  example: { label: "Mathematics", level: "domain", position: 3 },
  response: { status: 201, description: "The new entry.", schema: taxonomyEntry },
  alternative: { status: 200, description: "The updated entry.", schema: taxonomyEntry },
  errors: ["not_found", "conflict", "operation_in_progress"],
});

const path = z.array(z.string()).min(1).max(3);

export const taxonomyRoutes: readonly Route[] = [
  createHandler(listContract, (call, { query }) => {
    const { limit, cursor, counts: withTasks = false, ...filter } = query;
    return answerPage(
      call,
      { limit, cursor },
      {
        operationId: listContract.operationId,
        filter,
        sort: "path",
        position: path,
        read: (after, rows) =>
          listTaxonomy(call.database, filter, { after, limit: rows, withTasks }),
        positionOf: (listed) => listed.path,
        itemOf: ({ entry }) => entry,
      },
    );
  }),
  createHandler(treeContract, (call, { query }) => {
    const { limit, cursor, counts: withTasks = false, ...filter } = query;
    return answerPage(
      call,
      { limit, cursor },
      {
        operationId: treeContract.operationId,
        filter,
        sort: "path",
        position: path,
        read: async (after, rows) =>
          nested(await listTaxonomyTrees(call.database, filter, { after, limit: rows, withTasks })),
        positionOf: (tree) => tree.path,
        itemOf: ({ domain }) => domain,
      },
    );
  }),
  createHandler(putContract, async (call, { params, body }) => {
    const outcome = await putTaxonomyEntry(call, { ...body, code: params.code });
    if (!outcome.ok) return outcome;
    const { value, replayed } = outcome.value;
    const { isNew, ...record } = value;
    return reply({ ...record, tasks: null }, { replayed, ...(!isNew && { status: 200 }) });
  }),
];
