export { createShells, type ShellsOptions } from './shells.ts'
