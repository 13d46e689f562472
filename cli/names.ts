import type {
  AttentionCode,
  BulkAction,
  BulkTarget,
  StepKind,
  Stepledger,
  StepStatus,
  UnifiedStatus,
} from "../client/index.ts";

type ListInput = NonNullable<Parameters<Stepledger["listTasks"]>[0]>;
type TaskSort = NonNullable<NonNullable<ListInput["query"]>["sort"]>;

// Names as the user typed them. They are deliberately not validated here: a newer service may know more names than
// this command line, and its refusal lists the valid ones.
export const asLabel = (given: string) => given as UnifiedStatus;
export const asAttention = (given: string) => given as AttentionCode;
export const asKind = (given: string) => given as StepKind;
export const asStatus = (given: string) => given as StepStatus;
export const asTarget = (given: string) => given as BulkTarget;
export const asAction = (given: string) => given as BulkAction;
export const asSort = (given: string) => given as TaskSort;
