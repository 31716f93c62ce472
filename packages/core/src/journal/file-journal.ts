import type { Journal } from '../port/journal.ts'

/** A journal in `<dir>/events.jsonl`, one event a line; makes the folder. */
export declare function fileJournal(dir: string): Journal
