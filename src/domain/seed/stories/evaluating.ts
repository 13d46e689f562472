import { DAY_MS, MINUTE_MS } from "../office-hours.ts";
import { type PlannedResult, SERVICE } from "../plan.ts";
import type { Chance } from "../random.ts";
import type { Process } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import type { Team } from "../team/team.ts";

const NIGHTLY = { name: "nightly", k: 3, slotBy: ["model", "agent"] } as const;
const MODELS_PER_NIGHT = 3;
/** The evaluation of a night begins one hour after midnight by UTC. */
const BEGINS_MS = 60 * MINUTE_MS;
const ERRORED_RATE = 0.03;
/** Some models are only scored. */
const SCORED_RATE = 0.2;

/** Every night, several models try the tasks that were approved since, each k times. One record holds a model's trials. */
export function* evaluateNightly(team: Team, everyone: readonly Life[]): Process {
  const { engine, options } = team;
  for (let day = Math.ceil(engine.now / DAY_MS); ; day += 1) {
    yield day * DAY_MS + BEGINS_MS;
    const lives = everyone.filter((life) => life.isEvaluable && life.lastAt < engine.now);
    if (lives.length === 0) continue;
    for (const life of lives) life.isEvaluable = false;
    const chance = options.streams(`evaluation of day ${day}`);
    const models = chance.shuffle(options.texts.models).slice(0, MODELS_PER_NIGHT);
    for (const [index, model] of models.entries()) {
      const maker = team.makerBy(chance, model);
      const skill = chance.between(-0.5, 1.5);
      const isScored = chance.isHit(SCORED_RATE);
      const results = lives.flatMap((life) => {
        const odds = skill - difficultyOf(life);
        return trialNumbers(NIGHTLY.k).map((k) => ({
          task: life.task,
          k,
          ...maker,
          ...resultOf(1 / (1 + Math.exp(-odds)), isScored, chance),
        }));
      });
      team.record(SERVICE, lives, {
        type: "recordEvaluation",
        ...NIGHTLY,
        complete: index === models.length - 1,
        results,
      });
      if (index === 0) {
        for (const life of lives) retractLater(life, results);
      }
      yield engine.now + (10 + chance.below(10)) * MINUTE_MS;
    }
  }
}

const trialNumbers = (k: number) => Array.from({ length: k }, (_, index) => index + 1);

const DIFFICULTY = { easy: -1, medium: 0, hard: 1 };

function difficultyOf(life: Life): number {
  return DIFFICULTY[life.subject.difficulty] + life.chance("difficulty").between(-1, 1);
}

function resultOf(
  probability: number,
  isScored: boolean,
  chance: Chance,
): Pick<PlannedResult, "passed" | "score" | "error" | "usage"> {
  const usage = { inputTokens: 200 + chance.below(4000), outputTokens: 50 + chance.below(3000) };
  if (chance.isHit(ERRORED_RATE)) return { error: "The model's endpoint answered 503", usage };
  const passed = chance.isHit(probability);
  const score =
    Math.round((passed ? chance.between(0.6, 1) : chance.between(0, 0.55)) * 1000) / 1000;
  return isScored ? { score, usage } : { passed, score, usage };
}

/** The lead finds on the next working day that a trial had the wrong input. */
function retractLater(life: Life, results: readonly PlannedResult[]): void {
  if (!life.role.traits.trialRetracted) return;
  const trial = results.find(({ task }) => task === life.task);
  if (trial === undefined) return;
  const { k, model, modelRevision, agent, agentRevision, provider } = trial;
  const chance = life.chance("retraction");
  const act = life.by(life.team.lead, chance.between(30, 300), {
    type: "retract",
    name: NIGHTLY.name,
    trial: { k, model, modelRevision, agent, agentRevision, provider },
    reason: life.note("trial_retracted", chance),
  });
  life.team.engine.start(life.team.engine.now, act);
}

/** A second evaluation by name, of one task: opened, run, scored and completed step by step. */
export function* scoreByRubric(life: Life, chance: Chance): Process {
  const key = life.key("eval");
  const k = 2;
  const { model, ...maker } = life.team.makerBy(chance);
  yield* life.byService(1, { type: "eval", eval: key, name: "rubric", k, slotBy: ["model"] });
  for (const status of ["queued", "running"] as const) {
    yield* life.byService(0.2, { type: "moveEval", eval: key, status });
  }
  const trials = trialNumbers(k).map((trial) => ({
    k: trial,
    model,
    ...maker,
    score: Math.round(chance.between(0.2, 1) * 100) / 100,
  }));
  yield* life.byService(chance.between(3, 15), { type: "trials", eval: key, trials });
  yield* life.byService(0.1, { type: "moveEval", eval: key, status: "completed" });
}
