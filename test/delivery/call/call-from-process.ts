import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CallerReport, CallerTask } from './caller-process.js'

const SCRIPT = fileURLToPath(new URL('caller-process.ts', import.meta.url))

/** Starts a process of its own that makes calls, with nothing else in its environment. */
export function startCaller(
  task: CallerTask,
  environment: Readonly<Record<string, string>> = {},
): { child: ChildProcess; ends: Promise<CallerReport['ends']> } {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT], {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  child.send(task)
  const ends = once(child, 'message').then(([report]: CallerReport[]) => report?.ends ?? [])
  return { child, ends }
}
