// Four processes behind one port that share an outbox. Start it with: npm run example cluster
// Other outboxes: npm run example cluster -- --outbox=redis (or memory). Redis is at REDIS_URL.

import cluster from 'node:cluster'

await import(cluster.isPrimary ? './primary.js' : './worker.js')
