import path from 'node:path'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { impressions } from 'ad-impressions/fastify'
import ejs from 'ejs'
import { AdImpressions, AppModule } from './app.module.js'

export async function createFastifyApp() {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter())
  await app.register(impressions({ tracker: app.get(AdImpressions).tracker }))
  app.setViewEngine({ engine: { ejs }, root: path.join(import.meta.dirname, '../views') })
  return app
}
