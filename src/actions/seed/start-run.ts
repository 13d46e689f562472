import type { JointDatabase, Operation } from "../../db/connection/client.ts";
import { findRecorded } from "../../db/ledger/recorded.ts";
import { insertSeedRun } from "../../db/seed/change-seed-runs.ts";
import { findSeedRunObstacles, type SeedRunRecord } from "../../db/seed/seed-runs.ts";
import {
  notADemo,
  type Outcome,
  refuse,
  seedRunOpen,
  succeed,
  validationFailed,
} from "../../domain/refusals.ts";
import type { SeedMix } from "../../domain/seed/mix.ts";
import { DAY_MS } from "../../domain/seed/office-hours.ts";
import { peopleOf } from "../../domain/seed/people.ts";
import { beginOf, teamsOf } from "../../domain/seed/settings.ts";
import type { SeedTexts } from "../../domain/seed/texts.ts";
import type { AdministrativeCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";
import { derivedOperation } from "../call/derived-operation.ts";
import { idsOf } from "../call/ids-of.ts";
import { replay } from "../call/replay.ts";
import { putPerson } from "../people/put-person.ts";
import { installTaxonomy } from "./install-taxonomy.ts";
import { personIdOf, subjectOf } from "./story-of-team.ts";

export interface NewStory {
  seed: number;
  tasks: number;
  /** When the story ends: by default now, or as soon as the tenant's clock allows. */
  anchor?: string | undefined;
  days: number;
  mix: SeedMix;
  speed: number;
}

/**
 * Starts a seed run: sets the tenant's clock to the beginning of the story, and enters its people and the starter taxonomy.
 * Nothing of the story is told yet. Refuses while another run is not over, and a story that would begin in the past of the
 * tenant's clock, which never falls. A repeat under the same key enters what an interrupted call did not.
 */
export async function startSeedRun(
  call: AdministrativeCall & { now: Date },
  story: NewStory,
  tools: { joint: JointDatabase; texts: SeedTexts },
): Promise<Outcome<Done<SeedRunRecord>>> {
  const begun = await beginStory(call, story);
  if (!begun.ok) return begun;
  const { value: run, replayed } = begun.value;
  const prepared = await prepare(call, { run, isRepeat: replayed }, tools);
  if (!prepared.ok) return prepared;
  const { id: runId, speed } = run;
  if (speed > 0) call.database.outgoing.seedRuns.push({ runId, delaySeconds: 0 });
  return begun;
}

async function beginStory(
  call: AdministrativeCall & { now: Date },
  story: NewStory,
): Promise<Outcome<Done<SeedRunRecord>>> {
  const { database, operation, actor } = call;
  const { isDemo, open, clock, stored } = await findSeedRunObstacles(database, operation);
  if (stored !== null) return replay(operation, stored, asStored<SeedRunRecord>);
  if (!isDemo) return refuse(notADemo());
  if (open !== null) return refuse(seedRunOpen(open));
  const earliest = clock === null ? null : secondFrom(clock) + story.days * DAY_MS;
  // A plan begins and ends at a whole second.
  const wanted = story.anchor === undefined ? call.now.getTime() : Date.parse(story.anchor);
  const second = Math.floor(wanted / 1000) * 1000;
  const anchor = story.anchor === undefined ? Math.max(second, earliest ?? 0) : second;
  if (earliest !== null && anchor < earliest) return refuse(tooEarly(earliest));

  const run = { ...story, id: idsOf(call)(), anchor: new Date(anchor).toISOString() };
  const begin = new Date(beginOf(run)).toISOString();
  const inserted = await insertSeedRun(database, { ...run, begin, createdBy: actor.id }, operation);
  return conclude(operation, inserted, {
    result: (row) => row.run,
    render: asStored,
    unwritten: async () => {
      // Another call was faster.
      const now = await findSeedRunObstacles(database);
      if (now.open !== null) return refuse(seedRunOpen(now.open));
      const earliestNow = secondFrom(now.clock ?? begin) + story.days * DAY_MS;
      return refuse(tooEarly(earliestNow));
    },
  });
}

/** Returns the first whole second that is not before a time of the database, in milliseconds since 1970. */
function secondFrom(time: string): number {
  const [second = "", fraction] = time.split(/[.Z]/);
  return Date.parse(`${second}Z`) + (Number(fraction) === 0 ? 0 : 1000);
}

function tooEarly(earliest: number) {
  const message = `The story would begin before what the tenant's clock shows. The earliest anchor is ${new Date(earliest).toISOString()}.`;
  return validationFailed({ path: ["anchor"], code: "too_early", message });
}

/** Enters the taxonomy and the people of a run. What an earlier call has entered stays as it is. */
async function prepare(
  call: AdministrativeCall,
  { run, isRepeat }: { run: SeedRunRecord; isRepeat: boolean },
  { joint, texts }: { joint: JointDatabase; texts: SeedTexts },
): Promise<Outcome<null>> {
  const operationOf = (what: string): Operation => derivedOperation(call.operation, run.id, what);
  const people = teamsOf(run).flatMap((team) =>
    peopleOf(run.seed, team.index, texts).map((person) => ({
      person,
      id: personIdOf(run, team, person),
    })),
  );
  const entries = [
    {
      operation: operationOf("taxonomy"),
      enter: (own: AdministrativeCall) => installTaxonomy(own, texts),
    },
    ...people.map(({ id, person: { name, email, role } }) => ({
      operation: operationOf(id),
      enter: (own: AdministrativeCall) =>
        putPerson(own, {
          id,
          subject: subjectOf(id),
          name,
          email,
          role,
          active: true,
          reason: REASON,
        }),
    })),
  ];
  const ids = entries.map(({ operation: { id } }) => id);
  const recorded = isRepeat ? await findRecorded(joint.at(null), ids) : new Set<string>();
  const entered = await Promise.all(
    entries
      .filter(({ operation: { id } }) => !recorded.has(id))
      .map(({ operation, enter }) => enter({ ...call, database: joint.at(null), operation })),
  );
  for (const outcome of entered) if (!outcome.ok) return outcome;
  return succeed(null);
}

const REASON = "Someone of a simulated team.";
