export { loadCatalog } from './config/load-catalog.ts'
export { nearestTask, quoteTask, taskNamed } from './config/aliases.ts'
export type { Catalog, StageEntry } from './config/catalog.ts'
export { defineConfig, isConfig, type Config, type HookTable, type StageSpec } from './config/config.ts'
export { perStage, resolveOption, type Option, type PerStage } from './config/per-stage.ts'
export type { NodeStatus, RunEvent, RunEventBody, RunRecord, RunStatus, UndoMode } from './event/event.ts'
export type { RunProcess } from './event/run-process.ts'
export type { ProgressFacts } from './event/progress.ts'
export type { Failure, Phase } from './event/failure.ts'
export { parseAddress, type Address } from './host/address.ts'
export type { Host, HostKeys, HostProps, HostSpec, Stage, SudoSpec } from './host/host.ts'
export {
  isWhere,
  normalizeOn,
  rolesOf,
  selectHosts,
  where,
  type HostSelector,
  type On,
  type OnPick,
  type Where,
} from './host/on.ts'
export { fileJournal } from './journal/file-journal.ts'
export { readRun, type ReadRun } from './journal/read-run.ts'
export type { RecordedNode, RecordedRun } from './journal/recorded-run.ts'
export { replay } from './journal/replay.ts'
export type {
  Binding,
  EdgeReason,
  HostNode,
  NodeKind,
  Plan,
  PlanEdge,
  PlanHost,
  PlanNode,
  Tolerance,
} from './plan/plan.ts'
export { inputFields, type InputField } from './plan/input-fields.ts'
export { instanceKey } from './plan/node-id.ts'
export { comparePlans } from './plan/compare/compare.ts'
export { requestOf, type PlanRequest } from './plan/request.ts'
export type { PlanSource, RequestedTask } from './plan/source.ts'
export type { CalledNode, CallPlan } from './plan/call.ts'
export { resolvePlan } from './plan/resolve.ts'
export { systemClock, type Clock } from './port/clock.ts'
export type { BodyEvent, Executor, Job, JobEnd, JobLink, JobRun, NeedValue } from './port/executor.ts'
export type { ForwardFailure, Forwarding, ForwardOptions, ForwardTarget } from './port/forward.ts'
export type { Journal } from './port/journal.ts'
export type { Ask, AskHidden, Question } from './port/question.ts'
export type {
  CommandEvent,
  CommandOptions,
  CommandOutput,
  DownloadOptions,
  FileOptions,
  Shell,
  ShellProvider,
  ShellScope,
  ShellValue,
  UploadDirOptions,
} from './port/shell.ts'
export { terminalMissing, type LendTerminal } from './port/terminal.ts'
export type { CommandFailure } from './problem/command-failure.ts'
export type { SourceLocation } from './problem/location.ts'
export {
  isProblem,
  Problem,
  toRecord,
  type CalledFailure,
  type ProblemDetails,
  type ProblemKind,
  type ProblemRecord,
} from './problem/problem.ts'
export { didYouMean, nearest } from './problem/suggest.ts'
export { mainIssue, valueFault } from './schema/value-fault.ts'
export { changedSources } from './run/announce-run.ts'
export { execute } from './run/execute.ts'
export { keptOf } from './run/resume.ts'
export { resumeQuestions, undoQuestions } from './run/resume-questions.ts'
export { checkResumable, checkUndoable } from './run/resume-checks.ts'
export { nodesToUndo, undoRecorded } from './run/undo-recorded.ts'
export type { ExecuteOptions } from './run/execute-options.ts'
export { localExecutor } from './run/local-executor.ts'
export type { NodeOutcome, RunOutcome } from './run/outcome.ts'
export type { SecretReader } from './port/secret-reader.ts'
export { createRedactor, redact, type Redactor } from './secret/redact.ts'
export { provideSecretReader } from './secret/registry.ts'
export { reviveSecrets } from './secret/revive.ts'
export { openSecret, reveal } from './secret/reveal.ts'
export { isSecret, type Secret } from './secret/secret.ts'
export { secret } from './secret/sources.ts'
export type {
  BaseContext,
  CallContext,
  CallInput,
  NeedsContext,
  Outcome,
  RunContext,
  RunEnd,
  RunInfo,
  TaskContext,
  UndoContext,
  UndoEnd,
  Unread,
} from './task/context.ts'
export { task, type PresetOptions, type Preview, type TaskFn, type TaskSpec } from './task/declare.ts'
export { milliseconds, type Duration } from './task/duration.ts'
export type { DoctorContext, Finding } from './task/finding.ts'
export { group } from './task/group.ts'
export {
  all,
  optional,
  perHost,
  readNeed,
  type CheckNeeds,
  type PerHost,
  type Results,
  type View,
} from './task/needs.ts'
export { namespace, type Namespaced } from './task/namespace.ts'
export { override, type OverrideContext, type OverrideSpec } from './task/override.ts'
export type { Pace } from './task/pace.ts'
export { batchSize, type Rolling } from './task/rolling.ts'
export type { Retry, RetryOptions } from './task/retry.ts'
export { recipe, type Recipe, type StagesOf } from './task/recipe.ts'
export type { Schema, SchemaInput, SchemaOutput } from './task/schema.ts'
export {
  makeTask,
  type All,
  type AnyTask,
  type At,
  type AtOf,
  type Effect,
  type ErasedSpec,
  type InputOf,
  type Needs,
  type Optional,
  type PlanContext,
  type ResultOf,
  type Task,
  type TaskBrand,
  type TaskOptions,
} from './task/task.ts'
export { manualClock, type ManualClock } from './testing/manual-clock.ts'
