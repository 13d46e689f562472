import { StepledgerProblem } from "../../client/index.ts";
import { stepledger } from "./service.ts";

// Creates a task, tries an invalid move, and reads from the error which moves are allowed.
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

// `ifMatch` makes the move conditional: it fails if the task has changed since it was created.
const moved = await stepledger.transitionStep({
  params,
  body: { status: "running", reason: "The ducks have arrived" },
  ifMatch: task.eventSeq,
});
console.log(`${moved.task.currentStep.status} after ${moved.task.eventSeq} events`);
