import type { JointDatabase } from "../../../db/connection/client.ts";
import type { PlannedAction } from "../../../domain/seed/plan.ts";
import { identityOf } from "../../../domain/person.ts";
import type { ActionCall } from "../../call/call.ts";
import { operationOf } from "../seed-work.ts";
import type { StoryActor, TeamStory } from "../story-of-team.ts";

/** Where actions of a story are applied. */
export interface Stage {
  runId: string;
  joint: JointDatabase;
  requestId: string;
  story: TeamStory;
}

/** A call of an action in the name of someone of a story. It has what every action may ask of its caller. */
export interface StoryCall extends ActionCall {
  ifMatch: null;
  credentialName: string;
  identity: string;
  personId: string | null;
}

/** Returns the call of an action by itself. */
export function callFor(stage: Stage, action: PlannedAction): StoryCall {
  return build(stage, action, { id: stage.story.operationId(action), actions: [action] });
}

/**
 * Returns a call that carries out actions of one actor together. `name` distinguishes it from other calls that begin with the
 * same action.
 */
export function callForAll(
  stage: Stage,
  name: string,
  actions: readonly [PlannedAction, ...PlannedAction[]],
): StoryCall {
  const [first] = actions;
  return build(stage, first, { id: stage.story.operationId(first, name), actions });
}

function build(
  { story, joint, requestId, runId }: Stage,
  first: PlannedAction,
  { id, actions }: { id: string; actions: readonly PlannedAction[] },
): StoryCall {
  const makers = actions.map(story.newIdOf);
  return {
    ...callerOf(story.actors.get(first.actor)),
    database: joint.at(first.at),
    requestId,
    operation: operationOf(runId, id),
    newId: (item, number) => {
      const make = makers[item];
      if (make === undefined)
        throw new Error("A call made an id for an item that it does not have");
      return make(number);
    },
  };
}

function callerOf(found: StoryActor | undefined) {
  if (found === undefined) throw new Error("The plan has an actor who is not in the team");
  const { actor, personId } = found;
  const credentialName = `simulated:${actor.id}`;
  return {
    actor,
    personId,
    credentialName,
    identity: identityOf(credentialName, personId),
    ifMatch: null,
  };
}

/** How many actions of a batch took effect, and how many were refused. */
export interface Applied {
  applied: number;
  refused: number;
}
