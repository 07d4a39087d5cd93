import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { bareFramework } from './bare-app.js'
import { expressFramework } from './express-app.js'
import type { Framework } from './framework.js'
import { koaFramework } from './koa-app.js'

/** All that the contract holds for. */
export const FRAMEWORKS: readonly Framework[] = [
  expressFramework('Express 4', express4),
  expressFramework('Express 5', express),
  koaFramework('Koa 2', Koa2),
  koaFramework('Koa 3', Koa),
  koaFramework('Koa 2 on HTTP/2', Koa2, 'http2'),
  koaFramework('Koa 3 on HTTP/2', Koa, 'http2'),
  bareFramework,
]
