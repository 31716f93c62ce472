export {
  createRecorder,
  type Answer,
  type Answers,
  type Recorded,
  type Recorder,
} from './recorder/recorder.ts'
export { createShells, type Shells, type ShellsOptions } from './shells.ts'
export { dryShells } from './dry/dry-shells.ts'
