import { stepledger } from "./service.ts";

// Records two trials of two models on a task, and asks how the models compare.
const { id: task } = await stepledger.createTask({ body: { title: "What is 6 times 7?" } });
const name = "arithmetic";
const answers = [
  { model: "careful", k: 1, passed: true },
  { model: "careful", k: 2, passed: true },
  { model: "hasty", k: 1, passed: false },
  { model: "hasty", k: 2, passed: true },
];
const results = answers.map((answer) => ({ task, ...answer }));
// All trials are in with these, so that the evaluation is completed by the same call.
await stepledger.recordEvaluation({ body: { name, k: 2, results, complete: true } });

const { models } = await stepledger.summariseEvals({ query: { name } });
for (const { model, n, c, passAt } of models) {
  console.log(`${model}: ${c} of ${n} passed, pass@1 ${passAt["1"]}, pass@2 ${passAt["2"]}`);
}
