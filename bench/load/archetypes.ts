import type { StepKind } from "../../src/domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import {
  REVIEWER,
  advanced,
  archived,
  assigned,
  authored,
  calibrating,
  checked,
  checking,
  generated,
  generating,
  generationFailed,
  imported,
  moved,
  noted,
  reviewed,
  revised,
  sentBack,
  waived,
  written,
} from "./actions.ts";
import type { Template } from "./template.ts";
import type { Walk } from "./walk.ts";

/** A typical history that many tasks share. */
export interface Archetype {
  /** A predicate that completes "A task that …". */
  name: string;
  /** The number of tasks in every 1,000. */
  weight: number;
  template: Template;
}

/**
 * A tenant's tasks after half a year: a third is delivered, the rest is spread over all labels, and a tenth was revised
 * or sent back. The weights add up to 1,000.
 */
export const ARCHETYPES: readonly Archetype[] = [
  archetypeOf("DRAFT", 15, "is waiting for ingestion", () => written()),
  archetypeOf("DRAFT", 30, "is being written", () =>
    assigned(moved(at("authoring"), "running", 50)),
  ),
  archetypeOf("DRAFT", 15, "is waiting for its author", () =>
    moved(moved(at("authoring", 20), "running", 50), "awaiting_input", 90, "Which unit?"),
  ),
  archetypeOf("DRAFT", 10, "has its check cancelled", () =>
    moved(at("pre_qa"), "cancelled", 15, "The rules change tomorrow."),
  ),
  archetypeOf("DRAFT", 10, "is sent back to authoring", () =>
    sentBack(checked(at("pre_qa"), "failed"), "authoring"),
  ),

  archetypeOf("CHECKING_QUALITY", 15, "is waiting for its check", () => at("pre_qa")),
  archetypeOf("CHECKING_QUALITY", 25, "is being checked", () => {
    const walk = at("pre_qa");
    checking(walk);
    return walk;
  }),

  archetypeOf("QUALITY_CHECK_FAILED", 35, "failed its check", () =>
    checked(at("pre_qa"), "failed"),
  ),
  archetypeOf("QUALITY_CHECK_FAILED", 15, "failed its check and needs changes", () =>
    moved(checked(at("pre_qa", 50), "failed"), "changes_requested", 80, "Cite the lemma."),
  ),

  archetypeOf("READY_TO_SUBMIT", 25, "passed its check", () => checked(at("pre_qa"), "passed")),
  archetypeOf("READY_TO_SUBMIT", 10, "failed its check and was approved anyway", () =>
    moved(checked(at("pre_qa"), "failed"), "approved", 200, "The checker misread a table."),
  ),
  archetypeOf("READY_TO_SUBMIT", 5, "has its check waived", () => waived(at("pre_qa", 90))),

  archetypeOf("SUBMITTED", 20, "is waiting for its output", () =>
    advanced(checked(at("pre_qa"), "passed")),
  ),
  archetypeOf("SUBMITTED", 40, "is waiting for an expert", () => submitted()),

  archetypeOf("GENERATING_OUTPUT", 30, "is having its output generated", () => {
    const walk = at("output_generation", 10);
    generating(walk);
    return walk;
  }),

  archetypeOf("OUTPUT_FAILED", 20, "failed to generate output", () =>
    generationFailed(at("output_generation")),
  ),
  archetypeOf("OUTPUT_FAILED", 10, "failed to generate output twice", () =>
    generationFailed(moved(generationFailed(at("output_generation")), "queued", 40)),
  ),

  archetypeOf("IN_REVIEW", 60, "is in review", () => moved(submitted(), "in_review", 100)),
  archetypeOf("IN_REVIEW", 10, "is waiting for an answer to the expert", () =>
    moved(moved(submitted(50), "in_review", 100), "awaiting_input", 15, "Is n an integer?"),
  ),
  archetypeOf("IN_REVIEW", 20, "is in review in its second version", () =>
    moved(resubmitted(revised(submitted())), "in_review", 60),
  ),

  archetypeOf("CHANGES_REQUESTED", 35, "needs changes", () =>
    reviewed(moved(submitted(), "in_review", 40), "failed", "changes_requested"),
  ),
  archetypeOf("CHANGES_REQUESTED", 15, "needs changes again", () => {
    const first = reviewed(moved(submitted(), "in_review", 40), "failed", "changes_requested");
    const second = advanced(generated(sentBack(first, "output_generation")));
    return reviewed(moved(second, "in_review", 30), "failed", "changes_requested");
  }),

  archetypeOf("PASSED", 60, "was approved", () => approved(submitted())),
  archetypeOf("PASSED", 30, "is being calibrated", () => calibrating(approved(submitted(10)))),
  archetypeOf("PASSED", 20, "was approved in its second version", () =>
    approved(resubmitted(revised(submitted()))),
  ),
  archetypeOf("PASSED", 10, "failed delivery", () => {
    const delivering = moved(advanced(calibrated(approved(submitted(90)))), "running", 3);
    return moved(delivering, "failed", 20, "The receiver was away.");
  }),

  archetypeOf("DELIVERED", 180, "was delivered in its first version", () =>
    delivered(approved(submitted())),
  ),
  archetypeOf("DELIVERED", 60, "was written and delivered here", () => {
    const walk = authored(noted(assigned(written(10)), "From the spring collection."));
    return delivered(approved(resubmitted(walk)));
  }),
  archetypeOf("DELIVERED", 40, "was delivered in its second version", () =>
    delivered(approved(resubmitted(revised(approved(submitted()), REVIEWER)))),
  ),
  archetypeOf("DELIVERED", 40, "was delivered after a failed review", () => {
    const failed = reviewed(moved(submitted(), "in_review", 40), "failed", "changes_requested");
    return delivered(approved(moved(failed, "in_review", 300)));
  }),

  archetypeOf("REJECTED", 45, "was rejected", () =>
    reviewed(moved(submitted(), "in_review", 60), "failed", "rejected"),
  ),
  archetypeOf("REJECTED", 15, "was rejected and archived", () =>
    archived(moved(checked(at("pre_qa"), "failed"), "rejected", 300, "Out of scope.")),
  ),
  archetypeOf("DUPLICATE", 30, "is a duplicate", () =>
    moved(submitted(), "duplicate", 20, "The same as an earlier one."),
  ),
];

/** A task that was imported at this stage. */
function at(kind: StepKind, priority?: number): Walk {
  return imported({ kind, reason: "Moved from the old tracker." }, priority);
}

/** A task that has its output and is waiting for an expert. */
function submitted(priority?: number): Walk {
  return advanced(generated(at("output_generation", priority)));
}

/** Takes the task from a queued check to expert review. */
function resubmitted(walk: Walk): Walk {
  return advanced(generated(advanced(checked(walk, "passed"))));
}

function approved(walk: Walk): Walk {
  return reviewed(walk, "passed", "approved");
}

function calibrated(walk: Walk): Walk {
  return moved(moved(advanced(walk), "running", 30), "approved", 50);
}

function delivered(walk: Walk): Walk {
  return moved(moved(advanced(calibrated(walk)), "running", 3), "approved", 8);
}

function archetypeOf(
  label: UnifiedStatus,
  weight: number,
  name: string,
  simulate: () => Walk,
): Archetype {
  const template = simulate().template();
  if (template.label !== label) {
    throw new Error(`A task that ${name} is ${template.label}, not ${label}`);
  }
  return { name, weight, template };
}
