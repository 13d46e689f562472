import { stepledger } from "./service.ts";

// Records two trials of each of two models on one task, then compares the models.
const { id: task } = await stepledger.createTask({ body: { title: "What is 6 times 7?" } });
const name = "arithmetic";
const answers = [
  { model: "careful", k: 1, passed: true },
  { model: "careful", k: 2, passed: true },
  { model: "hasty", k: 1, passed: false },
  { model: "hasty", k: 2, passed: true },
];
const results = answers.map((answer) => ({ task, ...answer }));
// These are all the trials, so the same call completes the evaluation.
await stepledger.recordEvaluation({ body: { name, k: 2, results, complete: true } });

const { models } = await stepledger.summariseEvals({ query: { name } });
for (const { model, n, c, passAt } of models) {
  console.log(`${model}: ${c} of ${n} passed, pass@1 ${passAt["1"]}, pass@2 ${passAt["2"]}`);
}
