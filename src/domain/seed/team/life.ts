import type { RunState, WorkerType } from "../../lifecycle/statuses.ts";
import type { TaskFields } from "../../lifecycle/snapshot.ts";
import { MINUTE_MS } from "../office-hours.ts";
import { type PlannedAct, SERVICE } from "../plan.ts";
import type { Chance } from "../random.ts";
import type { NoteTopic } from "../texts.ts";
import { noteOn, type Subject, subjectOf } from "../words.ts";
import type { Colleague } from "./colleague.ts";
import type { Process } from "./engine.ts";
import type { Role } from "./roles.ts";
import type { StoryTask } from "./story-task.ts";
import type { Team } from "./team.ts";

const SECOND_MS = 1000;

type MoveOfLife = Extract<PlannedAct, { type: "move" }>["command"];

/** The course of one task. */
export class Life implements StoryTask {
  readonly team: Team;
  readonly task: number;
  readonly role: Role;
  readonly subject: Subject;
  /** The task that it duplicates in the end. */
  readonly original: Life | null;
  fields: TaskFields;
  lastAt = 0;
  /** Nothing happens to the task before this time, because a bulk change has it. */
  frozenUntil = 0;
  /** No bulk change takes the task now: two of its actions belong together. */
  isGuarded = false;
  /** It was approved by an expert, and has not been delivered. */
  isPassed = false;
  /** A duplicate names it, so nothing may reject it even for a moment. */
  isOriginal = false;
  /** An expert has approved it, and no model has tried it. */
  isEvaluable = false;
  /** The newest data of each kind. */
  readonly newest = new Map<string, string>();
  private readonly counts = new Map<string, number>();

  constructor(team: Team, of: { task: number; role: Role; original: Life | null }) {
    this.team = team;
    this.task = of.task;
    this.role = of.role;
    this.original = of.original;
    if (of.original) of.original.isOriginal = true;
    const { language } = of.role.author;
    const original = of.original?.subject;
    const chance = this.chance("subject");
    this.subject = subjectOf(team.options.texts, { language, original }, chance);
    this.fields = {
      title: this.subject.title,
      externalId: null,
      taxonomyCode: `${this.subject.category}.${this.subject.difficulty}`,
      priority: chance.weighted([
        [0, 6],
        [20, 2],
        [50, 1],
      ]),
      assignee: chance.isHit(0.75) ? of.role.author.name : null,
    };
  }

  /** Returns the task's own stream for a purpose. */
  chance(purpose: string): Chance {
    return this.team.options.streams(`task ${this.task}: ${purpose}`);
  }

  /** Returns the next key of a kind of thing, unique in the team. */
  key(kind: string): string {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    return `task-${this.task + 1}-${kind}-${count}`;
  }

  note(topic: NoteTopic, chance: Chance): string {
    return noteOn(this.team.options.texts, { topic, language: this.subject.language }, chance);
  }

  /** Does something after so many minutes of someone's working time. */
  *by(who: Colleague, minutes: number, act: PlannedAct): Process {
    const { engine } = this.team;
    yield who.calendar.addWorkingMinutes(Math.max(engine.now, this.nextAt()), minutes);
    while (engine.now < this.nextAt()) yield who.calendar.addWorkingMinutes(this.nextAt(), 0);
    this.team.record(who, [this], act);
  }

  *move(who: Colleague, minutes: number, command: MoveOfLife): Process {
    yield* this.by(who, minutes, { type: "move", command });
  }

  /** Lets a worker do something after so many minutes, at any time of the day. */
  *byService(minutes: number, act: PlannedAct): Process {
    const { engine } = this.team;
    yield engine.now + Math.round((minutes * MINUTE_MS) / SECOND_MS) * SECOND_MS;
    while (engine.now < this.nextAt()) yield this.nextAt();
    this.team.record(SERVICE, [this], act);
  }

  *advance(hold = false): Process {
    const command: MoveOfLife = { type: "advance", ...(hold && { hold }) };
    yield* this.byService(0.1, { type: "move", command });
  }

  *report(
    minutes: number,
    run: string,
    state: RunState,
    more: Pick<Extract<PlannedAct, { type: "report" }>, "verdict" | "result" | "error"> = {},
  ): Process {
    yield* this.byService(minutes, { type: "report", run, state, ...more });
  }

  /** Creates a run and lets it begin. */
  *startRun(worker: WorkerType, chance: Chance, run: string): Process {
    yield* this.byService(chance.between(0.3, 2), { type: "startRun", run, worker });
    yield* this.report(chance.between(0.1, 0.5), run, "RUNNING");
  }

  private nextAt(): number {
    return Math.max(this.lastAt + SECOND_MS, this.frozenUntil);
  }
}
