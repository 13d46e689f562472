export {
  type CallOptions,
  type ConnectOptions,
  connect,
  type OperationId,
  type RetryNotice,
  type Send,
  type Stepledger,
} from "./connect.ts";
export { eachItem, PAGE_MAX } from "./each-item.ts";
export { type FeedEvent, followFeed, type FollowOptions } from "./follow-feed.ts";
export { followOperation } from "./follow-operation.ts";
export type * from "./operations.ts";
export { StepledgerProblem, StepledgerUnreachable } from "./problem.ts";
