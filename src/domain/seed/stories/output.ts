import type { Chance } from "../random.ts";
import type { Process } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import { stubOf } from "./data.ts";
import type { Passage } from "./writing.ts";

const CRASHES = [
  "Out of memory after 41 of 64 batches",
  "The model's endpoint answered 503 three times",
  "Timed out while waiting for a GPU",
  "The answer was cut off at the token limit",
];

/** A model generates the output, after as many attempts as it needs. Returns whether the task goes on. */
export function* generateOutput(life: Life, round: number): Passage {
  const { traits, author } = life.role;
  const chance = life.chance(`output ${round}`);
  const isFirst = round === 1;
  if (isFirst && traits.outputFails) {
    const run = life.key("output");
    yield* life.startRun("OUTPUT_GENERATION", chance, run);
    const minutes = life.team.minutesAt("output_generation", chance, 0.5);
    yield* life.report(minutes, run, "FAILED", { error: chance.pick(CRASHES) });
    if (traits.stall === "output_failed") return false;
    yield* life.move(author, chance.between(5, 120), { type: "transition", status: "queued" });
  }
  yield* runOutput(life, { isHeld: isFirst && traits.held, chance });
  yield* life.advance(isFirst && traits.stall === "submitted");
  return !(isFirst && traits.stall === "submitted");
}

/** One run that succeeds. If the task is held meanwhile, its report takes effect when the hold ends. */
function* runOutput(life: Life, { isHeld, chance }: { isHeld: boolean; chance: Chance }): Process {
  const { team, role } = life;
  const { prompts } = team.options.texts;
  const { language, content } = life.subject;
  const run = life.key("output");
  yield* life.startRun("OUTPUT_GENERATION", chance, run);
  const maker = team.makerBy(chance);
  const isLogged = chance.isHit(0.6);
  if (isLogged) {
    const user = `${chance.pick(prompts.user[language])}\n\n${content.brief ?? ""}`;
    const system = chance.pick(prompts.system[language]);
    const asked = [
      { role: "system", content: system },
      { role: "user", content: user },
    ];
    for (const prompt of asked) {
      const key = life.key("prompt");
      yield* life.byService(0.1, { type: "prompt", prompt: key, maker, ...prompt });
    }
  }
  const minutes = team.minutesAt("output_generation", chance);
  if (isHeld) {
    const reason = life.note("blocked", chance);
    yield* life.move(role.author, chance.between(1, 20), { type: "gate", gate: "blocked", reason });
  }
  let answer: string | undefined;
  if (isLogged) {
    answer = life.key("prompt");
    const text = chance.pick(prompts.assistant[language]);
    const spoken = { role: "assistant", content: text, maker };
    yield* life.byService(minutes, { type: "prompt", prompt: answer, ...spoken });
  }
  const result = { tokens: 300 + chance.below(6000) };
  yield* life.report(isLogged ? 0.2 : minutes, run, "SUCCEEDED", { result });
  const by = { maker, ...(answer !== undefined && { prompt: answer }) };
  yield* life.byService(0.1, stubOf(life, "generated", chance, by));
  if (isHeld) {
    // The gate of a running step. Setting it ends the hold.
    const reason = life.note("released", chance);
    yield* life.move(role.author, chance.between(60, 400), {
      type: "gate",
      gate: "pending",
      reason,
    });
  }
}
