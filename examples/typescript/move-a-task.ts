import { StepledgerProblem } from "../../client/index.ts";
import { stepledger } from "./service.ts";

// Makes a task, asks for a move that is not lawful, and learns from the refusal which one is.
const task = await stepledger.createTask({
  body: { title: "Count the ducks", content: { instructions: "How many ducks are in the pond?" } },
});
console.log(`${task.title}: ${task.unifiedStatus}`);

const params = { stepId: task.currentStep.id };
try {
  await stepledger.transitionStep({ params, body: { status: "approved" } });
} catch (error) {
  if (!(error instanceof StepledgerProblem)) throw error;
  console.log(`${error.error}, allowed: ${error.allowed.join(", ")}`);
}

// Only while nobody else has touched the task since we saw it.
const moved = await stepledger.transitionStep({
  params,
  body: { status: "running", reason: "The ducks are here" },
  ifMatch: task.eventSeq,
});
console.log(`${moved.task.currentStep.status} after ${moved.task.eventSeq} events`);
