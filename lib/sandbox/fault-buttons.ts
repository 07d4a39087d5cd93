import type { Fault } from './fault.js'

/** A button of the page that makes a network fail. */
export interface FaultButton {
  readonly label: string
  /** What the network does then, and what becomes of the impressions. */
  readonly does: string
  readonly fault?: Fault
  /** What a button without a fault does. */
  readonly action?: 'refuse' | 'spend'
}

export const FAULTS: readonly FaultButton[] = [
  {
    label: 'Answer 500',
    does: 'The network refuses each call and counts nothing. Impressions stay pending and are sent again, less often with each failure.',
    fault: { status: 500 },
  },
  {
    label: 'Answer 429, retry after 5 s',
    does: 'The network asks callers to wait, and counts nothing. Impressions stay pending, and the next call is not sent before five seconds have passed.',
    fault: { status: 429, headers: { 'retry-after': '5' } },
  },
  {
    label: 'Answer 502',
    does: 'A gateway answers in place of the network. Whether the call counted is unknown, so its impressions are uncertain and not sent again.',
    fault: { status: 502 },
  },
  {
    label: 'Answer after 2 s',
    does: 'The network counts at once and answers two seconds later. Impressions are delivered, and pages do not wait.',
    fault: { delayMs: 2000 },
  },
  {
    label: 'Never answer',
    does: 'The network reads and counts each call, and never answers. After the timeout, ten seconds by default, the impressions are uncertain and not sent again.',
    fault: { hang: true },
  },
  {
    label: 'Reset before reading',
    does: 'Each connection is reset before the network reads from it, so no call is recorded. Impressions that were written already are uncertain; the others are sent again.',
    fault: { reset: 'before-read' },
  },
  {
    label: 'Reset after reading',
    does: 'The network reads and counts each call, then resets the connection. The impressions are uncertain and not sent again.',
    fault: { reset: 'after-read' },
  },
  {
    label: 'Cut off the answer',
    does: 'The network counts each call, but its answer ends half way. The status did arrive, so the impressions are delivered.',
    fault: { cutOff: true },
  },
]

export const ENS_FAULTS: readonly FaultButton[] = [
  {
    label: 'Answer 200 with an error',
    does: 'The status says success, the body says error, and ENS counts nothing. The impressions are rejected.',
    fault: {
      status: 200,
      body: { status: 'error', message: 'campaign is not active' },
      counts: false,
    },
  },
]

export const REFUSE: FaultButton = {
  label: 'Refuse connections',
  does: 'The port is closed, as if no server ran there. Nothing was sent, so impressions stay pending and are sent again.',
  action: 'refuse',
}

export const SPEND: FaultButton = {
  label: 'Use 50 calls elsewhere',
  does: 'Another program with the same key uses 50 calls of the rate limit. When few are left, impressions wait and share calls.',
  action: 'spend',
}
