import type {
  GateState,
  StatusRelevantWorkerType,
  StepKind,
  StepStatus,
} from "../lifecycle/statuses.ts";
import type { UnifiedStatus } from "./unified.ts";

/**
 * One rule of the resolver. A null condition always holds. Two interpreters read the rules: `resolve`, and the compiler
 * of the SQL function (db/tasks/label-sql.ts). A new kind of condition must be added to both.
 */
export interface ResolverRule {
  number: number;
  kinds: readonly StepKind[] | null;
  statuses: readonly StepStatus[] | null;
  /** The gate of the step; if the step is held, the one that it would have without the hold. */
  gates: readonly GateState[] | null;
  /** `failed`: a review of the current step failed, and no review with a higher sequence passed. */
  reviewStanding: "failed" | null;
  /** A run of this type is RUNNING on the current step. */
  runningWorker: StatusRelevantWorkerType | null;
  label: UnifiedStatus;
}

const ANY = {
  kinds: null,
  statuses: null,
  gates: null,
  reviewStanding: null,
  runningWorker: null,
} as const;

/** The rules of the resolver. The first rule whose conditions all hold gives the label. The last rule always matches. */
export const RESOLVER_RULES: readonly ResolverRule[] = [
  { ...ANY, number: 1, statuses: ["duplicate"], label: "DUPLICATE" },
  { ...ANY, number: 2, statuses: ["rejected"], label: "REJECTED" },
  { ...ANY, number: 3, kinds: ["delivery"], statuses: ["approved"], label: "DELIVERED" },
  { ...ANY, number: 4, kinds: ["calibration", "delivery"], label: "PASSED" },
  { ...ANY, number: 5, kinds: ["expert_review"], statuses: ["approved"], label: "PASSED" },
  {
    ...ANY,
    number: 6,
    kinds: ["expert_review"],
    statuses: ["changes_requested"],
    label: "CHANGES_REQUESTED",
  },
  {
    ...ANY,
    number: 7,
    kinds: ["expert_review"],
    statuses: ["queued"],
    runningWorker: "EXPERT_REVIEW",
    label: "IN_REVIEW",
  },
  {
    ...ANY,
    number: 8,
    kinds: ["expert_review"],
    statuses: ["pending", "queued"],
    label: "SUBMITTED",
  },
  { ...ANY, number: 9, kinds: ["expert_review"], label: "IN_REVIEW" },
  {
    ...ANY,
    number: 10,
    kinds: ["output_generation"],
    statuses: ["running"],
    label: "GENERATING_OUTPUT",
  },
  {
    ...ANY,
    number: 11,
    kinds: ["output_generation"],
    runningWorker: "OUTPUT_GENERATION",
    label: "GENERATING_OUTPUT",
  },
  {
    ...ANY,
    number: 12,
    kinds: ["output_generation"],
    statuses: ["failed", "cancelled"],
    label: "OUTPUT_FAILED",
  },
  { ...ANY, number: 13, kinds: ["output_generation"], label: "SUBMITTED" },
  { ...ANY, number: 14, kinds: ["pre_qa"], gates: ["waived"], label: "READY_TO_SUBMIT" },
  {
    ...ANY,
    number: 15,
    kinds: ["pre_qa"],
    reviewStanding: "failed",
    label: "QUALITY_CHECK_FAILED",
  },
  { ...ANY, number: 16, runningWorker: "QUALITY_AUTOMATION", label: "CHECKING_QUALITY" },
  { ...ANY, number: 17, kinds: ["pre_qa"], statuses: ["approved"], label: "READY_TO_SUBMIT" },
  {
    ...ANY,
    number: 18,
    kinds: ["pre_qa"],
    statuses: ["changes_requested"],
    label: "QUALITY_CHECK_FAILED",
  },
  { ...ANY, number: 19, kinds: ["pre_qa"], statuses: ["cancelled"], label: "DRAFT" },
  { ...ANY, number: 20, kinds: ["pre_qa"], label: "CHECKING_QUALITY" },
  { ...ANY, number: 21, label: "DRAFT" },
];
