import { type PlannedAct, SERVICE } from "../plan.ts";
import type { Chance, Streams } from "../random.ts";
import { SEED_STAGES } from "../stages.ts";
import type { StepKind } from "../../lifecycle/statuses.ts";
import type { Maker } from "../../maker.ts";
import type { SeedTexts } from "../texts.ts";
import { ReviewDesk } from "./desk.ts";
import type { Colleague } from "./colleague.ts";
import { Engine } from "./engine.ts";
import { type Night, Outage } from "./outage.ts";
import type { StoryTask } from "./story-task.ts";

/** An action whose time is still a number. */
export interface TimedAction {
  at: number;
  actor: string;
  tasks: readonly number[];
  act: PlannedAct;
}

export interface TeamOptions {
  people: readonly Colleague[];
  texts: SeedTexts;
  streams: Streams;
  from: number;
  anchor: number;
  /** How long work takes, as a share of what the registry of stages says. */
  pace: { people: number; workers: number };
  /** When the checker is down. */
  outage: Night | null;
}

/** A model with whatever else is known of a maker. */
type MakerOfModel = Maker & { model: string };

/** The world of a story: its people, its clock, and everything that was done. */
export class Team {
  readonly engine: Engine;
  readonly desk: ReviewDesk;
  readonly outage: Outage;
  readonly authors: readonly Colleague[];
  readonly lead: Colleague;
  readonly actions: TimedAction[] = [];
  readonly options: TeamOptions;

  constructor(options: TeamOptions) {
    const { people } = options;
    const lead = people.find(({ duty }) => duty === "lead");
    if (lead === undefined) throw new Error("A team has a lead");
    this.options = options;
    this.lead = lead;
    this.authors = people.filter(({ duty }) => duty === "author");
    this.engine = new Engine(options.from);
    this.desk = new ReviewDesk(
      this.engine,
      people.filter(({ duty }) => duty === "reviewer"),
    );
    this.outage = new Outage(options.outage);
  }

  /** Records what an actor does now to tasks. */
  record(actor: Colleague | typeof SERVICE, lives: readonly StoryTask[], act: PlannedAct): void {
    const { now } = this.engine;
    for (const life of lives) life.lastAt = now;
    const tasks = lives.map(({ task }) => task);
    this.actions.push({ at: now, actor: actor === SERVICE ? actor : actor.key, tasks, act });
  }

  /** Returns how many minutes work at a stage takes. */
  minutesAt(kind: StepKind, chance: Chance, share = 1): number {
    const stage = SEED_STAGES.find((one) => one.kind === kind);
    if (stage === undefined) throw new Error("Every stage has a pace");
    const { pace } = this.options;
    const isOfPeople = kind === "authoring" || kind === "expert_review" || kind === "ingestion";
    return chance.minutes(stage.pace) * share * (isOfPeople ? pace.people : pace.workers);
  }

  /** Returns a model with an agent, in the revision that is current at this time of the story. */
  makerBy(chance: Chance, model = chance.pick(this.options.texts.models)): MakerOfModel {
    const { from, anchor } = this.options;
    const passed = Math.min(0.999, (this.engine.now - from) / (anchor - from));
    const revision = model.revisions[Math.floor(passed * model.revisions.length)] ?? null;
    return {
      model: model.model,
      modelRevision: revision,
      agent: chance.pick(model.agents),
      agentRevision: null,
      provider: model.provider,
    };
  }
}
