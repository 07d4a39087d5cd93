import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CallerReport, CallerTask } from './caller-process.js'

const SCRIPT = fileURLToPath(new URL('caller-process.ts', import.meta.url))

/** Starts a process of its own that makes calls, with nothing else in its environment. */
export function startCaller(
  task: CallerTask,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT], {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1', ...environment },
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  })
  child.send(task)
  return child
}

/** Resolves to how all calls of the process ended, in the order in which they began. */
export async function waitForEnds(child: ChildProcess): Promise<CallerReport['ends']> {
  const [report]: CallerReport[] = await once(child, 'message')
  return report?.ends ?? []
}
