import type { PlannedAction, TeamPlan } from "../../domain/seed/plan.ts";
import { planTeam } from "../../domain/seed/plan-team.ts";
import type { SeedPerson } from "../../domain/seed/people.ts";
import { beginOf, type SeedSettings, type SeedTeam, teamsOf } from "../../domain/seed/settings.ts";
import type { SeedTexts } from "../../domain/seed/texts.ts";
import type { Actor } from "../../domain/actor.ts";
import { SERVICE } from "../../domain/seed/plan.ts";
import { derivedId } from "../call/derived-id.ts";

/** A run whose story is told. */
export interface ToldRun extends SeedSettings {
  id: string;
}

/** Who acts, as the actions need to know it. */
export interface StoryActor {
  actor: Actor;
  personId: string | null;
}

/**
 * The plan of one team, with the ids of everything in it. All ids follow from the run and the plan, so none is stored, and
 * a part that is told again has the same ones.
 */
export interface TeamStory {
  plan: TeamPlan;
  actors: ReadonlyMap<string, StoryActor>;
  /** The id of a task, by its number. */
  taskId: (task: number) => string;
  /** The id of what the plan names by a key: a run, a review, a prompt, data, an eval, or a bulk operation. */
  idOf: (key: string) => string;
  /** The id of the operation of an action by itself, or of a call that begins with the action. */
  operationId: (action: PlannedAction, call?: string) => string;
  /** Makes the ids of what an action creates. */
  newIdOf: (action: PlannedAction) => (number: number) => string;
}

export function storyOfTeam(run: ToldRun, team: SeedTeam, texts: SeedTexts): TeamStory {
  const plan = planTeam(run, team, texts);
  const prefix = `${run.id} team ${team.index}`;
  // The times of a task's actions differ, so its first task and its time identify an action, even a part of it.
  const nameOf = ({ tasks, at }: PlannedAction) => `${prefix} ${tasks[0]} ${at}`;
  const made = (action: PlannedAction, number: number) =>
    derivedId(`${nameOf(action)} ${number}`, Date.parse(action.at));
  const operationId = (action: PlannedAction, call = "alone") =>
    derivedId(`${nameOf(action)} operation ${call}`, Date.parse(action.at));
  const taskIds = new Map<number, string>();
  const ids = new Map<string, string>();
  for (const action of plan.actions) {
    const { act, tasks } = action;
    const [task] = tasks;
    if (act.type === "create" && task !== undefined) taskIds.set(task, made(action, 0));
    const key = keyOf(act);
    if (key !== null) ids.set(key, act.type === "bulk" ? operationId(action) : made(action, 0));
  }
  return {
    plan,
    actors: new Map(
      plan.people.map((person) => [person.key, actorOf(person, personIdOf(run, team, person))]),
    ).set(SERVICE, WORKERS),
    taskId: (task) => found(taskIds.get(task), `task ${task}`),
    idOf: (key) => found(ids.get(key), key),
    operationId,
    newIdOf: (action) => (number) => made(action, number),
  };
}

/** Returns the id of a simulated person. */
export function personIdOf(
  run: Pick<ToldRun, "id" | "anchor" | "days">,
  team: Pick<SeedTeam, "index">,
  { key }: Pick<SeedPerson, "key">,
): string {
  return derivedId(`${run.id} team ${team.index} ${key}`, beginOf(run));
}

/** The subject of a simulated person: what a token would name. No issuer has such subjects, so no one signs in as one. */
export const subjectOf = (personId: string): string => `simulated:${personId}`;

function actorOf({ name, role }: SeedPerson, personId: string): StoryActor {
  return { actor: { id: subjectOf(personId), name, kind: "person", role }, personId };
}

const WORKERS: StoryActor = {
  actor: { id: "simulated-workers", name: "Simulated workers", kind: "service", role: "service" },
  personId: null,
};

/** Returns the key that an act gives to what it creates; null if it gives none. */
function keyOf(act: PlannedAction["act"]): string | null {
  switch (act.type) {
    case "review":
      return act.review;
    case "startRun":
      return act.run;
    case "prompt":
      return act.prompt;
    case "data":
      return act.data;
    case "eval":
      return act.eval;
    case "bulk":
      return act.bulk;
    default:
      return null;
  }
}

function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`The plan has no ${what}`);
  return value;
}

/** The story of the latest team, because a slice is applied in several pieces of work. */
let latest: { name: string; story: TeamStory } | undefined;

/** Returns the story of a team of a run. The latest one is kept. */
export function storyOf(run: ToldRun, index: number, texts: SeedTexts): TeamStory {
  const { id, seed, tasks, anchor, days, mix } = run;
  const name = JSON.stringify([id, index, seed, tasks, anchor, days, mix]);
  if (latest?.name === name) return latest.story;
  const team = teamsOf(run)[index];
  const story = storyOfTeam(run, found(team, `team ${index}`), texts);
  latest = { name, story };
  return story;
}
