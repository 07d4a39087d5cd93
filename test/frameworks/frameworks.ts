import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { bareFramework } from './bare-app.js'
import { createExpressFramework } from './express-app.js'
import { createFastifyFramework } from './fastify-app.js'
import type { Framework } from './framework.js'
import { createKoaFramework } from './koa-app.js'

/** Every framework that the contract is tested with. */
export const FRAMEWORKS: readonly Framework[] = [
  createExpressFramework('Express 4', express4),
  createExpressFramework('Express 5', express),
  createKoaFramework('Koa 2', Koa2),
  createKoaFramework('Koa 3', Koa),
  createKoaFramework('Koa 2 on HTTP/2', Koa2, 'http2'),
  createKoaFramework('Koa 3 on HTTP/2', Koa, 'http2'),
  createFastifyFramework('Fastify 5'),
  createFastifyFramework('Fastify 5 on HTTP/2', 'http2'),
  bareFramework,
]
