import * as z from "zod";
import { advanceSeedRun } from "../actions/seed/advance-run.ts";
import { deleteSeedRun } from "../actions/seed/delete-run.ts";
import { startSeedRun } from "../actions/seed/start-run.ts";
import { ROUND_TRIPS_MAX, workOnRun } from "../actions/seed/work-on-run.ts";
import { isSeedRunDone, seedRunView } from "../actions/views/seed-run-view.ts";
import {
  countSeedRun,
  findSeedRun,
  listSeedRuns,
  type SeedRunRecord,
} from "../db/seed/seed-runs.ts";
import { DatabaseUnavailable } from "../db/connection/faults.ts";
import { notFound, refuse } from "../domain/refusals.ts";
import { SEED_DAYS_DEFAULT, SEED_DAYS_MAX, SEED_DAYS_MIN } from "../domain/seed/settings.ts";
import { loadSeedTexts } from "../storage/seed-texts.ts";
import { type Answer, type Call, reply, replyTo, takeTurn } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { answerPage } from "./http/paging.ts";
import { page, paging, time, uuid } from "./http/schemas.ts";
import { TurnsTaken } from "./http/turns.ts";
import { newSeedMix, seedRun, seedSpeed } from "./shapes/seed-run.ts";
import { unifiedStatus } from "./shapes/task.ts";

/** What the contracts of this file share. */
const inDemos = { tags: ["Demo tenants"], demoOnly: true } as const;

/** The largest value of the column. */
const SEED_MAX = 2_147_483_647;

/** 20 teams. Each slice plans all of them, one after another, and the whole story is 20 times the work of a team. */
const TASKS_MAX = 20_000;

const ANCHOR = { min: "2000-01-01T00:00:00Z", end: "2100-01-01T00:00:00Z" };

const postRun = defineContract({
  ...inDemos,
  operationId: "startSeedRun",
  method: "POST",
  path: "/seed/runs",
  summary: "Start a seed run",
  description: `Starts a story of simulated people and workers, sets the tenant's clock to its beginning, and enters its people and the starter taxonomy. Everything that happens follows from \`seed\`, \`tasks\`, \`anchor\`, \`days\` and \`mix\`. Nothing of it is applied yet: use \`POST /v1/seed/runs/{runId}/advance\`, or a \`speed\`. Returns 409 \`conflict\` with the run that is not over, if there is one, and 400 \`validation_failed\` with the code \`too_early\` if the story would begin before what the tenant's clock shows, which never falls.`,
  role: "admin",
  body: z
    .strictObject({
      seed: z.int().min(0).max(SEED_MAX),
      tasks: z.int().min(1).max(TASKS_MAX),
      anchor: time
        .refine(
          (anchor) =>
            Date.parse(anchor) >= Date.parse(ANCHOR.min) &&
            Date.parse(anchor) < Date.parse(ANCHOR.end),
          "Must be from 2000 to 2099.",
        )
        .optional()
        .openapi({
          description:
            "When the story ends, to the second. By default now, or as early as the tenant's clock allows.",
        }),
      days: z.int().min(SEED_DAYS_MIN).max(SEED_DAYS_MAX).default(SEED_DAYS_DEFAULT).openapi({
        description: "How many days the story lasts.",
      }),
      speed: seedSpeed.default(0),
      mix: newSeedMix,
    })
    .openapi("StartSeedRun"),
  example: { seed: 1, tasks: 20, days: 14 },
  response: { status: 201, description: "The run.", schema: seedRun, headers: ["Location"] },
  errors: ["conflict"],
  idempotency: "optional",
});

const getRuns = defineContract({
  ...inDemos,
  operationId: "listSeedRuns",
  method: "GET",
  path: "/seed/runs",
  summary: "List seed runs",
  description: "Returns the runs of the tenant, newest first, including those that are over.",
  role: "viewer",
  query: z.strictObject(paging),
  response: { status: 200, description: "A page of runs.", schema: page(seedRun) },
  errors: ["invalid_cursor"],
});

const ofRun = {
  ...inDemos,
  params: z.strictObject({ runId: uuid }),
} as const;

const count = z.int().min(0);

const getRun = defineContract({
  ...ofRun,
  operationId: "getSeedRun",
  method: "GET",
  path: "/seed/runs/{runId}",
  summary: "Retrieve a seed run",
  description: "Returns the run with its progress, and with the counts of its tasks.",
  role: "viewer",
  response: {
    status: 200,
    description: "The run.",
    schema: seedRun
      .extend({
        counts: z.strictObject({
          created: count.openapi({ description: "The tasks that the story has created so far." }),
          archived: count.openapi({ description: "Those of them that are archived." }),
          byUnifiedStatus: z.partialRecord(unifiedStatus, count).openapi({
            description: "How many of the others have each label. A label that none has is absent.",
          }),
        }),
      })
      .openapi("CountedSeedRun"),
  },
  errors: ["not_found"],
});

const done = (what: string) => ({ status: 200, description: what, schema: seedRun }) as const;
/** The answer if the queue goes on with the work. */
const accepted = {
  status: 202,
  description: "The run. The rest is done in the background: `GET /v1/seed/runs/{runId}` shows it.",
  schema: seedRun,
  headers: ["Retry-After"],
} as const;

/** In how many seconds to look at a run again that the queue works on. */
const LOOK_AGAIN = { "retry-after": "5" };

const postAdvance = defineContract({
  ...ofRun,
  operationId: "advanceSeedRun",
  method: "POST",
  path: "/seed/runs/{runId}/advance",
  summary: "Advance a seed run",
  description:
    "Applies the story up to a time, or by some seconds more, to its end at most. Returns 200 if all of that is applied, and 202 if it goes on in the background. `speed` changes the speed from now on: 0 pauses the run. Returns 400 `validation_failed` with the code `too_early` for a time before the run's `clock`, and 409 `conflict` if the run is over.",
  role: "admin",
  body: z
    .strictObject({
      to: time.optional().openapi({ description: "A simulated time." }),
      by: z
        .int()
        .min(1)
        .max(SEED_DAYS_MAX * 24 * 60 * 60)
        .optional()
        .openapi({ description: "Simulated seconds, from the run's `wantedUntil`." }),
      speed: seedSpeed.optional(),
    })
    .refine(({ to, by, speed }) => [to, by, speed].some((given) => given !== undefined), {
      error: "Set to, by, or speed.",
    })
    .refine(({ to, by }) => to === undefined || by === undefined, {
      error: "Set to or by, but not both.",
    })
    .openapi("AdvanceSeedRun"),
  example: { by: 3600 },
  response: done("The run."),
  alternative: accepted,
  errors: ["not_found", "conflict"],
  idempotency: "optional",
});

const deleteRun = defineContract({
  ...ofRun,
  operationId: "deleteSeedRun",
  method: "DELETE",
  path: "/seed/runs/{runId}",
  summary: "Delete a seed run",
  description:
    "Ends the story where it is and archives the tasks of the run. Nothing deletes history. Returns 200 if all of them are archived, and 202 if that goes on in the background. A run that is over can only be deleted while no other run is open: 409 `conflict`.",
  role: "admin",
  response: done("The run."),
  alternative: accepted,
  errors: ["not_found", "conflict", "operation_in_progress"],
});

/**
 * Works on a run within the request, as far as its budget allows, and returns the run as it is then. What is wanted is
 * stored, so a message or the sweep resumes the work if the client disconnects, if too many stories are told at once, or if the database
 * stops answering.
 */
async function work(call: Call, runId: string): Promise<SeedRunRecord | undefined> {
  const { database, tenantId, requestId, settings } = call;
  const texts = await loadSeedTexts(settings.assets);
  try {
    await takeTurn(call, "stories", () =>
      workOnRun(
        { database: { jointly: () => database.jointly() }, texts, requestId },
        { tenantId, runId },
        { roundTripsMax: ROUND_TRIPS_MAX },
      ),
    );
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable || error instanceof TurnsTaken)) throw error;
    // Later than the lease of what was interrupted.
    database.outgoing.seedRuns.push({ runId, delaySeconds: INTERRUPTED_SECONDS });
  }
  return (await findSeedRun(database, runId)).found;
}

const INTERRUPTED_SECONDS = 90;

async function answerWork(
  call: Call,
  runId: string,
  { replayed }: { replayed: boolean },
): Promise<Answer<z.input<typeof seedRun>>> {
  const run = await work(call, runId);
  if (run === undefined) return refuse(notFound());
  return isSeedRunDone(run)
    ? reply(seedRunView(run), { status: 200, replayed })
    : reply(seedRunView(run), { status: 202, replayed, headers: LOOK_AGAIN });
}

export const seedRunRoutes: readonly Route[] = [
  createHandler(postRun, async (call, { body }) => {
    const { database, settings } = call;
    const texts = await loadSeedTexts(settings.assets);
    const started = await startSeedRun(call, body, { joint: await database.jointly(), texts });
    if (!started.ok) return started;
    const { value, replayed } = started.value;
    return replyTo({ ok: true, value: { value: seedRunView(value), replayed } }, ({ id }) => ({
      headers: { location: `/v1/seed/runs/${id}` },
    }));
  }),
  createHandler(getRuns, (call, { query }) =>
    answerPage(call, query, {
      operationId: getRuns.operationId,
      filter: null,
      sort: "-id",
      position: uuid,
      read: (after, limit) => listSeedRuns(call.database, { after, limit }),
      positionOf: ({ id }) => id,
      itemOf: seedRunView,
    }),
  ),
  createHandler(getRun, async ({ database }, { params }) => {
    const found = await countSeedRun(database, params.runId);
    if (found === undefined) return refuse(notFound());
    return reply({ ...seedRunView(found.run), counts: found.counts });
  }),
  createHandler(postAdvance, async (call, { params: { runId }, body: { to, by, speed } }) => {
    const wanted = await advanceSeedRun(call, { runId, until: to, bySeconds: by, speed });
    return wanted.ok ? answerWork(call, runId, wanted.value) : wanted;
  }),
  createHandler(deleteRun, async (call, { params: { runId } }) => {
    const begun = await deleteSeedRun(call, runId);
    return begun.ok ? answerWork(call, runId, begun.value) : begun;
  }),
];
